"""The catalogue: all prices, how much each is used, and one with its tiers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from billing_rules.pricing import Model
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Price
from subscriptions.queries.catalogue import (
    Use,
    get_price,
    largest_users,
    mrr_of_prices,
    prices,
    uses_of,
)
from subscriptions.queries.price_versions import VersionShown, versions_of, versions_shown
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.queries import paging
from web.accounts import account_url
from web.charts.price_steps import examples_of, price_steps
from web.list_pages import Chip, save
from web.page_heads import Crumb, Fact, Tab
from web.prices import MODELS, TAX_CLASSES, TIMINGS, archived_badges, price_amount, price_rhythm
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind, Link, Table
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import money, quantity, unit_price
from web.timeline import timeline_of

_BATCH: Final = 500
USERS_SHOWN: Final = 10
VERSIONS_SHOWN: Final = 25


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price and how much it is used."""

    price: Price
    use: Use
    main: str


def _name(row: PriceRow) -> Link:
    price = row.price
    second = price.product.name
    if price.archived_at is not None or price.product.archived_at is not None:
        second = _("%(product)s · archived") % {"product": second}
    if price.account_id is not None:
        second = _("%(product)s · negotiated") % {"product": second}
    if price.valid_from is not None:
        names = {"product": second, "number": price.number, "day": date_text(price.valid_from)}
        second = _("%(product)s · version %(number)s from %(day)s") % names
    return Link(price.name, reverse("catalogue:price", args=[price.public_id]), second)


def tabs_of(current: str) -> list[Tab]:
    """Return the views of the catalogue."""
    return [
        Tab(_("Prices"), reverse("catalogue:list"), current == "prices"),
        Tab(_("Products"), reverse("catalogue:products"), current == "products"),
        Tab(_("Plans"), reverse("catalogue:plans"), current == "plans"),
        Tab(_("Coupons"), reverse("catalogue:coupons"), current == "coupons"),
        Tab(_("Meters"), reverse("catalogue:meters"), current == "meters"),
    ]


TABLE: Final[Table[PriceRow]] = Table(
    name="prices",
    title=gettext_lazy("Product catalogue"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Price"), Kind.LINK, _name, sort="product__name name"),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda row: row.price.external_id,
            sort="external_id",
            is_default=False,
        ),
        Column(
            "model",
            gettext_lazy("Model"),
            Kind.TEXT,
            lambda row: str(MODELS[Model(row.price.model)]),
            sort="model",
        ),
        Column("amount", gettext_lazy("Amount"), Kind.TEXT, lambda row: price_amount(row.price)),
        Column("rhythm", gettext_lazy("Period"), Kind.TEXT, lambda row: price_rhythm(row.price)),
        Column(
            "timing",
            gettext_lazy("Due"),
            Kind.TEXT,
            lambda row: str(TIMINGS[Price.Timing(row.price.timing)]),
            is_default=False,
        ),
        Column(
            "currency",
            gettext_lazy("Currency"),
            Kind.TEXT,
            lambda row: row.price.currency,
            sort="currency",
            is_default=False,
        ),
        Column(
            "items",
            gettext_lazy("Used"),
            Kind.NUMBER,
            lambda row: row.use.items or None,
            tip=gettext_lazy("In how many running subscriptions"),
        ),
        Column(
            "mrr",
            gettext_lazy("MRR"),
            Kind.MONEY,
            lambda row: Amounts(
                {row.price.currency: row.use.monthly_minor} if row.use.monthly_minor else {},
                row.main,
            ),
            is_summed=True,
            tip=gettext_lazy("Monthly recurring revenue"),
        ),
    ),
)


@require_safe
@staff_only
def price_list(request: ActorRequest) -> HttpResponseBase:
    """Show the catalogue, or save it. Four statements beside those of the frame."""
    actor, main = request.actor, request.tenant.currency
    state = TABLE.state(request.GET, request.COOKIES)
    text = request.GET.get("q", "").strip()[:200]
    found = prices(actor, text=text)
    count, wanted = found.count(), request.GET.get("format", "")
    totals = {"mrr": Amounts(mrr_of_prices(actor, text=text, on=actor.today), main)}
    chips = [Chip(_("“%(text)s”") % {"text": text}, state.url(q=None))] if text else []
    if wanted in FORMATS and count <= MOST_ROWS:
        pages = paging.batches(found, TABLE.order(state), size=_BATCH)
        labels = [chip.label for chip in chips]
        return save(request, wanted, TABLE, state, _batches(actor, pages, main), totals, labels)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    title = ngettext("Sum of %(count)s price", "Sum of all %(count)s prices", count)
    context = {
        "table": TABLE.shown(
            price_rows(actor, page.rows, main), state, totals, title % {"count": quantity(count)}
        ),
        "page": page,
        "chips": chips,
        "text": text,
        "kept": state.kept("q"),
        "is_empty": not count and not text,
        "tabs": tabs_of("prices"),
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "catalogue/list.html", context, status=status)


def _batches(
    actor: Actor, found: Iterable[Sequence[Price]], main: str
) -> Iterator[Sequence[PriceRow]]:
    for some in found:
        yield price_rows(actor, some, main)


def price_rows(actor: Actor, found: Sequence[Price], main: str) -> list[PriceRow]:
    """Return the rows of some prices. One statement."""
    uses = uses_of(actor, [price.pk for price in found], actor.today)
    return [PriceRow(price, uses.get(price.pk, Use()), main) for price in found]


@dataclass(frozen=True, slots=True)
class TierRow:
    """One tier in words."""

    above: str
    up_to: str
    unit_amount: str
    flat_amount: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """One account that uses the price."""

    name: str
    url: str
    quantity: str
    monthly: str


@require_safe
@staff_only
def price_page(request: ActorRequest, price_id: str) -> HttpResponse:
    """Show a price. Eight statements beside those of the frame."""
    actor = request.actor
    price = get_price(actor, price_id)
    use = uses_of(actor, [price.pk], actor.today).get(price.pk, Use())
    users = _users(actor, price)
    chain = version_rows(request, price)
    context = {
        "title": price.name,
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(price.product.name, reverse("catalogue:product", args=[price.product.public_id])),
            Crumb(price.name),
        ],
        "price": price,
        "put_url": reverse(
            f"catalogue:{'archive' if price.archived_at is None else 'reopen'}_price",
            args=[price.public_id],
        ),
        "badges": archived_badges(price) or archived_badges(price.product),
        "picture": price_steps(price.terms, price.currency, price.name),
        "examples": examples_of(price.terms, price.currency),
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
        "facts": _facts(price, use),
        "tiers": _tiers(price),
        "users": users,
        "more_users": use.accounts - len(users),
        "like_url": like_url(price),
        **chain,
        "timeline": timeline_of(actor, price.pk),
        "time_zone": request.tenant.time_zone,
    }
    return render(request, "catalogue/price.html", context)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of the price in words, and the job that carried it out."""

    label: str
    url: str
    is_this: bool
    account: str
    account_url: str
    since: str
    until: str
    amount: str
    job: str
    job_url: str


def version_rows(request: ActorRequest, price: Price) -> dict[str, Any]:
    """Return a page of the versions of a price, and what can be done about this one."""
    actor = request.actor
    after = request.GET.get("after", "")
    found = versions_of(actor, price)
    if after:
        last = get_price(actor, after)
        found = found.filter(created_at__gte=last.created_at).exclude(pk=last.pk)
    some = list(found[: VERSIONS_SHOWN + 1])
    shown = versions_shown(actor, price, some[:VERSIONS_SHOWN])
    more = ""
    if len(some) > VERSIONS_SHOWN:
        more = f"{request.path}?after={some[VERSIONS_SHOWN - 1].public_id}"
    may_edit = access.allows_everywhere(actor, Action.EDIT_CATALOGUE) and access.allows_everywhere(
        actor, Action.EDIT_SUBSCRIPTION
    )
    this = next((one for one in shown if one.price.pk == price.pk), None)
    can_end = (
        may_edit
        and price.valid_from is not None
        and price.ends_on is None
        and this is not None
        and this.valid_until is None
    )
    is_sold = price.archived_at is None and price.product.archived_at is None
    new = reverse("catalogue:new_version", args=[price.public_id])
    if price.account is not None:
        new = f"{new}?account={price.account.public_id}"
    return {
        "versions": [_version_row(one, price) for one in shown] if len(some) > 1 or after else [],
        "more_versions_url": more,
        "new_version_url": new if may_edit and is_sold else "",
        "end_url": reverse("catalogue:end_price", args=[price.public_id]) if can_end else "",
        "is_negotiated": price.account_id is not None,
    }


def _version_row(one: VersionShown, price: Price) -> VersionRow:
    version = one.price
    until = "" if one.valid_until is None else date_text(one.valid_until)
    return VersionRow(
        label=_("Version %(number)s") % {"number": version.number},
        url=reverse("catalogue:price", args=[version.public_id]),
        is_this=version.pk == price.pk,
        account=version.account.name if version.account else _("Everybody"),
        account_url=account_url(version.account_id, "prices") if version.account_id else "",
        since="" if version.valid_from is None else date_text(version.valid_from),
        until=_("taken back") if one.is_withdrawn else until,
        amount=price_amount(version),
        job="" if one.job is None else str(one.job.get_status_display()),
        job_url=""
        if one.job is None
        else reverse("catalogue:price_change", args=[one.job.public_id]),
    )


def _facts(price: Price, use: Use) -> list[Fact]:
    used = ngettext("%(count)s subscription", "%(count)s subscriptions", use.items)
    by = ngettext("%(count)s account", "%(count)s accounts", use.accounts)
    facts = [
        Fact(
            _("Product"),
            price.product.name,
            reverse("catalogue:product", args=[price.product.public_id]),
        ),
        Fact(_("Model"), str(MODELS[Model(price.model)])),
        Fact(_("Amount"), price_amount(price)),
        Fact(_("Period"), price_rhythm(price)),
        Fact(_("Due"), str(TIMINGS[Price.Timing(price.timing)])),
        Fact(_("Currency"), price.currency),
        Fact(_("Tax"), str(TAX_CLASSES[TaxClass(price.tax_class)])),
        Fact(_("Used"), used % {"count": quantity(use.items)}),
        Fact(_("Used by"), by % {"count": quantity(use.accounts)}),
        Fact(_("MRR"), money(use.monthly_minor, price.currency)),
    ]
    if price.meter is not None:
        url = reverse("catalogue:meter", args=[price.meter.public_id])
        facts.insert(2, Fact(_("Meter"), price.meter.name, url))
    if price.first_id is not None or price.account_id is not None:
        facts.insert(1, Fact(_("Version"), str(price.number)))
    if price.account is not None:
        url = account_url(price.account.pk, "prices")
        facts.insert(2, Fact(_("Negotiated with"), price.account.name, url))
    if price.valid_from is not None:
        facts.append(Fact(_("Valid from"), date_text(price.valid_from)))
    optional: list[tuple[str, Any]] = [
        (_("Unit"), price.unit),
        (_("Setup fee"), price.setup_fee and unit_price(price.setup_fee, price.currency)),
        (
            _("Minimum per period"),
            price.minimum_amount and unit_price(price.minimum_amount, price.currency),
        ),
        (_("Package size"), price.package_size and quantity(price.package_size)),
        (_("External ID"), price.external_id),
    ]
    return [*facts, *(Fact(label, value) for label, value in optional if value)]


def steps_to(price: Price, title: str) -> list[Crumb]:
    """Return the breadcrumb to a page about a price."""
    return [
        Crumb(_("Product catalogue"), reverse("catalogue:list")),
        Crumb(price.name, reverse("catalogue:price", args=[price.public_id])),
        Crumb(title),
    ]


def like_url(price: Price) -> str:
    """Return where a new price is made that begins with the terms of another; empty if nowhere."""
    if price.product.archived_at is not None:
        return ""
    new = reverse("catalogue:new_price", args=[price.product.public_id])
    return f"{new}?like={price.public_id}"


def _users(actor: Actor, price: Price) -> list[UserRow]:
    found = largest_users(actor, price.pk, on=actor.today, limit=USERS_SHOWN)
    return [
        UserRow(
            user.name,
            account_url(user.account_id),
            quantity(user.quantity),
            money(user.monthly_minor, price.currency),
        )
        for user in found
    ]


def _tiers(price: Price) -> list[TierRow]:
    rows, above = [], Decimal(0)
    for tier in price.terms.tiers:
        rows.append(
            TierRow(
                quantity(above),
                _("no end") if tier.up_to is None else quantity(tier.up_to),
                unit_price(tier.unit_amount, price.currency),
                unit_price(tier.flat_amount, price.currency),
            )
        )
        above = tier.up_to or above
    return rows
