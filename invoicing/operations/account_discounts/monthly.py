"""What a discount of an account makes of what everything below it brings in a month."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Count, Sum

from accounts import tree
from subscriptions.models import Discount, Price, Uncharged
from subscriptions.queries.catalogue import running_items
from subscriptions.queries.terms import (
    discount_on,
    monthly_on,
    price_on,
    quantity_on,
    uncharged_on,
)
from tenancy.actor import Actor


def effect_of(
    actor: Actor, discount: Discount, path: Sequence[UUID], day: date
) -> tuple[int, dict[str, int], dict[str, int]]:
    """Return how many items cost something else on a day, and what is brought in in a month.

    Three statements, and one step of arithmetic for each price, quantity and discount.
    """
    rows = list(
        running_items(actor, day)
        .filter(tree.lies_below(actor.tenant_id, [path[-1]], "account_id"))
        .annotate(
            at=price_on(actor, day),
            had=quantity_on(actor, day),
            why=uncharged_on(actor, day),
            less=discount_on(actor, day),
        )
        .order_by()
        .values("at", "had", "why", "less")
        .annotate(count=Count("pk"), monthly=Sum(monthly_on(actor, day)))
        .values_list("at", "had", "why", "less", "count", "monthly")
    )
    prices = Price.objects.filter(tenant_id=actor.tenant_id).in_bulk({row[0] for row in rows})
    known = Discount.objects.filter(tenant_id=actor.tenant_id)
    held = known.in_bulk({row[3] for row in rows if row[3] is not None})
    farther = set(path[:-1])
    items, before, after = 0, Counter[str](), Counter[str]()
    for price_id, had, why, less, count, monthly in rows:
        price = prices[price_id]
        before[price.currency] += int(monthly)
        goes_behind = less is not None and held[less].account_id not in farther
        if why == Uncharged.PAUSED or goes_behind or not discount.applies_to(price):
            after[price.currency] += int(monthly)
            continue
        items += count
        after[price.currency] += count * price.monthly_minor(had, discount.off)
    return items, dict(before), dict(after)


def brings(actor: Actor, account_id: UUID, day: date) -> dict[str, int]:
    """Return what everything below an account brings in a month on a day. One statement."""
    rows = (
        running_items(actor, day)
        .filter(tree.lies_below(actor.tenant_id, [account_id], "account_id"))
        .order_by()
        .values_list("price__currency")
        .annotate(monthly=Sum(monthly_on(actor, day)))
    )
    return {currency: int(monthly or 0) for currency, monthly in rows}


def off_now(actor: Actor, discount: Discount, day: date) -> dict[str, int]:
    """Return what a discount takes off in a month on a day."""
    rows = (
        running_items(actor, day)
        .annotate(less=discount_on(actor, day))
        .filter(less=discount.pk)
        .annotate(
            at=price_on(actor, day), had=quantity_on(actor, day), why=uncharged_on(actor, day)
        )
        .exclude(why=Uncharged.PAUSED)
        .order_by()
        .values("at", "had")
        .annotate(count=Count("pk"), monthly=Sum(monthly_on(actor, day)))
        .values_list("at", "had", "count", "monthly")
    )
    found = list(rows)
    prices = Price.objects.filter(tenant_id=actor.tenant_id).in_bulk({row[0] for row in found})
    off = Counter[str]()
    for price_id, had, count, monthly in found:
        price = prices[price_id]
        off[price.currency] += count * price.monthly_minor(had) - int(monthly)
    return dict(off)
