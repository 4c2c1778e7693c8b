"""From when to when items have a discount: resolved once, by their own periods."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import tree
from accounts.models import AccountNode, SettingName
from accounts.queries.setting_history import SettingHistory
from accounts.queries.settings import setting_history
from billing_rules.discounts import Duration, Given
from billing_rules.periods import Anchor, OutsideCalendar, anchor_of, next_period
from billing_rules.schedule import MAX_STEPS
from billing_rules.timelines import Stretch, held_on
from subscriptions.models import Discount, Item, Period, Subscription
from subscriptions.operations.discounts.checking import InvalidDiscount
from subscriptions.queries.terms import ItemTerms, had_between
from tenancy.actor import Actor
from tenancy.errors import FieldError

Timeline = Sequence[Stretch[ItemTerms]]


class Calendar:
    """The periods of items, those stored and those to come, as the settings say today."""

    def __init__(self, actor: Actor, account_ids: Iterable[UUID]) -> None:
        """Read the settings of accounts and of those above them. Two statements."""
        members = list(
            AccountNode.objects.filter(
                tree.lies_above(actor.tenant_id, list(account_ids), "account_id"),
                tenant_id=actor.tenant_id,
            )
            .order_by("level")
            .values_list("account_id", "parent_id")
        )
        self._actor = actor
        self._history: SettingHistory = setting_history(actor, members)

    def given(
        self, discount: Discount, subscription: Subscription, item: Item, timeline: Timeline
    ) -> Given[Discount] | None:
        """Return from when to when an item has a discount, None where it never does.

        It begins with the first day that is charged, and the part of a period that begins then is
        the first one.

        Args:
            discount: with the day since when.
            subscription: whose item it is.
            item: with its price.
            timeline: the terms of the item.

        Raises:
            InvalidDiscount: its periods reach beyond the calendar.

        Source: docs/billing-rules.md, Discounts.
        """
        begins, ends = had_between(timeline)
        first = max(filter(None, (discount.starts, subscription.first_charged_day, begins)))
        last = min(filter(None, (discount.ends, subscription.end_date, ends)), default=None)
        start = _first_charged(timeline, first)
        if start is None or (last is not None and last <= start):
            return None
        if not _is_for(discount, timeline, start):
            return None
        if discount.duration == Duration.FOREVER:
            return Given(discount, start, discount.ends)
        count = 1 if discount.duration == Duration.ONCE else discount.periods or 1
        end = self._end_of(subscription, item, timeline, start, count)
        return Given(discount, start, min(filter(None, (end, discount.ends))))

    def _end_of(
        self, subscription: Subscription, item: Item, timeline: Timeline, start: date, count: int
    ) -> date:
        try:
            for end in self._ends(subscription, item, timeline, start):
                count -= end > start
                if count == 0:
                    return end
        except OutsideCalendar:
            pass
        detail = _("Its periods cannot be told that far.")
        raise InvalidDiscount(errors=[FieldError("out_of_range", detail, "/effective")])

    def _ends(
        self, subscription: Subscription, item: Item, timeline: Timeline, start: date
    ) -> Iterator[date]:
        """Yield the ends of the periods of an item from a day on, those of today's grid last."""
        day = subscription.first_charged_day
        begins, _ends = had_between(timeline)
        day = max(day, begins) if begins is not None else day
        if item.chain_end is not None:
            stored = Period.objects.filter(
                tenant_id=self._actor.tenant_id, item_id=item.pk, ends__gt=start
            )
            yield from stored.order_by("ends").values_list("ends", flat=True)
            day = item.chain_end
        for _step in range(MAX_STEPS):
            day = next_period(self._anchor(subscription, timeline, day), day).end
            yield day

    def _anchor(self, subscription: Subscription, timeline: Timeline, day: date) -> Anchor:
        settings = self._history.on(day)
        owner, own = subscription.account_id, subscription.own_billing_day(day)
        held = held_on(timeline, day)
        price = (held or timeline[-1]).value.price
        months = settings.value(owner, SettingName.BILLING_MONTH) if own is None else None
        days = settings.value(owner, SettingName.BILLING_DAY) if own is None else own
        return anchor_of(
            subscription.anchor_date,
            price.cycle,
            billing_day=days,
            billing_month=months,
        )


def _first_charged(timeline: Timeline, day: date) -> date | None:
    """Return the first day on or after a day that is charged, None if none will be."""
    for one in timeline:
        if not one.value.uncharged and (one.end is None or one.end > day):
            return max(one.start, day)
    return None


def _is_for(discount: Discount, timeline: Timeline, day: date) -> bool:
    """Return whether a discount is for any of the prices that are had from a day on."""
    return any(
        discount.applies_to(one.value.price) for one in timeline if one.end is None or one.end > day
    )
