"""What every view of the API is: behind a key, page by page, and kept out of caches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, ClassVar, cast

from django.db import transaction
from django.http.response import HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.actor import Actor
from tenancy.api.preconditions import tag_of
from tenancy.api.reading import read_parameters
from tenancy.api.repeating import AlreadyAnswered, claimed, keep_when_made
from tenancy.models import Tenant
from tenancy.queries.paging import Order


class ActorApiRequest(Request):
    """A request of the API that came in with an actor."""

    actor: Actor
    tenant: Tenant
    request_id: str


class ActorView(GenericAPIView[Any]):
    """A view behind a key.

    Attributes:
        scopes: what a key needs for each method; the data is guarded by the queries themselves.
        keyset: by what the rows of a list stand.
        limit, cursor: the page that was asked for.
    """

    scopes: ClassVar[Mapping[str, StrEnum]] = {}
    keyset: ClassVar[Order] = Order("")
    limit: int = 0
    cursor: str = ""
    _keep: Callable[[HttpResponseBase], None] | None = None
    queryset = None
    serializer_class = serializers.Serializer
    http_method_names: list[str] = ["get", "post", "put", "patch", "delete", "head"]

    def parameters(
        self, request: Request, shape: type[serializers.Serializer[Any]]
    ) -> dict[str, Any]:
        """Return the query parameters, and keep which page is wanted.

        Raises:
            InvalidParameters: one is unknown, comes twice or has no meaning.
        """
        values = read_parameters(request, shape)
        self.limit = values.pop("limit", 0)
        self.cursor = values.pop("cursor", "")
        return values

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in whom the key's scopes let in; a POST sent before is not done again.

        Raises:
            AlreadyAnswered: it has the ``Idempotency-Key`` of one that was answered.
        """
        super().initial(request, *args, **kwargs)
        self._keep = claimed(request, cast(ActorApiRequest, request).actor)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what was raised: as before, where the request was done before."""
        if isinstance(exc, AlreadyAnswered):
            return cast(Response, exc.response())
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep answers out of every cache; who asks again with ``If-None-Match`` is answered."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers.setdefault("Cache-Control", "private, no-store")
        if self._keep is not None:
            keep_when_made(finished, self._keep)
        return finished

    def page(self, rows: Any, request: Request) -> list[Any]:
        """Return the page of ``rows`` that was asked for."""
        pages = cast(BasePagination, self.paginator)
        return list(pages.paginate_queryset(rows, request, view=self) or ())

    def listed(self, data: Any) -> Response:
        """Answer with what became of the page's rows, and where the next begins."""
        return cast(BasePagination, self.paginator).get_paginated_response(data)


def many(shape: type[serializers.Serializer[Any]], rows: Sequence[Any]) -> Any:
    """Return rows in the shape in which they go out."""
    return shape(cast(Any, rows), many=True).data


def created(
    request: Request, data: Mapping[str, Any], key: str, *, is_new: bool
) -> HttpResponseBase:
    """Answer with a resource that was made, where it is and its ETag; 200 if it was there."""
    response = Response(data, status=201 if is_new else 200)
    response.headers["ETag"] = tag_of(data)
    if is_new:
        response.headers["Location"] = request.build_absolute_uri(f"{request.path}/{key}")
    return response


@contextmanager
def tried(*, is_dry_run: bool) -> Iterator[None]:
    """Do something, and for a dry run take all of it back once its answer is made."""
    with transaction.atomic():
        yield
        if is_dry_run:
            transaction.set_rollback(True)


def tagged(
    request: Request, data: Mapping[str, Any], expanded: Mapping[str, Any] | None = None
) -> HttpResponseBase:
    """Answer with one resource and its ETag, or 304 to who reads it and has it already."""
    etag = tag_of(data, expanded)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    is_known = "*" in known or any(tag.removeprefix("W/") == etag for tag in known)
    response: HttpResponseBase
    if is_known and request.method in {"GET", "HEAD"}:
        response = HttpResponseNotModified()
    else:
        response = Response({**data, **(expanded or {})})
    response.headers["ETag"] = etag
    return response
