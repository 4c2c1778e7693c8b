"""Every error of the API as ``application/problem+json`` (RFC 9457)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import exceptions

from accounts.middleware import API_PREFIX, without_actor
from tenancy import database
from tenancy.errors import BillingError, FieldError

MEDIA_TYPE = "application/problem+json"

_CODES = {
    400: "malformed",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    412: "precondition_failed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}


def problem(error: Exception, context: Mapping[str, Any]) -> HttpResponseBase | None:
    """Return the answer to an exception of an API view, None for a bug.

    The tenant's transaction is rolled back: an exception that became an answer no longer does it.
    """
    answer = _answer(error, context["request"])
    if answer is not None and database.current_tenant_id() is not None:
        transaction.set_rollback(True)
    return answer


def _answer(error: Exception, request: HttpRequest) -> HttpResponse | None:
    if isinstance(error, BillingError):
        return document(
            request, error.status, code=error.code, detail=error.detail, errors=error.errors
        )
    if isinstance(error, exceptions.ValidationError):
        return document(request, 422, detail=_("The input is not valid."), errors=_fields(error))
    if isinstance(error, exceptions.APIException):
        return _of_framework(error, request)
    if isinstance(error, Http404):
        return document(request, 404)
    if isinstance(error, PermissionDenied):
        return document(request, 403)
    if isinstance(error, RequestDataTooBig):
        return document(request, 413)
    if isinstance(error, BadRequest | SuspiciousOperation):
        return document(request, 400)
    return None


def _of_framework(error: exceptions.APIException, request: HttpRequest) -> HttpResponse:
    code = error.get_codes()
    response = document(
        request,
        error.status_code,
        code="invalid_key" if code == "invalid_key" else "",
        detail=str(error.detail),
    )
    if challenge := getattr(error, "auth_header", None):
        response.headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        response.headers["Retry-After"] = str(int(wait))
    return response


def document(
    request: HttpRequest,
    status: int,
    *,
    code: str = "",
    detail: str = "",
    errors: Iterable[FieldError] = (),
) -> HttpResponse:
    """Return a problem document."""
    code = code or _CODES.get(status, "error")
    body: dict[str, Any] = {
        "type": f"urn:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or HTTPStatus(status).description or HTTPStatus(status).phrase,
        "code": code,
        "instance": request.path,
        "request_id": getattr(request, "request_id", ""),
        "errors": [
            {"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in errors
        ],
    }
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def _fields(error: exceptions.ValidationError) -> list[FieldError]:
    return list(_flat(error.detail, ""))


def _flat(detail: Any, pointer: str) -> Iterator[FieldError]:
    """Yield each message of a nested error with the JSON pointer of what it is about."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            place = pointer if name == "non_field_errors" else f"{pointer}/{name}"
            yield from _flat(inner, place)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flat(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield FieldError(getattr(detail, "code", "invalid"), str(detail), pointer)


@without_actor
def unknown_address(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Answer 404 for every address of the API that there is not."""
    return document(request, 404)


unknown_address.csrf_exempt = True  # type: ignore[attr-defined]


class ProblemMiddleware:
    """Turn errors that never reached a view of the API (a bad host, a bug) into problems too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Replace the body of a page of Django's own, keep its headers and status."""
        response = self.get_response(request)
        if not request.path.startswith(API_PREFIX) or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        answer = document(request, response.status_code)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer
