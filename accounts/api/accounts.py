"""``/api/v1/me`` and ``/api/v1/accounts``: who asks, accounts, subtrees and settings."""

from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.declarations import SettingName
from accounts.queries import accounts as queries
from accounts.queries import principals
from accounts.queries.paths import parents_of, path_of
from accounts.queries.settings import own_values
from accounts.queries.subtrees import children_counts, subtree
from accounts.serializers.accounts import (
    NO_PARENT,
    AccountDetailOut,
    AccountOut,
    AccountParameters,
    AccountShown,
    MeOut,
    SubtreeParameters,
    SubtreeRowOut,
)
from accounts.serializers.parts import NoParameters
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
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
    """``GET /api/v1/accounts``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT}
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
            as_of=values.get("as_of"),
        )

        page, as_of = self.page(found, request), values.get("as_of")
        ids = [account.pk for account in page]
        parents = parents_of(actor, ids, as_of=as_of)
        own = own_values(actor, ids, OWN_VALUES, as_of=as_of or actor.today)
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
        return tagged(request, account_detail(actor, queries.resolve_reference(actor, account)))


def account_detail(actor: Actor, account_id: UUID) -> dict[str, Any]:
    """Return an account as it goes out, with its path."""
    path = path_of(actor, account_id)
    own = own_values(actor, [account_id], OWN_VALUES, as_of=actor.today)
    shown = AccountShown(
        account=path[-1],
        parent=path[-2] if len(path) > 1 else None,
        own=own.get(account_id, {}),
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
