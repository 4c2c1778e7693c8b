"""The commands of the product: one JSON object, exit codes 0, 1 and 2, never a traceback."""

import json
import os
import subprocess
import sys

import pytest
from django.core.management import execute_from_command_line
from django.db import connection

from accounts.models import AccountNode
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import Invoice
from tenancy.models import Tenant
from tests.world import DATA, account, csv_of, price, subscription

MSP = DATA / "msp"


@pytest.fixture
def manage(committed_database, monkeypatch, capfd):
    """Return a caller of commands as the command line calls them: code, output, errors."""

    def call(*arguments):
        argv = ["manage.py", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        capfd.readouterr()
        try:
            execute_from_command_line(argv)
            code = 0
        except SystemExit as end:
            code = end.code or 0
        captured = capfd.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def ask(manage):
    """Return a caller of commands with --json: code and the one object on stdout."""

    def call(*arguments):
        code, output, _errors = manage(*arguments, "--json")
        answer = json.loads(output)
        assert isinstance(answer, dict)
        return code, answer

    return call


def count_tenants():
    """Return how many tenants there are, seen by the role that sees all."""
    from tenancy.database.lookup import all_tenant_ids

    return len(all_tenant_ids())


# -- the whole way -------------------------------------------------------------------------------


def test_goes_from_a_new_tenant_to_verified_books(ask):
    code, made = ask("create_tenant", "Müller & Söhne", "--sandbox", "--now", "2026-11-23")
    assert code == 0
    assert made.keys() == {"tenant", "api_key", "owner_email", "owner_password"}
    tenant = made["tenant"]
    assert tenant.pop("id").startswith("ten_")
    assert tenant == {
        "slug": "muller-sohne",
        "name": "Müller & Söhne",
        "country": "DE",
        "currency": "EUR",
        "sandbox": True,
        "now": "2026-11-23T11:00:00Z",
    }
    assert made["api_key"].startswith("sk_test_")
    assert made["owner_email"] == "owner@muller-sohne.example"
    to = ("--tenant", "muller-sohne")

    counts = {"accounts": 61, "prices": 5, "subscriptions": 138}
    for kind, rows in counts.items():
        for options, dry in ((["--dry-run"], True), ([], False)):
            assert ask("import", kind, MSP / f"{kind}.csv", *to, *options) == (
                0,
                {
                    "kind": kind,
                    "dry_run": dry,
                    "rows": rows,
                    "created": rows,
                    "updated": 0,
                    "unchanged": 0,
                    "encoding": "utf-8",
                    "changes": [],
                    "warnings": [],
                    "errors": [],
                },
            )

    run = ("billing_run", *to, "--date", "2026-12-01")
    code, drafted = ask(*run)
    assert (code, drafted["status"], len(drafted["invoices"])) == (0, "to_approve", 3)
    code, issued = ask(*run, "--issue")
    assert (code, issued["status"], issued["problems"]) == (0, "done", [])
    assert issued["run"].startswith("run_")
    assert [i["number"] for i in issued["invoices"]] == [f"RE-2026-00000{n}" for n in (1, 2, 3)]
    first = issued["invoices"][0]
    assert (first.pop("id")[:4], first.pop("bill_to")[:4], first.pop("payer")[:4]) == (
        "inv_",
        "acc_",
        "acc_",
    )
    assert first == {
        "number": "RE-2026-000001",
        "status": "open",
        "bill_to_external_id": "MSP",
        "payer_external_id": "MSP",
        "currency": "EUR",
        "issue_date": "2026-12-01",
        "due_date": "2026-12-15",
        "net_minor": 2227750,
        "tax_minor": 423273,
        "gross_minor": 2651023,
        "sections": 53,
        "lines": first["lines"],
    }
    code, again = ask(*run, "--issue")
    assert (code, again["invoices"], again["status"]) == (0, [], "done")
    assert again["run"] == issued["run"]

    code, books = ask("verify_books", *to)
    assert (code, books["ok"], books["tenants"], books["violations"]) == (0, True, 1, [])
    assert books["checked"]["I6"] == 3
    assert ask("verify_books") == (0, books)
    assert ask("check_trees") == (
        0,
        {"ok": True, "trees": 1, "nodes": 61, "faults": [], "fixed": 0},
    )
    move = ("advance_clock", *to, "--to", "2027-01-02")
    code, said = ask(*move, "--dry-run")
    assert (code, said["runs"], said["dry_run"]) == (0, len(said["run_dates"]), True)
    assert {name: said[name] for name in ("from", "to", "days", "waiting", "too_large")} == {
        "from": "2026-11-23", "to": "2027-01-02", "days": 40, "waiting": 0, "too_large": 0,
    }  # fmt: skip
    code, moved = ask(*move)
    assert (code, moved.pop("runs")) == (0, said["runs"])
    assert moved == {
        "from": "2026-11-23",
        "to": "2027-01-02",
        "days": 40,
        "invoices": 3,
        "problems": [],
    }


def test_speaks_in_words_without_json(manage):
    code, output, _errors = manage("create_tenant", "Acme", "--country", "at")

    assert code == 0
    assert "slug: acme" in output
    assert "api_key: sk_live_" in output


# -- refusals ------------------------------------------------------------------------------------


@pytest.fixture
def shop(committed_vendor):
    committed_vendor.has("accounts", account("A"), account("A1", "A"))
    committed_vendor.has("prices", price("ten", "10"))
    committed_vendor.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))
    return committed_vendor


def test_refuses_with_code_and_sentence_and_changes_nothing(shop, ask, tmp_path):
    files = {
        "binary": b"\x89PNG\r\n\x1a\n\x00\xff",
        "empty": b"",
        "latin": "external_id,name,kind\na,Bäcker,company\n".encode("latin-1"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    to = ("--tenant", "acme")
    day = ("--date", "2026-12-01")
    foreign = "acc_" + "0" * 26
    cases = [
        (("create_tenant", "Acme"), "slug_taken"),
        (("create_tenant", "Other", "--slug", "A B"), "invalid_tenant"),
        (("create_tenant", "…"), "invalid_tenant"),
        (("create_tenant", ""), "invalid_tenant"),
        (("create_tenant", "x" * 201), "invalid_tenant"),
        (("create_tenant", "Other", "--country", "XX"), "invalid_tenant"),
        (("create_tenant", "Other", "--currency", "BTC"), "invalid_tenant"),
        (("create_tenant", "Other", "--currency", "BGN"), "invalid_tenant"),
        (("create_tenant", "Other", "--now", "2026-11-23"), "not_sandbox"),
        (("import", "accounts", MSP / "accounts.csv", "--tenant", "nobody"), "unknown_tenant"),
        (("import", "accounts", MSP / "accounts.csv", "--tenant", ""), "unknown_tenant"),
        (("import", "accounts", tmp_path / "missing.csv", *to), "file_not_readable"),
        (("import", "accounts", tmp_path, *to), "file_not_readable"),
        (("billing_run", "--tenant", "nobody", *day), "unknown_tenant"),
        (("billing_run", *to, *day, "--in", "ext:nobody"), "not_found"),
        (("billing_run", *to, *day, "--in", foreign), "not_found"),
        (("billing_run", *to, *day, "--in", "A1"), "not_found"),
        (("billing_run", *to, *day, "--in", ""), "not_found"),
        (("billing_run", *to, "--date", "1800-01-01"), "date_out_of_range"),
        (("billing_run", *to, "--date", "9999-12-31"), "date_out_of_range"),
        (("verify_books", "--tenant", "nobody"), "unknown_tenant"),
        (("check_trees", "--tenant", "nobody"), "unknown_tenant"),
        (("advance_clock", *to, "--to", "2026-11-22"), "clock_backwards"),
        (("advance_clock", *to, "--to", "2199-12-31"), "clock_too_far"),
        (("advance_clock", *to, "--to", "2199-12-31", "--dry-run"), "clock_too_far"),
        (("advance_clock", "--tenant", "nobody", "--to", "2027-01-01"), "unknown_tenant"),
    ]

    for arguments, expected in cases:
        code, answer = ask(*arguments)
        assert (code, answer["error"]["code"]) == (1, expected), arguments
        assert answer["error"].keys() == {"code", "detail", "errors"}
        assert answer["error"]["detail"]
    for name in files:
        code, answer = ask("import", "accounts", tmp_path / name, *to)
        assert code == 1
        assert answer["created"] == 0
        assert answer["errors"][0].keys() == {"row", "column", "code", "detail"}
        assert answer["error"]["errors"] == answer["errors"]

    assert count_tenants() == 1
    with shop.seen():
        assert AccountNode.objects.count() == 2
        assert not Invoice.objects.exists()
        assert Tenant.objects.get().test_clock_at.date().isoformat() == "2026-11-23"


def test_answers_wrong_usage_with_2(shop, ask, manage):
    to = ("--tenant", "acme")
    cases = [
        ("create_tenant",),
        ("create_tenant", "Other", "--now", "yesterday"),
        ("create_tenant", "Other", "--unknown"),
        ("import",),
        ("import", "people", "file.csv", *to),
        ("import", "accounts", "file.csv"),
        ("billing_run", *to),
        ("billing_run", "--date", "2026-12-01"),
        ("billing_run", *to, "--date", "01.12.2026"),
        ("billing_run", *to, "--date", "2026-13-01"),
        ("billing_run", *to, "--date", "20261201"),
        ("billing_run", *to, "--date", ""),
        ("advance_clock", *to),
        ("advance_clock", *to, "--to", "tomorrow"),
        ("verify_books", "extra"),
        ("check_trees", "--fix", "now"),
    ]

    for arguments in cases:
        code, answer = ask(*arguments)
        assert (code, answer["error"]["code"]) == (2, "usage"), arguments
        code, output, errors = manage(*arguments)
        assert (code, output) == (2, ""), arguments
        assert "usage:" in errors

    with shop.seen():
        assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("create_tenant", "bad \udcff name"),
        ("create_tenant", "Other", "--slug", "\udcff"),
        ("create_tenant", "Other", "--country", "\udcff"),
        ("verify_books", "--tenant", "\udcff"),
        ("billing_run", "--tenant", "acme", "--date", "2026-12-01", "--in", "ext:\udcff"),
        ("import", "accounts", "\udcff.csv", "--tenant", "acme"),
    ],
    ids=lambda arguments: " ".join(arguments).encode("ascii", "replace").decode(),
)
def test_refuses_letters_that_are_none(shop, ask, arguments):
    """A terminal hands over bytes that are no UTF-8 as lone surrogates."""
    code, answer = ask(*arguments)

    assert (code, answer["error"]["code"]) == (1, "not_text")
    assert count_tenants() == 1


# -- what single commands say --------------------------------------------------------------------


def test_import_names_rows_and_columns(shop, ask, tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_bytes(csv_of([account("B", kind="club"), account("C", "nowhere")]))

    code, answer = ask("import", "accounts", file, "--tenant", "acme")

    assert code == 1
    assert [(e["row"], e["column"], e["code"]) for e in answer["errors"]] == [
        (2, "kind", "unknown_value"),
        (3, "parent_external_id", "unknown_account"),
    ]
    assert answer["error"]["code"] == "import_refused"


def test_export_writes_what_import_reads_back(shop, ask, tmp_path):
    cells = {"first_day": "2026-12-01", "description": "Work", "unit_amount": "9.125",
             "currency": "EUR"}  # fmt: skip
    shop.has("accounts", account("B"))
    shop.has("charges", *({"external_id": key, "account_external_id": key, **cells}
                          for key in ("A1", "B")))  # fmt: skip
    for ending, within, count in (("csv", (), 2), ("xlsx", ("--in", "ext:A"), 1)):
        file = tmp_path / f"charges.{ending}"
        code, answer = ask("export", "charges", file, "--tenant", "acme", *within)
        assert (code, answer["rows"]) == (0, count)
        code, answer = ask("import", "charges", file, "--tenant", "acme")
        assert (code, answer["created"], answer["unchanged"]) == (0, 0, count)


@pytest.mark.parametrize(
    ("name", "code"), [("x.txt", "unknown_ending"), ("nowhere/x.csv", "file_not_writable")]
)
def test_export_refuses_what_is_no_file(shop, ask, tmp_path, name, code):
    failed, answer = ask("export", "charges", tmp_path / name, "--tenant", "acme")

    assert (failed, answer["error"]["code"]) == (1, code)


def test_billing_run_takes_an_account_by_either_name(shop, ask):
    from tenancy.ids import public_id

    shop.has("accounts", account("B"))
    shop.has("subscriptions", subscription("S2", "B", "ten", "2026-12-01"))
    run = ("billing_run", "--tenant", "acme", "--date", "2026-12-01", "--issue", "--in")

    for name, bill_to in (("ext:B", "B"), (public_id("acc", shop.id_of("A")), "A")):
        code, answer = ask(*run, name)
        assert code == 0
        assert [i["bill_to_external_id"] for i in answer["invoices"]] == [bill_to]


def test_billing_run_lists_problems_and_exits_with_0(shop, ask):
    shop.has("accounts", account("B", legal_name="", city=""))
    shop.has("subscriptions", subscription("S2", "B", "ten", "2026-12-01"))

    code, answer = ask("billing_run", "--tenant", "acme", "--date", "2026-12-01", "--issue")

    assert code == 0
    assert len(answer["invoices"]) == 1
    (problem,) = answer["problems"]
    assert problem.pop("account").startswith("acc_")
    assert problem == {
        "code": "bill_to_incomplete",
        "severity": "problem",
        "account_external_id": "B",
        "subscription": None,
        "subscription_external_id": None,
        "count": 1,
        "detail": "“B” lacks: legal name, city. Nothing is billed to it.",
    }


def test_billing_run_refuses_a_day_before_the_last_issue(shop, ask):
    ask("billing_run", "--tenant", "acme", "--date", "2026-12-01", "--issue")

    code, answer = ask("billing_run", "--tenant", "acme", "--date", "2026-11-30")

    assert (code, answer["error"]["code"]) == (1, "run_date_before_last_issue")
    assert "1 Dec 2026" in answer["error"]["detail"]


def test_live_tenants_are_not_billed_ahead_and_have_no_test_clock(ask):
    ask("create_tenant", "Live")

    code, answer = ask("billing_run", "--tenant", "live", "--date", "2150-01-01")
    assert (code, answer["error"]["code"]) == (1, "run_date_in_future")
    code, answer = ask("advance_clock", "--tenant", "live", "--to", "2150-01-01")
    assert (code, answer["error"]["code"]) == (1, "not_sandbox")


def test_verify_books_exits_with_1_where_something_is_broken(shop, ask):
    with shop.seen(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_placement SET parent_id = NULL")

    code, answer = ask("verify_books")

    assert (code, answer["ok"]) == (1, False)
    assert [v.keys() for v in answer["violations"]] == [{"invariant", "tenant", "object", "detail"}]
    assert (answer["violations"][0]["invariant"], answer["violations"][0]["tenant"]) == (
        "history",
        "acme",
    )


def test_check_trees_exits_with_1_until_it_is_mended(shop, ask):
    with shop.seen(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_accountnode SET level = level + 1")

    code, answer = ask("check_trees", "--tenant", "acme")
    assert (code, answer["ok"], answer["fixed"]) == (1, False, 0)
    assert answer["faults"][0].keys() == {"account", "external_id", "kind", "detail"}
    code, answer = ask("check_trees", "--fix")
    assert (code, answer["ok"], answer["fixed"]) == (0, True, 2)
    code, answer = ask("check_trees")
    assert (code, answer["faults"]) == (0, [])


def test_does_not_reach_from_one_tenant_into_another(shop, ask):
    from tenancy.ids import public_id
    from tests.world import make_vendor

    rival = make_vendor("rival")
    theirs = public_id("acc", shop.id_of("A"))

    for name in (theirs, "ext:A"):
        code, answer = ask(
            "billing_run", "--tenant", "rival", "--date", "2026-12-01", "--in", name, "--issue"
        )
        assert (code, answer["error"]["code"]) == (1, "not_found")
    code, answer = ask("billing_run", "--tenant", "rival", "--date", "2026-12-01", "--issue")
    assert (code, answer["invoices"]) == (0, [])
    assert shop.documents() == rival.documents() == []


# -- as a process --------------------------------------------------------------------------------


def test_prints_one_object_as_a_process(shop, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\x00\xff")
    runs = [
        (["verify_books", "--json"], 0),
        (["import", "accounts", str(tmp_path / "x.csv"), "--tenant", "acme", "--json"], 1),
        (["billing_run", "--tenant", "acme", "--json"], 2),
        (["billing_run", "--tenant", "acme", "--date", "\udcff", "--json"], 2),
        (["create_tenant", "\udcff", "--json"], 1),
    ]

    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=project_folder(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
            text=True,
        )
        for arguments, _code in runs
    ]

    for process, (_arguments, code) in zip(processes, runs, strict=True):
        output, errors = process.communicate(timeout=120)
        assert process.returncode == code, errors
        assert isinstance(json.loads(output), dict)
        assert "Traceback" not in output + errors


def test_says_when_the_database_is_out_of_reach(ask, monkeypatch):
    from django.db import OperationalError

    from tenancy.management import interface

    def fail(slug):
        raise OperationalError("could not connect to server\nmore")

    monkeypatch.setattr(interface, "find_tenant_id", fail)

    code, answer = ask("verify_books", "--tenant", "acme")

    assert (code, answer["error"]["code"]) == (1, "database_unavailable")
    assert "could not connect to server" in answer["error"]["detail"]
