"""Where a run stands: its badge, its steps, how long it took, and who works on it."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invoicing.models import BillingRun
from web.badges import Badge
from web.templatetags.figures import starter

RUN_STATUSES: Final[dict[str, tuple[Promise, str]]] = {
    "drafting": (gettext_lazy("Drafting"), "info"),
    "to_approve": (gettext_lazy("Waiting for approval"), "plum"),
    "issuing": (gettext_lazy("Issuing"), "info"),
    "done": (gettext_lazy("Done"), "ok"),
    "parked": (gettext_lazy("Parked"), "bad"),
}
_STEPS: Final = (
    gettext_lazy("Collect"),
    gettext_lazy("Draft"),
    gettext_lazy("Approve"),
    gettext_lazy("Issue"),
    gettext_lazy("Done"),
)
_STEP_OF: Final = {
    "drafting": 1,
    "to_approve": 2,
    "parked": 2,
    "issuing": 3,
    "done": 4,
}


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step of a run: ``done``, ``now`` or ``later``."""

    label: str
    state: str


def run_badge(run: BillingRun, *, has_problems: bool) -> Badge:
    """Return the badge of a run's status."""
    if run.status == BillingRun.Status.DONE and has_problems:
        return Badge(_("Done with problems"), "warn")
    label, tone = RUN_STATUSES[run.status]
    return Badge(str(label), tone)


def steps_of(run: BillingRun) -> list[RunStep]:
    """Return the steps; of a finished run the last is the present one."""
    now = _STEP_OF[run.status]
    return [
        RunStep(str(label), "done" if place < now else "now" if place == now else "later")
        for place, label in enumerate(_STEPS)
    ]


def duration_text(run: BillingRun) -> str:
    """Return how long a run took from its start to its end, empty while it is not through."""
    if run.finished_at is None or run.finished_at < run.started_at:
        return ""
    seconds = int((run.finished_at - run.started_at).total_seconds())
    if seconds < 1:
        return _("under 1 s")
    if seconds < 60:
        return _("%(count)s s") % {"count": seconds}
    if seconds < 3_600:
        return _("%(count)s min") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("%(count)s h") % {"count": seconds // 3_600}
    days = seconds // 86_400
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


def joined_by(run: BillingRun) -> str:
    """Return who asked for a run beside the one who started it, empty where nobody did."""
    names = dict.fromkeys(starter(one["label"]) for one in run.requested_by)
    names.pop(starter(run.started_by), None)
    return ", ".join(names)
