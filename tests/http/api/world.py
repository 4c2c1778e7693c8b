"""Two vendors with their customers: what the tests of the API and of access look at.

Nordlicht bills a group. ``G`` is billed for ``A``, ``A1`` and itself, ``B`` has its own invoice,
``S`` is another customer. ``Andere`` is another vendor, whose customer has the same external ids.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from django.db import transaction

from accounts import tenancy
from accounts.access import Action
from accounts.actor import Actor
from accounts.ids import uuid7
from accounts.models import Account, ApiKey, Contact, Grant, Membership, Person, Seller, Tenant
from accounts.operations.importing import import_accounts
from accounts.operations.tenants import create_tenant
from invoicing.models import Invoice
from invoicing.operations.runs import run_billing
from subscriptions.operations.importing import import_prices, import_subscriptions

TODAY = date(2026, 12, 10)
RUN_DATE = date(2026, 12, 1)
NOW = datetime(2026, 12, 10, 9, 30, tzinfo=UTC)

_ADDRESS = {
    "line1": "Hafenstr. 1",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
    "currency": "EUR",
}
_TERMS = {"billing_day": "1", "payment_terms_days": "30"}
ACCOUNTS = [
    {"external_id": "G", "name": "Nordhafen Gruppe", "kind": "group", **_TERMS},
    {"external_id": "A", "name": "Nordhafen Spedition", "parent_external_id": "G"},
    {"external_id": "A1", "name": "Niederlassung Kiel", "parent_external_id": "A"},
    {"external_id": "B", "name": "Baltic Lager", "parent_external_id": "G", "bill_to": "B"},
    {"external_id": "S", "name": "Solo GmbH", **_TERMS},
]
PRICES = [
    {
        "external_id": "desk",
        "product": "Desk",
        "name": "Desk - seat",
        "model": "per_unit",
        "currency": "EUR",
        "unit_amount": "9.00",
        "interval": "month",
        "interval_count": "1",
        "timing": "advance",
        "tax_rate": "19",
    }
]
SUBSCRIPTIONS = [("G", 1), ("A", 2), ("A1", 3), ("B", 4), ("S", 5)]


@pytest.fixture(scope="module")
def module_transaction(django_db_setup, django_db_blocker):
    """Keep what module fixtures store until the module's tests are through, then roll it back.

    Each test's own transaction is a savepoint within.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class Vendor:
    """A tenant with its accounts by external id and the secret of its first key."""

    tenant: Tenant
    secret: str
    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.tenant.id

    @property
    def system(self) -> Actor:
        return Actor.system(self.id, origin="command")

    def invoice_of(self, bill_to: str) -> Invoice:
        with tenancy.scope(self.id):
            return Invoice.objects.get(bill_to=self.accounts[bill_to])

    def key(
        self, *, scopes: Iterable[str] = tuple(Action), reach: str | None = None, **values
    ) -> str:
        """Make a key and return its secret."""
        secret = f"sk_test_{uuid7().hex}"
        with tenancy.scope(self.id):
            ApiKey.objects.create(
                tenant=self.tenant,
                name="Key of a test",
                prefix=secret[:16],
                digest=hashlib.sha256(secret.encode()).hexdigest(),
                scopes=[str(scope) for scope in scopes],
                reach=self.accounts[reach] if reach else None,
                **values,
            )
        return secret

    def staff(self, role: str) -> Person:
        person = Person.objects.create(email=f"{uuid7().hex}@staff.example", name=f"Alice ({role})")
        with tenancy.scope(self.id):
            Membership.objects.create(tenant=self.tenant, person=person, role=role)
        return person

    def customer(self, role: str, account: str, **values) -> Person:
        person = Person.objects.create(email=f"{uuid7().hex}@customer.example", name="Bob")
        with tenancy.scope(self.id):
            contact = Contact.objects.create(
                tenant=self.tenant,
                account=self.accounts[account],
                person=person,
                name=person.name,
                email=person.email,
            )
            Grant.objects.create(
                tenant=self.tenant,
                contact=contact,
                account=self.accounts[account],
                role=role,
                **values,
            )
        return person


def vendor(slug: str, *, accounts: Iterable[Mapping[str, str]] = ACCOUNTS) -> Vendor:
    """Make a vendor with accounts, one price and a subscription for each account."""
    actor = Actor.system(uuid7(), origin="command")
    new = create_tenant(
        actor,
        slug.capitalize(),
        slug=slug,
        country="DE",
        currency="EUR",
        is_sandbox=True,
        clock=NOW,
        now=NOW,
    )
    made = Vendor(new.tenant, new.api_key)
    with tenancy.scope(made.id):
        Seller.objects.update(is_placeholder=False)
    add_accounts(made, accounts)
    import_prices(actor, file_of(PRICES), is_dry_run=False, today=TODAY, now=NOW)
    return made


def add_accounts(made: Vendor, accounts: Iterable[Mapping[str, str]]) -> None:
    """Import accounts, each with an address of its own."""
    rows = [{"kind": "company", "legal_name": row["name"], **_ADDRESS, **row} for row in accounts]
    import_accounts(made.system, file_of(rows), is_dry_run=False, today=TODAY, now=NOW)
    with tenancy.scope(made.id):
        made.accounts = {str(a.external_id): a for a in Account.objects.all()}


def subscribe(made: Vendor, wanted: Iterable[tuple[str, int]]) -> None:
    """Give each account so many seats from the first of December on."""
    rows = [
        {
            "external_id": f"sub-{account}",
            "account_external_id": account,
            "price_external_id": "desk",
            "quantity": str(quantity),
            "start_date": RUN_DATE.isoformat(),
        }
        for account, quantity in wanted
    ]
    import_subscriptions(made.system, file_of(rows), is_dry_run=False, now=NOW)


def bill(made: Vendor, *, issue: bool = True, run_date: date = RUN_DATE) -> None:
    """Run billing for everything due."""
    run_billing(made.system, run_date=run_date, issue=issue, today=TODAY, now=NOW)


def file_of(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return rows as an import file."""
    listed = list(rows)
    columns = list(dict.fromkeys(name for row in listed for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue().encode()
