"""Each request gets an id."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tenancy.request_ids import enter_request, leave_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,40}", re.ASCII)

Next = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Give each request an id, the caller's own if it is harmless, and say it in the answer.

    Nobody may keep an answer: it is private, unless its view says otherwise.
    """

    def __init__(self, get_response: Next) -> None:
        """Keep what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set ``request.request_id`` and ``X-Request-Id``."""
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        token = enter_request(request_id)
        try:
            response = self.get_response(request)
        finally:
            leave_request(token)
        response.headers["X-Request-Id"] = request_id
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response
