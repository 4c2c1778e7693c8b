"""How often somebody may try to sign in, so that guessing is slow and nobody is locked out by it.

Counted within five minutes: tries of one address from one network, of one address from
everywhere, of all addresses from one network, and of everybody. A browser that the person signed
in with before has a count of its own, which strangers can't use up: whoever guesses somebody's
password from elsewhere, or from the same office, never keeps them out at their own desk.

The counts are kept in Redis. While it can't be reached, each process of the web server keeps its
own: the limits are then as many times as high as there are processes, and never off.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from tenancy.ids import uuid7

SECONDS: Final = 5 * 60
ATTEMPTS: Final = 5
ATTEMPTS_OF_ADDRESS: Final = 50
ATTEMPTS_OF_NETWORK: Final = 60
ATTEMPTS_OF_ALL: Final = 3_000
DEVICE_COOKIE: Final = "known_device"
_DEVICE_SECONDS: Final = 180 * 24 * 3600
_SALT: Final = "known-device"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: the counts it stands in, by key, and how far each may go."""

    limits: tuple[tuple[str, int], ...]

    def take(self) -> bool:
        """Count it and return whether it is still allowed.

        It is counted before the password is looked at, so that attempts made at once don't slip
        through together. Where one count is full the wider ones are spared: a guesser who was
        stopped uses up nothing of others.
        """
        return all(_count(key) <= most for key, most in self.limits)

    def give_back(self) -> None:
        """Undo it: nothing was looked at, or the password was right."""
        for key, _most in self.limits:
            _forget(key, entirely=False)

    def start_afresh(self) -> None:
        """Undo it after the right password, and all before it in the narrowest count."""
        self.give_back()
        _forget(self.limits[0][0], entirely=True)


def attempt_of(request: HttpRequest, email: str) -> Attempt:
    """Return the try of this request: narrowest count first."""
    address = email.strip().lower()
    device = _known_device(request, address)
    if device:
        return Attempt(((_key("device", address, device), ATTEMPTS),))
    network = network_of(client_of(request))
    return Attempt(
        (
            (_key("here", address, network), ATTEMPTS),
            (_key("network", network), ATTEMPTS_OF_NETWORK),
            (_key("address", address), ATTEMPTS_OF_ADDRESS),
            (_key("all"), ATTEMPTS_OF_ALL),
        )
    )


def client_of(request: HttpRequest) -> str:
    """Return the network address of the client, as the web server believes it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def network_of(client: str) -> str:
    """Return what one visitor surely owns: the address itself, of IPv6 the first 64 bits."""
    try:
        found = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def remember_device(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Let this browser be known for this person's next sign-ins."""
    address = email.strip().lower()
    device = _known_device(request, address) or uuid7().hex
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps([_digest(address), device], salt=_SALT),
        max_age=_DEVICE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _known_device(request: HttpRequest, address: str) -> str:
    """Return the device's id if it signed in with this address before, else nothing."""
    try:
        of, device = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=_DEVICE_SECONDS
        )
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(device) if of == _digest(address) else ""


def _count(key: str) -> int:
    for alias in ("default", "memory"):
        try:
            caches[alias].add(key, 0, SECONDS)
            return caches[alias].incr(key)
        except ValueError:
            # It expired between the two calls; the next attempt begins a new count.
            return 1
        except RedisError:
            continue
    return 1


def _forget(key: str, *, entirely: bool) -> None:
    for alias in ("default", "memory"):
        try:
            if entirely:
                caches[alias].delete(key)
            else:
                caches[alias].decr(key)
        except (RedisError, ValueError):
            continue


def _key(kind: str, *parts: str) -> str:
    return f"sign-in:{kind}:{_digest(chr(0).join(parts))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
