"""The list of invoices: what stands in it, for whom, in how many statements."""

from http import HTTPStatus

import pytest

from accounts.ids import public_id, uuid7
from dashboard.pages import keyset
from tests.http.dashboard.conftest import NASTY, invoice_of

MOST_STATEMENTS = 12


def test_lists_the_invoices_of_the_tenant_with_sums_per_currency(billed, alice, visit):
    page = visit(alice).get("/invoices/").content.decode()

    assert "Gruppe Nord" in page
    assert "Firma Allein" in page
    assert "Sum of all 2 invoices in EUR" in page
    gross = invoice_of(billed, "group").gross_minor + invoice_of(billed, "firm").gross_minor
    assert f"€{gross / 100:,.2f}" in page


def test_speaks_german(billed, alice, visit):
    page = visit(alice, "de").get("/invoices/").content.decode()

    assert '<html lang="de"' in page
    for word in ("Rechnungen", "Überfällig", "Summe aller 2 Rechnungen in EUR", "Brutto"):
        assert word in page


def test_needs_few_statements(billed, alice, bob, visit, statements):
    assert len(statements(visit(alice), "/invoices/")) <= MOST_STATEMENTS
    within = public_id("acc", billed.id_of("group"))
    assert len(statements(visit(alice), f"/invoices/?in={within}&q=RE")) <= MOST_STATEMENTS
    assert len(statements(visit(bob("group")), "/portal/invoices/")) <= MOST_STATEMENTS


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("status=open", "Gruppe Nord", None),
        ("status=paid", None, "Gruppe Nord"),
        ("status=overdue", None, "Gruppe Nord"),
        ("q=allein", "Firma Allein", "Gruppe Nord"),
        ("currency=CHF", None, "Gruppe Nord"),
        ("status=nonsense&currency=nonsense&after=nonsense&before=%00", "Gruppe Nord", None),
    ],
)
def test_filters(billed, alice, visit, query, shown, hidden):
    answer = visit(alice).get(f"/invoices/?{query}")

    assert answer.status_code == HTTPStatus.OK
    page = answer.content.decode()
    assert shown is None or shown in page
    assert hidden is None or hidden not in page


def test_filters_by_a_subtree_and_says_so(billed, alice, visit):
    within = public_id("acc", billed.id_of("branch"))

    page = visit(alice).get(f"/invoices/?in={within}").content.decode()

    assert "Account: Zweig Süd and below" in page
    assert "Gruppe Nord" in page
    assert "Firma Allein" not in page


def test_says_so_when_nothing_matches(billed, alice, visit):
    page = visit(alice).get("/invoices/?q=zzz").content.decode()

    assert "No invoices match" in page
    assert "Show all invoices" in page


def test_teaches_where_nothing_is_yet(vendor, alice, visit):
    page = visit(alice).get("/invoices/").content.decode()

    assert "No invoices yet" in page
    assert "<table" not in page


def test_does_not_find_a_strangers_account(billed, charlie, visit, other_vendor):
    within = public_id("acc", billed.id_of("group"))

    assert visit(charlie).get(f"/invoices/?in={within}").status_code == HTTPStatus.NOT_FOUND
    unknown = public_id("acc", uuid7())
    assert visit(charlie).get(f"/invoices/?in={unknown}").status_code == HTTPStatus.NOT_FOUND
    assert "Gruppe Nord" not in visit(charlie).get("/invoices/").content.decode()


def test_pages_by_place_and_loses_no_row(billed, alice, visit, monkeypatch):
    monkeypatch.setitem(keyset.page_of.__kwdefaults__, "size", 1)
    client = visit(alice)

    first = client.get("/invoices/")
    older = first.context["page"].older
    second = client.get(f"/invoices/?after={older}")
    back = client.get(f"/invoices/?before={second.context['page'].newer}")

    numbers = [page.context["rows"][0].number for page in (first, second, back)]
    assert numbers[0] == numbers[2]
    assert {*numbers} == {"RE-2026-000001", "RE-2026-000002"}
    assert second.context["page"].older == ""
    assert 'rel="next"' in first.content.decode()


def test_escapes_names(billed, alice, visit):
    client = visit(alice)

    for url in ("/invoices/?q=%3Cscript%3E", "/invoices/", f"/invoices/?in={_nasty(billed)}"):
        page = client.get(url).content.decode()
        assert "<script>alert" not in page
        assert "<script>&" not in page
    assert NASTY not in page
    assert "&lt;script&gt;alert" in page


def _nasty(billed):
    return public_id("acc", billed.id_of("nasty"))
