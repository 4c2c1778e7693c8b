"""Lists of accounts as people write them: levels, types, and what is wrong with which line."""

import pytest
from django.utils.translation import override

from dashboard.pages.customers.outline import MOST_LINES, read_outline

TREE = [("Nord GmbH", 0), ("HR", 1), ("Payroll", 2), ("IT", 1), ("Süd GmbH", 0)]


def read(text):
    found = read_outline(text)
    return [(one.name, one.depth) for one in found.entries], [one.line for one in found.faults]


@pytest.mark.parametrize(
    "text",
    [
        "Nord GmbH\n\tHR\n\t\tPayroll\n\tIT\nSüd GmbH",
        "Nord GmbH\r\n  HR\r\n    Payroll\r\n  IT\r\nSüd GmbH\r\n",
        "\n    Nord GmbH\n        HR\n\n            Payroll  \n        IT\n    Süd GmbH\n\n",
        "- Nord GmbH\n   * HR\n      • Payroll\n   – IT\n- Süd GmbH",
        "Nord GmbH\t\t\n\tHR\t\n\t\tPayroll\n\tIT\t\t\nSüd GmbH",
        "Nord GmbH\n\u00a0\u00a0HR\n\u00a0 \u00a0 Payroll\n\u00a0 IT\nSüd GmbH",
    ],
    ids=["tabs", "blanks", "indented as a whole", "bullets", "a spreadsheet", "no-break blanks"],
)
def test_reads_levels_however_they_are_written(text):
    assert read(text) == (TREE, [])


@pytest.mark.parametrize("language", ["en", "de"])
def test_reads_types_in_any_language(language):
    text = (
        "A | Subsidiary\nB|Tochter\nC\tNiederlassung\nD | department\nE\nF | person\nG |COMPANY\n"
    )
    with override(language):
        found = read_outline(text)

    assert [(one.name, one.kind) for one in found.entries] == [
        ("A", "subsidiary"), ("B", "subsidiary"), ("C", "branch"), ("D", "department"),
        ("E", "department"), ("F", "person"), ("G", "company"),
    ]  # fmt: skip
    assert found.faults == []


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("A\n  B\n      C", 3, "Line 3: It is indented by more than one level."),
        ("A\n\tB\n\n\t\t\tC", 4, "Line 4: It is indented by more than one level."),
        ("A\n    B\n  C", 3, "Line 3: No line above is indented like this one."),
        ("  A\nB", 2, "Line 2: No line above is indented like this one."),
        ("A | Shed", 1, "Line 1: “Shed” is no type of account. There are: "),
        ("A | Branch | Branch", 1, "Line 1: “Branch” is no type of account. There are: "),
    ],
)
def test_names_the_line_that_is_wrong(text, line, detail):
    (fault,) = read_outline(text).faults

    assert fault.line == line
    assert fault.detail.startswith(detail)


def test_takes_so_many_lines_and_no_more():
    rows = [f"A{number}" for number in range(MOST_LINES + 5)]

    whole, too_long = read_outline("\n".join(rows[:MOST_LINES])), read_outline("\n".join(rows))

    assert (len(whole.entries), whole.faults) == (MOST_LINES, [])
    assert [one.line for one in too_long.faults] == [MOST_LINES + 1]
    assert "At most 1,000 accounts at once." in too_long.faults[0].detail


def test_lists_the_first_of_very_many_faults():
    found = read_outline("\n".join(f"A{number} | Shed" for number in range(500)))

    assert len(found.faults) == 100
