"""Where a plan stands: its badge."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from invoicing.models import ChangePlan
from web.badges import Badge

PLAN_STATUSES: Final[dict[str, tuple[Promise, str]]] = {
    ChangePlan.Status.DRAFT: (gettext_lazy("Draft"), ""),
    ChangePlan.Status.WAITING_APPROVAL: (gettext_lazy("Waiting for approval"), "plum"),
    ChangePlan.Status.WAITING_ACCEPTANCE: (gettext_lazy("Waiting for acceptance"), "plum"),
    ChangePlan.Status.SCHEDULED: (gettext_lazy("Scheduled"), "info"),
    ChangePlan.Status.APPLYING: (gettext_lazy("Being applied"), "info"),
    ChangePlan.Status.APPLIED: (gettext_lazy("Applied"), "ok"),
    ChangePlan.Status.FAILED: (gettext_lazy("Failed"), "bad"),
    ChangePlan.Status.WITHDRAWN: (gettext_lazy("Withdrawn"), ""),
}


def plan_badge(plan: ChangePlan) -> Badge:
    """Return the badge of a plan's status."""
    label, tone = PLAN_STATUSES[plan.status]
    return Badge(str(label), tone)
