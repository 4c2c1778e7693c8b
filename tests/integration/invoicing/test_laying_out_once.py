"""Documents are laid out once where the one before tells how high their parts are: same bytes."""

import pytest

from invoicing.documents import sheet
from invoicing.documents.pdf import render_pdf
from invoicing.documents.plan import Measures
from invoicing.models import Invoice
from tests.world import NOW, account, price, subscription

FIRST = sheet._resources().measures


@pytest.fixture
def bill(vendor):
    """Return a biller: so many lines on one invoice of a group with so many branches."""
    vendor.has("prices", price("ten", "10", tax_rate=19))

    def billed(key, lines, branches=0):
        owners = [f"{key}-{n}" for n in range(branches)] or [key]
        vendor.has(
            "accounts",
            account(key, billing_day=1),
            *(account(one, key, bill_to=key) for one in owners if one != key),
        )
        vendor.has(
            "subscriptions",
            *(
                subscription(f"{key}:{n}", owners[n % len(owners)], "ten", "2026-12-01")
                for n in range(lines)
            ),
        )
        vendor.run("2026-12-01")
        with vendor.seen():
            return Invoice.objects.get(bill_to__external_id=key).pk

    return billed


@pytest.fixture
def made(vendor, monkeypatch):
    """Return a maker: an invoice laid out after one with such measures, and how often."""
    count = 0
    render = sheet._render

    def counted(html):
        nonlocal count
        count += 1
        return render(html)

    monkeypatch.setattr(sheet, "_render", counted)

    def make(invoice_id, measures=None):
        nonlocal count
        count = 0
        if measures:
            monkeypatch.setattr(sheet._resources(), "measures", measures)
        return render_pdf(vendor.actor, invoice_id, now=NOW), count

    return make


def test_lays_alike_documents_out_once(bill, made):
    ids = [bill(key, lines) for key, lines in (("A", 1), ("B", 2), ("C", 3))]

    assert [made(invoice_id, FIRST if place == 0 else None)[1] for place, invoice_id in
            enumerate(ids)] == [1, 1, 1]  # fmt: skip


# From a line to documents whose taxes just fit a page, just do not, and begin one.
@pytest.mark.parametrize(
    ("lines", "branches"),
    [(1, 0), (9, 0), (12, 0), (15, 0), (22, 0), (40, 0), (8, 3), (24, 5), (60, 12)],
)
def test_the_document_before_changes_no_byte(bill, made, lines, branches):
    invoice_id = bill("A", lines, branches)
    before = [
        FIRST,
        Measures(front_end=10, heading=1, taxes=1),
        Measures(front_end=950, heading=80, taxes=600),
        Measures(front_end=700, heading=0, taxes=10),
    ]

    found = [made(invoice_id, measures) for measures in before]

    assert len({content for content, _count in found}) == 1
    assert all(count <= 3 for _content, count in found)
    # Once its own measures are known it is laid out once, and measured where taxes begin a page.
    assert made(invoice_id)[1] <= 2
