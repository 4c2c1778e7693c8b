"""A vendor that is disturbed while it bills, and a twin of it that is not."""

from tests.world import Vendor, account, price, subscription

DAY = "2026-12-01"


def fill(vendor: Vendor, families: int) -> None:
    """Give a vendor families, every third with a branch that is billed on its own."""
    thirds = range(0, families, 3)
    vendor.has(
        "accounts",
        *(account(f"R{n:04d}") for n in range(families)),
        *(account(f"R{n:04d}-own", f"R{n:04d}", bill_to=f"R{n:04d}-own") for n in thirds),
    )
    vendor.has("prices", price("ten", "10"), price("later", "29.99", timing="arrears"))
    vendor.has(
        "subscriptions",
        *(subscription(f"S{n:04d}", f"R{n:04d}", "ten", "2026-11-17") for n in range(families)),
        *(subscription(f"T{n:04d}", f"R{n:04d}-own", "later", "2026-10-20") for n in thirds),
    )


def billed(vendor: Vendor) -> list[dict[str, object]]:
    """Return the documents by bill-to, without the numbers, which are gapless."""
    documents = vendor.documents()
    assert sorted(d["number"] for d in documents) == [
        f"RE-2026-{n:06d}" for n in range(1, len(documents) + 1)
    ]
    return sorted(
        ({**d, "number": None} for d in documents), key=lambda d: (d["bill_to"], d["currency"])
    )


def assert_twins(vendor: Vendor, twin: Vendor) -> None:
    """Check that nothing is missing, double or half in the books of the disturbed one."""
    assert billed(vendor) == billed(twin)
    assert vendor.violations() == []
    assert vendor.problems() == []
    assert vendor.faults() == []
