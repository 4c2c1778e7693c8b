"""What operations tell is declared, and what is declared is told."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from functools import cache

import pytest
from django.utils import translation

from billing_hierarchy.embedded.folders import project_folder
from tenancy.events import Declared, catalogue, short_of

ROOT = project_folder()
APPS = ("tenancy", "accounts", "subscriptions", "invoicing", "reports", "notifications")
NAME = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
DECLARED = {one.name: one for one in catalogue()}


@cache
def tellers() -> dict[str, ast.Module]:
    """Return the modules that make happenings, or hand one a name."""
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            is_teller = any(one in text for one in ("Happening(", "note_request", "record_step"))
            if is_teller and "events" not in path.relative_to(ROOT).parts:
                found[str(path.relative_to(ROOT))] = ast.parse(text)
    return found


@cache
def names(tree: ast.Module) -> set[str]:
    # Lines of the log are named alike, and are another matter.
    logged = {
        id(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(getattr(node.func, "value", None), "id", "") in {"log", "logger"}
        and node.args
    }
    return {
        node.value
        for node in ast.walk(tree)
        if id(node) not in logged
        and isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and NAME.fullmatch(node.value)
    }


def literal_payloads(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Yield the name and the fields of happenings whose payload stands where they are made."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Happening"):
            continue
        name = node.args[0]
        data = next((one.value for one in node.keywords if one.arg == "data"), None)
        if isinstance(name, ast.Constant) and (data is None or isinstance(data, ast.Dict)):
            keys = [] if data is None else data.keys
            if None in keys:
                continue  # spread from elsewhere
            yield (
                str(name.value),
                {str(key.value) for key in keys if isinstance(key, ast.Constant)},
            )


def test_finds_those_who_tell():
    assert {
        "tenancy/operations/jobs.py",
        "accounts/operations/importing/_storing_accounts.py",
        "subscriptions/operations/importing/prices.py",
        "invoicing/operations/issuing.py",
        "invoicing/documents/making.py",
    } <= set(tellers())


@pytest.mark.parametrize("module", sorted(tellers()))
def test_tells_what_is_declared_alone(module):
    undeclared = names(tellers()[module]) - set(DECLARED)
    assert undeclared == set(), "declare it in events.py of the app where it happens"


@pytest.mark.parametrize("module", sorted(tellers()))
def test_payloads_are_as_declared(module):
    for name, fields in literal_payloads(tellers()[module]):
        declared = set(DECLARED[name].payload)
        assert fields == declared, f"data of {name}, and its payload in events.py"


def test_declares_nothing_that_nobody_tells():
    told = set().union(*(names(tree) for tree in tellers().values()))
    assert set(DECLARED) - told == set(), "told by no operation: take it out of events.py"


def test_declares_where_it_happens():
    """The ground knows no name of the apps above it."""
    ground = (ROOT / "tenancy").rglob("*.py")
    assert {
        name
        for path in ground
        for name in names(ast.parse(path.read_text(encoding="utf-8")))
        if name in DECLARED
    } == {"job.requested", "job.joined", "job.stopped"}


@pytest.mark.parametrize("one", catalogue(), ids=lambda one: one.name)
def test_says_in_both_languages_what_it_means(one: Declared):
    with translation.override("en"):
        english = str(one.meaning)
    with translation.override("de"):
        german = str(one.meaning)

    assert english != german, (
        "no German in locale/de/LC_MESSAGES/django.po, or not compiled: run scripts/messages.py,"
        " write it there, run it again, and then scripts/events.py"
    )
    for text in (english, german):
        assert re.fullmatch(r"[A-ZÄÖÜ][^\n]+\.", text)
    assert len(short_of(one.name)) <= (40 if one.short else 200)
    assert len(one.name) <= 60
    assert len(one.about) <= 40
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", field) for field in one.payload)


def test_the_document_is_what_the_catalogue_says():
    """It is made anew by ``scripts/events.py``."""
    spec = importlib.util.spec_from_file_location("scripts_events", ROOT / "scripts/events.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    assert (ROOT / "docs/events.md").read_text(encoding="utf-8") == script.document(), (
        "run scripts/events.py"
    )
