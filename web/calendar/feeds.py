"""One's own calendar addresses: made, shown once, changed and ended."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.middleware import ActorRequest
from accounts.queries.accounts import get_account
from reports.declarations import KINDS, Kind
from reports.models import CalendarFeed
from reports.operations.feeds import NewFeed, create_feed, revoke_feed, rotate_feed
from reports.queries.feeds import get_own_feed, own_feeds
from tenancy.errors import BillingError
from tenancy.formats import LANGUAGES, language_of
from tenancy.ids import key_of
from web.accounts import account_url
from web.calendar.entries import shown_kinds
from web.frame import is_staff
from web.list_pages import one_of
from web.requests import namespace_of
from web.session_checks import in_own_frame

USUAL: Final = (
    Kind.INVOICE,
    Kind.DUE,
    Kind.DEBIT,
    Kind.TRIAL_END,
    Kind.END,
    Kind.NOTICE,
    Kind.PAUSE,
    Kind.PRICE_CHANGE,
    Kind.PLAN,
)
"""Renewals are many; whoever wants them adds them."""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """An address as the list has it: all but its secret."""

    feed: CalendarFeed
    scope: str
    kinds: str
    url: str


@require_http_methods(["GET", "HEAD", "POST"])
@in_own_frame
def feed_list(request: ActorRequest) -> HttpResponseBase:
    """Show one's own addresses; POST makes one and shows it once. Three statements."""
    if request.method != "POST":
        return _page(request)
    kinds = [Kind(kind) for kind in request.POST.getlist("kinds") if kind in set(Kind)]
    within = request.POST.get("in", "")
    language = request.POST.get("language", "")
    try:
        wanted = NewFeed(
            account_id=get_account(request.actor, key_of("acc", within)).pk if within else None,
            kinds=kinds,
            shows_amounts=request.POST.get("amounts") == "1",
            language=language if language in LANGUAGES else language_of(get_language() or ""),
        )
        _feed, secret = create_feed(request.actor, wanted, now=timezone.now())
    except BillingError as refusal:
        return _page(request, refusal=str(refusal), status=int(refusal.status))
    return _page(request, secret=secret)


@require_http_methods(["GET", "HEAD", "POST"])
@in_own_frame
def feed_page(request: ActorRequest, feed_id: str) -> HttpResponseBase:
    """Ask before an address is changed or ended; POST does it. One statement to ask."""
    feed = get_own_feed(request.actor, key_of("fed", feed_id))
    namespace = namespace_of(request)
    if request.method != "POST":
        context = {"feed": feed, "back_url": reverse(f"{namespace}:feeds"), **_scope(feed)}
        return render(request, "calendar/feed.html", context)
    if one_of(request.POST, "do", {"rotate", "revoke"}) == "rotate":
        _feed, secret = rotate_feed(request.actor, feed.pk, now=timezone.now())
        return _page(request, secret=secret)
    revoke_feed(request.actor, feed.pk, now=timezone.now())
    return redirect(f"{namespace}:feeds")


def _page(
    request: ActorRequest, *, secret: str = "", refusal: str = "", status: int = HTTPStatus.OK
) -> HttpResponseBase:
    staff, namespace = is_staff(request.actor), namespace_of(request)
    within = request.GET.get("in", "") or request.POST.get("in", "")
    account = get_account(request.actor, key_of("acc", within)) if within else None
    chosen = request.POST.getlist("kinds") if request.method == "POST" else USUAL
    context = {
        "rows": [_row(feed, namespace) for feed in own_feeds(request.actor)],
        "address": address_of(request, secret) if secret else "",
        "refusal": refusal,
        "kinds": [
            (kind.value, KINDS[kind].plural, kind.value in chosen)
            for kind in shown_kinds(staff=staff)
        ],
        "languages": [("de", "Deutsch"), ("en", "English")],
        "language": language_of(get_language() or ""),
        "account": account,
        "account_url": account_url(account.pk) if account and staff else "",
        "calendar_url": reverse(f"{namespace}:calendar"),
        "scope_name": account.name if account else "",
    }
    return render(request, "calendar/feeds.html", context, status=status)


def address_of(request: HttpRequest, secret: str) -> str:
    """Return the whole address of a feed."""
    return request.build_absolute_uri(reverse("calendar_feed", args=[secret]))


def _row(feed: CalendarFeed, namespace: str) -> FeedRow:
    words = [str(one.plural) for kind, one in KINDS.items() if kind.value in feed.kinds]
    url = reverse(f"{namespace}:feed", args=[feed.public_id])
    return FeedRow(feed, _scope(feed)["scope"], ", ".join(words), url)


def _scope(feed: CalendarFeed) -> dict[str, str]:
    """Return whose calendar it is, in words."""
    if feed.account is None:
        return {"scope": _("All accounts in your reach")}
    return {"scope": _("%(account)s and below") % {"account": feed.account.name}}
