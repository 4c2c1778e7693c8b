"""Importing versions of prices: for everybody, or negotiated with an account."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing import ImportReport, bound_of, one_at_a_time, owners_of
from invoicing.operations.importing.columns import NEGOTIATED_COLUMNS, VERSION_COLUMNS
from invoicing.operations.importing.version_rows import (
    COLUMN_OF,
    PRICE,
    TERMS,
    changes_of,
    model_of,
    plain_member,
    refuse_version,
    shown_member,
    version_said,
)
from invoicing.operations.prices.beginning import request_repricing
from invoicing.queries.repricing import Beside, Repricing, Way
from subscriptions.models import Price
from subscriptions.operations.catalogue.naming import ExternalIdTaken
from subscriptions.operations.catalogue.versions import (
    NewVersion,
    PriceOwnerArchived,
    prices_under_way,
    set_end,
    version_after,
    version_created,
    version_ended,
)
from subscriptions.operations.importing.rows import refuse_difference
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError
from tenancy.events import record_events
from tenancy.files import Columns, FileRow, RowFile, Source
from tenancy.files.references import named_by
from tenancy.files.reports import CHANGES_SHOWN, RowChange, all_or_nothing

_OWNER: Final = "account_external_id"


@operation
def import_price_versions(
    actor: Actor, content: Source, *, is_dry_run: bool, today: date, now: datetime
) -> ImportReport:
    """Let prices cost something else for everybody from a day on, as a file says.

    As ``begin_version`` does it row by row: stored at once, and carried out by one job for each
    price. A row of a version that is there must say the same.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the tenant's date.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue, or change subscriptions everywhere.

    Source: docs/data-formats.md; docs/billing-rules.md, Versions of a price.
    """
    return _Importing(actor, VERSION_COLUMNS, today, now).run(
        content, within=None, is_dry_run=is_dry_run
    )


@operation
def import_negotiated_prices(
    actor: Actor,
    content: Source,
    *,
    is_dry_run: bool,
    today: date,
    within: UUID | None = None,
    now: datetime,
) -> ImportReport:
    """Give accounts, and all below them, prices of their own from a day on, as a file says.

    As ``begin_version`` and ``end_version`` do it row by row. A row of a negotiated price that is
    there must say the same; it may give it an end.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the tenant's date.
        within: only those of this account and of those below it; a row of any other is an
            error, ``outside_import``.
        now: for the audit trail.

    Raises:
        Forbidden: as of ``import_price_versions``.
        NotFound: there is no account ``within``.

    Source: docs/data-formats.md; docs/billing-rules.md, Negotiated prices.
    """
    return _Importing(actor, NEGOTIATED_COLUMNS, today, now).run(
        content, within=within, is_dry_run=is_dry_run
    )


@dataclass(slots=True)
class _Known:
    """What is stored of the prices that some rows name, with what these rows add to it.

    Attributes:
        owners: the accounts, by their cells.
        versions: by the first version and the account, in the order in which they were made.
        by_key: whatever price has an external id that a row gives.
    """

    owners: Mapping[str, Account]
    versions: dict[tuple[UUID, UUID | None], list[Price]]
    by_key: Mapping[str, Price]


@dataclass(slots=True)
class _Importing:
    """One import: what it has made and ended so far."""

    actor: Actor
    columns: Columns
    today: date
    now: datetime
    firsts: Mapping[str, Price] = field(default_factory=dict)
    under_way: Collection[UUID] = ()
    created: int = 0
    updated: int = 0
    shown: list[RowChange] = field(default_factory=list)
    _changes: dict[UUID, list[Beside]] = field(default_factory=lambda: defaultdict(list))
    _made: set[UUID] = field(default_factory=set)

    def run(self, content: Source, *, within: UUID | None, is_dry_run: bool) -> ImportReport:
        """Check the file, and store what it says."""
        actor = self.actor
        access.require_everywhere(actor, Action.EDIT_CATALOGUE)
        access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
        bound = bound_of(actor, within)
        one_at_a_time(actor)
        self._hold(content)
        file = RowFile(content, self.columns)
        with all_or_nothing(file):
            for rows in file.slices():
                known = self._known(rows, owners_of(actor, rows, bound) if self._is_own else {})
                made, ended = self._checked(rows, known)
                if not file.problems.count:
                    self._store(made, ended)
            if not file.problems.count and not is_dry_run:
                self._request()
            if is_dry_run:
                # A later row follows what an earlier one brings: stored, read, and taken back.
                transaction.set_rollback(True)
        return ImportReport.of(
            self.columns.kind,
            file,
            is_dry_run=is_dry_run,
            created=self.created,
            updated=self.updated,
            changes=self.shown,
        )

    @property
    def _is_own(self) -> bool:
        """Whether each row is about an account."""
        return _OWNER in self.columns.required

    def _hold(self, content: Source) -> None:
        """Let nobody sell at the prices of a file, or give them versions, until it is through.

        All of them at once and in order, so that nobody waits for the other for ever.
        """
        cells: set[str] = set()
        for rows in RowFile(content, self.columns).slices():
            cells |= {row.cells[PRICE] for row in rows}
        mine = Price.objects.filter(tenant_id=self.actor.tenant_id)
        named = named_by(mine, "prc", cells)
        keys = {one.family_id for one in named.values()}
        held = mine.filter(pk__in=keys).select_related("product").order_by("pk")
        firsts = {one.pk: one for one in held.select_for_update(of=("self",))}
        self.firsts = {cell: firsts[one.family_id] for cell, one in named.items()}
        self.under_way = prices_under_way(self.actor, keys)

    def _known(self, rows: Sequence[FileRow], owners: Mapping[str, Account]) -> _Known:
        """Return what is stored of what rows name. Two statements."""
        mine = Price.objects.filter(tenant_id=self.actor.tenant_id)
        firsts = [self.firsts[key] for row in rows if (key := row.cells[PRICE]) in self.firsts]
        keys = {one.pk for one in firsts}
        ids = {account.pk for account in owners.values()}
        found = mine.filter(Q(account=None) | Q(account_id__in=ids), first_id__in=keys)
        versions: dict[tuple[UUID, UUID | None], list[Price]] = defaultdict(list)
        for first in firsts:
            versions[first.pk, None] = [first]
        for one in found.select_related("product", "first").order_by("number", "id"):
            versions[one.family_id, one.account_id].append(one)
        texts = {row.cells.get("external_id") for row in rows} - {None, ""}
        return _Known(owners, versions, {str(p.external_id): p for p in mine.filter(
            external_id__in=texts)})  # fmt: skip

    def _checked(self, rows: Sequence[FileRow], known: _Known) -> tuple[list[Price], list[Price]]:
        """Return the versions that rows bring, and those that they end."""
        made: list[Price] = []
        ended: list[Price] = []
        for row in rows:
            before, cells = row.problems.count, version_said(row)
            first = self.firsts.get(row.required(PRICE))
            if first is None and row.cells[PRICE]:
                row.refuse(PRICE, "unknown_price", _("There is no such price."))
            day = row.day("valid_from") if row.required("valid_from") else None
            account = known.owners.get(row.required(_OWNER)) if self._is_own else None
            if row.problems.count > before or first is None or day is None:
                continue
            if self._is_own and account is None:
                continue
            owner_id = None if account is None else account.pk
            place = known.versions[first.pk, owner_id]
            there = next((v for v in place if v.valid_from == day and not v.is_withdrawn), None)
            if there is not None:
                self._compare(row, there, cells, place, ended)
                continue
            if account is not None and account.status == Account.Status.ARCHIVED:
                row.refuse(_OWNER, PriceOwnerArchived.code, str(PriceOwnerArchived.message))
                continue
            others = place if owner_id is None else [*known.versions[first.pk, None], *place]
            price = self._begun(row, others, NewVersion(day, cells, owner_id), known)
            if price is not None:
                made.append(price)
                place.append(price)
        return made, ended

    def _begun(
        self, row: FileRow, versions: Sequence[Price], wanted: NewVersion, known: _Known
    ) -> Price | None:
        """Return a version that is new, None where it can't be."""
        cells, key = dict(wanted.changes), row.text("external_id")
        until = cells.pop("ends_on", None)
        if key in known.by_key:
            taken = ExternalIdTaken(external_id=key)
            row.refuse("external_id", taken.code, taken.detail)
            return None
        model = model_of(versions, wanted.account_id)
        changes = changes_of(cells, model)
        if key:
            changes["external_id"] = key
        try:
            price, model = version_after(
                versions,
                NewVersion(wanted.valid_from, changes, wanted.account_id),
                is_under_way=versions[0].pk in self.under_way,
                today=self.today,
            )
        except BillingError as refusal:
            refuse_version(row, refusal)
            return None
        if until is not None and until <= wanted.valid_from:
            detail = _("It would end before it begins.")
            row.refuse("valid_until", "end_before_start", detail)
            return None
        price.ends_on = until
        self.created += 1
        self._made.add(price.pk)
        self._show(row, price, {
            name: (shown_member(model, name), shown_member(price, name))
            for name in TERMS if shown_member(model, name) != shown_member(price, name)
        } | ({} if until is None else {"ends_on": (None, until)}))  # fmt: skip
        return price

    def _compare(
        self,
        row: FileRow,
        there: Price,
        cells: Mapping[str, Any],
        place: Sequence[Price],
        ended: list[Price],
    ) -> None:
        """Refuse a row that says something else of what is there, but for its end."""
        if there.pk in self._made:
            row.refuse("valid_from", "duplicate", _("An earlier row is about the same."))
            return
        key, until = row.text("external_id"), cells.get("ends_on")
        wanted = changes_of({k: v for k, v in cells.items() if k != "ends_on"}, there)
        differs = any(plain_member(there, name) != value for name, value in wanted.items())
        if differs or (key and key != there.external_id):
            refuse_difference(row, "external_id" if row.has("external_id") else PRICE)
            return
        # An empty cell, or one that says the same, leaves the end as it is.
        if until is None or until == there.ends_on:
            return
        had = there.ends_on
        try:
            is_under_way = there.family_id in self.under_way
            set_end(there, place, until, is_under_way=is_under_way)
        except BillingError as refusal:
            refuse_version(row, refusal)
            return
        self.updated += 1
        ended.append(there)
        self._show(row, there, {"ends_on": (had, until)})

    def _show(self, row: FileRow, price: Price, values: Mapping[str, tuple[Any, Any]]) -> None:
        """Let the dry run list what a row changes."""
        if len(self.shown) < CHANGES_SHOWN:
            named = [row.cells.get("external_id"), row.cells.get(_OWNER), row.cells[PRICE]]
            key = named[0] or " · ".join(text for text in named[1:] if text)
            renamed = {COLUMN_OF.get(name, name): value for name, value in values.items()}
            self.shown.append(RowChange(row.number, key, renamed))

    def _store(self, made: Sequence[Price], ended: Sequence[Price]) -> None:
        """Store versions and ends of some rows, with what is said of them."""
        Price.objects.bulk_create(made, batch_size=2_000)
        Price.objects.bulk_update(ended, ["ends_on"], batch_size=2_000)
        begun = [version_created(one) for one in made]
        over = [version_ended(one) for one in [*made, *ended] if one.ends_on is not None]
        record_events(self.actor, [*begun, *over], now=self.now)
        for some, way in ((made, Way.BEGIN), (ended, Way.END)):
            for one in some:
                since = one.valid_from if way == Way.BEGIN else one.ends_on
                assert since is not None  # noqa: S101 - for the checker of types
                change = Beside(one.pk, one.account_id, since, way)
                self._changes[one.family_id].append(change)

    def _request(self) -> None:
        """Have each price carried out for what is had at it, all its changes by one job."""
        for changes in self._changes.values():
            first, *beside = changes
            price = Price.objects.select_related("product").get(
                tenant_id=self.actor.tenant_id, pk=first.price_id
            )
            repricing = Repricing(price, first.way, beside)
            request_repricing(self.actor, repricing, today=self.today, now=self.now)
