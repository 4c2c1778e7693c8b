"""What somebody has who chooses a plan: its items in one currency and interval, with add-ons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from billing_rules.periods import Interval
from subscriptions.models import Plan, PlanItem
from subscriptions.operations.plans.checking import bounds_fault
from subscriptions.queries.plans import Variant, variants_of
from tenancy.actor import Actor
from tenancy.errors import FieldError


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan, in which variant, and how much of what.

    Attributes:
        plan_id: which.
        currency, interval: of the variant; may be left out where that is clear.
        quantities: by price: of items other than the plan says (None: as it says), and the add-ons
            that are taken.
    """

    plan_id: UUID
    currency: str | None = None
    interval: Interval | None = None
    quantities: Mapping[UUID, Decimal | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bundled:
    """A plan that was chosen, and what is had of it: prices with quantities, in its order."""

    plan: Plan | None
    items: Mapping[UUID, Decimal]
    errors: tuple[FieldError, ...] = ()


def bundled(actor: Actor, choice: PlanChoice) -> Bundled:
    """Return what a choice comes to, or why it can't be. Two statements.

    The plan stays as it is until the transaction ends.

    Args:
        actor: whose tenant; the caller has asked for the right to subscribe.
        choice: the plan, its variant, quantities and add-ons.

    Source: docs/billing-rules.md, Plans.
    """
    items = PlanItem.objects.select_related("price__product").order_by("position", "id")
    found = Plan.objects.filter(tenant_id=actor.tenant_id, pk=choice.plan_id)
    plan = found.select_for_update().prefetch_related(Prefetch("items", items)).first()
    if plan is None:
        return _refused("unknown_plan", _("There is no such plan."), "/plan")
    if plan.archived_at is not None:
        detail = _("This plan is archived; nothing new begins with it.")
        return _refused("plan_archived", detail, "/plan")
    fitting = [one for one in variants_of(plan) if _fits(one, choice)]
    if len(fitting) != 1:
        if fitting:
            detail = _("Please name currency and interval: the plan has several.")
            return _refused("ambiguous_variant", detail, "/plan")
        detail = _("The plan has no variant with this currency, interval and these items.")
        return _refused("unknown_variant", detail, "/plan")
    [variant] = fitting
    had, errors = {}, []
    for item in variant.items:
        if item.is_addon and item.price_id not in choice.quantities:
            continue
        wanted = choice.quantities.get(item.price_id)
        quantity = item.quantity if wanted is None else wanted
        at = f"/items/{[*choice.quantities].index(item.price_id)}" if wanted is not None else ""
        if fault := _out_of_bounds(item, quantity, f"{at}/quantity"):
            errors.append(fault)
        had[item.price_id] = quantity
    return Bundled(plan, had, tuple(errors))


def _fits(variant: Variant, choice: PlanChoice) -> bool:
    """Return whether a variant is the one that is meant: it has all that is chosen."""
    has = {item.price_id for item in variant.items}
    return (
        choice.currency in (None, variant.currency)
        and choice.interval in (None, variant.interval)
        and has.issuperset(choice.quantities)
    )


def _out_of_bounds(item: PlanItem, quantity: Decimal, at: str) -> FieldError | None:
    # What is no number is refused by whoever begins with it.
    is_number = quantity.is_finite()
    return bounds_fault(quantity, item.minimum, item.maximum, at) if is_number else None


def _refused(code: str, detail: str, at: str) -> Bundled:
    return Bundled(None, {}, (FieldError(code, detail, at),))
