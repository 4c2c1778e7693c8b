"""Behind a pooler that gives connections away after each transaction, and with hosts that die."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from accounts.models import Account
from billing_hierarchy.embedded.folders import local_folder, project_folder
from billing_hierarchy.embedded.privileges import server_identity, unprivileged
from tenancy.database import scope
from tests.world import DATA, TODAY, account, price, subscription

LEFT_BEHIND = {
    "settings of the session": "SELECT name, setting FROM pg_settings WHERE source = 'session'",
    "prepared statements": "SELECT name FROM pg_prepared_statements",
    "open cursors": "SELECT name FROM pg_cursors WHERE is_holdable",
    "channels listened to": "SELECT pg_listening_channels()",
    "locks of the session": "SELECT objid FROM pg_locks WHERE locktype = 'advisory'"
    " AND pid = pg_backend_pid()",
    "temporary tables": "SELECT relname FROM pg_class WHERE relpersistence = 't'",
}


def left_behind():
    with connection.cursor() as cursor:
        found = {}
        for name, sql in LEFT_BEHIND.items():
            cursor.execute(sql)
            found[name] = cursor.fetchall()
        return found


def test_leaves_nothing_of_a_transaction_behind(committed_vendor):
    vendor = committed_vendor
    connection.close()
    before = left_behind()

    vendor.has("accounts", account("A"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("S", "A", "ten", "2026-11-01"))
    assert len(vendor.run(TODAY).invoice_ids) == 1

    assert left_behind() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id', true)")
        assert cursor.fetchone() in [("",), (None,)]
    assert not Account.objects.exists()


@pytest.mark.parametrize("alias", ["default", "owner", "maintenance"])
def test_asks_for_nothing_that_a_pooler_cannot_give(alias):
    wanted = settings.DATABASES[alias]

    assert wanted["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert "options" not in wanted.get("OPTIONS", {})


def test_a_silent_host_loses_its_transaction_and_its_locks(committed_vendor, settings):
    settings.IDLE_TRANSACTION_SECONDS = 1
    vendor = committed_vendor
    vendor.has("accounts", account("A"))

    with pytest.raises(OperationalError), scope(vendor.tenant_id):  # noqa: PT012
        assert Account.objects.select_for_update().count() == 1
        time.sleep(2)
        Account.objects.count()

    connection.close()
    with scope(vendor.tenant_id):
        assert Account.objects.select_for_update(nowait=True).get().external_id == "A"


@pytest.fixture
def pooled(committed_database):
    """Run PgBouncer before the test's database; return the environment that leads there."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    assert program, "apt-get install pgbouncer"
    folder = Path(tempfile.mkdtemp(prefix="pool"))
    wanted = connections["default"].settings_dict
    names = {alias: connections[alias].settings_dict["USER"] for alias in connections}
    (folder / "users").write_text("".join(f'"{name}" ""\n' for name in {*names.values()}))
    (folder / "ini").write_text(
        f"[databases]\n* = host={wanted['HOST']} port={wanted['PORT'] or 5432}\n"
        "[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 3\nauth_type = trust\n"
        f"auth_file = {folder / 'users'}\nunix_socket_dir = {folder}\nlisten_port = 6432\n"
        f"listen_addr =\nlogfile = {folder / 'log'}\n"
    )
    identity = server_identity(local_folder())
    for path in (folder, *folder.iterdir()):
        if os.geteuid() == 0:
            os.chown(path, *identity)
    process = subprocess.Popen(
        unprivileged([program, "--quiet", str(folder / "ini")], identity),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not (folder / ".s.PGSQL.6432").exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        host = quote(str(folder), safe="")
        variables = {"default": "DATABASE_URL", "maintenance": "DATABASE_MAINTENANCE_URL"}
        yield {
            **os.environ,
            **{
                variable: f"postgresql://{names[alias]}@{host}:6432/{committed_database}"
                for alias, variable in variables.items()
            },
        }
    finally:
        process.terminate()
        process.wait(10)
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def manage(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments), "--json"],
        cwd=project_folder(),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    return json.loads(output)


def test_bills_behind_a_pooler(pooled):
    to = ("--tenant", "example")
    answer(
        manage(
            pooled, "create_tenant", "Example", "--slug=example", "--sandbox", "--now=2026-12-01"
        )
    )
    for kind in ("accounts", "prices", "subscriptions"):
        answer(manage(pooled, "import", kind, DATA / "msp" / f"{kind}.csv", *to))

    runs = [manage(pooled, "billing_run", *to, "--date=2026-12-01", "--issue") for _ in range(2)]
    made = {invoice["number"] for run in runs for invoice in answer(run)["invoices"]}

    # Each names every document of the run that it has seen, whoever made it.
    assert made == {f"RE-2026-00000{number}" for number in (1, 2, 3)}
    assert answer(manage(pooled, "verify_books"))["tenants"] == 1
    assert answer(manage(pooled, "check_trees"))["nodes"] == 61
