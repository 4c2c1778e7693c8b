"""Pools of an account: usage that is charged together; beginning and ending them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from dashboard.pages.subscriptions.made_good import refused
from dashboard.pages.subscriptions.when import INPUT, day_field
from invoicing.operations.pools.beginning import NewPool, PoolAdded, begin_pool, end_pool
from invoicing.queries.pooled import PoolEffect, pool_outlook
from subscriptions.models import UsagePool
from subscriptions.queries.catalogue import metered_prices
from subscriptions.queries.pools import get_pool, pools_above
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import date_text
from tenancy.ids import key_of, parse_public_id, public_id
from web.accounts import account_url, steps_to
from web.form_keys import fresh_key, key_in
from web.offering import offered
from web.page_heads import Crumb, Fact
from web.pools import (
    MOST_SHOWN,
    MemberRow,
    member_row,
    meter_name,
    not_shown,
    pool_facts,
    until_text,
)
from web.prices import price_amount
from web.session_checks import staff_only

MOST_PRICES: Final = 500


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool as a table shows it."""

    name: str
    url: str
    meter: str
    since: str
    until: str
    account: str
    account_url: str
    end_url: str


class BeginForm(forms.Form):
    """By which price, from when on, and up to when."""

    price = forms.ChoiceField(
        label=gettext_lazy("Price"),
        help_text=gettext_lazy(
            "Its tiers hold for all together; what is charged by its meter, in its currency and at"
            " its interval is in the pool."
        ),
        widget=forms.Select(attrs=INPUT),
    )
    starts = day_field(
        gettext_lazy("First day"),
        gettext_lazy("Left empty: today. Each period of the pool begins on its day of the month."),
    )
    ends = day_field(
        gettext_lazy("First day without it (optional)"),
        gettext_lazy("A day on which one of its periods ends; left empty, until somebody ends it."),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Offer the prices that are charged by a meter. One statement."""
        super().__init__(*args, **kwargs)
        field = self.fields["price"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
        found = offered(field, metered_prices(actor), MOST_PRICES)
        names = [
            (one.public_id, f"{one.product.name}: {one.name} ({one.currency})") for one in found
        ]
        field.choices = [("", "–"), *names]


class EndForm(forms.Form):
    """From when on each is charged alone."""

    ends = day_field(
        gettext_lazy("First day without it"),
        gettext_lazy("Left empty: the end of the running period; before it begins, never."),
    )


@require_safe
@staff_only
def account_pools(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show the pools of an account and of those above. Two statements beside those of the frame."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    account, title = path[-1], _("Pools")
    may = access.allows_everywhere(actor, Action.EDIT_CATALOGUE)
    is_archived = account.status == Account.Status.ARCHIVED
    context = {
        "title": title,
        "steps": _steps(path, title),
        "pools": [_row(one, actor, may=may) for one in pools_above(actor, account)],
        "new_url": reverse("customers:new_pool", args=[account.public_id])
        if may and not is_archived
        else "",
        "usage_url": f"{account_url(account.pk, 'usage')}?below=1",
        "scope_name": account.name,
    }
    return render(request, "customers/pools.html", context)


def _row(pool: UsagePool, actor: Actor, *, may: bool) -> PoolRow:
    args = [pool.account.public_id, pool.public_id]
    is_open = pool.ends is None or (pool.ends > actor.today and pool.ends > pool.starts)
    price = pool.price_on(actor.today)
    return PoolRow(
        name=price.name,
        url=reverse("customers:pool", args=args),
        meter=meter_name(price),
        since=date_text(pool.starts),
        until=until_text(pool),
        account=pool.account.name,
        account_url=account_url(pool.account_id),
        end_url=reverse("customers:end_pool", args=args) if may and is_open else "",
    )


@require_safe
@staff_only
def pool_page(request: ActorRequest, account_id: str, pool_id: str) -> HttpResponse:
    """Show a pool: what its members have used, and what that costs alone and together."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    pool = _pool(actor, path, pool_id)
    effect = pool_outlook(actor, pool, tenant=request.tenant, today=actor.today)
    row = _row(pool, actor, may=access.allows_everywhere(actor, Action.EDIT_CATALOGUE))
    title = _("Pool: %(price)s") % {"price": row.name}
    context = {
        "title": title,
        "steps": _steps(path, title, pools=True),
        "row": row,
        "facts": _facts(pool, effect, actor.today),
        "members": _members(effect),
        "more": 0 if effect is None else not_shown(effect.members),
        "scope_name": path[-1].name,
    }
    return render(request, "customers/pool.html", context)


def _pool(actor: Actor, path: Sequence[Account], pool_id: str) -> UsagePool:
    pool = get_pool(actor, pool_id)
    if pool.account_id != path[-1].pk:
        raise NotFound
    return pool


def _facts(pool: UsagePool, effect: PoolEffect | None, today: date) -> list[Fact]:
    url = reverse("catalogue:price", args=[pool.price_on(today).public_id])
    first, *others = pool_facts(pool, effect, today, price_url=url)
    return [first, *_coming(pool, today), *others]


def _coming(pool: UsagePool, today: date) -> list[Fact]:
    """Return the versions of its price by which a pool is to charge later."""
    held = [(one.price, one.until) for one in pool.earlier]
    following = [*(price for price, _until in held[1:]), pool.price] if held else []
    return [
        Fact(
            _("Price from %(day)s on") % {"day": date_text(until)},
            f"{price.name}, {price_amount(price)}",
            reverse("catalogue:price", args=[price.public_id]),
        )
        for (_before, until), price in zip(held, following, strict=True)
        if until > today and (pool.ends is None or until < pool.ends)
    ]


def _members(effect: PoolEffect | None) -> list[MemberRow]:
    if effect is None:
        return []
    currency = effect.price.currency
    return [
        replace(
            member_row(one, currency),
            account_url=account_url(one.account.pk),
            subscription_url=reverse(
                "subscriptions:page", args=[public_id("sub", one.subscription_id)]
            ),
        )
        for one in effect.members[:MOST_SHOWN]
    ]


@dataclass(frozen=True, slots=True)
class _Page:
    """What a form is called, what its button says, and what follows."""

    heading: str
    button: str
    explanation: str


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_pool(request: ActorRequest, account_id: str) -> HttpResponse:
    """Ask for a pool for an account and all below it; POST begins it."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    sent = _sent(request)
    form = BeginForm(sent, actor=actor)
    key = key_in(actor, sent.get("key", "") if sent is not None else "")
    page = _Page(
        _("Charge usage of all below together"),
        _("Begin"),
        _(
            "What this account and all below it use is charged together from then on, and shared"
            " by what each has used. Each share goes to whom its subscription is invoiced."
        ),
    )

    def act(*, is_dry_run: bool) -> list[Fact]:
        chosen = form.cleaned_data
        begun = begin_pool(
            actor,
            path[-1].pk,
            NewPool(
                parse_public_id("prc", chosen["price"]),
                chosen["starts"] or actor.today,
                chosen["ends"],
            ),
            key=key,
            is_dry_run=is_dry_run,
            today=actor.today,
            now=timezone.now(),
        )
        return _facts(begun.pool, begun.effect, actor.today)

    if request.method == "POST" and key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    return _perform(request, path, form, page, act)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def close_pool(request: ActorRequest, account_id: str, pool_id: str) -> HttpResponse:
    """Ask from when on each is charged alone; POST ends the pool."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    pool = _pool(actor, path, pool_id)
    form = EndForm(_sent(request))
    page = _Page(
        _("End a pool"),
        _("End"),
        _("From then on each is charged for its usage alone, by its own price."),
    )

    def act(*, is_dry_run: bool) -> list[Fact]:
        day = form.cleaned_data["ends"]
        ended = end_pool(
            actor, pool.pk, day=day, is_dry_run=is_dry_run, today=actor.today, now=timezone.now()
        )
        return [
            Fact(_("Price"), ended.price_on(actor.today).name),
            Fact(_("First day without it"), until_text(ended)),
        ]

    return _perform(request, path, form, page, act)


def _sent(request: ActorRequest) -> Any:
    if request.method == "POST":
        return request.POST
    return request.GET if request.headers.get("HX-Request") else None


def _perform(
    request: ActorRequest,
    path: list[Account],
    form: forms.Form,
    page: _Page,
    act: Callable[..., list[Fact]],
) -> HttpResponse:
    actor, account = request.actor, path[-1]
    url = reverse("customers:pools", args=[account.public_id])
    if request.method == "POST":
        try:
            result = _tried(form, act, is_dry_run=False)
        except PoolAdded as refusal:
            messages.info(request, refusal.detail)
            return redirect(url)
        if result is not None:
            messages.success(request, _("It is noted; invoices from then on follow it."))
            return redirect(url)
    elif request.headers.get("HX-Request"):
        result = _tried(form, act, is_dry_run=True)
        context = refused(form)
        if result is not None:
            context |= {"facts": result, "is_shown": True}
        return render(request, "customers/_discount_preview.html", context)
    carried = request.POST.get("key", "")
    context = {
        "title": page.heading,
        "page": page,
        "form": form,
        "key": carried if key_in(actor, carried) else fresh_key(actor),
        "cancel_url": url,
        "steps": _steps(path, page.heading, pools=True),
        "scope_name": account.name,
    }
    is_refused = request.method == "POST"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "customers/discount_form.html", context, status=status)


def _tried(
    form: forms.Form, act: Callable[..., list[Fact]], *, is_dry_run: bool
) -> list[Fact] | None:
    if not form.is_valid():
        return None
    try:
        return act(is_dry_run=is_dry_run)
    except PoolAdded:
        raise
    except (Conflict, Invalid) as refusal:
        for error in refusal.errors:
            name = error.pointer.removeprefix("/")
            form.add_error(name if name in form.fields else None, error.detail)
        if not refusal.errors:
            form.add_error(None, refusal.detail)
        return None


def _steps(path: list[Account], title: str, *, pools: bool = False) -> list[Crumb]:
    here = [Crumb(path[-1].name, account_url(path[-1].pk))]
    if pools:
        here.append(Crumb(_("Pools"), reverse("customers:pools", args=[path[-1].public_id])))
    return [*steps_to(path)[:-1], *here, Crumb(title)]
