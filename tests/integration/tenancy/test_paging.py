"""Paging by place: every row comes once and in order, whatever it is sorted by."""

import base64
import json

import pytest

from accounts.models import Account
from tenancy.ids import uuid7
from tenancy.queries.paging import Order, batches, page_of, rows_after
from tests.world import account

ORDERS = [
    Order(fields, is_falling=is_falling)
    for fields in ("", "sort_key", "external_id", "sort_key external_id", "kind external_id")
    for is_falling in (False, True)
]
TWO = 2


@pytest.fixture
def accounts(vendor):
    """Seven accounts: names that come twice, and some without a number."""
    names = ["Öl", "Öl", "Bär", "Bär", "Bär", "zwölf", "Ast"]
    vendor.has("accounts", *(account(f"a{place}", name=name) for place, name in enumerate(names)))
    with vendor.seen():
        Account.objects.filter(external_id__in=["a1", "a3", "a6"]).update(external_id=None)
        yield Account.objects.all()


def in_order(accounts, order):
    """Return the ids in order, as sorting in memory has it: no value is greater than any."""

    def key(row):
        values = [getattr(row, name) for name in order.names]
        return [(value is None, value or "") for value in values], row.pk

    return [row.pk for row in sorted(accounts, key=key, reverse=order.is_falling)]


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("size", [1, TWO, 7, 8])
def test_goes_through_all_rows_forth_and_back(accounts, order, size):
    expected, seen, after, before = in_order(accounts, order), [], "", ""
    while True:
        page = page_of(accounts, order, after=after, before="", size=size)
        assert len(page.rows) <= size
        assert bool(page.newer) is bool(seen)
        seen += [row.pk for row in page.rows]
        if not page.older:
            break
        after = page.older
    assert seen == expected

    before, back = page.newer, [row.pk for row in page.rows]
    while before:
        page = page_of(accounts, order, after="", before=before, size=size)
        back[:0] = [row.pk for row in page.rows]
        assert page.older
        before = page.newer
    assert back == expected
    assert [row.pk for some in batches(accounts, order, size=size) for row in some] == expected


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_place_that_is_kept_elsewhere_leads_to_the_same_rows(accounts, order):
    expected, place, seen = in_order(accounts, order), None, []
    while True:
        rows, has_more = rows_after(accounts, order, place, size=TWO)
        seen += [row.pk for row in rows]
        if not has_more:
            break
        place = order.read(json.loads(json.dumps(order.place(rows[-1]))))
    assert seen == expected


def test_what_comes_or_goes_meanwhile_shifts_nothing(accounts, vendor):
    order = Order("sort_key")
    first = page_of(accounts, order, after="", before="", size=TWO)
    expected = in_order(accounts, order)[TWO:]

    Account.objects.filter(pk=first.rows[-1].pk).update(sort_key="")
    Account.objects.create(
        pk=uuid7(), tenant_id=vendor.tenant_id, name="Aal", sort_key="aal", kind="company"
    )

    second = page_of(accounts, order, after=first.older, before="", size=7)
    assert [row.pk for row in second.rows] == expected


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        [],
        ["a"],
        ["a", "b", "c"],
        ["a", None],
        ["\ud800", "b"],
        ["nul\x00", "b"],
        [["a"], "b"],
        [1.5, "b"],
        ["a", "no id"],
    ],
)
def test_nonsense_is_no_place(accounts, stored):
    order = Order("sort_key")
    place = order.read(stored)

    assert place is None or rows_after(accounts, order, place, size=TWO) is None
    text = base64.urlsafe_b64encode(json.dumps(stored).encode()).decode().rstrip("=")
    page = page_of(accounts, order, after=text, before="", size=TWO)
    assert [row.pk for row in page.rows] == in_order(accounts, order)[:TWO]


@pytest.mark.parametrize("text", ["?", "AAAA", "W10", "é", "e30"])
def test_begins_anew_where_an_address_is_nonsense(accounts, text):
    page = page_of(accounts, Order("sort_key"), after=text, before="", size=TWO)

    assert [row.pk for row in page.rows] == in_order(accounts, Order("sort_key"))[:TWO]
