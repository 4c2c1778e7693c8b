"""Drafts that wait too long: their series goes on, and the next run takes them up."""

from invoicing.models import BillingRun, Invoice
from tests.world import Vendor, account, price, subscription


def _two_families(vendor: Vendor) -> None:
    vendor.has("accounts", account("A", billing_day=1), account("B", billing_day=1))
    vendor.has("prices", price("mail", "19.90", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "mail", "2026-12-01"),
        subscription("S2", "B", "mail", "2026-12-01"),
    )


def test_takes_up_drafts_whose_series_went_on_without_them(vendor: Vendor) -> None:
    _two_families(vendor)
    vendor.run("2026-12-01", issue=False)
    vendor.has("accounts", account("C"))
    vendor.has("subscriptions", subscription("S3", "C", "mail", "2026-12-10"))
    vendor.run("2026-12-15", issue=True, within="C")

    made = vendor.bills("2027-01-01")

    assert [(d["bill_to"], d["net_minor"]) for d in made if d["bill_to"] != "C"] == [
        ("A", 3980),
        ("B", 3980),
    ]
    assert vendor.violations() == []
    assert all(document["number"] for document in vendor.documents())


def test_drafts_anew_only_the_families_that_have_something_new(vendor: Vendor) -> None:
    """R27: else every night's run would move what somebody is looking at."""
    _two_families(vendor)
    first = vendor.run("2026-12-01", issue=False)
    vendor.has("subscriptions", subscription("S3", "B", "mail", "2026-12-02", billed_until=""))
    vendor.has("accounts", account("B", billing_day=2))

    later = vendor.run("2026-12-02", issue=False)

    with vendor.seen():
        earlier = BillingRun.objects.get(date="2026-12-01")
        assert (earlier.status, earlier.taken_by_id) == ("to_approve", later.run.id)
        assert {one.run_id for one in Invoice.objects.all()} == {earlier.id, later.run.id}
        # B's draft says more now, and is still the same draft.
        assert {one.id for one in Invoice.objects.all()} == {*first.invoice_ids}
    issued = vendor.bills("2026-12-03")
    assert [(d["bill_to"], d["net_minor"]) for d in issued] == [("A", 1990), ("B", 3980)]
    with vendor.seen():
        assert {one.status for one in BillingRun.objects.all()} == {"done"}
    assert vendor.violations() == []


def test_bills_a_subtree_without_touching_the_bill_to_above_it(vendor: Vendor) -> None:
    vendor.has(
        "accounts",
        account("A", billing_day=1),
        account("A1", "A", kind="branch"),
        account("A2", "A", bill_to="A2"),
    )
    vendor.has("prices", price("mail", "19.90", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A1", "mail", "2026-12-01"),
        subscription("S2", "A2", "mail", "2026-12-01"),
    )

    assert vendor.bills("2026-12-01", within="A1") == []
    assert [d["bill_to"] for d in vendor.bills("2026-12-01", within="A2")] == ["A2"]
    assert [(d["bill_to"], d["net_minor"]) for d in vendor.bills("2026-12-01")] == [("A", 1990)]
    assert vendor.violations() == []
