"""Credit notes that are issued at once, beside runs, and by processes that die."""

import os
import subprocess
import sys
from datetime import date

import pytest

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import Invoice, LedgerPosting
from invoicing.operations.correcting import correct_invoice
from invoicing.operations.wanting_corrections import (
    NewCorrection,
)
from tenancy.ids import uuid7
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, account, price, subscription

DAY = date(2026, 12, 15)

# Dies as `kill -9` would let it, right after the step.
_DYING = """
import os
from datetime import UTC, date, datetime
from uuid import UUID
import django
django.setup()
import importlib
from tenancy.actor import Actor
from invoicing.operations import correcting
place, name = {step!r}.rsplit(".", 1)
module = importlib.import_module(place)
original = getattr(module, name)
def dying(*args, **kwargs):
    original(*args, **kwargs)
    os._exit(9)
setattr(module, name, dying)
correcting.correct_invoice(
    Actor.system(UUID({tenant!r})), UUID({invoice!r}), correcting.NewCorrection("Agreed"),
    today=date(2026, 12, 15), now=datetime.now(UTC),
)
"""
STEPS = [
    "invoicing.operations.correcting._composed",
    "invoicing.ledger.post_corrected",
    "invoicing.operations.correcting._settle",
    "invoicing.operations.correcting.take_numbers",
    "invoicing.operations.correcting.freeze_documents",
    "invoicing.operations.correcting.record_events",
    "invoicing.operations.correcting._issued",
]


@pytest.fixture
def shop(committed_vendor):
    vendor = committed_vendor
    vendor.has("accounts", account("A", billing_day=1), account("A1", "A"))
    vendor.has("prices", price("ten", "10"))
    vendor.has(
        "subscriptions",
        subscription("S", "A", "ten", "2026-12-01"),
        subscription("S1", "A1", "ten", "2026-12-01"),
    )
    vendor.run("2026-12-01")
    return vendor


def the_invoice(shop):
    with shop.seen():
        return Invoice.objects.get(number="RE-2026-000001")


def correct(shop, invoice, **values):
    wanted = NewCorrection("Agreed", **values)
    return correct_invoice(shop.actor, invoice.pk, wanted, today=DAY, now=NOW)


def names(answers):
    return sorted(type(one).__name__ for one in answers)


def test_two_at_once_never_take_back_more_than_there_was(shop):
    invoice = the_invoice(shop)

    answers = at_once(lambda _n: correct(shop, invoice), range(3))

    assert names(answers) == ["Correction", "NothingToCorrect", "NothingToCorrect"]
    after = the_invoice(shop)
    assert (after.status, after.corrected_minor) == ("corrected", invoice.gross_minor)
    assert shop.violations() == []


def test_parts_at_once_wait_for_each_other_and_find_less_left(shop):
    invoice = the_invoice(shop)

    # 20.00 net: three times 7.00 is a euro too much.
    answers = at_once(lambda _n: correct(shop, invoice, amount_minor=700), range(3))

    assert names(answers) == ["Correction", "Correction", "MoreThanLeft"]
    with shop.seen():
        notes = Invoice.objects.filter(kind="credit_note")
        assert sorted(notes.values_list("number", "net_minor")) == [
            ("RK-2026-000001", -700),
            ("RK-2026-000002", -700),
        ]
    assert shop.violations() == []


def test_the_same_form_from_two_windows_at_once_takes_back_once(shop):
    invoice, key = the_invoice(shop), uuid7()

    answers = at_once(lambda _n: correct(shop, invoice, amount_minor=100, key=key), range(2))

    assert names(answers) == ["AlreadyCorrected", "Correction"]


def test_a_payment_meanwhile_is_waited_for(shop):
    invoice = the_invoice(shop)

    def pay(_what):
        with shop.seen():
            locked = Invoice.objects.select_for_update().get(pk=invoice.pk)
            Invoice.objects.filter(pk=invoice.pk).update(
                paid_minor=locked.open_minor,
                status="corrected" if locked.corrected_minor == locked.gross_minor else "paid",
            )

    at_once(lambda work: work(None), [pay, lambda _what: correct(shop, invoice)])

    after = the_invoice(shop)
    assert (after.status, after.open_minor) == ("corrected", 0)
    assert after.paid_minor + after.credited_minor == after.gross_minor == after.corrected_minor
    with shop.seen():
        booked = LedgerPosting.objects.filter(ledger="customer_credit")
        assert sum(booked.values_list("amount_minor", flat=True)) == -after.paid_minor


def test_a_run_beside_it_takes_other_numbers(shop):
    invoice = the_invoice(shop)

    at_once(
        lambda work: work(),
        [lambda: shop.run("2027-01-01", today=date(2027, 1, 1)), lambda: correct(shop, invoice)],
    )

    with shop.seen():
        numbers = sorted(Invoice.objects.values_list("number", flat=True))
    assert numbers == ["RE-2026-000001", "RE-2027-000001", "RK-2026-000001"]
    assert shop.violations() == []


@pytest.mark.parametrize("step", STEPS, ids=lambda name: name.rpartition(".")[2])
def test_dies_at_a_step_and_nothing_is_half_done(shop, step):
    invoice = the_invoice(shop)
    code = _DYING.format(step=step, tenant=str(shop.tenant_id), invoice=str(invoice.pk))

    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert process.returncode == 9, process.stderr.decode()
    assert the_invoice(shop).open_minor == invoice.gross_minor
    with shop.seen():
        assert not Invoice.objects.filter(kind="credit_note").exists()
    assert shop.violations() == []
    assert correct(shop, invoice).note.number == "RK-2026-000001"
