"""Importing the discounts that accounts give to all below them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing import ImportReport, bound_of, one_at_a_time, owners_of
from invoicing.operations.account_discounts.giving import (
    AccountArchived,
    discounted,
    given_beside,
    request_many,
    require_room,
)
from invoicing.operations.account_discounts.outcomes import Way
from invoicing.operations.importing.columns import DISCOUNT_COLUMNS
from subscriptions.models import Discount
from subscriptions.models.limits import PRICE_DECIMALS, PRICE_DIGITS
from subscriptions.operations.discounts.checking import (
    LONGEST_CODE,
    LONGEST_REASON,
    PERCENT_DECIMALS,
    WantedDiscount,
    code_key,
)
from subscriptions.operations.discounts.redeeming import Coupons, new_discount
from subscriptions.operations.importing.rows import refuse_difference
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError
from tenancy.events import Happening, record_events
from tenancy.files import FileRow, RowFile, Source
from tenancy.files.reports import CHANGES_SHOWN, RowChange, all_or_nothing

_OWNER: Final = "account_external_id"
_OF_A_COUPON: Final = ("name", "percent", "amount", "currency", "valid_until", "reason")
"""What a coupon says itself, or nobody says of it."""
_COLUMN_OF: Final = {"until": "valid_until", "effective": "valid_from"}
_COLUMN_OF_CODE: Final = {"discount_held": "valid_from"}
"""Where a refusal as a whole stands; those that are not here stand at the coupon."""


@operation
def import_discounts(
    actor: Actor,
    content: Source,
    *,
    is_dry_run: bool,
    today: date,
    within: UUID | None = None,
    now: datetime,
) -> ImportReport:
    """Give discounts to accounts and all below them, or let them redeem coupons, as a file says.

    As ``discount_account`` and ``end_account_discount`` do it row by row: stored at once, and
    carried out by one job for all. A row of a discount that is there must say the same; it may
    give it an end.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the tenant's date, on which a coupon has to be redeemable.
        within: only those of this account and of those below it; a row of any other is an
            error, ``outside_import``.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not change all subscriptions.
        NotFound: there is no account ``within``.

    Source: docs/data-formats.md; docs/billing-rules.md, Discounts.
    """
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    bound = bound_of(actor, within)
    file = RowFile(content, DISCOUNT_COLUMNS)
    one_at_a_time(actor)
    done = _Importing(actor, today, now)
    with all_or_nothing(file):
        for rows in file.slices():
            found = done.check(rows, owners_of(actor, rows, bound))
            if not file.problems.count:
                done.store(found)
        if not file.problems.count and not is_dry_run and done.changes:
            request_many(actor, done.changes, now=now)
        if is_dry_run:
            # What one row redeems another can't: stored, counted, and taken back.
            transaction.set_rollback(True)
    return ImportReport.of(
        "discounts",
        file,
        is_dry_run=is_dry_run,
        created=done.created,
        updated=done.updated,
        changes=done.shown,
    )


_Found = Sequence[tuple[Account, Discount, Way]]
"""What some rows give, and what they end."""


@dataclass(slots=True)
class _Importing:
    """One import: what it has given and ended so far."""

    actor: Actor
    today: date
    now: datetime
    created: int = 0
    updated: int = 0
    shown: list[RowChange] = field(default_factory=list)
    changes: list[tuple[UUID, Way]] = field(default_factory=list)
    _made: set[UUID] = field(default_factory=set)

    def check(self, rows: Sequence[FileRow], owners: Mapping[str, Account]) -> _Found:
        """Return what some rows give, and what they end. Some eight statements."""
        actor, ids = self.actor, [account.pk for account in owners.values()]
        given: dict[UUID, list[Discount]] = defaultdict(list)
        for one in given_beside(actor, ids):
            assert one.account_id is not None  # noqa: S101 - they are those of accounts
            given[one.account_id].append(one)
        roots = {key: path[0] for key, path in tree.paths(actor.tenant_id, ids).items()}
        codes = {row.cells.get("coupon", "") for row in rows} - {""}
        coupons = Coupons(actor, codes, set(roots.values()), today=self.today)
        found: list[tuple[Account, Discount, Way]] = []
        for row in rows:
            before, wanted = row.problems.count, _wanted(row)
            day = row.day("valid_from") if row.required("valid_from") else None
            account = owners.get(row.required(_OWNER))
            if row.problems.count > before or account is None or day is None:
                continue
            beside = given[account.pk]
            there = next((one for one in beside if one.starts == day and _holds(one)), None)
            if there is not None:
                if self._ends(row, there, wanted):
                    found.append((account, there, Way.END))
                continue
            if account.status == Account.Status.ARCHIVED:
                row.refuse(_OWNER, AccountArchived.code, str(AccountArchived.message))
                continue
            discount = self._given(row, account, roots[account.pk], wanted, day, coupons)
            if discount is None or not self._has_room(row, discount, beside):
                continue
            beside.append(discount)
            self._made.add(discount.pk)
            found.append((account, discount, Way.GIVE))
        return found

    def _given(
        self,
        row: FileRow,
        account: Account,
        root_id: UUID,
        wanted: WantedDiscount,
        day: date,
        coupons: Coupons,
    ) -> Discount | None:
        """Return a discount that is new, None where it can't be."""
        if wanted.coupon and (said := [name for name in _OF_A_COUPON if row.cells.get(name)]):
            for name in said:
                detail = _("The coupon says it; leave this cell empty.")
                row.refuse(name, "not_allowed", detail)
            return None
        try:
            return new_discount(
                self.actor,
                wanted,
                root_id=root_id,
                account_id=account.pk,
                day=day,
                coupons=coupons,
                today=self.today,
                now=self.now,
            )
        except BillingError as refusal:
            _refuse(row, refusal)
            return None

    def _has_room(self, row: FileRow, new: Discount, beside: Sequence[Discount]) -> bool:
        try:
            require_room(self.actor, new, beside)
        except BillingError as refusal:
            _refuse(row, refusal)
            return False
        return True

    def _ends(self, row: FileRow, there: Discount, wanted: WantedDiscount) -> bool:
        """Return whether a row ends what is there; one that says anything else is refused."""
        if there.pk in self._made:
            row.refuse("valid_from", "duplicate", _("An earlier row is about the same."))
            return False
        code = "" if there.coupon is None else there.coupon.code
        facts: list[tuple[str, Any, Any]] = [("coupon", code_key(code), code_key(wanted.coupon))]
        if not wanted.coupon:
            facts += [
                (name, getattr(there, name), getattr(wanted, name))
                for name in ("name", "percent", "amount", "currency", "reason")
            ]
        # A column that is not there leaves alone what is stored (R29).
        if any(row.has(name) and stored != said for name, stored, said in facts):
            refuse_difference(row, _OWNER)
            return False
        until = wanted.until
        # An empty cell, or one that says the same, leaves the end as it is.
        if until is None or until == there.ends:
            return False
        if there.ends is not None or until < there.starts:
            detail = _("This discount has an end already, or would end before it begins.")
            row.refuse("valid_until", "discount_over", detail)
            return False
        self.updated += 1
        if len(self.shown) < CHANGES_SHOWN:
            values = {"valid_until": (None, until)}
            self.shown.append(RowChange(row.number, f"{row.cells[_OWNER]} · {there}", values))
        there.ends = until
        return True

    def store(self, found: _Found) -> None:
        """Store what some rows give and end, with what is said of it."""
        made = [one for _account, one, way in found if way == Way.GIVE]
        ended = [one for _account, one, way in found if way == Way.END]
        Discount.objects.bulk_create(made, batch_size=2_000)
        Discount.objects.bulk_update(ended, ["ends"], batch_size=2_000)
        record_events(self.actor, [_happening(*one) for one in found], now=self.now)
        self.created += len(made)
        self.changes += [(one.pk, way) for _account, one, way in found]


def _holds(discount: Discount) -> bool:
    """Return whether a discount was given for any day at all."""
    return discount.ends is None or discount.ends > discount.starts


def _happening(account: Account, discount: Discount, way: Way) -> Happening:
    day = discount.starts if way == Way.GIVE else discount.ends
    assert day is not None  # noqa: S101 - that is what ending it means
    return discounted(account, discount, day, way)


def _wanted(row: FileRow) -> WantedDiscount:
    """Return the discount that a row wants."""
    return WantedDiscount(
        coupon=row.text("coupon", longest=LONGEST_CODE),
        name=row.text("name"),
        percent=row.decimal("percent", digits=3, decimals=PERCENT_DECIMALS),
        amount=row.decimal("amount", digits=PRICE_DIGITS, decimals=PRICE_DECIMALS),
        currency=row.currency("currency"),
        until=row.day("valid_until"),
        reason=row.text("reason", longest=LONGEST_REASON),
    )


def _refuse(row: FileRow, refusal: BillingError) -> None:
    """Note why a discount can't be given, each at its cell."""
    for error in refusal.errors:
        member = error.pointer.removeprefix("/")
        row.refuse(_COLUMN_OF.get(member, member), error.code, error.detail)
    if not refusal.errors:
        row.refuse(_COLUMN_OF_CODE.get(refusal.code, "coupon"), refusal.code, refusal.detail)
