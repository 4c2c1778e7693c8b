"""The periods of items: on which grid they are, and which begin."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from accounts.models import SettingName
from billing_rules.periods import Anchor, Interval, Unit, anchor_of
from billing_rules.schedule import Chain, Followed, follow
from invoicing.engine.families import Families
from invoicing.engine.rows import ItemRow
from subscriptions.models import Price


@dataclass(frozen=True, slots=True)
class _Alike:
    """How a chain was followed, and the grids in force on the days that were asked for."""

    first: Anchor
    anchors: list[tuple[date, Anchor]]
    followed: Followed


class Chains:
    """Follows the chains of items; those that stand at the same point go the same way."""

    def __init__(self, families: Families) -> None:
        """Take the families whose settings decide the anchors."""
        self._families = families
        self._followed: dict[tuple[object, ...], Followed] = {}
        self._alike: dict[tuple[Chain, int, date], _Alike] = {}

    def follow(self, item: ItemRow, until: date) -> Followed:
        """Follow the chain of an item up to a day.

        Raises:
            TooManyPeriods, OutsideCalendar: it leads nowhere.
        """
        one, price = item.subscription, item.price
        facts = (item.account_id, item.chain_end, item.next_action_date, one.start_date,
                 one.trial_end, one.billed_until, one.end_date, one.billing_day,
                 one.billing_day_until, price.interval, price.interval_count, price.timing,
                 item.later, until)  # fmt: skip
        found = self._followed.get(facts)
        if found is None:
            found = self._followed[facts] = self._follow_as_others(item, until)
        return found

    def _follow_as_others(self, item: ItemRow, until: date) -> Followed:
        """Follow a chain as one that was on the same grids all along, if there was any."""
        chain = chain_of(item)
        first = self.anchor(item, chain.first_start if chain.chain_end is None else chain.chain_end)
        # The one that is kept keeps its grid alive, so an address names one of them.
        key = (chain, id(first), until)
        alike = self._alike.get(key)
        if alike and all(self.anchor(item, day) is anchor for day, anchor in alike.anchors):
            return alike.followed
        anchors: list[tuple[date, Anchor]] = []

        def asked(day: date) -> Anchor:
            anchors.append((day, self.anchor(item, day)))
            return anchors[-1][1]

        followed = follow(chain, until, asked)
        self._alike[key] = _Alike(first, anchors, followed)
        return followed

    def anchor(self, item: ItemRow, day: date) -> Anchor:
        """Return the grid in force for a period of an item that begins on a day."""
        price = item.price_on(day) if item.later else item.price
        billing_day, billing_month = billing_day_of(self._families, item, day)
        return _anchor(
            item.subscription.anchor_date,
            price.interval,
            price.interval_count,
            billing_day,
            billing_month,
        )


def billing_day_of(families: Families, item: ItemRow, day: date) -> tuple[int | None, int | None]:
    """Return day and month that the periods of an item are anchored on, None where unset."""
    own = item.subscription.own_billing_day(day)
    if own is not None:
        return own, None
    settings, owner = families.on(day), item.account_id
    return (
        settings.value(owner, SettingName.BILLING_DAY),
        settings.value(owner, SettingName.BILLING_MONTH),
    )


def chain_of(item: ItemRow) -> Chain:
    """Return how far the periods of an item are stored."""
    return Chain(
        first_start=item.subscription.first_charged_day,
        end_date=item.subscription.end_date,
        chain_end=item.chain_end,
        next_action=item.next_action_date,
        is_in_arrears=item.price.timing == Price.Timing.ARREARS,
    )


@lru_cache(maxsize=4_096)
def _anchor(
    start: date, unit: str, count: int, billing_day: int | None, billing_month: int | None
) -> Anchor:
    return anchor_of(
        start,
        Interval(Unit(unit), count),
        billing_day=billing_day,
        billing_month=billing_month,
    )
