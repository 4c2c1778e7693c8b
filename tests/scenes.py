"""Scenes: what many tests begin from is made once, and each test takes back only what it does.

A scene is a fixture that makes a vendor, its customers, its invoices. All scenes that a test asks
for stand in one transaction, each in a savepoint of its own in the order they are declared in,
and the test runs in a savepoint above them. The next test keeps those that it asks for as well,
so a file of tests about one billed customer bills it once, whatever each test then changes.

A scene may ask for scenes declared before it and for nothing else, so it never depends on what
one test patches. A test that really commits gets a database of its own: there the scene is made
for it alone.
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import cache
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction
from django.utils import translation

Build = TypeVar("Build", bound=Callable[..., Any])

_declared: list[Callable[..., Any]] = []
_standing: list[tuple[Callable[..., Any], Any, transaction.Atomic]] = []


def scene(build: Build) -> Build:
    """Declare a fixture whose rows stay for the next test that asks for it.

    Args:
        build: makes the rows and returns what tests are given, of which each gets a copy.
    """
    _declared.append(build)

    def fixture(**given: Any) -> Any:
        if (value := _value_of(build)) is not None:
            return deepcopy(value)
        # In a database of the test's own.
        return build(**{name: given[name] for name in _asked_for(build)})

    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        for name in (*_asked_for(build), "db")
    ]
    fixture.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    fixture.__doc__ = build.__doc__
    fixture.__module__ = build.__module__
    fixture.scene = build  # type: ignore[attr-defined]
    return pytest.fixture(name=build.__name__)(fixture)  # type: ignore[return-value]


def set_scenes(request: pytest.FixtureRequest) -> None:
    """Let stand what a test asks for, and nothing else."""
    wanted = _wanted(request)
    if _standing and not _is_usable():
        strike_scenes()
    kept = 0
    for (build, _value, _savepoint), one in zip(_standing, wanted, strict=False):
        if build is not one:
            break
        kept += 1
    _strike(kept)
    for build in wanted[kept:]:
        _set(build)


def strike_scenes() -> None:
    """Take all scenes back, for what needs the connection to itself."""
    _strike(0)


def _set(build: Callable[..., Any]) -> None:
    by_name = {standing.__name__: value for standing, value, _savepoint in _standing}
    savepoint = transaction.atomic()
    # As in Django's own test cases: what has to be outermost may begin above it.
    savepoint._from_testcase = True  # type: ignore[attr-defined]
    savepoint.__enter__()
    translation.deactivate()
    try:
        value = build(**{name: deepcopy(by_name[name]) for name in _asked_for(build)})
        _check_what_was_put_off()
    except BaseException:
        transaction.set_rollback(True)
        savepoint.__exit__(None, None, None)
        raise
    _standing.append((build, value, savepoint))


def _check_what_was_put_off() -> None:
    """Check what waits for the end of the transaction: a scene's fault is not the first test's.

    What has been checked waits no longer, so no test's end checks it again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # Not by Django's check, after which constraints that are not deferred at first would be.
        cursor.execute(f"SET CONSTRAINTS {', '.join(_deferred_at_first())} DEFERRED")


@cache
def _deferred_at_first() -> Sequence[str]:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT DISTINCT format('%I.%I', nspname, conname)
            FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace
            WHERE condeferred
        """)
        return [name for (name,) in cursor.fetchall()]


def _strike(kept: int) -> None:
    while len(_standing) > kept:
        _build, _value, savepoint = _standing.pop()
        # A connection that was closed has taken its rows back already.
        with suppress(Exception):
            transaction.set_rollback(True)
        with suppress(Exception):
            savepoint.__exit__(None, None, None)
    if not kept and connection.in_atomic_block:
        connection.close()


def _is_usable() -> bool:
    return connection.in_atomic_block and not connection.closed_in_transaction


def _value_of(build: Callable[..., Any]) -> Any:
    return next((value for one, value, _savepoint in _standing if one is build), None)


def _asked_for(build: Callable[..., Any]) -> Sequence[str]:
    return tuple(inspect.signature(build).parameters)


def _wanted(request: pytest.FixtureRequest) -> list[Callable[..., Any]]:
    """Return the scenes that a test asks for, in the order they are declared in."""
    definitions = request._pyfuncitem._fixtureinfo.name2fixturedefs
    found = set()
    for versions in definitions.values():
        # A fixture may ask for the one of the same name that it replaces.
        for version in reversed(versions):
            if build := getattr(version.func, "scene", None):
                found.add(build)
            if version.argname not in version.argnames:
                break
    return [build for build in _declared if build in found]
