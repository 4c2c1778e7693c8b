"""Importing what accounts are charged once: what is there already stays as it is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing import (
    Bound,
    ImportReport,
    bound_of,
    one_at_a_time,
    owners_of,
)
from accounts.queries.account_values import AccountValues
from accounts.queries.currencies import account_currencies
from billing_rules.tax_rates import TaxClass
from invoicing.engine.rating import MAX_AMOUNT_MINOR, invoice_day
from invoicing.engine.reading import subscription_rows
from invoicing.engine.reading_families import read_those_above
from invoicing.engine.rows import ChargeRow, SubscriptionRow
from invoicing.models import Charge
from invoicing.operations.charges.adding import AccountArchived, added, as_stored
from invoicing.operations.charges.wanting import (
    LONGEST_DESCRIPTION,
    LONGEST_PO_NUMBER,
    LONGEST_UNIT,
    NewCharge,
    charge_differences,
    charge_faults,
    charge_row,
)
from invoicing.operations.importing.columns import CHARGE_COLUMNS
from invoicing.operations.subscriptions.settling import AmountTooLarge, pending
from subscriptions.models import Price, Subscription
from subscriptions.models.limits import (
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.operations.catalogue import hold_prices
from subscriptions.operations.importing.rows import refuse_difference, warn_of_currency
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.errors import FieldError
from tenancy.events import record_events
from tenancy.files import FileRow, Problems, RowFile, Source
from tenancy.files.references import named_by
from tenancy.files.reports import all_or_nothing
from tenancy.ids import parse_public_id
from tenancy.queries.tenants import own_tenant

_COLUMN_OF: Final = {
    "account": "account_external_id",
    "price": "price_external_id",
    "subscription": "subscription_external_id",
}
"""Where a member of a charge has a column of another name."""


class _Line(NamedTuple):
    """A row that is new: its charge, of whom, and as billing takes it."""

    row: FileRow
    account: Account
    wanted: NewCharge
    charge: ChargeRow


@operation
def import_charges(
    actor: Actor,
    content: Source,
    *,
    is_dry_run: bool,
    today: date,
    within: UUID | None = None,
    now: datetime,
) -> ImportReport:
    """Charge accounts for what a file says, each row once.

    A row whose ``external_id`` exists must say the same: what is charged is cancelled, not changed.
    Each falls due on its first day, ``today`` at the earliest; a run that is under way takes it, or
    leaves it to the next.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the tenant's date.
        within: only those of this account and of those below it; a row of any other is an
            error, ``outside_import``.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not charge all accounts.
        NotFound: there is no account ``within``.

    Source: docs/data-formats.md; docs/billing-rules.md, R5, Charged once, for no item.
    """
    access.require_everywhere(actor, Action.EDIT_CHARGE)
    bound = bound_of(actor, within)
    file = RowFile(content, CHARGE_COLUMNS)
    one_at_a_time(actor)
    warned, created = Problems(), 0
    with all_or_nothing(file):
        for rows in file.slices():
            new = _new_charges(actor, rows, bound, warned, today)
            created += len(new)
            if new and not is_dry_run and not file.problems.count:
                made = [as_stored(actor, one.account, one.charge, now) for one in new]
                insert_rows(made)
                record_events(actor, [added(charge) for charge in made], now=now)
    return ImportReport.of("charges", file, is_dry_run=is_dry_run, created=created, warned=warned)


class _Named(NamedTuple):
    """What some rows name, by their cells."""

    owners: Mapping[str, Account]
    prices: Mapping[str, Price]
    subscriptions: Mapping[str, Subscription]
    charges: Mapping[str, Charge]
    rows: Mapping[UUID, SubscriptionRow]


def _named(actor: Actor, rows: Sequence[FileRow], bound: Bound | None) -> _Named:
    """Return what rows name; no price of theirs is withdrawn from here on. Eight statements."""

    def cells(column: str) -> set[str]:
        return {row.cells.get(column, "") for row in rows}

    mine = {"tenant_id": actor.tenant_id}
    prices = named_by(Price.objects.filter(**mine), "prc", cells("price_external_id"))
    if prices:
        hold_prices(actor, [price.pk for price in prices.values()])
        # Read again under the lock.
        held = Price.objects.filter(**mine).select_related("product")
        prices = named_by(held, "prc", prices)
    subscriptions = named_by(
        Subscription.objects.filter(**mine), "sub", cells("subscription_external_id")
    )
    return _Named(
        owners_of(actor, rows, bound),
        prices,
        subscriptions,
        named_by(Charge.objects.filter(**mine), "chg", cells("external_id")),
        subscription_rows(actor, [one.pk for one in subscriptions.values()]),
    )


def _new_charges(
    actor: Actor, rows: Sequence[FileRow], bound: Bound | None, warned: Problems, today: date
) -> list[_Line]:
    """Check some rows, and return those that are not there yet."""
    named = _named(actor, rows, bound)
    currencies = account_currencies(actor, [one.pk for one in named.owners.values()])
    new = []
    for row in rows:
        account = named.owners.get(row.cells["account_external_id"])
        wanted = _understand(row, named)
        if account is None or wanted is None:
            continue
        known = named.charges.get(row.cells["external_id"])
        if known is not None:
            differing = charge_differences(known, account.pk, wanted)
            # A column that is not there leaves alone what is stored (R29).
            if any(row.has(_COLUMN_OF.get(member, member)) for member in differing):
                refuse_difference(row)
        elif line := _checked(row, account, wanted, named, today):
            _warn(row, line, currencies, warned)
            new.append(line)
    _set_days(actor, new)
    return new


def _understand(row: FileRow, named: _Named) -> NewCharge | None:
    """Return the charge that a row wants, None where a cell of it can't be read."""
    before = row.problems.count
    key = row.required("external_id")
    price = _reference(row, "price_external_id", named.prices)
    subscription = _reference(row, "subscription_external_id", named.subscriptions)
    quantity = row.decimal("quantity", digits=QUANTITY_DIGITS, decimals=QUANTITY_DECIMALS)
    first_day = row.day("first_day") if row.required("first_day") else None
    values: dict[str, Any] = {
        "last_day": row.day("last_day"),
        "description": row.text("description", longest=LONGEST_DESCRIPTION),
        "unit": row.text("unit", longest=LONGEST_UNIT),
        "unit_amount": row.decimal("unit_amount", digits=PRICE_DIGITS, decimals=PRICE_DECIMALS),
        "currency": row.currency("currency"),
        "tax_class": row.choice("tax_class", list(TaxClass)) or TaxClass.STANDARD.value,
        "po_number": row.text("po_number", longest=LONGEST_PO_NUMBER),
        "is_billed_now": row.boolean("bill_now") or False,
    }
    if parse_public_id("chg", key) is not None and key not in named.charges:
        row.refuse("external_id", "unknown_charge", _("There is no such charge (any more)."))
    row.required("account_external_id")
    if row.problems.count > before or first_day is None:
        return None
    return NewCharge(
        first_day,
        quantity=Decimal(1) if quantity is None else quantity,
        price_id=None if price is None else price.pk,
        subscription_id=None if subscription is None else subscription.pk,
        external_id=key,
        **values,
    )


def _reference(row: FileRow, column: str, known: Mapping[str, Any]) -> Any:
    """Return what a cell names, None where it is empty; what nothing is called is refused."""
    text = row.cells.get(column, "")
    if text and text not in known:
        code, detail = {
            "price_external_id": ("unknown_price", _("There is no such price.")),
            "subscription_external_id": (
                "unknown_subscription",
                _("There is no such subscription."),
            ),
        }[column]
        row.refuse(column, code, detail)
    return known.get(text)


def _checked(
    row: FileRow, account: Account, wanted: NewCharge, named: _Named, today: date
) -> _Line | None:
    """Return a row that is new as billing takes it, None where it can't be charged."""
    if account.status == Account.Status.ARCHIVED:
        detail = str(AccountArchived.message)
        row.refuse("account_external_id", AccountArchived.code, detail)
        return None
    price = named.prices.get(row.cells.get("price_external_id", ""))
    subscription = None
    if wanted.subscription_id is not None:
        subscription = named.rows[wanted.subscription_id]
        if named.subscriptions[row.cells["subscription_external_id"]].account_id != account.pk:
            subscription = None
    faults = list(charge_faults(wanted, price, subscription))
    for fault in faults:
        _refuse(row, fault)
    if faults:
        return None
    charge = charge_row(account.pk, wanted, price, subscription, today)
    if charge.net_minor > MAX_AMOUNT_MINOR:
        column = "unit_amount" if price is None else "quantity"
        row.refuse(column, AmountTooLarge.code, str(AmountTooLarge.message))
        return None
    return _Line(row, account, wanted, charge)


def _refuse(row: FileRow, fault: FieldError) -> None:
    member = fault.pointer.removeprefix("/")
    row.refuse(_COLUMN_OF.get(member, member), fault.code, fault.detail)


def _warn(row: FileRow, line: _Line, currencies: AccountValues, warned: Problems) -> None:
    expected = currencies.on(line.account.pk, line.charge.due_date)
    column = "currency" if line.wanted.price_id is None else "price_external_id"
    warn_of_currency(row, column, expected, line.charge.currency, warned)


def _set_days(actor: Actor, lines: Sequence[_Line]) -> None:
    """Let each wait for the billing day of whoever is invoiced, unless it is billed at once.

    Some eight statements.
    """
    waiting = [one for one in lines if not one.wanted.is_billed_now]
    concerned = set(_concerned(waiting))
    if concerned:
        families = read_those_above(actor, concerned, tenant=own_tenant(actor))
        for one in waiting:
            one.charge.invoice_on = invoice_day(families, one.charge, one.charge.due_date)
    for one in lines:
        pending(one.charge)


def _concerned(lines: Sequence[_Line]) -> Iterator[UUID]:
    """Yield the accounts that are charged, and those that their subscriptions are invoiced to."""
    for one in lines:
        yield one.account.pk
        recipient = one.charge.override_on(one.charge.due_date)
        if recipient is not None:
            yield recipient
