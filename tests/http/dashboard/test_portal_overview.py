"""The overview of the portal says what is owed, and nothing untrue to those who see extracts."""

from decimal import Decimal

from portal.pages import _amounts
from tests.http.dashboard.conftest import invoice_of


def test_puts_the_main_currency_first():
    amounts = _amounts({"CHF": 1, "USD": 2, "EUR": 3}, "EUR")

    assert [one.currency for one in amounts] == ["EUR", "CHF", "USD"]


def test_says_once_what_is_overdue(billed, bob, visit):
    page = visit(bob("group")).get("/portal/").content.decode()

    assert f"€{Decimal(invoice_of(billed, 'group').gross_minor) / 100:,.2f}" in page
    assert page.count("Overdue of this:") <= 1
    assert "Nothing for you to pay" not in page


def test_does_not_say_all_paid_to_readers_of_extracts(billed, bob, visit):
    page = visit(bob("branch")).get("/portal/").content.decode()

    assert "Nothing for you to pay" in page
    assert "All paid" not in page
