"""Every right is asked for somewhere: one that nothing asks for promises what is not kept."""

import ast
from collections import defaultdict

import pytest

from accounts.access import Action
from tests.architecture.test_rights import APPS, ROOT, module_name, parsed

# What asks: decides by itself, or hands the right to what does.
ASKS = {
    "reach",
    "require",
    "require_everywhere",
    "allows_everywhere",
    "parts_below",
    "all_below",
    "accounts_wanted",
}
LAYERS = ("operations", "queries")


def asked_for() -> dict[str, set[str]]:
    """Return for each right the modules of operations and queries that ask for it."""
    found: dict[str, set[str]] = defaultdict(set)
    for app in APPS:
        for layer in LAYERS:
            for path in sorted((ROOT / app / layer).rglob("*.py")):
                for node in ast.walk(parsed(path)):
                    if isinstance(node, ast.Call) and name_of(node.func) in ASKS:
                        for argument in [*node.args, *(one.value for one in node.keywords)]:
                            if right := right_of(argument):
                                found[right].add(module_name(path))
    return found


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def right_of(argument: ast.expr) -> str:
    if isinstance(argument, ast.Attribute) and isinstance(argument.value, ast.Name):
        return argument.attr if argument.value.id == "Action" else ""
    return ""


@pytest.mark.parametrize("action", Action, ids=lambda action: action.name)
def test_is_asked_for(action):
    assert asked_for()[action.name], f"nothing asks for {action}: enforce it or take it away"


def test_changing_settings_is_asked_for_where_they_are_imported():
    assert "accounts.operations.importing.accounts" in asked_for()["EDIT_SETTINGS"]
