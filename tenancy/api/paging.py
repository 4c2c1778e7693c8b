"""Pages of the API's lists: the product's paging behind signed cursors."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.errors import BillingError
from tenancy.queries.paging import Order, Place, rows_after

_AS_LISTED: Final = Order("")
"""The order of rows that are read already, by their ids alone."""


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
        stored = _read(view.cursor, salt) if view.cursor else None
        order: Order = view.keyset if isinstance(queryset, QuerySet) else _AS_LISTED
        place = None if stored is None else order.read(stored)
        if stored is not None and place is None:
            raise CursorInvalid
        if isinstance(queryset, QuerySet):
            found = rows_after(queryset, order, place, size=view.limit)
        else:
            found = _listed_after(queryset, place, size=view.limit)
        if found is None:
            raise CursorInvalid
        page, has_more = found
        if has_more:
            last = page[-1]
            place = order.place(last) if isinstance(queryset, QuerySet) else [str(last.id)]
            self.next_cursor = signing.dumps(place, salt=salt)
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


def _read(cursor: str, salt: str) -> Any:
    try:
        return signing.loads(cursor, salt=salt)
    except (signing.BadSignature, ValueError) as error:
        raise CursorInvalid from error


def _listed_after(
    rows: Sequence[Any], place: Place | None, *, size: int
) -> tuple[list[Any], bool] | None:
    """Return some rows of a list that stands in its order already, None for a row not in it."""
    start = 0
    if place is not None:
        keys = [str(row.id) for row in rows]
        if place[0] not in keys:
            return None
        start = keys.index(place[0]) + 1
    return list(rows[start : start + size]), len(rows) > start + size
