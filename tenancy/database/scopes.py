"""The transaction of one tenant: the database shows and takes that tenant's rows alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

_current: ContextVar[UUID | None] = ContextVar("tenant_id", default=None)


class TenantMixed(RuntimeError):
    """Work for one tenant was begun inside the transaction of another: a bug, never input."""


class _HasTenant(Protocol):
    @property
    def tenant_id(self) -> UUID: ...


P = ParamSpec("P")
A = TypeVar("A", bound=_HasTenant)
R = TypeVar("R")


def current_tenant_id() -> UUID | None:
    """Return the tenant of the running transaction, None outside of one."""
    return _current.get()


def _begin(tenant_id: UUID) -> None:
    """Tell the database whose transaction this is, and how long it waits for a silent client.

    A host that falls out of the network leaves its transaction and its locks behind; without this
    limit others would wait for them until the system's TCP gives up, hours later.

    Compiling (``jit``) takes longer than any statement of ours runs. It is turned off here, where
    it costs nothing, because a pooler in transaction mode takes no options with the connection.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.tenant_id', %s, true),"
            " set_config('idle_in_transaction_session_timeout', %s, true),"
            " set_config('jit', 'off', true)",
            [str(tenant_id), f"{settings.IDLE_TRANSACTION_SECONDS}s"],
        )


def _tell_database(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [value])


@contextmanager
def scope(tenant_id: UUID) -> Iterator[None]:
    """Open a transaction in which the database shows only ``tenant_id``'s rows.

    Inside one of the same tenant it opens a savepoint. The setting is the transaction's own
    (``set_config(…, true)``), so a pooled connection never carries it to the next user.

    Raises:
        TenantMixed: the running transaction belongs to another tenant.
    """
    running = _current.get()
    if running is not None:
        if running != tenant_id:
            raise TenantMixed(f"{running} is running, {tenant_id} was asked for")
        with transaction.atomic():
            yield
        return
    with transaction.atomic():
        _begin(tenant_id)
        token = _current.set(tenant_id)
        try:
            yield
        finally:
            _current.reset(token)
    if connection.in_atomic_block:
        # Only where somebody else opened the transaction (tests): it must not keep the tenant.
        _tell_database("")


def operation(
    function: Callable[Concatenate[A, P], R],
) -> Callable[Concatenate[A, P], R]:
    """Make a business act one transaction of its actor's tenant."""

    @wraps(function)
    def run(actor: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with scope(actor.tenant_id):
            return function(actor, *args, **kwargs)

    return run
