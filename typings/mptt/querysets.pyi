from typing import TypeVar

from django.db.models import Model, QuerySet

_Node = TypeVar("_Node", bound=Model, covariant=True)

class TreeQuerySet(QuerySet[_Node, _Node]):
    def get_descendants(self, include_self: bool = False) -> TreeQuerySet[_Node]: ...
    def get_ancestors(self, include_self: bool = False) -> TreeQuerySet[_Node]: ...
