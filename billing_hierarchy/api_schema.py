"""What the OpenAPI document says beyond what is read from the views."""

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema

from tenancy.api.repeating import HEADER, REPLAYED
from tenancy.operations.answers import KEPT, LONGEST_KEY

_PROBLEM = {
    "type": "object",
    "description": "An error as of RFC 9457. `code` is stable, `detail` is meant for people.",
    "required": ["type", "title", "status", "detail", "code", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "The member of the body or the parameter: RFC 6901.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_REFUSALS = {
    "400": ("Malformed", "The request or its cursor is malformed."),
    "401": ("NotAuthenticated", "There is no usable key."),
    "403": ("Forbidden", "In sight, but not allowed; or the key lacks the scope."),
    "404": ("NotFound", "Unknown, out of reach or another tenant's."),
    "406": ("NotAcceptable", "The answer would be JSON, which the caller does not accept."),
    "412": ("PreconditionFailed", "What `If-Match` names is not what is there any more."),
    "413": ("BodyTooLarge", "The body is too large."),
    "415": ("UnsupportedMediaType", "The body is no JSON."),
    "422": ("Invalid", "It can be read but means nothing sensible."),
}
_ABOUT_BODIES = {"413", "415"}
_ABOUT_VERSIONS = {"412"}
_METHODS = ("get", "post", "patch", "put", "delete")


class ScopedSchema(AutoSchema):
    """Reads from a view also the scope that a key needs."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the scheme with the scope of the method."""
        scope = getattr(self.view, "scopes", {}).get(self.method)
        return [{name: [str(scope)] if scope else [] for name in one} for one in super().get_auth()]


def add_problems(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Describe how every operation refuses, and the tag by which a resource is asked for again."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    result["components"]["responses"] = {
        name: _refusal(description) for name, description in _REFUSALS.values()
    }
    for path, method, operation in _operations(result):
        changes_one = method != "get" and "{" in path
        left_out = set() if method == "post" else set(_ABOUT_BODIES)
        left_out |= set() if changes_one else _ABOUT_VERSIONS
        for status, (name, _description) in _REFUSALS.items():
            if status not in left_out:
                refusal = {"$ref": f"#/components/responses/{name}"}
                operation["responses"].setdefault(status, refusal)
        if method == "post":
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
        if changes_one:
            operation.setdefault("parameters", []).append(_IF_MATCH)
        if _is_tagged(operation) and (method == "get" or "Detail" in (_answered(operation) or "")):
            operation["responses"]["200"]["headers"] = {"ETag": _ETAG}
        if _is_tagged(operation) and method == "get":
            operation["responses"]["304"] = {"description": "The caller has it already."}
            operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    return result


_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
    "description": "A text of your own for this request. Sent again with the same body it is"
    f" answered as before, with `{REPLAYED}: true`, and nothing is done twice; with another body"
    " it is refused (422, `idempotency_key_reused`), while the first is being worked on as well"
    f" (409). An answer is kept for {KEPT.days} days; a refusal is not kept.",
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the answer the caller has.",
}


_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the invoice, run, plan or account as it was read: if it has"
    " changed since, nothing is done (412). `*`, or leaving it out, does it anyway.",
}
_ETAG = {
    "schema": {"type": "string"},
    "description": "Names this state of the resource, for `If-None-Match` and `If-Match`.",
}


def _operations(result: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in result["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _is_tagged(operation: Mapping[str, Any]) -> bool:
    """Return whether the answer is one resource: JSON, and no page of a list."""
    answered = _answered(operation)
    return answered is not None and "Paginated" not in answered


def _answered(operation: Mapping[str, Any]) -> str | None:
    """Return the name of what is answered as JSON, empty if it has none, None if it is no JSON."""
    answer = operation["responses"].get("200", {})
    content = answer.get("content", {}).get("application/json")
    return str(content["schema"].get("$ref", "")) if content else None


def _refusal(description: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": reference}},
    }
