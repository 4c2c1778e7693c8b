"""Who reads events: an app registers its readers in its own ``events.py``."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of reader, as mail or webhooks.

    Attributes:
        name: what its rows in the outbox are called.
        pauses: how long it waits before it tries again, once for each further attempt.
        wants: the names of the events that it is told, None for all.
    """

    name: str
    pauses: tuple[timedelta, ...] = ()
    wants: Collection[str] | None = None

    @property
    def most_attempts(self) -> int:
        """How often it tries before it gives up."""
        return len(self.pauses) + 1


_REGISTERED: dict[str, Reader] = {}


def register_reader(reader: Reader) -> None:
    """Have this reader told of all that is recorded from now on."""
    _REGISTERED[reader.name] = reader


def reader_named(name: str) -> Reader:
    """Return a registered reader.

    Raises:
        KeyError: there is none of this name.
    """
    return _REGISTERED[name]


def readers_of(event_name: str) -> list[str]:
    """Return the names of the readers that want events of a name."""
    return [
        one.name for one in _REGISTERED.values() if one.wants is None or event_name in one.wants
    ]
