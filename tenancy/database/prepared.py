"""Statements that are asked again and again: the ORM makes their text once, not at each call.

To put a queryset together and to write it as SQL takes the ORM longer than the database takes to
answer it by key. A run of one invoice asks some thirty such questions, always the same.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.fields.related import ForeignObject
from django.db.models.lookups import Lookup

M = TypeVar("M", bound=models.Model)


class Given(models.Expression):
    """Stands in a prepared queryset for a value that each call gives."""

    def __init__(self, name: str, kind: "models.Field[Any, Any] | None" = None) -> None:
        """Name the value; ``kind`` is the field that it is compared with, an id if left out."""
        super().__init__(output_field=kind or models.UUIDField())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return a place for the value, and itself to be found there."""
        return "%s", (self,)


class Among(Lookup):
    """``account_id__among=Given("accounts")``: one of the values of a list, one parameter."""

    lookup_name = "among"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the comparison."""
        (left, values), (right, given) = (
            self.process_lhs(compiler, connection),
            self.process_rhs(compiler, connection),
        )
        return f"{left} = ANY({right})", (*values, *given)


models.Field.register_lookup(Among)
ForeignObject.register_lookup(Among)


class Prepared(Generic[M]):
    """A queryset with places for what each call gives.

    Args:
        queryset: makes it, the first time that it is asked; with ``values_list`` for ``rows``,
            whole instances for ``objects``.
    """

    def __init__(self, queryset: "Callable[[], models.QuerySet[M, Any]]") -> None:
        """Keep how it is made."""
        self._queryset = queryset

    def rows(self, **given: object) -> list[Any]:
        """Return the rows as tuples, in the order of the queryset."""
        statement, places, converters, compiler = self._compiled
        values: list[Any] = [given[one.name] if isinstance(one, Given) else one for one in places]
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[Any] = cursor.fetchall()
        if converters:
            return [tuple(row) for row in compiler.apply_converters(rows, converters)]
        return rows

    def objects(self, **given: object) -> Iterator[M]:
        """Return the rows as instances of the model, with what the queryset annotates."""
        compiler = self._compiled[3]
        model = compiler.query.model
        names = [field.attname for field in model._meta.concrete_fields]
        for row in self.rows(**given):
            found = model.from_db("default", names, row[: len(names)])
            for name, place in compiler.annotation_col_map.items():
                setattr(found, name, row[place])
            yield found

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], dict[int, Any], Any]:
        compiler = self._queryset().query.get_compiler("default")
        statement, places = compiler.as_sql()
        chosen = [column for column, _sql, _alias in compiler.select]
        return statement, tuple(places), compiler.get_converters(chosen), compiler
