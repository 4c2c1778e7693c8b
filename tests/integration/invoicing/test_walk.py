"""The way from a subscription to a line is short, and the one that the document tells."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from billing_hierarchy.embedded.folders import project_folder
from billing_rules.drafting import ChargeIn
from invoicing.engine.placing import Placed, PlacedDocument
from invoicing.engine.rows import ChargeRow, ItemRow, LineRow, PeriodRow
from tests.world import account, price, subscription

ROOT = project_folder()
PASSED_ON = (ItemRow, PeriodRow, ChargeRow, Placed, PlacedDocument, ChargeIn, LineRow)
MOST_FILES = 12


def told_way() -> list[str]:
    """Return the functions that docs/architecture.md names, in its order."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    part = text.split("### From a subscription to a line")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `([\w.]+)`", part, re.MULTILINE)


@contextmanager
def calls_noted() -> Iterator[tuple[list[str], set[str]]]:
    """Yield what is called, by full name, and the files that are handed an item, charge or line."""
    called: list[str] = []
    handed: set[str] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        if event != "call" or not module.startswith(("invoicing.", "billing_rules.")):
            return
        called.append(f"{module}.{code.co_qualname}")
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        given = [frame.f_locals[name] for name in names if name != "self"]
        given += [one[0] for one in given if isinstance(one, list | tuple) and one]
        if any(isinstance(one, PASSED_ON) for one in given):
            handed.add(module)

    sys.setprofile(note)
    try:
        yield called, handed
    finally:
        sys.setprofile(None)


def test_a_subscription_becomes_a_line_on_the_way_that_is_told(vendor):
    vendor.has("accounts", account("A", billing_day=1), account("B", "A"))
    vendor.has("prices", price("ten", "10", tax_rate=19))
    # Its first period is a part of a month, so that proration has its turn.
    vendor.has("subscriptions", subscription("S", "B", "ten", "2026-11-12"))

    with calls_noted() as (called, handed):
        vendor.run("2026-12-01")

    way = told_way()
    assert [one for one in dict.fromkeys(called) if one in way] == way
    assert len(way) == len({one.rpartition(".")[0] for one in way}) == MOST_FILES
    assert len(handed) <= MOST_FILES
