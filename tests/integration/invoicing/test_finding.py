"""Invoices are found by all that stands on them, in the list and in the palette alike."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connections

from accounts.models import Account
from accounts.queries import accounts, trees
from invoicing.models import Invoice
from invoicing.queries.finding import found_invoices
from invoicing.queries.invoices import invoices
from tests.world import Vendor, account, price, subscription


def fill_world(vendor: Vendor) -> None:
    vendor.has(
        "accounts",
        account("K-1001", name="Łódź Müller & Söhne", legal_name="ŁMS Sp. z o.o.", billing_day=1),
        account("C1", "K-1001", name="Zweig", po_number="4500-77"),
        account("K-2002", name="Ørsted A/S", vat_id="DE123456788", billing_day=1),
    )
    vendor.has(
        "prices",
        price("mail", "1037.50", name="Großes Postfach", tax_rate=19),
        price("disk", "19.90", tax_rate=19),
        price("free", "0", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S1", "C1", "mail", "2026-12-01", po_number="BE/99.1"),
        subscription("S3", "C1", "free", "2026-12-01"),
        subscription("S2", "K-2002", "disk", "2026-12-01"),
    )
    vendor.run("2026-12-01")


def found(vendor: Vendor, text: str) -> list[str]:
    with vendor.seen():
        today = vendor.actor.today
        listed = list(invoices(vendor.actor, text=text, today=today))
        assert found_invoices(vendor.actor, text, today=today, limit=9) == listed
        return sorted(invoice.bill_to.external_id or "" for invoice in listed)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("lodz", ["K-1001"]),
        ("Mueller und Soehne", ["K-1001"]),
        ("lms", ["K-1001"]),
        ("k-1001", ["K-1001"]),
        ("K1001", ["K-1001"]),
        ("be/99.1", ["K-1001"]),
        ("4500-77", ["K-1001"]),
        ("grosses post", ["K-1001"]),
        ("1.234,63", ["K-1001"]),
        ("1,234.63", ["K-1001"]),
        ("23,68 €", ["K-2002"]),
        ("RE-2026-000002", ["K-2002"]),
        ("re2026000002", ["K-2002"]),
        ("oersted", ["K-2002"]),
        ("orsted 2026", ["K-2002"]),
        ("DE 123456788", ["K-2002"]),
        ("2026", ["K-1001", "K-2002"]),
        ("orsted lodz", []),
        ("99999999999999999999", []),
        ("%", []),
    ],
)
def test_finds(vendor: Vendor, text: str, keys: list[str]) -> None:
    fill_world(vendor)

    assert found(vendor, text) == keys


def test_finds_the_recipient_as_frozen_and_as_called_today(vendor: Vendor) -> None:
    fill_world(vendor)
    vendor.has("accounts", account("K-2002", name="Nordwind Đ", billing_day=1))

    assert found(vendor, "orsted") == found(vendor, "nordwind d") == ["K-2002"]


def test_finds_accounts_alike_in_lists_and_palette(vendor: Vendor) -> None:
    fill_world(vendor)
    vendor.has("accounts", account("K-3", name="Muller"))

    with vendor.seen():
        actor = vendor.actor
        names = [one.name for one in trees.found_accounts(actor, "müller", limit=9)]
        assert names == ["Muller", "Łódź Müller & Söhne"]
        for listed in (
            trees.customers(actor, flat=True, text="müller"),
            accounts.accounts(actor, text="müller"),
        ):
            assert {one.name for one in listed} == {*names}


def test_fills_what_was_stored_before(committed_vendor: Vendor) -> None:
    """The migrations run as the owner, who sees nothing under forced row security."""
    fill_world(committed_vendor)
    fields = ("recipient_key", "search_names", "search_facts")
    with committed_vendor.seen():
        documents = list(Invoice.objects.order_by("id").values_list("id", *fields))
        stored = list(Account.objects.order_by("id").values_list("id", "sort_key", "search_key"))
    owner = connections["owner"]
    with owner.cursor() as cursor:
        for table in ("invoicing_invoice", "accounts_account"):
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        cursor.execute("ALTER TABLE invoicing_invoice DISABLE TRIGGER keep_issued")
        cursor.execute(
            "UPDATE invoicing_invoice SET recipient_key='', search_names='', search_facts=''"
        )
        cursor.execute("UPDATE accounts_account SET sort_key='', search_key=''")

    for name in ("accounts.migrations.0012_search", "invoicing.migrations.0011_search"):
        import_module(name).fill(None, SimpleNamespace(connection=owner))

    with committed_vendor.seen():
        again = list(Invoice.objects.order_by("id").values_list("id", *fields))
        assert [row[:3] for row in again] == [row[:3] for row in documents]
        lines = [[{*row[3].split("\n")} for row in rows] for rows in (again, documents)]
        assert lines[0] == lines[1]
        kept = list(Account.objects.order_by("id").values_list("id", "sort_key", "search_key"))
        assert kept == stored
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relforcerowsecurity"
            " AND relname IN ('invoicing_invoice', 'accounts_account')"
        )
        assert cursor.fetchone() == (2,)
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'keep_issued'")
        assert {row[0] for row in cursor.fetchall()} == {"O"}


def test_an_extract_is_found_by_number_and_recipient_alone(vendor: Vendor) -> None:
    fill_world(vendor)
    reader = vendor.customer("Rita", "viewer", "C1")

    with vendor.seen():
        hits = {
            text: len(invoices(reader, text=text, today=reader.today))
            for text in (
                "lodz",
                "RE-2026-000001",
                "K-1001",
                "lms",
                "BE/99.1",
                "Postfach",
                "1.234,63",
            )
        }

    assert hits == {
        "lodz": 1,
        "RE-2026-000001": 1,
        "K-1001": 0,
        "lms": 0,
        "BE/99.1": 0,
        "Postfach": 0,
        "1.234,63": 0,
    }
