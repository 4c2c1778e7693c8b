"""Correcting an invoice on screen: what is taken back and why, and what that does, before it is."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile, version_of
from billing_rules.corrections import LONGEST_REASON
from billing_rules.money import exponent, to_minor
from invoicing.models import Invoice, InvoiceLine, InvoiceSection
from invoicing.operations.correcting import Correction, correct_invoice
from invoicing.operations.wanting_corrections import (
    AlreadyCorrected,
    NewCorrection,
)
from invoicing.queries import invoice_parts as parts
from invoicing.queries.invoices import get_invoice, is_correctable
from invoicing.tasks import render_soon
from tenancy import clock
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import period_text
from tenancy.ids import key_of, parse_public_id, public_id
from web.badges import state_word
from web.form_keys import fresh_key, key_in
from web.forms import version_seen, version_to_carry
from web.invoices.head import path_of
from web.page_heads import Fact
from web.session_checks import staff_only
from web.templatetags.figures import money, percent

_INPUT: Final = {"class": "input"}
_MOST_SECTIONS: Final = 200
_MOST_LINES: Final = 60
_DIGITS: Final = 18


class CorrectionForm(forms.Form):
    """What is taken back of an invoice, and why."""

    section = forms.ChoiceField(
        label=gettext_lazy("What is taken back"),
        required=False,
        widget=forms.Select(attrs=_INPUT),
    )
    lines = forms.MultipleChoiceField(
        label=gettext_lazy("Only these lines (optional)"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Net amount (optional)"),
        help_text=gettext_lazy(
            "Shared over what is left of each line; empty: all that is left of it."
        ),
        required=False,
        min_value=Decimal(0),
        max_digits=_DIGITS,
        localize=True,
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stands on the document, for the customer to read."),
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={**_INPUT, "autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,
        invoice: Invoice,
        sections: list[InvoiceSection],
        lines: list[InvoiceLine],
        **kwargs: Any,
    ) -> None:
        """Offer the sections, and the lines where they are few."""
        super().__init__(*args, **kwargs)
        self._currency = invoice.currency
        offered = [("", _("The whole invoice"))]
        if len(sections) > 1:
            offered += [_section_choice(one, invoice.currency) for one in sections[:_MOST_SECTIONS]]
        chosen = self.data.get("section") or self.initial.get("section") or ""
        beyond = [one for one in sections[_MOST_SECTIONS:] if _key(one) == chosen]
        offered += [_section_choice(one, invoice.currency) for one in beyond]
        _choose(self.fields["section"], offered)
        _choose(self.fields["lines"], [_line_choice(one, invoice.currency) for one in lines])
        amount = self.fields["amount"]
        assert isinstance(amount, forms.DecimalField)  # noqa: S101 - for the checker of types
        amount.decimal_places = exponent(invoice.currency)
        amount.validators = forms.DecimalField(
            max_digits=_DIGITS, decimal_places=exponent(invoice.currency), min_value=Decimal(0)
        ).validators

    def wanted(self, key: UUID | None) -> NewCorrection:
        """Return the correction that the form says; lines that are ticked go before a section."""
        chosen = self.cleaned_data
        line_ids = tuple(key_of("lin", text) for text in chosen["lines"])
        section = None if line_ids else parse_public_id("acc", chosen["section"])
        amount = chosen["amount"]
        return NewCorrection(
            reason=chosen["reason"],
            account_id=section,
            line_ids=line_ids,
            amount_minor=None if amount is None else to_minor(amount, self._currency),
            key=key,
        )


def _choose(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
    field.choices = choices


def _key(section: InvoiceSection) -> str:
    return public_id("acc", section.account_id)


def _section_choice(section: InvoiceSection, currency: str) -> tuple[str, str]:
    name = " › ".join(section.path) or section.account.name
    values = {"name": name, "net": money(section.net_minor, currency)}
    return _key(section), _("%(name)s: %(net)s net") % values


def _line_choice(line: InvoiceLine, currency: str) -> tuple[str, str]:
    values = {
        "description": line.description,
        "period": period_text(line.period_start, line.period_end),
        "net": money(line.net_minor, currency),
    }
    return line.public_id, _("%(description)s, %(period)s: %(net)s net") % values


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def correct_page(request: ActorRequest, invoice_id: str) -> HttpResponse:
    """Ask what is taken back, and say what comes of it; POST issues the credit note."""
    actor, key = request.actor, key_of("inv", invoice_id)
    invoice: Any = get_invoice(actor, key)
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    if not is_correctable(invoice):
        messages.info(request, _("Nothing of this document can be taken back."))
        return redirect("invoices:page", invoice.public_id)
    if request.method == "POST":
        return _answered(request, invoice)
    if request.headers.get("HX-Request"):
        form = _form(request, invoice, request.GET)
        made = _tried(request, invoice, form, is_dry_run=True)
        context = {
            "facts": [] if made is None else facts_of(made),
            "errors": [str(error) for some in form.errors.values() for error in some],
        }
        return render(request, "invoices/_correction_preview.html", context)
    return _page(request, invoice, _form(request, invoice, None))


def _answered(request: ActorRequest, invoice: Any) -> HttpResponse:
    form = _form(request, invoice, request.POST)
    key = key_in(request.actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    try:
        made = _tried(request, invoice, form, is_dry_run=key is None, key=key)
    except AlreadyCorrected as refusal:
        messages.info(request, refusal.detail)
        return redirect("invoices:page", invoice.public_id)
    except ChangedMeanwhile as refusal:
        fresh: Any = get_invoice(request.actor, invoice.pk)
        form.add_error(None, refusal.detail)
        return _page(request, fresh, form, status=HTTPStatus.CONFLICT)
    if made is None or key is None:
        return _page(request, invoice, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    render_soon(request.actor, made.note.pk)
    values = {"number": made.note.number, "invoice": invoice.number}
    messages.success(request, _("%(number)s is issued and corrects %(invoice)s.") % values)
    return redirect("invoices:page", made.note.public_id)


def _form(request: ActorRequest, invoice: Any, data: Any) -> CorrectionForm:
    lines = parts.few_lines_of(request.actor, invoice, most=_MOST_LINES) or []
    return CorrectionForm(
        data,
        initial={"section": request.GET.get("section", "")},
        invoice=invoice,
        sections=parts.sections_of(request.actor, invoice),
        lines=[line for line in lines if line.net_minor],
    )


def _shown(invoice: Any) -> dict[str, object]:
    """Return what a credit note changes of an invoice: who sees other figures is asked again."""
    names = ("paid_minor", "credited_minor", "corrected_minor")
    return {name: getattr(invoice, name) for name in names}


def _tried(
    request: ActorRequest,
    invoice: Any,
    form: CorrectionForm,
    *,
    is_dry_run: bool,
    key: UUID | None = None,
) -> Correction | None:
    """Correct it, or try to; what is refused stands at the fields."""
    actor = request.actor
    if not form.is_valid():
        return None

    def require_seen() -> None:
        if version_seen(request) != version_of(_shown(get_invoice(actor, invoice.pk))):
            raise ChangedMeanwhile

    try:
        return correct_invoice(
            actor,
            invoice.pk,
            form.wanted(key),
            is_dry_run=is_dry_run,
            require_seen=None if is_dry_run else require_seen,
            today=actor.today,
            now=clock.now_of(request.tenant),
        )
    except (AlreadyCorrected, ChangedMeanwhile):
        raise
    except (Conflict, Invalid) as refusal:
        for error in refusal.errors:
            name = error.pointer.strip("/").partition("/")[0].removesuffix("_minor")
            form.add_error(name if name in form.fields else None, error.detail)
        if not refusal.errors:
            form.add_error(None, refusal.detail)
    except NotFound:
        form.add_error(None, _("This invoice has no such line."))
    return None


def facts_of(made: Correction) -> list[Fact]:
    """Return what a credit note says, and what it does to its invoice and for who paid."""
    note, invoice = made.note, made.invoice
    open_minor = invoice.open_minor - (0 if made.is_issued else made.credited_minor)

    def said(minor: int) -> str:
        return money(minor, note.currency)

    facts = [
        Fact(_("Net"), said(note.net_minor)),
        *(
            Fact(_("VAT %(rate)s") % {"rate": percent(tax.rate)}, said(tax.tax_minor))
            for tax in made.taxes
        ),
        Fact(_("Gross"), said(note.gross_minor)),
    ]
    if len(made.sections) > 1:
        facts.append(Fact(_("Accounts"), str(len(made.sections))))
    if made.credited_minor:
        facts.append(Fact(_("Lowers what is open by"), said(made.credited_minor)))
    if made.balance_minor:
        payer = str((invoice.snapshot.get("payer") or {}).get("name") or "")
        text = _("%(amount)s, kept for %(payer)s")
        values = {"amount": said(made.balance_minor), "payer": payer}
        facts.append(Fact(_("Credit of who paid"), text % values))
    facts.append(Fact(_("Open afterwards"), said(open_minor)))
    return facts


def _page(
    request: ActorRequest,
    invoice: Any,
    form: CorrectionForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    carried = request.POST.get("key", "")
    is_known = key_in(request.actor, carried) is not None
    context = {
        "form": form,
        "key": carried if is_known else fresh_key(request.actor),
        "version": version_to_carry(request, _shown(invoice), status=status),
        "invoice_id": invoice.public_id,
        "number": invoice.number,
        "state": state_word(invoice.status),
        "gross": money(invoice.gross_minor, invoice.currency),
        "taken": money(invoice.corrected_minor, invoice.currency)
        if invoice.corrected_minor
        else "",
        "open": money(invoice.open_minor, invoice.currency),
        "steps": path_of(request, invoice, _("Correct")),
    }
    return render(request, "invoices/correct.html", context, status=status)
