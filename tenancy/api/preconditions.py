"""``ETag`` and ``If-Match``: a change that says what it has seen is refused once that is old."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from tenancy.errors import BillingError

_BETWEEN = "."


class PreconditionFailed(BillingError):
    """What is to be changed is not as the caller has seen it (412)."""

    code, status = "precondition_failed", 412
    message = _("This has changed since you read it. Read it again; nothing was done.")


class PreconditionRequired(BillingError):
    """What is to be changed may only be changed by who says what was seen (428)."""

    code, status = "precondition_required", 428
    message = _("Read it first, and send its ETag as If-Match; nothing was done.")


def require_named(request: Request) -> None:
    """Return if a request says what it has seen.

    Raises:
        PreconditionRequired: it has no ``If-Match``.
    """
    if "If-Match" not in request.headers:
        raise PreconditionRequired


def tag_of(data: Mapping[str, Any], expanded: Mapping[str, Any] | None = None) -> str:
    """Return the strong tag of a resource as it goes out; what was expanded comes after a dot.

    So a tag of the expanded resource is one of the resource as well.
    """
    parts = [data] if expanded is None else [data, expanded]
    return f'"{_BETWEEN.join(_digest(part) for part in parts)}"'


def require_match(
    request: Request, shown: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the resource that is to be changed, as it goes out, if the caller has seen it so.

    Args:
        request: with the tags in ``If-Match``, or without the header: then nothing is read.
        shown: reads the resource.

    Returns:
        None without the header.

    Raises:
        PreconditionFailed: no strong tag is the resource's.
    """
    if "If-Match" not in request.headers:
        return None
    present = shown()
    named = parse_etags(request.headers["If-Match"])
    if "*" not in named and tag_of(present) not in {_without_parts(tag) for tag in named}:
        raise PreconditionFailed
    return present


def _without_parts(tag: str) -> str:
    main, dot, _rest = tag.partition(_BETWEEN)
    return f'{main}"' if dot else tag


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]
