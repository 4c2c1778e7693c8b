"""In whose name the work of a job is done."""

from dataclasses import replace

from accounts.models import Membership
from tenancy.actor import Actor, Requester
from tenancy.database import operation
from tenancy.ids import public_id
from tenancy.models import Job


@operation
def actor_of(actor: Actor, job: Job) -> Actor:
    """Return who asked for a job, with the rights they have now, for the work done in their name.

    Jobs that no person asked for are done by ``actor``, on behalf of the key or command that did.
    """
    requester = Requester.read(job.requested_by)
    if job.created_by_id is None:
        named = replace(actor, label=job.created_by_label or actor.label)
        return named.acting_for(requester)
    role = (
        Membership.objects.filter(tenant_id=actor.tenant_id, person_id=job.created_by_id)
        .order_by("id")
        .values_list("role", flat=True)
        .first()
    )
    return replace(
        actor,
        kind="person",
        label=job.created_by_label,
        origin=requester.origin if requester else actor.origin,
        person_id=job.created_by_id,
        staff_role=role,
        request_id=public_id("job", job.pk),
    )
