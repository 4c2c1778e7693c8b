"""The id of the request that a thread answers: known to log lines before any model is."""

from contextvars import ContextVar, Token
from typing import Final

NO_REQUEST: Final = "-"

_current: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)


def current_request_id() -> str:
    """Return the id of the request that is answered or worked for, ``-`` outside of one."""
    return _current.get()


def enter_request(request_id: str) -> Token[str]:
    """Have this thread answer a request; the token ends it."""
    return _current.set(request_id)


def leave_request(token: Token[str]) -> None:
    """End what ``enter_request`` began."""
    _current.reset(token)
