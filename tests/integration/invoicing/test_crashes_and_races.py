"""Processes that bill at the same time, and processes that die while they bill.

Whatever happens, the rest is made up for by running again, and everything equals what an
undisturbed twin got.
"""

import ast
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import date

import pytest
from django.db import connections

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import Invoice
from invoicing.operations import issuing
from invoicing.operations.runs import billing, working
from tests.integration.invoicing.twins import DAY, assert_twins, fill
from tests.world import make_vendor


@pytest.fixture
def twins(committed_vendor):
    """Return a vendor to be disturbed, and what an undisturbed twin of it gets billed."""

    def make(families):
        twin = make_vendor("twin")
        for vendor in (committed_vendor, twin):
            fill(vendor, families)
        twin.run(DAY)
        return committed_vendor, twin

    return make


def start(vendor, *options):
    """Start a process that bills; the environment leads it to this test's database."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.invoicing.worker", vendor.slug, DAY, *options],
        cwd=project_folder(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return int(output)


def test_two_processes_share_one_run(twins):
    vendor, twin = twins(36)

    processes = [start(vendor, "--batch", "3") for _ in range(2)]
    made = [finish(process) for process in processes]

    # Whoever began first was there when each of them came into being, whoever made it.
    assert max(made) == 36 + 12
    assert_twins(vendor, twin)


def test_two_tenants_do_not_get_in_each_others_way(committed_vendor):
    other = make_vendor("rival")
    for vendor in (committed_vendor, other):
        fill(vendor, 12)

    processes = [start(vendor, "--batch", "2") for vendor in (committed_vendor, other)]

    assert [finish(process) for process in processes] == [16, 16]
    assert_twins(committed_vendor, other)


STEPS = [
    "invoicing.operations.runs.working.request_run",
    "invoicing.operations.runs.billing.load_families",
    "invoicing.operations.runs.billing.rate_due_items",
    "invoicing.operations.runs.billing.draft_documents",
    "invoicing.ledger.post_issued",
    "invoicing.operations.issuing.take_numbers",
    "invoicing.operations.issuing.freeze_documents",
    "invoicing.operations.issuing.record_events",
    "invoicing.operations.runs.billing.issue_drafts",
    "invoicing.operations.runs.billing._store_problems",
    "invoicing.operations.runs.working._bill_next",
    "invoicing.operations.runs.working.close_run_if_empty",
]


def test_every_step_is_one_at_which_a_worker_dies():
    """Whoever adds a step that writes adds it above."""
    work = {function.__name__ for function in called_by(working._bill_next, billing.bill_families)}
    work |= {function.__name__ for function in called_by(issuing.issue_drafts)}
    # They read, or are made of steps; nothing is approved here.
    no_steps = {"bill_families", "asked_by", "issue_approved", "require_sellers"}
    no_steps |= {"uuid7", "_said"}
    assert work - no_steps == {name.rpartition(".")[2] for name in STEPS} - {
        "request_run",
        "close_run_if_empty",
        "_bill_next",
    }


def called_by(*functions):
    """Return the functions of the product that these call by name."""
    for function in functions:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        module = sys.modules[function.__module__]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                target = module
                for part in name.split("."):
                    target = getattr(target, part, None)
                if inspect.isfunction(target) and "tenancy.database" not in target.__module__:
                    yield target


@pytest.mark.parametrize("step", STEPS, ids=lambda name: name.rpartition(".")[2])
def test_dies_at_a_step_and_is_made_up_for(twins, step):
    """The second batch of three dies at the step: the first is whole, the second is not there."""
    vendor, twin = twins(6)
    is_per_run = step.endswith(("request_run", "close_run_if_empty"))

    process = start(vendor, "--batch", "2", "--die-at", step, "--call", "1" if is_per_run else "2")
    process.communicate(timeout=120)
    assert process.returncode == 9

    with vendor.seen():
        issued = Invoice.objects.exclude(number=None).count()
        assert not Invoice.objects.filter(number=None).exists()
    # Families 0 and 1 have three documents, 2 and 3 have three more, 4 and 5 have two.
    expected = {"request_run": 0, "close_run_if_empty": 8, "_bill_next": 6}
    assert issued == expected.get(step.rpartition(".")[2], 3)
    assert vendor.violations() == []

    again = vendor.run(DAY)
    assert len(again.invoice_ids) == 8 - issued
    assert again.run.status == "done"
    assert_twins(vendor, twin)


@pytest.mark.parametrize(
    ("families", "kills"), [(60, 3), pytest.param(3_750, 30, marks=pytest.mark.long)]
)
def test_survives_kills_in_the_middle(twins, families, kills):
    vendor, twin = twins(families)
    every = families // (kills + 2)

    for number in range(kills):
        processes = [start(vendor, "--batch", "2") for _ in range(2)]
        deadline = time.monotonic() + 60
        while issued(vendor) < (number + 1) * every and time.monotonic() < deadline:
            time.sleep(0.01)
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        for process in processes:
            process.communicate(timeout=30)

    assert issued(vendor) < len(twin.documents())
    survivors = [start(vendor, "--batch", "5") for _ in range(2)]
    for process in survivors:
        finish(process)
    assert_twins(vendor, twin)


def test_one_of_two_is_killed_and_the_other_takes_over(twins):
    vendor, twin = twins(45)
    killed, survivor = (start(vendor, "--batch", "2") for _ in range(2))

    deadline = time.monotonic() + 60
    while issued(vendor) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=30)

    finish(survivor)
    assert_twins(vendor, twin)


def issued(vendor):
    with vendor.seen():
        return Invoice.objects.exclude(number=None).count()


def test_a_lost_connection_is_not_taken_for_a_bad_account(committed_vendor, monkeypatch):
    """The server goes away while a family is billed: the run breaks off, nobody is set aside."""
    from django.db import InterfaceError, OperationalError

    vendor = committed_vendor
    fill(vendor, 3)
    original = billing.rate_due_items

    def cut(*args, **kwargs):
        result = original(*args, **kwargs)
        connections["default"].connection.close()
        return result

    with monkeypatch.context() as patch:
        patch.setattr(billing, "rate_due_items", cut)
        with pytest.raises((InterfaceError, OperationalError)):
            vendor.run(DAY)
    connections["default"].close()

    assert vendor.problems() == []
    assert len(vendor.run(date(2026, 12, 1)).invoice_ids) == 4
    assert vendor.violations() == []
