"""Billing runs: rate → draft → consolidate → issue, family by family.

A run is a row; the families it concerns are its queue. A command, a task and the API all work
through that queue with the same code, at the same time if they like.
"""

from invoicing.operations.runs.approving import (
    Approval,
    DraftsChanged,
    RunNotWaiting,
    approve_drafts,
    approve_run,
)
from invoicing.operations.runs.opening import RunDateBeforeLastIssue, RunRefused, request_run
from invoicing.operations.runs.working import (
    FAMILIES_PER_BATCH,
    RunReport,
    run_billing,
    work_on_run,
)
from invoicing.queries.previewed_run import RunPreview, preview_run

__all__ = [
    "FAMILIES_PER_BATCH",
    "Approval",
    "DraftsChanged",
    "RunDateBeforeLastIssue",
    "RunNotWaiting",
    "RunPreview",
    "RunRefused",
    "RunReport",
    "approve_drafts",
    "approve_run",
    "preview_run",
    "request_run",
    "run_billing",
    "work_on_run",
]
