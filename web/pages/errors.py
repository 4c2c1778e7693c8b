"""Pages for what went wrong, in the frame of whoever asked."""

import sys
from functools import partial
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.middleware import answer_as_person
from tenancy.errors import Invalid

_RETRY_AFTER_SECONDS = 10


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400: the address or form can't be read; 422 with the reason if it means nothing."""
    if isinstance(refusal := exception.__cause__, Invalid):
        title = _("This request could not be understood")
        return _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, title, refusal.detail)
    return _page(
        request,
        HTTPStatus.BAD_REQUEST,
        _("This request could not be understood"),
        _("Nothing was changed. Please go back and try again."),
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403: in sight, but not allowed."""
    return _page(
        request,
        HTTPStatus.FORBIDDEN,
        _("You don't have access"),
        str(exception)
        or _("Your role does not allow it. An owner of the company can change that."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: unknown, out of reach or another tenant's, in the same words.

    Where no view was found nobody has looked up yet who asks.
    """
    page = partial(
        _page,
        request,
        HTTPStatus.NOT_FOUND,
        _("Page not found"),
        _("The page does not exist, or it is not yours to see."),
    )
    return answer_as_person(request, page) or page()


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without asking the database anything: it may be what failed.

    Called while the error is being handled. Where the database is away or ended the transaction,
    the answer is 503: nothing was changed, and the same request may succeed in a moment.
    """
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _unavailable(request)
    context = {
        "title": _("Something went wrong on our side"),
        "text": _("We have been told. Please try again in a moment."),
        "request_id": getattr(request, "request_id", ""),
        "product_name": _("Billing"),
        "status": HTTPStatus.INTERNAL_SERVER_ERROR.value,
    }
    return HttpResponse(
        render_to_string("errors/500.html", context), status=HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _unavailable(request: HttpRequest) -> HttpResponse:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    context = {
        "title": _("We can't be reached for a moment"),
        "text": _("Nothing was changed. Please try again in a few seconds."),
        "request_id": getattr(request, "request_id", ""),
        "product_name": _("Billing"),
        "status": status.value,
    }
    response = HttpResponse(render_to_string("errors/500.html", context), status=status)
    response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response


def _page(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    context = {
        "title": title,
        "text": text,
        "status": status.value,
        "request_id": getattr(request, "request_id", ""),
    }
    return render(request, "errors/page.html", context, status=status)
