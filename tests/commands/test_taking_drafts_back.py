"""Taking drafts back, releasing and rejecting on the command line: done, refused, on record."""

import json
import sys

import pytest
from django.core.management import execute_from_command_line

from invoicing.models import Charge, Invoice
from tenancy.models import AuditEntry
from tests.world import account, price, subscription

TO = ("--tenant", "acme")
DAY = "2026-12-01"


@pytest.fixture
def ask(committed_database, monkeypatch, capfd):
    """Return a caller of commands with --json: code and the one object on stdout."""

    def call(*arguments):
        argv = ["manage.py", *map(str, arguments), "--json"]
        monkeypatch.setattr(sys, "argv", argv)
        capfd.readouterr()
        try:
            execute_from_command_line(argv)
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, json.loads(capfd.readouterr().out)

    return call


@pytest.fixture
def shop(committed_vendor):
    committed_vendor.has("accounts", account("A", billing_day=1), account("B", billing_day=1))
    committed_vendor.has("prices", price("ten", "10"))
    committed_vendor.has(
        "subscriptions", subscription("SA", "A", "ten", DAY), subscription("SB", "B", "ten", DAY)
    )
    committed_vendor.run(DAY, issue=False)
    return committed_vendor


def state(shop):
    with shop.seen():
        drafts = Invoice.objects.filter(status__in=Invoice.UNISSUED)
        charges = Charge.objects.order_by("id").values_list("is_held", "held_until", "reason")
        return {one.bill_to.external_id: one.public_id for one in drafts}, [*charges]


def trail(shop, action):
    with shop.seen():
        found = AuditEntry.objects.filter(action=action).order_by("id")
        return [(one.actor_label, one.origin) for one in found]


def drafted(ask):
    code, answer = ask("billing_run", *TO, "--date", DAY)
    assert code == 0
    return {one["bill_to_external_id"] for one in answer["invoices"]}


def test_a_discarded_draft_is_made_again_by_the_next_run(shop, ask):
    draft = state(shop)[0]["A"]

    assert ask("discard_drafts", *TO, draft, draft, "--reason", "Order disputed") == (
        0,
        {"drafts": 1, "charges": 1, "held": False, "until": None},
    )

    assert state(shop)[0].keys() == {"B"}
    assert trail(shop, "invoice.discarded") == [("command line", "command")]
    assert drafted(ask) == {"A"}
    assert shop.violations() == []


def test_what_is_held_back_is_billed_once_it_is_released(shop, ask):
    draft = state(shop)[0]["A"]

    hold = ("discard_drafts", *TO, draft, "--reason", "Order disputed", "--hold")
    assert ask(*hold, "--until", "2027-02-01") == (
        0,
        {"drafts": 1, "charges": 1, "held": True, "until": "2027-02-01"},
    )
    assert drafted(ask) == set()
    code, answer = ask("release_charges", *TO, "ext:A")

    assert (code, answer.pop("account")[:4]) == (0, "acc_")
    assert answer == {"account_external_id": "A", "charges": 1}
    assert drafted(ask) == {"A"}
    assert trail(shop, "invoice.held_back") == [("command line", "command")]
    assert trail(shop, "charges.released") == [("command line", "command")]


def test_rejects_a_run_and_says_why(shop, ask):
    code, run = ask("billing_run", *TO, "--date", DAY)
    assert code == 0

    to_reject = ("reject_run", *TO, run["run"])
    code, shown = ask(*to_reject, "--dry-run")
    digest = shown.pop("drafts_digest")
    assert (code, shown) == (
        0,
        {
            "dry_run": True,
            "run": run["run"],
            "date": DAY,
            "status": "to_approve",
            "sums": [{"currency": "EUR", "drafts": 2, "gross_minor": 2380}],
        },
    )
    because = ("--reason", "Prices are wrong")
    assert ask(*to_reject, *because)[0] == 2
    code, refused = ask(*to_reject, *because, "--drafts-digest", "0" * 32)
    assert (code, refused["error"]["code"]) == (1, "drafts_changed")
    assert state(shop)[0].keys() == {"A", "B"}

    code, answer = ask(*to_reject, *because, "--drafts-digest", digest)

    assert (code, answer) == (
        0,
        {
            "run": run["run"],
            "date": DAY,
            "status": "done",
            "rejected_by": "command line",
            "rejected_reason": "Prices are wrong",
        },
    )
    assert state(shop)[0] == {}
    assert trail(shop, "run.rejected") == [("command line", "command")]


def test_refuses_and_changes_nothing(shop, ask):
    draft, before = state(shop)[0]["A"], state(shop)
    foreign = "0" * 26
    because, seen = ("--reason", "Why"), ("--drafts-digest", "0")
    cases = [
        (("discard_drafts", *TO, draft, "--reason", " "), "reason_needed"),
        (("discard_drafts", *TO, draft, "--reason", "x" * 501), "reason_needed"),
        (("discard_drafts", *TO, draft, f"inv_{foreign}", *because), "not_found"),
        (("discard_drafts", *TO, "A", *because), "not_found"),
        (("discard_drafts", *TO, draft, *because, "--until", "2020-01-01"), "hold_not_ahead"),
        (("release_charges", *TO, "ext:A"), "nothing_held"),
        (("release_charges", *TO, "ext:nobody"), "not_found"),
        (("reject_run", *TO, f"run_{foreign}", *because, *seen), "not_found"),
        (("reject_run", *TO, f"run_{foreign}", "--dry-run"), "not_found"),
        (("reject_run", *TO, f"run_{foreign}", *seen), "reason_needed"),
        (("reject_run", "--tenant", "nobody", f"run_{foreign}", *because, *seen), "unknown_tenant"),
    ]
    for arguments, code in cases:
        assert ask(*arguments)[0] == 1, arguments
        assert ask(*arguments)[1]["error"]["code"] == code, arguments
    assert ask("discard_drafts", *TO, *because)[0] == 2
    assert state(shop) == before
