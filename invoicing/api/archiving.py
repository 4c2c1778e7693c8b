"""``/api/v1/accounts/{id}/archival``: putting away an account that nothing hangs on."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema

from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.queries.accounts import resolve_reference
from accounts.serializers.accounts import AccountDetailOut
from accounts.serializers.parts import DryRunParameters
from invoicing.operations.accounts import archive_account
from tenancy import clock
from tenancy.api.answering import ActorApiRequest, ActorView, tagged, tried
from tenancy.api.preconditions import require_match
from tenancy.api.reading import read_parameters


class AccountArchival(ActorView):
    """``POST /api/v1/accounts/{id}/archival``."""

    scopes: ClassVar = {"POST": Action.EDIT_ACCOUNT}

    @extend_schema(
        operation_id="archive_account",
        parameters=[DryRunParameters],
        request=None,
        responses=AccountDetailOut,
    )
    def post(self, request: ActorApiRequest, account: str) -> HttpResponseBase:
        """Archive an account; while something hangs on it, 409 `account_in_use` lists what."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        account_id = resolve_reference(actor, account)
        with tried(is_dry_run=parameters["dry_run"] == "true"):
            archive_account(
                actor,
                account_id,
                today=actor.today,
                now=clock.now_of(request.tenant),
                require_seen=lambda: require_match(
                    request, lambda: account_detail(actor, account_id)
                ),
            )
            data = account_detail(actor, account_id)
        return tagged(request, data)
