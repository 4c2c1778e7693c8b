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
from subscriptions.models.limits import (
    MAX_NOTICE_DAYS,
    MAX_NOTICE_MONTHS,
    MAX_TERM_MONTHS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.operations.catalogue import hold_prices, sale_fault
from subscriptions.operations.discounts.starting import begin_many, store_begun
from subscriptions.operations.importing.columns import SUBSCRIPTION_COLUMNS
from subscriptions.operations.importing.rows import refuse_difference, warn_of_currency
from subscriptions.operations.subscriptions.contracting import (
    Contract,
    agreed,
    bound_by,
    contract_faults,
    contract_of,
    end_faults,
    set_contract,
)
from subscriptions.operations.subscriptions.terms import write_all_terms
from subscriptions.queries.contracts import DefaultContract, default_contracts
from subscriptions.queries.price_lists import PriceLists, price_lists
from subscriptions.queries.terms import ItemTerms
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.database.statistics import WORTH_IT, refresh_statistics
from tenancy.events import Happening, record_events
from tenancy.files import FileRow, Problems, RowFile, Source
from tenancy.files.cells import LATEST
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
    contract: Contract | None = None
    """As the row says it; None where it says nothing."""
    ends_with_term: bool = False

    def subscription(self, actor: Actor, default: DefaultContract) -> Subscription:
        """Return the subscription that begins so; it has no row yet."""
        made = Subscription(
            tenant_id=actor.tenant_id,
            external_id=self.key,
            account_id=self.account_id,
            start_date=self.start_date,
            end_date=self.end_date,
            billed_until=self.billed_until,
            po_number=self.po_number,
        )
        set_contract(made, *agreed(self.contract, None, default, self.end_date))
        if made.end_date is None:
            made.end_date = made.fixed_end
        made.note_when_it_is_news()
        return made


_New = tuple[Subscription, _SubscriptionLine, Sequence[Stretch[ItemTerms]]]
"""A subscription, its line, and what it costs day by day."""

_CONTRACT = ("minimum_term_months", "renewal_months", "notice_months", "notice_days", "term_start")


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
    return ImportReport.of(
        "subscriptions", file, is_dry_run=is_dry_run, created=created, warned=warned
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
    refuse_outside(actor, rows, bound, {key: one for key, (one, _status) in accounts.items()})
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
    contracts = default_contracts(actor, owners)
    new: list[_New] = []
    for row in rows:
        line = _understand_subscription(row, accounts, prices)
        if line is None:
            continue
        known = stored.get(line.key)
        _price_id, sold_in = prices[row.cells["price_external_id"]]
        # Also of one that is there: its account's currency may have been changed since.
        expected = currencies.on(line.account_id, max(today, line.start_date))
        warn_of_currency(row, "price_external_id", expected, sold_in, warned)
        if known is None:
            terms = lists.terms(line.account_id, line.price_id, line.start_date, line.quantity)
            if sale_fault(terms[0].value.price, ""):
                _refuse_archived_price(row)
            made = line.subscription(actor, contracts.on(line.account_id, line.start_date))
            _refuse_end(row, made)
            new.append((made, line, terms))
        elif known != _filled_up(line, known, row):
            refuse_difference(row)
    return new


def _filled_up(
    line: _SubscriptionLine, known: _SubscriptionLine, row: FileRow
) -> _SubscriptionLine:
    """Return a line with what is stored where its file says nothing (R29).

    One without contract terms is bound by whatever it began with, and may end with its term.
    """
    absent = [name for name in ("end_date", "billed_until", "po_number") if not row.has(name)]
    if line.end_date is None and known.ends_with_term:
        absent.append("end_date")
    if line.contract is None:
        absent.append("contract")
    filled = {name: getattr(known, name) for name in absent}
    return replace(line, ends_with_term=known.ends_with_term, **filled)


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
            contract=contract_of(item.subscription),
            ends_with_term=item.subscription.ends_with_term,
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
    contract = _contract(row, start_date)
    if not key or account_id is None or price_id is None or quantity is None or not start_date:
        return None
    return _SubscriptionLine(
        key, account_id, price_id, quantity, start_date, end_date, billed_until, po_number, contract
    )


def _contract(row: FileRow, start_date: date | None) -> Contract | None:
    """Return the contract terms of a row, None where it says none; what can't be is noted."""
    if not any(row.cells.get(name) for name in _CONTRACT):
        return None
    contract = Contract(
        row.integer("minimum_term_months", 0, MAX_TERM_MONTHS) or None,
        row.integer("renewal_months", 0, MAX_TERM_MONTHS) or None,
        row.integer("notice_months", 0, MAX_NOTICE_MONTHS) or 0,
        row.integer("notice_days", 0, MAX_NOTICE_DAYS) or 0,
        row.day("term_start"),
    )
    faults = list(contract_faults(contract, start_date, within="")) if start_date else []
    for fault in faults:
        row.refuse(fault.pointer.removeprefix("/"), fault.code, fault.detail)
    return None if faults else contract


def _refuse_end(row: FileRow, made: Subscription) -> None:
    """Note why a subscription can't end as it is to: with none of its terms, or too late."""
    for fault in end_faults(made):
        row.refuse("end_date", fault.code, fault.detail)
    if made.end_date is not None and made.end_date > LATEST:
        detail = _("A date between 1970 and 2200 is expected.")
        row.refuse("minimum_term_months", "out_of_range", detail)


def _create_subscriptions(actor: Actor, new: Sequence[_New], now: datetime) -> None:
    subscriptions = [made for made, _line, _terms in new]
    insert_rows(subscriptions)
    items = [
        Item(
            tenant_id=actor.tenant_id,
            subscription=subscription,
            account_id=line.account_id,
            price=terms[0].value.price,
            quantity=line.quantity,
            monthly_minor=Decimal(terms[0].value.monthly_minor),
            next_action_date=_first_action(subscription),
        )
        for subscription, line, terms in new
    ]
    plain = {item.pk: terms for item, (_made, _line, terms) in zip(items, new, strict=True)}
    begun = begin_many(actor, list(zip(subscriptions, items, strict=True)), plain)
    insert_rows(items)
    store_begun(actor, items, begun)
    stepped = [
        (item, plain[item.pk])
        for item in items
        if len(plain[item.pk]) > 1 and item.pk not in begun.timelines
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
                after={**said, **bound_by(subscription)},
                data=said,
            )
            for subscription in subscriptions
            for said in [
                {
                    "external_id": subscription.external_id,
                    "start": subscription.start_date.isoformat(),
                }
            ]
        ],
        now=now,
    )


def _first_action(subscription: Subscription) -> date | None:
    """Return the day its first period to be charged begins; None if all was billed elsewhere."""
    first, end = subscription.first_charged_day, subscription.end_date
    return None if end is not None and first >= end else first
