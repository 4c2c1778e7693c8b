"""Pools: those of an account and above it, and single ones."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, When

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from subscriptions.models import EarlierPoolPrice, Item, UsagePool
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import parse_public_id
from tenancy.queries.paging import Order, Page, page_of

_LATEST_FIRST: Final = Order("starts", is_falling=True)


def pools_in_reach(actor: Actor) -> QuerySet[UsagePool]:
    """Return the pools of accounts in reach, the newest first; each with account and price."""
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    found = UsagePool.objects.filter(tenant_id=actor.tenant_id, account__in=seen)
    return found.select_related("account", "price__meter").order_by("-starts", "-id")


def pools_shown(actor: Actor) -> QuerySet[UsagePool]:
    """Return the pools of which the actor sees anything, each with ``is_whole``.

    Whole are those of accounts in reach. Of a pool further up somebody sees the own share, if
    anything in reach is charged by its meter.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    tops = access.granted(actor, Action.VIEW_SUBSCRIPTION)
    own = Item.objects.filter(
        tenant_id=actor.tenant_id, account__in=seen, price__meter=OuterRef("price__meter")
    )
    is_own = Q(account__in=seen)
    above = tree.lies_above(actor.tenant_id, tops, "account_id") & Exists(own.order_by())
    found = UsagePool.objects.filter(is_own | above, tenant_id=actor.tenant_id)
    whole = Case(When(is_own, then=True), default=False, output_field=BooleanField())
    return found.annotate(is_whole=whole).select_related("account", "price__meter")


def page_of_pools(actor: Actor, *, after: str = "", before: str = "") -> Page[UsagePool]:
    """Return a page of the pools of which the actor sees anything, the latest first.

    At most two statements.
    """
    page = page_of(pools_shown(actor), _LATEST_FIRST, after=after, before=before)
    keep_earlier_prices(actor, page.rows)
    return page


def get_shown_pool(actor: Actor, reference: str) -> UsagePool:
    """Return a pool of which the actor sees anything, by its id. At most two statements.

    Raises:
        NotFound: none is named so.
    """
    return _named(actor, pools_shown(actor), reference)


def keep_earlier_prices(actor: Actor, pools: Iterable[UsagePool]) -> None:
    """Let pools that somebody has read know by which versions they charged before.

    One statement, none where each has charged by one version only.
    """
    some = [one for one in pools if one.price_since is not None]
    if not some:
        return
    rows = EarlierPoolPrice.objects.filter(
        tenant_id=actor.tenant_id, pool__in=[one.pk for one in some]
    )
    found: dict[UUID, list[EarlierPoolPrice]] = defaultdict(list)
    for row in rows.select_related("price__meter").order_by("until"):
        found[row.pool_id].append(row)
    for one in some:
        one.earlier = found[one.pk]


def pools_above(actor: Actor, account: Account) -> list[UsagePool]:
    """Return the pools of an account and of those above in reach, the newest first.

    At most three statements.
    """
    path = tree.path_ids(actor.tenant_id, account.pk)
    found = list(pools_in_reach(actor).filter(account_id__in=path))
    keep_earlier_prices(actor, found)
    return found


def get_pool(actor: Actor, reference: str) -> UsagePool:
    """Return a pool by its id. At most two statements.

    Raises:
        NotFound: none in reach is named so.
    """
    return _named(actor, pools_in_reach(actor), reference)


def _named(actor: Actor, pools: QuerySet[UsagePool], reference: str) -> UsagePool:
    key = parse_public_id("pol", reference)
    found = pools.filter(pk=key).first() if key else None
    if found is None:
        raise NotFound
    keep_earlier_prices(actor, [found])
    return found
