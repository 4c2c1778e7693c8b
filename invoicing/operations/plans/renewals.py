"""One renewal date for an account and all below: a plan that goes as far as nobody stops it."""

from collections.abc import Callable
from datetime import date, datetime

from invoicing.models import ChangePlan
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.locking import lock_trees
from invoicing.operations.plans.planning import previewed, store_plan
from invoicing.queries.plans.aligning import Alignings
from invoicing.queries.plans.preview import require_planning
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.models import Tenant


@operation
def align_renewals(
    actor: Actor,
    wanted: Wanted,
    *,
    is_draft: bool = False,
    require_seen: Callable[[], object] = lambda: None,
    today: date,
    now: datetime,
) -> tuple[ChangePlan, Alignings | None]:
    """Let the periods of an account, and of those below it, begin on one date.

    The trees are locked first: of two alignments that get in each other's way the second one sees
    what the first has done.

    Args:
        actor: who does it.
        wanted: the alignment.
        is_draft: store it, and do nothing before it is submitted.
        require_seen: refuses if the account is not as the caller has seen it; asked under the
            locks.
        today: the tenant's date.
        now: the instant.

    Returns:
        The plan: a draft, carried out, or waiting for its day or an approval; and what becomes of
        each subscription.

    Raises:
        NotFound, Forbidden: the account is out of sight, or the actor may not align.
        InvalidAlignment, AlignmentTooLarge, NothingToChange, PlanInPast, PlanTooFar,
            AccountArchived, LockedAbove, OverlappingPlan: see their texts.

    Source: docs/billing-rules.md, One renewal date.
    """
    require_planning(actor, wanted)
    # The tenant before the trees, as whoever asks for a plan to be carried out locks them.
    Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    lock_trees(actor, wanted)
    require_seen()
    preview = previewed(actor, wanted, today=today)
    plan = store_plan(actor, preview, now=now)
    if not is_draft:
        plan = submit_plan(actor, plan.pk, today=today, now=now)
    return plan, preview.alignings
