"""Search: pages, accounts and invoices, for the palette, the choice of a scope, and as a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries import trees
from accounts.queries.paths import paths_of
from dashboard.pages.commands import account_looked_at, allowed, called_by, general, on_accounts
from invoicing.queries.finding import found_invoices
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.ids import public_id
from web.accounts import account_url, kind_name
from web.badges import invoice_badge
from web.frame import DASHBOARD, is_staff
from web.invoices.table import named_on
from web.session_checks import signed_in, staff_only
from web.templatetags.figures import money, quantity

ACCOUNTS_IN_PALETTE: Final = 8
ACCOUNTS_IN_SCOPE: Final = 20
ACCOUNTS_IN_COMMANDS: Final = 4
_INVOICES: Final = 6
_LONGEST: Final = 100
_SCOPED_LISTS: Final = ("invoices:list", "portal-invoices:list")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: its name, where it is, and what tells it from others."""

    title: str
    url: str
    icon: str
    second: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind."""

    title: str
    hits: list[Hit]


@require_safe
@staff_only
@vary_on_headers("HX-Request")
def search(request: ActorRequest) -> HttpResponse:
    """Find commands, pages, accounts and invoices.

    At most six statements beside those of the frame.
    """
    text = _text(request)
    groups = [Group(_("Commands"), [*_commands(request, text)]), _pages(text)]
    if text:
        found = trees.found_accounts(request.actor, text, limit=ACCOUNTS_IN_PALETTE)
        groups += [
            Group(_("Accounts"), [*_accounts(request.actor, found, "")]),
            Group(_("Invoices"), [*_invoices(request.actor, text)]),
        ]
    return _answer(request, [group for group in groups if group.hits], text, _("Search"))


@require_safe
@signed_in
@vary_on_headers("HX-Request")
def scope(request: ActorRequest) -> HttpResponse:
    """Find an account to look at. At most two statements beside those of the frame.

    Where the page that asks is a list, the choice narrows it; else it leads to the account, and
    customers to its invoices.
    """
    text, path = _text(request), request.GET.get("for", "")
    if not is_staff(request.actor):
        path = reverse("portal-invoices:list")
    target = path if path in {reverse(name) for name in _SCOPED_LISTS} else ""
    found = trees.found_accounts(request.actor, text, limit=ACCOUNTS_IN_SCOPE, tops=not text)
    everything = Hit(_("All customers"), target or reverse("customers:list"), "network")
    hits = [] if text else [everything]
    hits += _accounts(request.actor, found, target)
    groups = [Group(_("Accounts"), hits)] if hits else []
    return _answer(request, groups, text, _("Choose a scope"), target=path)


def _answer(
    request: ActorRequest, groups: list[Group], text: str, title: str, *, target: str = ""
) -> HttpResponse:
    count = sum(len(group.hits) for group in groups)
    summary = ngettext("%(count)s result", "%(count)s results", count)
    context = {
        "groups": groups,
        "text": text,
        "title": title,
        "target": target,
        "summary": summary % {"count": quantity(count)},
    }
    is_part = bool(request.headers.get("HX-Request"))
    template = "search/_options.html" if is_part else "search/page.html"
    return render(request, template, context)


def _text(request: ActorRequest) -> str:
    return " ".join(request.GET.get("q", "").replace("\x00", "").split())[:_LONGEST]


def _commands(request: ActorRequest, text: str) -> Iterator[Hit]:
    """Yield what can be done: with the account looked at, with one that is named, with none."""
    actor, found = request.actor, allowed(request.actor)
    url = request.headers.get("HX-Current-URL", "")
    here = [one for one in found if one.verb and text.casefold() in str(one.verb).casefold()]
    offers = [*on_accounts(here, account_looked_at(actor, url))] if here and url else []
    called, name = called_by(found, text)
    if called:
        accounts = trees.found_accounts(actor, name, limit=ACCOUNTS_IN_COMMANDS)
        offers += on_accounts(called, accounts)
    offers += general(found, text)
    shown = {offer.url: offer for offer in offers}.values()
    yield from (Hit(offer.label, offer.url, offer.icon) for offer in shown)


def _pages(text: str) -> Group:
    rooms = [room for group in DASHBOARD for room in group.rooms]
    hits = [
        Hit(str(room.label), reverse(room.url_name), room.icon)
        for room in rooms
        if text.casefold() in str(room.label).casefold()
    ]
    return Group(_("Pages"), hits)


def _accounts(actor: Actor, found: Sequence[Account], target: str) -> Iterator[Hit]:
    paths = paths_of(actor, [account.pk for account in found]) if found else {}
    for account in found:
        above = [name for _key, name in paths.get(account.pk, [])[:-1]]
        second = " › ".join(above) or kind_name(account.kind)
        url = f"{target}?in={public_id('acc', account.pk)}" if target else account_url(account.pk)
        yield Hit(account.name, url, "building-2", second, account.public_id)


def _invoices(actor: Actor, text: str) -> Iterator[Hit]:
    found = found_invoices(actor, text, today=actor.today, limit=_INVOICES)
    for invoice in found:
        parts = [
            named_on(invoice),
            money(invoice.gross_minor, invoice.currency),
            date_text(invoice.issue_date) if invoice.issue_date else "",
            invoice_badge(invoice, actor.today).label,
        ]
        yield Hit(
            invoice.number or _("Draft"),
            reverse("invoices:page", args=[invoice.public_id]),
            "file-text",
            " · ".join(part for part in parts if part),
        )
