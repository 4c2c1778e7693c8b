"""What an account's recipient is invoiced next: a part of the account's page, or a page alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from invoicing.queries.upcoming import (
    MOST_ACCOUNTS,
    Upcoming,
    UpcomingDocument,
    UpcomingSection,
    upcoming_invoices,
)
from tenancy import clock
from tenancy.ids import key_of
from web.accounts import account_url, steps_to, tabs_of
from web.requests import wants_fragment
from web.session_checks import staff_only

_MOST_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class UpcomingLine:
    """A section to come, or a line of the only section; ``lines`` counts those of a section."""

    name: str
    above: str
    url: str
    net_minor: int
    lines: int = 0
    period: tuple[date, date] | None = None
    is_this: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceToCome:
    """An invoice to come as the page shows it; ``more`` rows are left out."""

    payer: str
    payer_url: str
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    line_count: int
    waits_for: str
    rows: Sequence[UpcomingLine]
    more: int


@require_safe
@staff_only
def upcoming_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show what the next run bills. At most ten statements beside those of the frame."""
    actor, key = request.actor, key_of("acc", account_id)
    upcoming = upcoming_invoices(
        actor, key, tenant=request.tenant, today=actor.today, now=clock.now_of(request.tenant)
    )
    context = {
        "account": upcoming.account,
        "bill_to": upcoming.bill_to,
        "bill_to_url": account_url(upcoming.bill_to.pk) if upcoming.bill_to else "",
        "is_own": upcoming.bill_to == upcoming.account,
        "day": upcoming.day,
        "documents": [_document(one, upcoming) for one in upcoming.documents],
        "is_too_large": upcoming.is_too_large,
        "most_accounts": MOST_ACCOUNTS,
    }
    if wants_fragment(request):
        response = render(request, "customers/_upcoming.html", context)
    else:
        path = [*upcoming.above, upcoming.account]
        frame = {
            "steps": steps_to(path),
            "tabs": tabs_of(key, "page"),
            "scope_name": upcoming.account.name,
        }
        response = render(request, "customers/upcoming.html", {**context, **frame})
    patch_vary_headers(response, ["HX-Request"])
    return response


def _document(document: UpcomingDocument, upcoming: Upcoming) -> InvoiceToCome:
    own = upcoming.account.pk
    if len(document.sections) == 1:
        rows = _lines(document.sections[0])
    else:
        # The account whose page it is leads: it may be one of fifty.
        ordered = sorted(document.sections, key=lambda section: section.account_id != own)
        rows = [_section(section, own) for section in ordered]
    payer = "" if document.payer == upcoming.bill_to else document.payer.name
    return InvoiceToCome(
        payer=payer,
        payer_url=account_url(document.payer.pk) if payer else "",
        currency=document.currency,
        net_minor=document.net_minor,
        tax_minor=document.tax_minor,
        gross_minor=document.gross_minor,
        line_count=document.line_count,
        waits_for=_waits_for(document.waits_for),
        rows=rows[:_MOST_ROWS],
        more=max(0, len(rows) - _MOST_ROWS),
    )


def _section(section: UpcomingSection, own: UUID) -> UpcomingLine:
    return UpcomingLine(
        name=section.path[-1],
        above=" › ".join(section.path[:-1]),
        url=account_url(section.account_id),
        net_minor=section.net_minor,
        lines=len(section.lines),
        is_this=section.account_id == own,
    )


def _lines(section: UpcomingSection) -> list[UpcomingLine]:
    return [
        UpcomingLine(
            name=line.description,
            above="",
            url="",
            net_minor=line.net_minor,
            period=(line.period_start, line.period_end),
        )
        for line in section.lines
    ]


def _waits_for(code: str) -> str:
    texts = {
        "": "",
        "bill_to_incomplete": _("It waits: the recipient's address is not complete."),
        "glyphs_missing": _("It waits: no font can show some of its signs."),
        "negative_total": _("It waits: the total is negative and goes on the next invoice."),
        "run_date_before_last_issue": _("It waits: an invoice with a later date was issued."),
    }
    return texts.get(code, _("It waits: the document would be too large."))
