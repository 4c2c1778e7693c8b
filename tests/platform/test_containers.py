"""Dockerfile, docker-compose.yml and .env.example fit each other and the code.

There is no container engine in the tests: these files are read, not run.
"""

import re
import shlex
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from threading import Thread

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from billing_hierarchy import VERSION, probe
from billing_hierarchy.embedded.folders import project_folder
from billing_hierarchy.management.commands import serve
from billing_hierarchy.task_queue import app

ROOT = project_folder()
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
WORKERS = ("worker", "documents", "imports")
OURS = ("migrate", "web", *WORKERS, "beat")
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
# Addresses are put together in docker-compose.yml; the rest is for machines of developers.
NOT_FOR_CONTAINERS = {
    "BILLING_GRACE_SECONDS", "BILLING_PLAIN_STATIC", "CHROME", "DEBUG", "PYTHON", "SECRET_KEY_FILE",
}  # fmt: skip
SECRETS = {name for name in EXAMPLE if name == "SECRET_KEY" or name.endswith("_PASSWORD")}


def variables_of_the_code():
    """Return the variables that the README lists: all that are read, as another test says."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[A-Z][^|]*) \|", readme, re.MULTILINE)
    return {name for cells in rows for name in re.findall(r"`([A-Z_]+)`", cells)}


def test_the_example_names_what_compose_reads_and_nothing_else():
    assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT)) == set(EXAMPLE)


def test_every_variable_of_the_code_is_set_somewhere():
    given = {name for service in OURS for name in SERVICES[service]["environment"]}
    built = set(re.findall(r"^(?:ENV|   ) ?([A-Z_]+)=", DOCKERFILE, re.MULTILINE))

    assert variables_of_the_code() - NOT_FOR_CONTAINERS == (given | built) - {
        "DEBUG", "PATH", "PYTHONUNBUFFERED", "XDG_CACHE_HOME",
    }  # fmt: skip


def test_every_variable_is_explained():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for before, line in pairwise(lines)
        if line and not line.startswith("#") and not before.strip("# -")
    ]

    assert bare == []


def test_no_secret_has_a_default():
    assert len(SECRETS) == 6
    assert {name: EXAMPLE[name] for name in SECRETS if EXAMPLE[name]} == {}
    for name in SECRETS:
        assert set(re.findall(rf"\$\{{{name}([^}}]*)\}}", TEXT)) == {":?set it in .env"}


def test_the_example_is_of_this_version():
    assert EXAMPLE["VERSION"] == VERSION


def test_nothing_runs_as_root():
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("\nCMD")
    users = {name: service.get("user", "10001:10001") for name, service in SERVICES.items()}
    assert users == {"db": "postgres", "redis": "redis"} | dict.fromkeys(OURS, "10001:10001")
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_what_is_written_goes_where_the_image_has_a_folder_for_everybody():
    schedule = next(word for word in SERVICES["beat"]["command"] if word.startswith("--schedule="))
    folder = schedule.removeprefix("--schedule=").removesuffix("/timetable")

    for name in OURS:
        assert SERVICES[name]["tmpfs"] == ["/tmp", f"{folder}:mode=1777"]
    assert f"install --directory --mode 1777 {folder}\n" in DOCKERFILE
    assert f"find {folder} " in SERVICES["beat"]["healthcheck"]["test"][1]


def test_every_image_has_a_version():
    images = [
        *re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE),
        *(service["image"] for service in SERVICES.values()),
    ]

    assert len(images) == 2 + len(SERVICES)
    for image in images:
        assert re.search(r":(?!latest)[\w.-]+$|:\$\{VERSION:\?", image), image


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_what_exists(name):
    words = SERVICES[name]["command"]
    if words[:2] == ["python", "manage.py"]:
        assert words[2] in get_commands()
    else:
        locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        assert re.search(rf"^{words[0]}==", locked, re.MULTILINE)
        assert "billing_hierarchy" in words[1] + words[2]


def test_everybody_waits_for_the_tables():
    for name in ("web", *WORKERS, "beat"):
        waits = SERVICES[name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert waits["redis"] == {"condition": "service_healthy"}
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "healthcheck" in SERVICES["db"]
    assert "healthcheck" in SERVICES["redis"]


def test_every_queue_has_a_worker_here_and_in_one_command():
    served = [
        name
        for service in WORKERS
        for word in SERVICES[service]["command"]
        if word.startswith("--queues=")
        for name in word.removeprefix("--queues=").split(",")
    ]
    alone = [
        name
        for command in serve._commands().values()
        for word in command
        if word.startswith("--queues=")
        for name in word.removeprefix("--queues=").split(",")
    ]
    queues = sorted(settings.TASK_QUEUES)

    assert sorted(served) == sorted(alone) == queues
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert routed <= set(queues)
    app.loader.import_default_modules()
    assert set(settings.CELERY_TASK_ROUTES) <= set(app.tasks)


def test_only_migrations_are_the_owners():
    holders = [name for name in OURS if "DATABASE_OWNER_URL" in SERVICES[name]["environment"]]

    assert holders == ["migrate"]


def test_the_image_gets_what_is_imported_and_no_more():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}

    assert let_in == packages | {"locale", "manage.py", "requirements.lock", "static", "templates"}
    assert {name for name in let_in if not (ROOT / name).exists()} == set()
    assert "--require-hashes" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE


def test_the_image_and_the_setup_script_want_the_same_libraries():
    script = (ROOT / "scripts/system-packages.sh").read_text(encoding="utf-8")
    wanted = set(re.search(r"wanted=\((lib[^)]+)\)", script)[1].split())

    assert wanted <= set(shlex.split(DOCKERFILE.replace("\\\n", " "), comments=True))


@pytest.fixture
def server():
    """Answer like a web server; the test says what."""

    class Handler(BaseHTTPRequestHandler):
        asked: tuple[str, str, str] = ("", "", "")
        status = 200

        def do_GET(self):
            type(self).asked = (
                self.path,
                self.headers["Host"],
                self.headers["X-Forwarded-Proto"],
            )
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *_args):
            pass

    found = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (301, 1)])
def test_the_probe_asks_as_the_proxy_would(server, monkeypatch, status, code):
    server.RequestHandlerClass.status = status
    monkeypatch.setenv("PORT", str(server.server_port))
    monkeypatch.setenv("ALLOWED_HOSTS", ".billing.example,localhost")

    assert probe.main() == code
    assert server.RequestHandlerClass.asked == ("/readyz", "billing.example", "https")


def test_the_probe_fails_where_nobody_listens(server, monkeypatch):
    server.shutdown()
    server.server_close()
    monkeypatch.setenv("PORT", str(server.server_port))

    assert probe.main() == 1
