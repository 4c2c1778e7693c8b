"""The servers go away while a run is on: the database at once, Redis with all it knew."""

import json
import os
import signal
import subprocess
import sys
import time

import psycopg2
import pytest
from redis import Redis

from billing_hierarchy.embedded.folders import project_folder
from tests.integration.invoicing.twins import DAY
from tests.platform.services import Local

HARMLESS = {"drafts": 0, "problems": [], "violations": [], "faults": [], "runs": ["done"]}


class Site:
    """A vendor to be disturbed and its twin, on servers of their own."""

    def __init__(self, local, families):
        self.local = local
        self.local.environment |= {"BILLING_PLAIN_STATIC": "1", "BILLING_GRACE_SECONDS": "5"}
        self.addresses = local.join()
        self.call("manage.py", "prepare")
        for slug in ("storm", "twin"):
            self.site("fill", slug, str(families))
        self.finish(self.bill("twin"))

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=project_folder(),
            env=self.local.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments):
        return self.finish(self.start(*arguments))

    def finish(self, process):
        output, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors
        return output

    def site(self, *arguments):
        return self.call("-m", "tests.storms.site", *arguments)

    def bill(self, slug):
        return self.start("-m", "tests.integration.invoicing.worker", slug, DAY, "--batch", "5")

    def state(self, slug):
        return json.loads(self.site("state", slug))

    def issued(self):
        """Return how many invoices the disturbed one has; None while nobody answers."""
        try:
            with psycopg2.connect(self.addresses["DATABASE_MAINTENANCE_URL"]) as connection:
                cursor = connection.cursor()
                cursor.execute(
                    "SELECT count(*) FROM invoicing_invoice AS invoice"
                    " JOIN accounts_tenant AS tenant ON tenant.id = invoice.tenant_id"
                    " WHERE tenant.slug = 'storm' AND invoice.number IS NOT NULL"
                )
                return cursor.fetchone()[0]
        except psycopg2.Error:
            return None

    def wait_for(self, count, seconds=300):
        deadline = time.monotonic() + seconds
        while (self.issued() or 0) < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def wait_for_database(self):
        """Return when it has recovered what was committed, and takes connections again."""
        deadline = time.monotonic() + 120
        while self.issued() is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def stop_database(self):
        """Stop it as ``pg_ctl stop -m immediate`` does: nothing is written any more."""
        pid_file = self.local.path / "postgresql" / "data" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)

    def assert_twins(self):
        disturbed, calm = self.state("storm"), self.state("twin")
        assert disturbed == calm
        assert {key: disturbed[key] for key in HARMLESS} == HARMLESS
        assert disturbed["numbers"] == disturbed["last_number"]


@pytest.fixture
def make_site(tmp_path):
    local = Local(tmp_path / "local")
    yield lambda families: Site(local, families)
    local.kill_users()
    local.kill()
    local.wait_until_quiet(30)


@pytest.mark.parametrize(
    ("families", "stops"), [(60, 1), pytest.param(15_000, 3, marks=pytest.mark.long)]
)
def test_survives_a_database_that_stops_at_once(make_site, families, stops):
    site = make_site(families)
    every = families // (stops + 1)

    for number in range(stops):
        workers = [site.bill("storm") for _ in range(2)]
        site.wait_for(every * (number + 1))
        site.stop_database()
        for worker in workers:
            worker.communicate(timeout=120)
        assert any(worker.returncode for worker in workers)
        site.wait_for_database()

    for worker in [site.bill("storm") for _ in range(2)]:
        site.finish(worker)
    site.assert_twins()


@pytest.mark.parametrize(
    ("families", "flushes"), [(30, 1), pytest.param(3_000, 10, marks=pytest.mark.long)]
)
def test_survives_a_redis_that_forgets_everything(make_site, tmp_path, families, flushes):
    """What was asked for stands in the database; the timetable comes by and takes it up."""
    site = make_site(families)
    redis = Redis.from_url(site.addresses["REDIS_URL"])
    site.site("request", "storm")
    redis.flushall()

    worker = site.start(
        "-m", "celery", "-A", "billing_hierarchy", "worker", "--beat", "--concurrency", "2",
        "--schedule", str(tmp_path / "timetable"), "--loglevel", "warning",
    )  # fmt: skip
    try:
        for number in range(flushes):
            site.wait_for(families * number // flushes + 1)
            redis.flushall()
        site.wait_for(families * 4 // 3)
        deadline = time.monotonic() + 60
        while site.state("storm")["runs"] != ["done"]:
            assert time.monotonic() < deadline
    finally:
        worker.terminate()
        worker.communicate(timeout=60)

    site.assert_twins()
