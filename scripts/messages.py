#!/usr/bin/env python
"""Collect the texts of the interface into ``locale``, so that a small change is a small diff."""

import os
import re
import sys
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.commands import makemessages  # noqa: E402

_OURS_ALONE: Final = [".venv", ".local", "tests", "benchmarks", "scripts", "typings"]
_DOCUMENTS: Final = "invoicing/locale"
"""Texts of documents: kept by hand, for the code looks them up by their table."""


class Command(makemessages.Command):
    """Django's, with this project's answers to its questions."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Guess nothing: a text that resembles another is a new one all the same."""
        self.msgmerge_options = [*self.msgmerge_options, "--no-fuzzy-matching"]
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Write a catalogue without the time of day, and without what texts were before."""
        super().write_po_file(potfile, locale)
        path = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        path.write_text(tidy(path.read_text(encoding="utf-8")), encoding="utf-8")


def tidy(text: str) -> str:
    """Return a catalogue without lines that change on their own."""
    return re.sub(r'^(?:"POT-Creation-Date: .*|# ?\|.*)\n', "", text, flags=re.MULTILINE)


def main() -> None:
    """Collect, then compile."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    os.chdir(ROOT)
    django.setup()
    call_command(
        Command(),
        locale=["de"],
        ignore_patterns=[*_OURS_ALONE, _DOCUMENTS],
        add_location="file",
        no_obsolete=True,
    )
    call_command("compilemessages", locale=["de", "en"], ignore_patterns=[".venv"])


if __name__ == "__main__":
    main()
