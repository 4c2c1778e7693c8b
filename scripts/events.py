#!/usr/bin/env python
"""Write ``docs/events.md`` from the catalogue of events; ``--check`` only says if it is current."""

import os
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")

import django  # noqa: E402
from django.utils import translation  # noqa: E402

django.setup()

from tenancy.events import Declared, Maybe, catalogue  # noqa: E402
from tenancy.events.catalogue import KIND_WORDS  # noqa: E402

_HEAD = """\
# Events

Made from the catalogue by `scripts/events.py`; change the declarations instead, in the `events.py`
of each app.

An event is written in the transaction of what it tells. It carries its name and version, the
object it is about, the account it concerns with the path of that account in the tree at that time
(ids from the root down; empty for what concerns the vendor as a whole), who did it, when, and the
payload below. A new field does not raise the version; a field that goes or changes its meaning
does. Amounts are whole numbers in the currency's minor unit.

Events are read in the order in which they were committed, never out of order and none skipped:
`tenancy/queries/events.py`. Each reader is told each event at least once:
`tenancy/operations/outbox.py`.
"""
_TRAIL = """\
## In the audit trail alone

Nobody is told of these.
"""


def document() -> str:
    """Return the text of ``docs/events.md``."""
    told = sorted(
        (one for one in catalogue() if one.is_told), key=lambda one: (one.about, one.name)
    )
    pieces = [_HEAD]
    for about, events in groupby(told, key=lambda one: one.about):
        pieces.append(f"## About: {about}\n")
        pieces.extend(_event(one) for one in events)
    lines = [f"- `{one.name}`: {_meaning(one)}" for one in catalogue() if not one.is_told]
    pieces.append(_TRAIL + "\n" + "\n".join(lines) + "\n")
    return "\n".join(pieces)


def _event(one: Declared) -> str:
    head = f"### `{one.name}`, version {one.version}\n\n{_meaning(one)}\n"
    rows = list(_fields(one))
    if not rows:
        return f"{head}\nNo payload.\n"
    return f"{head}\n| Field | What it is | |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _meaning(one: Declared) -> str:
    with translation.override("en"):
        english = str(one.meaning)
    with translation.override("de"):
        return f"{english} *{one.meaning}*"


def _fields(one: Declared) -> Iterator[str]:
    for name, field in one.payload.items():
        is_maybe = isinstance(field, Maybe)
        with translation.override("en"):
            words = str(KIND_WORDS[field.kind if is_maybe else field])
        yield f"| `{name}` | {words} | {'may be missing' if is_maybe else ''} |"


def main() -> int:
    """Write the document, or compare it."""
    path, text = ROOT / "docs" / "events.md", document()
    if "--check" in sys.argv:
        is_current = path.exists() and path.read_text(encoding="utf-8") == text
        print(
            "docs/events.md is current" if is_current else "docs/events.md: run scripts/events.py"
        )
        return 0 if is_current else 1
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
