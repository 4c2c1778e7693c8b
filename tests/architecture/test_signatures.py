"""Every public operation and query takes its actor first, so that none can forget to ask."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import get_type_hints

import pytest

from accounts import tree
from tenancy.actor import Actor
from tests.architecture.test_rights import TABLES, does

APPS = ("tenancy", "accounts", "subscriptions", "invoicing", "reports", "notifications")
# Who acts is only found out here.
BEFORE_THE_ACTOR = "accounts.queries.principals"
# Ways to the database, beside those of a model.
TO_TABLES = {f"accounts.tree.{name}" for name in tree.__all__} | {
    "tenancy.database.inserting.insert_rows"
}


def modules(name: str) -> Iterator[ModuleType]:
    """Yield a module, or a package and all that is public in it."""
    if importlib.util.find_spec(name) is None:
        return
    module = importlib.import_module(name)
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not found.name.startswith("_"):
            yield from modules(f"{name}.{found.name}")


def public_functions() -> list[FunctionType]:
    return [
        function
        for app in APPS
        for layer in ("operations", "queries")
        for module in modules(f"{app}.{layer}")
        if module.__name__ != BEFORE_THE_ACTOR
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def name_of(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def reads_or_writes(name: str) -> bool:
    """Return whether a function, or one that it calls, goes to the database.

    One that only computes from what it is given, or says a condition, needs no actor.
    """
    return does(name, TABLES, TO_TABLES)


def test_finds_functions_to_look_at():
    names = {name_of(function) for function in public_functions()}

    assert {
        "accounts.queries.accounts.get_account",
        "accounts.operations.tenants.create_tenant",
        "invoicing.queries.invoices.invoices",
        "invoicing.operations.runs.opening.request_run",
    } <= names


def test_tells_computing_from_reading_and_writing():
    assert reads_or_writes("accounts.queries.tags.tags_of")
    assert reads_or_writes("accounts.operations.moving.place_account")
    assert reads_or_writes("invoicing.operations.runs.loading.load_families")
    assert not reads_or_writes("invoicing.queries.invoice_states.is_overdue")
    assert not reads_or_writes("accounts.operations.settings.differences")


@pytest.mark.parametrize("function", public_functions(), ids=name_of)
def test_takes_an_actor_first(function):
    first = next(iter(inspect.signature(function, eval_str=True).parameters.values()), None)

    if first is None or Actor not in {first.annotation, *carried(first.annotation)}:
        assert not reads_or_writes(name_of(function)), "give it `actor: Actor` as first parameter"
    else:
        assert first.kind in {first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD}


def carried(annotation: object) -> set[object]:
    """Return the actor that goes with what was read for it."""
    try:
        return {get_type_hints(annotation).get("actor")}
    except TypeError:  # a union, a TypeVar
        return set()


def clock_readings(module: ModuleType) -> list[str]:
    """Return where a module asks the machine for the time."""
    tree = ast.parse(inspect.getsource(module))
    return [
        f"{module.__name__}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "today", "utcnow", "localdate", "localtime", "time"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date", "timezone", "time", "clock"}
    ]


@pytest.mark.parametrize(
    "module",
    [
        module
        for app in APPS
        for layer in ("operations", "queries")
        for module in modules(f"{app}.{layer}")
    ],
    ids=lambda module: module.__name__,
)
def test_is_told_the_time(module):
    assert clock_readings(module) == [], (
        "take `today` and `now` as parameters; faces read the clock"
    )
