"""Asking for the password again before where money goes is changed."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Person
from web import sign_in_limits, sign_in_notes
from web.password_check import Busy, check_password


def refusal_of_password(request: HttpRequest) -> str:
    """Return what is wrong with the password sent by the person signed in, nothing if it is right.

    Limited and written down as a sign-in is: a session left open guesses no faster.
    """
    person, password = request.user, request.POST.get("password", "")
    assert isinstance(person, Person)  # noqa: S101 - for the checker of types
    if not password:
        return _("Please enter your password: the bank account changes.")
    client = sign_in_limits.client_of(request)
    attempt = sign_in_limits.attempt_of(request, person.email)
    if not attempt.take():
        sign_in_notes.note_refusal(person.email, client, "too many attempts")
        return _("Too many attempts. Please wait five minutes and try again.")
    try:
        found = check_password(request, person.email, password[:1_000])
    except Busy:
        attempt.give_back()
        return _("Many people are signing in just now. Please try again.")
    if found is None or found.pk != person.pk:
        sign_in_notes.note_failure_of(request, person, client, "password asked again")
        return _("This is not your password.")
    attempt.start_afresh()
    return ""
