"""Making plans, changing what begins with them, archiving them and selling them again."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from accounts.versions import require_version
from subscriptions.models import Plan, PlanItem, Price
from subscriptions.operations.catalogue import AlreadyAdded, hold_prices
from subscriptions.operations.catalogue.naming import ExternalIdTaken, said_of
from subscriptions.operations.plans.checking import (
    NewPlan,
    plan_as_wanted,
    plan_said,
    require_plan,
)
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7


class PlanNameTaken(Conflict):
    """Two plans of one name could not be told apart."""

    code = "plan_name_taken"
    message = gettext_lazy("There is a plan “%(name)s” already.")


def _unseen() -> None:
    """Ask nothing: the caller has not said what was seen."""


@operation
def create_plan(actor: Actor, wanted: NewPlan, *, key: UUID | None = None, now: datetime) -> Plan:
    """Add a plan to the catalogue.

    Args:
        actor: who adds it.
        wanted: the plan.
        key: what the row is to be called, so that one form makes one.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        InvalidPlan: it can't be sold so.
        PlanNameTaken, ExternalIdTaken: another plan is called so.
        AlreadyAdded: there is one with this key.

    Source: docs/billing-rules.md, Plans.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    _require_new(actor, key)
    require_plan(wanted, _prices(actor, wanted))
    plan = Plan(id=key or uuid7(), tenant_id=actor.tenant_id, created_at=now)
    _write(actor, plan, wanted, is_new=True)
    _record(actor, "bundle.created", plan, now, after=plan_said(wanted))
    return plan


@operation
def edit_plan(
    actor: Actor,
    plan_id: UUID,
    wanted: NewPlan,
    *,
    version: str = "",
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Plan:
    """Change a plan for what begins with it from now on; what has begun stays as it is.

    Args:
        actor: who changes it.
        plan_id: the plan.
        wanted: all of it, as it is to be.
        version: of what was shown, ``version_of(plan_shown(…))``; empty overwrites anyway.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such plan.
        ChangedMeanwhile: it is not as shown any more.
        InvalidPlan, PlanNameTaken, ExternalIdTaken: see ``create_plan``.

    Source: docs/billing-rules.md, Plans.
    """
    plan = _locked(actor, plan_id, require_seen)
    require_plan(wanted, _prices(actor, wanted))
    stored, after = plan_shown(plan), plan_said(wanted)
    require_version(version, stored, after)
    if stored != after:
        _write(actor, plan, wanted, is_new=False)
        _record(actor, "bundle.updated", plan, now, before=stored, after=after)
    return plan


@operation
def archive_plan(
    actor: Actor, plan_id: UUID, *, require_seen: Callable[[], object] = _unseen, now: datetime
) -> Plan:
    """Let nothing new begin with a plan; what runs goes on. One archived stays as it is.

    Args:
        actor: who archives it.
        plan_id: the plan.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant since when it is archived.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such plan.
    """
    return _put(actor, plan_id, "bundle.archived", now, require_seen, now)


@operation
def reopen_plan(
    actor: Actor, plan_id: UUID, *, require_seen: Callable[[], object] = _unseen, now: datetime
) -> Plan:
    """Let subscriptions begin with an archived plan again.

    Args and Raises as of ``archive_plan``.
    """
    return _put(actor, plan_id, "bundle.reopened", None, require_seen, now)


def plan_shown(plan: Plan) -> dict[str, Any]:
    """Return all that a form shows of a plan."""
    return plan_said(plan_as_wanted(plan))


def _put(
    actor: Actor,
    plan_id: UUID,
    event: str,
    archived_at: datetime | None,
    require_seen: Callable[[], object],
    now: datetime,
) -> Plan:
    plan = _locked(actor, plan_id, require_seen)
    if (plan.archived_at is None) != (archived_at is None):
        plan.archived_at = archived_at
        plan.save(update_fields=["archived_at"])
        _record(actor, event, plan, now)
    return plan


def _locked(actor: Actor, plan_id: UUID, require_seen: Callable[[], object]) -> Plan:
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    found = Plan.objects.filter(tenant_id=actor.tenant_id, pk=plan_id)
    plan = found.select_for_update().first()
    if plan is None:
        raise NotFound
    require_seen()
    return plan


def _prices(actor: Actor, wanted: NewPlan) -> dict[UUID, Price]:
    ids = {item.price_id for item in wanted.items}
    hold_prices(actor, ids)
    return Price.objects.filter(tenant_id=actor.tenant_id).in_bulk(ids)


def _write(actor: Actor, plan: Plan, wanted: NewPlan, *, is_new: bool) -> None:
    """Store a plan with its items.

    Raises:
        PlanNameTaken, ExternalIdTaken: another plan is called so.
        AlreadyAdded: a new one was added by somebody with the same key meanwhile.
    """
    plan.name, plan.external_id = wanted.name.strip(), wanted.external_id or None
    plan.trial_days = wanted.trial_days
    for name in ("minimum_term_months", "renewal_months", "notice_months", "notice_days"):
        setattr(plan, name, getattr(wanted.contract, name))
    _require_free(actor, plan)
    try:
        with transaction.atomic():
            plan.save(force_insert=is_new)
    except IntegrityError:
        _require_new(actor, plan.pk if is_new else None)
        _require_free(actor, plan)
        raise
    PlanItem.objects.filter(tenant_id=actor.tenant_id, plan=plan).delete()
    PlanItem.objects.bulk_create(_items(actor, plan, wanted))


def _items(actor: Actor, plan: Plan, wanted: NewPlan) -> Iterable[PlanItem]:
    for position, item in enumerate(wanted.items):
        yield PlanItem(
            tenant_id=actor.tenant_id,
            plan=plan,
            price_id=item.price_id,
            is_addon=item.is_addon,
            quantity=item.quantity,
            minimum=item.minimum,
            maximum=item.maximum,
            position=position,
        )


def _require_new(actor: Actor, key: UUID | None) -> None:
    if key is not None and Plan.objects.filter(tenant_id=actor.tenant_id, pk=key).exists():
        raise AlreadyAdded


def _require_free(actor: Actor, plan: Plan) -> None:
    others = Plan.objects.filter(tenant_id=actor.tenant_id).exclude(pk=plan.pk)
    if others.filter(name=plan.name).exists():
        raise PlanNameTaken(name=plan.name)
    if plan.external_id and others.filter(external_id=plan.external_id).exists():
        raise ExternalIdTaken(external_id=plan.external_id)


def _record(
    actor: Actor,
    event: str,
    plan: Plan,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    data = {"name": plan.name, **said_of(plan.external_id)}
    happening = Happening(event, plan.pk, before=before, after=after or data, data=data)
    record_event(actor, happening, now=now)
