"""Vendors of any size, made through the imports that customers use."""

import random
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from tenancy.database.lookup import find_tenant_id
from tests.world import Vendor, account, make_vendor, price, subscription

SLUG = "bench"
RUN_DATE = date(2026, 12, 1)
BRANCHES = 10
_PRICES = ("desk", "mail", "watch")


def vendor_with_prices(slug: str = SLUG) -> Vendor:
    """Return a new vendor with three monthly prices in advance, of three models."""
    vendor = make_vendor(slug)
    vendor.has(
        "prices",
        price("desk", "9.00", model="per_unit", tax_rate=19),
        price("mail", "19.90", tax_rate=19),
        price("watch", model="graduated", tiers="10:2.5:0|inf:2.255:0", tax_rate=19),
    )
    return vendor


def vendor_of_families(families: int, subscriptions: int, slug: str = SLUG) -> Vendor:
    """Return a vendor of families: a company, and ten branches that have its subscriptions."""
    vendor = vendor_with_prices(slug)
    vendor.has("accounts", *families_of(families))
    each = subscriptions // families
    vendor.has(
        "subscriptions",
        *(
            _subscription(f"S{family}-{number}", f"F{family}-{number % BRANCHES}", family + number)
            for family in range(families)
            for number in range(each)
        ),
    )
    return vendor


def families_of(families: int) -> Iterator[dict[str, object]]:
    """Yield the rows of families: a company with ten branches each."""
    for family in range(families):
        key = f"F{family}"
        yield account(key, name=f"Family {family}", billing_day=1)
        for branch in range(BRANCHES):
            yield {
                "external_id": f"{key}-{branch}",
                "parent_external_id": key,
                "name": f"Branch {branch}",
                "kind": "branch",
            }


def tree_rows(size: int, levels: int, widest: int, middle: int) -> list[dict[str, object]]:
    """Return the accounts of one tree, the same every time.

    The root has ``widest`` children, so has the account N1; below N2 there are about ``middle``.
    """
    choose = random.Random(7)
    rows = [account("N0", name="Node 0", billing_day=1)]
    above = ["N0"]
    deeper = (size - 1 - widest) // (levels - 2)
    for level in range(1, levels):
        names = [f"N{len(rows) + place}" for place in range(widest if level == 1 else deeper)]
        parents = [above[0] if level == 1 else choose.choice(above) for _ in names]
        if level == 2:
            of_middle = middle // (levels - 2)
            parents[: widest + of_middle] = ["N1"] * widest + ["N2"] * of_middle
        rows += [
            {
                "external_id": name,
                "parent_external_id": parent,
                "name": f"Node {name[1:]}",
                "kind": "branch",
            }
            for name, parent in zip(names, parents, strict=True)
        ]
        above = names
    return rows


def _subscription(key: str, owner: str, number: int) -> dict[str, object]:
    return subscription(
        key, owner, _PRICES[number % 3], RUN_DATE.isoformat(), quantity=1 + number * 7 % 60
    )


def load_subscriptions(vendor: Vendor, owners: list[str], **terms: object) -> None:
    """Import one subscription for each owner, on the contract terms that are given."""
    vendor.has(
        "subscriptions",
        *(
            {**_subscription(f"S{number}", owner, number), **terms}
            for number, owner in enumerate(owners)
        ),
    )


def tenant_of() -> UUID:
    """Return the id of the vendor that was made in this database."""
    found = find_tenant_id(SLUG)
    assert found is not None
    return found
