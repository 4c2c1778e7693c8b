"""Lines that wait on the disk until all of a file has been checked, by their depth in the tree."""

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Self

from accounts.operations.importing._account_lines import SaidOfAccount
from tenancy.files.files import SLICE

_FIELDS = ("key", "parent_key", "identity", "settings", "bill_to_key", "payer_key")


class LineSpool:
    """New accounts of a file, to be read parents first and as often as need be."""

    def __init__(self) -> None:
        """Begin without any."""
        self.count = 0
        self._files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> Self:
        """Return it, to be filled."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the disk."""
        for file in self._files.values():
            file.close()

    def add(self, lines: Iterable[tuple[int, SaidOfAccount]]) -> None:
        """Keep some lines, each with its depth."""
        by_depth = defaultdict(list)
        for depth, line in lines:
            by_depth[depth].append({name: getattr(line, name) for name in _FIELDS})
        for depth, kept in by_depth.items():
            if depth not in self._files:
                self._files[depth] = tempfile.TemporaryFile(prefix="import-")  # noqa: SIM115
            pickle.dump(kept, self._files[depth], pickle.HIGHEST_PROTOCOL)
            self.count += len(kept)

    def slices(self) -> Iterator[list[SaidOfAccount]]:
        """Return the lines, some at a time, those above before those below."""
        for _depth, file in sorted(self._files.items()):
            file.seek(0)
            lines: list[SaidOfAccount] = []
            while True:
                try:
                    kept = pickle.load(file)  # noqa: S301 - written by ourselves just now
                except EOFError:
                    break
                lines += [SaidOfAccount(**one) for one in kept]
                if len(lines) >= SLICE:
                    yield lines
                    lines = []
            if lines:
                yield lines
