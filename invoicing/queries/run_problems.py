"""What has to be looked at in runs."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts import access
from accounts.access import Action
from invoicing.models import RunProblem
from tenancy.actor import Actor


def problems_of(actor: Actor, run_id: UUID) -> QuerySet[RunProblem]:
    """Return what has to be looked at in a run, problems before warnings. One statement.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    return (
        RunProblem.objects.filter(tenant_id=actor.tenant_id, run_id=run_id)
        .select_related("account", "subscription")
        .order_by("severity", "code", "account__sort_key", "id")
    )


def problem_counts(actor: Actor, run_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return how many problems and warnings each run has. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    rows = (
        RunProblem.objects.filter(tenant_id=actor.tenant_id, run_id__in=list(run_ids))
        .order_by("run_id")
        .values_list("run_id")
        .annotate(
            problems=Count("id", filter=Q(severity=RunProblem.Severity.PROBLEM)),
            warnings=Count("id", filter=Q(severity=RunProblem.Severity.WARNING)),
        )
    )
    return {run_id: (problems, warnings) for run_id, problems, warnings in rows}


def first_problems(actor: Actor, run_id: UUID, *, each: int) -> list[Any]:
    """Return the first problems of every kind, each with ``alike``, its kind's count.

    One statement.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    kind = [F("severity"), F("code")]
    found = RunProblem.objects.filter(tenant_id=actor.tenant_id, run_id=run_id).annotate(
        alike=Window(Count("id"), partition_by=kind),
        place=Window(
            RowNumber(), partition_by=kind, order_by=[F("account__sort_key").asc(), F("id").asc()]
        ),
    )
    return list(
        found.filter(place__lte=each)
        .select_related("account")
        .order_by("severity", "code", "place")
    )
