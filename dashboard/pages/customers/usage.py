"""What an account used, or it and all below it, day by day."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from billing_rules.metering import Aggregation
from subscriptions.models import Meter, UsageDay
from subscriptions.queries.pools import pools_above
from subscriptions.queries.usage import (
    DayTotal,
    usage_by_day,
    usage_days,
    used_meters,
    with_quantities,
)
from tenancy.actor import Actor
from tenancy.files import EARLIEST, LATEST
from tenancy.formats import period_text
from tenancy.ids import key_of
from tenancy.queries import paging
from web.accounts import account_url, steps_to, tabs_of
from web.charts.day_bars import day_bars
from web.list_pages import UnknownFilter, day_of, one_of, save
from web.page_heads import Fact, Tab
from web.prices import AGGREGATIONS
from web.session_checks import staff_only
from web.tables import Column, Kind, Link, Table
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500
_DAYS: Final = 30
_MOST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: days from ``since`` up to and with ``last``."""

    path: Sequence[Account]
    below: bool
    meter: str
    since: date
    last: date

    @property
    def account(self) -> Account:
        """Whose usage."""
        return self.path[-1]

    @property
    def until(self) -> date:
        """The day after the last one."""
        return self.last + timedelta(days=1)


def _subscription(row: UsageDay) -> Link:
    one = row.subscription
    return Link(str(one), reverse("subscriptions:page", args=[one.public_id]))


def _account(row: UsageDay) -> Link:
    owner = row.subscription.account
    return Link(owner.name, account_url(owner.pk))


def _quantity(row: UsageDay) -> Decimal:
    found: Decimal = row.quantity  # type: ignore[attr-defined]  # as the page has read it
    return found


TABLE: Final[Table[UsageDay]] = Table(
    name="usage",
    title=gettext_lazy("Usage"),
    default_sort="-day",
    columns=(
        Column("day", gettext_lazy("Day"), Kind.DATE, lambda row: row.day, sort="day"),
        Column("account", gettext_lazy("Account"), Kind.ANSWER, _account),
        Column("subscription", gettext_lazy("Subscription"), Kind.ANSWER, _subscription),
        Column("meter", gettext_lazy("Meter"), Kind.TEXT, lambda row: row.meter.name),
        Column("quantity", gettext_lazy("Quantity"), Kind.NUMBER, _quantity),
        Column("unit", gettext_lazy("Unit"), Kind.TEXT, lambda row: row.meter.unit),
        Column(
            "events",
            gettext_lazy("Events"),
            Kind.NUMBER,
            lambda row: row.events,
            tip=gettext_lazy("Of how many reported events it is made"),
        ),
    ),
)


@require_safe
@staff_only
def usage_page(request: ActorRequest, account_id: str) -> HttpResponseBase:
    """Show what was used, or save it. Eight statements beside those of the frame, at most ten."""
    actor, state = request.actor, TABLE.state(request.GET, request.COOKIES)
    asked = _asked(request, key_of("acc", account_id))
    every = _days(actor, asked)
    meters = used_meters(actor, every)
    meter = _chosen(meters, asked)
    found = every if meter is None else every.filter(meter_id=meter.pk)
    wanted = request.GET.get("format", "")
    too_many = wanted in FORMATS and found.count() > MOST_ROWS
    if wanted in FORMATS and not too_many:
        pages = paging.batches(found, TABLE.order(state), size=_BATCH)
        filters = [_whose(asked), period_text(asked.since, asked.until)]
        if meter is not None:
            filters.append(meter.name)
        rows = _batches(actor, pages)
        return save(request, wanted, TABLE, state, rows, {}, filters, owner=asked.account.name)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    totals = [] if meter is None else usage_by_day(actor, found, meter)
    context = {
        "account": asked.account,
        "steps": steps_to(asked.path, page="usage"),
        "tabs": tabs_of(asked.account.pk, "subscriptions"),
        "whose": _whose_tabs(asked, state),
        "meters": _meter_tabs(meters, meter, state),
        "table": TABLE.shown(with_quantities(actor, page.rows), state, {}, ""),
        "page": page,
        "asked": asked,
        "kept": state.kept("since", "last"),
        "picture": _picture(asked, meter, totals),
        "too_many": quantity(MOST_ROWS) if too_many else "",
        "scope_name": asked.account.name,
        "pools_url": reverse("customers:pools", args=[asked.account.public_id]),
        "facts": [*_facts(asked, meter, totals), *_pools(actor, asked, meter)],
        "subscriptions_url": account_url(asked.account.pk, "subscriptions"),
    }
    answer = HTTPStatus.UNPROCESSABLE_ENTITY if too_many else HTTPStatus.OK
    return render(request, "customers/usage.html", context, status=answer)


def _asked(request: ActorRequest, key: UUID) -> Asked:
    actor, query = request.actor, request.GET
    last = day_of(query, "last") or actor.today
    if not EARLIEST <= last < LATEST:
        raise UnknownFilter(value=f"{last}")
    since = day_of(query, "since") or last - timedelta(days=_DAYS - 1)
    if since > last or (last - since).days >= _MOST_DAYS:
        raise UnknownFilter(value=f"{since} – {last}")
    return Asked(
        path=path_of(actor, key),
        below=one_of(query, "below", {"1"}) == "1",
        meter=query.get("meter", ""),
        since=since,
        last=last,
    )


def _days(actor: Actor, asked: Asked) -> QuerySet[UsageDay]:
    key = asked.account.pk
    return usage_days(
        actor,
        within=key if asked.below else None,
        account=None if asked.below else key,
        since=asked.since,
        until=asked.until,
    )


def _chosen(meters: Sequence[Meter], asked: Asked) -> Meter | None:
    """Return the meter that is looked at: the one that is asked for, else the first.

    Raises:
        UnknownFilter: nothing was measured by the one that is asked for.
    """
    if not asked.meter:
        return meters[0] if meters else None
    found = next((one for one in meters if one.public_id == asked.meter), None)
    if found is None:
        raise UnknownFilter(value=asked.meter[:100])
    return found


def _batches(actor: Actor, pages: Iterable[Sequence[UsageDay]]) -> Iterator[Sequence[UsageDay]]:
    for some in pages:
        yield with_quantities(actor, some)


def _whose(asked: Asked) -> str:
    name = {"account": asked.account.name}
    return (_("%(account)s and below") if asked.below else _("%(account)s alone")) % name


def _whose_tabs(asked: Asked, state: TableState) -> list[Tab]:
    return [
        Tab(_("This account"), state.url(below=None, meter=None), not asked.below),
        Tab(_("With sub-accounts"), state.url(below="1", meter=None), asked.below),
    ]


def _meter_tabs(meters: Sequence[Meter], chosen: Meter | None, state: TableState) -> list[Tab]:
    return [
        Tab(one.name, state.url(meter=one.public_id), chosen is not None and one.pk == chosen.pk)
        for one in meters
    ]


def _pools(actor: Actor, asked: Asked, meter: Meter | None) -> list[Fact]:
    """Return the pools in which what a meter measures here is charged on the days shown."""
    if meter is None:
        return []
    return [
        Fact(
            _("Charged together"),
            f"{pool.account.name}: {pool.price_on(actor.today).name}",
            reverse("customers:pool", args=[pool.account.public_id, pool.public_id]),
        )
        for pool in pools_above(actor, asked.account)
        if pool.price.meter_id == meter.pk
        and pool.starts < asked.until
        and (pool.ends is None or pool.ends > max(asked.since, pool.starts))
    ]


def _picture(asked: Asked, meter: Meter | None, totals: Sequence[DayTotal]) -> Any:
    if meter is None:
        return ""
    amounts = {one.day: one.quantity for one in totals}
    return day_bars(amounts, asked.since, asked.until, meter.name)


def _facts(asked: Asked, meter: Meter | None, totals: Sequence[DayTotal]) -> list[Fact]:
    """Return what the days come to: a sum only where a period is the sum of its days."""
    if meter is None:
        return []
    facts = [
        Fact(_("Days"), period_text(asked.since, asked.until)),
        Fact(_("Quantity of a period"), str(AGGREGATIONS[Aggregation(meter.aggregation)])),
        Fact(_("Events"), quantity(sum(one.events for one in totals))),
    ]
    if meter.aggregation == Aggregation.SUM:
        total = sum((one.quantity for one in totals), Decimal(0))
        facts.append(Fact(_("Sum"), f"{quantity(total)} {meter.unit}".strip()))
    return facts
