"""Imports: choosing what and which file, and the files sent before."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.jobs import jobs
from subscriptions.operations.import_jobs import (
    LARGEST_BYTES,
    FileTooLarge,
    request_import,
    work_on_import,
)
from subscriptions.tasks import import_soon
from tenancy.actor import Actor
from tenancy.files.kinds import ImportKind, import_kinds
from tenancy.models import Job
from tenancy.operations.jobs import PIECE
from tenancy.queries import paging
from web.badges import Badge
from web.list_pages import save
from web.session_checks import staff_only
from web.tables import Column, Kind, Label, Link, Table
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

ROWS_AT_ONCE: Final = 200
"""Files with more rows are checked in the background, so that none holds up the web server."""
_BATCH: Final = 500


class ImportForm(forms.Form):
    """What is imported, and the file."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Data type"),
        widget=forms.Select(attrs={"class": "input"}),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or Excel workbook (.xlsx), at most 20 MB. First it is only checked."
        ),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "input", "accept": ".csv,.txt,.tsv,.xlsx"}),
    )

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        """Offer the kinds that somebody may import."""
        super().__init__(*args, **kwargs)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the reader's types
        names = import_kinds()
        field.choices = [(kind, names[kind].label) for kind in kinds]

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_BYTES:
            raise forms.ValidationError(FileTooLarge.message)
        return file


def kinds_of(actor: Actor, *, below: bool = False) -> list[str]:
    """Return what an actor may import, or may import below an account."""
    return [
        name
        for name, kind in import_kinds().items()
        if access.allows_everywhere(actor, Action(kind.action))
        and (kind.run_below is not None or not below)
    ]


def stored_kinds(actor: Actor, *, below: bool = False) -> list[ImportKind]:
    """Return the kinds of which files are made of what is there, that an actor may import."""
    kinds = [import_kinds()[name] for name in kinds_of(actor, below=below)]
    return [kind for kind in kinds if kind.rows is not None]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def import_list(request: ActorRequest) -> HttpResponseBase:
    """Show the form and the files sent before, or save their list; POST checks a file."""
    actor, kinds = request.actor, kinds_of(request.actor)
    if request.method != "POST":
        return _page(request, actor, ImportForm(kinds=kinds))
    form = ImportForm(request.POST, request.FILES, kinds=kinds)
    if not form.is_valid():
        return _page(request, actor, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    file, now = form.cleaned_data["file"], timezone.now()
    job = request_import(
        actor,
        form.cleaned_data["kind"],
        file.chunks(PIECE),
        file_name=file.name or "",
        today=actor.today,
        now=now,
    )
    work_now_or_soon(actor, job, now=now)
    return redirect("imports:page", job.public_id)


def work_now_or_soon(actor: Actor, job: Job, *, now: datetime) -> None:
    """Do what is short at once; hand the rest to a worker, who would find it in its table too."""
    if job.total <= ROWS_AT_ONCE:
        work_on_import(Actor.system(actor.tenant_id), job.pk, now=now)
    else:
        import_soon(actor, job.pk)


def _file(job: Job) -> Link:
    name = job.params["file_name"] or _("without a name")
    return Link(name, reverse("imports:page", args=[job.public_id]))


def error_count(job: Job) -> int | None:
    """Return how many errors a file has; the first of them are listed."""
    stages = job.result.get("check", {}), job.result.get("apply", {})
    counted = max(counts.get("errors", 0) for counts in stages)
    return max(counted, len(job.problems)) if job.problems else None


def _status(job: Job) -> Label:
    badge = import_badge(job)
    return Label(badge.label, badge.tone)


TABLE: Final[Table[Job]] = Table(
    name="imports",
    title=gettext_lazy("Imports"),
    default_sort="-when",
    columns=(
        Column("file", gettext_lazy("File"), Kind.LINK, _file),
        Column(
            "holds",
            gettext_lazy("Holds"),
            Kind.TEXT,
            lambda job: str(import_kinds()[job.params["kind"]].label),
        ),
        Column("rows", gettext_lazy("Rows"), Kind.NUMBER, lambda job: job.total, sort="total"),
        Column("status", gettext_lazy("Status"), Kind.LABEL, _status),
        Column(
            "errors",
            gettext_lazy("Errors"),
            Kind.NUMBER,
            error_count,
            is_default=False,
        ),
        Column(
            "by",
            gettext_lazy("By"),
            Kind.TEXT,
            lambda job: job.created_by_label,
            sort="created_by_label",
        ),
        Column(
            "when",
            gettext_lazy("When"),
            Kind.INSTANT,
            lambda job: job.created_at,
            sort="created_at",
        ),
    ),
)


def _page(
    request: ActorRequest, actor: Actor, form: ImportForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponseBase:
    state, found = TABLE.state(request.GET, request.COOKIES), jobs(actor, Job.Kind.IMPORT)
    count, wanted = found.count(), request.GET.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        batches = paging.batches(found, TABLE.order(state), size=_BATCH)
        return save(request, wanted, TABLE, state, batches, {}, ())
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    if wanted in FORMATS:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    context = {
        "table": TABLE.shown(page.rows, state, {}, ""),
        "page": page,
        "summary": ngettext("%(count)s file", "%(count)s files", count)
        % {"count": quantity(count)},
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
        "form": form,
        "may_import": bool(kinds_of(actor)),
        "templates": [
            {"kind": kind, "label": import_kinds()[kind].label} for kind in kinds_of(actor)
        ],
        "stored": stored_kinds(actor),
    }
    return render(request, "imports/list.html", context, status=status)


def import_badge(job: Job) -> Badge:
    """Return the badge of an import: its stage and how it went."""
    is_check = job.params["stage"] == "check"
    if job.is_open:
        return Badge(_("Checking") if is_check else _("Importing"), "info")
    if job.status == Job.Status.FAILED:
        return Badge(_("Failed"), "bad")
    if not is_check:
        return Badge(_("Imported"), "ok")
    if job.problems:
        return Badge(_("With errors"), "bad")
    counts = job.result["check"]
    if not counts["created"] and not counts["updated"]:
        return Badge(_("Nothing changes"), "")
    return Badge(_("Checked, not imported"), "plum")
