"""Checking a password costs a lot on purpose: never so many at once that nothing else is served."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth import authenticate
from django.http import HttpRequest

from accounts.models import Person

# Each takes 100 MiB for a moment.
_HASHING = BoundedSemaphore(2)
# One thread of the web server is always left for somebody else.
_ROOM = BoundedSemaphore(max(1, int(os.environ.get("WEB_THREADS", "4")) - 1))


class Busy(Exception):
    """Too many passwords are being checked just now."""


def check_password(request: HttpRequest, email: str, password: str) -> Person | None:
    """Return who has this address and password, None if nobody has.

    Raises:
        Busy: others are already waiting; nothing was looked at.
    """
    with _room(), _HASHING:
        person = authenticate(request, username=email, password=password)
    return person if isinstance(person, Person) else None


@contextmanager
def _room() -> Iterator[None]:
    if not _ROOM.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _ROOM.release()
