"""Each sign-in and each try is a line in the log, and an entry in the trail of the tenants.

No password is ever part of it, nor what was typed instead of an address.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from accounts.middleware import PORTAL_PREFIX
from accounts.models import Person
from accounts.operations.sign_ins import note_sign_in
from accounts.queries import principals
from tenancy.actor import Actor

logger = logging.getLogger("sign_in")


def note_success(request: HttpRequest, person: Person, client: str) -> None:
    """Write that a person signed in."""
    logger.info("signed in: %s from %s", person.email, client)
    _note(request, person, client, succeeded=True)


def note_failure(
    request: HttpRequest, response: HttpResponse, email: str, client: str, why: str
) -> None:
    """Write that a try failed, after the answer is sent.

    So it takes the same time whether the address is known or not.
    """
    logger.warning("sign-in failed (%s): %s from %s", why, _one_line(email), client)

    def write() -> None:
        person = Person.objects.filter(email=email).order_by("pk").first()
        if person is not None:
            _note(request, person, client, succeeded=False)

    response._resource_closers.append(write)  # type: ignore[attr-defined]


def note_failure_of(request: HttpRequest, person: Person, client: str, why: str) -> None:
    """Write that somebody with a person's session didn't know their password."""
    logger.warning("password refused (%s): %s from %s", why, person.email, client)
    _note(request, person, client, succeeded=False)


def note_refusal(email: str, client: str, why: str) -> None:
    """Write that a try wasn't even looked at: in the log only, which nobody can fill for free."""
    logger.warning("sign-in refused (%s): %s from %s", why, _one_line(email), client)


def _note(request: HttpRequest, person: Person, client: str, *, succeeded: bool) -> None:
    now = datetime.now(UTC)
    origin = "portal" if request.path.startswith(PORTAL_PREFIX) else "dashboard"
    request_id = getattr(request, "request_id", "")
    for place in principals.find_places(person):
        actor = Actor.system(place.tenant_id, origin=origin, label="")
        if succeeded:
            label = person.name or person.email
            actor = replace(actor, kind="person", label=label, person_id=person.pk)
        actor = replace(actor, request_id=request_id)
        note_sign_in(actor, person.pk, succeeded=succeeded, client=client, now=now)


def _one_line(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")[:300]
