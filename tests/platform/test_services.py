"""The embedded services under race, kill and misuse, in folders of their own."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import psycopg2
import pytest
from redis import Redis

from billing_hierarchy.embedded import leash
from billing_hierarchy.embedded.folders import project_folder
from tests.platform.services import Local


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Make a cluster once; tests start and kill its server as they like."""
    local = Local(tmp_path_factory.mktemp("services"))
    local.join()
    local.kill_users()
    local.wait_until_quiet(30)
    return local.path


@pytest.fixture
def local(cluster):
    local = Local(cluster)
    yield local
    local.kill_users()
    local.kill()
    local.wait_until_quiet(30)


@pytest.fixture
def fresh(tmp_path):
    local = Local(tmp_path / "local")
    yield local
    local.kill_users()
    local.kill()
    local.wait_until_quiet(30)
    shutil.rmtree(local.path, ignore_errors=True)


def test_racing_commands_share_one_server_from_a_cold_start(fresh):
    users = [fresh.start_user() for _ in range(20)]

    answers = [user.communicate(timeout=60) for user in users]

    assert [user.returncode for user in users] == [0] * 20, answers
    assert len({json.loads(out)["server"] for out, _ in answers}) == 1
    assert sum("Starting the embedded PostgreSQL" in said for _, said in answers) == 1


def test_stops_when_its_last_user_was_killed(local):
    local.join()
    local.join()
    assert len(local.processes()) > 3

    local.kill_users()

    local.wait_until_quiet(20)


def test_stays_while_it_is_used(local):
    server = local.join()["server"]
    time.sleep(2)

    assert local.join()["server"] == server


def test_starts_again_after_everything_was_killed(local):
    with _owner(local.join()) as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        cursor.execute("INSERT INTO kept VALUES ('committed')")
    local.kill_users()
    local.kill()

    with _owner(local.join()) as cursor:
        cursor.execute("SELECT word FROM kept LIMIT 1")
        assert cursor.fetchone() == ("committed",)


def test_is_brought_back_when_its_supervisor_was_killed(local):
    before = local.join()["server"]

    local.kill(b"billing_hierarchy.embedded.supervisor")

    assert local.join()["server"] != before


def test_servers_do_not_outlive_a_killed_supervisor(local):
    local.join()
    local.kill_users()

    local.kill(b"billing_hierarchy.embedded.supervisor")

    local.wait_until_quiet(20)


def test_killed_servers_are_started_again_while_they_are_used(local):
    addresses = local.join()

    local.kill(b"bin/postgres", b"valkey-server")

    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg2.connect(addresses["DATABASE_URL"]).close()
            assert Redis.from_url(addresses["REDIS_URL"]).ping()
            break
        except (psycopg2.OperationalError, ConnectionError, OSError):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_forgets_a_stranger_who_has_the_killed_servers_number(local):
    (local.path / "postgresql" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert local.join()["server"]


def test_leaves_services_with_an_address_alone(local):
    database = local.join()["DATABASE_URL"]

    answer = local.join(DATABASE_URL=database, REDIS_URL="redis://cache.example/0")

    assert answer["REDIS_URL"] == "redis://cache.example/0"
    assert "DATABASE_OWNER_URL" not in answer


def test_listens_in_a_short_folder_when_the_local_one_is_deep(tmp_path):
    deep = Local(tmp_path / ("deep äöü " * 10))
    try:
        answer = deep.join()
        assert "deep" not in answer["DATABASE_URL"]
        assert Redis.from_url(answer["REDIS_URL"]).ping()
    finally:
        deep.kill_users()
        deep.wait_until_quiet(30)


def test_says_in_one_sentence_why_it_cannot_start(tmp_path):
    (tmp_path / "file").touch()

    refused = Local(tmp_path / "file").manage("showmigrations")

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("error: The folder ")
    assert refused.stderr.count("\n") == 1


def test_says_in_one_sentence_that_a_given_database_does_not_answer(tmp_path):
    local = Local(tmp_path / "local")
    local.environment |= {
        "DATABASE_URL": "postgresql://someone@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    refused = local.manage("migrate")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: the database does not do its work (")
    assert refused.stderr.count("\n") == 1


def test_help_starts_nothing(tmp_path):
    local = Local(tmp_path / "local")

    assert local.manage("help").returncode == 0
    assert not (local.path / "postgresql").exists()


@pytest.mark.long
def test_racing_management_commands_all_succeed(fresh):
    commands = [
        subprocess.Popen(
            [sys.executable, "manage.py", "prepare"],
            cwd=project_folder(),
            env={**fresh.environment, "BILLING_PLAIN_STATIC": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(20)
    ]
    answers = [command.communicate(timeout=180) for command in commands]

    assert [command.returncode for command in commands] == [0] * 20, answers
    assert {out for out, _ in answers} == {""}
    assert sum("Applying pending migrations" in said for _, said in answers) == 1


@contextlib.contextmanager
def _owner(addresses):
    connection = psycopg2.connect(addresses["DATABASE_OWNER_URL"])
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def test_names_the_way_out_of_another_versions_data(fresh):
    fresh.join()
    fresh.kill_users()
    fresh.wait_until_quiet(30)
    (fresh.path / "postgresql" / "data" / "PG_VERSION").write_text("17\n")

    user = fresh.start_user()
    _, said = user.communicate(timeout=60)

    assert user.returncode != 0
    assert "was written by PostgreSQL 17, this is 18" in said
    assert "manage.py backup FILE" in said
    assert "manage.py restore FILE" in said


def test_a_leashed_program_is_looked_up_by_its_name():
    """As `env` is, which takes powerful addresses from the web server."""
    command = [sys.executable, leash.__file__, "SIGTERM", str(os.getpid()), "env", "--version"]

    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert done.stdout.startswith("env")
