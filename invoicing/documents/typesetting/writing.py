"""Writes the objects of a PDF once: the library would, and compress them, twice for its digest."""

from functools import lru_cache
from typing import Any, Final

import pydyf

_to_bytes: Final = pydyf._to_bytes


class _Written(pydyf.Object):
    """An object whose bytes are known."""

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.number, self.offset, self.generation = made.number, made.offset, made.generation
        self._data: bytes = made.data
        self._compressible: bool = made.compressible

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self._data

    @property
    def compressible(self) -> bool:
        """Whether it may stand among others in a stream."""
        return self._compressible


def write_once(pdf: Any) -> None:
    """Write all objects of a PDF that nothing changes any more."""
    pdf.objects[:] = [one if one.free == "f" else _Written(one) for one in pdf.objects]


@lru_cache(maxsize=20_000)
def _number(number: float) -> bytes:
    return bytes(_to_bytes(number))


def _bytes_of(item: Any) -> bytes:
    """Return what is written for a value; the same numbers come again and again."""
    if type(item) is bytes:
        return item
    return _number(item) if type(item) is float else bytes(_to_bytes(item))


def write_numbers_once() -> None:
    """Let the library write numbers by this."""
    pydyf._to_bytes = _bytes_of
