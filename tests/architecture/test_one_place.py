"""What one module alone knows: how a language writes values, and how PostgreSQL is spoken to."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = (
    "accounts", "billing_hierarchy", "billing_rules", "dashboard", "invoicing", "notifications",
    "portal", "reports", "subscriptions", "tenancy", "web",
)  # fmt: skip
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
}


def imported(tree):
    """Yield the packages from which a module takes anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    ("packages", "place"),
    [
        ({"babel"}, "tenancy/formats.py"),
        # The embedded server is set up before Django knows a database.
        ({"psycopg2", "psycopg"}, "billing_hierarchy/embedded/postgresql.py"),
    ],
)
def test_a_package_is_reached_from_one_module_alone(packages, place):
    found = {path for path, tree in SOURCES.items() if packages & set(imported(tree))}

    assert found == {place}


def test_nothing_else_writes_dates_by_a_pattern():
    found = {
        path
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "strftime"
    }

    assert found == set()
