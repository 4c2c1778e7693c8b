"""Writing dated terms: what an item costs from a day on, and what it cost before."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db import connection

from billing_rules.timelines import Stretch
from subscriptions.models import EarlierTerms, Item
from subscriptions.queries.terms import ItemTerms
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows

_WRITE = """
    UPDATE subscriptions_item AS item SET price_id = new.price_id, quantity = new.quantity,
        monthly_minor = new.monthly_minor, uncharged = new.uncharged, terms_since = new.since,
        discount_id = new.discount_id
    FROM unnest(%s::uuid[], %s::uuid[], %s::numeric[], %s::numeric[], %s::text[], %s::date[],
            %s::uuid[])
        AS new (id, price_id, quantity, monthly_minor, uncharged, since, discount_id)
    WHERE item.tenant_id = %s AND item.id = new.id
"""


def write_terms(actor: Actor, item: Item, timeline: Sequence[Stretch[ItemTerms]]) -> None:
    """Store the terms of an item; the caller has asked and locked it.

    Args:
        actor: who does it.
        item: as it is stored.
        timeline: without gaps, from the first day of the subscription on.
    """
    write_all_terms(actor, [(item, timeline)])


def write_all_terms(
    actor: Actor, items: Iterable[tuple[Item, Sequence[Stretch[ItemTerms]]]]
) -> None:
    """Store the terms of many items, as ``write_terms`` does, in a few statements."""
    found = list(items)
    keys = [item.pk for item, _timeline in found]
    EarlierTerms.objects.filter(tenant_id=actor.tenant_id, item_id__in=keys).delete()
    earlier = [
        EarlierTerms(
            tenant_id=actor.tenant_id,
            item=item,
            price=one.value.price,
            quantity=one.value.quantity,
            monthly_minor=Decimal(one.value.monthly_minor),
            uncharged=one.value.uncharged,
            discount=one.value.discount,
            until=following.start,
        )
        for item, timeline in found
        for one, following in pairwise(timeline)
    ]
    insert_rows(earlier)
    for item, timeline in found:
        last = timeline[-1]
        item.price, item.quantity = last.value.price, last.value.quantity
        item.monthly_minor = Decimal(last.value.monthly_minor)
        item.uncharged, item.discount = last.value.uncharged, last.value.discount
        item.terms_since = last.start if len(timeline) > 1 else None
        item.earlier = None
    items_written = [item for item, _timeline in found]
    columns: list[list[Any]] = [
        [str(item.pk) for item in items_written],
        [str(item.price_id) for item in items_written],
        [item.quantity for item in items_written],
        [item.monthly_minor for item in items_written],
        [item.uncharged for item in items_written],
        [item.terms_since for item in items_written],
        [item.discount_id and str(item.discount_id) for item in items_written],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*columns, actor.tenant_id])
