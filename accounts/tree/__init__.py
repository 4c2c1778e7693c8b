"""The account tree: the only package that calls django-mptt.

django-mptt corrupts silently when two write at once, so every write takes the lock of the tree
(or of both, in ascending order) before it reads a node. Reads that decide money or rights compare
intervals inside one statement; a node loaded earlier may have moved since.
"""

from accounts.tree.checking import Fault, check, rebuild
from accounts.tree.intervals import MAX_DEPTH, TreeTooDeep
from accounts.tree.locking import TreeBusy, lock_families
from accounts.tree.reading import (
    depth_first,
    descendants_by_recursion,
    families,
    is_among_those_below,
    is_below,
    lies_above,
    lies_below,
    path_ids,
    paths,
    roots,
    with_those_above,
)
from accounts.tree.writing import (
    TreeCycle,
    bulk_load,
    graft,
    insert,
    move,
    put_children_beside,
)

__all__ = [
    "MAX_DEPTH",
    "Fault",
    "TreeBusy",
    "TreeCycle",
    "TreeTooDeep",
    "bulk_load",
    "check",
    "depth_first",
    "descendants_by_recursion",
    "families",
    "graft",
    "insert",
    "is_among_those_below",
    "is_below",
    "lies_above",
    "lies_below",
    "lock_families",
    "move",
    "path_ids",
    "paths",
    "put_children_beside",
    "rebuild",
    "roots",
    "with_those_above",
]
