"""Carrying out what a discount of an account changes: piece by piece, each exactly once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.operations.job_steps import Step, work_step
from invoicing.engine.families import Families
from invoicing.operations.account_discounts.giving import (
    MANY,
    PIECE,
    below,
    holding,
    one_of_many,
)
from invoicing.operations.account_discounts.outcomes import Giving, Outcome, Way, outcomes
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.discounting import shorten
from invoicing.operations.subscriptions.settling import store_charges
from subscriptions.models import Discount
from subscriptions.operations.discounts.resolving import store_given
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from subscriptions.operations.subscriptions.terms import write_all_terms
from tenancy.actor import Actor
from tenancy.events import Happening, record_events
from tenancy.models import Job
from tenancy.operations.jobs import ids_of, piece_of

_PIECE_BEFORE: Final = 100
"""The size of a piece of jobs that do not say it yet."""
_AT_ONCE: Final = 200
"""So many discounts of a job for many are carried out in one transaction, of one tree."""
_AFTER: Final = "after"


def work_on_discount(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Give a discount to the next piece of subscriptions, or end it for them.

    Returns:
        Whether there is a next one.
    """
    # While an alignment is being carried out it waits.
    return work_step(
        actor,
        job_id,
        lambda giver, job: _give(giver, job, now=now),
        waits_for=(SubscriptionHeld,),
        now=now,
    )


def _give(giver: Actor, job: Job, *, now: datetime) -> Step:
    access.require_everywhere(giver, Action.EDIT_SUBSCRIPTION)
    turn = _next_of_many(giver, job) if job.params.get("many") else _next_piece(giver, job)
    counts = Counter({code: n for code, n in job.result.items() if code != _AFTER})
    today = date.fromisoformat(job.params["today"])
    for giving, ids in turn.parts:
        # One after the other: what one gives, the next finds.
        found = outcomes(giver, turn.families, giving, ids, today=today, is_locked=True)
        _store(giver, giving, found, now)
        counts.update(one.code for one in found)
        counts["gone"] += len(ids) - len(found)
    # What nothing came of is not said.
    result: dict[str, Any] = {code: count for code, count in counts.items() if count}
    if turn.after is not None:
        result[_AFTER] = str(turn.after)
    return Step(turn.done, result)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is done next, in one locked tree, and how far the job is then.

    ``after`` is the last subscription of a discount that has more of them; None for its first.
    """

    families: Families
    parts: Sequence[tuple[Giving, Sequence[UUID]]]
    done: int
    after: UUID | None = None


def _next_piece(giver: Actor, job: Job) -> _Turn:
    """Return the next subscriptions of a job for one discount."""
    key = UUID(job.params["discount"])
    discount = Discount.objects.get(tenant_id=giver.tenant_id, pk=key)
    number = job.done // int(job.params.get("piece", _PIECE_BEFORE))
    ids = ids_of(giver, job.pk, number) if job.total else []
    giving = Giving(discount, Way(job.params["way"]), date.fromisoformat(job.params["day"]))
    families = load_families(giver, [discount.root_id], None)
    return _Turn(families, [(giving, ids)] if ids else [], job.done + len(ids))


def _next_of_many(giver: Actor, job: Job) -> _Turn:
    """Return the next subscriptions of a job for many discounts, of as many as are in one tree.

    Whoever begins to subscribe meanwhile waits for the lock of the tree, and takes it by itself.
    """
    done, text = job.done, job.result.get(_AFTER)
    after, families = None if text is None else UUID(text), None
    parts: list[tuple[Giving, Sequence[UUID]]] = []
    room = PIECE
    while families is None or (done < job.total and room > 0 and done - job.done < _AT_ONCE):
        key, way = one_of_many(piece_of(giver, job.pk, done // MANY), done % MANY)
        discount = Discount.objects.get(tenant_id=giver.tenant_id, pk=key)
        if families is None:
            families = load_families(giver, [discount.root_id], None)
        elif discount.account_id not in families.accounts:
            # One tree at a time: locks are taken in order, or not at all.
            break
        giving = Giving(discount, way, _since(discount, way))
        ids = _concerned(giver, giving, after, room)
        parts += [(giving, ids)] if ids else []
        if len(ids) == room:
            return _Turn(families, parts, done, ids[-1])
        done, after, room = done + 1, None, room - len(ids)
    return _Turn(families, parts, done)


def _since(discount: Discount, way: Way) -> date:
    day = discount.starts if way == Way.GIVE else discount.ends
    assert day is not None  # noqa: S101 - that is what ending it means
    return day


def _concerned(actor: Actor, giving: Giving, after: UUID | None, most: int) -> Sequence[UUID]:
    """Return the next subscriptions that a discount is given to, or ended for."""
    discount = giving.discount
    if giving.way == Way.GIVE:
        assert discount.account_id is not None  # noqa: S101 - it is one of an account
        found = below(actor, discount.account_id)
    else:
        found = holding(actor, discount, giving.day)
    if after is not None:
        found = found.filter(pk__gt=after)
    return list(found.values_list("pk", flat=True)[:most])


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
