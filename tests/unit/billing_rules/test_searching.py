"""Searches find what people mean, however they and others spell it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_rules.searching import LONGEST_KEY, amount_in, search_key, searched_words


def finds(typed, *stored):
    key = search_key(stored)
    return all(
        any(spelling in key for spelling in word.spellings)
        or (word.joined is not None and word.joined in key.replace(" ", ""))
        for word in searched_words(typed)
    )


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("müller", "Mueller AG"),
        ("mueller", "Müller AG"),
        ("MULLER", "Müller AG"),
        ("strasse", "Hauptstraße"),
        ("Straße", "STRASSE"),
        ("lodz", "Łódź Sp. z o.o."),
        ("Łódź", "Lodz"),
        ("djordje", "Djordje"),
        ("dorde", "Đorđe"),
        ("oresund", "Øresund"),
        ("oeresund", "Øresund"),
        ("øresund", "Oeresund"),
        ("aero", "Ærø"),
        ("aarhus", "Århus"),
        ("arhus", "Aarhus"),
        ("thorsteinn", "Þorsteinn"),
        ("obrien", "O\u2019Brien"),
        ("o'brien", "O\u2019Brien"),
        ("o\u2019brien", "O'Brien"),
        ("loreal", "L'Oréal"),
        ("müller & söhne", "Müller und Söhne"),
        ("muller und sohne", "Müller & Söhne"),
        ("müller and söhne", "Müller & Söhne"),
        ("müller söhne", "Müller & Söhne"),
        ("söhne müller", "Müller & Söhne"),
        ("müller un", "Müller & Söhne"),
        ("h&m", "H & M"),
        ("H und M", "H&M"),
        ("müller + söhne", "Müller & Söhne"),
        ("nord energie", "Nord-Energie"),
        ("nordenergie", "Nord-Energie"),
        ("nord-energie", "Nordenergie"),
        ("Nord-Energie", "Nord Energie"),
        ("spa", "Fiat S.p.A."),
        ("S.p.A.", "Fiat SpA"),
        ("DE 123 456 789", "DE123456789"),
        ("re2026000001", "RE-2026-000001"),
        ("2026-000001", "RE-2026-000001"),
        ("ko\u0308ln", "KÖLN"),
        ("京科", "北京科技"),
        ("bauer", "Bauer"),
        ("er", "Bauer"),
    ],
)
def test_finds(typed, stored):
    assert finds(typed, stored)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("müller", "Maier"),
        ("abo", "Anna Bolt"),
        ("nord ost", "Nord-Energie"),
        ("2026-000002", "RE-2026-000001"),
        ("100%", "10 %"),
    ],
)
def test_finds_nothing_else(typed, stored):
    assert not finds(typed, stored)


def test_keeps_what_is_known_apart():
    assert search_key(["Müller & Söhne", None, "K-1001", ""]) == "\nmuller und and sohne\nk 1001\n"
    assert search_key(["Mueller"]) == "\nmueller\nmuller\n"
    assert search_key([None, "", "—"]) == ""


def test_has_no_words_where_there_is_nothing_to_fold():
    assert searched_words(" — … ") == ()
    assert [word.spellings for word in searched_words("und")] == [("und and",)]


@given(st.text(max_size=60))
def test_finds_every_text_by_itself(text):
    assert finds(text, text)


def test_keeps_a_key_within_bounds():
    assert len(search_key(str(number) * 20 for number in range(5_000))) <= LONGEST_KEY


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1234,5", "1234.5"),
        ("1'234.50", "1234.50"),
        ("1.234", "1234"),
        ("1 234,56 €", "1234.56"),
        ("€ 12", "12"),
    ],
)
def test_reads_an_amount_as_typed(typed, amount):
    assert amount_in(typed) == Decimal(amount)


@pytest.mark.parametrize("typed", ["", "RE-1", "12 Monate", "1-2"])
def test_reads_no_amount_where_there_is_none(typed):
    assert amount_in(typed) is None
