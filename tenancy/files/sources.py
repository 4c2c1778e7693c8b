"""Where an import file's bytes are, in memory or on the disk; read as often as need be."""

import codecs
import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

Source = bytes | Path
_AT_ONCE: Final = 1024 * 1024


def opened(source: Source) -> BinaryIO:
    """Return the bytes of a file to read from the start."""
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def line_of_fault(source: Source, codec: str) -> int | None:
    """Return the line of the first byte that is not of an encoding, None if there is none."""
    decoder, line = codecs.getincrementaldecoder(codec)(), 1
    with opened(source) as file:
        while True:
            piece = file.read(_AT_ONCE)
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            if not piece:
                return None
            line += piece.count(b"\n")


@contextmanager
def spooled(pieces: Iterable[bytes]) -> Iterator[Path]:
    """Write pieces into a file on the disk, to be read more than once; it is gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="import-") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        yield Path(file.name)
