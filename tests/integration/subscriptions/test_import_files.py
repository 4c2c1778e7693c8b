"""The broken files: each error with its row and column, and nothing stored."""

import json

import pytest

from accounts.models import Account
from subscriptions.models import Item, Price, Product, Subscription
from tenancy.models import AuditEntry, Event
from tests.world import DATA

BROKEN = json.loads((DATA / "broken" / "expected.json").read_text("utf-8"))


def counts(vendor):
    with vendor.seen():
        return [
            model.objects.count()
            for model in (Account, Product, Price, Subscription, Item, AuditEntry, Event)
        ]


@pytest.mark.parametrize("case", BROKEN, ids=[case["file"] for case in BROKEN])
def test_names_every_error_and_stores_nothing(vendor, case):
    if case["needs"]:
        vendor.has_files(case["needs"])
    before = counts(vendor)
    content = (DATA / "broken" / case["file"]).read_bytes()

    for dry in (True, False):
        report = vendor.load(case["kind"], content, dry=dry)
        assert sorted((e.row, e.column or "") for e in report.errors) == sorted(
            (e["row"], e["column"] or "") for e in case["errors"]
        )
        assert all(error.code and error.detail for error in report.errors)
        assert (report.created, report.updated, report.unchanged) == (0, 0, 0)
    assert counts(vendor) == before


@pytest.mark.parametrize("customer", ["msp", "group"])
def test_the_same_files_twice_change_nothing(vendor, customer):
    vendor.has_files(customer)
    before = counts(vendor)

    for kind in ("accounts", "prices", "subscriptions"):
        report = vendor.load(kind, (DATA / customer / f"{kind}.csv").read_bytes())
        assert (report.created, report.updated, report.errors) == (0, 0, ())
        assert report.unchanged == report.rows > 0

    assert counts(vendor) == before


GARBAGE = [
    b"",
    b"\n\n\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe\x00\x00",
    b"\x89PNG\r\n\x1a\n\x00\x00",
    b"PK\x03\x04" + bytes(range(256)),
    b'"',
    b'external_id,name,kind\n"open',
    b'external_id,name,kind\na,"b"c,company\n',
    b"external_id,external_id,name,kind\n",
    b"external_id;name;kind\na,b,company\n",
    b"external_id,name,kind\n" + b"a" * 200_000 + b",b,company\n",
    b"external_id,name,kind\na,\xc3\x28,company\n",
    "external_id,name,kind\na,\ud800,company\n".encode("utf-8", "surrogatepass"),
    b"external_id,name,kind\na\x00b,b,company\n",
    b",,,\n,,,\n",
    b"\r\r\r",
]


@pytest.mark.parametrize("content", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("kind", ["accounts", "prices", "subscriptions", "contacts"])
def test_answers_garbage_with_errors(vendor, kind, content):
    before = counts(vendor)

    report = vendor.load(kind, content)

    assert report.errors
    assert all((error.row or 0) >= 1 and error.detail for error in report.errors)
    assert counts(vendor) == before
