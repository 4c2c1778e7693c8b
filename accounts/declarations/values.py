"""Kinds of values: what may be said, in a cell of a file, in JSON and in words."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenancy.files.cells import CellRefused, FileRow, Problems, cleaned
from tenancy.files.columns import A_CURRENCY, one_of, up_to, whole

_CELL: Final = "value"


class ValueRefused(ValueError):
    """A value can't be what it is given for."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep code and message."""
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class ValueKind(ABC):
    """What a value may be: read from a cell, checked as JSON, described to people.

    A value of JSON is checked by reading it as a cell, so that files, API and pages agree.
    """

    json: ClassVar[type] = str
    id_prefix: ClassVar[str] = ""
    """Of what it refers to; empty for plain values."""
    unnamed: ClassVar[str | Promise] = ""
    """What it refers to is called so where its name is not known."""

    @property
    @abstractmethod
    def forms(self) -> str | Promise:
        """What may stand in a cell, for people."""

    @abstractmethod
    def read(self, row: FileRow, column: str, *, needed: bool = False) -> Any:
        """Return the value in a cell, empty or None for an empty one; what can't be is noted."""

    def write(self, value: Any) -> str:
        """Return a value as a cell has it."""
        return str(value)

    def parse(self, text: str) -> Any:
        """Return what is written, as in a cell, as it is stored.

        Raises:
            ValueRefused: it can't be.
        """
        problems = Problems()
        try:
            row = FileRow(0, {_CELL: cleaned(text)}, problems)
        except CellRefused as refused:
            raise ValueRefused(refused.code, refused.detail) from None
        found = self.read(row, _CELL, needed=True)
        if problems.errors:
            raise ValueRefused(problems.errors[0].code, problems.errors[0].detail)
        return found

    def check(self, value: object) -> Any:
        """Return a value of JSON as it is stored.

        Raises:
            ValueRefused: it can't be.
        """
        if not isinstance(value, self.json) or (isinstance(value, bool) and self.json is not bool):
            raise ValueRefused("wrong_type", str(self.forms))
        return self.parse(self.write(value))


@dataclass(frozen=True, slots=True)
class Text(ValueKind):
    """A line of text; ``says`` replaces the plain description of its forms."""

    longest: int = 200
    says: str | Promise = ""

    @property
    def forms(self) -> str | Promise:
        """Up to so many characters."""
        return self.says or up_to(self.longest)

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> str:
        """Return the cell as text."""
        read = row.required if needed else row.text
        return read(column, longest=self.longest)


@dataclass(frozen=True, slots=True)
class Code(ValueKind):
    """A text of a list that the world keeps: a currency, a country, a time zone, an address.

    ``reader`` is the method of ``FileRow`` that knows it.
    """

    reader: str
    says: Promise
    longest: int = 254

    @property
    def forms(self) -> str | Promise:
        """As declared."""
        return self.says

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> str:
        """Return the cell if the list has it."""
        if needed and not row.required(column, longest=self.longest):
            return ""
        found: str = getattr(row, self.reader)(column)
        return found


@dataclass(frozen=True, slots=True)
class Choice(ValueKind):
    """One of some words; ``words`` says each to people."""

    words: Mapping[str, Promise]

    @property
    def values(self) -> tuple[str, ...]:
        """The words as they are stored."""
        return tuple(self.words)

    @property
    def forms(self) -> str | Promise:
        """One of them."""
        return one_of(self.values)

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> str:
        """Return the cell if it is one of them."""
        return row.choice(column, self.values, needed=needed)


NO_NUMBER: Final = "none"
"""How files write that there is no number, whatever is set above."""


@dataclass(frozen=True, slots=True)
class Whole(ValueKind):
    """A whole number between two bounds, inclusive.

    Where it ``has_none``, 0 says that there is none whatever is set above. Nobody types it: an
    alignment sets it on accounts that it leaves out, and files write it as a word.
    """

    lowest: int
    highest: int
    has_none: bool = False
    json: ClassVar[type] = int

    @property
    def forms(self) -> str | Promise:
        """Between the bounds."""
        return whole(self.lowest, self.highest)

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> int | None:
        """Return the cell as a number."""
        if needed and not row.required(column):
            return None
        if self.has_none and row.cells.get(column) == NO_NUMBER:
            return 0
        return row.integer(column, self.lowest, self.highest)

    def write(self, value: Any) -> str:
        """Return the number, or the word for none."""
        return NO_NUMBER if self.has_none and value == 0 else str(value)


@dataclass(frozen=True, slots=True)
class YesNo(ValueKind):
    """True or false."""

    says: str | Promise
    json: ClassVar[type] = bool

    @property
    def forms(self) -> str | Promise:
        """The words for both."""
        return self.says

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> bool | None:
        """Return the cell as true or false."""
        if needed and not row.required(column):
            return None
        return row.boolean(column)

    def write(self, value: Any) -> str:
        """Return the word."""
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Emails(ValueKind):
    """Some e-mail addresses, each once."""

    most: int = 20
    json: ClassVar[type] = list

    @property
    def forms(self) -> str | Promise:
        """How many, and what parts them."""
        text = gettext_lazy("Up to {count} e-mail addresses, joined by |.")
        return format_lazy(text, count=self.most)

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> list[str]:
        """Return the addresses in the order of the cell."""
        text = row.cells.get(column, "")
        if not text:
            if needed:
                row.required(column)
            return []
        parts = list(dict.fromkeys(part.strip() for part in text.split("|")))
        if len(parts) > self.most:
            limit = _("At most %(limit)s addresses.") % {"limit": self.most}
            row.refuse(column, "too_many", limit)
            return []
        one = FileRow(row.number, {}, row.problems, row.forms)
        before = row.problems.count
        for part in parts:
            one.cells = {column: part}
            if not part:
                one.required(column)
            one.email(column)
        return parts if row.problems.count == before else []

    def write(self, value: Any) -> str:
        """Return the addresses joined."""
        return "|".join(str(one) for one in value)


@dataclass(frozen=True, slots=True)
class AccountReference(ValueKind):
    """An account, named by its key; only some may be named, which ``says`` tells."""

    says: Promise
    id_prefix: ClassVar[str] = "acc"
    unnamed: ClassVar[str | Promise] = gettext_lazy("another account")

    @property
    def forms(self) -> str | Promise:
        """Which accounts."""
        return self.says

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> str:
        """Return the key; whose it is only the tree can tell."""
        read = row.required if needed else row.text
        return read(column)


@dataclass(frozen=True, slots=True)
class SellerReference(ValueKind):
    """A seller of the tenant, named by its id."""

    id_prefix: ClassVar[str] = "sel"
    unnamed: ClassVar[str | Promise] = gettext_lazy("another seller")

    @property
    def forms(self) -> str | Promise:
        """Which sellers."""
        return gettext_lazy("A seller of the company, such as sel_….")

    def read(self, row: FileRow, column: str, *, needed: bool = False) -> str:
        """Return the id; whose it is only the database can tell."""
        read = row.required if needed else row.text
        return read(column)


CURRENCY: Final = Code("currency", A_CURRENCY)
COUNTRY: Final = Code("country", gettext_lazy("Two capitals of ISO 3166-1, such as DE."))
TIME_ZONE: Final = Code("time_zone", gettext_lazy("A name such as Europe/Berlin."))
EMAIL: Final = Code("email", gettext_lazy("An e-mail address."))
LANGUAGES: Final[Mapping[str, Promise]] = {
    "de": gettext_lazy("German"),
    "en": gettext_lazy("English"),
}
