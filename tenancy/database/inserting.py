"""New rows by the thousand: one statement for each table, one parameter for each column."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models
from django.utils import timezone

_ROWS_AT_ONCE = 5_000
_FEW = 3
_OBJECTS = """
    WITH objects AS MATERIALIZED (
        SELECT ordinality - 1 AS place, value::jsonb AS value
        FROM json_array_elements(%s::json) WITH ORDINALITY
    )
"""


class Joined(dict[str, Any]):
    """An object for a JSON column, put together from two parts that other rows may have too.

    Each part travels to the database once, and is put together there.
    """

    __slots__ = ("parts",)

    def __init__(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
        """Take the parts; what both name is that of the second."""
        super().__init__(first)
        self.update(second)
        self.parts = first, second


def insert_rows(
    rows: Sequence[object], *, into: type[models.Model] | None = None, **common: object
) -> None:
    """Insert new rows of one model, as ``bulk_create`` would, in a tenth of its time.

    The values travel as one array for each column: the ORM prepares each value by itself, which
    for a billing run costs more than everything else together. Constraints, triggers and row
    security hold as for any other INSERT; COPY is refused where there is row security.

    Args:
        rows: instances of the model, or plain objects with attributes named like its columns.
        into: the model; may be left out where the rows are its instances.
        common: values that all rows share, by the names of columns; the rows need not have them.

    Raises:
        IntegrityError: a constraint refused a row; none of this call is stored then.
        TypeError: a value has no text that PostgreSQL could read.
    """
    if not rows:
        return
    plan = _plan_of(into or _model_of(rows[0]), tuple(common))
    left = iter(rows)
    with connection.cursor() as cursor:
        if len(rows) <= _FEW:
            cursor.execute(plan.written_out(len(rows)), plan.values(common.values(), rows))
            return
        while batch := list(islice(left, _ROWS_AT_ONCE)):
            cursor.execute(*plan.call(common.values(), batch))


def _model_of(row: object) -> type[models.Model]:
    if not isinstance(row, models.Model):
        raise TypeError("plain rows need the model that they go into")
    return type(row)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the rows of one model are written.

    ``jsons`` are the places of columns that hold JSON. Rows made together share most of what
    stands there, so each object travels once, and the rows name it by its number; each part of
    one that is ``Joined`` likewise, and a value that all rows have.

    A few rows are written out: the database plans that in a third of the time.
    """

    into: str
    row: str
    chosen: tuple[str, ...]
    types: tuple[str, ...]
    read: Callable[[object], tuple[Any, ...]]
    added: tuple[str, ...]
    jsons: tuple[int, ...]
    statements: dict[tuple[tuple[int, ...], ...], str] = field(default_factory=dict)

    def written_out(self, count: int) -> str:
        """Return the statement for so many rows, with a place for each of their values."""
        return f"{self.into} VALUES {', '.join([self.row] * count)}"

    def values(self, common: Iterable[Any], rows: Sequence[object]) -> list[Any]:
        """Return the parameters of the statement that has some rows written out."""
        self._date(rows)
        shared, found = [_written(value) for value in common], []
        for row in rows:
            found += shared
            for place, value in enumerate(self.read(row)):
                if value is not None and place in self.jsons:
                    found.append(_json(value))
                else:
                    found.append(_written(value))
        return found

    def _date(self, rows: Sequence[object]) -> None:
        for name in self.added:
            for row in rows:
                if getattr(row, name) is None:
                    setattr(row, name, timezone.now())

    def call(self, common: Iterable[Any], rows: Sequence[object]) -> tuple[str, list[Any]]:
        """Return the statement for some rows, and its parameters."""
        self._date(rows)
        columns: list[Sequence[Any]] = list(zip(*map(self.read, rows), strict=True))
        # The rows keep their objects alive, so an address names one of them.
        numbers: dict[int, int] = {}
        objects: list[object] = []
        joined, seconds = [], []
        for place in self.jsons:
            columns[place], second = _numbered(columns[place], numbers, objects)
            if second is not None:
                joined.append(place)
                seconds.append(_array(second))
        alike = tuple(self._alike(columns))
        once = [_written(columns[place][0]) for place in alike]
        arrays = [
            (_lists if "[" in kind else _array)(column)
            for place, (kind, column) in enumerate(zip(self.types, columns, strict=True))
            if place not in alike
        ]
        found = [_json(objects)] if self.jsons else []
        statement = self._statement(tuple(joined), alike)
        return statement, [*found, *common, *once, *arrays, *seconds]

    def _alike(self, columns: Sequence[Sequence[Any]]) -> Iterator[int]:
        """Yield the places of columns in which all rows have the same value."""
        for place, (kind, column) in enumerate(zip(self.types, columns, strict=True)):
            if len(column) > 1 and place not in self.jsons and "[" not in kind:
                first = column[0]
                if first == column[-1] and column.count(first) == len(column):
                    yield place

    def _statement(self, joined: tuple[int, ...], alike: tuple[int, ...]) -> str:
        """Return the statement for rows alike in some columns.

        The objects of ``joined`` columns have a second part.
        """
        found = self.statements.get((joined, alike))
        if found is None:
            found = self.statements[joined, alike] = self._said(joined, alike)
        return found

    def _said(self, joined: tuple[int, ...], alike: tuple[int, ...]) -> str:
        chosen = list(self.chosen)
        own = len(chosen) - len(self.types)
        for place in alike:
            chosen[own + place] = f"%s::{self.types[place]}"
        for place in joined:
            chosen[own + place] = (
                f'CASE WHEN "more{place}".value IS NULL THEN "json{place}".value'
                f' ELSE "json{place}".value || "more{place}".value END'
            )
        # unnest takes arrays of arrays apart wholly, so an array in an array travels as text.
        kinds = {
            f'"{place}"': "text" if "[" in kind else kind
            for place, kind in enumerate(self.types)
            if place not in alike
        } | {f'"second{place}"': "int" for place in joined}
        arrays = ", ".join(f"%s::{kind}[]" for kind in kinds.values())
        statement = (
            f"{self.into} SELECT {', '.join(chosen)} FROM unnest({arrays})"  # noqa: S608
            f" AS new ({', '.join(kinds)})"
        )
        if not self.jsons:
            return statement
        joins = [(f'"json{place}"', f'"{place}"') for place in self.jsons]
        joins += [(f'"more{place}"', f'"second{place}"') for place in joined]
        return f"{_OBJECTS} {statement}" + "".join(
            f" LEFT JOIN objects AS {name} ON {name}.place = new.{number}" for name, number in joins
        )


def _numbered(
    values: Sequence[Any], numbers: dict[int, int], objects: list[object]
) -> tuple[Sequence[int | None], Sequence[int | None] | None]:
    """Return the numbers of objects, and of their second parts where any has one."""
    if Joined not in set(map(type, values)):
        return _places(values, numbers, objects), None
    parts = [value.parts if type(value) is Joined else (value, None) for value in values]
    firsts, seconds = zip(*parts, strict=True)
    return _places(firsts, numbers, objects), _places(seconds, numbers, objects)


def _places(
    values: Sequence[object], numbers: dict[int, int], objects: list[object]
) -> Sequence[int | None]:
    """Return the places of objects among those that travel, where each is put at its first time."""
    addresses = [*map(id, values)]
    for address, value in dict(zip(addresses, values, strict=True)).items():
        if value is not None and address not in numbers:
            numbers[address] = len(objects)
            objects.append(value)
    return [*map(numbers.get, addresses)]


@lru_cache(maxsize=64)
def _plan_of(model: type[models.Model], common: tuple[str, ...]) -> _Plan:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    if unknown := set(common) - set(fields):
        raise TypeError(f"{model.__name__} has no columns {sorted(unknown)}")
    own = [
        field
        for name, field in fields.items()
        if name not in common and not getattr(field, "given_by_database", False)
    ]
    jsons = tuple(n for n, field in enumerate(own) if isinstance(field, models.JSONField))
    columns = ", ".join(f'"{field.column}"' for field in [*(fields[n] for n in common), *own])
    # Without lengths: a cast would cut what is too long, an assignment refuses it.
    types = [
        "int" if place in jsons else str(field.db_type(connection)).partition("(")[0]
        for place, field in enumerate(own)
    ]
    chosen = [
        *(f"%s::{fields[name].db_type(connection)}" for name in common),
        *(
            f'"json{place}".value'
            if place in jsons
            else f'new."{place}"::{kind}'
            if "[" in kind
            else f'new."{place}"'
            for place, kind in enumerate(types)
        ),
    ]
    return _Plan(
        into=f'INSERT INTO "{model._meta.db_table}" ({columns})',  # names of models
        row=f"({', '.join(['%s'] * len(chosen))})",
        chosen=tuple(chosen),
        types=tuple(types),
        read=_reader([field.attname for field in own]),
        added=tuple(field.attname for field in own if getattr(field, "auto_now_add", False)),
        jsons=jsons,
    )


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=_plain).decode()


def _written(value: Any) -> Any:
    """Return a value as the driver writes it; ids and arrays as the database reads their text."""
    if value is None or isinstance(value, str | int | float | Decimal | date):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return _array(value)
    return _plain(value)


def _reader(names: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda row: (read(row),)


def array_of(values: Sequence[Any]) -> str:
    """Return values as the text of one array, for ``%s::…[]`` of a statement."""
    return _array(values)


def _array(values: Sequence[Any]) -> str:
    """Return values as PostgreSQL writes an array, each as it reads it."""
    text = orjson.dumps(values, default=_plain).decode()
    if "\\" in text:
        # JSON has escapes that an array doesn't have.
        text = ",".join(_element(value) for value in values)
        return f"{{{text}}}"
    return f"{{{text[1:-1]}}}"


def _element(value: Any) -> str:
    if not isinstance(value, str):
        return orjson.dumps(value, default=_plain).decode()
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _lists(values: Sequence[Any]) -> str:
    """Return arrays as an array of their texts."""
    return _array([None if value is None else _array(list(value)) for value in values])


def _plain(value: object) -> str:
    """Return a value that JSON has no word for as PostgreSQL reads it.

    Raises:
        TypeError: it has no such text, as bytes.
    """
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be inserted by insert_rows")
