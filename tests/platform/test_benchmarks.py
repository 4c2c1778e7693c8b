"""What ``make bench`` compares a run with can be measured: new tables must not break it unseen."""

import pytest

from benchmarks.floor import measure_floor
from invoicing.models import Charge, InvoiceLine, LedgerPosting
from subscriptions.models import Period
from tests.world import Vendor, account, price, subscription

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_floor_writes_what_a_run_made_once_more(committed_vendor: Vendor) -> None:
    """Its rows are taken away, and as many are there again afterwards."""
    vendor = committed_vendor
    vendor.has("prices", price("seat", "10", tax_rate=19))
    vendor.has("accounts", account("G"), account("B", "G"))
    vendor.has(
        "subscriptions",
        subscription("S1", "G", "seat", "2026-11-01"),
        subscription("S2", "B", "seat", "2026-11-01"),
    )
    assert vendor.bills("2026-11-01")
    written = _written(vendor)
    assert all(written)

    floor = measure_floor(vendor.tenant_id)

    assert floor.seconds > 0
    assert _written(vendor) == written


def _written(vendor: Vendor) -> list[int]:
    with vendor.seen():
        return [model.objects.count() for model in (Charge, InvoiceLine, LedgerPosting, Period)]
