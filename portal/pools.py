"""Pools in the portal: what is charged together, and what the own part of it is."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from invoicing.queries.pooled import pool_outlook, pool_part
from subscriptions.models import UsagePool
from subscriptions.queries.pools import get_shown_pool, page_of_pools, pools_shown
from tenancy.actor import Actor
from tenancy.formats import date_text, period_text
from web.page_heads import Crumb, Fact
from web.pools import (
    MOST_SHOWN,
    member_row,
    meter_name,
    not_shown,
    others_row,
    pool_facts,
    until_text,
)
from web.templatetags.figures import money, quantity


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool in the list; of one further up neither its account nor its price is named."""

    name: str
    url: str
    account: str
    since: str
    until: str


def has_pools(actor: Actor) -> bool:
    """Return whether anything is charged together that the actor sees. One statement."""
    return pools_shown(actor).exists()


@require_safe
def pool_list(request: ActorRequest) -> HttpResponse:
    """List what is charged together, the latest first. At most two statements."""
    actor = request.actor
    if actor.staff_role is not None:
        return redirect("customers:list")
    page = page_of_pools(
        actor, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    context = {"rows": [_row(pool, actor) for pool in page.rows], "page": page}
    return render(request, "portal/pools.html", context)


def _row(pool: UsagePool, actor: Actor) -> PoolRow:
    price = pool.price_on(actor.today)
    is_whole: bool = pool.is_whole  # type: ignore[attr-defined]  # as the list has read it
    return PoolRow(
        name=price.name if is_whole else meter_name(price),
        url=reverse("portal-pool", args=[pool.public_id]),
        account=pool.account.name if is_whole else "",
        since=date_text(pool.starts),
        until=until_text(pool),
    )


@require_safe
def pool_page(request: ActorRequest, pool_id: str) -> HttpResponse:
    """Show what a pool comes to, or the own share in it.

    Of a pool of an account in reach everything is shown, of another one what the own members used
    and pay. The tree is read as a run reads it: sixteen statements beside those of the frame.
    """
    actor = request.actor
    pool = get_shown_pool(actor, pool_id)
    if actor.staff_role is not None:
        return redirect("customers:pool", pool.account.public_id, pool.public_id)
    is_whole: bool = pool.is_whole  # type: ignore[attr-defined]  # as it was read
    shown = _whole(request, pool) if is_whole else _part(request, pool)
    title = shown["title"]
    steps = [Crumb(_("Charged together"), reverse("portal-pools")), Crumb(title)]
    context = {"steps": steps, "is_part": not is_whole, **shown}
    return render(request, "portal/pool.html", context)


def _whole(request: ActorRequest, pool: UsagePool) -> dict[str, Any]:
    today = request.actor.today
    effect = pool_outlook(request.actor, pool, tenant=request.tenant, today=today)
    currency = pool.price.currency
    members = () if effect is None else effect.members
    others = None if effect is None else effect.others
    account = Fact(_("Account"), _("%(account)s and below") % {"account": pool.account.name})
    return {
        "title": _("Charged together: %(price)s") % {"price": pool.price_on(today).name},
        "facts": [account, *pool_facts(pool, effect, today)],
        "members": [
            *(member_row(one, currency) for one in members[:MOST_SHOWN]),
            *others_row(others, currency),
        ],
        "more": not_shown(members),
    }


def _part(request: ActorRequest, pool: UsagePool) -> dict[str, Any]:
    today = request.actor.today
    part = pool_part(request.actor, pool, tenant=request.tenant, today=today)
    name, currency = meter_name(pool.price), pool.price.currency
    facts = [Fact(_("Meter"), name)]
    if part is None or not part.is_known:
        facts.append(Fact(_("What it comes to"), _("This is too much to be reckoned here.")))
    else:
        facts += [
            Fact(_("As used in"), period_text(part.period.start, part.period.end)),
            Fact(_("Used"), quantity(part.quantity)),
            Fact(_("Share"), money(part.share_minor, currency)),
        ]
    members = () if part is None else part.members
    return {
        "title": _("Charged together: %(price)s") % {"price": name},
        "facts": facts,
        "members": [member_row(one, currency) for one in members[:MOST_SHOWN]],
        "more": not_shown(members),
    }
