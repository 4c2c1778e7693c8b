"""The periods of items: on which grid they are, and which begin."""

from datetime import date
from functools import lru_cache

from accounts.models import SettingName
from billing_rules.periods import Anchor, Interval, Unit, anchor_of
from billing_rules.schedule import Chain, Followed, follow
from invoicing.engine.families import Families
from invoicing.engine.rows import ItemRow
from subscriptions.models import Price


class Chains:
    """Follows the chains of items; those that stand at the same point go the same way."""

    def __init__(self, families: Families) -> None:
        """Take the families whose settings decide the anchors."""
        self._families = families
        self._followed: dict[tuple[object, ...], Followed] = {}

    def follow(self, item: ItemRow, until: date) -> Followed:
        """Follow the chain of an item up to a day.

        Raises:
            TooManyPeriods, OutsideCalendar: it leads nowhere.
        """
        chain, price, subscription = chain_of(item), item.price, item.subscription
        facts = (chain, item.account_id, subscription.anchor_date, subscription.billing_day,
                 subscription.billing_day_until, price.interval, price.interval_count,
                 item.later, until)  # fmt: skip
        if facts not in self._followed:
            self._followed[facts] = follow(chain, until, lambda day: self.anchor(item, day))
        return self._followed[facts]

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
