"""When subscriptions renew and are invoiced next, as their settings say today."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.module_loading import import_string

from accounts import access, tree
from accounts.access import Action
from accounts.models import AccountNode, SettingName
from accounts.queries.setting_history import FamilySettings
from accounts.queries.settings import setting_history
from billing_rules.periods import (
    Anchor,
    OutsideCalendar,
    Period,
    anchor_of,
    first_billing_day,
    full_period,
    next_period,
)
from billing_rules.schedule import waits_for_next
from subscriptions.models import Item, Price, Subscription
from subscriptions.models import Period as StoredPeriod
from subscriptions.queries.terms import with_items_on
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Renewal:
    """What comes next of one subscription.

    Attributes:
        period: the period that contains the day, None before the start and after the end.
        next_invoice_date: the day on which anything of it is invoiced next, None if nothing will
            be. What is charged or credited already and waits for its invoice counts as well.
        mrr_minor: what it brings in a month, in minor units of ``currency``; 0 unless it
            runs, and while it is tried.
        currency: of its prices.
    """

    period: Period | None
    next_invoice_date: date | None
    mrr_minor: int
    currency: str


FirstDays = Callable[[Actor, Collection[UUID]], Mapping[UUID, date]]
"""Returns the next day of invoice of subscriptions of which something waits for one."""

_first_days: list[str] = []


def register_waiting(first_days: str) -> None:
    """Ask this of what is charged already: charges are known above, where invoices are.

    Args:
        first_days: the full name of a ``FirstDays``. It is loaded when it is asked for the first
            time: what lays documents out comes along, which most commands have no use for.
    """
    _first_days.append(first_days)


def renewals(
    actor: Actor,
    subscriptions: Sequence[Subscription],
    on: date,
    *,
    settings: FamilySettings | None = None,
) -> dict[UUID, Renewal]:
    """Return what comes next of subscriptions, those out of sight left out.

    Four statements, one more for those who do not see everything, and one where terms change
    later. Where something waits for its invoice at most twenty more, whatever their number.

    A period that has begun is the stored one; what has not been billed yet follows from the
    billing day that holds on ``on`` at the service owner (R9), and the invoice's day from the
    bill-to's (R5).

    Args:
        actor: whose tenant.
        subscriptions: with items and prices; they have those of the day afterwards.
        on: the day.
        settings: what holds on it on their accounts and those above, where that has been read;
            two statements less.
    """
    seen = {one.account_id for one in with_items_on(actor, subscriptions, on)}
    if not access.allows_everywhere(actor, Action.VIEW_SUBSCRIPTION):
        reached = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk__in=seen)
        seen = set(reached.order_by().values_list("pk", flat=True))
    settings = settings or _settings(actor, seen, on)
    items = [item for one in subscriptions for item in one.items.all()]
    stored = _stored_periods(actor, items, on)
    found = [one for one in subscriptions if one.account_id in seen]
    # What waits, waits now: it says nothing of another day.
    asked = [one.pk for one in found] if on == actor.today else []
    waiting = {
        key: day
        for name in (_first_days if asked else ())
        for key, day in _loaded(name)(actor, asked).items()
    }
    return {one.pk: _renewal(one, settings, stored, waiting, on) for one in found}


def _loaded(name: str) -> FirstDays:
    found: FirstDays = import_string(name)
    return found


def charged_until(items: Iterable[Item]) -> date | None:
    """Return the end of the last stored period, None before the first.

    Of what is billed in arrears the period has begun and its end is stored (R13).
    """
    ends = [item.chain_end for item in items if item.chain_end is not None]
    return max(ends, default=None)


def running_period_end(actor: Actor, subscription: Subscription, today: date) -> date | None:
    """Return the first day on which a subscription could end without a credit.

    That is the end of what has been charged, else of the period that runs or will run first; None
    where that lies beyond the calendar. One statement where something was charged and the items
    have been read, else at most six.

    Raises:
        NotFound: the subscription is out of the actor's sight.
    """
    access.require(actor, Action.VIEW_SUBSCRIPTION, subscription.account)
    end = charged_until(subscription.items.all())
    if end is not None:
        return end
    period = period_on(actor, subscription, max(today, subscription.start_date))
    return period.end if period else None


def period_on(actor: Actor, subscription: Subscription, day: date) -> Period | None:
    """Return the period of a subscription that contains a day, billed or not. Four statements.

    None where the day lies beyond the calendar.
    """
    items = list(subscription.items.select_related("price", "discount"))
    stored = _stored_periods(actor, items, day)
    if stored or not items:
        return next(iter(stored.values()), None)
    settings = _settings(actor, [subscription.account_id], day)
    return _computed_period(subscription, items[0], settings, day)


def _renewal(
    subscription: Subscription,
    settings: FamilySettings,
    stored: dict[UUID, Period],
    waiting: Mapping[UUID, date],
    on: date,
) -> Renewal:
    items = list(subscription.items.all())
    is_over = subscription.end_date is not None and on >= subscription.end_date
    runs = subscription.start_date <= on and not is_over
    is_sold = runs and subscription.anchor_date <= on
    period = next((stored[item.pk] for item in items if item.pk in stored), None)
    if period is None and runs and items:
        period = _computed_period(subscription, items[0], settings, on)
    days = [_invoice_day(subscription, item, settings) for item in items]
    days.append(waiting.get(subscription.pk))
    first = min((day for day in days if day is not None), default=None)
    return Renewal(
        period=period if runs else None,
        # What is late is taken by the next run.
        next_invoice_date=None if first is None else max(first, on),
        mrr_minor=sum(int(item.monthly_minor) for item in items) if is_sold else 0,
        currency=items[0].price.currency if items else "",
    )


def _computed_period(
    subscription: Subscription, item: Item, settings: FamilySettings, on: date
) -> Period | None:
    """Return the period that will be stored once it is billed."""
    try:
        anchor = _anchor(subscription, item, settings, on)
        index = anchor.index_on(on)
        if on < subscription.anchor_date:
            return Period(subscription.start_date, subscription.anchor_date)
        first = max(anchor.boundary(index), subscription.anchor_date)
        return next_period(anchor, first, end=subscription.end_date)
    except OutsideCalendar:
        return None


def _anchor(subscription: Subscription, item: Item, settings: FamilySettings, day: date) -> Anchor:
    billing_day: Any = subscription.own_billing_day(day)
    billing_month: Any = None
    if billing_day is None:
        billing_day = settings.value(subscription.account_id, SettingName.BILLING_DAY)
        billing_month = settings.value(subscription.account_id, SettingName.BILLING_MONTH)
    return anchor_of(
        subscription.anchor_date,
        item.price.cycle,
        billing_day=billing_day,
        billing_month=billing_month,
    )


def _with_next(subscription: Subscription, item: Item, settings: FamilySettings, due: date) -> date:
    """Return the day on which a period falls due that begins then: a short one with the next.

    Raises:
        OutsideCalendar: it has no end within the calendar.
    """
    end = subscription.end_date
    if item.price.timing == Price.Timing.ARREARS or (end is not None and end <= due):
        return due
    anchor = _anchor(subscription, item, settings, due)
    part = next_period(anchor, due, end=end)
    cutoff: Any = settings.value(subscription.account_id, SettingName.PRORATION_CUTOFF_DAYS)
    most = part.days if item.waits_from == due else cutoff or 0
    return part.end if waits_for_next(part, full_period(anchor, due), most) else due


def _invoice_day(subscription: Subscription, item: Item, settings: FamilySettings) -> date | None:
    if item.next_action_date is None:
        return None
    due = item.next_action_date
    if item.uncharged:
        if item.terms_until is None:
            return None
        goes_on = _computed_period(subscription, item, settings, max(due, item.terms_until))
        due = due if goes_on is None else max(due, goes_on.start)
    if item.price.timing == Price.Timing.ARREARS and item.chain_end is None:
        # Its first period only begins on that day.
        period = _computed_period(subscription, item, settings, due)
        if period is None:
            return None
        due = period.end
    bill_to_id = subscription.override_bill_to_id
    if bill_to_id is None:
        bill_to_id, _by = settings.bill_tos[subscription.account_id]
    billing_day: Any = settings.value(bill_to_id, SettingName.BILLING_DAY)
    try:
        due = _with_next(subscription, item, settings, due)
        return first_billing_day(due, billing_day)
    except OutsideCalendar:
        return None


def _settings(actor: Actor, account_ids: Iterable[UUID], on: date) -> FamilySettings:
    """Return what holds on some accounts and on those above them. Two statements."""
    members = list(
        AccountNode.objects.filter(
            tree.lies_above(actor.tenant_id, account_ids, "account_id"), tenant_id=actor.tenant_id
        )
        .order_by("level")
        .values_list("account_id", "parent_id")
    )
    return setting_history(actor, members).on(on)


def _stored_periods(actor: Actor, items: Iterable[Item], on: date) -> dict[UUID, Period]:
    rows = StoredPeriod.objects.filter(
        tenant_id=actor.tenant_id,
        item_id__in=[item.pk for item in items],
        starts__lte=on,
        ends__gt=on,
    ).values_list("item_id", "starts", "ends")
    return {item_id: Period(starts, ends) for item_id, starts, ends in rows}
