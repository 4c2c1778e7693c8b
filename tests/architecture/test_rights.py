"""What reads or writes a table asks for a right first, or no face may call it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from billing_hierarchy.embedded.folders import project_folder

ROOT = project_folder()
APPS = ("tenancy", "accounts", "subscriptions", "invoicing", "reports", "notifications")
ACCESS = {
    f"accounts.access.{name}"
    for name in ("reach", "require", "require_everywhere", "allows_everywhere")
}
# The system for itself; an operator of the platform, who stands outside of every tenant.
KINDS_OF_ACTOR = {"is_system", "is_operator"}
TABLES = {"objects", "cursor", "save", "delete"}
FACES = ("api", "pages", "admin", "management", "middleware")
# Who acts is only found out here.
BEFORE_THE_ACTOR = "accounts.queries.principals."
# They find by the caller's own id, and so nothing but the caller's own.
ONES_OWN = {
    "tenancy.operations.answers.claim_key",
    "tenancy.operations.answers.keep_answer",
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


@cache
def layers() -> dict[str, ast.Module]:
    """Return the modules of operations, queries and engines."""
    return {
        module_name(path): parsed(path)
        for app in APPS
        for layer in ("operations", "queries", "engine")
        for path in sorted((ROOT / app / layer).rglob("*.py"))
    }


@cache
def functions() -> dict[str, ast.FunctionDef]:
    return {
        f"{module}.{node.name}": node
        for module, tree in layers().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


@cache
def public() -> tuple[str, ...]:
    return tuple(
        name
        for name in sorted(functions())
        if not any(part.startswith("_") for part in name.split("."))
        and not name.startswith(BEFORE_THE_ACTOR)
    )


@cache
def imported(tree: ast.Module) -> dict[str, str]:
    """Return what the names that a module imports stand for, through packages that hand on."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                through = layers().get(node.module or "")
                if name not in functions() and through is not None:
                    name = imported(through).get(alias.name, name)
                found[alias.asname or alias.name] = name
    return found


def mentioned(tree: ast.AST, names: dict[str, str]) -> Iterator[str]:
    """Yield the full names of the functions that a piece of code speaks of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            yield names[node.id]
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in names
        ):
            yield f"{names[node.value.id]}.{node.attr}"


@cache
def known_in(module: str) -> dict[str, str]:
    """Return what the names of a module stand for: what it imports, and its own functions."""
    here = {
        name.rpartition(".")[2]: name for name in functions() if name.rpartition(".")[0] == module
    }
    return imported(layers()[module]) | here


@cache
def called(function: str) -> frozenset[str]:
    """Return the functions that one calls, by full name."""
    return frozenset(mentioned(functions()[function], known_in(function.rpartition(".")[0])))


@cache
def names_in(function: str) -> frozenset[str]:
    """Return the attributes and the names of arguments that a function has in it."""
    code = list(ast.walk(functions()[function]))
    return frozenset(
        [node.attr for node in code if isinstance(node, ast.Attribute)]
        + [node.arg for node in code if isinstance(node, ast.keyword) and node.arg]
    )


def does(function: str, own: set[str], calls: set[str]) -> bool:
    """Return whether a function, or one that it calls, has such a name in it or calls such."""
    seen = {function}
    waiting = [function]
    while waiting:
        one = waiting.pop()
        if own & names_in(one) or calls & called(one):
            return True
        further = (called(one) & functions().keys()) - seen
        seen |= further
        waiting += further
    return False


def asks(function: str) -> bool:
    return does(function, KINDS_OF_ACTOR, ACCESS)


def touches_tables(function: str) -> bool:
    return does(function, TABLES, set())


@cache
def steps() -> frozenset[str]:
    """Return what relies on its caller having asked."""
    return frozenset(
        name
        for name in public()
        if touches_tables(name) and not asks(name) and name not in ONES_OWN
    )


def faces() -> list[Path]:
    """Return the modules through which somebody comes in."""
    within = [path for app in APPS for face in FACES for path in (ROOT / app).glob(f"{face}*")]
    found = [*within, ROOT / "dashboard", ROOT / "portal", ROOT / "billing_hierarchy"]
    return [
        path for one in found for path in ([one] if one.is_file() else sorted(one.rglob("*.py")))
    ]


def test_tells_asking_from_not_asking():
    assert asks("invoicing.queries.runs.runs")
    assert asks("invoicing.queries.runs.get_run")
    assert asks("accounts.operations.tenants.create_tenant")
    assert {
        "accounts.operations.settings.write_changes",
        "invoicing.operations.issuing.issue_drafts",
        "invoicing.operations.runs.working.work_on_run",
    } <= steps()
    # They make something of what a query has returned.
    assert not {"accounts.queries.trees.row_of", "invoicing.queries.invoice_sums.invoice_sums"} & (
        steps()
    )
    assert len(faces()) > 60


@pytest.mark.parametrize("path", faces(), ids=module_name)
def test_calls_nothing_that_relies_on_its_caller(path):
    assert steps() & set(mentioned(parsed(path), imported(parsed(path)))) == set()
