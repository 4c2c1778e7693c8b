"""Reading what is due, what runs and what waits, as plain rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db.models import DateField, Q, QuerySet
from django.db.models.expressions import RawSQL

from invoicing.engine.crediting import Billed
from invoicing.engine.families import Families
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow, SubscriptionRow, Terms
from invoicing.engine.what_if import Crediting
from invoicing.models import Charge, Invoice, InvoiceLine
from subscriptions.models import (
    Discount,
    EarlierTerms,
    Item,
    Period,
    Price,
    Subscription,
    Uncharged,
)
from subscriptions.queries.recipients import earlier_recipients
from subscriptions.queries.terms import earlier_terms
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared
from tenancy.ids import parse_public_id, public_id

_SUBSCRIPTION = (
    "id",
    "external_id",
    "start_date",
    "end_date",
    "billed_until",
    "billing_day",
    "override_bill_to_id",
    "po_number",
    "override_since",
    "trial_end",
    "billing_day_until",
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
    "po_number",
    "credited_id",
    "bill_to_id",
    "payer_id",
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


_SUBSCRIPTIONS = Prepared(
    lambda: Subscription.objects.filter(
        tenant_id=Given("tenant"), pk__among=Given("ids")
    ).values_list(*_SUBSCRIPTION)
)
_PRICES = Prepared(lambda: Price.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids")))
_DISCOUNTS = Prepared(
    lambda: Discount.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids"))
)


def subscription_rows(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, SubscriptionRow]:
    """Return subscriptions by id. One statement, none where there are no ids.

    One more where a recipient has changed.
    """
    wanted = list(set(ids))
    found = _SUBSCRIPTIONS.rows(tenant=actor.tenant_id, ids=wanted) if wanted else []
    rows = _with_earlier(actor, [SubscriptionRow(*row) for row in found])
    return {row.id: row for row in rows}


def _with_earlier(actor: Actor, rows: Sequence[SubscriptionRow]) -> Sequence[SubscriptionRow]:
    """Return subscriptions with whom they were invoiced to before."""
    changed = {row.id for row in rows if row.override_since is not None}
    if not changed:
        return rows
    earlier = earlier_recipients(actor, changed)
    return [replace(row, earlier=tuple(earlier.get(row.id, ()))) for row in rows]


ITEM: Final = (
    "id", "account_id", "quantity", "chain_end", "next_action_date", "terms_since",
    "subscription_id", "price_id", "uncharged", "waits_from", "discount_id", "owes_setup",
)  # fmt: skip
"""The columns of which ``item_rows`` makes rows."""


def item_rows(actor: Actor, rows: Sequence[tuple[Any, ...]]) -> list[ItemRow]:
    """Return due items, of which the columns ``ITEM`` were read, with subscriptions and prices.

    Two statements, one more where terms have changed, and one where there are discounts. Each looks
    up one table by key: a join would hang on statistics that may be old.
    """
    if not rows:
        return []
    subscriptions = subscription_rows(actor, (row[6] for row in rows))
    wanted = list({row[7] for row in rows})
    prices = {one.id: one for one in _PRICES.objects(tenant=actor.tenant_id, ids=wanted)}
    discounts = _discounts(actor, {row[10] for row in rows})
    found, changed = [], {}
    for item_id, account_id, quantity, chain_end, due, since, key, price_id, *more in rows:
        uncharged, waits_from, discount_id, owes_setup = more
        found.append(
            ItemRow(
                item_id,
                account_id,
                quantity,
                chain_end,
                due,
                subscriptions[key],
                prices[price_id],
                uncharged=uncharged,
                waits_from=waits_from,
                owes_setup=owes_setup,
                discount=discounts.get(discount_id),
            )
        )
        if since is not None:
            changed[item_id] = since
    return _with_terms(actor, found, changed)


def _discounts(actor: Actor, ids: Iterable[UUID | None]) -> dict[UUID | None, Discount]:
    """Return discounts by id. One statement, none where there are no ids."""
    wanted = [key for key in ids if key is not None]
    found = _DISCOUNTS.objects(tenant=actor.tenant_id, ids=wanted) if wanted else []
    return {one.id: one for one in found}


def _with_terms(actor: Actor, items: list[ItemRow], changed: Mapping[UUID, date]) -> list[ItemRow]:
    """Return items with what they had before; ``changed`` says since when they have what is read.

    No statement where none has changed, else one.
    """
    if not changed:
        return items
    earlier = earlier_terms(actor, changed)
    return [
        _dated(item, earlier.get(item.id, ()), changed[item.id]) if item.id in changed else item
        for item in items
    ]


def _dated(item: ItemRow, earlier: Sequence[EarlierTerms], since: date) -> ItemRow:
    """Return an item that begins with its first terms, and has the others later."""
    if not earlier:
        return item
    first = earlier[0]
    later = [
        Terms(before.until, row.quantity, row.price, row.uncharged, row.discount)
        for before, row in pairwise(earlier)
    ]
    last = Terms(since, item.quantity, item.price, item.uncharged, item.discount)
    return replace(
        item,
        quantity=first.quantity,
        price=first.price,
        later=(*later, last),
        uncharged=first.uncharged,
        discount=first.discount,
        subscription=item.subscription.while_had(
            first.until if first.uncharged == Uncharged.ABSENT else None,
            since if item.uncharged == Uncharged.ABSENT else None,
        ),
    )


def coming_items(actor: Actor, account_ids: Iterable[UUID]) -> list[ItemRow]:
    """Return the items of accounts that will ever be due, without a lock.

    One statement, one more where a recipient has changed, where terms have, and where there are
    discounts.

    Plain values are read, and each price is made once: thousands of items have few prices.
    """
    columns = [column.attname for column in Price._meta.concrete_fields]
    rows = (
        Item.objects.filter(
            tenant_id=actor.tenant_id, account_id__in=account_ids, next_action_date__isnull=False
        )
        .order_by("id")
        .values_list(
            "id", "account_id", "quantity", "chain_end", "next_action_date", "terms_since",
            "uncharged", "waits_from", "discount_id", "owes_setup",
            *(f"subscription__{name}" for name in _SUBSCRIPTION),
            *(f"price__{name}" for name in columns),
        )
    )  # fmt: skip
    prices: dict[UUID, Price] = {}
    at, found, since_days = columns.index("id"), [], {}
    discounts = _discounts(actor, {row[8] for row in rows})
    for item_id, account_id, quantity, chain_end, due, since, *more in rows:
        uncharged, waits, key, owes_setup, *rest = more
        values = rest[len(_SUBSCRIPTION) :]
        if values[at] not in prices:
            prices[values[at]] = Price.from_db("default", columns, values)
        if due is not None:
            subscription = SubscriptionRow(*rest[: len(_SUBSCRIPTION)])
            found.append(
                ItemRow(
                    item_id,
                    account_id,
                    quantity,
                    chain_end,
                    due,
                    subscription,
                    prices[values[at]],
                    uncharged=uncharged,
                    waits_from=waits,
                    owes_setup=owes_setup,
                    discount=discounts.get(key),
                )
            )
            if since is not None:
                since_days[item_id] = since
    changed = _with_earlier(actor, [item.subscription for item in found])
    readdressed = [
        item if item.subscription is subscription else replace(item, subscription=subscription)
        for item, subscription in zip(found, changed, strict=True)
    ]
    return _with_terms(actor, readdressed, since_days)


def _in_order(charges: "QuerySet[Charge]") -> "QuerySet[Charge, Any]":
    return charges.order_by("id").values_list(
        "id", "item_id", "period_id", "subscription_id", *_CHARGE
    )


def _charge_rows(actor: Actor, rows: Sequence[tuple[Any, ...]]) -> list[ChargeRow]:
    """Return stored charges with subscriptions and tax classes. Two statements."""
    subscriptions = subscription_rows(actor, (row[3] for row in rows if row[3] is not None))
    tax_classes = _tax_classes(actor, rows)
    return list(_charges(rows, subscriptions, tax_classes))


def _tax_classes(actor: Actor, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """Return the present tax class of every price that a charge was computed with, by its id."""
    ids = {row[_CALCULATION]["price"]["id"] for row in rows} - {None}
    if not ids:
        return {}
    wanted = [parse_public_id("prc", text) for text in ids]
    found = _TAX_CLASSES.rows(tenant=actor.tenant_id, ids=wanted)
    return {public_id("prc", price_id): tax_class for price_id, tax_class in found}


_TAX_CLASSES = Prepared(
    lambda: Price.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids")).values_list(
        "id", "tax_class"
    )
)


def _charges(
    rows: Iterable[tuple[Any, ...]],
    subscriptions: Mapping[UUID, SubscriptionRow],
    tax_classes: Mapping[str, str],
) -> Iterator[ChargeRow]:
    for charge_id, item_id, period_id, subscription_id, *rest in rows:
        *values, po_number, credited_id, bill_to_id, payer_id = rest
        subscription = None if subscription_id is None else subscriptions[subscription_id]
        charge = ChargeRow(charge_id, item_id, period_id, subscription, *values)
        price = charge.calculation["price"]
        charge.tax_class = price["tax_class"] if price["id"] is None else tax_classes[price["id"]]
        charge.po_number, charge.credited_id = po_number, credited_id
        charge.bill_to_id, charge.payer_id = bill_to_id, payer_id
        yield charge


def periods_since(
    actor: Actor, item_ids: Collection[UUID], day: date
) -> dict[UUID, list[PeriodRow]]:
    """Return the stored periods of items that end after a day, in order. One statement."""
    rows = Period.objects.filter(tenant_id=actor.tenant_id, item_id__in=item_ids, ends__gt=day)
    found: dict[UUID, list[PeriodRow]] = defaultdict(list)
    columns = (column.name for column in fields(PeriodRow))
    for values in rows.order_by("starts").values_list(*columns):
        row = PeriodRow(*values)
        found[row.item_id].append(row)
    return dict(found)


def charges_since(actor: Actor, periods: Collection[PeriodRow]) -> dict[UUID, list[ChargeRow]]:
    """Return all charges and credits of some periods, by item. Three statements."""
    wanted = [period.id for period in periods]
    items = {period.item_id for period in periods}
    rows = _in_order(
        Charge.objects.filter(tenant_id=actor.tenant_id, item_id__in=items, period_id__in=wanted)
    )
    found: dict[UUID, list[ChargeRow]] = defaultdict(list)
    for row in _charge_rows(actor, list(rows)):
        if row.item_id is not None:
            found[row.item_id].append(row)
    return dict(found)


def billed_since(actor: Actor, crediting: Crediting) -> list[Billed]:
    """Return what was charged and credited of periods that end after a day. Five statements.

    Args:
        actor: whose tenant.
        crediting: of which accounts, since when, and whether drafts are taken back.
    """
    items = Item.objects.filter(
        tenant_id=actor.tenant_id, account_id__in=_one_of(crediting.account_ids)
    )
    if crediting.subscription_id is not None:
        items = items.filter(subscription_id=crediting.subscription_id)
    owners = dict(items.order_by().values_list("id", "account_id"))
    ending = Period.objects.filter(
        tenant_id=actor.tenant_id, item_id__in=_one_of(owners), ends__gt=crediting.day
    )
    found = Charge.objects.filter(
        tenant_id=actor.tenant_id,
        item_id__in=_one_of(owners),
        period_id__in=ending.order_by().values("id"),
    )
    charges = _charge_rows(actor, list(_in_order(found))) if owners else []
    documents = _documents_of(actor, [charge.id for charge in charges])
    billed = []
    for charge in charges:
        if charge.item_id is None:  # pragma: no cover - they were read by their items
            continue
        status, *parties, document, number = documents.get(charge.id, ("", None, None, None, None))
        is_issued = charge.status == Charge.Status.INVOICED
        if status and not is_issued and crediting.takes_drafts:
            charge.invoice_on = max(charge.invoice_on, crediting.day)
        billed.append(
            Billed(
                charge,
                owners[charge.item_id],
                (parties[0], parties[1]) if is_issued else None,
                (document, number or "") if is_issued else None,
            )
        )
    return billed


def _one_of(ids: Iterable[UUID]) -> RawSQL:
    """Return ids as one parameter: thousands of them are slow to write and parse."""
    return RawSQL("SELECT unnest(%s::uuid[])", ([str(key) for key in ids],))


def _documents_of(actor: Actor, charge_ids: Sequence[UUID]) -> dict[UUID, tuple[Any, ...]]:
    """Return status, parties, id and number of the document of each charge that has one."""
    if not charge_ids:
        return {}
    rows = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, charge_id__in=_one_of(charge_ids))
    found = rows.order_by().values_list(
        "charge_id",
        "invoice__status",
        "invoice__bill_to_id",
        "invoice__payer_id",
        "invoice_id",
        "invoice__number",
    )
    return {charge_id: tuple(values) for charge_id, *values in found}


def open_periods(actor: Actor, items: Iterable[ItemRow]) -> dict[UUID, PeriodRow]:
    """Return the last stored period of each item that is billed in arrears."""
    ends = {
        item.id: item.chain_end
        for item in items
        if item.price.timing == Price.Timing.ARREARS and item.chain_end is not None
    }
    if not ends:
        return {}
    periods = _PERIODS.rows(tenant=actor.tenant_id, items=list(ends), ends=list(set(ends.values())))
    rows = (PeriodRow(*values) for values in periods)
    return {row.item_id: row for row in rows if ends[row.item_id] == row.ends}


_PERIODS = Prepared(
    lambda: Period.objects.filter(
        tenant_id=Given("tenant"),
        item_id__among=Given("items"),
        ends__among=Given("ends", DateField()),
    ).values_list(*(column.name for column in fields(PeriodRow)))
)


def waiting_charges(families: Families, *, run_date: date) -> list[ChargeRow]:
    """Return the pending charges of earlier days that stand on no document. Three statements.

    Those that are held back wait for their day, or for somebody to release them.
    """
    actor = families.actor
    rows = _WAITING.rows(tenant=actor.tenant_id, accounts=[*families.in_scope], day=run_date)
    return _charge_rows(actor, rows)


_WAITING = Prepared(
    lambda: _in_order(
        on_no_document(
            Charge.objects.filter(
                Q(is_held=False) | Q(held_until__lte=Given("day", DateField())),
                tenant_id=Given("tenant"),
                account_id__among=Given("accounts"),
                status=Charge.Status.PENDING,
                invoice_on__lte=Given("day", DateField()),
            )
        )
    )
)


def on_no_document(charges: QuerySet[Charge]) -> QuerySet[Charge]:
    """Return those of some charges that no line has; the ORM has no name for what refers to it."""
    return charges.extra(where=[ON_NO_DOCUMENT])  # noqa: S610 - constant text


def charges_of(actor: Actor, invoice_ids: Iterable[UUID]) -> list[ChargeRow]:
    """Return the charges that stand on some documents. Three statements."""
    wanted = list(invoice_ids)
    rows = _ON_DOCUMENTS.rows(tenant=actor.tenant_id, documents=wanted) if wanted else []
    return _charge_rows(actor, rows)


def corrections_of(
    actor: Actor, charges: Sequence[ChargeRow], *, run_date: date
) -> list[ChargeRow]:
    """Return what waits to make good charges of drafts, and may stand beside them by a day.

    None of it stands on a document, and none is held back. Three statements.
    """
    items = {one.item_id for one in charges if one.period_id is not None}
    periods = {one.period_id for one in charges if one.period_id is not None}
    if not periods:
        return []
    rows = _CORRECTIONS.rows(
        tenant=actor.tenant_id, items=list(items), periods=list(periods), day=run_date
    )
    return _charge_rows(actor, rows)


_CORRECTIONS = Prepared(
    lambda: _in_order(
        on_no_document(
            Charge.objects.filter(
                tenant_id=Given("tenant"),
                item_id__among=Given("items"),
                period_id__among=Given("periods"),
                status=Charge.Status.PENDING,
                is_held=False,
                invoice_on__lte=Given("day", DateField()),
            )
        )
    )
)


_ON_DOCUMENTS = Prepared(
    lambda: _in_order(
        Charge.objects.filter(
            tenant_id=Given("tenant"),
            pk__in=InvoiceLine.objects.filter(
                tenant_id=Given("tenant"), invoice_id__among=Given("documents")
            ).values("charge_id"),
        )
    )
)


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
