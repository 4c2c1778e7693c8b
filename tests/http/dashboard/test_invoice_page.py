"""One invoice: whole for those who may, its own sections for others, nothing for strangers."""

import re
from http import HTTPStatus
from types import SimpleNamespace

import pytest

from tenancy.ids import public_id, uuid7
from tests.http.dashboard.conftest import invoice_of, url_of, why_url

MOST_STATEMENTS = 12


@pytest.fixture
def url(billed):
    return url_of(billed, "group")


def test_shows_sections_lines_tax_and_total(billed, alice, visit, url):
    page = visit(alice).get(url).content.decode()

    invoice = invoice_of(billed, "group")
    for text in (
        f"Invoice {invoice.number}",
        "Zweig Süd",
        "Cost centre S-2",
        "PO PO-7",
        "Subtotal Zweig Süd",
        "15–30 Nov 2026",
        "2.5",
        f"VAT 19% on €{invoice.net_minor / 100:,.2f}",
        f"€{invoice.gross_minor / 100:,.2f}",
        "14 days net",
        "Issued, number assigned",
    ):
        assert text in page, text


def test_speaks_german(billed, alice, visit, url):
    page = visit(alice, "de").get(url).content.decode()

    for text in (
        "Rechnung RE-",
        "Sammelrechnung, 3 Konten",
        "Zwischensumme",
        "USt",
        "Zahlungsziel",
    ):
        assert text in page, text


def test_needs_few_statements(billed, alice, bob, visit, statements, url):
    assert len(statements(visit(alice), url)) <= MOST_STATEMENTS
    assert len(statements(visit(alice), why_url(billed, "group", "s2"))) <= MOST_STATEMENTS
    assert len(statements(visit(alice), f"{url}sections/1/")) <= MOST_STATEMENTS
    partial = visit(bob("branch"))
    assert len(statements(partial, f"/portal{url}")) <= MOST_STATEMENTS


def test_shows_subtotals_alone_and_lines_on_demand(billed, alice, visit, url):
    client = visit(alice)

    page = client.get(f"{url}?view=subtotals").content.decode()
    fragment = client.get(f"{url}sections/2/", headers={"hx-request": "true"}).content.decode()

    assert "Subtotal Zweig Süd" not in page
    assert "Subtotal Zweig Süd" in fragment or "Subtotal &lt;" in fragment
    assert "<html" not in fragment
    assert fragment.count("<tbody") == 1


def test_each_fragment_is_a_page_as_well(billed, alice, visit, url):
    client = visit(alice)

    for address in (f"{url}sections/1/", why_url(billed, "group", "s2")):
        whole = client.get(address)
        part = client.get(address, headers={"hx-request": "true"})
        assert "<html" in whole.content.decode()
        assert "<html" not in part.content.decode()
        assert "HX-Request" in whole.headers["Vary"]


def test_explains_an_amount(billed, alice, visit):
    page = visit(alice).get(why_url(billed, "group", "s2")).content.decode()

    for text in (
        "8 × €9.00 = €72.00",
        "16 of 30 days are charged (15–30 Nov 2026).",
        "€72.00 × 16/30 = €38.40",
        "Seller and recipient are in the same country",
        "Why on this invoice?",
    ):
        assert text in page, text


def test_explains_in_german(billed, alice, visit):
    page = visit(alice, "de").get(why_url(billed, "group", "s2")).content.decode()

    for text in ("Wie entsteht der Betrag?", "16 von 30 Tagen", "72,00\xa0€ × 16/30 = 38,40\xa0€"):
        assert text in page, text
    assert "It was due" not in page


def test_hands_out_the_pdf(billed, alice, visit, url, monkeypatch):
    made = SimpleNamespace(content=b"%PDF-1.7", file_name="RE-2026-000001.pdf")
    monkeypatch.setattr("web.invoices.files.get_pdf", lambda *_, **__: made)

    answer = visit(alice).get(f"{url}pdf")

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="RE-2026-000001.pdf"'
    assert answer.content == made.content


def test_hands_out_the_lines_that_are_not_printed(billed, alice, bob, visit, url, monkeypatch):
    assert "Download annex" not in visit(alice).get(url).content.decode()
    monkeypatch.setattr("invoicing.documents.content.DETAIL_LIMIT", 1)

    page = visit(bob("group")).get(f"/portal{url}").content.decode()
    answer = visit(bob("group")).get(f"/portal{url}annex.csv")

    assert f'href="/portal{url}annex.csv"' in page
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    rows = b"".join(answer.streaming_content).decode().splitlines()
    assert len(rows) == 1 + invoice_of(billed, "group").line_count
    assert visit(bob("branch")).get(f"/portal{url}annex.csv").status_code == HTTPStatus.FORBIDDEN


def test_shows_a_department_its_own_sections_only(billed, bob, visit, url):
    client = visit(bob("branch"))

    page = client.get(f"/portal{url}").content.decode()

    assert "Extract, not an invoice for VAT purposes" in page
    assert "Subtotal Zweig Süd" in page
    assert "Subtotal Gruppe Nord" not in page
    assert f"€{invoice_of(billed, 'group').gross_minor / 100:,.2f}" not in page
    assert "Download PDF" not in page
    assert client.get(f"/portal{url}pdf").status_code == HTTPStatus.FORBIDDEN
    # What is shown counts among its own, so that no place tells of others before it.
    assert "Zweig Süd" in client.get(f"/portal{url}sections/1/").content.decode()
    assert client.get(f"/portal{url}sections/2/").status_code == HTTPStatus.NOT_FOUND
    foreign = why_url(billed, "group", "s1", "/portal")
    assert client.get(foreign).status_code == HTTPStatus.NOT_FOUND
    own = why_url(billed, "group", "s2", "/portal")
    assert client.get(own).status_code == HTTPStatus.OK


def test_shows_a_customer_the_whole_invoice_in_the_portal(billed, bob, visit, url):
    page = visit(bob("group")).get(f"/portal{url}").content.decode()

    assert 'class="portal"' in page
    assert "Subtotal Gruppe Nord" in page
    assert "Download PDF" in page


def test_leads_everybody_to_their_own_frame(billed, alice, bob, visit, url):
    assert visit(bob("group")).get(f"{url}?view=subtotals").url == f"/portal{url}?view=subtotals"
    assert visit(alice).get(f"/portal{url}").url == url


def test_finds_nothing_for_strangers(billed, charlie, visit, url):
    client = visit(charlie)
    unknown = public_id("inv", uuid7())

    for address in (
        url,
        f"{url}pdf",
        f"{url}annex.csv",
        f"{url}sections/1/",
        why_url(billed, "group", "s2"),
    ):
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    known, not_known = client.get(url), client.get(f"/invoices/{unknown}/")
    assert _without_reference(known) == _without_reference(not_known)
    assert client.get("/invoices/nonsense/").status_code == HTTPStatus.NOT_FOUND


def test_explains_a_line_at_its_own_invoice_only(billed, alice, visit):
    elsewhere = why_url(billed, "group", "s2").replace(
        invoice_of(billed, "group").public_id, invoice_of(billed, "firm").public_id
    )

    assert visit(alice).get(elsewhere).status_code == HTTPStatus.NOT_FOUND


def test_escapes_names(billed, alice, visit, url):
    page = visit(alice).get(url).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_stays_usable_with_many_sections_and_lines(billed, alice, visit, url, monkeypatch):
    for module in ("page", "sections"):
        monkeypatch.setattr(f"web.invoices.{module}.LINES_AT_ONCE", 2)
    monkeypatch.setattr("web.invoices.sections.SECTIONS_PER_PAGE", 2)
    client = visit(alice)

    first = client.get(url)
    second = client.get(f"{url}?sections=2")

    assert [len(page.context["sections"]) for page in (first, second)] == [2, 1]
    assert "Accounts 1 to 2 of 3" in first.content.decode()
    assert all(section.lines is None for section in first.context["sections"])
    assert "All lines" not in first.content.decode()


def _without_reference(answer):
    """Return a page without what differs from request to request."""
    page = answer.content.decode().replace(answer.headers["X-Request-Id"], "")
    page = page.replace(answer.wsgi_request.path, "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
