"""``/api/v1/charges``: what is owed, where it stands and why."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.api.references import referred
from accounts.queries.accounts import resolve_reference
from accounts.serializers.parts import NoParameters
from invoicing.operations.runs.discarding import release_charges
from invoicing.queries.charges import charges, explanation_of
from invoicing.serializers.charges import ChargeOut, ChargeParameters, ChargeShown
from invoicing.serializers.invoices import WithdrawalOut
from tenancy.api.answering import ActorApiRequest, ActorView, many
from tenancy.api.preconditions import require_match
from tenancy.queries.paging import Order


class ChargeList(ActorView):
    """``GET /api/v1/charges``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}
    keyset: ClassVar = Order("", is_falling=True)

    @extend_schema(
        operation_id="list_charges", parameters=[ChargeParameters], responses=ChargeOut(many=True)
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List charges, the latest first."""
        actor, values = request.actor, self.parameters(request, ChargeParameters)
        found = charges(
            actor,
            within=referred(actor, values, "in", Action.VIEW_INVOICE),
            status=values.get("status"),
        )
        shown = [
            ChargeShown(
                charge,
                charge.invoice_id,
                charge.line_id,
                explanation_of(actor, charge),
            )
            for charge in self.page(found, request)
        ]
        return self.listed(many(ChargeOut, shown))


class HeldRelease(ActorView):
    """``POST /api/v1/accounts/{id}/release``."""

    scopes: ClassVar = {"POST": Action.ISSUE_INVOICE}

    @extend_schema(operation_id="release_held_charges", request=None, responses=WithdrawalOut)
    def post(self, request: ActorApiRequest, account: str) -> Response:
        """Let the next run bill what was held back of drafts for an account."""
        self.parameters(request, NoParameters)
        account_id = resolve_reference(request.actor, account)
        count = release_charges(
            request.actor,
            account_id,
            require_seen=lambda: require_match(
                request, lambda: account_detail(request.actor, account_id)
            ),
            now=timezone.now(),
        )
        return Response(WithdrawalOut({"charges": count}).data)
