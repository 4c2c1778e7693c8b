"""A version of a price begins or ends: stored at once, carried out by a job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from struct import Struct
from typing import Final
from uuid import UUID

from django.utils import translation

from accounts import access
from accounts.access import Action
from invoicing.queries.repriced_pools import PoolsEffect, concerned_pools, pools_effect_of
from invoicing.queries.repricing import (
    Beside,
    Effect,
    Repricing,
    Way,
    by_root,
    concerned_items,
    effect_of,
    told_of,
)
from subscriptions.models import Price
from subscriptions.operations.catalogue import (
    NewVersion,
    hold_price,
    planned_end,
    planned_version,
    store_end,
    store_version,
)
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import NotFound
from tenancy.models import Job
from tenancy.operations.jobs import (
    finish_job,
    go_on,
    keep_ids,
    keep_input,
    request_job,
    stop_job,
)

PIECE: Final = 1_000
"""So many subscriptions, or pools, change in one transaction."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A version as it would be, and what it comes to."""

    repricing: Repricing
    effect: Effect
    pools: PoolsEffect

    @property
    def price(self) -> Price:
        """The version, stored or not."""
        return self.repricing.price


def preview_version(actor: Actor, price_id: UUID, wanted: NewVersion, *, today: date) -> Planned:
    """Return what another version of a price would come to; nothing is locked or stored.

    Raises:
        Whatever ``begin_version`` refuses.
    """
    price = planned_version(actor, price_id, wanted, is_locked=False, today=today)
    return _planned(actor, Repricing(price, Way.BEGIN), today)


def preview_end(actor: Actor, price_id: UUID, day: date | None, *, today: date) -> Planned:
    """Return what the end of a version would come to; nothing is locked or stored.

    Raises:
        Whatever ``end_version`` refuses.
    """
    price = planned_end(actor, price_id, day, is_locked=False)
    return _planned(actor, Repricing(price, Way.END), today)


def _planned(actor: Actor, repricing: Repricing, today: date) -> Planned:
    effect = effect_of(actor, repricing, today=today)
    return Planned(repricing, effect, pools_effect_of(actor, repricing))


@operation
def begin_version(
    actor: Actor,
    price_id: UUID,
    wanted: NewVersion,
    *,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> tuple[Price, Job]:
    """Let a price cost something else from a day on: for everybody, or at an account and below.

    Whoever begins from now on has it. What is had already gets it by a job: all items that have,
    from that day on, the version that their account has without it. Who has another by own choice
    keeps it.

    Args:
        actor: who changes the price.
        price_id: any version of it.
        wanted: the new one.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Returns:
        The version, and the job that carries it out.

    Raises:
        Whatever ``planned_version`` and ``store_version`` refuse.

    Source: docs/billing-rules.md, Versions of a price, Negotiated prices.
    """
    hold_price(actor, price_id)
    if require_seen is not None:
        require_seen()
    price = planned_version(actor, price_id, wanted, is_locked=True, today=today)
    repricing = Repricing(price, Way.BEGIN)
    store_version(actor, price, told=told_of(actor, repricing, today=today), now=now)
    return price, request_repricing(actor, repricing, today=today, now=now)


@operation
def end_version(
    actor: Actor,
    price_id: UUID,
    day: date | None,
    *,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> tuple[Price, Job]:
    """Let a negotiated price end, or take a version back: what is there without it holds again.

    Args:
        actor: who ends it.
        price_id: the version, the last of its place.
        day: the first day on which it holds no longer; None takes it back as a whole.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Returns:
        The version, and the job that carries it out.

    Raises:
        Whatever ``planned_end`` refuses.

    Source: docs/billing-rules.md, Negotiated prices.
    """
    hold_price(actor, price_id)
    if require_seen is not None:
        require_seen()
    price = planned_end(actor, price_id, day, is_locked=True)
    store_end(actor, price, now=now)
    return price, request_repricing(actor, Repricing(price, Way.END), today=today, now=now)


def request_repricing(actor: Actor, repricing: Repricing, *, today: date, now: datetime) -> Job:
    """Put the subscriptions that have the price into the queue; nobody begins with it meanwhile.

    After them come the pools that charge by it, then the versions beside it, if there are any.
    A step of whoever has stored the versions, under the lock of the price.
    """
    rows = concerned_items(actor, repricing).order_by().values_list("subscription_id", "account_id")
    ids = by_root(actor, dict(rows))
    pools = list(concerned_pools(actor, repricing).values_list("id", flat=True))
    params = {
        "price": str(repricing.price.pk),
        "first": str(repricing.price.family_id),
        "way": repricing.way.value,
        "since": repricing.since.isoformat(),
        **({"beside": len(repricing.beside)} if repricing.beside else {}),
        "today": today.isoformat(),
        "language": translation.get_language() or "en",
        "subscriptions": len(ids),
    }
    pieces = [*_pieces(ids), *_pieces(pools)]
    total = len(ids) + len(pools)
    job = request_job(actor, Job.Kind.PRICES, params=params, total=total, now=now)
    keep_ids(actor, job.pk, pieces)
    if not total:
        finish_job(actor, job.pk, result={}, changes={}, now=now)
        job.refresh_from_db()
    elif repricing.beside:
        keep_input(actor, job.pk, len(pieces), packed(repricing.beside))
    return job


def _pieces(ids: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [ids[start : start + PIECE] for start in range(0, len(ids), PIECE)]


_BESIDE: Final = Struct(">16s16sI?")


def packed(beside: Sequence[Beside]) -> bytes:
    """Return the versions beside a job's own as its last piece keeps them."""
    return b"".join(
        _BESIDE.pack(
            one.price_id.bytes,
            UUID(int=0).bytes if one.account_id is None else one.account_id.bytes,
            one.since.toordinal(),
            one.way == Way.BEGIN,
        )
        for one in beside
    )


def unpacked(content: bytes) -> list[Beside]:
    """Return what ``packed`` has kept."""
    return [
        Beside(
            UUID(bytes=price),
            UUID(bytes=account) if any(account) else None,
            date.fromordinal(day),
            Way.BEGIN if begins else Way.END,
        )
        for price, account, day, begins in _BESIDE.iter_unpack(content)
    ]


@operation
def stop_repricing(actor: Actor, job_id: UUID, *, now: datetime) -> Job:
    """Stop a job that waits or runs; what is changed by then stays changed.

    Raises:
        NotFound, Forbidden: there is no such job, or it is not the actor's to stop.
    """
    job = _locked(actor, job_id)
    stop_job(actor, job, now=now)
    return job


@operation
def resume_repricing(actor: Actor, job_id: UUID, *, today: date, now: datetime) -> Job:
    """Let a job that was stopped or broken off go on where it stood; asked again, it does nothing.

    Args:
        actor: in whose name it goes on.
        job_id: the job.
        today: the tenant's day; nothing it charges falls due before.
        now: the instant, for the audit trail.

    Raises:
        NotFound, Forbidden: as for ``stop_repricing``.
    """
    job = _locked(actor, job_id)
    if job.status not in (Job.Status.STOPPED, Job.Status.FAILED):
        return job
    job.params["today"] = today.isoformat()
    go_on(actor, job, now=now)
    return job


def _locked(actor: Actor, job_id: UUID) -> Job:
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    job = (
        Job.objects.select_for_update(of=("self",))
        .filter(tenant_id=actor.tenant_id, pk=job_id, kind=Job.Kind.PRICES)
        .first()
    )
    if job is None:
        raise NotFound
    return job
