"""Meters: adding what is measured, and changing it until a price is charged by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from accounts.versions import require_version
from billing_rules.metering import Aggregation
from subscriptions.models import Meter, Price
from subscriptions.operations.catalogue.checking import InvalidPrice
from subscriptions.operations.catalogue.naming import named_once, said_of
from subscriptions.queries.meters import meter_shown
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7

_LONGEST: Final = {"external_id": 200, "name": 200}
_LONGEST_UNIT: Final = 20
ALWAYS_CHANGEABLE: Final = frozenset({"name", "unit"})
"""What may be changed of a meter that prices are charged by: how it is called."""


class InvalidMeter(Invalid):
    """A meter that can't be so; ``errors`` names each member."""

    code = "invalid_meter"
    message = gettext_lazy("This meter is not valid.")


class MeterUsed(Conflict):
    """What was measured so far would mean something else."""

    code = "meter_used"
    message = gettext_lazy(
        "Prices are charged by this meter; only its name and unit can be changed. Make a new meter"
        " for what is measured otherwise."
    )


class MeterAdded(Conflict):
    """It was added before: somebody has sent the same form twice."""

    code = "already_created"
    message = gettext_lazy("This has been created already. Nothing was created twice.")


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter as somebody wants it; ``external_id`` is what events call it."""

    external_id: str
    name: str
    aggregation: str
    unit: str = ""


def _unseen() -> None:
    """Ask nothing: the caller has not said what was seen."""


@operation
def create_meter(
    actor: Actor, wanted: NewMeter, *, key: UUID | None = None, now: datetime
) -> Meter:
    """Add something that is measured.

    Args:
        actor: who adds it.
        wanted: what it is called, and how its events become a quantity.
        key: what the row is to be called, so that one form makes one.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        InvalidMeter: a member can't be.
        ExternalIdTaken: another meter is called so.
        MeterAdded: there is one with this key.

    Source: docs/billing-rules.md, Usage.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if key is not None and Meter.objects.filter(tenant_id=actor.tenant_id, pk=key).exists():
        raise MeterAdded
    values = _possible(
        {
            "external_id": wanted.external_id,
            "name": wanted.name,
            "unit": wanted.unit,
            "aggregation": wanted.aggregation,
        }
    )
    meter = Meter(id=key or uuid7(), tenant_id=actor.tenant_id, created_at=now, **values)
    with named_once(actor, meter):
        meter.save(force_insert=True)
    said = {"name": meter.name, **said_of(meter.external_id)}
    record_event(actor, Happening("meter.created", meter.pk, after=values, data=said), now=now)
    return meter


@operation
def edit_meter(
    actor: Actor,
    meter_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: str = "",
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Meter:
    """Call a meter something else; what it measures only until a price is charged by it.

    Args:
        actor: who changes it.
        meter_id: the meter.
        changes: ``external_id``, ``name``, ``unit`` and ``aggregation``; what is left out stays.
        version: of what was shown, ``version_of(meter_shown(…))``; empty overwrites anyway.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such meter.
        ChangedMeanwhile: it is not as shown any more.
        MeterUsed: it would measure otherwise, and prices are charged by it.
        InvalidMeter, ExternalIdTaken: see there.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    # The whole row, also against who is just making a price that is charged by it.
    found = Meter.objects.select_for_update().filter(tenant_id=actor.tenant_id)
    meter = found.filter(pk=meter_id).order_by("pk").first()
    if meter is None:
        raise NotFound
    require_seen()
    stored = meter_shown(meter)
    wanted = _possible({**stored, **changes})
    require_version(version, stored, wanted)
    changed = sorted(name for name in stored if stored[name] != wanted[name])
    if not changed:
        return meter
    prices = Price.objects.filter(tenant_id=actor.tenant_id, meter_id=meter.pk)
    if not ALWAYS_CHANGEABLE.issuperset(changed) and prices.exists():
        raise MeterUsed
    for name in changed:
        setattr(meter, name, wanted[name])
    with named_once(actor, meter):
        meter.save(update_fields=changed)
    happening = Happening(
        "meter.updated",
        meter.pk,
        before={name: stored[name] for name in changed},
        after={name: wanted[name] for name in changed},
        data={**said_of(meter.external_id), "name": meter.name, "changed": changed},
    )
    record_event(actor, happening, now=now)
    return meter


def require_meter(actor: Actor, meter_id: UUID | None) -> None:
    """Return if a new price may be charged by a meter, and hold the meter. One statement.

    Raises:
        InvalidPrice: there is no such meter, or it is archived.
    """
    if meter_id is None:
        return
    held = Meter.objects.select_for_update(no_key=True).filter(tenant_id=actor.tenant_id)
    meter = held.filter(pk=meter_id).order_by("pk").first()
    if meter is None:
        wrong = FieldError("unknown_meter", _("There is no such meter."), "/meter")
        raise InvalidPrice(errors=[wrong])
    if meter.archived_at is not None:
        detail = _("This meter is archived; no new price is charged by it.")
        raise InvalidPrice(errors=[FieldError("meter_archived", detail, "/meter")])


def _possible(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of a meter as they are stored.

    Raises:
        InvalidMeter: all that is wrong with it is named.
    """
    wanted = {name: str(value or "").strip() for name, value in values.items()}
    errors = []
    for name, longest in _LONGEST.items():
        if not 0 < len(wanted[name]) <= longest or not wanted[name].isprintable():
            detail = _("1 to 200 characters are expected.")
            errors.append(FieldError("invalid", detail, f"/{name}"))
    if len(wanted["unit"]) > _LONGEST_UNIT or not wanted["unit"].isprintable():
        detail = _("At most 20 characters are possible.")
        errors.append(FieldError("too_long", detail, "/unit"))
    possible = [one.value for one in Aggregation]
    if wanted["aggregation"] not in possible:
        detail = _("One of these is expected: %(choices)s.") % {"choices": ", ".join(possible)}
        errors.append(FieldError("invalid_choice", detail, "/aggregation"))
    if errors:
        raise InvalidMeter(errors=errors)
    return wanted
