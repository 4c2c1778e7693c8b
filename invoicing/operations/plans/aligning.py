"""Aligning what subscriptions are charged for: one act, which a plan carries out on its day."""

from dataclasses import replace
from datetime import datetime

from invoicing.engine.aligning import Aligned, Left, Method
from invoicing.operations.subscriptions.settling import pending, store_charges
from invoicing.queries.plans.aligning import Alignings
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import Alignment
from subscriptions.operations.subscriptions.aligning import NewDays, let_begin
from tenancy.actor import Actor


def align(actor: Actor, standing: Standing, alignings: Alignings, *, now: datetime) -> None:
    """Let subscriptions begin their periods on the common date.

    The caller has asked for the right, locked the trees, and set the day on the accounts.

    Source: docs/billing-rules.md, One renewal date.
    """
    wanted = standing.wanted
    is_back = wanted.alignment is not None and wanted.alignment.is_back
    let_begin(
        actor,
        {one.item.id: found for one in alignings.everything if (found := _new_days(one))},
        alignings.own_days,
        own_days_until=None if is_back else wanted.day,
        now=now,
    )
    made = [credit for one in alignings.realignments for credit in one.credits]
    if made:
        store_charges(actor, [pending(credit) for credit in made], now)


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
