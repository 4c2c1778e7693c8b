"""Aligning what subscriptions are charged for: one act, which a plan carries out on its day."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from invoicing.engine.aligning import Aligned, Left, Method
from invoicing.models import ChangePlan
from invoicing.operations.plans.aligning_jobs import (
    AT_ONCE,
    Changed,
    begin_aligning,
    write_aligned,
)
from invoicing.queries.plans.aligning import Alignings
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import Alignment
from subscriptions.operations.subscriptions.aligning import NewDays
from tenancy.actor import Actor
from tenancy.models import Job


def align(
    actor: Actor,
    plan: ChangePlan,
    standing: Standing,
    alignings: Alignings,
    *,
    keeps: bool,
    now: datetime,
) -> Job | None:
    """Let subscriptions begin their periods on the common date.

    Some are aligned at once; of more none yet: a job is returned that does it. The caller
    has asked for the right, locked the trees, and set the day on the accounts.

    Args:
        actor: in whose name.
        plan: the plan, locked.
        standing: its accounts.
        alignings: what becomes of each subscription.
        keeps: the caller goes on with the job itself.
        now: the instant.

    Source: docs/billing-rules.md, One renewal date.
    """
    wanted = standing.wanted
    is_back = wanted.alignment is not None and wanted.alignment.is_back
    until, changed = None if is_back else wanted.day, _changed(alignings)
    if len(changed) <= AT_ONCE:
        write_aligned(actor, changed, own_days_until=until, now=now)
        return None
    return begin_aligning(actor, plan, changed, own_days_until=until, keeps=keeps, now=now)


def _changed(alignings: Alignings) -> dict[UUID, Changed]:
    """Return what becomes of each subscription of which anything is written."""
    found: dict[UUID, Changed] = {}
    for one in alignings.everything:
        new = _new_days(one)
        if new is not None:
            changed = found.setdefault(new.subscription_id, Changed())
            changed.items[one.item.id] = new
            if one.change is not None:
                changed.credits += one.change.credits
                if one.change.invoiced_on is not None:
                    changed.invoiced_on[one.item.id] = one.change.invoiced_on
    for key in alignings.own_days:
        found.setdefault(key, Changed()).has_own_day = True
    return found


def undone(alignment: Alignment | None, alignings: Alignings) -> Alignment | None:
    """Return what brings everything back; of what brings back, the alignment itself."""
    if alignment is None:  # pragma: no cover - alignments alone have alignings
        return None
    return replace(
        alignment,
        is_back=not alignment.is_back,
        own_days=tuple(alignings.own_days),
        method=Method.SHORT.value,
    )


def _new_days(one: Aligned | Left) -> NewDays | None:
    change = one.change
    if change is None or change.begins is None:
        return None
    return NewDays(
        subscription_id=one.item.subscription.id,
        account_id=one.item.account_id,
        old_date=one.old_date if isinstance(one, Aligned) else change.begins,
        new_date=one.new_date if isinstance(one, Aligned) else change.begins,
        waits_from=change.waits_from,
        free=change.free,
        changes_terms=change.changes_terms(one.item),
        ends=change.ends is not None,
    )
