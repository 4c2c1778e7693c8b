"""A seller's accounts for other currencies than its own, and what invoices print of them."""

import pytest

from accounts.models import BankAccount, Seller
from accounts.operations.bank_accounts import (
    InvalidBankAccount,
    remove_bank_account,
    set_bank_account,
)
from accounts.operations.sellers import PLACEHOLDER_IBAN
from invoicing.models import Invoice
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry
from tests.world import NOW, account, price, subscription

IBAN = "DE89370400440532013000"
OTHER = "DE75512108001245126199"
BANK = {"iban": "DE89 3704 0044 0532 0130 00", "bic": "cobadeffxxx", "bank_name": "Förde Bank"}


def seller_of(vendor):
    with vendor.seen():
        return Seller.objects.get()


def stored(vendor):
    with vendor.seen():
        return list(BankAccount.objects.values_list("currency", "iban", "bic", "bank_name"))


def entries(vendor):
    with vendor.seen():
        found = AuditEntry.objects.filter(action="seller.bank_account_changed").order_by("id")
        return [(entry.before, entry.after) for entry in found]


def test_names_one_account_for_each_currency(vendor):
    seller = seller_of(vendor)
    kept = {"iban": IBAN, "bic": "COBADEFFXXX", "bank_name": "Förde Bank"}

    set_bank_account(vendor.actor, seller.pk, "usd", now=NOW, **BANK)
    set_bank_account(vendor.actor, seller.pk, "USD", now=NOW, **BANK)
    set_bank_account(vendor.actor, seller.pk, "USD", iban=OTHER, now=NOW)

    assert stored(vendor) == [("USD", OTHER, "", "")]
    assert entries(vendor) == [
        (
            {"currency": "USD", "bank_account": None},
            {"currency": "USD", "bank_account": kept},
        ),
        (
            {"currency": "USD", "bank_account": kept},
            {"currency": "USD", "bank_account": {"iban": OTHER, "bic": "", "bank_name": ""}},
        ),
    ]


@pytest.mark.parametrize(
    ("currency", "values", "field"),
    [
        ("EUR", {}, "currency"),
        ("XXQ", {}, "currency"),
        ("USD", {"iban": "DE00 1234"}, "iban"),
        ("USD", {"iban": ""}, "iban"),
        ("USD", {"bic": "NOPE"}, "bic"),
        ("USD", {"bank_name": "x" * 101}, "bank_name"),
    ],
)
def test_refuses_what_cannot_be_printed_and_changes_nothing(vendor, currency, values, field):
    with pytest.raises(InvalidBankAccount) as refused:
        set_bank_account(
            vendor.actor, seller_of(vendor).pk, currency, now=NOW, **{**BANK, **values}
        )

    assert [error.pointer for error in refused.value.errors] == [f"/{field}"]
    assert stored(vendor) == entries(vendor) == []


def test_is_changed_by_owners_alone_and_by_no_stranger(vendor, alice, charlie):
    seller = seller_of(vendor)
    set_bank_account(vendor.actor, seller.pk, "USD", now=NOW, **BANK)

    with pytest.raises(Forbidden):
        set_bank_account(alice, seller.pk, "CHF", now=NOW, **BANK)
    with pytest.raises(Forbidden):
        remove_bank_account(alice, seller.pk, "USD", now=NOW)
    with pytest.raises((Forbidden, NotFound)):
        set_bank_account(charlie, seller.pk, "CHF", now=NOW, **BANK)
    with pytest.raises(NotFound):
        remove_bank_account(vendor.actor, uuid7(), "USD", now=NOW)
    with pytest.raises(NotFound):
        remove_bank_account(vendor.actor, seller.pk, "CHF", now=NOW)

    assert stored(vendor) == [("USD", IBAN, "COBADEFFXXX", "Förde Bank")]
    remove_bank_account(vendor.actor, seller.pk, "USD", now=NOW)
    assert stored(vendor) == []


def test_an_invoice_names_the_account_of_its_currency_or_none(vendor):
    vendor.has("accounts", account("E"), account("U", currency="USD"), account("C", currency="CHF"))
    for key, currency in (("E", "EUR"), ("U", "USD"), ("C", "CHF")):
        vendor.has("prices", price(f"p{key}", "10", currency=currency))
        vendor.has("subscriptions", subscription(key, key, f"p{key}", "2026-11-01"))
    set_bank_account(vendor.actor, seller_of(vendor).pk, "USD", now=NOW, **BANK)

    vendor.run("2026-11-23")

    with vendor.seen():
        printed = {
            invoice.currency: invoice.snapshot["seller"]["iban"]
            for invoice in Invoice.objects.all()
        }
        names = {invoice.snapshot["seller"]["bank_name"] for invoice in Invoice.objects.all()}
    assert printed == {"EUR": PLACEHOLDER_IBAN, "USD": IBAN, "CHF": ""}
    assert names == {"TEST", "Förde Bank", ""}
