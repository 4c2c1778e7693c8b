"""A vendor with billed customers, and browsers of people who are signed in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Person
from invoicing.models import Invoice, InvoiceLine
from tenancy.actor import Actor
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import Vendor, account, price, subscription

NASTY = '<script>alert("x")</script> & Söhne'


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """Make the folder of gathered files: the server wants to see it, the tests need none."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@scene
def billed(vendor: Vendor) -> Vendor:
    """A group billed as one, with a branch and a nastily named one, and a firm of its own."""
    vendor.has(
        "accounts",
        account(
            "group", name="Gruppe Nord", cost_centre="HQ-1", payment_terms_days=14, billing_day=1
        ),
        account("branch", "group", name="Zweig Süd", po_number="PO-7", cost_centre="S-2"),
        account("nasty", "group", name=NASTY, legal_name=NASTY),
        account("firm", name="Firma Allein"),
    )
    vendor.has(
        "prices",
        price("platform", "100.00", tax_rate=19),
        price("seats", "9.00", model="per_unit", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("s1", "group", "platform", "2026-11-01"),
        subscription("s2", "branch", "seats", "2026-11-15", quantity=8),
        subscription("s3", "nasty", "seats", "2026-11-01", quantity="2.5"),
        subscription("s4", "firm", "platform", "2026-11-01"),
    )
    vendor.run("2026-12-01")
    return vendor


@pytest.fixture
def visit() -> Callable[..., Client]:
    """Return a maker of signed-in browsers."""

    def sign_in(actor: Actor, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(Person.objects.get(pk=str(actor.person_id)))
        return client

    return sign_in


@pytest.fixture
def statements() -> Callable[..., list[str]]:
    """Return a counter of the statements of a request; savepoints are the tests' own."""

    def count(client: Client, url: str, **extra: Any) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url, **extra).status_code == 200
        sent = [one["sql"] for one in captured]
        # Leaving the tenant is the test's as well: it keeps one transaction open around all.
        own = ("SAVEPOINT", "RELEASE", "SELECT set_config('app.tenant_id', ''")
        return [sql for sql in sent if not sql.startswith(own)]

    return count


def version_in(page: Any) -> str:
    """Return the version that the form of a page carries."""
    return str(page.content.decode().partition('name="version" value="')[2].partition('"')[0])


def save(client: Client, url: str, values: dict[str, Any]) -> Any:
    """Send the form of a page as it was just shown."""
    return client.post(url, {**values, "version": version_in(client.get(url))})


def invoice_of(vendor: Vendor, key: str) -> Invoice:
    """Return the invoice addressed to an account."""
    with vendor.seen():
        return Invoice.objects.get(bill_to_id=vendor.id_of(key))


def url_of(vendor: Vendor, key: str, prefix: str = "") -> str:
    """Return the address of the invoice of an account."""
    return f"{prefix}/invoices/{invoice_of(vendor, key).public_id}/"


def why_url(vendor: Vendor, key: str, external_id: str, prefix: str = "") -> str:
    """Return the address that explains the line of a subscription."""
    with vendor.seen():
        line = InvoiceLine.objects.filter(subscription__external_id=external_id).order_by(
            "position"
        )[0]
    return f"{url_of(vendor, key, prefix)}lines/{public_id('lin', line.pk)}/why/"
