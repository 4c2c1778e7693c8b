"""``/api/v1/accounts/{id}/credits``: what an account has as credit."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.queries.accounts import get_account, resolve_reference
from accounts.serializers.parts import NoParameters
from invoicing.queries.account_credits import credits_of
from invoicing.serializers.corrections import CreditOut
from tenancy.api.answering import ActorApiRequest, ActorView, many


class AccountCredits(ActorView):
    """``GET /api/v1/accounts/{id}/credits``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}

    @extend_schema(operation_id="list_credits_of_account", responses=CreditOut(many=True))
    def get(self, request: ActorApiRequest, account: str) -> Response:
        """List the credit of an account by currency: what was taken back of what it paid."""
        self.parameters(request, NoParameters)
        actor = request.actor
        key = resolve_reference(actor, account, action=Action.VIEW_INVOICE)
        found = credits_of(actor, get_account(actor, key))
        rows = [{"currency": code, "amount_minor": amount} for code, amount in found.items()]
        return Response({"data": many(CreditOut, rows)})
