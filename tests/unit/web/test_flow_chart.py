"""Money flows: thickness, places and names of what is drawn."""

import re
from xml.etree import ElementTree

from web.charts.flow import Band, Stop, flow_chart

NASTY = '<script>alert("x")</script> & Söhne'
HEADS = ("Uses", "Is invoiced", "Pays")


def stop(key):
    return Stop(key, key, f"/{key}/", "€1.00")


def drawn(bands, *columns):
    stops = [[stop(key) for key in column] for column in columns]
    return ElementTree.fromstring(flow_chart(HEADS, stops, bands, "Money flow"))


def test_draws_bands_as_thick_as_what_they_carry():
    picture = drawn(
        [
            Band(("a", "top", "top"), 3000, "a: 30", "/a/"),
            Band(("b", "top", "top"), 1000, "b: 10", "/b/"),
        ],
        ["a", "b"],
        ["top"],
        ["top"],
    )
    thick = [float(band.get("stroke-width")) for band in picture.iter("path")]
    heights = [float(one.get("height")) for one in picture.iter("rect")]

    assert thick == [240, 240, 80, 80]
    assert heights == [240, 80, 320, 320]
    assert [link.get("href") for link in picture.iter("a")][:2] == ["/a/", "/b/"]


def test_draws_hairs_where_nothing_or_less_flows():
    picture = drawn([Band(("a", "a", "a"), -500, "a: −5", "/a/")], ["a"], ["a"], ["a"])

    assert {band.get("stroke-width") for band in picture.iter("path")} == {"1.0"}


def test_writes_names_as_text():
    found = flow_chart(HEADS, [[stop(NASTY)]] * 3, [Band((NASTY,) * 3, 1, NASTY, "/")], NASTY)

    assert "<script" not in found
    assert not re.search(r"\sstyle=", found)
    ElementTree.fromstring(found)
