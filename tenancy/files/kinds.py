"""Kinds of import: each registers itself in the ``operations.importing`` of the app of its data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from tenancy.actor import Actor
from tenancy.files.columns import Columns
from tenancy.files.reports import ImportReport
from tenancy.files.sources import Source


class Importer(Protocol):
    """The operation that checks a file, and stores what it says."""

    def __call__(
        self, actor: Actor, content: Source, /, *, is_dry_run: bool, today: date, now: datetime
    ) -> ImportReport:
        """Return what was done, or would be."""


class BoundedImporter(Protocol):
    """The same, of a file whose rows must stay below an account."""

    def __call__(
        self,
        actor: Actor,
        content: Source,
        /,
        *,
        is_dry_run: bool,
        today: date,
        within: UUID | None = None,
        now: datetime,
    ) -> ImportReport:
        """Return what was done, or would be."""


FileCells: TypeAlias = Mapping[str, str]
"""A row of a file in plain forms, by the names of columns; what is left out is empty."""


class Exporter(Protocol):
    """A query: what is there, as rows that the import of their kind reads back unchanged."""

    def __call__(
        self, actor: Actor, /, *, within: UUID | None, today: date
    ) -> Iterator[Sequence[FileCells]]:
        """Yield rows, some at a time; of an account and those below it, None for all."""


class UndatedImporter(Protocol):
    """The same for what holds from no particular day."""

    def __call__(
        self,
        actor: Actor,
        content: Source,
        /,
        *,
        is_dry_run: bool,
        within: UUID | None = None,
        now: datetime,
    ) -> ImportReport:
        """Return what was done, or would be."""


def undated(run: UndatedImporter) -> BoundedImporter:
    """Return an importer that needs no day."""

    def dated(
        actor: Actor,
        content: Source,
        *,
        is_dry_run: bool,
        today: date,
        within: UUID | None = None,
        now: datetime,
    ) -> ImportReport:
        return run(actor, content, is_dry_run=is_dry_run, within=within, now=now)

    return dated


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """Something that files bring.

    Attributes:
        label: what people call it.
        action: the right that importing it takes.
        columns: of its files; their ``kind`` is its name.
        place: where it stands among the others: files may refer to what comes before.
        run: the operation.
        run_below: the same, bounded to an account and those below it; None where rows belong to
            no account.
        outlook: what a page shows of a sound file beside its counts.
        rows: what is there, for a file of this kind; None where no file is made of it.
    """

    label: Promise
    action: StrEnum
    columns: Columns
    place: int
    run: Importer
    run_below: BoundedImporter | None = None
    outlook: Callable[[Actor, Source], Mapping[str, Any]] | None = None
    rows: Exporter | None = None

    @property
    def name(self) -> str:
        """The name in commands, addresses and jobs."""
        return self.columns.kind


_KINDS: dict[str, ImportKind] = {}


def register_import_kind(kind: ImportKind) -> None:
    """Let files of a kind be imported."""
    _KINDS[kind.name] = kind


def import_kinds() -> Mapping[str, ImportKind]:
    """Return all kinds by name, in the order in which their files refer to each other."""
    _find()
    return dict(sorted(_KINDS.items(), key=lambda item: item[1].place))


@cache
def _find() -> None:
    """Have each app register its kinds, once somebody asks: commands without files don't wait."""
    autodiscover_modules("operations.importing")
