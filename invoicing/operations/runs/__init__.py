"""Billing runs: rate → draft → consolidate → issue, family by family.

A run is a row; the families it concerns are its queue. A command, a task and the API all work
through that queue with the same code, at the same time if they like.
"""

from invoicing.operations.runs.opening import RunDateBeforeLastIssue, RunRefused, request_run
from invoicing.operations.runs.working import RunReport, run_billing, work_on_run

__all__ = [
    "RunDateBeforeLastIssue",
    "RunRefused",
    "RunReport",
    "request_run",
    "run_billing",
    "work_on_run",
]
