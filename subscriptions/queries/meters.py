"""Meters: what is measured, and which prices are charged by it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts import access
from accounts.access import Action
from subscriptions.models import Meter, Price
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of


def meters(actor: Actor, *, text: str = "", is_open: bool = False) -> QuerySet[Meter]:
    """Return all meters by name. One statement.

    Args:
        actor: who asks.
        text: only those whose name or external id contains it, in any case.
        is_open: only those that new prices may be charged by.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere; the catalogue is the vendor's.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Meter.objects.filter(tenant_id=actor.tenant_id)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(external_id__icontains=text))
    if is_open:
        found = found.filter(archived_at=None)
    return found.order_by("name", "id")


def get_meter(actor: Actor, reference: str) -> Meter:
    """Return the meter that ``mtr_…`` or ``ext:…`` names. One statement.

    Raises:
        Forbidden: as of ``meters``.
        NotFound: nothing is named so.
    """
    if "\x00" in reference:
        raise NotFound
    kind, _sep, external_id = reference.partition(":")
    named = Q(external_id=external_id) if kind == "ext" else Q(pk=key_of("mtr", reference))
    found = meters(actor).filter(named).first()
    if found is None:
        raise NotFound
    return found


def meter_shown(meter: Meter) -> dict[str, Any]:
    """Return all that a form shows of a meter."""
    return {
        "external_id": meter.external_id,
        "name": meter.name,
        "unit": meter.unit,
        "aggregation": meter.aggregation,
    }


@dataclass(frozen=True, slots=True)
class MeterUse:
    """How many prices are charged by a meter."""

    prices: int = 0


def meter_uses(actor: Actor, meter_ids: Collection[UUID]) -> dict[UUID, MeterUse]:
    """Return where meters are used; those that no price names are left out. One statement.

    Raises:
        Forbidden: as of ``meters``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    rows = (
        Price.objects.filter(tenant_id=actor.tenant_id, meter_id__in=list(meter_ids))
        .order_by()
        .values("meter_id")
        .annotate(prices=Count("pk"))
        .values_list("meter_id", "prices")
    )
    return {key: MeterUse(prices) for key, prices in rows}


def prices_of_meter(actor: Actor, meter_id: UUID) -> QuerySet[Price]:
    """Return the prices that are charged by a meter, with their products. One statement.

    Raises:
        Forbidden: as of ``meters``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Price.objects.filter(tenant_id=actor.tenant_id, meter_id=meter_id)
    return found.select_related("product").order_by("name", "id")
