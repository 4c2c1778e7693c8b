"""Invoicing subscriptions to somebody else from a day on; what was before stays known."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from subscriptions.models import EarlierRecipient, Subscription
from tenancy.actor import Actor
from tenancy.events import Happening, record_events
from tenancy.ids import public_id


def readdress(
    actor: Actor, targets: Mapping[UUID, UUID | None], *, day: date, now: datetime
) -> dict[UUID, UUID | None]:
    """Invoice subscriptions to other accounts from a day on; the caller has asked and locked trees.

    What is charged for earlier days is still invoiced to whom it was (R21).

    Args:
        actor: who does it.
        targets: subscriptions, each with its recipient; None for whoever its account says.
        day: since when.
        now: the instant, for the audit trail.

    Returns:
        To whom each was invoiced itself before.
    """
    found = Subscription.objects.select_for_update().filter(
        tenant_id=actor.tenant_id, pk__in=targets
    )
    before: dict[UUID, UUID | None] = {}
    happenings = []
    for one in found.order_by("id"):
        old, new = one.override_bill_to_id, targets[one.pk]
        before[one.pk] = old
        if old == new:
            continue
        if one.override_since != day:
            EarlierRecipient.objects.create(
                tenant_id=actor.tenant_id, subscription=one, bill_to_id=old, until=day
            )
        one.override_bill_to_id, one.override_since = new, day
        one.save(update_fields=["override_bill_to", "override_since"])
        happenings.append(_happening(one, old, new, day))
    record_events(actor, happenings, now=now)
    return before


def _happening(one: Subscription, old: UUID | None, new: UUID | None, day: date) -> Happening:
    said = {"since": day.isoformat()}
    if one.external_id is not None:
        said["external_id"] = one.external_id
    if new is not None:
        said["bill_to"] = public_id("acc", new)
    return Happening(
        "subscription.readdressed",
        one.pk,
        one.account_id,
        before={"bill_to": None if old is None else public_id("acc", old)},
        after={"bill_to": None if new is None else public_id("acc", new), "since": said["since"]},
        data=said,
    )
