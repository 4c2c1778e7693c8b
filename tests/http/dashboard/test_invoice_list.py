"""The list of invoices: what stands in it, for whom, in which order, in how many statements."""

import base64
import csv
import html
import io
import re
from http import HTTPStatus

import pytest

from invoicing.models import Invoice
from tenancy.ids import public_id, uuid7
from tenancy.queries import paging
from tests.http.dashboard.conftest import NASTY, invoice_of, url_of
from tests.markup import tight
from tests.scenes import scene
from tests.world import account, subscription
from web.invoices import listing as invoice_pages

MOST_STATEMENTS = 12


def read(client, query="", prefix=""):
    answer = client.get(f"{prefix}/invoices/{query}")
    assert answer.status_code == HTTPStatus.OK
    return tight(answer.content.decode())


def leads_in(page):
    return re.findall(r'<th scope="row" class="lead"><a href="[^"]+">([^<]*)</a>', page)


def recipients_in(page):
    return [
        name.strip()
        for name in re.findall(r'class="name">(?:<a href="/customers/[^"]+">)?([^<]*)<', page)
    ]


@scene
def many(billed):
    """Two more firms, one in francs, billed on the same day, and one with a draft."""
    billed.has(
        "accounts", *(account(key, name=f"Kunde {key}", currency="EUR") for key in ("x", "y", "z"))
    )
    billed.has("accounts", account("swiss", name="Schweizer", country="CH", currency="CHF"))
    billed.load(
        "prices",
        [
            {
                "external_id": "franc",
                "product": "Product",
                "name": "Franc",
                "model": "flat",
                "currency": "CHF",
                "unit_amount": "70.00",
                "interval": "month",
                "timing": "advance",
            }
        ],
    )
    billed.has(
        "subscriptions",
        *(subscription(f"m{key}", key, "platform", "2026-11-01") for key in ("x", "y")),
        subscription("msw", "swiss", "franc", "2026-11-01"),
        subscription("mz", "z", "platform", "2026-12-05"),
    )
    billed.run("2026-12-01")
    billed.run("2026-12-05", issue=False)
    return billed


def test_lists_the_invoices_of_the_tenant_with_sums_per_currency(many, alice, visit):
    page = read(visit(alice))

    assert "Gruppe Nord" in page
    assert "Firma Allein" in page
    with many.seen():
        count = Invoice.objects.count()
        francs = sum(one.gross_minor for one in Invoice.objects.filter(currency="CHF"))
        euros = sum(one.gross_minor for one in Invoice.objects.filter(currency="EUR"))
    assert f"Sum of all {count} invoices" in page
    foot = page[page.index("<tfoot>") :]
    assert f"€{euros / 100:,.2f}" in foot
    assert f"CHF{francs / 100:,.2f}" in foot.replace("\xa0", "")
    # The list holds several currencies: the head names none, and every amount bears its own.
    assert "Gross, EUR" not in page
    assert "CHF\xa0140.00" in page or "CHF140.00" in page


def test_speaks_german(billed, alice, visit):
    page = visit(alice, "de").get("/invoices/").content.decode()

    assert '<html lang="de"' in page
    for word in (
        "Rechnungen",
        "Überfällig",
        "Summe der 2 Rechnungen",
        "Brutto",
        "Auswahl aufheben",
    ):
        assert word in page


def test_needs_few_statements(billed, alice, bob, visit, statements):
    assert len(statements(visit(alice), "/invoices/")) <= MOST_STATEMENTS
    within = public_id("acc", billed.id_of("group"))
    run = public_id("run", invoice_of(billed, "group").run_id)
    query = f"?in={within}&run={run}&q=RE&due=month&sort=-open"
    assert len(statements(visit(alice), f"/invoices/{query}")) <= MOST_STATEMENTS
    assert len(statements(visit(bob("group")), "/portal/invoices/")) <= MOST_STATEMENTS


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("status=open", "Gruppe Nord", None),
        ("status=paid", None, "Gruppe Nord"),
        ("status=overdue", None, "Gruppe Nord"),
        ("q=allein", "Firma Allein", "Gruppe Nord"),
        ("currency=CHF", None, "Gruppe Nord"),
        ("due=month", "Gruppe Nord", None),
        ("due=week", None, "Gruppe Nord"),
        ("due=late", None, "Gruppe Nord"),
        ("due=very_late", None, "Gruppe Nord"),
        ("from=2026-12-15&to=2026-12-15", "Gruppe Nord", None),
        ("from=2026-12-16", None, "Gruppe Nord"),
        ("to=2026-12-14", None, "Gruppe Nord"),
        ("in=firm", "Firma Allein", "Gruppe Nord"),
        ("in=ext:branch&only=1", "Gruppe Nord", "Firma Allein"),
        ("status=&currency=&after=nonsense&before=%00&sort=nonsense", "Gruppe Nord", None),
    ],
)
def test_filters(billed, alice, visit, query, shown, hidden):
    recipients = recipients_in(read(visit(alice), f"?{query}"))

    assert shown is None or shown in recipients
    assert hidden is None or hidden not in recipients


NOTHING = {
    "en": "There is no account with the external ID “nobody”.",
    "de": "Es gibt kein Konto mit der externen ID „nobody“.",
}


@pytest.mark.parametrize("language", ["en", "de"])
def test_shows_nothing_of_an_account_that_is_not_there(billed, alice, visit, language):
    answer = visit(alice, language).get("/invoices/?in=ext:nobody")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = answer.content.decode()
    assert NOTHING[language].replace("nobody", "ext:nobody") in page
    assert "Gruppe Nord" not in page


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "path", ["?format=csv&", "?format=xlsx&", "selection/?everything=1&do=csv&"]
)
def test_saves_nothing_of_an_account_that_is_not_there(billed, alice, visit, path, language):
    answer = visit(alice, language).get(f"/invoices/{path}in=nobody")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.headers["Content-Type"].startswith("text/html")
    assert NOTHING[language] in answer.content.decode()
    assert "Gruppe Nord" not in answer.content.decode()


@pytest.mark.parametrize("more", ["", "&format=csv"])
@pytest.mark.parametrize(
    "query",
    ["status=nonsense", "currency=XYZ", "due=nonsense", "from=nonsense", "to=20261201", "only=yes"],
)
def test_refuses_a_filter_that_means_nothing(billed, alice, visit, query, more):
    answer = visit(alice).get(f"/invoices/?{query}{more}")

    value = query.partition("=")[2]
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = answer.content.decode()
    assert f"“{value}” is nothing to filter by. Nothing was listed or saved." in page
    assert "Gruppe Nord" not in page


def test_knows_no_run_of_nonsense(billed, alice, visit):
    answer = visit(alice).get("/invoices/?run=nonsense&format=csv")

    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_limits_to_a_run_for_the_staff_alone(many, alice, bob, visit):
    with many.seen():
        drafts = Invoice.objects.get(bill_to_id=many.id_of("z"))
    run = public_id("run", drafts.run_id)

    page = read(visit(alice), f"?run={run}")
    assert recipients_in(page) == ["Kunde z"]
    assert "Run: 5 Dec 2026" in page
    assert visit(alice).get(f"/invoices/?run={public_id('run', uuid7())}").status_code == 404
    customer = read(visit(bob("group")), f"?run={run}", "/portal")
    assert recipients_in(customer) == ["Gruppe Nord"]


def test_filters_by_a_subtree_and_says_so(billed, alice, visit):
    within = public_id("acc", billed.id_of("branch"))

    page = read(visit(alice), f"?in={within}")

    assert "Account: Zweig Süd and below" in page
    assert recipients_in(page) == ["Gruppe Nord"]


def test_counts_and_adds_up_each_status(many, alice, visit):
    tabs = {tab.label: tab for tab in visit(alice).get("/invoices/").context["tabs"]}

    assert tabs["To approve"].count == "1"
    assert tabs["To approve"].detail == "€119.00"
    assert tabs["Paid"].count == "0"
    assert tabs["Paid"].detail == "–"
    assert tabs["Open"].detail.endswith(" +1")


def test_stands_within_a_date_in_the_order_of_the_numbers(many, alice, visit):
    numbers = leads_in(read(visit(alice)))

    assert numbers[0] == "Draft"
    assert numbers[1:] == sorted(numbers[1:], reverse=True)
    assert leads_in(read(visit(alice), "?sort=number")) == numbers[::-1]


@pytest.mark.parametrize(
    "sort", ["-number", "number", "recipient", "-recipient", "period", "issued", "-due", "due"]
)
@pytest.mark.parametrize("size", [1, 2])
def test_pages_by_place_and_loses_no_row(many, alice, visit, monkeypatch, sort, size):
    whole = [*zip(*both(read(visit(alice), f"?sort={sort}")), strict=True)]
    monkeypatch.setitem(paging.page_of.__kwdefaults__, "size", size)
    client, seen, forth, query = visit(alice), [], [], f"?sort={sort}"
    while query:
        page = read(client, query)
        forth.append([*zip(*both(page), strict=True)])
        seen += forth[-1]
        query = link_in(page, "next")

    assert seen == whole
    assert len({*seen}) == len(seen) == 6
    assert [*zip(*both(read(client, link_in(page, "prev"))), strict=True)] == forth[-2]


@pytest.mark.parametrize("sort", ["net", "-gross", "open", "-open"])
def test_sorts_amounts_within_their_currency(many, alice, visit, monkeypatch, sort):
    monkeypatch.setitem(paging.page_of.__kwdefaults__, "size", 2)
    client, seen, query = visit(alice), [], f"?sort={sort}"
    while query:
        page = client.get(f"/invoices/{query}")
        seen += [row.invoice for row in page.context["page_rows"]]
        query = link_in(page.content.decode(), "next")

    name = {"net": "net_minor", "-gross": "gross_minor"}.get(sort, "shown_open_minor")
    keys = [(one.currency, getattr(one, name)) for one in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert len({one.pk for one in seen}) == 6


@pytest.mark.parametrize(
    "cursor",
    [
        '["nonsense", "x", 1, "00000000000000000000000000000000"]',
        '[null, null, null, "00000000000000000000000000000000"]',
        '["2026-12-01", null, 99999999999999999999, "00000000000000000000000000000000"]',
        '["\\ud800", null, 1, "00000000000000000000000000000000"]',
        '[{}, [], 1.5, "x"]',
        "{}",
    ],
)
def test_does_not_stumble_over_forged_places(billed, alice, visit, cursor):
    place = base64.urlsafe_b64encode(cursor.encode()).decode()
    for way in ("after", "before"):
        assert visit(alice).get(f"/invoices/?{way}={place}").status_code == HTTPStatus.OK


def test_saves_what_is_on_the_screen(many, alice, visit, monkeypatch):
    monkeypatch.setattr(invoice_pages, "_BATCH", 2)
    query = "?status=open&sort=-recipient&columns=recipient&columns=gross"
    client = visit(alice)
    content = client.get(f"/invoices/{query}&format=csv").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))

    assert list(rows[0]) == ["Number", "Recipient", "Gross, EUR", "Gross, CHF"]
    page = read(client, query)
    assert [row["Number"] for row in rows] == leads_in(page)
    swiss = next(row for row in rows if row["Recipient"] == "Schweizer")
    assert (swiss["Gross, EUR"], float(swiss["Gross, CHF"])) == ("", 140.0)
    assert client.get("/invoices/?format=xlsx").getvalue()[:2] == b"PK"


def test_refuses_a_file_that_is_too_long(billed, alice, visit, monkeypatch):
    monkeypatch.setattr(invoice_pages, "MOST_ROWS", 1)
    answer = visit(alice).get("/invoices/?format=csv")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is too much for one file" in answer.content.decode()


def test_says_so_when_nothing_matches(billed, alice, visit):
    page = read(visit(alice), "?q=zzz&currency=CHF")

    assert "No invoices match 2 filters" in page
    assert "Clear filters" in page


def test_teaches_where_nothing_is_yet(vendor, alice, visit):
    page = read(visit(alice))

    assert "No invoices yet" in page
    assert "<table" not in page


def test_shows_a_department_no_more_than_its_part(billed, bob, visit):
    client = visit(bob("branch"))
    page = read(
        client, "?columns=recipient&columns=accounts&columns=open&columns=po_number", "/portal"
    )

    assert "Extract" in page
    whole = invoice_of(billed, "group")
    assert f"{whole.gross_minor / 100:,.2f}" not in page
    content = client.get("/portal/invoices/?format=csv").getvalue().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["Accounts"], row["Open, EUR"]) == ("", "")
    assert float(row["Net, EUR"]) < whole.net_minor / 100


def test_tells_a_department_nothing_of_what_others_owe(billed, bob, visit):
    page = read(visit(bob("branch")), "?columns=due&columns=status", "/portal")

    assert 'data-label="Status"><span class="badge ">Extract</span>' in page
    assert 'data-label="Due" class="none">–' in page
    for status in ("open", "due_soon", "overdue", "paid"):
        assert f"status={status}" not in page
    assert "status=overdue" in read(visit(bob("group")), "", "/portal")


def test_does_not_find_a_strangers_account(billed, charlie, visit, other_vendor):
    within = public_id("acc", billed.id_of("group"))

    assert visit(charlie).get(f"/invoices/?in={within}").status_code == HTTPStatus.NOT_FOUND
    unknown = public_id("acc", uuid7())
    assert visit(charlie).get(f"/invoices/?in={unknown}").status_code == HTTPStatus.NOT_FOUND
    page = visit(charlie).get("/invoices/?in=ext:group").content.decode()
    assert "Gruppe Nord" not in page


def test_escapes_names(billed, alice, visit):
    client = visit(alice)
    nasty = public_id("acc", billed.id_of("nasty"))

    for query in ("?q=%3Cscript%3E", "", f"?in={nasty}", "?in=%3Cscript%3E"):
        page = client.get(f"/invoices/{query}").content.decode()
        assert "<script>alert" not in page
        assert "<script>&" not in page
    assert NASTY not in page


def both(page):
    return leads_in(page), recipients_in(page)


def link_in(page, rel):
    found = re.search(rf'href="(\?[^"]+)" rel="{rel}"', page)
    return html.unescape(found[1]) if found else ""


def test_keeps_the_name_on_the_document_beside_the_present_one(billed, alice, visit, bob):
    """A renamed recipient is found by both names, sorted by the one on the document."""
    billed.load("accounts", b"external_id,name,kind\nfirm,Zzz AG,company\n")
    client = visit(alice)

    for text in ("Firma Allein", "Zzz AG"):
        page = client.get("/invoices/", {"q": text}).content.decode()
        assert "now: Zzz AG" in page, text
        assert invoice_of(billed, "firm").number in page
    found = client.get("/search/", {"q": "Zzz AG"}).content.decode()
    assert "Firma Allein (now: Zzz AG)" in found
    page = client.get("/invoices/?sort=recipient").content.decode()
    assert page.index("Firma Allein") < page.index("Gruppe Nord")
    saved = client.get("/invoices/?format=csv&sort=recipient")
    assert "Firma Allein" in b"".join(saved.streaming_content).decode()
    assert "now: Zzz AG" in client.get(url_of(billed, "firm") + "glance/").content.decode()
    assert "Zzz AG" in client.get(url_of(billed, "firm")).content.decode()
