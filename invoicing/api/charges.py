"""``/api/v1/charges``: what is owed, where it stands and why."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.answering import ActorApiRequest, ActorView, many
from accounts.api.reading import referred
from invoicing.queries.charges import charges, explanation_of
from invoicing.serializers.charges import ChargeOut, ChargeParameters, ChargeShown


class ChargeList(ActorView):
    """``GET /api/v1/charges``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}
    keyset: ClassVar = ("-id",)

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
