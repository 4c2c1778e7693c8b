#!/usr/bin/env python3
"""Draw the pictures of docs/architecture.md: ``scripts/pictures.py [--check]``."""

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
INK, SOFT, LINE, PAPER = "#1d2433", "#5a6478", "#8a94a8", "#ffffff"
FILLS = {
    "face": "#e3edff",
    "app": "#eaf5ea",
    "rule": "#fff3d6",
    "store": "#f0eafa",
    "out": "#f1f3f6",
}


@dataclass(frozen=True)
class Box:
    """A box with a title and lines below it."""

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...] = ()
    kind: str = "app"

    def drawn(self) -> str:
        """Return it as SVG."""
        top = self.y + (self.height - 16 * len(self.lines)) // 2 + 5
        middle = self.x + self.width // 2
        parts = [
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="6"'
            f' fill="{FILLS[self.kind]}" stroke="{LINE}"/>',
            _text(middle, top, self.title, weight=600),
        ]
        parts += [
            _text(middle, top + 17 * number, line, size=12, fill=SOFT)
            for number, line in enumerate(self.lines, 1)
        ]
        return "\n".join(parts)


def _text(
    x: int, y: int, text: str, *, size: int = 14, fill: str = INK, weight: int = 400,
    anchor: str = "middle",
) -> str:  # fmt: skip
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" font-weight="{weight}"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )


def _arrow(*points: tuple[int, int], label: str = "", at: tuple[int, int] = (0, 0)) -> str:
    way = " ".join(f"{x},{y}" for x, y in points)
    line = (
        f'<polyline points="{way}" fill="none" stroke="{SOFT}" stroke-width="1.5"'
        ' marker-end="url(#tip)"/>'
    )
    return line + (f"\n{_text(*at, label, size=11, fill=SOFT)}" if label else "")


def _picture(width: int, height: int, title: str, parts: list[str]) -> str:
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg"'
            f' viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' role="img" font-family="Inter, Helvetica, Arial, sans-serif">',
            f"<title>{escape(title)}</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
            ' markerHeight="8" orient="auto">'
            f'<path d="M0 0 8 4 0 8z" fill="{SOFT}"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def layers() -> str:
    """Return who may import whom."""
    rows = [
        [("billing_hierarchy", "wiring: settings, API errors, backup, embedded services", "out")],
        [("dashboard", "pages of staff", "face"), ("portal", "pages of customers", "face")],
        [("web", "frame, tables, figures, badges; pages that both faces share", "face")],
        [("notifications", "who is told", "app")],
        [("reports", "read-only figures", "app")],
        [("invoicing", "owed: charges, runs, invoices, documents, ledger", "app")],
        [("subscriptions", "sold: prices, subscriptions, stored periods", "app")],
        [("accounts", "who: the tree, settings, people, access", "app")],
        [("tenancy", "ground: tenants, actor, row security, audit, events, jobs, files", "app")],
        [("billing_rules", "pure arithmetic: no Django, no database, no clock", "rule")],
    ]
    parts = []
    for number, row in enumerate(rows):
        y = 16 + 66 * number
        width = (560 - 16 * (len(row) - 1)) // len(row)
        for place, (name, said, kind) in enumerate(row):
            parts.append(Box(16 + place * (width + 16), y, width, 50, name, (said,), kind).drawn())
    parts.append(_arrow((608, 24), (608, 662)))
    parts.append(_text(640, 336, "imports", size=12, fill=SOFT))
    parts.append(_text(640, 352, "go down", size=12, fill=SOFT))
    return _picture(684, 680, "Layers: imports go downwards only", parts)


def flow() -> str:
    """Return the way of the money, and the table in which each stage waits."""
    stages = [
        ("rate", "due items", "→ periods,", "charges"),
        ("draft", "pending charges", "→ sums, tax,", "lines"),
        ("consolidate", "same key,", "same document", "(bill-to, payer)"),
        ("issue", "drafts", "→ number, ledger,", "frozen"),
        ("deliver", "invoices without file", "→ PDF, kept", "byte by byte"),
        ("collect", "open invoices", "→ payments:", "not built yet"),
    ]
    parts = []
    for number, (name, *lines) in enumerate(stages):
        x = 16 + 158 * number
        parts.append(Box(x, 20, 134, 96, name, tuple(lines)).drawn())
        if number:
            parts.append(_arrow((x - 22, 68), (x - 3, 68)))
    tables = [
        "Item · Period",
        "Charge",
        "Invoice · Section",
        "Invoice · Ledger",
        "StoredDocument",
    ]
    for number, table in enumerate(tables):
        x = 16 + 158 * number
        parts.append(Box(x, 152, 134, 34, table, (), "store").drawn())
        parts.append(_arrow((x + 67, 117), (x + 67, 149)))
    parts.append(
        _text(
            483,
            214,
            "Each stage is a table whose rows wait; each may be repeated without harm.",
            size=12,
            fill=SOFT,
        )
    )
    return _picture(966, 232, "Data flow: rate, draft, consolidate, issue, deliver, collect", parts)


def engine() -> str:
    """Return who asks the engine, what it reads and what becomes of its answer."""
    parts = [
        Box(16, 20, 200, 62, "billing run", ("locks the trees,", "writes the answer")).drawn(),
        Box(16, 110, 200, 78, "previews", ("next invoice, run, clock,", "changes: foresee_invoices",
                                           "no lock, nothing written")).drawn(),
        Box(300, 20, 170, 62, "read_families", ("accounts, settings,", "sellers, rates")).drawn(),
        Box(300, 118, 170, 62, "what if", ("moves, settings,", "from a day on")).drawn(),
        Box(554, 20, 150, 62, "rate", ("periods,", "charges")).drawn(),
        Box(554, 118, 150, 62, "place", ("bill-to, payer,", "same key, tax")).drawn(),
        Box(554, 216, 150, 62, "compose", ("invoice, sections,", "lines, tax")).drawn(),
        Box(16, 222, 454, 50, "rows in, rows out; no lock, nothing written", (), "rule").drawn(),
        _arrow((217, 45), (297, 45)),
        _arrow((217, 149), (297, 149)),
        _arrow((385, 115), (385, 85)),
        _arrow((471, 51), (551, 51)),
        _arrow((629, 83), (629, 115)),
        _arrow((629, 181), (629, 213)),
    ]  # fmt: skip
    return _picture(720, 294, "The engine: one computation for runs and previews", parts)


def processes() -> str:
    """Return what runs, and who speaks to whom as which role."""
    parts = [
        Box(16, 120, 120, 56, "browser, API", ("people, programs",), "out").drawn(),
        Box(196, 120, 120, 56, "proxy", ("TLS",), "out").drawn(),
        Box(376, 40, 170, 62, "web server", ("gunicorn, any number",), "face").drawn(),
        Box(376, 130, 170, 62, "worker", ("celery, any number of hosts",), "face").drawn(),
        Box(376, 220, 170, 62, "timetable", ("celery beat, one",), "face").drawn(),
        Box(376, 310, 170, 62, "commands", ("migrate, backup, restore",), "face").drawn(),
        Box(640, 40, 150, 62, "PgBouncer", ("optional, transactions",), "out").drawn(),
        Box(
            640,
            170,
            150,
            112,
            "PostgreSQL",
            ("all that matters:", "rows, files, queues,", "row security"),
            "store",
        ).drawn(),
        Box(640, 320, 150, 52, "Redis", ("nudges, cache",), "store").drawn(),
        _arrow((137, 148), (193, 148)),
        _arrow((317, 140), (345, 140), (345, 71), (373, 71)),
        _arrow((547, 62), (637, 62), label="app", at=(592, 56)),
        _arrow((547, 150), (590, 150), (590, 84), (637, 84), label="app", at=(568, 144)),
        _arrow((715, 103), (715, 167)),
        _arrow((547, 172), (608, 172), (608, 205), (637, 205), label="maintenance", at=(604, 165)),
        _arrow((547, 335), (592, 335), (592, 250), (637, 250), label="owner", at=(614, 244)),
        _arrow((547, 251), (572, 251), (572, 357), (637, 357)),
    ]
    return _picture(806, 392, "Processes and database roles", parts)


def main() -> int:
    """Write the pictures, or say which are not as drawn."""
    is_check = sys.argv[1:] == ["--check"]
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for draw in (layers, flow, engine, processes):
        path = FOLDER / f"{draw.__name__}.svg"
        if is_check:
            stale += [path.name] if path.read_text(encoding="utf-8") != draw() else []
        else:
            path.write_text(draw(), encoding="utf-8")
    if stale:
        print(f"Not as drawn: {', '.join(stale)}; run scripts/pictures.py.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
