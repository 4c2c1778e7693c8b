"""Carrying out what a discount of an account changes: piece by piece, each exactly once."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.utils import translation

from accounts import access
from accounts.access import Action
from accounts.operations.job_actors import actor_of
from invoicing.operations.account_discounts.outcomes import Giving, Outcome, Way, outcomes
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.discounting import shorten
from invoicing.operations.subscriptions.settling import store_charges
from subscriptions.models import Discount
from subscriptions.operations.discounts.resolving import store_given
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from subscriptions.operations.subscriptions.terms import write_all_terms
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError
from tenancy.events import Happening, record_events
from tenancy.operations.jobs import (
    claim_job,
    drop_input,
    fail_job,
    finish_job,
    give_back,
    hold_job,
    piece_of,
)

_ID_BYTES: Final = 16
_PIECE_BEFORE: Final = 100
"""The size of a piece of jobs that do not say it yet."""


def work_on_discount(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Give a discount to the next piece of subscriptions, or end it for them.

    Returns:
        Whether there is a next one.
    """
    job = claim_job(actor, job_id, now=now)
    if job is None:
        return False
    giver = actor_of(actor, job)
    with translation.override(job.params["language"]):
        try:
            return _work(actor, giver, job_id, now=now)
        except SubscriptionHeld:
            # An alignment is being carried out: it waits, and the timetable comes by again.
            give_back(actor, job_id, done=job.done, result=job.result, now=now)
            return False
        except BillingError as refusal:
            fail_job(actor, job_id, code=refusal.code, detail=refusal.detail, now=now)
            return False


@operation
def _work(actor: Actor, giver: Actor, job_id: UUID, *, now: datetime) -> bool:
    job = hold_job(actor, job_id)
    if job is None:
        return False
    access.require_everywhere(giver, Action.EDIT_SUBSCRIPTION)
    key = UUID(job.params["discount"])
    discount = Discount.objects.get(tenant_id=actor.tenant_id, pk=key)
    number = job.done // int(job.params.get("piece", _PIECE_BEFORE))
    content = piece_of(actor, job_id, number) if job.total else b""
    ids = [
        UUID(bytes=content[start : start + _ID_BYTES])
        for start in range(0, len(content), _ID_BYTES)
    ]
    counts = Counter(job.result)
    if ids:
        given = Giving(discount, Way(job.params["way"]), date.fromisoformat(job.params["day"]))
        families = load_families(giver, [discount.root_id], None)
        today = date.fromisoformat(job.params["today"])
        found = outcomes(giver, families, given, ids, today=today, is_locked=True)
        _store(giver, given, found, now)
        counts.update(one.code for one in found)
        counts["gone"] += len(ids) - len(found)
    done = job.done + len(ids)
    # What nothing came of is not said.
    result = {code: count for code, count in counts.items() if count}
    if done < job.total:
        give_back(actor, job_id, done=done, result=result, now=now)
        return True
    drop_input(actor, job_id)
    finish_job(actor, job_id, result=result, changes={"done": done}, now=now)
    return False


def _store(actor: Actor, given: Giving, found: Sequence[Outcome], now: datetime) -> None:
    """Store what became of some subscriptions, in a few statements."""
    store_given(actor, {key: [one] for some in found for key, one in some.new.items()})
    shorten(
        actor,
        given.discount,
        {key: day for some in found for key, day in some.shortened.items()},
    )
    write_all_terms(actor, [one for some in found for one in some.written])
    store_charges(actor, [charge for some in found for charge in some.charges], now)
    is_given = given.way == Way.GIVE
    name = "subscription.discounted" if is_given else "subscription.discount_ended"
    record_events(
        actor, [_happening(name, given.discount, one) for one in found if one.is_changed], now=now
    )


def _happening(name: str, discount: Discount, one: Outcome) -> Happening:
    said = {"since": one.since.isoformat(), "discount": discount.public_id}
    after = {**said, "name": discount.name}
    if one.subscription.external_id is not None:
        said["external_id"] = one.subscription.external_id
    return Happening(name, one.subscription.pk, one.subscription.account_id, after=after, data=said)
