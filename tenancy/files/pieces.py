"""Rows by the ten thousand: read by column where each is plain, else one by one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tenancy.files.cells import FileRow, Problems
from tenancy.files.forms import Forms


@dataclass
class Piece:
    """Some rows of a file, one after the other.

    Attributes:
        first: the number of the first of them.
        columns: their cells by column, where there is nothing to say about any row as such; None
            where there is.
        problems: where what is wrong with a row is noted.
        forms: how numbers and dates may be written in the file.
    """

    first: int
    columns: Mapping[str, Sequence[str]] | None
    problems: Problems
    forms: Forms
    read: Callable[[], Iterable[FileRow]]

    @cached_property
    def rows(self) -> Sequence[FileRow]:
        """The rows themselves; those that are blank or can't be rows are not among them."""
        return list(self.read())


def columns_of(
    header: Sequence[str], records: Sequence[Sequence[str]]
) -> Mapping[str, Sequence[str]] | None:
    """Return the cells of records by column, None where a row has to be looked at by itself.

    That is one that is blank, or has more or fewer cells than the header, or any character beyond
    those that everybody sees in ASCII.
    """
    if not records or set(map(len, records)) != {len(header)}:
        return None
    text = "".join(map("".join, records))
    if not (text.isascii() and text.isprintable()):
        return None
    cells = [list(map(str.strip, column)) for column in zip(*records, strict=True)]
    # A column without an empty cell says at once that no row is blank.
    if not any(map(all, cells)) and not all(map(any, zip(*cells, strict=True))):
        return None
    return dict(zip(header, cells, strict=True))
