"""The billing calendar of a scope: what falls on which day, as far as somebody may see it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import AccountNode
from accounts.queries.placements import lies_below
from reports.declarations import KINDS, Kind
from reports.models import CalendarEntry, Forecast
from tenancy.actor import Actor
from tenancy.errors import Invalid
from tenancy.queries.paging import Order

IN_ORDER: Final = Order("date kind key")
"""By day, then by kind; the key stays the same when a calendar is made again."""
MOST_DAYS: Final = 430
_ANY: Final = Q()


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
    """Return what falls on some days, in the order of ``IN_ORDER``. Five statements at most.

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
    days = Q(date__range=(first, last))
    found = CalendarEntry.objects.filter(
        _in_sight(actor, wanted, within, only=only, days=days), days, tenant_id=actor.tenant_id
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

    Three statements at most.
    """
    wanted = [kind for kind in KINDS if not kinds or kind in kinds]
    found = CalendarEntry.objects.filter(
        _in_sight(actor, wanted, within, only=only), tenant_id=actor.tenant_id
    )
    ahead = found.filter(date__gte=today).order_by("date").values_list("date", flat=True).first()
    if ahead is not None:
        return ahead
    return found.order_by("-date").values_list("date", flat=True).first()


def _in_sight(
    actor: Actor, kinds: Iterable[Kind], within: UUID | None, *, only: bool, days: Q = _ANY
) -> Q:
    """Return the condition on entries that the actor may see of a scope.

    A large invoice has as many parts as accounts on its day, for those who see no more. Where none
    may be seen, the condition says so on top: then they are not walked through.
    """
    of_action: dict[Action, list[Kind]] = {}
    for kind in kinds:
        of_action.setdefault(KINDS[kind].action, []).append(kind)
    seen, has_parts = Q(pk__in=[]), False
    for action, some in of_action.items():
        if any(KINDS[kind].is_tenants for kind in some):
            if within is None and access.allows_everywhere(actor, action):
                seen |= Q(kind__in=[kind.value for kind in some]) & ~Q(_told_by_another(actor))
            continue
        scope = _scope(actor, action, within, only=only)
        documents = [kind.value for kind in some if KINDS[kind].is_document]
        others = [kind.value for kind in some if not KINDS[kind].is_document]
        if documents:
            seen |= Q(kind__in=documents) & _documents(scope)
            has_parts = _has_parts(actor, scope, days)
        if others and (action is not Action.VIEW_SETTINGS or _sees_plans(actor)):
            own = Q() if scope is None else scope.trees | Q(account_id__in=scope.ids)
            seen |= Q(kind__in=others) & own
    return seen if has_parts else seen & Q(is_part=False)


def _has_parts(actor: Actor, scope: "_Scope | None", days: Q) -> bool:
    """Return whether parts of invoices may be seen in a scope; none where all is seen whole.

    Of trees that belong to it whole the invoices are. No statement where it has none of these,
    else one.
    """
    if scope is None:
        return False
    if not scope.whole:
        return True
    parts = CalendarEntry.objects.filter(
        days,
        tenant_id=actor.tenant_id,
        forecast=OuterRef("pk"),
        is_part=True,
        account__in=scope.ids,
    )
    others = Forecast.objects.filter(tenant_id=actor.tenant_id).exclude(pk__in=scope.whole)
    return others.filter(Exists(parts.order_by())).order_by().exists()


def _told_by_another(actor: Actor) -> Exists:
    """Return the condition that another tree tells the same of the tenant."""
    same = CalendarEntry.objects.filter(
        tenant_id=actor.tenant_id,
        date=OuterRef("date"),
        kind=OuterRef("kind"),
        key=OuterRef("key"),
        pk__lt=OuterRef("pk"),
    )
    return Exists(same)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Accounts whose entries are told: ``ids`` is the subquery of them.

    ``whole`` are the calendars of trees that belong to it whole, ``trees`` the condition of their
    entries. It is asked first, so that tens of thousands of accounts are not looked through for
    what one comparison says.
    """

    ids: Any
    whole: Sequence[UUID] = ()

    @property
    def trees(self) -> Q:
        """The condition of entries of trees that belong to it whole."""
        return Q(forecast_id__in=list(self.whole))


def _scope(actor: Actor, action: Action, within: UUID | None, *, only: bool) -> _Scope | None:
    """Return where the actor may do something of a scope, None for everywhere. One statement.

    None where the actor may do it everywhere.
    """
    is_everywhere = access.allows_everywhere(actor, action)
    if within is None and is_everywhere:
        return None
    reached = access.reach(actor, action).order_by()
    trees = Forecast.objects.filter(tenant_id=actor.tenant_id)
    if within is None:
        roots = access.granted(actor, action)
        trees = trees.filter(root_id__in=roots)
        return _Scope(reached.values("pk"), _keys(trees))
    if only:
        return _Scope(reached.filter(pk=within).values("pk"))
    # Whoever reaches an account reaches all below it: whole subtrees are reached.
    trees = trees.filter(root_id=within, root__in=reached.filter(pk=within))
    below = tree.lies_below(actor.tenant_id, [within], "account_id")
    nodes = AccountNode.objects.filter(below, tenant_id=actor.tenant_id).order_by()
    if is_everywhere:
        return _Scope(nodes.values("account_id"), _keys(trees))
    return _Scope(reached.filter(lies_below(actor, within, None)).values("pk"), _keys(trees))


def _keys(trees: QuerySet[Forecast]) -> list[UUID]:
    return list(trees.order_by("pk").values_list("pk", flat=True))


def _documents(scope: _Scope | None) -> Q:
    """Return which invoices are told: whole, or the parts of accounts in reach (R23).

    A tree has the invoices to its accounts; who pays them may be of another.
    """
    if scope is None:
        return Q(is_part=False)
    whole = scope.trees | Q(bill_to_id__in=scope.ids) | Q(payer_id__in=scope.ids)
    part = Q(account_id__in=scope.ids) & ~whole
    return (Q(is_part=False) & whole) | (Q(is_part=True) & ~scope.trees & part)


def _sees_plans(actor: Actor) -> bool:
    """Return whether plans are shown: they are the tenant's until they are carried out."""
    return access.allows_everywhere(actor, Action.VIEW_SETTINGS)
