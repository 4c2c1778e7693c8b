"""A second worker host, in a network of its own, takes part in a run and is lost within it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psycopg2
import pytest

from billing_hierarchy.embedded.folders import project_folder
from billing_hierarchy.embedded.postgresql import program
from billing_hierarchy.embedded.privileges import unprivileged
from billing_hierarchy.embedded.redis_server import _program as redis_program
from tests.world import account, csv_of, price, subscription

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="networks of one's own are the administrator's"),
]

HERE, THERE = "10.211.83.1", "10.211.83.2"
SPACE = f"billing-{os.getpid()}"
LINK = f"b{os.getpid()}"[:12]
FAMILIES = 200
DAY = "2026-12-01"
NOBODY = (65534, 65534)

START_RUN = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "billing_hierarchy.settings"
django.setup()
from datetime import UTC, date, datetime
from tenancy.actor import Actor
from tenancy.database.lookup import find_tenant_id
from invoicing.operations.runs.opening import request_run
from invoicing.tasks import work_on_run
now = datetime.now(UTC)
day, tenant_id = date.fromisoformat(sys.argv[1]), find_tenant_id("example")
wanted = {"run_date": day, "within": None, "issue": True}
run = request_run(Actor.system(tenant_id), **wanted, today=day, now=now)
for _host in range(2):
    work_on_run.delay(tenant_id=str(tenant_id), run_id=str(run.id))
"""

# Notes which host has done which family, and makes a batch last long enough to be cut off.
WITNESS = """
CREATE TABLE witness (root uuid, host text);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_sleep(0.04);
    INSERT INTO witness VALUES (NEW.root_id, current_setting('application_name'));
    RETURN NEW;
END $$;
CREATE TRIGGER witness AFTER UPDATE ON invoicing_runfamily
    FOR EACH ROW EXECUTE FUNCTION witness();
"""


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def network():
    """Join this host and a second one by a cable."""
    try:
        run("ip", "netns", "add", SPACE)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network namespaces can be made here")
    inside = ("ip", "netns", "exec", SPACE)
    try:
        run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "cable", "netns", SPACE)
        run("ip", "addr", "add", f"{HERE}/30", "dev", LINK)
        run("ip", "link", "set", LINK, "up")
        run(*inside, "ip", "addr", "add", f"{THERE}/30", "dev", "cable")
        run(*inside, "ip", "link", "set", "cable", "up")
        yield inside
    finally:
        run("ip", "netns", "del", SPACE)
        subprocess.run(["ip", "link", "del", LINK], check=False, capture_output=True)


@pytest.fixture
def servers(network, tmp_path_factory):
    """Run PostgreSQL and Redis that both hosts reach; return the environment of the product."""
    folder = tmp_path_factory.mktemp("servers")
    os.chown(folder, *NOBODY)
    data = folder / "data"
    make = [program("initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust"]
    run(*unprivileged([*make, "--encoding=UTF8", "--locale=C"], NOBODY))
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {HERE}/30 trust\n")
    settings = {"listen_addresses": HERE, "unix_socket_directories": str(folder), "fsync": "off"}
    postgres = [program("postgres"), "-D", str(data), *(f"--{k}={v}" for k, v in settings.items())]
    redis = [
        redis_program(),
        "--bind",
        HERE,
        "--port",
        "6390",
        "--protected-mode",
        "no",
        "--save",
        "",
    ]
    with (folder / "log").open("wb") as log:
        started = [
            subprocess.Popen(unprivileged(command, NOBODY), cwd=folder, stdout=log, stderr=log)
            for command in (postgres, redis)
        ]
    try:
        with contextlib.closing(_connect(dbname="postgres")) as admin, admin.cursor() as cursor:
            for role, rights in (("owner", ""), ("app", ""), ("maintenance", "BYPASSRLS")):
                cursor.execute(f"CREATE ROLE billing_{role} LOGIN {rights}")
            cursor.execute("CREATE DATABASE billing OWNER billing_owner")
        kept = {n: v for n, v in os.environ.items() if not n.startswith("BILLING_")}
        yield {
            **kept,
            "DATABASE_URL": f"postgres://billing_app@{HERE}/billing",
            "DATABASE_OWNER_URL": f"postgres://billing_owner@{HERE}/billing",
            "DATABASE_MAINTENANCE_URL": f"postgres://billing_maintenance@{HERE}/billing",
            "REDIS_URL": f"redis://{HERE}:6390/0",
            "SECRET_KEY": "of-a-test-" * 6,
            "BILLING_LOCAL_DIR": str(folder / "unused"),
            "IDLE_TRANSACTION_SECONDS": "5",
        }
        assert not (folder / "unused").exists()
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def _connect(dbname="billing"):
    deadline = time.monotonic() + 30
    while True:
        try:
            found = psycopg2.connect(host=HERE, user="postgres", dbname=dbname)
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            found.autocommit = True
            return found


def manage(environment, *arguments):
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=project_folder(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def start_worker(environment, name, log, inside=()):
    command = ["-m", "celery", "--app=billing_hierarchy", "worker", "--pool=solo"]
    with log.open("wb") as output:
        return subprocess.Popen(
            [*inside, sys.executable, *command, f"--hostname={name}@%h", "--loglevel=INFO"],
            cwd=project_folder(),
            env={**environment, "PGAPPNAME": name},
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def wait_until(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_run_goes_on_without_a_host_that_was_lost(network, servers, tmp_path):
    manage(servers, "migrate", "--database", "owner", "--verbosity", "0")
    manage(servers, "create_tenant", "Example", "--slug=example", "--sandbox", f"--now={DAY}")
    files = {
        "accounts": [account(f"A{n}") for n in range(FAMILIES)],
        "prices": [price("ten", "10")],
        "subscriptions": [subscription(f"S{n}", f"A{n}", "ten", DAY) for n in range(FAMILIES)],
    }
    for kind, rows in files.items():
        (tmp_path / kind).write_bytes(csv_of(rows))
        manage(servers, "import", kind, tmp_path / kind, "--tenant=example")
    logs = {name: tmp_path / f"{name}.log" for name in ("here", "there")}
    with contextlib.closing(_connect()) as admin, admin.cursor() as cursor:
        cursor.execute(WITNESS)

        def by_host():
            cursor.execute("SELECT host, count(*) FROM witness GROUP BY host")
            return dict(cursor.fetchall())

        workers = {
            "here": start_worker(servers, "here", logs["here"]),
            "there": start_worker(servers, "there", logs["there"], network),
        }
        try:
            wait_until(lambda: all(b" ready." in log.read_bytes() for log in logs.values()))
            subprocess.run(
                [sys.executable, "-c", START_RUN, DAY],
                cwd=project_folder(),
                env=servers,
                check=True,
            )
            wait_until(lambda: by_host().get("there"))
            time.sleep(0.3)
            run(*network, "ip", "link", "set", "cable", "down")
            os.killpg(workers["there"].pid, signal.SIGKILL)
            wait_until(lambda: sum(by_host().values()) == FAMILIES, 120)
        finally:
            for worker in workers.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        shares = by_host()
        cursor.execute("SELECT count(DISTINCT root) FROM witness")
        assert cursor.fetchone() == (FAMILIES,)
        cursor.execute("DROP TRIGGER witness ON invoicing_runfamily")
    assert shares["there"] >= 25
    assert shares["here"] >= 25
    again = manage(servers, "billing_run", "--tenant=example", f"--date={DAY}", "--issue", "--json")
    assert (again["status"], again["invoices"], again["problems"]) == ("done", [], [])
    books = manage(servers, "verify_books", "--json")
    assert (books["violations"], books["checked"]["I6"]) == ([], FAMILIES)
