"""A local folder of another version: an earlier one is brought up to date, a later one left alone.

The earlier folder holds the rows of a backup that an earlier version took, in the tables of that
version.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from decimal import ROUND_HALF_UP, Decimal

import psycopg2
import pytest

from billing_hierarchy.embedded.folders import MIGRATED_STAMP, project_folder
from tests.platform.services import Local
from tests.world import DATA

EARLIER = DATA / "backups" / "before-jobs.zip"

# A restore that stops short of this version's migrations.
FILL = """
import os, sys
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "billing_hierarchy.settings"
from billing_hierarchy.embedded.joining import ensure_services
ensure_services()
import django
django.setup()
from billing_hierarchy.backup import restoring
restoring.call_command = lambda *_, **__: None
restoring.restore_backup(Path(sys.argv[1]))
"""

COUNTS = """
SELECT (SELECT count(*) FROM accounts_account), (SELECT count(*) FROM subscriptions_subscription),
    (SELECT count(*) FROM invoicing_invoiceline), (SELECT sum(gross_minor) FROM invoicing_invoice),
    (SELECT string_agg(number, ' ' ORDER BY number) FROM invoicing_invoice WHERE number IS NOT NULL)
"""
MONTHLY = """
SELECT price.model, price.unit_amount, price.interval, item.quantity, item.monthly_minor
FROM subscriptions_item AS item JOIN subscriptions_price AS price ON price.id = item.price_id
"""
NUMBERS = " ".join(f"RE-{year}-00000{number}" for year in (2026, 2027) for number in (1, 2, 3))
MIGRATIONS = "SELECT app, name, applied FROM django_migrations ORDER BY id"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """Make the folder as an earlier version left it when everything was killed."""
    local = Local(tmp_path_factory.mktemp("earlier") / "local")
    local.join()
    subprocess.run(
        [sys.executable, "-c", FILL, str(EARLIER)],
        cwd=project_folder(),
        env=local.environment,
        check=True,
        timeout=120,
    )
    (local.path / "postgresql" / MIGRATED_STAMP).write_text("0" * 64, encoding="ascii")
    local.kill_users()
    local.kill()
    local.wait_until_quiet(30)
    return local.path


@pytest.fixture
def local(earlier, tmp_path):
    # Its files belong to another user where the tests are the administrator's.
    subprocess.run(["cp", "--archive", str(earlier), str(tmp_path / "local")], check=True)
    copy = Local(tmp_path / "local")
    yield copy
    copy.kill_users()
    copy.kill()
    copy.wait_until_quiet(30)


@pytest.mark.long
def test_serves_an_earlier_versions_folder_whose_servers_were_killed(local):
    for left in ("data/postmaster.pid", "ready.json"):
        assert (local.path / "postgresql" / left).exists()

    with serving(local) as url:
        assert [status_of(url + page) for page in ("readyz", "sign-in/")] == [200, 200]
        assert local.manage("migrate", "--database=owner", "--check").returncode == 0
        for command in ("verify_books", "check_trees"):
            answer = local.manage(command, "--json")
            assert (answer.returncode, json.loads(answer.stdout)["ok"]) == (0, True)
        [counts] = ask(local, COUNTS)
        rows = ask(local, MONTHLY)

    assert counts[:3] == (61, 138, 373)
    assert counts[3:] == (3843016, NUMBERS)
    assert len(rows) == 138
    wrong = [row for row in rows if row[-1] != in_a_month(*row[:-1])]
    assert wrong == []


def test_leaves_a_later_versions_folder_as_it_is(local):
    ask(local, "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('invoicing', '9999_later', now()) RETURNING id")  # fmt: skip
    before = ask(local, MIGRATIONS)

    for command in (["serve", "--no-demo"], ["verify_books", "--json"]):
        refused = local.manage(*command)
        assert (refused.returncode, refused.stdout) == (1, "")
        [said] = [line for line in refused.stderr.splitlines() if "embedded" not in line]
        assert said.startswith(f"error: The data in {local.path}/postgresql was written by a later")
        assert "does not know invoicing.9999_later" in said

    assert ask(local, MIGRATIONS) == before
    assert (local.path / "postgresql" / MIGRATED_STAMP).read_text() == "0" * 64


@contextlib.contextmanager
def serving(local):
    """Run the product as ``make run`` does, without its demo; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--no-demo"],
        cwd=project_folder(),
        env={**local.environment, "PORT": str(port), "BILLING_PLAIN_STATIC": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout
        assert any("is running at" in line for line in server.stdout), server.wait(10)
        yield f"http://127.0.0.1:{port}/"
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def status_of(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status


def ask(local, statement):
    """Ask the embedded database past row security, without bringing it up to date."""
    addresses = local.join()
    parts = psycopg2.extensions.parse_dsn(addresses["DATABASE_URL"])
    connection = psycopg2.connect(**{**parts, "user": "postgres"})
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def in_a_month(model, unit_amount, interval, quantity):
    """Return what the example's prices bring in a month, in cents."""
    amount = unit_amount * (1 if model == "flat" else quantity)
    months = {"month": 1, "year": 12}[interval]
    return (amount * 100 / months).quantize(Decimal(1), ROUND_HALF_UP)
