"""Two vendors with their customers: what the tests of the API and of access look at.

Nordlicht bills a group. ``G`` is billed for ``A``, ``A1`` and itself, ``B`` has its own invoice,
``S`` is another customer. ``Andere`` is another vendor, whose customer has the same external ids.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from accounts.access import Action
from accounts.models import Account, ApiKey, Contact, Grant, Membership, Person, Seller
from invoicing.models import Invoice
from tenancy.ids import uuid7
from tenancy.models import Tenant
from tests.world import Row, Vendor, account, make_vendor, price, subscription

TODAY = date(2026, 12, 10)
RUN_DATE = date(2026, 12, 1)
NOW = datetime(2026, 12, 10, 9, 30, tzinfo=UTC)

_TERMS: dict[str, Any] = {"billing_day": 1, "payment_terms_days": 30}
ACCOUNTS = [
    account("G", name="Nordhafen Gruppe", kind="group", **_TERMS),
    account("A", "G", name="Nordhafen Spedition"),
    account("A1", "A", name="Niederlassung Kiel", line1="Hafenstr. 1", currency="EUR"),
    account("B", "G", name="Baltic Lager", bill_to="B"),
    account("S", name="Solo GmbH", **_TERMS),
]
PRICE = price("desk", "9.00", name="Desk - seat", model="per_unit", tax_rate=19)
SUBSCRIPTIONS = [("G", 1), ("A", 2), ("A1", 3), ("B", 4), ("S", 5)]


@dataclass
class Shop(Vendor):
    """A vendor with its accounts by external id, its logins and its keys."""

    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.tenant_id

    @property
    def tenant(self) -> Tenant:
        with self.seen():
            return Tenant.objects.get()

    @property
    def secret(self) -> str:
        return self.api_key

    def invoice_of(self, bill_to: str) -> Invoice:
        with self.seen():
            return Invoice.objects.get(bill_to=self.accounts[bill_to])

    def key(
        self, *, scopes: Iterable[str] = tuple(Action), reach: str | None = None, **values
    ) -> str:
        """Make a key and return its secret."""
        secret = f"sk_test_{uuid7().hex}"
        with self.seen():
            ApiKey.objects.create(
                tenant_id=self.id,
                name="Key of a test",
                prefix=secret[:16],
                digest=hashlib.sha256(secret.encode()).hexdigest(),
                scopes=[str(scope) for scope in scopes],
                reach=self.accounts[reach] if reach else None,
                **values,
            )
        return secret

    def staff_login(self, role: str) -> Person:
        """Make a person of the vendor's own."""
        person = Person.objects.create(email=f"{uuid7().hex}@staff.example", name="Alice")
        with self.seen():
            Membership.objects.create(tenant_id=self.id, person=person, role=role)
        return person

    def customer_login(self, role: str, key: str, **values) -> Person:
        """Make a person of a customer's, with a role on an account."""
        person = Person.objects.create(email=f"{uuid7().hex}@customer.example", name="Bob")
        own = {"tenant_id": self.id, "account": self.accounts[key]}
        with self.seen():
            contact = Contact.objects.create(
                **own, person=person, name=person.name, email=person.email
            )
            Grant.objects.create(**own, contact=contact, role=role, **values)
        return person


def vendor(slug: str) -> Shop:
    """Make a vendor with accounts and one price."""
    made = make_vendor(slug, clock=TODAY)
    shop = Shop(made.tenant_id, made.slug, made.actor, made.api_key, made.owner_email)
    with shop.seen():
        Seller.objects.update(is_placeholder=False)
    add_accounts(shop, ACCOUNTS)
    shop.has("prices", PRICE)
    return shop


def add_accounts(shop: Shop, rows: Iterable[Row]) -> None:
    """Import accounts."""
    shop.has("accounts", *rows)
    with shop.seen():
        shop.accounts = {str(one.external_id): one for one in Account.objects.all()}


def subscribe(shop: Shop, wanted: Iterable[tuple[str, int]]) -> None:
    """Give each account so many seats from the first of December on."""
    start = RUN_DATE.isoformat()
    shop.has(
        "subscriptions",
        *(subscription(f"sub-{key}", key, "desk", start, seats) for key, seats in wanted),
    )


def bill(shop: Shop, *, issue: bool = True, run_date: date = RUN_DATE) -> None:
    """Run billing for everything due."""
    shop.run(run_date, issue=issue, today=TODAY)
