"""Charges that are added and taken back at once, beside runs, and by processes that die."""

import os
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import Charge, InvoiceLine
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.cancelling import cancel_charge
from invoicing.operations.charges.wanting import NewCharge
from tenancy.ids import uuid7
from tenancy.models import AuditEntry
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, TODAY, account, price, subscription

# Dies by the hardest signal right after the row is written, or taken away.
_DYING = """
import os, signal
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
import django
django.setup()
from invoicing.operations.charges import adding, cancelling
from tenancy.actor import Actor
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
adding.record_event = cancelling.record_event = die
actor, now = Actor.system(UUID({tenant!r})), datetime.now(UTC)
if {charge!r}:
    cancelling.cancel_charge(actor, UUID({charge!r}), now=now)
wanted = adding.NewCharge(
    date(2026, 12, 1), description="Work", unit_amount=Decimal(9), currency="EUR"
)
adding.add_charge(actor, UUID({account!r}), wanted, today=date(2026, 11, 23), now=now)
"""


@pytest.fixture
def shop(committed_vendor):
    vendor = committed_vendor
    vendor.has("accounts", account("A", billing_day=1), account("B", billing_day=1))
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S", "A", "ten", "2026-11-01"))
    return vendor


def add(shop, owner="A", **values):
    wanted = NewCharge(
        date(2026, 11, 30), description="Work", unit_amount=Decimal(9), currency="EUR", **values
    )
    return add_charge(shop.actor, shop.id_of(owner), wanted, today=TODAY, now=NOW)


def test_the_same_external_id_from_many_at_once_charges_once(shop):
    answers = at_once(lambda _n: add(shop, external_id="N-1"), range(4))

    assert sorted(one.is_new for one in answers) == [False, False, False, True]
    with shop.seen():
        assert Charge.objects.count() == 1
        assert AuditEntry.objects.filter(action="charge.added").count() == 1


def test_the_same_external_id_for_two_families_at_once_is_one_of_them(shop):
    answers = at_once(lambda owner: add(shop, owner, external_id="N-1"), ["A", "B"])

    assert sorted(str(getattr(one, "is_new", one.__class__.__name__)) for one in answers) == [
        "ChargeExists", "True",
    ]  # fmt: skip
    with shop.seen():
        assert Charge.objects.count() == 1


def test_the_same_form_from_two_windows_at_once_charges_once(shop):
    key = uuid7()

    answers = at_once(lambda _n: add(shop, key=key), range(2))

    assert sorted(type(one).__name__ for one in answers) == ["Added", "AlreadyCharged"]


def test_two_take_it_back_at_once_and_one_does(shop):
    charge = add(shop).charge

    answers = at_once(lambda _n: cancel_charge(shop.actor, charge.pk, now=NOW), range(2))

    assert sorted(type(one).__name__ for one in answers) == ["Charge", "NotFound"]


@pytest.mark.parametrize("turn", range(3))
def test_a_run_and_who_takes_it_back_at_once_agree(shop, turn):
    charges = [add(shop, owner).charge for owner in ("A", "B")]

    def back(_shop):
        return [_tried(shop, one.pk) for one in charges]

    answers = at_once(lambda work: work(shop), [lambda s: s.run("2026-12-01"), back])

    gone = answers[1].count("gone")
    with shop.seen():
        assert InvoiceLine.objects.filter(charge__kind="one_off").count() == 2 - gone
        assert Charge.objects.filter(kind="one_off", status="invoiced").count() == 2 - gone
    assert shop.violations() == []


def _tried(shop, charge_id):
    try:
        cancel_charge(shop.actor, charge_id, now=NOW)
    except Exception as refusal:
        return type(refusal).__name__
    return "gone"


def test_a_run_and_who_adds_at_once_lose_nothing(shop):
    at_once(
        lambda work: work(),
        [
            lambda: shop.run("2026-12-01"),
            lambda: [add(shop, owner) for owner in ("A", "B", "A")],
        ],
    )
    shop.run("2026-12-02")

    with shop.seen():
        assert InvoiceLine.objects.filter(charge__kind="one_off").count() == 3
        assert not Charge.objects.filter(status="pending").exists()
    assert shop.violations() == []


@pytest.mark.parametrize("takes_back", [False, True])
def test_dies_at_a_step_and_nothing_is_half_done(shop, takes_back):
    charge = add(shop).charge
    with shop.seen():
        before = sorted(map(str, Charge.objects.values_list()))

    code = _DYING.format(
        tenant=str(shop.tenant_id),
        account=str(shop.id_of("A")),
        charge=str(charge.pk) if takes_back else "",
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert process.returncode == -signal.SIGKILL, process.stderr
    with shop.seen():
        assert sorted(map(str, Charge.objects.values_list())) == before
