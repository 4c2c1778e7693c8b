"""What happened is written beside what changed, and told to those who listen.

An app declares in its own ``events.py`` what may happen there, as ``Declared``. Operations write
``Happening`` with ``record_event``, in the transaction of what they change.
"""

from tenancy.events import declarations  # noqa: F401  # jobs are the ground's own
from tenancy.events.catalogue import (
    Declared,
    Kind,
    Maybe,
    NotDeclared,
    catalogue,
    declare,
    short_of,
)
from tenancy.events.paths import read_paths_with
from tenancy.events.readers import Reader, register_reader
from tenancy.events.recording import Happening, record_event, record_events

__all__ = [
    "Declared",
    "Happening",
    "Kind",
    "Maybe",
    "NotDeclared",
    "Reader",
    "catalogue",
    "declare",
    "read_paths_with",
    "record_event",
    "record_events",
    "register_reader",
    "short_of",
]
