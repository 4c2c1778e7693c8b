"""``backup`` and ``restore``: the same rows elsewhere, or nothing at all."""

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import psycopg2
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections

from billing_hierarchy.backup import restore_backup, restoring, take_backup, taking
from billing_hierarchy.backup.errors import (
    BackupDamaged,
    BackupExists,
    BackupNotReadable,
    BackupNotWritable,
    BackupOfAnotherVersion,
    BackupRuns,
    DatabaseInUse,
    DatabaseNotEmpty,
    NothingToBackUp,
    RestoredDiffers,
)
from billing_hierarchy.backup.tables import Content
from billing_hierarchy.embedded import locks
from billing_hierarchy.embedded.folders import project_folder
from invoicing.operations.rendering import render_waiting
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.database.lookup import all_tenant_ids, find_tenant_id
from tenancy.events import Happening, record_event
from tenancy.models import Event
from tenancy.queries.events import events_after
from tests import databases
from tests.world import DATA

TO = ("--tenant", "example")
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
EARLIER = DATA / "backups" / "before-jobs.zip"
"""Taken of the example of the README as it was before jobs had a table, and not to be renewed."""

# What keeps tenants apart and issued documents as they are must come back as well.
GUARDS = """
    SELECT relname, relrowsecurity, relforcerowsecurity,
        (SELECT string_agg(item::text, ' ' ORDER BY item::text) FROM unnest(relacl) AS item),
        (SELECT string_agg(tgname || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger
         WHERE tgrelid = c.oid AND NOT tgisinternal),
        (SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid)
    FROM pg_class AS c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY relname
"""


class Interrupted(BaseException):
    """As if the process had been killed."""


def die(*_args, **_kwargs):
    raise Interrupted


def tell(name, *arguments):
    """Run a command; return its exit code and its JSON."""
    out = io.StringIO()
    try:
        call_command(name, *map(str, arguments), "--json", stdout=out)
        code = 0
    except SystemExit as end:
        code = end.code
    return code, json.loads(out.getvalue())


@pytest.fixture
def msp(committed_database):
    """Bill the example of the README and make one of its PDF files."""
    tell("create_tenant", "Example MSP", "--slug=example", "--sandbox", "--now=2026-12-01")
    for kind in ("accounts", "prices", "subscriptions"):
        code, said = tell("import", kind, DATA / "msp" / f"{kind}.csv", *TO)
        assert code == 0, said
    assert numbers(2026, 12) == [f"RE-2026-00000{n}" for n in (1, 2, 3)]
    tenant_id = find_tenant_id("example")
    assert tenant_id is not None
    render_waiting(Actor.system(tenant_id), limit=1, now=NOW)
    return committed_database


@pytest.fixture
def empty(committed_database):
    """Make a database without tables; the test goes there when it likes."""
    name = f"{committed_database}_empty"
    databases._execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
    yield name
    databases._lead_to(committed_database)
    databases._execute(f'DROP DATABASE "{name}"')


def numbers(year, month):
    code, said = tell("billing_run", *TO, f"--date={year}-{month:02}-01", "--issue")
    assert (code, said["problems"]) == (0, [])
    return [invoice["number"] for invoice in said["invoices"]]


def guards():
    with connections["owner"].cursor() as cursor:
        cursor.execute(GUARDS)
        return cursor.fetchall()


def slugs():
    with connections["maintenance"].cursor() as cursor:
        cursor.execute("SELECT slug FROM accounts_tenant ORDER BY slug")
        return [slug for (slug,) in cursor]


def test_comes_back_elsewhere_row_by_row_and_numbers_go_on(msp, empty, tmp_path):
    guarded = guards()
    code, said = tell("backup", tmp_path / "one.zip")
    assert (code, said["tables"] > 35, said["rows"] > 1000) == (0, True, True)

    databases._lead_to(empty)
    code, restored = tell("restore", tmp_path / "one.zip")

    assert (code, restored["books_ok"], restored["trees_ok"]) == (0, True, True)
    assert (restored["rows"], restored["upgraded"]) == (said["rows"], [])
    assert restored["numbers"] == [
        {
            "tenant": "example",
            "kind": "invoice",
            "year": 2026,
            "last_number": 3,
            "last_issue_date": "2026-12-01",
        }
    ]
    again = take_backup(tmp_path / "two.zip", now=NOW)
    first = manifest_of(tmp_path / "one.zip")
    second = manifest_of(tmp_path / "two.zip")
    assert second["tables"] == first["tables"]
    assert second["sequences"] == first["sequences"]
    documents = {part.name: part for part in again.tables}["invoicing_storeddocument"]
    assert (documents.content.rows, documents.content.bytes > 20_000) == (1, True)
    assert guards() == guarded
    tell("advance_clock", *TO, "--to=2026-12-31")
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_tenant")
        assert cursor.fetchone() == (0,)
    code, said = tell("advance_clock", *TO, "--to=2027-01-01")
    code, restored = tell("verify_books")
    assert (code, restored["violations"]) == (0, [])
    with connections["maintenance"].cursor() as cursor:
        cursor.execute("SELECT number FROM invoicing_invoice ORDER BY number")
        assert [number for (number,) in cursor] == [
            *[f"RE-2026-00000{n}" for n in (1, 2, 3)],
            *[f"RE-2027-00000{n}" for n in (1, 2, 3)],
        ]


def test_events_keep_their_order_on_a_server_of_lower_numbers(msp, empty, tmp_path):
    ahead = 10**15
    tenant_id = find_tenant_id("example")
    actor = Actor.system(tenant_id)
    with scope(tenant_id):
        before = [event.pk for event in events_after(actor, None, limit=10_000)]
        for n in (2, 1):
            Event.objects.create(
                tenant_id=tenant_id,
                kind="a.b",
                subject_type="a",
                subject_id=actor.tenant_id,
                at=NOW,
                transaction=ahead + n,
                data={"n": n},
            )
        # As numbers of running transactions: nobody may know yet what else comes before them.
        assert [event.pk for event in events_after(actor, None, limit=10_000)] == before
    tell("backup", tmp_path / "one.zip")
    databases._lead_to(empty)
    tell("restore", tmp_path / "one.zip")

    happening = Happening("tenant.operator_entered", tenant_id, data={"reason": "Later"})
    with scope(tenant_id):
        record_event(actor, happening, now=NOW)
    with scope(tenant_id):
        found = events_after(actor, None, limit=10_000)
        assert [event.pk for event in found][: len(before)] == before
        assert [event.data for event in found[len(before) :]] == [
            {"n": 1},
            {"n": 2},
            {"reason": "Later"},
        ]
        # A place that was reached before still is one.
        assert events_after(actor, before[-1], limit=10_000) == found[len(before) :]
    with connections["maintenance"].cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("DELETE FROM accounts_event")


def test_brings_an_earlier_versions_backup_up_to_date(empty):
    databases._lead_to(empty)

    code, restored = tell("restore", EARLIER)

    assert (code, restored["books_ok"], restored["trees_ok"]) == (0, True, True)
    assert "accounts.0006_jobs" in restored["upgraded"]
    assert [series["last_number"] for series in restored["numbers"]] == [3, 3]
    call_command("migrate", database="owner", check_unapplied=True, verbosity=0)
    # What an entry of the ledger was of is its source now, and stands with each of its postings.
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(
            "SELECT posting.ledger, count(*), sum(posting.amount_minor) = sum(CASE posting.ledger"
            " WHEN 'receivable' THEN invoice.gross_minor WHEN 'tax' THEN -invoice.tax_minor"
            " ELSE -invoice.net_minor END), bool_and(entry.source_id = invoice.id)"
            " FROM invoicing_ledgerposting AS posting JOIN invoicing_ledgerentry AS entry"
            " ON entry.id = posting.entry_id LEFT JOIN invoicing_invoice AS invoice"
            " ON invoice.id = posting.invoice_id GROUP BY posting.ledger ORDER BY posting.ledger"
        )
        assert cursor.fetchall() == [
            (ledger, 6, True, True) for ledger in ("receivable", "revenue", "tax")
        ]
        cursor.execute("SELECT DISTINCT credit_note_format FROM accounts_seller")
        assert cursor.fetchall() == [("RK-{year}-{number:06d}",)]
    code, moved = tell("advance_clock", *TO, "--to=2027-02-01")
    assert (code, moved["invoices"]) == (0, 3)
    assert tell("verify_books")[0] == 0


def test_throws_away_what_is_there_only_if_told(committed_database, tmp_path):
    tell("create_tenant", "One", "--slug=one")
    take_backup(tmp_path / "one.zip", now=NOW)
    tell("create_tenant", "Two", "--slug=two")

    with pytest.raises(DatabaseNotEmpty):
        restore_backup(tmp_path / "one.zip")
    assert slugs() == ["one", "two"]

    code, said = tell("restore", tmp_path / "one.zip", "--replace")
    assert (code, said["books_ok"], slugs()) == (0, True, ["one"])


def test_overwrites_no_file_and_shows_it_to_nobody(committed_database, tmp_path):
    path = tmp_path / "one.zip"
    code, said = tell("backup", path)
    assert (code, said["bytes"], path.stat().st_mode & 0o777) == (0, path.stat().st_size, 0o600)
    before = path.read_bytes()

    with pytest.raises(BackupExists):
        take_backup(path, now=NOW)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_leaves_nothing_under_its_name_when_it_is_interrupted(
    committed_database, tmp_path, monkeypatch
):
    monkeypatch.setattr(taking, "write_manifest", die)

    with pytest.raises(Interrupted):
        take_backup(tmp_path / "one.zip", now=NOW)

    assert list(tmp_path.iterdir()) == []


def test_takes_over_what_a_killed_one_left(committed_database, tmp_path):
    path = tmp_path / "one.zip"
    program = (
        "import os, sys, django; django.setup();"
        "from billing_hierarchy.backup import taking;"
        "taking.write_manifest = lambda *_: os._exit(9);"
        "from datetime import UTC, datetime; from pathlib import Path;"
        "taking.take_backup(Path(sys.argv[1]), now=datetime.now(UTC))"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, path],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        check=False,
    )
    assert killed.returncode == 9
    partial = tmp_path / ".one.zip.partial"
    assert [found.name for found in tmp_path.iterdir()] == [partial.name]
    with pytest.raises(BackupDamaged):
        restore_backup(partial, replace=True)

    take_backup(path, now=NOW)

    assert list(tmp_path.iterdir()) == [path]


def test_two_do_not_write_one_file(committed_database, tmp_path):
    held = locks.open_lock(tmp_path / ".one.zip.partial")
    assert locks.try_exclusive(held)
    try:
        with pytest.raises(BackupRuns):
            take_backup(tmp_path / "one.zip", now=NOW)
    finally:
        os.close(held)


def test_says_where_it_cannot_write_or_read(committed_database, tmp_path):
    with pytest.raises(BackupNotWritable, match="No such file"):
        take_backup(tmp_path / "missing" / "one.zip", now=NOW)
    with pytest.raises(BackupNotReadable, match="No such file"):
        restore_backup(tmp_path / "one.zip")
    code, said = tell("restore", tmp_path)
    assert (code, said["error"]["code"]) == (1, "file_not_readable")


def test_backs_up_no_empty_database(empty, tmp_path):
    databases._lead_to(empty)

    with pytest.raises(NothingToBackUp):
        take_backup(tmp_path / "one.zip", now=NOW)

    assert list(tmp_path.iterdir()) == []


def manifest_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))


def rewrite(source, target, **changes):
    """Copy a backup with other members: None leaves one out, a function gets its text."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            change = changes.get(name.rpartition("/")[2].partition(".")[0], lambda text: text)
            if change is not None:
                new.writestr(name, change(old.read(name)))
    return target


def edit(**values):
    return lambda text: json.dumps({**json.loads(text), **values}).encode()


DAMAGES = {
    "a text is missing": {"accounts_tenant": None},
    "a text was changed": {"accounts_tenant": lambda text: text.replace(b"one", b"two")},
    "no manifest": {"manifest": None},
    "a manifest that is no JSON": {"manifest": lambda text: text[:100]},
    "another product": {"manifest": edit(product="something")},
    "a later format": {"manifest": edit(format=2)},
    "a table less": {"manifest": lambda text: edit(tables=json.loads(text)["tables"][1:])(text)},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_refuses_a_damaged_backup_and_changes_nothing(committed_database, tmp_path, damage):
    tell("create_tenant", "One", "--slug=one")
    take_backup(tmp_path / "one.zip", now=NOW)
    broken = rewrite(tmp_path / "one.zip", tmp_path / "broken.zip", **DAMAGES[damage])
    tell("create_tenant", "Two", "--slug=two")

    with pytest.raises(BackupDamaged):
        restore_backup(broken, replace=True)

    assert slugs() == ["one", "two"]


@pytest.mark.parametrize("length", [0, 1000, -30])
def test_refuses_half_a_file(committed_database, tmp_path, length):
    path = tmp_path / "one.zip"
    take_backup(path, now=NOW)
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(BackupDamaged):
        restore_backup(path, replace=True)


def test_refuses_a_later_versions_backup(committed_database, tmp_path):
    take_backup(tmp_path / "one.zip", now=NOW)
    migrations = [*manifest_of(tmp_path / "one.zip")["migrations"], ["invoicing", "9999_later"]]
    later = rewrite(
        tmp_path / "one.zip",
        tmp_path / "later.zip",
        manifest=edit(migrations=migrations, version="9.0.0"),
    )

    with pytest.raises(BackupOfAnotherVersion, match=r"9\.0\.0.*invoicing\.9999_later"):
        restore_backup(later, replace=True)


@pytest.mark.parametrize("step", ["_migrate_to", "_load"])
def test_leaves_the_database_as_it_was_when_it_is_interrupted(
    committed_database, tmp_path, monkeypatch, step
):
    tell("create_tenant", "One", "--slug=one")
    take_backup(tmp_path / "one.zip", now=NOW)
    tell("create_tenant", "Two", "--slug=two")
    guarded = guards()
    original = getattr(restoring, step)

    def half(*args):
        original(*args)
        raise Interrupted

    monkeypatch.setattr(restoring, step, half)
    with pytest.raises(Interrupted):
        restore_backup(tmp_path / "one.zip", replace=True)

    assert slugs() == ["one", "two"]
    assert guards() == guarded


def test_compares_what_it_stored(committed_database, tmp_path, monkeypatch):
    tell("create_tenant", "One", "--slug=one")
    take_backup(tmp_path / "one.zip", now=NOW)
    tell("create_tenant", "Two", "--slug=two")
    monkeypatch.setattr(restoring.tables, "write_rows", lambda *_: Content(0, 0, ""))

    with pytest.raises(RestoredDiffers):
        restore_backup(tmp_path / "one.zip", replace=True)

    assert slugs() == ["one", "two"]


def test_does_not_wait_for_ever_for_others(committed_database, tmp_path, monkeypatch):
    take_backup(tmp_path / "one.zip", now=NOW)
    monkeypatch.setattr(restoring, "_PATIENCE", "100ms")
    other = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_tenant")

        with pytest.raises(DatabaseInUse):
            restore_backup(tmp_path / "one.zip", replace=True)
    finally:
        other.close()


def test_shows_one_moment_while_others_write(committed_database, tmp_path, monkeypatch):
    original, seen = taking._write_table, []

    def write_and_disturb(archive, cursor, table):
        if not seen:
            tell("create_tenant", "Late", "--slug=late")
        seen.append(table.name)
        return original(archive, cursor, table)

    monkeypatch.setattr(taking, "_write_table", write_and_disturb)
    manifest = take_backup(tmp_path / "one.zip", now=NOW)

    rows = {part.name: part.content.rows for part in manifest.tables}
    assert (rows["accounts_tenant"], rows["accounts_person"]) == (0, 0)
    assert len(all_tenant_ids()) == 1
