"""How often somebody may try to sign in: five times in five minutes per account and address."""

import hashlib
from typing import Final

from django.core.cache import cache

ATTEMPTS: Final = 5
SECONDS: Final = 5 * 60


def take_attempt(email: str, address: str) -> bool:
    """Count one attempt and return whether it is still allowed.

    It is counted before the password is looked at, so that attempts made at once don't slip
    through together.
    """
    key = _key(email, address)
    cache.add(key, 0, SECONDS)
    try:
        return cache.incr(key) <= ATTEMPTS
    except ValueError:
        # It expired between the two calls; the next attempt begins a new count.
        return True


def forget_attempts(email: str, address: str) -> None:
    """Start afresh after a successful sign-in."""
    cache.delete(_key(email, address))


def _key(email: str, address: str) -> str:
    digest = hashlib.sha256(f"{email.strip().lower()}\0{address}".encode("utf-8", "replace"))
    return f"sign-in:{digest.hexdigest()}"
