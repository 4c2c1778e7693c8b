"""``/api/v1/charges``: what is owed, where it stands and why."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.api.references import referred
from accounts.queries.accounts import resolve_reference
from accounts.serializers.parts import NoParameters
from billing_rules.tax_rates import TaxClass
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.cancelling import cancel_charge
from invoicing.operations.charges.wanting import NewCharge
from invoicing.operations.runs.discarding import release_charges
from invoicing.queries.charge_outlook import charge_outlook
from invoicing.queries.charges import charges, explanation_of, get_charge
from invoicing.serializers.charges import (
    AddedChargeOut,
    ChargeIn,
    ChargeOut,
    ChargeParameters,
    ChargeShown,
)
from invoicing.serializers.invoices import WithdrawalOut
from subscriptions.queries.catalogue import price_key
from subscriptions.queries.subscriptions import get_subscription
from subscriptions.serializers.catalogue import DryRunParameters
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.ids import key_of
from tenancy.queries.paging import Order


class ChargeList(ActorView):
    """``/api/v1/charges``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE, "POST": Action.EDIT_CHARGE}
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
            kind=values.get("kind"),
        )
        shown = [_shown(actor, charge) for charge in self.page(found, request)]
        return self.listed(many(ChargeOut, shown))

    @extend_schema(
        operation_id="add_charge",
        parameters=[DryRunParameters],
        request=ChargeIn,
        responses={200: AddedChargeOut, 201: AddedChargeOut},
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Charge an account for something once.

        201: it is charged. 200: it was already, or with `dry_run=true` nothing is stored and
        `foreseen` says where it would come.
        """
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        is_dry_run = parameters["dry_run"]
        values = read_body(request, ChargeIn)
        account_id = cast(UUID, referred(actor, values, "account", refusal=InvalidBody))
        added = add_charge(
            actor,
            account_id,
            _wanted(actor, values),
            is_dry_run=is_dry_run,
            today=actor.today,
            now=timezone.now(),
        )
        if not added.is_new:
            return Response(AddedChargeOut(_shown(actor, get_charge(actor, added.charge.pk))).data)
        outlook = (
            charge_outlook(actor, added.row, tenant=request.tenant)
            if is_dry_run and added.row is not None
            else None
        )
        sentence = explanation_of(actor, added.charge)
        shown = AddedChargeOut(ChargeShown(added.charge, None, None, sentence, outlook)).data
        if is_dry_run:
            return Response(shown)
        address = request.build_absolute_uri(f"{request.path}/{added.charge.public_id}")
        return Response(shown, status=201, headers={"Location": address})


class ChargeDetail(ActorView):
    """``GET /api/v1/charges/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}

    @extend_schema(operation_id="get_charge", responses=ChargeOut)
    def get(self, request: ActorApiRequest, charge: str) -> HttpResponseBase:
        """Show a charge, where it stands and why."""
        self.parameters(request, NoParameters)
        return tagged(request, charge_detail(request.actor, key_of("chg", charge)))


class ChargeCancellation(ActorView):
    """``POST /api/v1/charges/{id}/cancellation``."""

    scopes: ClassVar = {"POST": Action.EDIT_CHARGE}

    @extend_schema(operation_id="cancel_charge", request=None, responses=ChargeOut)
    def post(self, request: ActorApiRequest, charge: str) -> Response:
        """Take back what was to be charged once, while it stands on no document.

        Answers with the charge as it was; it is gone then.
        """
        self.parameters(request, NoParameters)
        actor, key = request.actor, key_of("chg", charge)
        gone = cancel_charge(
            actor,
            key,
            require_seen=lambda: require_match(request, lambda: charge_detail(actor, key)),
            now=timezone.now(),
        )
        shown = ChargeShown(gone, None, None, explanation_of(actor, gone))
        return Response(ChargeOut(shown).data)


def charge_detail(actor: Actor, charge_id: UUID) -> dict[str, Any]:
    """Return a charge as it goes out.

    Raises:
        NotFound: it is not there, or out of reach.
    """
    return dict(ChargeOut(_shown(actor, get_charge(actor, charge_id))).data)


def _shown(actor: Actor, charge: Any) -> ChargeShown:
    return ChargeShown(charge, charge.invoice_id, charge.line_id, explanation_of(actor, charge))


def _wanted(actor: Actor, values: Mapping[str, Any]) -> NewCharge:
    """Return the charge that a body says.

    Raises:
        InvalidBody: it names a price or a subscription that is unknown.
    """
    return NewCharge(
        first_day=values["first_day"],
        last_day=values.get("last_day"),
        quantity=values.get("quantity", Decimal(1)),
        price_id=_price_id(actor, values),
        description=values.get("description", ""),
        unit=values.get("unit", ""),
        unit_amount=values.get("unit_amount"),
        currency=values.get("currency", ""),
        tax_class=values.get("tax_class", TaxClass.STANDARD.value),
        subscription_id=_subscription_id(actor, values),
        po_number=values.get("po_number", ""),
        external_id=values.get("external_id"),
        is_billed_now=values.get("bill_now", False),
    )


def _price_id(actor: Actor, values: Mapping[str, Any]) -> UUID | None:
    if "price" not in values:
        return None
    try:
        return price_key(actor, values["price"])
    except NotFound:
        detail = _("There is no such price.")
        raise InvalidBody(errors=[FieldError("not_found", detail, "/price")]) from None


def _subscription_id(actor: Actor, values: Mapping[str, Any]) -> UUID | None:
    named = values.get("subscription")
    if named is None:
        return None
    try:
        return get_subscription(actor, named, today=actor.today).pk
    except NotFound:
        detail = _("There is no such subscription.")
        raise InvalidBody(errors=[FieldError("not_found", detail, "/subscription")]) from None


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
