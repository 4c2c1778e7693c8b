"""Selected invoices as a list and as an archive; the quick look at one."""

import csv
import io
from http import HTTPStatus
from zipfile import ZipFile

import pytest

from accounts.models import Contact, Grant
from invoicing.documents import bundle
from invoicing.models import Invoice, StoredDocument
from tests.http.dashboard.conftest import invoice_of, url_of
from tests.world import NOW, account, subscription
from web.invoices import selection as invoice_selection

MOST_STATEMENTS = 12


@pytest.fixture(autouse=True)
def sheets(monkeypatch):
    """Lay nothing out: a sheet is its number."""
    made = []

    def pdf_bytes(content):
        made.append(content.file_name)
        return f"%PDF {content.file_name}".encode()

    monkeypatch.setattr("invoicing.documents.pdf.pdf_bytes", pdf_bytes)
    return made


def names_in(answer):
    assert answer["Content-Type"] == "application/zip"
    with ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def ids_of(vendor, *keys):
    return [invoice_of(vendor, key).public_id for key in keys]


def test_saves_the_selected_rows_alone(billed, alice, visit):
    query = {"ids": ids_of(billed, "firm"), "do": "csv", "columns": ["recipient", "gross"]}
    content = visit(alice).get("/invoices/selection/", query).getvalue().decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(content)))
    assert list(rows[0]) == ["Number", "Recipient", "Gross, EUR"]
    assert [row["Recipient"] for row in rows] == ["Firma Allein"]


def test_tells_in_the_spreadsheet_what_was_selected(billed, alice, visit):
    query = {"ids": ids_of(billed, "firm"), "do": "xlsx", "q": "Firma"}
    answer = visit(alice).get("/invoices/selection/", query)

    with ZipFile(io.BytesIO(answer.getvalue())) as book:
        facts = book.read("xl/worksheets/sheet2.xml").decode()
    assert "Search: Firma, Selection: 1 invoice" in facts
    assert "Alice" in facts


def test_takes_all_that_match(billed, alice, visit):
    query = {"everything": "1", "do": "zip", "q": "Firma"}
    assert len(names_in(visit(alice).get("/invoices/selection/", query))) == 1
    query["q"] = ""
    assert len(names_in(visit(alice).get("/invoices/selection/", query))) == 2


def test_packs_pdfs_and_keeps_them(billed, alice, visit, sheets):
    client, query = visit(alice), {"ids": ids_of(billed, "firm", "group"), "do": "zip"}
    names = names_in(client.get("/invoices/selection/", query))

    assert sorted(sheets) == sorted(names)
    assert len(names) == 2
    with billed.seen():
        assert StoredDocument.objects.count() == 2
    names_in(client.get("/invoices/selection/", query))
    assert len(sheets) == 2


def test_gives_drafts_of_one_sum_names_of_their_own(billed, alice, visit):
    billed.has("accounts", account("x", name="X"), account("y", name="Y"))
    billed.has(
        "subscriptions",
        *(subscription(f"d{key}", key, "platform", "2026-12-10") for key in ("x", "y")),
    )
    billed.run("2026-12-10", issue=False)
    with billed.seen():
        found = Invoice.objects.filter(bill_to_id__in=[billed.id_of("x"), billed.id_of("y")])
        ids = [one.public_id for one in found]
    names = names_in(visit(alice).get("/invoices/selection/", {"ids": ids, "do": "zip"}))

    assert len({*names}) == len(ids) == 2


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("MOST_FILES", 1, "One ZIP file holds at most 1 documents; 2 are selected."),
        ("MOST_MADE", 1, "2 of these documents are still being made."),
    ],
)
def test_says_what_is_too_much(billed, alice, visit, sheets, monkeypatch, limit, value, sentence):
    monkeypatch.setattr(bundle, limit, value)
    if limit == "MOST_FILES":
        monkeypatch.setattr(invoice_selection, limit, value)
    query = {"ids": ids_of(billed, "firm", "group"), "do": "zip", "sort": "due"}
    answer = visit(alice).get("/invoices/selection/", query, follow=True)

    assert answer.redirect_chain == [("/invoices/?sort=due", HTTPStatus.FOUND)]
    assert sentence in answer.content.decode()
    assert sheets == []


@pytest.mark.parametrize("do", ["zip", "csv", "xlsx", "nonsense"])
def test_says_that_nothing_is_selected(billed, alice, visit, do):
    query = {"ids": ["nonsense", "inv_x"], "do": do}
    answer = visit(alice).get("/invoices/selection/", query, follow=True)

    assert "Nothing is selected." in answer.content.decode()


def test_hands_nothing_of_others_out(billed, charlie, bob, visit, sheets, other_vendor):
    query = {"ids": ids_of(billed, "firm", "group"), "do": "zip"}
    answer = visit(charlie).get("/invoices/selection/", query, follow=True)
    assert "Nothing is selected." in answer.content.decode()

    query["ids"] = ids_of(billed, "firm", "group")
    names = names_in(visit(bob("group")).get("/portal/invoices/selection/", query))
    assert len(names) == len(sheets) == 1


def test_says_that_an_extract_is_no_invoice(billed, bob, visit, sheets):
    query = {"ids": ids_of(billed, "group"), "do": "zip"}
    answer = visit(bob("branch")).get("/portal/invoices/selection/", query, follow=True)

    assert "There is no PDF among these" in answer.content.decode()
    assert sheets == []


def test_names_what_is_left_out(billed, bob, sheets):
    """Somebody sees one invoice whole and of another an extract."""
    actor = bob("branch")
    whole = invoice_of(billed, "firm")
    file = io.BytesIO()
    with billed.seen():
        contact = Contact.objects.get(person_id=actor.person_id)
        Grant.objects.create(
            tenant_id=billed.tenant_id,
            contact=contact,
            account_id=billed.id_of("firm"),
            role="viewer",
        )
    made = bundle.write_bundle(actor, [whole.pk, invoice_of(billed, "group").pk], file, now=NOW)
    with ZipFile(file) as archive:
        note = archive.read("left-out.txt").decode()

    assert (made.files, len(made.left_out)) == (1, 1)
    assert invoice_of(billed, "group").number in note


def test_shows_a_glance_as_a_fragment_and_as_a_page(billed, alice, visit, statements):
    client, url = visit(alice), f"{url_of(billed, 'group')}glance/"
    fragment = client.get(url, headers={"hx-request": "true"})
    page = client.get(url).content.decode()

    assert fragment["Vary"].count("HX-Request") == 1
    text = fragment.content.decode()
    assert "<html" not in text
    for said in ("Zweig Süd", "Open invoice", "VAT 19%", "Download PDF"):
        assert said in text
        assert said in page
    assert "<html" in page
    assert len(statements(client, url)) <= MOST_STATEMENTS


def test_shows_no_more_than_an_extract_at_a_glance(billed, bob, visit, charlie):
    url = f"{url_of(billed, 'group', '/portal')}glance/"
    text = visit(bob("branch")).get(url).content.decode()

    assert "Zweig Süd" in text
    assert "VAT 19%" not in text
    assert "Download PDF" not in text
    whole = invoice_of(billed, "group")
    assert f"{whole.net_minor / 100:,.2f}" not in text
    assert visit(charlie).get(f"{url_of(billed, 'group')}glance/").status_code == 404
