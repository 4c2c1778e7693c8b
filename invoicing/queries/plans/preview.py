"""What a plan would do, as plain data: shown, stored with the plan and compared on its day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import ChangePlan
from invoicing.queries.plans import checking
from invoicing.queries.plans._showing import Shown
from invoicing.queries.plans.aligned_settings import with_settings
from invoicing.queries.plans.aligning import Alignings, alignings_of, require_changing
from invoicing.queries.plans.checking import Unanswered
from invoicing.queries.plans.closing import require_unused
from invoicing.queries.plans.merging import redirected, require_mergeable, require_two
from invoicing.queries.plans.money import outlook_of
from invoicing.queries.plans.standing import standing_of
from invoicing.queries.plans.wanted import CREDIT, Wanted
from invoicing.queries.plans.world import world_digests
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """What comes of a plan.

    Attributes:
        wanted: the plan; what it leaves open is answered by inheriting.
        shown: everything as plain JSON.
        world: digests of what it depends on.
        receiver_id: who has to agree.
        unanswered: settings that would point outside of the path.
        alignings: what becomes of every subscription that is aligned; None of other plans.
    """

    wanted: Wanted
    shown: dict[str, Any]
    world: dict[str, str]
    receiver_id: UUID | None
    unanswered: Sequence[Unanswered]
    alignings: Alignings | None = None


@collecting_afterwards()
def preview_plan(actor: Actor, wanted: Wanted, *, today: date, tenant: Tenant) -> PlanPreview:
    """Return what a plan would do. Nothing is locked or stored; at most 80 statements.

    The engine of the billing runs says what is invoiced: what is shown is what then happens.

    Args:
        actor: who asks.
        wanted: the plan.
        today: the tenant's date.
        tenant: the actor's.

    Raises:
        NotFound, Forbidden: an account is out of sight, or the actor may not change settings.
        PlanInPast, PlanTooFar, AccountArchived, AccountInUse, NotOnPath, NothingToChange,
            NothingAbove, TreeCycle, TreeTooDeep, MergeWithItself, MergeBelow, AccountMerged,
            CannotMerge, InvalidAlignment, AlignmentTooLarge, NothingToCredit, CreditTooLarge,
            NotChargedYet: see their texts.

    Source: docs/billing-rules.md, Change plans.
    """
    require_planning(actor, wanted)
    checking.require_day(wanted.day, today)
    require_two(actor, wanted)
    wanted = redirected(actor, wanted)
    standing = with_settings(standing_of(actor, wanted))
    checking.require_possible(standing)
    open_questions = checking.unanswered(standing)
    if open_questions:
        standing = standing_of(actor, checking.answers_in(wanted, open_questions))
    require_unused(standing)
    require_mergeable(standing)
    if wanted.day <= today:
        checking.require_charged(standing)  # up to a later day the runs will have done it
    alignings = alignings_of(standing, tenant=tenant)
    require_changing(standing, alignings)
    outlook = outlook_of(standing, alignings, today=today, tenant=tenant)
    if wanted.prepaid == CREDIT and not outlook.knows_credits:
        raise checking.CreditTooLarge
    receiver_id = checking.receiver_of(standing)
    return PlanPreview(
        standing.wanted,
        Shown(standing, outlook, open_questions, receiver_id, alignings).everything(),
        world_digests(standing),
        receiver_id,
        open_questions,
        alignings,
    )


def require_planning(actor: Actor, wanted: Wanted) -> None:
    """Return if the actor may plan a change of this account.

    Raises:
        NotFound, Forbidden: the account is out of sight, or not the actor's to plan.
    """
    account = Account.objects.filter(tenant_id=actor.tenant_id, pk=wanted.account_id).first()
    if account is not None:
        access.require(actor, Action.EDIT_SETTINGS, account)
    # A plan shows the invoices and the people of all whom it concerns.
    require_deciding(actor, wanted.kind)


def require_deciding(actor: Actor, kind: str) -> None:
    """Return if the actor may decide on changes of a kind.

    A merge takes people and accounts along, an alignment changes subscriptions.

    Raises:
        Forbidden: the actor may not.
    """
    actions = [Action.EDIT_SETTINGS]
    if kind == ChangePlan.Kind.ALIGNMENT:
        actions.append(Action.EDIT_SUBSCRIPTION)
    if kind == ChangePlan.Kind.MERGE:
        actions += [Action.EDIT_ACCOUNT, Action.EDIT_PEOPLE, Action.EDIT_SUBSCRIPTION]
    for action in actions:
        access.require_everywhere(actor, action)
