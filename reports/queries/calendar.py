"""The billing calendar of a scope: what falls on which day, as far as somebody may see it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.queries.placements import lies_below
from reports.declarations import KINDS, Kind
from reports.models import CalendarEntry
from tenancy.actor import Actor
from tenancy.errors import Invalid
from tenancy.queries.paging import Order

IN_ORDER: Final = Order("date kind key")
"""By day, then by kind; the key stays the same when a calendar is made again."""
MOST_DAYS: Final = 430


class DatesTooFar(Invalid):
    """The range ends before it begins, or is longer than a calendar."""

    code = "dates_too_far"
    message = _("A calendar is asked for one day to %(most)s days.")


@dataclass(frozen=True, slots=True)
class DaySum:
    """What falls on one day, of one kind and in one currency.

    Attributes:
        date, kind: which.
        currency: empty for what has no amount.
        count: how many entries there are.
        amount_minor: their sum, in minor units.
    """

    date: date
    kind: Kind
    currency: str
    count: int
    amount_minor: int


def calendar_entries(
    actor: Actor,
    *,
    within: UUID | None = None,
    only: bool = False,
    first: date,
    last: date,
    kinds: Collection[Kind] = (),
    least_minor: int | None = None,
    key: str = "",
) -> QuerySet[CalendarEntry]:
    """Return what falls on some days, in the order of ``IN_ORDER``. One statement.

    An invoice is there whole for whoever reaches its recipient or payer within the scope, and in
    the part of an account for who reaches that alone: then with its day, the recipient's name and
    the own amount (R23, R31), and without the day on which it is due.

    Args:
        actor: who asks.
        within: only what concerns this account or one below it.
        only: with ``within``: this account alone.
        first: the first day.
        last: the last day, included.
        kinds: only entries of these kinds; all for none.
        least_minor: only those of at least this amount, credits by their size.
        key: only the entry that is called so.

    Raises:
        DatesTooFar: see its text.

    Source: docs/billing-rules.md, Calendar.
    """
    if not first <= last or (last - first).days >= MOST_DAYS:
        raise DatesTooFar(most=MOST_DAYS)
    wanted = [kind for kind in KINDS if not kinds or kind in kinds]
    found = CalendarEntry.objects.filter(
        _in_sight(actor, wanted, within, only=only),
        tenant_id=actor.tenant_id,
        date__range=(first, last),
    )
    if least_minor is not None:
        found = found.filter(Q(amount_minor__gte=least_minor) | Q(amount_minor__lte=-least_minor))
    if key:
        found = found.filter(key=key)
    return IN_ORDER.applied(found.select_related("account"))


def day_sums(found: QuerySet[CalendarEntry]) -> list[DaySum]:
    """Return how many entries fall on each day and what they come to. One statement.

    Args:
        found: what ``calendar_entries`` returned.
    """
    rows = (
        found.select_related(None)
        .order_by("date", "kind", "currency")
        .values_list("date", "kind", "currency")
        .annotate(count=Count("pk"), amount=Sum("amount_minor"))
    )
    return [
        DaySum(day, Kind(kind), currency, count, amount or 0)
        for day, kind, currency, count, amount in rows
    ]


def nearest_day(
    actor: Actor, *, within: UUID | None, only: bool, kinds: Collection[Kind], today: date
) -> date | None:
    """Return the next day, else the last one before today, on which anything falls.

    Two statements at most.
    """
    wanted = [kind for kind in KINDS if not kinds or kind in kinds]
    found = CalendarEntry.objects.filter(
        _in_sight(actor, wanted, within, only=only), tenant_id=actor.tenant_id
    )
    ahead = found.filter(date__gte=today).order_by("date").values_list("date", flat=True).first()
    if ahead is not None:
        return ahead
    return found.order_by("-date").values_list("date", flat=True).first()


def _in_sight(actor: Actor, kinds: Iterable[Kind], within: UUID | None, *, only: bool) -> Q:
    """Return the condition on entries that the actor may see of a scope."""
    of_action: dict[Action, list[Kind]] = {}
    for kind in kinds:
        of_action.setdefault(KINDS[kind].action, []).append(kind)
    seen = Q(pk__in=[])
    for action, some in of_action.items():
        reached = access.reach(actor, action).order_by()
        is_all = within is None and access.allows_everywhere(actor, action)
        if within is not None:
            below = Q(pk=within) if only else lies_below(actor, within, None)
            reached = reached.filter(below)
        ids = None if is_all else reached.values("pk")
        documents = [kind.value for kind in some if KINDS[kind].is_document]
        others = [kind.value for kind in some if not KINDS[kind].is_document]
        if documents:
            seen |= Q(kind__in=documents) & _documents(ids)
        if others and (action is not Action.VIEW_SETTINGS or _sees_plans(actor)):
            own = Q() if ids is None else Q(account_id__in=ids)
            seen |= Q(kind__in=others) & own
    return seen


def _documents(ids: Any | None) -> Q:
    """Return which invoices are told: whole, or the parts of accounts in reach (R23)."""
    if ids is None:
        return Q(is_part=False)
    whole = Q(bill_to_id__in=ids) | Q(payer_id__in=ids)
    return (Q(is_part=False) & whole) | (Q(is_part=True, account_id__in=ids) & ~whole)


def _sees_plans(actor: Actor) -> bool:
    """Return whether plans are shown: they are the tenant's until they are carried out."""
    return access.allows_everywhere(actor, Action.VIEW_SETTINGS)
