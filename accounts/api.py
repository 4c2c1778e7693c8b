"""``/api/v1/``: who asks, accounts, subtrees and settings; and what the whole API shares."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http.response import HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import BasePagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import FieldError, Invalid, NotFound
from accounts.ids import public_id
from accounts.models import SettingName, Tenant
from accounts.queries import accounts as queries
from accounts.queries import principals
from accounts.queries.settings import EffectiveSetting, settings_of
from accounts.serializers import (
    NO_PARENT,
    AccountDetailOut,
    AccountOut,
    AccountParameters,
    AccountShown,
    AsOfParameters,
    MeOut,
    NoParameters,
    SettingsOut,
    SubtreeParameters,
    SubtreeRowOut,
)

OWN_VALUES = (
    SettingName.CURRENCY,
    SettingName.LANGUAGE,
    SettingName.TIME_ZONE,
    SettingName.COST_CENTRE,
)


class ActorApiRequest(Request):
    """A request of the API that came in with an actor."""

    actor: Actor
    tenant: Tenant
    request_id: str


class InvalidParameters(Invalid):
    """Query parameters are unknown, doubled or mean nothing."""

    code = "invalid_parameters"
    message = gettext_lazy("The query parameters are not valid.")


class InvalidBody(Invalid):
    """The body can be read but means nothing sensible."""

    code = "invalid_body"
    message = gettext_lazy("The body is not valid.")


class ActorView(GenericAPIView[Any]):
    """A view behind a key.

    Attributes:
        scopes: what a key needs for each method; the data is guarded by the queries themselves.
        keyset: the unique order of a list, as terms of ``order_by``.
        limit, cursor: the page that was asked for.
    """

    scopes: ClassVar[Mapping[str, Action]] = {}
    keyset: ClassVar[Sequence[str]] = ("id",)
    limit: int = 0
    cursor: str = ""
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

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep answers out of every cache that is not told otherwise."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers.setdefault("Cache-Control", "private, no-store")
        return finished

    def page(self, rows: Any, request: Request) -> list[Any]:
        """Return the page of ``rows`` that was asked for."""
        pages = cast(BasePagination, self.paginator)
        return list(pages.paginate_queryset(rows, request, view=self) or ())

    def listed(self, data: Any) -> Response:
        """Answer with what became of the page's rows, and where the next begins."""
        return cast(BasePagination, self.paginator).get_paginated_response(data)


def read_parameters(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the query parameters of a request as values.

    Raises:
        InvalidParameters: one is unknown, comes twice or has no meaning.
    """
    given = request.query_params
    reader = shape(data=given)
    errors = [
        FieldError("doubled_parameter", _("It may be given once."), _pointer(name))
        for name, values in given.lists()
        if len(values) > 1
    ]
    # The framework takes an empty filter for one left out, which would show all.
    errors += [
        FieldError("blank", _("It may not be empty."), _pointer(name))
        for name, value in given.items()
        if not value
    ]
    errors += _faults(reader, given)
    if errors:
        raise InvalidParameters(errors=errors)
    return dict(reader.validated_data)


def read_body(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the body of a request as values.

    Raises:
        InvalidBody: it is no object, or a member of it is unknown, missing or has no meaning.
    """
    if not isinstance(request.data, Mapping):
        wrong = FieldError("not_an_object", _("An object is expected."))
        raise InvalidBody(errors=[wrong])
    reader = shape(data=request.data)
    if errors := _faults(reader, request.data):
        raise InvalidBody(errors=errors)
    return dict(reader.validated_data)


def _faults(reader: serializers.Serializer[Any], given: Mapping[str, Any]) -> list[FieldError]:
    errors = [
        FieldError("unknown_name", _("There is nothing of this name."), _pointer(name))
        for name in given
        if name not in reader.fields
    ]
    if not reader.is_valid():
        errors += [
            FieldError(detail.code, str(detail), _pointer(name))
            for name, details in reader.errors.items()
            for detail in cast(Sequence[Any], details)
        ]
    return errors


def _pointer(name: str) -> str:
    """Return the JSON pointer to a member (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def referred(
    actor: Actor,
    values: Mapping[str, Any],
    name: str,
    action: Action = Action.VIEW_ACCOUNT,
    refusal: type[Invalid] = InvalidParameters,
) -> UUID | None:
    """Return the account that a parameter or member refers to, None where it is left out.

    Raises:
        Invalid: it refers to no account in reach; ``refusal`` says of what it is a part.
    """
    text = values.get(name)
    if text is None:
        return None
    try:
        return queries.resolve_reference(actor, text, action=action)
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such account."), _pointer(name))
        raise refusal(errors=[wrong]) from error


def many(shape: type[serializers.Serializer[Any]], rows: Sequence[Any]) -> Any:
    """Return rows in the shape in which they go out."""
    return shape(cast(Any, rows), many=True).data


def tagged(request: Request, data: Mapping[str, Any]) -> HttpResponseBase:
    """Answer with one resource and its ETag, or 304 to who has it already."""
    body = JSONRenderer().render(data)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    response: HttpResponseBase
    if "*" in known or any(tag.removeprefix("W/") == etag for tag in known):
        response = HttpResponseNotModified()
    else:
        response = Response(data)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


class Me(ActorView):
    """``GET /api/v1/me``."""

    @extend_schema(operation_id="me", responses=MeOut)
    def get(self, request: ActorApiRequest) -> HttpResponseBase:
        """Show who asks, for which tenant, and how far it may go."""
        self.parameters(request, NoParameters)
        key = principals.own_key(request.actor)
        shown = {
            "tenant": request.tenant,
            "key": key,
            "scopes": sorted(request.actor.scopes),
            "reach": key.reach,
            "today": request.actor.today,
        }
        return tagged(request, MeOut(shown).data)


class AccountList(ActorView):
    """``GET /api/v1/accounts``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT}
    keyset: ClassVar = ("sort_key", "id")

    @extend_schema(
        operation_id="list_accounts",
        parameters=[AccountParameters],
        responses=AccountOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List accounts by name."""
        actor, values = request.actor, self.parameters(request, AccountParameters)
        tops = values.get("parent") == NO_PARENT
        found = queries.accounts(
            actor,
            within=referred(actor, values, "in"),
            parent=None if tops else referred(actor, values, "parent"),
            tops=tops,
            kind=values.get("kind"),
            status=values.get("status"),
            text=values.get("q"),
            as_of=values.get("as_of"),
        )

        page, as_of = self.page(found, request), values.get("as_of")
        ids = [account.pk for account in page]
        parents = queries.parents_of(actor, ids, as_of=as_of)
        own = queries.own_values(actor, ids, OWN_VALUES, as_of=as_of or actor.today)
        shown = [AccountShown(a, parents.get(a.pk), own.get(a.pk, {})) for a in page]
        return self.listed(many(AccountOut, shown))


class AccountDetail(ActorView):
    """``GET /api/v1/accounts/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT}

    @extend_schema(operation_id="get_account", responses=AccountDetailOut)
    def get(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Show an account and its place in the tree."""
        actor = request.actor
        self.parameters(request, NoParameters)
        account_id = queries.resolve_reference(actor, account)
        path = queries.path_of(actor, account_id)
        own = queries.own_values(actor, [account_id], OWN_VALUES, as_of=actor.today)
        shown = AccountShown(
            account=path[-1],
            parent=path[-2] if len(path) > 1 else None,
            own=own.get(account_id, {}),
            path=path,
            children_count=queries.children_counts(actor, [account_id])[account_id],
        )
        return tagged(request, AccountDetailOut(shown).data)


class AccountSubtree(ActorView):
    """``GET /api/v1/accounts/{id}/subtree``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT}

    @extend_schema(
        operation_id="get_subtree",
        parameters=[SubtreeParameters],
        responses=SubtreeRowOut(many=True),
    )
    def get(self, request: ActorApiRequest, account: str) -> Response:
        """List an account and all below it, flat and depth first."""
        values = self.parameters(request, SubtreeParameters)
        account_id = queries.resolve_reference(request.actor, account)
        rows = queries.subtree(
            request.actor, account_id, depth=values.get("depth"), as_of=values.get("as_of")
        )
        return self.listed(many(SubtreeRowOut, self.page(rows, request)))


class AccountSettings(ActorView):
    """``GET /api/v1/accounts/{id}/settings``."""

    scopes: ClassVar = {"GET": Action.VIEW_SETTINGS}

    @extend_schema(
        operation_id="get_settings",
        parameters=[AsOfParameters],
        responses=SettingsOut,
    )
    def get(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Show the settings that hold on an account, and where each comes from."""
        actor, values = request.actor, self.parameters(request, AsOfParameters)
        account_id = queries.resolve_reference(actor, account, action=Action.VIEW_SETTINGS)
        found = settings_of(actor, account_id, values.get("as_of", actor.today))
        shown = {name: _shown(setting) for name, setting in found.items()}
        return tagged(request, SettingsOut(shown).data)


_REFERENCES = {SettingName.BILL_TO: "acc", SettingName.PAYER: "acc", SettingName.SELLER: "sel"}


def _shown(setting: EffectiveSetting) -> dict[str, Any]:
    value, prefix = setting.value, _REFERENCES.get(SettingName(setting.name))
    return {
        "value": public_id(prefix, value) if prefix and isinstance(value, UUID) else value,
        "source": setting.source,
        "from": public_id("acc", setting.origin_id) if setting.origin_id else None,
        "locked": False,
    }
