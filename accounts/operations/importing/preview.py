"""What the tree would look like after an import of accounts: read only, bounded."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.importing.columns import ACCOUNT_COLUMNS
from billing_rules.ordering import sort_key
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.files import RowFile, Source


@dataclass(frozen=True, slots=True)
class PreviewNode:
    """One account of the preview, depth first; ``depth`` counts from the root."""

    key: str
    name: str
    kind: str
    depth: int
    is_new: bool


_SHOWN = ("name", "kind", "parent_external_id")


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
    rows = {
        row.cells["external_id"]: tuple(row.cells.get(name, "") for name in _SHOWN)
        for rows in RowFile(content, ACCOUNT_COLUMNS).slices()
        for row in rows
        if row.cells.get("external_id")
    }
    named = {*rows, *(parent for _name, _kind, parent in rows.values())} - {""}
    mentioned = Account.objects.filter(tenant_id=actor.tenant_id, external_id__in=named)
    stored = Account.objects.filter(
        tree.lies_above(actor.tenant_id, mentioned.values("pk")), tenant_id=actor.tenant_id
    ).values_list("external_id", "id", "name", "kind", "node__parent_id")
    found: dict[str, tuple[str, str, str, bool]] = {}
    keys = {account_id: key or str(account_id) for key, account_id, *_rest in stored}
    for _key, account_id, name, kind, parent_id in stored:
        parent = keys.get(parent_id, "") if parent_id else ""
        found[keys[account_id]] = (name, kind, parent, False)
    for key, (name, kind, parent) in rows.items():
        place = found[key][2] if key in found else parent
        found[key] = (name, kind, place, key not in found)
    nodes = _depth_first(found)
    return {"nodes": [asdict(node) for node in nodes[:limit]], "total": len(nodes)}


def _depth_first(found: dict[str, tuple[str, str, str, bool]]) -> list[PreviewNode]:
    children: dict[str, list[str]] = defaultdict(list)
    for key, (_name, _kind, parent, _is_new) in found.items():
        children[parent if parent in found else ""].append(key)
    for siblings in children.values():
        siblings.sort(key=lambda key: (sort_key(found[key][0]), key), reverse=True)
    order: list[PreviewNode] = []
    stack = [(key, 0) for key in children[""]]
    while stack:
        key, depth = stack.pop()
        name, kind, _parent, is_new = found[key]
        order.append(PreviewNode(key, name, kind, depth, is_new))
        stack.extend((child, depth + 1) for child in children[key])
    return order
