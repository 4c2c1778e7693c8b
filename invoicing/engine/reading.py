"""Reading what is due and what runs, as plain rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db.models import DateField

from invoicing.engine.rows import ItemRow, PeriodRow, SubscriptionRow, Terms
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


_SUBSCRIPTIONS = Prepared(
    lambda: Subscription.objects.filter(
        tenant_id=Given("tenant"), pk__among=Given("ids")
    ).values_list(*_SUBSCRIPTION, "held_by")
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
    rows = _with_earlier(actor, [_subscription(row) for row in found])
    return {row.id: row for row in rows}


def _subscription(values: tuple[Any, ...]) -> SubscriptionRow:
    row = SubscriptionRow(*values[:-1])
    return row if values[-1] is None else replace(row, is_held=True)


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
    for row in rows:
        item_id, account_id, quantity, chain_end, due, since, key, price_id, *more = row
        uncharged, waits_from, discount_id, owes_setup = more
        discount = None if discount_id is None else discounts[discount_id]
        found.append(
            ItemRow(item_id, account_id, quantity, chain_end, due, subscriptions[key],
                    prices[price_id], (), uncharged, waits_from, owes_setup, discount)
        )  # fmt: skip
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


def open_periods(actor: Actor, items: Iterable[ItemRow]) -> dict[UUID, PeriodRow]:
    """Return the last stored period of each item that is billed in arrears."""
    ends = {
        item.id: item.chain_end
        for item in items
        if item.chain_end is not None and item.price.timing == Price.Timing.ARREARS
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
