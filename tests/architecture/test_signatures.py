"""Every public operation and query takes its actor first, so that none can forget to ask."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import get_type_hints

import pytest

from tenancy.actor import Actor

APPS = ("tenancy", "accounts", "subscriptions", "invoicing", "reports", "notifications")
# Who acts is only found out here.
BEFORE_THE_ACTOR = "accounts.queries.principals"
# They compute from what they are given, and read and write nothing.
PURE = {
    "accounts.queries.searching.has_words",
    "accounts.queries.sums.merged_by_account",
    "accounts.queries.trees.below_each",
    "accounts.operations.account_settings.changing.plain",
    "accounts.operations.account_settings.refusals.fault",
    "accounts.operations.settings.after_change",
    "accounts.operations.settings.differences",
    "accounts.operations.settings.timeline_of",
    "accounts.operations.tenants.slug_of",
    "accounts.queries.setting_stretches.stretches_of",
    "invoicing.operations.runs.draft_changes.change_of",
    "invoicing.operations.runs.noting.by_cause",
    # They part what was read for an actor.
    "tenancy.queries.paging.batches",
    "tenancy.queries.paging.page_of",
    "tenancy.queries.paging.rows_after",
    # Conditions and expressions: what they are put into was read for an actor.
    "invoicing.queries.invoice_states.answers_to",
    "invoicing.queries.invoice_states.is_due_soon",
    "invoicing.queries.invoice_states.is_in_time",
    "invoicing.queries.invoice_states.is_overdue",
    "invoicing.queries.invoice_states.is_unpaid",
    "invoicing.queries.invoice_states.overdue_in_sql",
    "invoicing.queries.invoice_states.owed",
    "invoicing.queries.invoice_states.owed_in_sql",
    "invoicing.queries.invoice_states.shown_state",
    "invoicing.queries.invoice_states.unpaid_in_sql",
    "invoicing.queries.invoice_states.urgency",
    "invoicing.queries.plans.checking.answers_in",
    "invoicing.queries.plans.checking.require_answered",
    "invoicing.queries.plans.checking.require_day",
    "invoicing.queries.plans.standing.one_of",
    "invoicing.queries.plans.wanted.moves_of",
    "invoicing.queries.plans.wanted.world_of",
    "invoicing.queries.plans.world.changed_parts",
    "invoicing.queries.run_figures.digest_of",
    "subscriptions.operations.importing.rows.refuse_difference",
    "subscriptions.queries.renewals.charged_until",
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


def test_finds_functions_to_look_at():
    names = {name_of(function) for function in public_functions()}

    assert {
        "accounts.queries.accounts.get_account",
        "accounts.operations.tenants.create_tenant",
        "invoicing.queries.invoices.invoices",
        "invoicing.operations.runs.opening.request_run",
    } <= names
    assert names >= PURE


@pytest.mark.parametrize(
    "function", [one for one in public_functions() if name_of(one) not in PURE], ids=name_of
)
def test_takes_an_actor_first(function):
    first = next(iter(inspect.signature(function, eval_str=True).parameters.values()), None)

    assert first is not None
    # What was read for an actor carries it along.
    assert Actor in {first.annotation, get_type_hints(first.annotation).get("actor")}
    assert first.kind in {first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD}


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
    assert clock_readings(module) == []
