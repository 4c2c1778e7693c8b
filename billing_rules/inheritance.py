"""Settings, bill-to and payer of every account of a tree, and which account decided them."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

NodeId = TypeVar("NodeId", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class Resolved(Generic[NodeId]):
    """The effective settings of an account; shared by all that add nothing of their own."""

    _values: Mapping[str, object]
    _origins: Mapping[str, NodeId]

    def value(self, name: str) -> object:
        """Return the effective value of a setting.

        Raises:
            KeyError: neither the defaults nor an account has a setting of that name.
        """
        return self._values[name]

    def origin(self, name: str) -> NodeId | None:
        """Return the account that sets the value: this one or an ancestor; None: the tenant."""
        return self._origins.get(name)


def resolve(
    order: Iterable[tuple[NodeId, NodeId | None]],
    own: Mapping[NodeId, Mapping[str, object]],
    defaults: Mapping[str, object],
) -> dict[NodeId, Resolved[NodeId]]:
    """Return the effective settings of every account: the nearest value set, else the default.

    Args:
        order: accounts with their parents, parents before children; None for a root.
        own: the values that accounts set themselves. A name that is present is set, also to
            None; a name that is absent is inherited.
        defaults: the tenant's values.

    Returns:
        The settings by account. An account without own values shares its parent's object.

    Raises:
        ValueError: a child comes before its parent, or without it.

    Source: docs/billing-rules.md.
    """
    resolved: dict[NodeId, Resolved[NodeId]] = {}
    tenant: Resolved[NodeId] = Resolved(defaults, {})
    for node, parent in order:
        inherited = tenant if parent is None else _parent_of(node, parent, resolved)
        values = own.get(node)
        resolved[node] = _overridden(inherited, node, values) if values else inherited
    return resolved


def bill_tos(
    order: Iterable[tuple[NodeId, NodeId | None]], own_bill_to: Mapping[NodeId, NodeId]
) -> dict[NodeId, tuple[NodeId, NodeId | None]]:
    """Return the bill-to of every account, and the account that decided it.

    Args:
        order: accounts with their parents, parents before children; None for a root.
        own_bill_to: the bill-to that accounts set themselves.

    Returns:
        Bill-to and deciding account, by account. An own value is final, whatever its target says
        for itself; unset follows the parent; a root that sets nothing is its own, decided by
        nobody (None).

    Raises:
        ValueError: a child comes before its parent, or without it.

    Source: docs/billing-rules.md, R11.
    """
    decided: dict[NodeId, tuple[NodeId, NodeId | None]] = {}
    for node, parent in order:
        if node in own_bill_to:
            decided[node] = own_bill_to[node], node
        elif parent is None:
            decided[node] = node, None
        else:
            decided[node] = _parent_of(node, parent, decided)
    return decided


def payers(
    order: Iterable[tuple[NodeId, NodeId | None]], own_payer: Mapping[NodeId, NodeId]
) -> dict[NodeId, tuple[NodeId, NodeId | None]]:
    """Return who pays what is billed to each account, and the account that decided it.

    Args:
        order: accounts with their parents, parents before children; None for a root.
        own_payer: the payer that accounts set themselves.

    Returns:
        Payer and deciding account, by account read as a bill-to. The nearest value set on it or
        above holds, taken literally; without one it pays itself, decided by nobody (None).

    Raises:
        ValueError: a child comes before its parent, or without it.

    Source: docs/billing-rules.md, R9, R10.
    """
    decided: dict[NodeId, tuple[NodeId, NodeId | None]] = {}
    for node, parent in order:
        nearest = None if parent is None else _parent_of(node, parent, decided)
        if node in own_payer:
            decided[node] = own_payer[node], node
        elif nearest is None or nearest[1] is None:
            decided[node] = node, None
        else:
            decided[node] = nearest
    return decided


_Known = TypeVar("_Known")


def _parent_of(node: NodeId, parent: NodeId, known: Mapping[NodeId, _Known]) -> _Known:
    try:
        return known[parent]
    except KeyError:
        raise ValueError(f"{node} comes before its parent {parent}") from None


def _overridden(
    inherited: Resolved[NodeId], node: NodeId, values: Mapping[str, object]
) -> Resolved[NodeId]:
    return Resolved(
        {**inherited._values, **values}, {**inherited._origins, **dict.fromkeys(values, node)}
    )
