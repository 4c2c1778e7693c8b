#!/usr/bin/env python
"""Write ``docs/settings.md`` from the declarations; ``--check`` only says if it is current."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")

import django  # noqa: E402
from django.utils import translation  # noqa: E402

django.setup()

from accounts.declarations import (  # noqa: E402
    PARTICULARS,
    SETTINGS,
    ChangedBy,
    OfTenant,
    ReadAt,
    Setting,
)
from accounts.declarations.setting_terms import GROUP_TITLES  # noqa: E402

_HEAD = """\
# Settings and particulars of accounts

Made from the declarations by `scripts/settings.py`; change `accounts/declarations/` instead.

A setting of an account is its own value or inherited: from the nearest account above that sets it,
else the company's default. Values are dated: a change holds from a day on, and the days before
stay as they were. *Read at* says on which account of a charge it is read (R9): a value set where
it is not read has no effect there, only on accounts below that inherit it.

*Changed by* customers means: also by people and keys of the customer who have the right to change
settings, on what they reach. All others are changed by the vendor's people and keys alone. A
setting that can be *locked* may be kept from being set by the accounts below. One that can be
*planned* may be changed for a later day.
"""
_TABLE = """\
| Setting | What it does | Values | Default | Read at | Changed by | Locked | Planned |
|---|---|---|---|---|---|---|---|
"""
_READ_AT = {
    ReadAt.SERVICE_OWNER: "service owner",
    ReadAt.BILL_TO: "bill-to",
    ReadAt.PAYER: "payer",
}


def document() -> str:
    """Return the text of ``docs/settings.md``."""
    pieces = [_HEAD]
    with translation.override("en"):
        for group, title in GROUP_TITLES.items():
            rows = [_row(one) for one in SETTINGS.values() if one.group == group]
            pieces.append(f"## {title}\n\n{_TABLE}" + "\n".join(rows) + "\n")
        pieces.append(_particulars())
    return "\n".join(pieces)


def _row(one: Setting) -> str:
    cells = (
        f"`{one.name.value}`: {_both(one)}",
        one.help,
        _cell(str(one.kind.forms)),
        _default(one),
        _READ_AT[one.read_at],
        "customers" if one.changed_by == ChangedBy.CUSTOMER else "vendor",
        "yes" if one.can_be_locked else "",
        "yes" if one.can_be_scheduled else "",
    )
    return "| " + " | ".join(cells) + " |"


def _both(one: Setting) -> str:
    english = str(one.label)
    with translation.override("de"):
        return f"{english} (*{one.label}*)"


def _default(one: Setting) -> str:
    if not one.has_tenant_default:
        return "the account itself"
    if isinstance(one.default, OfTenant):
        return "the company's own"
    if one.is_seller:
        return "the first seller"
    return "" if one.default is None else f"`{one.kind.write(one.default)}`"


def _particulars() -> str:
    rows = [
        f"| `{one.name}`: {one.label} | {_cell(str(one.kind.forms))} |"
        f" {'yes' if one.empty is None else 'for a bill-to' if one.needed_for_invoices else ''} |"
        for one in PARTICULARS.values()
    ]
    head = "## Who an account is\n\nNobody inherits these (R2).\n\n| Particular | Forms | Needed |"
    return head + "\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the document, or compare it."""
    path, text = ROOT / "docs" / "settings.md", document()
    if "--check" in sys.argv:
        is_current = path.exists() and path.read_text(encoding="utf-8") == text
        print("current" if is_current else "docs/settings.md: run scripts/settings.py")
        return 0 if is_current else 1
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
