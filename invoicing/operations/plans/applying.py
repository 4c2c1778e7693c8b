"""Carrying plans out on their day: all of one or nothing of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.operations.moving import place_account
from accounts.operations.settings import Change, own_settings, write_changes
from invoicing.models import ChangePlan, Charge, InvoiceLine
from invoicing.operations.plans.aligning import align, undone
from invoicing.operations.plans.aligning_jobs import finish_alignment
from invoicing.operations.plans.crediting import made_over_by, store_made_over
from invoicing.operations.plans.locking import WorldChanged, keep_plan, lock_trees, record_step
from invoicing.operations.plans.merging import merge, place_merged, require_unchanged
from invoicing.operations.plans.pooled import note_moved
from invoicing.operations.runs.discarding import discard_drafts
from invoicing.queries.plans.aligning import alignings_of
from invoicing.queries.plans.checking import require_charged
from invoicing.queries.plans.closing import require_unused
from invoicing.queries.plans.documents import drafts_with
from invoicing.queries.plans.standing import Standing, one_of, standing_of
from invoicing.queries.plans.wanted import REFERENCES, REROUTE, Wanted
from invoicing.queries.plans.world import changed_parts, world_digests
from subscriptions.models import Subscription
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from subscriptions.operations.subscriptions.readdressing import readdress
from tenancy.actor import Actor, Requester
from tenancy.database import operation, scope
from tenancy.errors import BillingError, Conflict
from tenancy.events import Happening, record_events
from tenancy.ids import public_id
from tenancy.models import Job, Tenant


class AcceptanceExpired(Conflict):
    """Nobody has agreed in time."""

    code = "acceptance_expired"
    message = _("Nobody accepted it until %(until)s.")


def carry_out_due_plans(actor: Actor, *, day: date, now: datetime) -> list[ChangePlan]:
    """Carry out what is due up to a day, in the order of days; what nobody accepted fails.

    Each plan is a transaction of its own: one that fails keeps no other from being carried out.
    Twice does no harm.

    Args:
        actor: the timetable, or whoever moves the clock.
        day: the tenant's date.
        now: the instant.

    Returns:
        The plans that were carried out or have failed.

    Raises:
        Forbidden: the actor may neither run billing nor move the clock.
    """
    with scope(actor.tenant_id):
        if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
            access.require_everywhere(actor, Action.RUN_BILLING)
        due = _due(actor, day)
    found = (_carry_through(actor, plan_id, day=day, now=now) for plan_id in due)
    return [plan for plan in found if plan is not None]


def _carry_through(actor: Actor, plan_id: UUID, *, day: date, now: datetime) -> ChangePlan | None:
    """Carry a plan out to its end: what comes after, and the runs of the day, build on it."""
    plan = _carry_out(actor, plan_id, day=day, keeps=True, now=now)
    if plan is None or plan.status != ChangePlan.Status.APPLYING or plan.job_id is None:
        return plan
    finish_alignment(actor, plan.job_id, now=now)
    with scope(actor.tenant_id):
        plan.refresh_from_db()
    return plan


def _due(actor: Actor, day: date) -> list[UUID]:
    plans = ChangePlan.objects.filter(
        tenant_id=actor.tenant_id,
        status__in=(ChangePlan.Status.SCHEDULED, ChangePlan.Status.WAITING_ACCEPTANCE),
    )
    late = plans.filter(effective_date__lte=day) | plans.filter(acceptance_until__lt=day)
    return list(late.order_by("effective_date", "created_at", "id").values_list("id", flat=True))


def carry_out_if_due(actor: Actor, plan: ChangePlan, *, today: date, now: datetime) -> ChangePlan:
    """Carry out a plan that was just scheduled if its day has come; the caller has asked."""
    if plan.effective_date > today:
        return plan
    return _carry_out(actor, plan.pk, day=today, keeps=False, now=now) or plan


@operation
def _carry_out(
    actor: Actor, plan_id: UUID, *, day: date, keeps: bool, now: datetime
) -> ChangePlan | None:
    """Carry one plan out under the locks of its trees; None where there is nothing to do.

    It waits while an alignment of the same subscriptions is being carried out. The trees are
    locked before the plan: a run holds them in the same order.
    """
    plan = ChangePlan.objects.get(tenant_id=actor.tenant_id, pk=plan_id)
    wanted = Wanted.of(plan)
    lock_trees(actor, wanted)
    plan = ChangePlan.objects.select_for_update(no_key=True).get(
        tenant_id=actor.tenant_id, pk=plan_id
    )
    doer = Actor.system(actor.tenant_id, origin=actor.origin).acting_for(
        actor.on_behalf_of if actor.is_system else actor.requester
    )
    doer = doer if doer.on_behalf_of else doer.acting_for(Requester.read(plan.author))
    try:
        if plan.status == ChangePlan.Status.WAITING_ACCEPTANCE:
            until = plan.acceptance_until
            if until is None or until >= day:
                return None
            raise AcceptanceExpired(until=until)
        if plan.status != ChangePlan.Status.SCHEDULED or plan.effective_date > day:
            return None
        with transaction.atomic():
            plan.result, job = _apply(doer, plan, wanted, today=day, keeps=keeps, now=now)
    except SubscriptionHeld:
        return None
    except BillingError as error:
        return _fail(doer, plan, error, now=now)
    was = plan.status
    if job is not None:
        plan.status, plan.job_id = ChangePlan.Status.APPLYING, job.pk
        keep_plan(doer, plan, "status", "job_id", "result")
        record_step(doer, plan, "plan.applying", was=was, now=now)
        return plan
    plan.status, plan.applied_at = ChangePlan.Status.APPLIED, now
    keep_plan(doer, plan, "status", "applied_at", "result")
    record_step(doer, plan, "plan.applied", was=was, now=now)
    return plan


def _fail(actor: Actor, plan: ChangePlan, error: BillingError, *, now: datetime) -> ChangePlan:
    was, plan.status = plan.status, ChangePlan.Status.FAILED
    plan.failure = {
        "code": error.code,
        "detail": error.detail,
        "parts": list(error.params.get("parts", ())),  # type: ignore[call-overload]
        "errors": [one.detail for one in error.errors],
    }
    keep_plan(actor, plan, "status", "failure")
    record_step(actor, plan, "plan.failed", was=was, data={"code": error.code}, now=now)
    return plan


def _apply(
    actor: Actor, plan: ChangePlan, wanted: Wanted, *, today: date, keeps: bool, now: datetime
) -> tuple[dict[str, Any], Job | None]:
    """Do all of it, and return what is needed to undo it; a job does what is too much at once."""
    standing = standing_of(actor, wanted)
    require_free(standing)
    parts = changed_parts(plan.world, world_digests(standing))
    if parts:
        raise WorldChanged(parts=parts)
    require_unused(standing)
    require_unchanged(standing)
    rerouted = _reroute(actor, standing, now=now) if wanted.open_drafts == REROUTE else 0
    require_charged(standing)
    made_over = made_over_by(actor, standing, today=today)
    alignings = alignings_of(standing, tenant=Tenant.objects.get(pk=actor.tenant_id))
    note_moved(actor, standing)
    if wanted.kind == ChangePlan.Kind.MERGE:
        place_merged(actor, standing)
    else:
        for account_id, parent_id in standing.moves:
            place_account(actor, account_id, parent_id, day=wanted.day)
    changes = _changes(actor, wanted)
    write_changes(actor, changes, today=wanted.day)
    overrides = readdress(actor, wanted.overrides, day=wanted.day, now=now)
    store_made_over(actor, made_over, now=now)
    job = None
    if alignings is not None:
        job = align(actor, plan, standing, alignings, keeps=keeps, now=now)
    if wanted.kind == ChangePlan.Kind.CLOSING:
        _close(actor, wanted)
    _tell(actor, plan, standing, changes, now=now)
    if wanted.kind == ChangePlan.Kind.MERGE:
        return {"rerouted_drafts": rerouted, **merge(actor, standing, now=now)}, None
    undo = _undo(standing, changes, overrides)
    if alignings is not None:
        undo = replace(undo, alignment=undone(wanted.alignment, alignings))
    done = {"rerouted_drafts": rerouted, "credited": len(made_over.transfers)}
    return {**done, "undo": undo.stored()}, job


def require_free(standing: Standing) -> None:
    """Return if no job is about to change a subscription of the plan's accounts. One statement.

    Raises:
        SubscriptionHeld: see its text.
    """
    held = Subscription.objects.filter(
        tenant_id=standing.actor.tenant_id,
        held_by__isnull=False,
        account_id__in=one_of(standing.scope),
    )
    if held.exists():
        raise SubscriptionHeld


def _undo(
    standing: Standing, changes: Iterable[Change], overrides: Mapping[UUID, UUID | None]
) -> Wanted:
    """Return what brings everything back."""
    wanted, old = standing.wanted, _old_values(changes)
    subject = wanted.account_id
    target_id, value = None, None
    if name := wanted.setting:
        before = old.get(subject, {}).pop(name, None)
        target_id, value = (before, None) if name in REFERENCES else (None, before)
    elif wanted.kind == ChangePlan.Kind.MOVE:
        target_id = standing.parents[subject]
    elif standing.subscription is not None:
        target_id = overrides[standing.subscription.pk]
    is_one_move = wanted.kind == ChangePlan.Kind.MOVE
    back = tuple((key, standing.parents[key]) for key, _up in reversed(standing.moves))
    return Wanted(
        kind=wanted.kind,
        account_id=subject,
        day=wanted.day,
        target_id=target_id,
        value=value,
        settings=old,
        overrides=overrides,
        prepaid=wanted.prepaid,
        places=() if is_one_move else back,
        reopens=wanted.kind == ChangePlan.Kind.CLOSING and not wanted.reopens,
    )


def _reroute(actor: Actor, standing: Standing, *, now: datetime) -> int:
    """Take back the drafts that the plan's accounts are on; theirs go where they belong then.

    Each charge is resolved as of its ``invoice_on`` (R21), so what is to follow is invoiced on the
    day of the change at the earliest.
    """
    day = standing.wanted.day
    drafts = list(drafts_with(standing).order_by("id").values_list("id", flat=True))
    if not drafts:
        return 0
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=drafts)
    charges = list(lines.order_by("id").values_list("charge_id", flat=True))
    name = standing.accounts[standing.wanted.account_id].name
    reason = str(_("%(account)s is moved and takes its charges along.")) % {"account": name}
    discard_drafts(actor, drafts, reason=reason, hold=False, today=day, now=now)
    Charge.objects.filter(
        tenant_id=actor.tenant_id,
        pk__in=charges,
        account_id__in=standing.scope,
        invoice_on__lt=day,
    ).update(invoice_on=day)
    return len(drafts)


def _changes(actor: Actor, wanted: Wanted) -> list[Change]:
    stored = own_settings(actor, wanted.own_settings, on=wanted.day)
    return [
        Change(account_id, name, old, value)
        for account_id, values in wanted.own_settings.items()
        for name, value in values.items()
        for old in [stored[account_id].get(name) if account_id in stored else None]
        if old != value
    ]


def _old_values(changes: Iterable[Change]) -> dict[UUID, dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = {}
    for change in changes:
        if change.account_id is not None:
            found.setdefault(change.account_id, {})[change.name] = change.old
    return found


def _close(actor: Actor, wanted: Wanted) -> None:
    status = Account.Status.ACTIVE if wanted.reopens else Account.Status.ARCHIVED
    Account.objects.filter(tenant_id=actor.tenant_id, pk=wanted.account_id).update(status=status)


def _tell(
    actor: Actor,
    plan: ChangePlan,
    standing: Standing,
    changes: Iterable[Change],
    *,
    now: datetime,
) -> None:
    """Say of each account what became of it."""
    day = standing.wanted.day.isoformat()
    happenings = [
        Happening(
            "account.moved",
            key,
            key,
            before={"parent": _id(standing.parents[key])},
            after={"parent": _id(parent_id), "since": day, "plan": plan.public_id},
            data={"since": day, "plan": plan.public_id, **_parent(parent_id)},
        )
        for key, parent_id in standing.moves
    ]
    by_account: dict[UUID, list[Change]] = {}
    for change in changes:
        if change.account_id is not None:
            by_account.setdefault(change.account_id, []).append(change)
    happenings += [
        Happening(
            "account.settings_changed",
            key,
            key,
            before={one.name: _text(one.old) for one in some},
            after={one.name: _text(one.new) for one in some} | {"effective_date": day},
            data={
                "external_id": standing.accounts[key].external_id or "",
                "changed": sorted({one.name for one in some}),
                "effective_date": day,
            },
        )
        for key, some in by_account.items()
    ]
    if standing.wanted.kind == ChangePlan.Kind.CLOSING:
        action = "account.reopened" if standing.wanted.reopens else "account.closed"
        happenings.append(Happening(action, plan.account_id, plan.account_id))
    record_events(actor, happenings, now=now)


def _id(key: UUID | None) -> str | None:
    return None if key is None else public_id("acc", key)


def _parent(key: UUID | None) -> dict[str, str]:
    return {} if key is None else {"parent": public_id("acc", key)}


def _text(value: Any) -> Any:
    return public_id("acc", value) if isinstance(value, UUID) else value
