"""Org charts: where cards stand, how names are fitted, what the picture says."""

import re
from xml.etree import ElementTree

import pytest
from django.utils.safestring import SafeString

from web.charts.cards import Card, Fold, Pill
from web.charts.lettering import fitted, in_lines, width_of
from web.charts.org_chart import Line, Tie, miniature, org_chart, org_chart_file
from web.charts.tree_layout import BETWEEN_CARDS, CARD_HEIGHT, CARD_WIDTH, MARGIN, laid_out

NASTY = '<script>alert("x")</script> & Söhne'


def card(key, above="", **parts):
    values = {"url": f"/{key}/", "name": key, "label": f"{key}, all of it", "level": 1}
    return Card(key=key, above=above, **{**values, **parts})


def test_puts_levels_side_by_side_and_parents_beside_their_first_child():
    spots = laid_out([("top", ""), ("a", "top"), ("a1", "a"), ("a2", "a"), ("b", "top")]).spots

    step = CARD_HEIGHT + BETWEEN_CARDS
    assert (spots["top"].x, spots["a1"].y, spots["a2"].y) == (MARGIN, MARGIN, MARGIN + step)
    assert spots["top"].y == spots["a"].y == MARGIN
    assert spots["b"].y == MARGIN + 2 * step
    assert spots["a"].x == spots["b"].x > spots["top"].right


def test_never_lets_cards_touch():
    members = [("t", ""), *((f"c{n}", "t" if n < 4 else f"c{n % 4}") for n in (0, 4, 8, 1, 5, 2))]
    spots = list(laid_out(members).spots.values())

    for one in spots:
        for other in spots:
            if one is not other and one.x == other.x:
                assert abs(one.y - other.y) >= CARD_HEIGHT + BETWEEN_CARDS


def test_gives_a_lonely_card_a_picture_of_its_own():
    layout = laid_out([("top", "")])

    assert (layout.width, layout.height) == (CARD_WIDTH + 2 * MARGIN, CARD_HEIGHT + 2 * MARGIN)


@pytest.mark.parametrize(
    "text", ["", "Kurz", "Donaudampfschifffahrtsgesellschaft mbH & Co. KG", "一" * 40]
)
def test_fits_every_text(text):
    room = 120
    assert width_of(fitted(text, 13, room), 13) <= room
    lines = in_lines(text, 13, room, 2)
    assert len(lines) <= 2
    assert all(width_of(line, 13) <= room for line in lines)


def test_leaves_short_text_as_it_is():
    assert fitted("Fleet", 13, 200) == "Fleet"
    assert in_lines("Nordhafen Deutschland GmbH", 13, 400, 2) == ["Nordhafen Deutschland GmbH"]
    assert in_lines("Nordhafen Deutschland GmbH", 13, 130, 2)[0] == "Nordhafen"


def test_is_a_tree_of_links():
    fold = Fold("+2 ▸", "Open 2", "/?open=b", is_open=False)
    drawn = org_chart(
        [card("a"), card("b", "a", level=2, fold=fold, pills=[Pill("Payer", "plum")])],
        [Tie(Line.INVOICED, "b", "a"), Tie(Line.PAYS, "a", "b")],
        "Org chart of a",
        "no-pays",
    )
    picture = ElementTree.fromstring(drawn)
    items = [one for one in picture if one.get("role") == "treeitem"]

    assert (picture.get("role"), picture.get("class")) == ("tree", "org no-pays")
    assert [one.get("aria-label") for one in items] == ["a, all of it", "b, all of it"]
    assert [one.get("aria-expanded") for one in items] == [None, "false"]
    assert [link.get("href") for link in picture.iter("a")] == ["/a/", "/b/", "/?open=b"]
    assert [path.get("class") for path in picture.iter("path")] == [
        "edge",
        "tie invoiced",
        "tie pays",
    ]
    assert " style=" not in drawn


@pytest.mark.parametrize("ends", [("a", "d"), ("d", "a"), ("b", "c"), ("b", "d"), ("b", "a")])
@pytest.mark.parametrize("line", list(Line))
def test_draws_lines_between_any_cards(ends, line):
    cards = [card("a"), card("b", "a"), card("d", "b"), card("c", "a")]
    drawn = org_chart(cards, [Tie(line, *ends)], "", "")

    way = re.search(rf'class="tie {line.value}" d="([^"]+)"', drawn)[1]
    assert re.fullmatch(r"M[\d.]+ [\d.]+(H[\d.]+V[\d.]+H[\d.]+|C[-\d. ]+)", way)


def test_writes_names_as_text():
    drawn = org_chart([card("a", name=NASTY, label=NASTY, kind=NASTY)], [], NASTY, "")

    assert "<script" not in drawn
    ElementTree.fromstring(drawn)


def test_stands_alone_as_a_file():
    style = SafeString(".box{fill:#fff}")
    fold = Fold("+2 ▸", "Open 2", "/?open=a", is_open=False)
    drawn = org_chart_file(
        [card("a", fold=fold)], [], ("Org chart of a", "As of today"), [(Line.PAYS, "Pays")], style
    )
    picture = ElementTree.fromstring(drawn)
    texts = ["".join(one.itertext()) for one in picture.iter("{http://www.w3.org/2000/svg}text")]

    assert {"Org chart of a", "As of today", "Pays", "+2 ▸"} <= set(texts)
    assert "href" not in drawn


def test_has_a_map_of_all_cards():
    assert miniature([card("a"), card("b", "a")]).count("<rect") == 3
