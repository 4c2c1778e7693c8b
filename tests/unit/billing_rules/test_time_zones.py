"""Every country has a time zone that is one."""

from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from billing_rules.countries import COUNTRIES
from billing_rules.time_zones import TIME_ZONES, time_zone_of

NOBODY = {"BV", "HM"}


def test_every_country_has_one():
    assert {*TIME_ZONES} == COUNTRIES - NOBODY
    assert {time_zone_of(country) for country in NOBODY} == {"UTC"}
    for zone in TIME_ZONES.values():
        assert ZoneInfo(zone).key == zone


def test_each_is_one_of_the_country():
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    known = {(row[0], row[2]) for row in rows}

    assert {*TIME_ZONES.items()} - known == {("XK", "Europe/Belgrade")}


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("DE", "Europe/Berlin"),
        ("PT", "Europe/Lisbon"),
        ("CA", "America/Toronto"),
        ("AU", "Australia/Sydney"),
        ("BR", "America/Sao_Paulo"),
        ("US", "America/New_York"),
        ("RU", "Europe/Moscow"),
        ("UA", "Europe/Kyiv"),
    ],
)
def test_of_several_it_is_that_of_the_capital(country, zone):
    assert time_zone_of(country) == zone
