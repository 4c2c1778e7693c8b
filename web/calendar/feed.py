"""The secret address that calendar programs fetch: no session, no key but the address itself."""

import hashlib
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from accounts.middleware import without_actor
from reports.models import ToldEvent
from reports.operations.feeds import Fed, digest_of, tell_feed, tenant_in
from tenancy.actor import Actor
from tenancy.errors import NotFound
from web.calendar.ical import calendar_file
from web.sign_in_limits import SECONDS, Attempt, client_of, network_of

_OF_ADDRESS: Final = 30
_OF_NETWORK: Final = 300
"""So often within five minutes one address is fetched, and all of them from one network."""


@without_actor
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send a calendar to whoever has its address.

    An address that is unknown, revoked or of somebody who reaches nothing any more is answered
    alike. Whoever has it already is told that nothing has changed (304).
    """
    network = hashlib.sha256(network_of(client_of(request)).encode()).hexdigest()
    limits = (
        (f"calendar:address:{digest_of(token)}", _OF_ADDRESS),
        (f"calendar:network:{network}", _OF_NETWORK),
    )
    if not Attempt(limits).take():
        answer = HttpResponse("", status=HTTPStatus.TOO_MANY_REQUESTS, content_type="text/plain")
        answer.headers["Retry-After"] = str(SECONDS)
        return _kept_nowhere(answer)
    tenant_id = tenant_in(token)
    try:
        if tenant_id is None:
            raise NotFound
        fed = tell_feed(Actor.system(tenant_id, origin="feed"), token, now=datetime.now(UTC))
    except NotFound:
        return _kept_nowhere(HttpResponse("", status=404, content_type="text/plain"))
    return _kept_nowhere(_sent(request, fed))


def _sent(request: HttpRequest, fed: Fed) -> HttpResponseBase:
    def url_of(told: ToldEvent) -> str:
        page = f"{reverse('calendar:calendar')}?view=month&day={told.date.isoformat()}"
        return request.build_absolute_uri(page)

    with override(fed.feed.language):
        name = _("Billing calendar, %(company)s") % {"company": fed.tenant.name}
    content = calendar_file(fed, name=name, url_of=url_of)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    answer.headers["ETag"] = tag
    answer.headers["Last-Modified"] = http_date(fed.changed_at.timestamp())
    conditional = get_conditional_response(
        request, etag=tag, last_modified=int(fed.changed_at.timestamp()), response=answer
    )
    return answer if conditional is None else conditional


def _kept_nowhere(answer: HttpResponseBase) -> HttpResponseBase:
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
