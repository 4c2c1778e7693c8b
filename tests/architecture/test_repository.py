"""The repository speaks of the product only, and runs wherever it is cloned."""

import re
import subprocess

import pytest

from billing_hierarchy.embedded.folders import project_folder

# Spelt in pieces, so that this file does not contain what it looks for.
MACHINE_PATHS = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root|home|Users|tmp)/")
INDEX_HOSTS = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + "hosted",
            "npm" + r"js\.",
            r"deb\." + "debian",
            "extra-" + "index",
            "index-" + "url",
        ]
    )
)
BINARY = {".gif", ".ico", ".jpg", ".mo", ".otf", ".pdf", ".png", ".ttf", ".webp", ".woff", ".woff2"}


def tracked_texts():
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=project_folder(),
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.fail("the tests of the repository need a git clone")
    for name in listed.stdout.decode().split("\0"):
        path = project_folder() / name
        if name and path.is_file() and path.suffix not in BINARY:
            yield name, path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize(
    ("pattern", "exempt"),
    [
        pytest.param(MACHINE_PATHS, (), id="paths of a machine"),
        # The switch that keeps addresses out of the lock files has to be named somewhere.
        pytest.param(INDEX_HOSTS, ("scripts/lock.sh",), id="package indexes"),
    ],
)
def test_contains_no(pattern, exempt):
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in tracked_texts()
        if name not in exempt
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_has_each_direct_requirement_with_digests(name):
    wanted = re.findall(
        r"^([A-Za-z0-9.-]+)(?:\[\w+\])?==(\S+)$",
        (project_folder() / f"{name}.in").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    lock = (project_folder() / f"{name}.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))

    assert wanted
    assert {n.lower(): v for n, v in wanted} == {
        n.lower(): locked.get(n.lower()) for n, _ in wanted
    }
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=[a-z])", lock.strip()))


def test_scripts_can_be_run():
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--stage", "manage.py", "scripts", ".ci"],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=True,
    )
    modes = {line.split("\t")[1]: line.split()[0] for line in listed.stdout.splitlines()}

    assert {name: mode for name, mode in modes.items() if mode != "100755"} == {}
