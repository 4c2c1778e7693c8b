"""What a request says beside who asks: numbers in its address, its frame, whether htmx sent it."""

from accounts.middleware import ActorRequest


def whole_number(text: str, otherwise: int = 0) -> int:
    """Return the number that a part of an address is; ``otherwise`` where it is none.

    Eleven digits hold a time in seconds, and do not cost PostgreSQL or Python anything.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else otherwise


def wants_fragment(request: ActorRequest) -> bool:
    """Return whether a part of the page is asked for; going back in history wants all of it."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request


def namespace_of(request: ActorRequest) -> str:
    """Return the namespace of the frame in which a page is shown."""
    return request.resolver_match.namespace if request.resolver_match else ""
