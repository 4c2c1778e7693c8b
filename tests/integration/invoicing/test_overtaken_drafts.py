"""Drafts that wait too long: their series goes on, and the next run takes them up."""

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


def test_leaves_drafts_alone_while_they_can_still_be_issued(vendor: Vendor) -> None:
    _two_families(vendor)
    first = vendor.run("2026-12-01", issue=False)

    later = vendor.run("2026-12-02", issue=False)

    assert later.invoice_ids == []
    issued = vendor.bills("2026-12-01")
    assert {document["bill_to"] for document in issued} == {"A", "B"}
    assert len(first.invoice_ids) == len(issued) == 2


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
