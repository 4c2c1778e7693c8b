"""Which charges share a document."""

import pytest

from billing_rules.consolidation import (
    Consolidation,
    ConsolidationKey,
    differences,
    key_of,
    parts_apart,
)

CHARGE = {
    "seller": "vendor",
    "bill_to": "group",
    "payer": "group",
    "service_owner": "north",
    "currency": "EUR",
    "payment_terms_days": 14,
    "collection": "send",
}


def test_accounts_of_one_bill_to_share_an_invoice():
    assert key_of(**CHARGE) == key_of(**{**CHARGE, "service_owner": "south"})
    assert hash(key_of(**CHARGE)) == hash(key_of(**CHARGE))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("seller", "other"),
        ("bill_to", "north"),
        ("payer", "bank"),
        ("currency", "CHF"),
        ("payment_terms_days", 30),
        ("collection", "charge"),
        ("payment_method", "card"),
        ("tax_regime", "export"),
    ],
)
def test_every_part_of_the_key_separates(part, value):
    other = key_of(**{**CHARGE, part: value})

    assert other != key_of(**CHARGE)
    assert differences(key_of(**CHARGE), other) == (part,)


def test_accounts_are_separated_where_they_are_billed_alone():
    north = key_of(**CHARGE, consolidation=Consolidation.PER_ACCOUNT)
    south = key_of(**{**CHARGE, "service_owner": "south"}, consolidation=Consolidation.PER_ACCOUNT)

    assert differences(north, south) == ("service_owner",)
    assert key_of(**CHARGE, consolidation="per_account") == north


def test_po_numbers_separate_only_where_the_bill_to_splits_by_them():
    assert key_of(**CHARGE, po_number="4500") == key_of(**CHARGE)
    assert key_of(**CHARGE, po_number="4500", split_by_po=True).po_number == "4500"
    assert key_of(**CHARGE, po_number="", split_by_po=True) == key_of(**CHARGE)


def test_the_key_says_whom_it_bills():
    assert key_of(**CHARGE) == ConsolidationKey("vendor", "group", "group", "EUR", 14, "send")
    assert differences(key_of(**CHARGE), key_of(**CHARGE)) == ()


def test_tells_documents_of_one_recipient_apart_by_what_differs():
    euro = key_of(**CHARGE)
    franc = key_of(**{**CHARGE, "currency": "CHF"})
    order = key_of(**CHARGE, split_by_po=True, po_number="4711")
    elsewhere = key_of(**{**CHARGE, "bill_to": "north", "payer": "north"})

    assert parts_apart([euro, elsewhere]) == {euro: [], elsewhere: []}
    assert parts_apart([euro, franc]) == {euro: ["currency"], franc: ["currency"]}
    assert parts_apart([euro, order, franc])[euro] == ["po_number", "currency"]
