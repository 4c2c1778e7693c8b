"""The overview of the portal says what is owed, and nothing untrue to those who see extracts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from invoicing.models import InvoiceSection
from invoicing.queries.balances import to_pay
from portal.pages import _amounts
from tests.http.dashboard.conftest import invoice_of, url_of
from tests.markup import squeezed
from tests.world import TODAY, account, price, subscription
from web.badges import invoice_badge


def test_puts_the_main_currency_first():
    amounts = _amounts({"CHF": 1, "USD": 2, "EUR": 3}, "EUR")

    assert [one.currency for one in amounts] == ["EUR", "CHF", "USD"]


def test_says_once_what_is_overdue(billed, bob, visit):
    page = visit(bob("group")).get("/portal/").content.decode()

    assert f"€{Decimal(invoice_of(billed, 'group').gross_minor) / 100:,.2f}" in page
    assert page.count("Of which overdue:") <= 1
    assert "Nothing for you to pay" not in page


@pytest.mark.parametrize(("day", "word"), [(-1, "Overdue"), (0, "Due soon"), (8, "Open")])
def test_says_how_each_invoice_stands_as_the_list_does(billed, day, word):
    invoice = invoice_of(billed, "group")
    invoice.whole = True

    with translation.override("en"):
        badge = invoice_badge(invoice, invoice.due_date - timedelta(days=day))

    assert badge.label == word


def test_does_not_say_all_paid_to_readers_of_extracts(billed, bob, visit):
    page = visit(bob("branch")).get("/portal/").content.decode()

    assert "Nothing for you to pay" in page
    assert "All paid" not in page


def test_tells_what_is_paid_here_from_what_others_pay(vendor, bob, visit):
    """The branch gets its own invoice, which the group pays."""
    vendor.has(
        "accounts",
        account("group", name="Gruppe", billing_day=1),
        account("branch", "group", name="Zweig", bill_to="branch", payer="group"),
    )
    vendor.has("prices", price("ten", "10.00", tax_rate=19), price("five", "5.00", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("s1", "group", "ten", "2026-12-01"),
        subscription("s2", "branch", "five", "2026-12-01"),
    )
    vendor.run("2026-12-01")

    with vendor.seen():
        group = to_pay(bob("group"), today=TODAY)
        branch = to_pay(bob("branch"), today=TODAY)

    assert (group.own.tree_open, group.others.tree_open) == ({"EUR": 1190 + 595}, {})
    assert (branch.own.tree_open, branch.others.tree_open) == ({}, {"EUR": 595})
    page = squeezed(visit(bob("branch")).get("/portal/").content.decode())
    assert "Nothing for you to pay" in page
    assert "Open on your invoices, but paid by others: €5.95" in page
    assert "Next due:" not in page
    assert "Next due:" in visit(bob("group")).get("/portal/").content.decode()


def test_names_the_own_part_alike_everywhere(billed, bob, visit, url_of_group):
    """Overview, list, quick view and page say the same gross and the same net (R31)."""
    client = visit(bob("branch"))
    with billed.seen():
        section = InvoiceSection.objects.get(account_id=billed.id_of("branch"))
    net, gross = (f"{amount / 100:,.2f}" for amount in (section.net_minor, section.gross_minor))
    assert net != gross

    for address in ("/portal/", "/portal/invoices/", url_of_group, f"{url_of_group}glance/"):
        page = client.get(address).content.decode()
        assert net in page, address
        assert gross in page, address
    assert f"your part, gross (€{net} net)" in client.get("/portal/").content.decode()
    assert "Your part, gross" in client.get(url_of_group).content.decode()


@pytest.fixture
def url_of_group(billed):
    return url_of(billed, "group", "/portal")
