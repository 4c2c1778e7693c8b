"""Collect the texts of the interface into ``locale``, so that a small change is a small diff."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import ClassVar, Final

from django.core.management.commands import makemessages

_OURS_ALONE: Final = [".venv", ".local", "tests", "benchmarks", "scripts", "typings"]
_DOCUMENTS: Final = "invoicing/locale"
"""Texts of documents: kept by hand, for the code looks them up by their table."""


class Command(makemessages.Command):
    """Django's, with this project's answers to its questions."""

    # A text that resembles another is a new one all the same: nothing is guessed.
    msgmerge_options: ClassVar = [
        *makemessages.Command.msgmerge_options,
        "--no-fuzzy-matching",
    ]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Leave out what is not shown, name files without lines, drop what nothing uses."""
        super().add_arguments(parser)
        parser.set_defaults(
            ignore_patterns=[*_OURS_ALONE, _DOCUMENTS], add_location="file", no_obsolete=True
        )

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Write a catalogue without the time of day, and without what texts were before."""
        super().write_po_file(potfile, locale)
        path = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        path.write_text(tidy(path.read_text(encoding="utf-8")), encoding="utf-8")


def tidy(text: str) -> str:
    """Return a catalogue without lines that change on their own."""
    return re.sub(r'^(?:"POT-Creation-Date: .*|# ?\|.*)\n', "", text, flags=re.MULTILINE)
