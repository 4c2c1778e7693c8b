"""Pages of lists by key, not by number: rows that come or go meanwhile shift nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.errors import BillingError


class CursorInvalid(BillingError):
    """The cursor was not made by this list with these filters, for this tenant."""

    code, status = "invalid_cursor", 400
    message = _("This cursor does not belong to this list. Begin without one.")


class KeysetPagination(BasePagination):
    """Continues after the last row seen.

    The view says what its rows are ordered by (``keyset``) and which page is wanted (``limit``,
    ``cursor``). A cursor is signed for the tenant, the address and the filters.
    """

    next_cursor: str | None = None

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any]:
        """Return one page; of a list that is read already, the rows after the last seen.

        Raises:
            CursorInvalid: the cursor is not one of this list.
        """
        salt = _salt(request)
        after = _read(view.cursor, salt) if view.cursor else None
        if isinstance(queryset, QuerySet):
            keyset: Sequence[str] = view.keyset
            found = queryset.order_by(*keyset)
            if after is not None:
                found = found.filter(_beyond(keyset, after, queryset.model))
            rows = list(found[: view.limit + 1])
        else:
            keyset = ("id",)
            start = 0 if after is None else _place_after(queryset, after)
            rows = list(queryset[start : start + view.limit + 1])
        page = rows[: view.limit]
        if len(rows) > view.limit:
            self.next_cursor = signing.dumps(_key(page[-1], keyset), salt=salt)
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the envelope of a list."""
        return Response(
            {
                "data": data,
                "next_cursor": self.next_cursor,
                "has_more": self.next_cursor is not None,
            }
        )

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the envelope for the OpenAPI document."""
        return {
            "type": "object",
            "required": ["data", "next_cursor", "has_more"],
            "properties": {
                "data": schema,
                "next_cursor": {"type": ["string", "null"]},
                "has_more": {"type": "boolean"},
            },
        }


def _salt(request: Request) -> str:
    """Return what a cursor is good for: one tenant, one address, one set of filters."""
    filters = sorted(
        (name, value)
        for name, value in request.query_params.items()
        if name not in {"cursor", "limit"}
    )
    tenant_id = request.actor.tenant_id  # type: ignore[attr-defined]
    text = repr((str(tenant_id), request.path, filters))
    return "cursor:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(cursor: str, salt: str) -> list[Any]:
    try:
        after = signing.loads(cursor, salt=salt)
    except (signing.BadSignature, ValueError) as error:
        raise CursorInvalid from error
    return list(after)


def _key(row: Any, keyset: Sequence[str]) -> list[Any]:
    values = (getattr(row, term.removeprefix("-")) for term in keyset)
    return [str(v) if isinstance(v, UUID | date) else v for v in values]


def _place_after(rows: Sequence[Any], after: Sequence[Any]) -> int:
    for place, row in enumerate(rows):
        if str(row.id) == after[0]:
            return place + 1
    raise CursorInvalid


def _beyond(keyset: Sequence[str], after: Sequence[Any], model: type[Model]) -> Q:
    """Return the condition on rows behind the last one seen.

    Descending, what is null comes first; ascending columns hold no null.
    """
    beyond, same = Q(), Q()
    for term, text in zip(keyset, after, strict=True):
        name = term.removeprefix("-")
        value = model._meta.get_field(name).to_python(text)  # type: ignore[union-attr]
        if not term.startswith("-"):
            further = Q(**{f"{name}__gt": value})
        elif value is None:
            further = Q(**{f"{name}__isnull": False})
        else:
            further = Q(**{f"{name}__lt": value})
        beyond |= same & further
        same &= Q(**{name: value}) if value is not None else Q(**{f"{name}__isnull": True})
    return beyond
