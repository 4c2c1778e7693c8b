"""The page on which an invoice is corrected, and what the pages of both documents say."""

from datetime import UTC, datetime

import pytest

from invoicing.models import Invoice, InvoiceLine, InvoiceSection
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import account, price, subscription


@scene
def shop(vendor):
    vendor.has(
        "accounts", account("A", billing_day=1), account("A1", "A"), account("B", billing_day=1)
    )
    vendor.has("prices", price("ten", "10"), price("seven", "7", tax_rate=7))
    vendor.has(
        "subscriptions",
        subscription("S", "A", "ten", "2026-12-01"),
        subscription("S1", "A1", "seven", "2026-12-01"),
        subscription("B", "B", "ten", "2026-12-01"),
    )
    vendor.run("2026-12-01")
    vendor.change_tenant(test_clock_at=datetime(2026, 12, 15, 12, tzinfo=UTC))
    return vendor


@pytest.fixture
def invoice(shop):
    with shop.seen():
        return Invoice.objects.get(bill_to_id=shop.id_of("A"))


def address(invoice):
    return f"/invoices/{invoice.public_id}/correction/"


def field(page, name):
    return page.context[name]


def sent(visit_page, **values):
    return {"key": field(visit_page, "key"), "version": field(visit_page, "version"), **values}


def notes(shop):
    with shop.seen():
        return list(Invoice.objects.filter(kind="credit_note").order_by("series_number"))


@pytest.fixture
def client(visit, shop):
    return visit(shop.staff("Fay", "finance_admin"))


def test_shows_what_comes_of_it_before_it_is_issued(client, shop, invoice):
    page = client.get(address(invoice))
    preview = client.get(
        address(invoice), {"reason": "Agreed", "amount": "5.00"}, headers={"hx-request": "true"}
    ).content.decode()

    assert page.status_code == 200
    assert "−€5.00" in preview
    assert "Lowers what is open by" in preview
    assert notes(shop) == []
    wrong = client.get(
        address(invoice), {"reason": "Agreed", "amount": "500"}, headers={"hx-request": "true"}
    ).content.decode()
    assert "More would be taken back than is left" in wrong


def test_takes_a_section_back_and_shows_both_documents(client, shop, invoice):
    with shop.seen():
        section = InvoiceSection.objects.get(account_id=shop.id_of("A1"), invoice=invoice)
    page = client.get(address(invoice))
    values = sent(page, section=public_id("acc", section.account_id), reason="Not <b>delivered</b>")

    answer = client.post(address(invoice), values, follow=True)

    (note,) = notes(shop)
    assert note.gross_minor == -section.gross_minor
    text = answer.content.decode()
    assert answer.redirect_chain[-1][0] == f"/invoices/{note.public_id}/"
    assert "Credit note RK-2026-000001" in text
    assert f"/invoices/{invoice.public_id}/" in text
    assert "Not &lt;b&gt;delivered&lt;/b&gt;" in text
    assert "<b>delivered" not in text
    original = client.get(f"/invoices/{invoice.public_id}/").content.decode()
    assert f"/invoices/{note.public_id}/" in original
    assert "RK-2026-000001" in original


def test_lines_that_are_ticked_count(client, shop, invoice):
    with shop.seen():
        line = InvoiceLine.objects.get(subscription__external_id="S")
    page = client.get(address(invoice))

    client.post(
        address(invoice), sent(page, lines=[line.public_id], amount="1.00", reason="Agreed")
    )

    assert [one.net_minor for one in notes(shop)] == [-100]


def test_one_form_sent_twice_makes_one(client, shop, invoice):
    values = sent(client.get(address(invoice)), amount="1.00", reason="Agreed")

    answers = [client.post(address(invoice), values, follow=True) for _turn in range(2)]

    assert len(notes(shop)) == 1
    assert "issued already" in answers[1].content.decode()


def test_what_was_corrected_meanwhile_is_shown_first(client, shop, invoice):
    first, second = (client.get(address(invoice)) for _window in range(2))
    client.post(address(invoice), sent(first, amount="1.00", reason="Agreed"))

    late = client.post(address(invoice), sent(second, amount="2.00", reason="Agreed"))

    assert late.status_code == 409
    assert len(notes(shop)) == 1
    again = client.post(address(invoice), sent(late, amount="2.00", reason="Agreed"), follow=True)
    assert again.status_code == 200
    assert len(notes(shop)) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"reason": ""},
        {"reason": "x" * 10_000},
        {"reason": "Agreed", "amount": "0"},
        {"reason": "Agreed", "amount": "-1"},
        {"reason": "Agreed", "amount": "1.001"},
        {"reason": "Agreed", "amount": "much"},
        {"reason": "Agreed", "amount": "17.01"},
        {"reason": "Agreed", "section": "acc_none"},
        {"reason": "Agreed", "lines": ["lin_none"]},
    ],
    ids=["none", "long", "zero", "negative", "fraction", "words", "more", "section", "line"],
)
def test_refuses_at_the_field_and_changes_nothing(client, shop, invoice, values):
    page = client.get(address(invoice))

    answer = client.post(address(invoice), sent(page, **values))

    assert answer.status_code == 422
    assert notes(shop) == []


def test_is_for_those_who_may_issue(visit, shop, invoice):
    support = visit(shop.staff("Sue", "support"))

    assert support.get(address(invoice)).status_code == 403
    assert "/correction/" not in support.get(f"/invoices/{invoice.public_id}/").content.decode()


def test_nothing_is_left_of_what_is_taken_back_whole(client, shop, invoice):
    client.post(address(invoice), sent(client.get(address(invoice)), reason="Agreed"))

    page = client.get(f"/invoices/{invoice.public_id}/").content.decode()

    assert "/correction/" not in page
    assert "Corrected" in page
    assert client.get(address(invoice)).status_code == 302
    (note,) = notes(shop)
    assert client.get(address(note)).status_code == 302


def test_lists_have_credit_notes_with_their_sums(client, shop, invoice):
    client.post(address(invoice), sent(client.get(address(invoice)), reason="Agreed"))

    everything = client.get("/invoices/").content.decode()
    alone = client.get("/invoices/?status=issued").content.decode()

    assert "RK-2026-000001" in everything
    assert "RE-2026-000001" in everything
    assert "RK-2026-000001" in alone
    assert "RE-2026-000002" not in alone
    line = InvoiceLine
    with shop.seen():
        some = line.objects.filter(invoice__kind="credit_note").first()
    why = client.get(f"/invoices/{notes(shop)[0].public_id}/lines/{some.public_id}/why/")
    assert "It takes back of invoice RE-2026-000001" in why.content.decode()


def test_what_was_paid_is_credit_of_the_account(client, shop, invoice):
    with shop.seen():
        Invoice.objects.filter(pk=invoice.pk).update(paid_minor=invoice.gross_minor, status="paid")

    client.post(address(invoice), sent(client.get(address(invoice)), amount="5", reason="Agreed"))

    (note,) = notes(shop)
    page = client.get(f"/invoices/{note.public_id}/").content.decode()
    account_page = f"/customers/{public_id('acc', shop.id_of('A'))}/"
    assert f'€{-note.gross_minor / 100:.2f} is credit of <a href="{account_page}">A</a>.' in page
    assert "lowers what is open" not in page


def test_the_customer_sees_both_and_corrects_nothing(visit, shop, invoice, client):
    client.post(address(invoice), sent(client.get(address(invoice)), reason="Agreed"))
    portal = visit(shop.customer("Bob", "admin", "A"))

    (note,) = notes(shop)
    listed = portal.get("/portal/invoices/").content.decode()
    shown = portal.get(f"/portal/invoices/{note.public_id}/")

    assert "RK-2026-000001" in listed
    assert shown.status_code == 200
    assert "/correction/" not in shown.content.decode()


def test_who_reaches_a_section_alone_sees_its_part_and_no_reason(visit, shop, invoice, client):
    client.post(address(invoice), sent(client.get(address(invoice)), reason="Kanareason"))
    portal = visit(shop.customer("Dora", "viewer", "A1"))

    (note,) = notes(shop)
    answer = portal.get(f"/portal/invoices/{note.public_id}/")

    text = answer.content.decode()
    assert answer.status_code == 200
    # 7.00 and 7 % of it are its part of 17.00 and 2.39.
    assert "−€7.49" in text
    assert f"€{-note.gross_minor / 100:.2f}" not in text
    assert "Kanareason" not in text
    assert "RE-2026-000001" in text
