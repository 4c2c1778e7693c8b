"""``/api/v1/me`` and ``/api/v1/accounts``: who asks, accounts, subtrees and settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.declarations import PARTICULARS, SettingName
from accounts.operations.accounts import (
    InvalidAccount,
    create_account,
    edit_account,
    reopen_account,
)
from accounts.queries import accounts as queries
from accounts.queries import principals
from accounts.queries.paths import parents_of, path_of
from accounts.queries.settings import own_values
from accounts.queries.subtrees import children_counts, subtree
from accounts.queries.tags import tags_of
from accounts.serializers.accounts import (
    NO_PARENT,
    AccountDetailOut,
    AccountIn,
    AccountOut,
    AccountParameters,
    AccountPatchIn,
    AccountShown,
    MeOut,
    SubtreeParameters,
    SubtreeRowOut,
)
from accounts.serializers.parts import DryRunParameters, NoParameters
from tenancy import clock
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, created, many, tagged, tried
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.queries.paging import Order

OWN_VALUES = (
    SettingName.CURRENCY,
    SettingName.LANGUAGE,
    SettingName.TIME_ZONE,
    SettingName.COST_CENTRE,
)


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
    """``/api/v1/accounts``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT, "POST": Action.EDIT_ACCOUNT}
    keyset: ClassVar = Order("sort_key")

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
            tag=values.get("tag"),
            as_of=values.get("as_of"),
        )

        page, as_of = self.page(found, request), values.get("as_of")
        ids = [account.pk for account in page]
        parents = parents_of(actor, ids, as_of=as_of)
        own = own_values(actor, ids, OWN_VALUES, as_of=as_of or actor.today)
        tags = tags_of(actor, ids)
        shown = [AccountShown(a, parents.get(a.pk), own.get(a.pk, {}), tags[a.pk]) for a in page]
        return self.listed(many(AccountOut, shown))

    @extend_schema(
        operation_id="create_account",
        parameters=[DryRunParameters],
        request=AccountIn,
        responses={200: AccountDetailOut, 201: AccountDetailOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Make an account; the same external id again is the same account (200)."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, AccountIn)
        parent_id = referred(actor, values, "parent", refusal=InvalidBody)
        is_dry_run = parameters["dry_run"] == "true"
        with tried(is_dry_run=is_dry_run), _as_in_body():
            account, is_new = create_account(
                actor,
                parent_id,
                today=actor.today,
                now=clock.now_of(request.tenant),
                **_fields(values),
            )
            data = account_detail(actor, account.pk)
        return created(request, data, data["id"], is_new=is_new and not is_dry_run)


class AccountDetail(ActorView):
    """``/api/v1/accounts/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT, "PATCH": Action.EDIT_ACCOUNT}

    @extend_schema(operation_id="get_account", responses=AccountDetailOut)
    def get(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Show an account and its place in the tree."""
        actor = request.actor
        self.parameters(request, NoParameters)
        return tagged(request, account_detail(actor, queries.resolve_reference(actor, account)))

    @extend_schema(
        operation_id="edit_account",
        parameters=[DryRunParameters],
        request=AccountPatchIn,
        responses=AccountDetailOut,
    )
    def patch(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Change what is said of an account; what is left out stays, and so does its place."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, AccountPatchIn)
        account_id = queries.resolve_reference(actor, account)
        with tried(is_dry_run=parameters["dry_run"] == "true"), _as_in_body():
            edit_account(
                actor,
                account_id,
                today=actor.today,
                now=clock.now_of(request.tenant),
                require_seen=lambda: require_match(
                    request, lambda: account_detail(actor, account_id)
                ),
                **_fields(values),
            )
            data = account_detail(actor, account_id)
        return tagged(request, data)


class AccountReopening(ActorView):
    """``POST /api/v1/accounts/{id}/reopening``."""

    scopes: ClassVar = {"POST": Action.EDIT_ACCOUNT}

    @extend_schema(
        operation_id="reopen_account",
        parameters=[DryRunParameters],
        request=None,
        responses=AccountDetailOut,
    )
    def post(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Take an archived account into use again."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        account_id = queries.resolve_reference(actor, account)
        require_match(request, lambda: account_detail(actor, account_id))
        with tried(is_dry_run=parameters["dry_run"] == "true"):
            reopen_account(actor, account_id, now=clock.now_of(request.tenant))
            data = account_detail(actor, account_id)
        return tagged(request, data)


_OUTSIDE_ADDRESS = ("parent", "address")


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as the operations take it: without the parent, the address laid open."""
    plain = {name: value for name, value in values.items() if name not in _OUTSIDE_ADDRESS}
    return {**plain, **values.get("address", {})}


@contextmanager
def _as_in_body() -> Iterator[None]:
    """Have a refusal point to where the body has what is wrong."""
    try:
        yield
    except InvalidAccount as error:
        within = {name for name, one in PARTICULARS.items() if one.is_address}
        error.errors = [
            replace(one, pointer=f"/address{one.pointer}") if one.pointer[1:] in within else one
            for one in error.errors
        ]
        raise


def account_detail(actor: Actor, account_id: UUID) -> dict[str, Any]:
    """Return an account as it goes out, with its path."""
    path = path_of(actor, account_id)
    own = own_values(actor, [account_id], OWN_VALUES, as_of=actor.today)
    shown = AccountShown(
        account=path[-1],
        parent=path[-2] if len(path) > 1 else None,
        own=own.get(account_id, {}),
        tags=tags_of(actor, [account_id])[account_id],
        path=path,
        children_count=children_counts(actor, [account_id])[account_id],
    )
    return dict(AccountDetailOut(shown).data)


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
        rows = subtree(
            request.actor, account_id, depth=values.get("depth"), as_of=values.get("as_of")
        )
        return self.listed(many(SubtreeRowOut, self.page(rows, request)))
