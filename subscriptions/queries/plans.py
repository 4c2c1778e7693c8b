"""Plans: all of them, one by one, and by how many subscriptions they are had."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, Prefetch, Q, QuerySet

from accounts import access
from accounts.access import Action
from billing_rules.periods import Interval
from subscriptions.models import Plan, PlanItem, Subscription
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of


@dataclass(frozen=True, slots=True)
class Variant:
    """A plan in one currency for one interval."""

    currency: str
    interval: Interval
    items: Sequence[PlanItem]


def plans(actor: Actor, *, is_sold: bool | None = None) -> QuerySet[Plan]:
    """Return all plans by name, with items, prices and products. Two statements.

    Args:
        actor: who asks.
        is_sold: only those that are sold, or only those that are archived.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere; the catalogue is the vendor's.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Plan.objects.filter(tenant_id=actor.tenant_id)
    if is_sold is not None:
        found = found.filter(archived_at__isnull=is_sold)
    items = PlanItem.objects.select_related("price__product").order_by("position", "id")
    return found.prefetch_related(Prefetch("items", items)).order_by("name", "id")


def get_plan(actor: Actor, reference: str) -> Plan:
    """Return the plan that ``pln_…`` or ``ext:…`` names, with its items. Two statements.

    Raises:
        Forbidden: as of ``plans``.
        NotFound: nothing is named so.
    """
    if "\x00" in reference:
        raise NotFound
    kind, _, external_id = reference.partition(":")
    named = Q(external_id=external_id) if kind == "ext" else Q(pk=key_of("pln", reference))
    found = plans(actor).filter(named).first()
    if found is None:
        raise NotFound
    return found


def plan_key(actor: Actor, reference: str) -> UUID:
    """Return the key of the plan that ``pln_…`` or ``ext:…`` names. One statement.

    Who may subscribe an account may name plans without reading the whole catalogue.

    Raises:
        NotFound: nothing is named so, or the actor may change subscriptions nowhere.
    """
    if "\x00" in reference:
        raise NotFound
    kind, _, external_id = reference.partition(":")
    named = Q(external_id=external_id) if kind == "ext" else Q(pk=key_of("pln", reference))
    found = (
        Plan.objects.filter(named, tenant_id=actor.tenant_id)
        .filter(Exists(access.reach(actor, Action.EDIT_SUBSCRIPTION).order_by()))
        .values_list("pk", flat=True)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def variants_of(plan: Plan) -> list[Variant]:
    """Return the variants of a plan, of which the items have been read, in their order."""
    found: dict[tuple[str, Interval], list[PlanItem]] = {}
    for item in sorted(plan.items.all(), key=lambda one: (one.position, one.pk)):
        found.setdefault((item.price.currency, item.price.cycle), []).append(item)
    return [Variant(*named, items) for named, items in found.items()]


def subscriptions_of_plan(actor: Actor, plan: Plan) -> QuerySet[Subscription]:
    """Return the subscriptions that have a plan, the latest start first. One statement.

    Raises:
        Forbidden: as of ``plans``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Subscription.objects.filter(tenant_id=actor.tenant_id, plan=plan)
    return found.select_related("account").order_by("-start_date", "-id")


def subscriptions_with(actor: Actor, plan_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many subscriptions have each of some plans, ended ones too. One statement.

    Raises:
        Forbidden: as of ``plans``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Subscription.objects.filter(tenant_id=actor.tenant_id, plan_id__in=plan_ids)
    counted = found.order_by().values("plan_id").annotate(count=Count("pk"))
    return {one["plan_id"]: one["count"] for one in counted}
