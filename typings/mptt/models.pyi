from typing import Any, ClassVar, Self

from django.db import models

from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet

class MPTTModel(models.Model):
    lft: Any
    rght: Any
    tree_id: Any
    level: Any
    objects: ClassVar[TreeManager[Any]]
    def get_ancestors(
        self, ascending: bool = False, include_self: bool = False
    ) -> TreeQuerySet[Self]: ...
    def get_descendants(self, include_self: bool = False) -> TreeQuerySet[Self]: ...
    def get_children(self) -> TreeQuerySet[Self]: ...
    def get_root(self) -> Self: ...
    def insert_at(
        self, target: Any, position: str = "first-child", save: bool = False
    ) -> None: ...
    def move_to(self, target: Any, position: str = "first-child") -> None: ...
    def is_root_node(self) -> bool: ...
    def is_leaf_node(self) -> bool: ...

    class Meta:
        abstract = True
