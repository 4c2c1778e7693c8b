"""The overview of the portal says what is owed, and nothing untrue to those who see extracts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from portal.pages import _amounts, _state
from tests.http.dashboard.conftest import invoice_of


def test_puts_the_main_currency_first():
    amounts = _amounts({"CHF": 1, "USD": 2, "EUR": 3}, "EUR")

    assert [one.currency for one in amounts] == ["EUR", "CHF", "USD"]


def test_says_once_what_is_overdue(billed, bob, visit):
    page = visit(bob("group")).get("/portal/").content.decode()

    assert f"€{Decimal(invoice_of(billed, 'group').gross_minor) / 100:,.2f}" in page
    assert page.count("Overdue of this:") <= 1
    assert "Nothing for you to pay" not in page


@pytest.mark.parametrize(("day", "word"), [(-1, "Overdue"), (0, "Due soon"), (8, "Open")])
def test_says_how_each_invoice_stands_as_the_list_does(billed, day, word):
    invoice = invoice_of(billed, "group")
    invoice.whole, invoice.shown_open_minor = True, invoice.gross_minor

    with translation.override("en"):
        state, _tone = _state(invoice, invoice.due_date - timedelta(days=day))

    assert state == word


def test_does_not_say_all_paid_to_readers_of_extracts(billed, bob, visit):
    page = visit(bob("branch")).get("/portal/").content.decode()

    assert "Nothing for you to pay" in page
    assert "All paid" not in page
