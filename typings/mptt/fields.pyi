from typing import Any

from django.db.models import ForeignKey

class TreeForeignKey(ForeignKey[Any, Any]): ...
