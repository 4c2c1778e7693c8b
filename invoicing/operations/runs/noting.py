"""Noting in a run what has to be looked at."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final
from uuid import UUID

from invoicing.engine.families import Families, Problem
from invoicing.models import BillingRun, RunProblem
from tenancy.actor import Actor

_OF_DRAFTING: Final = (
    "bill_to_incomplete",
    "bill_to_not_contract_party",
    "changed_since_approval",
    "glyphs_missing",
    "negative_total",
    "out_of_bounds",
    "tax_rate_unknown",
    "vat_id_missing_or_invalid",
)
"""What placing and drafting find; the others come from rating and from the run as a whole."""


def problem_row(actor: Actor, run_id: UUID, family_id: UUID, problem: Problem) -> RunProblem:
    """Return a problem as it is stored with a run."""
    severity = RunProblem.Severity.WARNING if problem.is_warning else RunProblem.Severity.PROBLEM
    return RunProblem(
        tenant_id=actor.tenant_id,
        run_id=run_id,
        severity=severity,
        code=problem.code,
        family_id=family_id,
        account_id=problem.account_id,
        subscription_id=problem.subscription_id,
        params=dict(problem.params),
    )


def by_cause(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems once per cause; ``count`` says how often one was met where more than once."""
    found: dict[tuple[object, ...], list[Problem]] = {}
    for problem in problems:
        cause = (problem.code, problem.account_id, problem.subscription_id, problem.is_warning)
        found.setdefault(cause, []).append(problem)
    return [
        replace(alike[0], params={**alike[0].params, "count": len(alike)})
        if len(alike) > 1
        else alike[0]
        for alike in found.values()
    ]


def note_drafted_again(families: Families, run: BillingRun, account_ids: Collection[UUID]) -> None:
    """Replace what drafting noted about some accounts of a run by what it finds now."""
    actor = families.actor
    RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=run.pk, account_id__in=account_ids, code__in=_OF_DRAFTING
    ).delete()
    RunProblem.objects.bulk_create(
        problem_row(actor, run.pk, families.root_of[problem.account_id], problem)
        for problem in by_cause(families.problems)
        if problem.code in _OF_DRAFTING and problem.account_id in account_ids
    )
