"""``/api/v1/invoices/{id}/corrections``: credit notes that take back of an invoice."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from invoicing.api.invoices import require_seen
from invoicing.operations.correcting import Correction, correct_invoice
from invoicing.operations.wanting_corrections import (
    NewCorrection,
)
from invoicing.serializers.corrections import CorrectionIn, CorrectionOut
from subscriptions.serializers.catalogue import DryRunParameters
from tenancy import clock
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError
from tenancy.ids import key_of, parse_public_id


class InvoiceCorrections(ActorView):
    """``POST /api/v1/invoices/{id}/corrections``."""

    scopes: ClassVar = {"POST": Action.ISSUE_INVOICE}

    @extend_schema(
        operation_id="correct_invoice",
        parameters=[DryRunParameters],
        request=CorrectionIn,
        responses={200: CorrectionOut, 201: CorrectionOut},
    )
    def post(self, request: ActorApiRequest, invoice: str) -> Response:
        """Take an issued invoice back, whole, a section, lines, or an amount of that.

        201: a credit note is issued. 200: with `dry_run=true` nothing is stored, and the answer
        says what would be. What is taken back is not charged again by itself.
        """
        actor = request.actor
        is_dry_run = read_parameters(request, DryRunParameters)["dry_run"]
        values = read_body(request, CorrectionIn)
        key = key_of("inv", invoice)
        made = correct_invoice(
            actor,
            key,
            _wanted(actor, values),
            is_dry_run=is_dry_run,
            require_seen=lambda: require_seen(request, key),
            today=actor.today,
            now=clock.now_of(request.tenant),
        )
        body = CorrectionOut(_shown(made)).data
        if is_dry_run:
            return Response(body)
        address = request.build_absolute_uri(f"/api/v1/invoices/{made.note.public_id}")
        return Response(body, status=201, headers={"Location": address})


def _wanted(actor: Actor, values: Mapping[str, Any]) -> NewCorrection:
    return NewCorrection(
        reason=values["reason"],
        account_id=referred(actor, values, "section", Action.VIEW_INVOICE, refusal=InvalidBody),
        line_ids=tuple(_line_ids(values.get("lines", ()))),
        amount_minor=values.get("amount_minor"),
    )


def _line_ids(texts: list[str]) -> list[UUID]:
    found = [parse_public_id("lin", text) for text in texts]
    errors = [
        FieldError("not_found", _("This invoice has no such line."), f"/lines/{number}")
        for number, key in enumerate(found)
        if key is None
    ]
    if errors:
        raise InvalidBody(errors=errors)
    return [key for key in found if key is not None]


def _shown(made: Correction) -> dict[str, Any]:
    note = made.note
    return {
        "credit_note": note.id if made.is_issued else None,
        **{
            name: getattr(note, name)
            for name in (
                *("number", "issue_date", "reason", "currency"),
                *("net_minor", "tax_minor", "gross_minor"),
            )
        },
        "tax": made.taxes,
        "sections": made.sections,
        "credited_minor": made.credited_minor,
        "balance_minor": made.balance_minor,
        "invoice": made.invoice,
    }
