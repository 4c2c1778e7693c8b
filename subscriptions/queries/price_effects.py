"""What another price would bring in, if everybody had it who has one today."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Sum

from accounts import access
from accounts.access import Action
from billing_rules.mrr import monthly_minor
from billing_rules.periods import Interval
from billing_rules.pricing import PriceTerms
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


@dataclass(frozen=True, slots=True)
class PriceEffect:
    """How many running items would have another price, and what they bring in a month.

    Amounts are in minor units of the currency that both prices are in.
    """

    items: int
    before_minor: int
    after_minor: int

    @property
    def difference_minor(self) -> int:
        """How much more it would be, negative for less."""
        return self.after_minor - self.before_minor


def effect_of_price(
    actor: Actor, price: Price, terms: PriceTerms, cycle: Interval, *, on: date
) -> PriceEffect:
    """Return what would come of it if all running items of a price had other terms.

    One statement, one more where there are discounts, and one step of arithmetic for each quantity
    that is had: each item is worth its own rounded amount, as everywhere. What is paused brings in
    nothing before and after.

    Args:
        actor: who asks.
        price: whose items are meant.
        terms: what they would cost, in the same currency.
        cycle: how often.
        on: the day.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.

    Source: docs/billing-rules.md, Catalogue.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    rows = (
        running_items(actor, on)
        .annotate(at=price_on(actor, on))
        .filter(at=price.pk)
        .annotate(
            had=quantity_on(actor, on), why=uncharged_on(actor, on), less=discount_on(actor, on)
        )
        .order_by()
        .values("had", "why", "less")
        .annotate(items=Count("pk"), monthly=Sum(monthly_on(actor, on)))
        .values_list("had", "why", "less", "items", "monthly")
    )
    found = list(rows)
    keys = {row[2] for row in found if row[2] is not None}
    given = Discount.objects.filter(tenant_id=actor.tenant_id)
    discounts = given.in_bulk(keys) if keys else {}
    count = before = after = 0
    for quantity, uncharged, discount_id, items, monthly in found:
        count += items
        before += int(monthly)
        if uncharged != Uncharged.PAUSED:
            discount = discounts.get(discount_id)
            off = None if discount is None else discount.off
            after += items * monthly_minor(terms, quantity, cycle, price.currency, off)
    return PriceEffect(count, before, after)
