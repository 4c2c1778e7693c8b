"""Writes the objects of a PDF once: the library would, and compress them, twice for its digest."""

from typing import Any

import pydyf


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
