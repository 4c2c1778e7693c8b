"""Reading what is due, what runs and what waits, as plain rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from invoicing.engine.families import Families
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow, SubscriptionRow
from invoicing.models import Charge, Invoice, InvoiceLine
from subscriptions.models import Item, Period, Price, Subscription
from tenancy.actor import Actor
from tenancy.ids import parse_public_id

_SUBSCRIPTION = (
    "id",
    "external_id",
    "start_date",
    "end_date",
    "billed_until",
    "billing_day",
    "override_bill_to_id",
    "po_number",
)
_CHARGE = (
    "account_id",
    "period_start",
    "period_end",
    "due_date",
    "invoice_on",
    "currency",
    "net_minor",
    "calculation",
    "kind",
    "revision",
    "status",
    "reason",
    "held_until",
)


ON_NO_DOCUMENT: Final = """
    NOT EXISTS (
        SELECT FROM invoicing_invoiceline AS line WHERE line.tenant_id = invoicing_charge.tenant_id
        AND line.charge_id = invoicing_charge.id OFFSET 0)
"""
"""Says of a charge that no line has it. ``OFFSET`` keeps the planner from making a join of it,
which goes line by line where it knows nothing of a tenant: each charge is looked up by key.
"""

_CALCULATION = 4 + _CHARGE.index("calculation")


def subscription_rows(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, SubscriptionRow]:
    """Return subscriptions by id. One statement."""
    found = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=set(ids))
    return {row[0]: SubscriptionRow(*row) for row in found.values_list(*_SUBSCRIPTION)}


def item_rows(actor: Actor, items: QuerySet[Item]) -> list[ItemRow]:
    """Return due items in the order of their ids; whoever writes them has them locked here.

    Three statements. Each looks up one table by key: a join would hang on statistics that may be
    old.
    """
    rows = list(
        items.order_by("id").values_list(
            "id", "account_id", "quantity", "chain_end", "next_action_date", "subscription_id",
            "price_id",
        )
    )  # fmt: skip
    subscriptions = subscription_rows(actor, (row[5] for row in rows))
    prices = Price.objects.filter(
        tenant_id=actor.tenant_id, pk__in={row[6] for row in rows}
    ).in_bulk()
    return [
        ItemRow(*row[:4], row[4], subscriptions[row[5]], prices[row[6]])  # type: ignore[arg-type]
        for row in rows
    ]


def coming_items(actor: Actor, account_ids: Iterable[UUID]) -> list[ItemRow]:
    """Return the items of accounts that will ever be due, without a lock. One statement.

    Plain values are read, and each price is made once: thousands of items have few prices.
    """
    columns = [column.attname for column in Price._meta.concrete_fields]
    rows = (
        Item.objects.filter(
            tenant_id=actor.tenant_id, account_id__in=account_ids, next_action_date__isnull=False
        )
        .order_by("id")
        .values_list(
            "id", "account_id", "quantity", "chain_end", "next_action_date",
            *(f"subscription__{name}" for name in _SUBSCRIPTION),
            *(f"price__{name}" for name in columns),
        )
    )  # fmt: skip
    prices: dict[UUID, Price] = {}
    at, found = columns.index("id"), []
    for item_id, account_id, quantity, chain_end, due, *rest in rows:
        values = rest[len(_SUBSCRIPTION) :]
        if values[at] not in prices:
            prices[values[at]] = Price.from_db("default", columns, values)
        if due is not None:
            subscription = SubscriptionRow(*rest[: len(_SUBSCRIPTION)])
            found.append(
                ItemRow(
                    item_id, account_id, quantity, chain_end, due, subscription, prices[values[at]]
                )
            )
    return found


def charge_rows(actor: Actor, charges: "QuerySet[Charge]") -> list[ChargeRow]:
    """Return stored charges in the order of their ids, with subscriptions and tax classes.

    Three statements.
    """
    rows = list(
        charges.order_by("id").values_list(
            "id", "item_id", "period_id", "subscription_id", *_CHARGE
        )
    )
    subscriptions = subscription_rows(actor, (row[3] for row in rows))
    tax_classes = _tax_classes(actor, rows)
    return list(_charges(rows, subscriptions, tax_classes))


def _tax_classes(actor: Actor, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """Return the present tax class of every price that a charge was computed with, by its id."""
    ids = {row[_CALCULATION]["price"]["id"] for row in rows}
    prices = Price.objects.filter(
        tenant_id=actor.tenant_id, pk__in=[parse_public_id("prc", text) for text in ids]
    ).only("id", "tax_class")
    return {price.public_id: price.tax_class for price in prices}


def _charges(
    rows: Iterable[tuple[Any, ...]],
    subscriptions: Mapping[UUID, SubscriptionRow],
    tax_classes: Mapping[str, str],
) -> Iterator[ChargeRow]:
    for charge_id, item_id, period_id, subscription_id, *values in rows:
        charge = ChargeRow(charge_id, item_id, period_id, subscriptions[subscription_id], *values)
        charge.tax_class = tax_classes[charge.calculation["price"]["id"]]
        yield charge


def open_periods(actor: Actor, items: Iterable[ItemRow]) -> dict[UUID, PeriodRow]:
    """Return the last stored period of each item that is billed in arrears."""
    ends = {
        item.id: item.chain_end
        for item in items
        if item.price.timing == Price.Timing.ARREARS and item.chain_end is not None
    }
    periods = Period.objects.filter(
        tenant_id=actor.tenant_id, item_id__in=ends, ends__in=set(ends.values())
    ).values_list(*(column.name for column in fields(PeriodRow)))
    rows = (PeriodRow(*values) for values in periods)
    return {row.item_id: row for row in rows if ends[row.item_id] == row.ends}


def waiting_charges(families: Families, *, run_date: date) -> list[ChargeRow]:
    """Return the pending charges of earlier days that stand on no document. Two statements.

    Those that are held back wait for their day, or for somebody to release them.
    """
    waiting = Charge.objects.filter(
        tenant_id=families.actor.tenant_id,
        account_id__in=families.in_scope,
        status=Charge.Status.PENDING,
        invoice_on__lte=run_date,
    ).filter(Q(is_held=False) | Q(held_until__lte=run_date))
    return charge_rows(families.actor, on_no_document(waiting))


def on_no_document(charges: QuerySet[Charge]) -> QuerySet[Charge]:
    """Return those of some charges that no line has; the ORM has no name for what refers to it."""
    return charges.extra(where=[ON_NO_DOCUMENT])  # noqa: S610 - constant text


def charges_of(actor: Actor, invoice_ids: Iterable[UUID]) -> list[ChargeRow]:
    """Return the charges that stand on some documents. Three statements."""
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
    charges = Charge.objects.filter(tenant_id=actor.tenant_id, pk__in=lines.values("charge_id"))
    return charge_rows(actor, charges)


def open_drafts(families: Families, run_date: date) -> list[Invoice]:
    """Return the drafts that a run takes along (R27). One statement."""
    drafts = (
        Invoice.objects.filter(
            tenant_id=families.actor.tenant_id,
            status__in=Invoice.UNISSUED,
            bill_to_id__in=families.in_scope,
            run__tenant_id=families.actor.tenant_id,
            run__date__lte=run_date,
        )
        .select_related("run")
        .order_by("id")
    )
    return [draft for draft in drafts if families.can_number(draft.seller_id, run_date)]
