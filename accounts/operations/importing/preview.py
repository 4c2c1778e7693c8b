"""What the tree would look like after an import of accounts: read only, bounded."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing.columns import ACCOUNT_COLUMNS
from billing_rules.ordering import sort_key
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.files import RowFile, Source
from tenancy.files.files import SLICE


@dataclass(frozen=True, slots=True)
class PreviewNode:
    """One account of the preview, depth first; ``depth`` counts from the root."""

    key: str
    name: str
    kind: str
    depth: int
    is_new: bool


_SHOWN = ("external_id", "name", "kind", "parent_external_id")
_Place = tuple[str, str, str, bool]
"""Name, kind, parent, and whether it is new."""


NODES_SHOWN = 200


def tree_outlook(actor: Actor, content: Source) -> dict[str, Any]:
    """Return the start of the tree for the page of a sound file."""
    return {"tree": tree_preview(actor, content, limit=NODES_SHOWN)}


@operation
def tree_preview(actor: Actor, content: Source, *, limit: int) -> dict[str, Any]:
    """Return the accounts of a sound file with those above them, in the order of the tree.

    Args:
        actor: whose tenant.
        content: an accounts file, or where it is; one that a dry run has found to be in order.
        limit: how many nodes at most.

    Returns:
        ``nodes``, a list of ``PreviewNode`` as plain data, and ``total``, how many there are.
    """
    access.require_everywhere(actor, Action.VIEW_ACCOUNT)
    found = _said(content)
    named = {*found, *(parent for _name, _kind, parent, _is_new in found.values())} - {""}
    left = iter(named)
    while keys := list(islice(left, SLICE)):
        _add_stored(actor, keys, found)
    nodes = [asdict(node) for node in islice(_depth_first(found), limit)]
    return {"nodes": nodes, "total": len(found)}


def _said(content: Source) -> dict[str, _Place]:
    """Return what a file says of its accounts: name, kind, parent, and that they are new."""
    found: dict[str, _Place] = {}
    shared: dict[str, str] = {}
    for rows in RowFile(content, ACCOUNT_COLUMNS).slices():
        for row in rows:
            key, name, *others = (row.cells.get(column, "") for column in _SHOWN)
            # One text for each kind and parent, however many rows name it.
            kind, parent = (shared.setdefault(text, text) for text in others)
            if key:
                found[key] = (name, kind, parent, True)
    return found


def _add_stored(actor: Actor, keys: Iterable[str], found: dict[str, _Place]) -> None:
    """Note which accounts exist, and those above them."""
    mentioned = Account.objects.filter(tenant_id=actor.tenant_id, external_id__in=list(keys))
    stored = list(
        Account.objects.filter(
            tree.lies_above(actor.tenant_id, mentioned.values("pk")), tenant_id=actor.tenant_id
        ).values_list("external_id", "id", "name", "kind", "node__parent_id")
    )
    names = {account_id: key or str(account_id) for key, account_id, *_rest in stored}
    for _key, account_id, name, kind, parent_id in stored:
        said = found.get(names[account_id], (name, kind))
        above = names.get(parent_id, "") if parent_id else ""
        found[names[account_id]] = (said[0], said[1], above, False)


def _depth_first(found: Mapping[str, _Place]) -> Iterator[PreviewNode]:
    children: dict[str, list[str]] = defaultdict(list)
    for key, (_name, _kind, parent, _is_new) in found.items():
        children[parent if parent in found else ""].append(key)

    def below(parent: str) -> list[str]:
        """Return the children of an account, the last one first."""
        return sorted(
            children.get(parent, ()), key=lambda key: (sort_key(found[key][0]), key), reverse=True
        )

    stack = [(key, 0) for key in below("")]
    while stack:
        key, depth = stack.pop()
        name, kind, _parent, is_new = found[key]
        yield PreviewNode(key, name, kind, depth, is_new)
        stack.extend((child, depth + 1) for child in below(key))
