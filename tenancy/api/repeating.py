"""``Idempotency-Key``: a request sent twice is done once and answered twice."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from rest_framework.request import Request

from tenancy.actor import Actor
from tenancy.models import KeptAnswer
from tenancy.operations.answers import claim_key, keep_answer

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_KEPT_HEADERS: Final = ("Content-Type", "ETag", "Location")


class AlreadyAnswered(Exception):
    """The request was done before: what is left is to answer as then."""

    def __init__(self, kept: KeptAnswer) -> None:
        """Take the answer of then."""
        super().__init__(kept.key)
        self.kept = kept

    def response(self) -> HttpResponse:
        """Return the answer of then, marked as such."""
        again = HttpResponse(bytes(self.kept.body), status=self.kept.status)
        del again.headers["Content-Type"]
        for name, value in (*self.kept.headers.items(), (REPLAYED, "true")):
            again.headers[name] = value
        return again


def claimed(request: Request, actor: Actor) -> Callable[[HttpResponseBase], None] | None:
    """Return how the answer to a POST is kept, None where the caller named no key.

    A refusal rolls the transaction back and is not kept: nothing was done, and the same request
    may succeed later.

    Raises:
        AlreadyAnswered: the caller sent the same before.
        BillingError: the key can't be used, see ``claim_key``.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    digest = _digest(request._request)
    # Keys live by real time, also where the tenant's own clock stands still.
    now = datetime.now(UTC)
    kept = claim_key(actor, key, digest, now=now)
    if kept is not None:
        raise AlreadyAnswered(kept)

    def keep(response: HttpResponseBase) -> None:
        if isinstance(response, HttpResponse) and response.status_code < 400:
            headers = {n: response.headers[n] for n in _KEPT_HEADERS if n in response.headers}
            keep_answer(
                actor,
                key,
                digest,
                status=response.status_code,
                headers=headers,
                body=response.content,
                now=now,
            )

    return keep


def keep_when_made(response: HttpResponseBase, keep: Callable[[HttpResponseBase], None]) -> None:
    """Keep an answer as soon as its body is there."""
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.add_post_render_callback(keep)
    else:
        keep(response)


def _digest(request: HttpRequest) -> str:
    asked = f"{request.method} {request.get_full_path()}\n".encode("utf-8", "surrogatepass")
    return hashlib.sha256(asked + request.body).hexdigest()
