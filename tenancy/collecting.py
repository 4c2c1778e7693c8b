"""Work that makes objects by the hundred thousand and keeps them to its end."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_afterwards() -> Iterator[None]:
    """Put garbage collection off; a context or a decorator.

    Looking for circles among so many objects that all live, again and again, is a tenth of the
    time of a billing run, a sixth of that of an import, and a quarter of that of a document.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
