"""Moving a stretch of intervals: only rows between the old place and the new one are written.

Stock mptt writes every row of the tree for each move, which takes seconds where there are many.
"""

from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import AccountNode


def shift_within(node: AccountNode, parent: AccountNode) -> None:
    """Carry a node with all below it to the end of its new parent's children, in one tree."""
    left, right, end = node.lft, node.rght, parent.rght
    width = right - left + 1
    if end > right:
        first, last, gap, by = left, end - 1, -width, end - right - 1
    else:
        first, last, gap, by = end, right, width, end - left
    _run(
        _WITHIN,
        {
            **_known(node, parent),
            "first": first,
            "last": last,
            "gap": gap,
            "by": by,
        },
    )
    _run(_PARENT, {**_known(node, parent), "parent": parent.account_id})


def shift_between(node: AccountNode, parent: AccountNode | None, tree_id: int) -> None:
    """Carry a node with all below it into another tree: below a parent, or as the root of a new.

    Args:
        node: as read under the lock of its tree.
        parent: as read under the lock of the other tree, None for a new tree.
        tree_id: the other tree.
    """
    end = 1 if parent is None else parent.rght
    values = {
        **_known(node, parent),
        "end": end,
        "by": end - node.lft,
        "width": node.rght - node.lft + 1,
        "new_tree": tree_id,
    }
    if parent is not None:
        _run(_OPEN, values)
    _run(_CARRY, values)
    _run(_CLOSE, values)
    _run(_PARENT, {**values, "parent": None if parent is None else parent.account_id})


def shift_children_beside(node: AccountNode) -> None:
    """Let everything directly below a node stand right behind it, with all below that.

    The stretch that they take together stays the same, so no other row is written.
    """
    _run(_BESIDE, {**_known(node, None), "parent": node.parent_id})


def open_gap(parent: AccountNode, width: int) -> None:
    """Make room for new nodes at the end of a parent's children.

    Args:
        parent: as read under the lock of its tree.
        width: how many numbers the new ones take.
    """
    _run(
        _OPEN,
        {
            "tenant": parent.tenant_id,
            "new_tree": parent.tree_id,
            "end": parent.rght,
            "width": width,
        },
    )


def _known(node: AccountNode, parent: AccountNode | None) -> dict[str, Any]:
    level = 0 if parent is None else parent.level + 1
    return {
        "tenant": node.tenant_id,
        "account": node.account_id,
        "tree": node.tree_id,
        "left": node.lft,
        "right": node.rght,
        "deeper": level - node.level,
    }


def _run(sql: str, values: dict[str, UUID | int | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


_WITHIN = """
    UPDATE accounts_accountnode SET
        lft = lft + CASE WHEN lft BETWEEN %(left)s AND %(right)s THEN %(by)s
            WHEN lft BETWEEN %(first)s AND %(last)s THEN %(gap)s ELSE 0 END,
        rght = rght + CASE WHEN rght BETWEEN %(left)s AND %(right)s THEN %(by)s
            WHEN rght BETWEEN %(first)s AND %(last)s THEN %(gap)s ELSE 0 END,
        level = level + CASE WHEN lft BETWEEN %(left)s AND %(right)s THEN %(deeper)s ELSE 0 END
    WHERE tenant_id = %(tenant)s AND tree_id = %(tree)s
        AND (lft BETWEEN %(first)s AND %(last)s OR rght BETWEEN %(first)s AND %(last)s)
"""
_BESIDE = """
    UPDATE accounts_accountnode SET
        parent_id = CASE WHEN parent_id = %(account)s THEN %(parent)s ELSE parent_id END,
        lft = CASE WHEN account_id = %(account)s THEN lft ELSE lft + 1 END,
        rght = CASE WHEN account_id = %(account)s THEN lft + 1 ELSE rght + 1 END,
        level = CASE WHEN account_id = %(account)s THEN level ELSE level - 1 END
    WHERE tenant_id = %(tenant)s AND tree_id = %(tree)s AND lft BETWEEN %(left)s AND %(right)s
"""
_OPEN = """
    UPDATE accounts_accountnode SET
        lft = CASE WHEN lft >= %(end)s THEN lft + %(width)s ELSE lft END, rght = rght + %(width)s
    WHERE tenant_id = %(tenant)s AND tree_id = %(new_tree)s AND rght >= %(end)s
"""
_CARRY = """
    UPDATE accounts_accountnode SET tree_id = %(new_tree)s, lft = lft + %(by)s,
        rght = rght + %(by)s, level = level + %(deeper)s
    WHERE tenant_id = %(tenant)s AND tree_id = %(tree)s AND lft BETWEEN %(left)s AND %(right)s
"""
_CLOSE = """
    UPDATE accounts_accountnode SET
        lft = CASE WHEN lft > %(right)s THEN lft - %(width)s ELSE lft END, rght = rght - %(width)s
    WHERE tenant_id = %(tenant)s AND tree_id = %(tree)s AND rght > %(right)s
"""
_PARENT = """
    UPDATE accounts_accountnode SET parent_id = %(parent)s
    WHERE tenant_id = %(tenant)s AND account_id = %(account)s
"""
