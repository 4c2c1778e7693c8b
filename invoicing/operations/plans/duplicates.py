"""Merging a duplicate at once: a plan that goes as far as nobody holds it up."""

from collections.abc import Callable
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from invoicing.models import ChangePlan
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.locking import lock_trees
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.merging import redirected, require_two
from invoicing.queries.plans.preview import require_planning
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict
from tenancy.models import Tenant


class MergeFailed(Conflict):
    """Something came between."""

    code = "merge_failed"
    message = _("Nothing was merged: %(reason)s")


@operation
def merge_account(
    actor: Actor,
    wanted: Wanted,
    *,
    require_seen: Callable[[], object] = lambda: None,
    today: date,
    now: datetime,
) -> ChangePlan:
    """Merge a duplicate into another account as soon as nothing holds it up.

    Both trees are locked first, so that of two merges that get in each other's way the second one
    sees what the first has done, and is refused.

    Args:
        actor: who does it.
        wanted: the merge.
        require_seen: refuses if the account is not as the caller has seen it; asked under the
            locks.
        today: the tenant's date.
        now: the instant.

    Returns:
        The plan: carried out, or waiting for its day, an approval or an agreement.

    Raises:
        NotFound, Forbidden: an account is out of sight, or the actor may not merge.
        MergeWithItself, MergeBelow, AccountMerged, AccountArchived, CannotMerge, MergeFailed,
            SettingsOutsidePath, OverlappingPlan: see their texts.

    Source: docs/billing-rules.md, Merging duplicates.
    """
    require_planning(actor, wanted)
    require_two(actor, wanted)
    # The tenant before the trees, as whoever asks for a plan to be carried out locks them.
    Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    lock_trees(actor, redirected(actor, wanted))
    require_seen()
    plan = create_plan(actor, wanted, today=today, now=now)
    done = submit_plan(actor, plan.pk, today=today, now=now)
    if done.status == ChangePlan.Status.FAILED:
        raise MergeFailed(reason=str(done.failure.get("detail", "")))
    return done
