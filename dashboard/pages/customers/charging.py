"""Charging an account for something once, on screen; and taking that back."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account, SettingName
from accounts.queries.effective_settings import settings_of
from accounts.queries.paths import path_of
from accounts.versions import ChangedMeanwhile, version_of
from billing_rules.money import CURRENCIES
from billing_rules.tax_rates import TaxClass
from dashboard.pages.charges.table import is_cancellable, linked_why
from invoicing.operations.charges.adding import Added, AlreadyCharged, add_charge
from invoicing.operations.charges.cancelling import cancel_charge
from invoicing.operations.charges.wanting import (
    LONGEST_DESCRIPTION,
    LONGEST_PO_NUMBER,
    ONCE,
    NewCharge,
)
from invoicing.queries.charge_outlook import ChargeOutlook, charge_outlook
from invoicing.queries.charges import get_charge
from invoicing.words.charges import named_as
from subscriptions.models.limits import (
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.queries.catalogue import get_price, prices
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import date_text, period_text
from tenancy.ids import key_of
from tenancy.models import Tenant
from web.accounts import account_url, steps_to
from web.form_keys import fresh_key, key_in
from web.forms import version_seen, version_to_carry
from web.offering import offered
from web.page_heads import Crumb, Fact
from web.prices import TAX_CLASSES, price_in_words
from web.session_checks import staff_only
from web.templatetags.figures import money

_MOST_PRICES: Final = 1_000
_INPUT: Final = {"class": "input"}
_WAITS: Final = {
    "bill_to_incomplete": gettext_lazy("It waits: the recipient's address is not complete."),
    "glyphs_missing": gettext_lazy("It waits: no font can show some of its signs."),
    "negative_total": gettext_lazy("It waits: the total is negative and goes on the next invoice."),
    "run_date_before_last_issue": gettext_lazy(
        "It waits: an invoice with a later date was issued."
    ),
    "tax_rate_unknown": gettext_lazy("It waits: the seller has no tax rate for its last day."),
}


def _number(label: Any, digits: int, decimals: int, **options: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_digits=digits + decimals,
        decimal_places=decimals,
        localize=True,
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal", "autocomplete": "off"}),
        **options,
    )


def _day(label: Any, **options: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={**_INPUT, "type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


def _text(label: Any, longest: int, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=longest,
        required=False,
        widget=forms.TextInput(attrs={**_INPUT, "autocomplete": "off"}),
        **options,
    )


class ChargeForm(forms.Form):
    """What is charged, for which days, and when it is invoiced."""

    price = forms.ChoiceField(
        label=gettext_lazy("Price of the catalogue (optional)"),
        help_text=gettext_lazy("It says amount, currency and tax; otherwise they stand below."),
        required=False,
        widget=forms.Select(attrs=_INPUT),
    )
    description = _text(
        gettext_lazy("Charged for"),
        LONGEST_DESCRIPTION,
        help_text=gettext_lazy("As it stands on the invoice; empty: the name of the price."),
    )
    quantity = _number(gettext_lazy("Quantity"), QUANTITY_DIGITS, QUANTITY_DECIMALS, initial=1)
    unit_amount = _number(
        gettext_lazy("Amount of one, net"), PRICE_DIGITS, PRICE_DECIMALS, required=False
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"), required=False, widget=forms.Select(attrs=_INPUT)
    )
    tax_class = forms.ChoiceField(
        label=gettext_lazy("Tax"),
        required=False,
        choices=[(key.value, word) for key, word in TAX_CLASSES.items()],
        widget=forms.Select(attrs=_INPUT),
    )
    first_day = _day(gettext_lazy("Day of the service, or the first one"))
    last_day = _day(
        gettext_lazy("Last day (optional)"),
        help_text=gettext_lazy("The amount is charged whole, however many days it is for."),
        required=False,
    )
    po_number = _text(gettext_lazy("Purchase order (optional)"), LONGEST_PO_NUMBER)
    bill_now = forms.BooleanField(
        label=gettext_lazy("Invoice it at once"),
        help_text=gettext_lazy("Otherwise it waits for the recipient's billing day."),
        required=False,
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Offer prices at which something is charged once. One statement."""
        super().__init__(*args, **kwargs)
        sold = prices(actor, is_sold=True).filter(model__in=ONCE)
        by_product = sold.order_by("product__name", "name", "id")
        found = offered(self.fields["price"], by_product, _MOST_PRICES)
        self._choose("price", [("", "–"), *((p.public_id, price_in_words(p)) for p in found)])
        self._choose("currency", [(code, code) for code in sorted(CURRENCIES)])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
        field.choices = choices

    def wanted(self, actor: Actor, key: UUID | None) -> NewCharge:
        """Return the charge that the form says; amounts beside a price are left out."""
        chosen = self.cleaned_data
        price = get_price(actor, chosen["price"]) if chosen["price"] else None
        return NewCharge(
            first_day=chosen["first_day"],
            last_day=chosen["last_day"],
            quantity=chosen["quantity"],
            price_id=None if price is None else price.pk,
            description=chosen["description"],
            unit_amount=chosen["unit_amount"] if price is None else None,
            currency=chosen["currency"] if price is None else "",
            tax_class=chosen["tax_class"] or TaxClass.STANDARD,
            po_number=chosen["po_number"],
            is_billed_now=chosen["bill_now"],
            key=key,
        )


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def add_charge_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Ask what an account is charged for, and say what comes of it; POST charges it."""
    actor, path = request.actor, path_of(request.actor, key_of("acc", account_id))
    account = path[-1]
    access.require_everywhere(actor, Action.EDIT_CHARGE)
    if request.method == "POST":
        form = ChargeForm(request.POST, actor=actor)
        key = key_in(actor, request.POST.get("key", ""))
        if key is None:
            form.add_error(None, _("This form is too old. Please send it once more."))
        try:
            added = _tried(actor, account, form, is_dry_run=key is None, key=key)
        except AlreadyCharged as refusal:
            messages.info(request, refusal.detail)
            return redirect(account_url(account.pk, "charges"))
        if added is not None and key is not None:
            messages.success(request, _added(added))
            return redirect(account_url(account.pk, "charges"))
        return _page(request, path, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.headers.get("HX-Request"):
        form = ChargeForm(request.GET, actor=actor)
        added = _tried(actor, account, form, is_dry_run=True)
        context = {
            "facts": [] if added is None else _facts(actor, added, request.tenant),
            "errors": [str(error) for some in form.errors.values() for error in some],
        }
        return render(request, "customers/_charge_preview.html", context)
    currency = _currency_of(actor, account)
    initial = {"first_day": actor.today, "currency": currency, "tax_class": TaxClass.STANDARD}
    return _page(request, path, ChargeForm(initial=initial, actor=actor))


def _currency_of(actor: Actor, account: Account) -> str:
    """Return the currency that an account has. Five statements."""
    return str(settings_of(actor, account.pk, actor.today)[SettingName.CURRENCY].value or "")


def _added(added: Added) -> str:
    values = {
        "name": named_as(added.charge.kind, added.charge.calculation),
        "date": date_text(added.charge.invoice_on),
    }
    return _("“%(name)s” is charged. The run of %(date)s puts it on an invoice.") % values


def _tried(
    actor: Actor,
    account: Account,
    form: ChargeForm,
    *,
    is_dry_run: bool,
    key: UUID | None = None,
) -> Added | None:
    """Charge it, or try to; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    try:
        return add_charge(
            actor,
            account.pk,
            form.wanted(actor, key),
            is_dry_run=is_dry_run,
            today=actor.today,
            now=timezone.now(),
        )
    except AlreadyCharged:
        raise
    except (Conflict, Invalid) as refusal:
        for error in refusal.errors:
            name = error.pointer.rpartition("/")[2]
            form.add_error(name if name in form.fields else None, error.detail)
        if not refusal.errors:
            form.add_error(None, refusal.detail)
    return None


def _facts(actor: Actor, added: Added, tenant: Tenant) -> list[Fact]:
    """Return on which document a charge comes, of whom, when, and what it comes to."""
    charge = added.charge
    facts = [
        Fact(_("Net"), money(charge.net_minor, charge.currency)),
        Fact(_("Due"), date_text(charge.due_date)),
    ]
    outlook = None if added.row is None else charge_outlook(actor, added.row, tenant=tenant)
    if outlook is None:
        return [*facts, Fact(_("Run that takes it"), date_text(charge.invoice_on))]
    facts.append(Fact(_("Invoice of"), date_text(outlook.day)))
    return [*facts, *_document_facts(outlook, charge.net_minor, charge.currency)]


def _document_facts(outlook: ChargeOutlook, net_minor: int, currency: str) -> list[Fact]:
    facts = []
    if outlook.bill_to is not None:
        facts.append(Fact(_("Invoiced to"), outlook.bill_to.name))
    if outlook.payer is not None and outlook.payer != outlook.bill_to:
        facts.append(Fact(_("Paid by"), outlook.payer.name))
    if outlook.waits_for:
        waits = _WAITS.get(outlook.waits_for, _("It waits: the document would be too large."))
        return [*facts, Fact(_("Then"), str(waits))]
    return [
        *facts,
        Fact(_("Gross"), money(net_minor + outlook.tax_minor, currency)),
        Fact(_("That invoice, gross"), money(outlook.document_gross_minor, currency)),
    ]


def _page(
    request: ActorRequest,
    path: list[Account],
    form: ChargeForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    carried, account = request.POST.get("key", ""), path[-1]
    context = {
        "form": form,
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "account": account,
        "back_url": account_url(account.pk, "charges"),
        "url": account_url(account.pk, "add_charge"),
        "steps": [
            *steps_to(path)[:-1],
            Crumb(account.name, account_url(account.pk)),
            Crumb(_("Add a charge")),
        ],
        "scope_name": account.name,
    }
    return render(request, "customers/add_charge.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def cancel_charge_page(request: ActorRequest, account_id: str, charge_id: str) -> HttpResponse:
    """Ask whether something is not to be charged after all; POST takes it back."""
    actor, key = request.actor, key_of("chg", charge_id)
    access.require_everywhere(actor, Action.EDIT_CHARGE)
    charge = get_charge(actor, key)
    if charge.account_id != key_of("acc", account_id):
        raise NotFound
    back = account_url(charge.account_id, "charges")
    if request.method != "POST":
        return _ask(request, charge)

    def require_seen() -> None:
        if version_seen(request) != version_of(shown_of(get_charge(actor, key))):
            raise ChangedMeanwhile

    try:
        gone = cancel_charge(actor, key, require_seen=require_seen, now=timezone.now())
    except Conflict as refusal:
        return _ask(request, get_charge(actor, key), refusal=refusal)
    name = named_as(gone.kind, gone.calculation)
    messages.success(request, _("“%(name)s” is not charged any more.") % {"name": name})
    return redirect(back)


def shown_of(charge: Any) -> dict[str, object]:
    """Return all that the page says of a charge which it asks about."""
    return {
        "name": named_as(charge.kind, charge.calculation),
        "net": charge.net_minor,
        "account": charge.account_id,
        "invoice_on": charge.invoice_on,
        "status": charge.status,
        "invoice": charge.invoice_id,
    }


def _ask(request: ActorRequest, charge: Any, refusal: Conflict | None = None) -> HttpResponse:
    status = HTTPStatus.OK if refusal is None else HTTPStatus.CONFLICT
    name = named_as(charge.kind, charge.calculation)
    account = charge.account
    context = {
        "title": _("Cancel “%(name)s”?") % {"name": name},
        "facts": [
            Fact(_("Account"), account.name, account_url(account.pk)),
            Fact(_("Net"), money(charge.net_minor, charge.currency)),
            Fact(_("Days"), period_text(charge.period_start, charge.period_end)),
            Fact(_("To be invoiced on"), date_text(charge.invoice_on)),
        ],
        "why": linked_why(request.actor, charge),
        "is_cancellable": is_cancellable(charge),
        "version": version_to_carry(request, shown_of(charge), status=status),
        "is_conflict": isinstance(refusal, ChangedMeanwhile),
        "refusal": "" if refusal is None else refusal.detail,
        "back_url": account_url(account.pk, "charges"),
        "steps": [
            *steps_to(path_of(request.actor, account.pk))[:-1],
            Crumb(account.name, account_url(account.pk)),
            Crumb(_("Charges"), account_url(account.pk, "charges")),
            Crumb(_("Cancel")),
        ],
        "scope_name": account.name,
    }
    return render(request, "customers/cancel_charge.html", context, status=status)
