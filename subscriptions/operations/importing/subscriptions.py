"""Importing subscriptions, each with one item."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing import (
    Bound,
    ImportReport,
    bound_of,
    one_at_a_time,
    refuse_outside,
)
from accounts.queries.currencies import account_currencies
from billing_rules.timelines import Stretch
from subscriptions.models import Item, Price, Subscription
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS
from subscriptions.operations.catalogue import hold_prices, sale_fault
from subscriptions.operations.importing.columns import SUBSCRIPTION_COLUMNS
from subscriptions.operations.importing.rows import refuse_difference
from subscriptions.operations.subscriptions.terms import write_all_terms
from subscriptions.queries.price_lists import PriceLists, price_lists
from subscriptions.queries.terms import ItemTerms
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.database.statistics import WORTH_IT, refresh_statistics
from tenancy.events import Happening, record_events
from tenancy.files import FileRow, Problems, RowFile, Source
from tenancy.files.reports import all_or_nothing


@dataclass(frozen=True, slots=True)
class _SubscriptionLine:
    key: str
    account_id: UUID
    price_id: UUID
    quantity: Decimal
    start_date: date
    end_date: date | None
    billed_until: date | None
    po_number: str

    @property
    def first_action(self) -> date | None:
        """The day its first period to be charged begins; None if all was billed elsewhere."""
        first = max(self.start_date, self.billed_until or self.start_date)
        return None if self.end_date is not None and first >= self.end_date else first


_New = tuple[_SubscriptionLine, Sequence[Stretch[ItemTerms]]]
"""A subscription, and what it costs day by day."""


@operation
@collecting_afterwards()
def import_subscriptions(
    actor: Actor,
    content: Source,
    *,
    is_dry_run: bool,
    today: date,
    within: UUID | None = None,
    now: datetime,
) -> ImportReport:
    """Create the subscriptions of a file, each with one item.

    A row whose ``external_id`` exists must say the same: changes are made one by one, with a
    preview.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the tenant's date; a warning is about what holds from then on.
        within: only those of this account and of those below it; a row of any other is an
            error, ``outside_import``.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not write subscriptions everywhere.
        NotFound: there is no account ``within``.

    Source: docs/data-formats.md; docs/billing-rules.md, R20, R24.
    """
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    bound = bound_of(actor, within)
    file = RowFile(content, SUBSCRIPTION_COLUMNS)
    one_at_a_time(actor)
    warned, created = Problems(), 0
    with all_or_nothing(file):
        for rows in file.slices():
            new = _new_subscriptions(actor, rows, bound, warned, today)
            if new and not is_dry_run and not file.problems.count:
                _create_subscriptions(actor, new, now)
                if created < WORTH_IT <= created + len(new):
                    refresh_statistics([Subscription, Item])
            created += len(new)
        if created >= WORTH_IT and not is_dry_run and not file.problems.count:
            refresh_statistics([Subscription, Item])
    if file.problems.count:
        return ImportReport.refused("subscriptions", file, is_dry_run=is_dry_run)
    return ImportReport(
        "subscriptions",
        is_dry_run,
        file.count,
        created,
        0,
        file.count - created,
        encoding=file.encoding,
        warnings=tuple(warned.errors),
        warning_count=warned.count,
    )


def _new_subscriptions(
    actor: Actor, rows: Sequence[FileRow], bound: Bound | None, warned: Problems, today: date
) -> list[_New]:
    """Check some rows, and return those that are not there yet."""
    accounts = {
        key: (account_id, status)
        for key, account_id, status in Account.objects.filter(
            tenant_id=actor.tenant_id,
            external_id__in={row.cells["account_external_id"] for row in rows},
            # The number of a duplicate that was merged leads to the account that was kept.
        ).values_list(
            "external_id",
            Coalesce("merged_into_id", "id"),
            Coalesce("merged_into__status", "status"),
        )
    }
    refuse_outside(actor, rows, bound, accounts)
    prices = {
        key: (price_id, currency)
        for key, price_id, currency in Price.objects.filter(
            tenant_id=actor.tenant_id,
            external_id__in={row.cells["price_external_id"] for row in rows},
            # Any version stands for the price; which of them somebody has is decided below.
        ).values_list("external_id", Coalesce("first_id", "id"), "currency")
    }
    lists = _held_lists(
        actor, [price_id for price_id, _currency in prices.values()], accounts.values()
    )
    stored = _stored_subscriptions(actor, [row for row in rows if not row.is_again])
    owners = [account_id for account_id, _status in accounts.values()]
    currencies = account_currencies(actor, owners)
    new: list[_New] = []
    for row in rows:
        line = _understand_subscription(row, accounts, prices)
        if line is None:
            continue
        known = stored.get(line.key)
        _price_id, sold_in = prices[row.cells["price_external_id"]]
        # Also of one that is there: its account's currency may have been changed since.
        expected = currencies.on(line.account_id, max(today, line.start_date))
        _warn_of_currency(row, expected, sold_in, warned)
        if known is None:
            terms = lists.terms(line.account_id, line.price_id, line.start_date, line.quantity)
            if sale_fault(terms[0].value.price, ""):
                _refuse_archived_price(row)
            new.append((line, terms))
        elif known != _filled_up(line, known, row):
            refuse_difference(row)
    return new


def _warn_of_currency(row: FileRow, expected: str | None, sold_in: str, warned: Problems) -> None:
    """Say of a price in another currency than its account's that its own decides."""
    if expected and expected != sold_in:
        warned.add(
            row.number,
            "price_external_id",
            "other_currency",
            _(
                "The price is in %(currency)s, the account's currency is %(expected)s."
                " It is invoiced in %(currency)s."
            )
            % {"currency": sold_in, "expected": expected},
        )


def _filled_up(
    line: _SubscriptionLine, known: _SubscriptionLine, row: FileRow
) -> _SubscriptionLine:
    """Return a line with what is stored where its file has no such column (R29)."""
    absent = [name for name in SUBSCRIPTION_COLUMNS.optional if not row.has(name)]
    return replace(line, **{name: getattr(known, name) for name in absent})


def _stored_subscriptions(actor: Actor, rows: Sequence[FileRow]) -> dict[str, _SubscriptionLine]:
    items = Item.objects.filter(
        tenant_id=actor.tenant_id,
        subscription__tenant_id=actor.tenant_id,
        subscription__external_id__in={row.cells["external_id"] for row in rows},
    ).select_related("subscription", "price")
    return {
        item.subscription.external_id or "": _SubscriptionLine(
            key=item.subscription.external_id or "",
            account_id=item.subscription.account_id,
            price_id=item.price.family_id,
            quantity=item.quantity,
            start_date=item.subscription.start_date,
            end_date=item.subscription.end_date,
            billed_until=item.subscription.billed_until,
            po_number=item.subscription.po_number,
        )
        for item in items
    }


def _held_lists(
    actor: Actor, price_ids: Collection[UUID], accounts: Iterable[tuple[UUID, str]]
) -> PriceLists:
    """Return the versions of some prices for some accounts; none changes from here on."""
    hold_prices(actor, price_ids)
    return price_lists(actor, price_ids, {account_id for account_id, _status in accounts})


def _refuse_archived_price(row: FileRow) -> None:
    detail = _("This price is archived; nothing new is sold at it.")
    row.refuse("price_external_id", "price_archived", detail)


def _understand_subscription(
    row: FileRow, accounts: dict[Any, tuple[UUID, str]], prices: dict[Any, tuple[UUID, str]]
) -> _SubscriptionLine | None:
    key = row.required("external_id")
    account_key, price_key = row.required("account_external_id"), row.required("price_external_id")
    account_id, status = accounts.get(account_key, (None, ""))
    price_id, _currency = prices.get(price_key, (None, ""))
    if account_key and account_id is None:
        row.refuse("account_external_id", "unknown_account", _("There is no such account."))
    elif status == Account.Status.ARCHIVED:
        row.refuse("account_external_id", "account_archived", _("This account is archived."))
    if price_key and price_id is None:
        row.refuse("price_external_id", "unknown_price", _("There is no such price."))
    quantity = (
        row.decimal("quantity", digits=QUANTITY_DIGITS, decimals=QUANTITY_DECIMALS)
        if row.required("quantity")
        else None
    )
    start_date = row.day("start_date") if row.required("start_date") else None
    end_date, billed_until = row.day("end_date"), row.day("billed_until")
    if start_date and end_date and end_date <= start_date:
        row.refuse("end_date", "end_before_start", _("It ends on or before its start."))
    if start_date and billed_until and billed_until < start_date:
        row.refuse(
            "billed_until", "billed_before_start", _("It cannot be billed before its start.")
        )
    po_number = row.text("po_number", longest=100)
    if not key or account_id is None or price_id is None or quantity is None or not start_date:
        return None
    return _SubscriptionLine(
        key, account_id, price_id, quantity, start_date, end_date, billed_until, po_number
    )


def _create_subscriptions(actor: Actor, new: Sequence[_New], now: datetime) -> None:
    lines = [line for line, _terms in new]
    subscriptions = [
        Subscription(
            tenant_id=actor.tenant_id,
            external_id=line.key,
            account_id=line.account_id,
            start_date=line.start_date,
            end_date=line.end_date,
            billed_until=line.billed_until,
            po_number=line.po_number,
        )
        for line in lines
    ]
    insert_rows(subscriptions)
    items = [
        Item(
            tenant_id=actor.tenant_id,
            subscription=subscription,
            account_id=line.account_id,
            price=terms[0].value.price,
            quantity=line.quantity,
            monthly_minor=Decimal(terms[0].value.monthly_minor),
            next_action_date=line.first_action,
        )
        for subscription, (line, terms) in zip(subscriptions, new, strict=True)
    ]
    insert_rows(items)
    stepped = [
        (item, terms) for item, (_line, terms) in zip(items, new, strict=True) if len(terms) > 1
    ]
    if stepped:
        write_all_terms(actor, stepped)
    record_events(
        actor,
        [
            Happening(
                "subscription.created",
                subscription.id,
                subscription.account_id,
                after=said,
                data=said,
            )
            for subscription, line in zip(subscriptions, lines, strict=True)
            for said in [
                {"external_id": subscription.external_id, "start": line.start_date.isoformat()}
            ]
        ],
        now=now,
    )
