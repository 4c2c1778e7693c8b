"""What was used, day by day: lists, and sums for pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from accounts import access, tree
from accounts.access import Action
from billing_rules.metering import Aggregation
from subscriptions.models import Meter, UsageDay, UsageKey
from tenancy.actor import Actor

_Row = TypeVar("_Row", UsageDay, UsageKey)


def usage_days(
    actor: Actor,
    *,
    within: UUID | None = None,
    account: UUID | None = None,
    subscription: UUID | None = None,
    meter: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[UsageDay]:
    """Return what the subscriptions in reach used, day by day, the latest first. One statement.

    Args:
        actor: who asks.
        within: only subscriptions of this account and of what lies below it.
        account: only those of this account itself.
        subscription: only this one.
        meter: only what this meter measured.
        since: from this day on.
        until: before this day.
    """
    found = _in_reach(actor, UsageDay.objects.filter(tenant_id=actor.tenant_id))
    if within is not None:
        below = tree.lies_below(actor.tenant_id, [within], "subscription__account_id")
        found = found.filter(below)
    if account is not None:
        found = found.filter(subscription__account_id=account)
    if subscription is not None:
        found = found.filter(subscription_id=subscription)
    if meter is not None:
        found = found.filter(meter_id=meter)
    if since is not None:
        found = found.filter(day__gte=since)
    if until is not None:
        found = found.filter(day__lt=until)
    return found.select_related("subscription__account", "meter").order_by("-day", "-id")


def _in_reach(actor: Actor, rows: QuerySet[_Row]) -> QuerySet[_Row]:
    if access.allows_everywhere(actor, Action.VIEW_SUBSCRIPTION):
        return rows
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    return rows.filter(subscription__account__in=seen)


def with_quantities(actor: Actor, days: Iterable[UsageDay]) -> list[UsageDay]:
    """Return days of a page with the ``quantity`` that their meters measured.

    No statement but where keys are counted, then one; keys out of reach are not counted.
    """
    found = list(days)
    counting = [one for one in found if one.meter.aggregation == Aggregation.UNIQUE_COUNT]
    counts: dict[tuple[UUID, UUID, date], int] = {}
    if counting:
        keys = UsageKey.objects.filter(
            tenant_id=actor.tenant_id,
            subscription_id__in={one.subscription_id for one in counting},
            meter_id__in={one.meter_id for one in counting},
            day__in={one.day for one in counting},
        )
        rows = (
            _in_reach(actor, keys)
            .order_by()
            .values("subscription_id", "meter_id", "day")
            .annotate(keys=Count("pk"))
            .values_list("subscription_id", "meter_id", "day", "keys")
        )
        counts = {(key, meter, day): keys for key, meter, day, keys in rows}
    for one in found:
        one.quantity = _quantity(one, counts.get((one.subscription_id, one.meter_id, one.day), 0))  # type: ignore[attr-defined]
    return found


def _quantity(day: UsageDay, keys: int) -> Decimal:
    by_aggregation = {
        Aggregation.SUM: day.total,
        Aggregation.MAX: day.highest,
        Aggregation.LAST: day.last_quantity,
        Aggregation.UNIQUE_COUNT: Decimal(keys),
    }
    return by_aggregation[Aggregation(day.meter.aggregation)]


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What a meter measured of several subscriptions on a day, added up."""

    day: date
    events: int
    quantity: Decimal


def usage_by_day(actor: Actor, days: QuerySet[UsageDay], meter: Meter) -> Sequence[DayTotal]:
    """Return what some days in reach come to, in their order. One or two statements.

    Each subscription counts with what its meter says of the day; different keys are counted for
    each subscription by itself.

    Args:
        actor: who asks.
        days: of this meter, as ``usage_days`` says.
        meter: the meter.
    """
    days = _in_reach(actor, days)
    aggregation = Aggregation(meter.aggregation)
    column = {
        Aggregation.SUM: "total",
        Aggregation.MAX: "highest",
        Aggregation.LAST: "last_quantity",
        Aggregation.UNIQUE_COUNT: "total",
    }[aggregation]
    rows = (
        days.order_by()
        .values("day")
        .annotate(all=Sum("events"), sum=Sum(column))
        .order_by("day")
        .values_list("day", "all", "sum")
    )
    if aggregation != Aggregation.UNIQUE_COUNT:
        return [DayTotal(day, events, quantity) for day, events, quantity in rows]
    counts = _keys_by_day(actor, days, meter)
    return [DayTotal(day, events, Decimal(counts.get(day, 0))) for day, events, _sum in rows]


def _keys_by_day(actor: Actor, days: QuerySet[UsageDay], meter: Meter) -> dict[date, int]:
    rows = (
        UsageKey.objects.filter(
            tenant_id=actor.tenant_id,
            meter_id=meter.pk,
            subscription_id__in=days.order_by().values("subscription_id"),
            day__in=days.order_by().values("day"),
        )
        .order_by()
        .values("day")
        .annotate(keys=Count("pk"))
        .values_list("day", "keys")
    )
    return dict(rows)


def used_meters(actor: Actor, days: QuerySet[UsageDay]) -> list[Meter]:
    """Return the meters of which some days in reach say something, by name. One statement."""
    wanted = _in_reach(actor, days).order_by().values("meter_id")
    found = Meter.objects.filter(tenant_id=actor.tenant_id, pk__in=wanted)
    return list(found.order_by("name", "id"))
