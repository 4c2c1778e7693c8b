"""Imports that people ask for: a dry run first, then the same bytes for good."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.operations.job_actors import actor_of
from accounts.queries.accounts import get_account
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.statistics import refresh_outdated_statistics
from tenancy.errors import BillingError, Conflict, Invalid, NotFound
from tenancy.files import spooled
from tenancy.files.kinds import ImportKind, import_kinds
from tenancy.files.reports import ImportReport
from tenancy.models import Job
from tenancy.operations.jobs import (
    claim_job,
    drop_input,
    fail_job,
    finish_job,
    hold_job,
    input_of,
    keep_input,
    note_request,
)
from tenancy.operations.jobs import request_job as put_into_queue

LARGEST_BYTES = 20 * 1024 * 1024
_PACKED_ROW = 24
WARNINGS_KEPT = 200
CHANGES_KEPT = 200
"""Of so many rows the page of an import says what they change."""


class FileTooLarge(Invalid):
    """More than anybody should send through a browser."""

    code = "file_too_large"
    message = _("A file may have 20 MB at most. Larger ones go through the command line.")


class UnknownKind(Invalid):
    """Something that can't be imported."""

    code = "unknown_kind"
    message = _("There is no such kind of file.")


class NotChecked(Conflict):
    """A file that was not found to be in order can't be imported."""

    code = "import_not_checked"
    message = _("This file has not been checked, or has errors; it cannot be imported.")


@operation
def request_import(
    actor: Actor,
    kind: str,
    pieces: Iterable[bytes],
    *,
    file_name: str,
    today: date,
    within: UUID | None = None,
    now: datetime,
) -> Job:
    """Keep a file and put its dry run into the queue.

    Args:
        actor: who imports.
        kind: one of ``import_kinds``.
        pieces: the file's bytes, one after the other; the same are imported later.
        file_name: what the file is called, for people.
        today: from when changed settings of accounts hold.
        within: rows of other accounts than this one and those below it are errors.
        now: the instant.

    Raises:
        Forbidden: the actor may not import this kind.
        NotFound: there is no account ``within``.
        UnknownKind, FileTooLarge: see their texts.
    """
    access.require_everywhere(actor, Action(_kind(kind).action))
    if within is not None:
        if _kind(kind).run_below is None:
            raise UnknownKind
        get_account(actor, within)
    params = {
        "kind": kind,
        "file_name": file_name[:200],
        "stage": "check",
        "today": today.isoformat(),
        "language": translation.get_language() or "en",
        **({} if within is None else {"within": str(within)}),
    }
    job = put_into_queue(actor, Job.Kind.IMPORT, params=params, now=now)
    size, lines, start, end = 0, 0, b"", b""
    for number, piece in enumerate(pieces):
        size += len(piece)
        if size > LARGEST_BYTES:
            raise FileTooLarge
        keep_input(actor, job.pk, number, piece)
        lines += piece.count(b"\n")
        start, end = start or piece[:2], piece[-1:]
    # A guess until the records are counted: quoted cells have line ends too, and a workbook is
    # packed, some dozens of bytes for a row.
    packed = size // _PACKED_ROW if start == b"PK" else 0
    job.total = max(lines - (end == b"\n"), packed, 0)
    job.save(update_fields=["total"])
    return job


@operation
def apply_import(actor: Actor, job_id: UUID, *, now: datetime) -> Job:
    """Put the import of a checked file into the queue; asked for again, it changes nothing.

    Args:
        actor: who imports.
        job_id: the job that checked it.
        now: the instant, for the audit trail.

    Raises:
        NotFound: there is no such job.
        Forbidden: the actor may not import this kind.
        NotChecked: see its text.
    """
    job = (
        Job.objects.select_for_update(of=("self",))
        .filter(tenant_id=actor.tenant_id, pk=job_id, kind=Job.Kind.IMPORT)
        .first()
    )
    if job is None:
        raise NotFound
    access.require_everywhere(actor, Action(_kind(job.params["kind"]).action))
    if job.params["stage"] != "check":
        return job
    if job.status != Job.Status.DONE or job.problems:
        raise NotChecked
    job.params["stage"] = "apply"
    job.status, job.beat_at = Job.Status.WAITING, None
    job.created_by_id, job.created_by_label = actor.person_id, actor.label
    job.requested_by = actor.requester.stored()
    changed = ["params", "status", "beat_at", "created_by", "created_by_label", "requested_by"]
    job.save(update_fields=changed)
    note_request(actor, job, "job.requested", now=now)
    return job


def _kind(name: str) -> ImportKind:
    try:
        return import_kinds()[name]
    except KeyError:
        raise UnknownKind from None


def work_on_import(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Check or import a file as a job says; return whether there was anything to take.

    The work and the note that it is done are one transaction: killed half way, nothing of it is
    stored and the job is taken up again.
    """
    job = claim_job(actor, job_id, now=now)
    if job is None:
        return False
    importer = actor_of(actor, job)
    with translation.override(job.params["language"]):
        try:
            _work(actor, importer, job_id, now=now)
        except BillingError as refusal:
            fail_job(actor, job_id, code=refusal.code, detail=refusal.detail, now=now)
            drop_input(actor, job_id)
    refresh_outdated_statistics()
    return True


@operation
def _work(actor: Actor, importer: Actor, job_id: UUID, *, now: datetime) -> None:
    job = hold_job(actor, job_id)
    if job is None:
        return
    with spooled(input_of(actor, job_id)) as path:
        _work_on_file(actor, importer, job, path, now=now)


def _work_on_file(actor: Actor, importer: Actor, job: Job, content: Path, *, now: datetime) -> None:
    kind, today = _kind(job.params["kind"]), date.fromisoformat(job.params["today"])
    is_dry_run = job.params["stage"] == "check"
    access.require_everywhere(importer, Action(kind.action))
    within = UUID(job.params["within"]) if job.params.get("within") else None
    run = kind.run
    if within is not None:
        if kind.run_below is None:
            raise UnknownKind
        run = partial(kind.run_below, within=within)
    report = run(importer, content, is_dry_run=is_dry_run, today=today, now=now)
    problems = [error.as_row() for error in report.errors]
    result: dict[str, Any] = {**job.result, job.params["stage"]: _counts(report)}
    if is_dry_run and kind.outlook is not None and not problems:
        result |= kind.outlook(importer, content)
    changes: dict[str, Any] = {"done": report.rows, "total": report.rows}
    if not is_dry_run and problems:
        # The world has changed since the dry run; nothing was stored.
        changes["params"] = {**job.params, "stage": "check"}
    if problems or not is_dry_run:
        drop_input(actor, job.pk)
    finish_job(actor, job.pk, result=result, problems=problems, changes=changes, now=now)


def _counts(report: ImportReport) -> Mapping[str, object]:
    return {
        "encoding": report.encoding,
        "changes": [change.as_json() for change in report.changes[:CHANGES_KEPT]],
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "errors": report.error_count,
        "warnings": [warning.as_row() for warning in report.warnings[:WARNINGS_KEPT]],
        "warning_count": report.warning_count,
    }
