"""R26: names are ordered by what is stored, never by a collation."""

import pytest

from billing_rules.ordering import sort_key


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("Terminal 2", "Terminal 10"),
        ("Österreich", "Schweiz"),
        ("apfel", "Birne"),
        ("Straße 9", "Strasse 10"),
        ("Filiale 007", "Filiale 8"),
        ("", "0"),
        ("Lodi", "Łódź"),
        ("Łódź", "Lund"),
        ("Darmstadt", "Đorđe"),
        ("Đorđe", "Dresden"),
        ("Odense", "Øresund"),
        ("Øresund", "Oslo"),
        ("Adria", "Ærø"),
        ("Ærø", "Alpen"),
        ("Theben", "Þorsteinn"),
        ("Þorsteinn", "Thule"),
    ],
)
def test_orders_as_people_do(earlier, later):
    assert sort_key(earlier) < sort_key(later)


def test_takes_a_name_for_the_same_however_it_is_composed():
    assert sort_key("Ko\u0308ln") == sort_key("K\u00f6ln") == sort_key("KÖLN")


def test_fits_its_column_whatever_the_name():
    assert len(sort_key("1a" * 100)) <= 400
