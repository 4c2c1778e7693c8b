"""Every component with a specimen: what there is to build pages from."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from dashboard.pages.runs.approval import Difference
from dashboard.pages.runs.starting import NewRunForm
from dashboard.pages.runs.status import RunStep
from web.badges import INVOICE_STATES, Badge
from web.frame import is_staff
from web.list_pages import Chip
from web.page_heads import Tab
from web.session_checks import signed_in
from web.timeline import Happened

_TONES: Final = ("", "primary", "danger", "quiet")


@require_safe
@signed_in
def styleguide(request: ActorRequest) -> HttpResponse:
    """Show the components; to the staff alone, outside of development."""
    if not (settings.DEBUG or is_staff(request.actor)):
        raise PermissionDenied(_("This page is for the staff of the company."))
    context = {
        "tones": _TONES,
        "badges": [Badge(str(label), tone) for label, tone in INVOICE_STATES.values()],
        "notes": ("", "ok", "warn", "bad"),
        "steps": [
            SimpleNamespace(label=_("Invoices"), url="#"),
            SimpleNamespace(label="RE-2026-000042", url=""),
        ],
        "tabs": [
            Tab(_("All"), "#", True, "14", "€28,702.80"),
            Tab(_("Overdue"), "#", False, "2", "€1,190.00"),
        ],
        "chips": [Chip(_("Currency: %(currency)s") % {"currency": "CHF"}, "#")],
        "entries": [
            Happened(_("Issued, number assigned"), datetime(2026, 11, 15, 6, 11, tzinfo=UTC), ""),
            Happened(_("Draft made"), datetime(2026, 11, 15, 5, 58, tzinfo=UTC), "Jana Petersen"),
        ],
        "amounts": [(-123456750, "EUR"), (123450, "CHF"), (1234, "JPY"), (1234567, "KWD")],
        "stepper": [
            RunStep(_("Draft"), "done"),
            RunStep(_("Approve"), "now"),
            RunStep(_("Issue"), "later"),
        ],
        "differences": [Difference("EUR", "2", "3")],
        "kept": [],
        "form": NewRunForm(data={"date": "", "account": ""}),
        "start": date(2026, 11, 1),
        "end": date(2026, 12, 1),
    }
    return render(request, "styleguide/page.html", context)
