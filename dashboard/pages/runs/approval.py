"""Approving a run or some of its drafts: a review with the exact effects, then numbers are given.

The review is a page; a script shows the same in a dialog.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from accounts.queries.accounts import accounts
from dashboard.pages.runs.page import sums_key, title_of
from invoicing.models import BillingRun
from invoicing.operations.runs import DraftsChanged, approve_drafts, approve_run
from invoicing.operations.runs.draft_changes import DraftChange
from invoicing.queries import run_figures
from invoicing.queries.run_figures import RunSum, digest_of
from invoicing.queries.run_preview import next_numbers
from invoicing.queries.runs import get_run_to_approve
from invoicing.tasks import work_soon
from tenancy import clock
from tenancy.actor import Actor
from tenancy.errors import BillingError, Invalid
from tenancy.ids import key_of
from web.invoices.selection import picked
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

AT_ONCE: Final = 50
"""Up to so many documents are issued while somebody waits, more by workers."""
TYPED_FROM: Final = 51
"""From so many documents on, their number has to be typed."""
_SEEN: Final = re.compile(r"([A-Z]{3})(\d{1,9})x(\d{1,18})", re.ASCII)


class TooManyAtOnce(Invalid):
    """A selection is issued while somebody waits for it."""

    code = "too_many_at_once"
    message = gettext_lazy(
        "At most %(most)s drafts can be approved by selection. Approve the whole run."
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """What has changed under somebody's eyes: as it was seen, and as it is."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Review:
    """What is to be approved: a whole run, or of it the drafts in ``ids``."""

    run: BillingRun
    ids: list[UUID]
    sums: list[RunSum]
    contents: dict[UUID, str]

    @property
    def drafts(self) -> int:
        """How many documents it is."""
        return sum(one.drafts for one in self.sums)

    @property
    def seen(self) -> str:
        """What tells whether two looks saw the same: sums, and the digest of every content."""
        return f"{sums_key(self.sums)}.{digest_of(self.contents)}"


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def approve(request: ActorRequest, run_id: str) -> HttpResponse:
    """Show what approving does; POST does it. A run that waits no longer is left as it is."""
    actor = request.actor
    run = get_run_to_approve(actor, key_of("run", run_id))
    values = request.POST if request.method == "POST" else request.GET
    review = review_of(actor, run, picked(values, "inv"))
    if run.status != BillingRun.Status.TO_APPROVE or not review.drafts:
        messages.info(request, _("Nothing of this run waits for approval any more."))
        return redirect("runs:page", run.public_id)
    if request.method != "POST":
        return _show(request, review)
    if request.POST.get("seen") != review.seen:
        return _show(request, review, status=HTTPStatus.CONFLICT)
    if review.drafts >= TYPED_FROM and request.POST.get("typed", "").strip() != str(review.drafts):
        error = _("Please type the number %(count)s to confirm.") % {"count": review.drafts}
        return _show(request, review, error=error, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if review.drafts <= AT_ONCE:
        return _issue_now(request, review)
    return _issue_later(request, review)


def review_of(actor: Actor, run: BillingRun, ids: list[UUID]) -> Review:
    """Return the drafts of a run, or some of them, as they are now."""
    if ids:
        sums = run_figures.sums_of_drafts(actor, run.pk, ids)
    else:
        sums = run_figures.sums_of(actor, [run.pk]).get(run.pk, [])
    contents = run_figures.drafts_seen(actor, run.pk, ids or None)
    return Review(run, ids, [one for one in sums if one.drafts], contents)


def _issue_later(request: ActorRequest, review: Review) -> HttpResponse:
    """Have many drafts issued by workers, exactly as they were seen; the page shows how far."""
    actor, run = request.actor, review.run
    try:
        if review.ids:
            raise TooManyAtOnce(most=AT_ONCE)
        seen = digest_of(review.contents)
        run = approve_run(actor, run.pk, seen, now=clock.now_of(request.tenant))
    except BillingError as refusal:
        return _show(request, review, error=refusal.detail, status=HTTPStatus(refusal.status))
    work_soon(run)
    return redirect("runs:page", run.public_id)


def _issue_now(request: ActorRequest, review: Review) -> HttpResponse:
    actor, now = request.actor, clock.now_of(request.tenant)
    try:
        approval = approve_drafts(actor, review.run.pk, review.contents, today=actor.today, now=now)
    except DraftsChanged as refusal:
        # They were drafted again: what is shown now is what is there now.
        fresh = review_of(actor, get_run_to_approve(actor, review.run.pk), review.ids)
        return _show(request, fresh, changes=refusal.changes, status=HTTPStatus.CONFLICT)
    except BillingError as refusal:
        return _show(request, review, error=refusal.detail, status=HTTPStatus(refusal.status))
    count = len(approval.issued)
    done = ngettext("%(count)s invoice issued.", "%(count)s invoices issued.", count)
    sentence = done % {"count": quantity(count)}
    if approval.waiting:
        rest = ngettext(
            "%(count)s draft still waits.", "%(count)s drafts still wait.", approval.waiting
        )
        sentence = f"{sentence} {rest % {'count': quantity(approval.waiting)}}"
    messages.success(request, sentence)
    return redirect("runs:page", review.run.public_id)


def _show(
    request: ActorRequest,
    review: Review,
    *,
    error: str = "",
    changes: Sequence[DraftChange] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    actor, run = request.actor, review.run
    is_stale = status == HTTPStatus.CONFLICT and not error
    found = [*differences(request.POST.get("seen", ""), review)] if is_stale else []
    if changes:
        found = [*_changes(actor, changes)]
    context = {
        "run": run,
        "run_id": run.public_id,
        "title": _("Approve the selected drafts?") if review.ids else _("Approve the run?"),
        "steps": [
            Crumb(_("Billing runs"), "../../"),
            Crumb(title_of(run), "../"),
            Crumb(_("Approve")),
        ],
        "sums": review.sums,
        "drafts": review.drafts,
        "is_partial": bool(review.ids),
        "ids": request.POST.getlist("ids") or request.GET.getlist("ids"),
        "numbers": next_numbers(actor, run, today=actor.today, only=review.ids or None),
        "seen": review.seen,
        "is_typed": review.drafts >= TYPED_FROM,
        "error": error,
        "typed_error": error if status == HTTPStatus.UNPROCESSABLE_ENTITY else "",
        "differences": found,
        "is_stale": is_stale,
    }
    in_dialog = bool(request.headers.get("HX-Request"))
    template = "runs/_approval_dialog.html" if in_dialog else "runs/approve.html"
    return render(request, template, context, status=status)


_PARTS: Final[dict[str, Promise]] = {
    "recipient": gettext_lazy("recipient"),
    "payer": gettext_lazy("payer"),
    "seller": gettext_lazy("seller"),
    "terms": gettext_lazy("terms of payment"),
    "po_number": gettext_lazy("PO number"),
    "tax": gettext_lazy("tax"),
    "lines": gettext_lazy("lines"),
}


def _changes(actor: Actor, changes: Sequence[DraftChange]) -> Iterator[Difference]:
    """Yield what was seen of each draft, empty where its sum is the same, and what it says now."""
    ids = {one.account_id for one in changes}
    names = dict(accounts(actor).filter(pk__in=ids).values_list("pk", "name"))
    for one in changes:
        parts = ", ".join(str(_PARTS[part]) for part in one.what if part in _PARTS)
        if one.after_minor is None:
            after = _("no draft any more")
        elif parts:
            after = _("%(sum)s – changed: %(parts)s") % {
                "sum": money(one.after_minor, one.currency),
                "parts": parts,
            }
        else:
            after = money(one.after_minor, one.currency)
        is_same = one.before_minor == one.after_minor
        before = "" if is_same else money(one.before_minor, one.currency)
        yield Difference(names[one.account_id], before, after)


def differences(seen: str, review: Review) -> Iterator[Difference]:
    """Yield what was seen and what is there now, by currency."""
    before = {code: (int(count), int(minor)) for code, count, minor in _SEEN.findall(seen)}
    after = {one.currency: (one.drafts, one.draft_gross_minor) for one in review.sums}
    for code in sorted(before.keys() | after.keys()):
        if before.get(code) != after.get(code):
            yield Difference(code, *_in_words(code, (before.get(code), after.get(code))))


def _in_words(currency: str, sums: Iterable[tuple[int, int] | None]) -> Iterator[str]:
    for one in sums:
        count, minor = one or (0, 0)
        text = ngettext("%(count)s draft, %(sum)s", "%(count)s drafts, %(sum)s", count)
        yield text % {"count": quantity(count), "sum": money(minor, currency)}
