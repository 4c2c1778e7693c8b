"""What every import shares: its report, and that two at once are like two in a row."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from tenancy.actor import Actor
from tenancy.errors import FieldError
from tenancy.files.cells import Problems
from tenancy.files.files import RowFile
from tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a row changes in something that exists: by column, the value before and after."""

    row: int
    external_id: str
    values: Mapping[str, tuple[Any, Any]]

    def as_json(self) -> dict[str, object]:
        """Return the shape that commands, jobs and the API show."""
        return {
            "row": self.row,
            "external_id": self.external_id,
            "values": [
                {"column": name, "before": _plain_value(old), "after": _plain_value(new)}
                for name, (old, new) in self.values.items()
            ],
        }


CHANGES_SHOWN: Final = 1_000
"""Of so many rows at most the report says what they change; it counts all."""


def _plain_value(value: Any) -> Any:
    """Return a value as JSON has it: None for what is inherited or empty."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do; with errors it did nothing.

    ``encoding`` is what the file was read as, ``changes`` what differs in rows that exist (R29).
    ``errors`` and ``warnings`` list the first of those that the counts count.
    """

    kind: str
    is_dry_run: bool
    rows: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[FieldError, ...] = ()
    encoding: str = ""
    changes: tuple[RowChange, ...] = ()
    error_count: int = 0
    warnings: tuple[FieldError, ...] = ()
    warning_count: int = 0

    @classmethod
    def of(
        cls,
        kind: str,
        file: RowFile,
        *,
        is_dry_run: bool,
        created: int,
        updated: int = 0,
        changes: Sequence[RowChange] = (),
        warned: Problems | None = None,
    ) -> "ImportReport":
        """Return the report of a file that was read to its end; nothing came of one with errors.

        Args:
            kind: of the file.
            file: read to its end.
            is_dry_run: whether nothing was to be stored.
            created: rows that are new.
            updated: rows that change something; all others change nothing.
            changes: what they change.
            warned: rows that deserve a look.
        """
        if file.problems.count:
            return cls.refused(kind, file, is_dry_run=is_dry_run)
        return cls(
            kind,
            is_dry_run,
            file.count,
            created,
            updated,
            file.count - created - updated,
            encoding=file.encoding,
            changes=tuple(changes),
            warnings=() if warned is None else tuple(warned.errors),
            warning_count=0 if warned is None else warned.count,
        )

    @classmethod
    def refused(cls, kind: str, file: RowFile, *, is_dry_run: bool) -> "ImportReport":
        """Return the report of a file with errors."""
        return cls(
            kind,
            is_dry_run,
            file.count,
            errors=tuple(file.problems.in_order()),
            error_count=file.problems.count,
            encoding=file.encoding,
        )


@contextmanager
def all_or_nothing(file: RowFile) -> Iterator[None]:
    """Undo what was stored of a file once it turns out to have errors."""
    with transaction.atomic():
        yield
        if file.problems.count:
            transaction.set_rollback(True)


def one_at_a_time(actor: Actor) -> None:
    """Wait for other imports of the same tenant, so that twice at once is like twice in a row."""
    Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
