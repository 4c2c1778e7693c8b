"""What is there as a file that the import reads back: by kind and by subtree."""

from datetime import date
from decimal import Decimal
from http import HTTPStatus
from unittest.mock import patch

import pytest

from dashboard.pages.imports import rows_file
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.wanting import NewCharge
from tenancy.files.kinds import import_kinds
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, price

KINDS = [name for name, kind in import_kinds().items() if kind.rows is not None]
BELOW = [name for name in KINDS if import_kinds()[name].run_below is not None]


@scene
def shop(vendor: Vendor) -> Vendor:
    """Return a vendor with two families that each have one of everything."""
    vendor.has("accounts", account("A"), account("A1", "A"), account("B", name="B & Söhne"))
    for key in ("A1", "B"):
        wanted = NewCharge(date(2026, 12, 1), description="Training", quantity=Decimal("1.500"),
                           unit_amount=Decimal("12.125"), currency="EUR")  # fmt: skip
        add_charge(vendor.actor, vendor.id_of(key), wanted, today=TODAY, now=NOW)
    vendor.has("prices", price("p", "10"), price("q", "20"))
    begins = {"valid_from": "2027-01-01", "unit_amount": "9.125"}
    vendor.has("price_versions", *({"price_external_id": key, **begins} for key in ("p", "q")))
    vendor.has("negotiated_prices", *(
        {"price_external_id": "p", "account_external_id": key, **begins} for key in ("A1", "B")
    ))  # fmt: skip
    vendor.has("discounts", *(
        {"account_external_id": key, "valid_from": "2026-12-01", "name": "Less", "percent": "7.125",
         "reason": "Agreed"}
        for key in ("A1", "B")
    ))  # fmt: skip
    return vendor


def content_of(answer) -> bytes:
    assert answer.status_code == HTTPStatus.OK
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", KINDS)
def test_comes_back_unchanged(shop, alice, visit, kind, ending):
    address = f"/import/files/{kind}/?format={ending}"

    everything = shop.load(kind, content_of(visit(alice).get(address)))

    assert (everything.errors, everything.rows, everything.unchanged) == ((), 2, 2)


@pytest.mark.parametrize("kind", BELOW)
def test_is_bounded_to_an_account(shop, alice, visit, kind):
    top = public_id("acc", shop.id_of("A"))
    bounded = shop.load(kind, content_of(visit(alice).get(f"/import/files/{kind}/?in={top}")))

    assert (bounded.errors, bounded.rows, bounded.unchanged) == ((), 1, 1)


def test_leads_back_with_the_reason_why_there_is_no_file(shop, alice, visit):
    wanted = NewCharge(date(2026, 12, 1), description="=1+1", unit_amount=Decimal(1),
                       currency="EUR")  # fmt: skip
    add_charge(shop.actor, shop.id_of("B"), wanted, today=TODAY, now=NOW)
    client, key = visit(alice), public_id("acc", shop.id_of("B"))

    refused = client.get("/import/files/charges/?format=csv", follow=True)
    assert "“=1+1” would be taken for a formula" in refused.content.decode()
    with patch.object(rows_file, "MOST_AT_ONCE", 1):
        refused = client.get(f"/import/files/charges/?in={key}", follow=True)
    assert "A file has at most 1 rows." in refused.content.decode()
    assert refused.request["PATH_INFO"] == f"/customers/{key}/import/"


def test_both_pages_of_the_import_lead_there(shop, alice, visit):
    client, key = visit(alice), public_id("acc", shop.id_of("A"))
    page, below = client.get("/import/"), client.get(f"/customers/{key}/import/")

    for kind in KINDS:
        assert f'href="/import/files/{kind}/?format=xlsx"' in page.content.decode()
        address = f'href="/import/files/{kind}/?format=csv&amp;in={key}"'
        assert (address in below.content.decode()) is (kind in BELOW)


def test_is_for_staff_and_for_kinds_that_have_files(shop, alice, bob, charlie, visit, other_vendor):
    key = public_id("acc", shop.id_of("A"))

    assert visit(bob("A")).get("/import/files/charges/").status_code == HTTPStatus.FORBIDDEN
    assert visit(alice).get("/import/files/accounts/").status_code == HTTPStatus.NOT_FOUND
    assert visit(alice).get("/import/files/nothing/").status_code == HTTPStatus.NOT_FOUND
    everybodys = visit(alice).get(f"/import/files/price_versions/?in={key}")
    assert everybodys.status_code == HTTPStatus.NOT_FOUND
    stranger = visit(charlie).get(f"/import/files/charges/?in={key}")
    assert stranger.status_code == HTTPStatus.NOT_FOUND
