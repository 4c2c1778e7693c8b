"""``/api/v1/invoices`` and ``/api/v1/lines``: invoices and explained lines."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.serializers.parts import NoParameters
from billing_rules.invoice_states import AGREED
from invoicing.models import Invoice, InvoiceTax
from invoicing.operations.runs.approving import issue_invoice
from invoicing.operations.runs.discarding import discard_drafts
from invoicing.queries import invoice_parts, invoices
from invoicing.queries.runs import has_run
from invoicing.serializers.charges import ExplanationOut
from invoicing.serializers.invoices import (
    ExpandedInvoiceOut,
    InvoiceDetailOut,
    InvoiceDetailParameters,
    InvoiceLineOut,
    InvoiceOut,
    InvoiceParameters,
    InvoiceSectionOut,
    InvoiceShown,
    IssuanceIn,
    WithdrawalIn,
    WithdrawalOut,
)
from tenancy import clock
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidParameters, read_body
from tenancy.errors import FieldError, NotFound
from tenancy.ids import key_of, parse_public_id
from tenancy.queries.paging import Order

EXPANDABLE = frozenset({"sections", "lines", "sections.lines"})


class InvoiceList(ActorView):
    """``GET /api/v1/invoices``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}
    keyset: ClassVar = Order("issue_date", is_falling=True)

    @extend_schema(
        operation_id="list_invoices",
        parameters=[InvoiceParameters],
        responses=InvoiceOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List invoices: unissued ones first, then the latest first."""
        actor, values = request.actor, self.parameters(request, InvoiceParameters)
        found = invoices.invoices(
            actor,
            within=referred(actor, values, "in", Action.VIEW_INVOICE),
            bill_to=referred(actor, values, "bill_to", Action.VIEW_INVOICE),
            payer=referred(actor, values, "payer", Action.VIEW_INVOICE),
            status=None if values.get("status") in AGREED else values.get("status"),
            kind=values.get("kind"),
            corrects=_corrected_id(actor, values),
            run=_run_id(actor, values),
            currency=values.get("currency"),
            text=values.get("q"),
            today=actor.today,
        )
        if values.get("status") in AGREED:
            found = found.none()
        shown = [_shown(invoice) for invoice in self.page(found, request)]
        return self.listed(many(InvoiceOut, shown))


def _corrected_id(actor: Actor, values: Mapping[str, Any]) -> UUID | None:
    if "corrects" not in values:
        return None
    try:
        return invoices.get_invoice(actor, key_of("inv", values["corrects"])).pk
    except NotFound:
        wrong = FieldError("not_found", _("There is no such invoice."), "/corrects")
        raise InvalidParameters(errors=[wrong]) from None


def _run_id(actor: Actor, values: Mapping[str, Any]) -> UUID | None:
    if "run" not in values:
        return None
    run_id = parse_public_id("run", values["run"])
    if run_id is None or not has_run(actor, run_id):
        wrong = FieldError("not_found", _("There is no such run."), "/run")
        raise InvalidParameters(errors=[wrong])
    return run_id


def _shown(invoice: Any, tax: Sequence[InvoiceTax] = ()) -> InvoiceShown:
    """Return an invoice of the queries without what an extract leaves out (R31)."""
    amounts = (invoice.shown_net_minor, invoice.shown_tax_minor, invoice.shown_gross_minor)
    if not invoice.whole:
        return InvoiceShown(invoice, *amounts, partial=True)
    return InvoiceShown(
        invoice,
        *amounts,
        status=invoice.status,
        payer=invoice.payer,
        paid_minor=invoice.paid_minor,
        credited_minor=invoice.credited_minor,
        corrected_minor=invoice.corrected_minor,
        open_minor=invoice.shown_open_minor,
        tax=tax,
    )


class InvoiceDetail(ActorView):
    """``GET /api/v1/invoices/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}

    @extend_schema(
        operation_id="get_invoice",
        parameters=[InvoiceDetailParameters],
        responses=ExpandedInvoiceOut,
    )
    def get(self, request: ActorApiRequest, invoice: str) -> HttpResponseBase:
        """Show an invoice; sections and lines with `expand`."""
        actor, values = request.actor, self.parameters(request, InvoiceDetailParameters)
        expand = _expansions(values.get("expand", ""))
        found = invoices.get_invoice(actor, key_of("inv", invoice))
        body = _detail(actor, found)
        if not expand:
            return tagged(request, body)
        sections = _sections(actor, found, with_lines=expand == "lines")
        return tagged(request, body, {"sections": sections})


def _detail(actor: Actor, invoice: Any) -> dict[str, Any]:
    shown = _shown(invoice, invoice_parts.taxes_of(actor, invoice))
    return dict(InvoiceDetailOut(shown).data)


def require_seen(request: ActorApiRequest, invoice_id: UUID) -> Mapping[str, Any] | None:
    """Return an invoice as it goes out where the caller says by ``If-Match`` to have seen it.

    Raises:
        NotFound: there is none in sight.
        PreconditionFailed: it is not as it was seen.
    """
    actor = request.actor
    return require_match(request, lambda: _detail(actor, invoices.get_invoice(actor, invoice_id)))


class InvoiceIssuance(ActorView):
    """``POST /api/v1/invoices/{id}/issuance``."""

    scopes: ClassVar = {"POST": Action.ISSUE_INVOICE}

    @extend_schema(operation_id="issue_invoice", request=IssuanceIn, responses=InvoiceDetailOut)
    def post(self, request: ActorApiRequest, invoice: str) -> HttpResponseBase:
        """Issue a draft exactly as it was shown: it takes its number and is frozen."""
        actor = request.actor
        self.parameters(request, NoParameters)
        values = read_body(request, IssuanceIn)
        key = key_of("inv", invoice)
        seen = require_seen(request, key) or {}
        issued = issue_invoice(
            actor,
            key,
            # What was seen holds until it is issued, not only until here.
            content_hash=values.get("content_hash", seen.get("content_hash")),
            today=actor.today,
            now=clock.now_of(request.tenant),
        )
        return tagged(request, _detail(actor, invoices.get_invoice(actor, issued.pk)))


class InvoiceWithdrawal(ActorView):
    """``POST /api/v1/invoices/{id}/withdrawal``."""

    scopes: ClassVar = {"POST": Action.ISSUE_INVOICE}

    @extend_schema(operation_id="withdraw_draft", request=WithdrawalIn, responses=WithdrawalOut)
    def post(self, request: ActorApiRequest, invoice: str) -> Response:
        """Take a draft back: its charges wait again, or are held until they are released."""
        actor = request.actor
        self.parameters(request, NoParameters)
        values = read_body(request, WithdrawalIn)
        key = key_of("inv", invoice)
        count = discard_drafts(
            actor,
            [key],
            reason=values["reason"],
            hold=values["hold"],
            until=values.get("until"),
            require_seen=lambda: require_seen(request, key),
            today=actor.today,
            now=clock.now_of(request.tenant),
        )
        return Response(WithdrawalOut({"charges": count}).data)


def _expansions(text: str) -> str:
    """Return the deepest part that is to be shown too: ``lines``, ``sections`` or nothing.

    Raises:
        InvalidParameters: something else is named.
    """
    wanted = {name for name in text.split(",") if name}
    if wanted - EXPANDABLE:
        detail = _("Only sections and lines can be expanded.")
        raise InvalidParameters(errors=[FieldError("unknown_expansion", detail, "/expand")])
    if wanted - {"sections"}:
        return "lines"
    return "sections" if wanted else ""


def _sections(actor: Actor, invoice: Invoice, *, with_lines: bool) -> list[dict[str, Any]]:
    sections = invoice_parts.sections_of(actor, invoice)
    shown = [dict(row) for row in many(InvoiceSectionOut, sections)]
    if with_lines:
        by_section = defaultdict(list)
        for line in invoice_parts.lines_of(actor, invoice):
            by_section[line.section_id].append(line)
        for row, section in zip(shown, sections, strict=True):
            row["lines"] = many(InvoiceLineOut, by_section[section.pk])
    return shown


class LineExplanation(ActorView):
    """``GET /api/v1/lines/{id}/explanation``."""

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}

    @extend_schema(operation_id="explain_line", responses=ExplanationOut)
    def get(self, request: ActorApiRequest, line: str) -> HttpResponseBase:
        """Show rule by rule how a line came about, and why it stands here."""
        self.parameters(request, NoParameters)
        found = invoice_parts.explanation(request.actor, key_of("lin", line))
        return tagged(request, ExplanationOut(found).data)
