"""Reading indented lists as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_rules.outlines import BrokenIndent, read_outline


def read(text: str) -> list[tuple[int, str]]:
    return [(line.depth, line.text) for line in read_outline(text)]


WANTED = [(0, "Muster"), (1, "Nord"), (2, "Lager"), (1, "Süd")]


@pytest.mark.parametrize(
    "text",
    [
        "Muster\n  Nord\n    Lager\n  Süd",
        "Muster\n\tNord\n\t\tLager\n\tSüd\n",
        "Muster\r\n    Nord\r\n\tLager x\r\n".replace("\tLager x", "\t\tLager") + "\tSüd",
        "- Muster\n  - Nord\n      * Lager\n  - Süd",
        "\n   Muster\n\n     Nord\n      \n        • Lager\n     Süd   \n",
        "\u00a0Muster\n\u00a0\u00a0Nord\n\u00a0\u00a0\u00a0Lager\n  Süd",
    ],
)
def test_reads_any_indent(text):
    assert read(text) == WANTED


def test_numbers_lines_as_the_text_has_them():
    assert [line.number for line in read_outline("\nA\n\n B\n")] == [2, 4]


@pytest.mark.parametrize("text", ["", "\n \n\t\n", "-", "  * \n"])
def test_finds_nothing_in_nothing(text):
    assert read(text) == []


def test_keeps_a_dash_that_belongs_to_the_name():
    assert read("-1 degrees\n*star") == [(0, "-1 degrees"), (0, "*star")]


@pytest.mark.parametrize(("text", "number"), [("A\n    B\n  C", 3), ("  A\nB", 2)])
def test_refuses_a_line_between_two_levels(text, number):
    with pytest.raises(BrokenIndent) as refused:
        read_outline(text)

    assert refused.value.number == number


@given(st.lists(st.integers(0, 30), max_size=60))
def test_reads_back_what_is_written(jumps):
    depths: list[int] = []
    for jump in jumps:
        depths.append(min(jump, depths[-1] + 1) if depths else 0)
    text = "\n".join("  " * depth + f"n{place}" for place, depth in enumerate(depths))

    assert [line.depth for line in read_outline(text)] == depths


@given(st.text(max_size=300))
def test_takes_any_text(text):
    try:
        lines = read_outline(text)
    except BrokenIndent:
        return
    before = -1
    for line in lines:
        assert 0 <= line.depth <= before + 1
        assert line.text
        before = line.depth
