"""Statements that are asked again and again: the ORM makes their text once, not at each call.

To put a queryset together and to write it as SQL takes the ORM longer than the database takes to
answer it by key. A run of one invoice asks some thirty such questions, always the same.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import orjson
from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.expressions import Col
from django.db.models.fields.related import ForeignObject
from django.db.models.lookups import Lookup

from tenancy.database.inserting import array_of

M = TypeVar("M", bound=models.Model)

_Conversion = Callable[[Sequence[Any]], list[Any]]


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
        statement, places, converters, _compiler = self._compiled
        values = [_written(given[one.name]) if isinstance(one, Given) else one for one in places]
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[Any] = cursor.fetchall()
        if not converters:
            return rows
        columns = [list(column) for column in zip(*rows, strict=True)]
        for place, convert in converters.items() if rows else ():
            columns[place] = convert(columns[place])
        return list(zip(*columns, strict=True))

    def objects(self, **given: object) -> Iterator[M]:
        """Return the rows as instances of the model, with what the queryset annotates."""
        compiler = self._compiled[3]
        model = compiler.query.model
        names = [field.attname for field in model._meta.concrete_fields]
        for row in self.rows(**given):
            found = _instance(model, names, row)
            for name, place in compiler.annotation_col_map.items():
                setattr(found, name, row[place])
            yield found

    def one(self, **given: object) -> M:
        """Return the only instance.

        Raises:
            ObjectDoesNotExist: there is none.
        """
        found = next(self.objects(**given), None)
        if found is None:
            raise self._compiled[3].query.model.DoesNotExist
        return found

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], dict[int, _Conversion], Any]:
        compiler = self._queryset().query.get_compiler("default")
        statement, places = compiler.as_sql()
        chosen = [column for column, _sql, _alias in compiler.select]
        converters = {
            place: _conversion(functions, expression)
            for place, (functions, expression) in compiler.get_converters(chosen).items()
        }
        return statement, tuple(places), converters, compiler


def _instance(model: type[M], names: Sequence[str], row: Sequence[Any]) -> M:
    """Return what ``from_db`` would of a row that has all columns, in a quarter of its time."""
    found = model.__new__(model)
    found._state = ModelState()
    found._state.adding, found._state.db = False, "default"
    vars(found).update(zip(names, row, strict=False))
    return found


def _written(value: Any) -> Any:
    """Return a value as the driver takes it: of a list the text of an array, made at once."""
    return array_of(value) if isinstance(value, list) else value


def _conversion(functions: Sequence[Any], expression: Any) -> _Conversion:
    """Return what makes the values of a column of what the driver gave."""
    if isinstance(expression, Col) and isinstance(expression.output_field, models.JSONField):
        # As the field's own, for columns that the database has checked to be JSON.
        return lambda values: [None if value is None else orjson.loads(value) for value in values]

    def convert(values: Sequence[Any]) -> list[Any]:
        found = list(values)
        for function in functions:
            found = [function(value, expression, connection) for value in found]
        return found

    return convert
