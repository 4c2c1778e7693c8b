"""A seller's bank accounts for other currencies than its own: adding, changing, removing one."""

from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Seller
from accounts.operations.bank_accounts import (
    InvalidBankAccount,
    remove_bank_account,
    set_bank_account,
)
from accounts.queries.sellers import bank_accounts_of, get_seller
from accounts.versions import ChangedMeanwhile, bank_account_shown
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of
from web.forms import differences, password_field, version_seen, version_to_carry
from web.page_heads import Crumb
from web.reauthentication import refusal_of_password
from web.session_checks import staff_only

_BANK: Final[dict[str, Any]] = {
    "iban": gettext_lazy("IBAN"),
    "bic": gettext_lazy("BIC"),
    "bank_name": gettext_lazy("Bank"),
}


class BankAccountForm(forms.Form):
    """What is printed of an account, as plain text: the operation judges it."""

    def __init__(self, *args: Any, with_currency: bool, **kwargs: Any) -> None:
        """Make a field of each; the currency of one that is there already stays."""
        super().__init__(*args, **kwargs)
        labels = {"currency": gettext_lazy("Currency (three letters)")} if with_currency else {}
        for name, label in {**labels, **_BANK}.items():
            widget = forms.TextInput(attrs={"class": "input", "autocomplete": "off"})
            self.fields[name] = forms.CharField(
                label=label, required=False, max_length=1_000, widget=widget
            )
        self.fields["password"] = password_field()


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def add_bank_account(request: ActorRequest, seller_id: str) -> HttpResponse:
    """Show an empty form; POST names an account for a currency."""
    seller = _editable(request.actor, seller_id)
    if request.method != "POST":
        return _form(request, seller, BankAccountForm(with_currency=True))
    form = BankAccountForm(request.POST, with_currency=True)
    try:
        if form.is_valid() and _saved(request, seller, form, form.cleaned_data["currency"]):
            return _done(request, seller)
    except ChangedMeanwhile:
        return _form(request, seller, form, status=HTTPStatus.CONFLICT)
    return _form(request, seller, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def edit_bank_account(request: ActorRequest, seller_id: str, currency: str) -> HttpResponse:
    """Show the account of a currency; POST changes it, or removes it where that was pressed."""
    actor = request.actor
    seller = _editable(actor, seller_id)
    account = bank_accounts_of(actor, seller).filter(currency=currency).first()
    if request.method != "POST":
        if account is None:
            raise NotFound
        initial = {name: getattr(account, name) for name in _BANK}
        form = BankAccountForm(initial=initial, with_currency=False)
        return _form(request, seller, form, currency)
    form = BankAccountForm(request.POST, with_currency=False)
    try:
        if form.is_valid() and _saved(request, seller, form, currency):
            return _done(request, seller)
    except ChangedMeanwhile:
        return _form(request, seller, form, currency, status=HTTPStatus.CONFLICT)
    return _form(request, seller, form, currency, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _editable(actor: Actor, seller_id: str) -> Seller:
    seller = get_seller(actor, key_of("sel", seller_id))
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    return seller


def _saved(request: ActorRequest, seller: Seller, form: BankAccountForm, currency: str) -> bool:
    """Change or remove the account; a refusal goes to the fields it names."""
    actor, version = request.actor, version_seen(request)
    if wrong := refusal_of_password(request):
        form.add_error("password", wrong)
        return False
    if "remove" in request.POST and "currency" not in form.fields:
        remove_bank_account(actor, seller.pk, currency, version=version, now=timezone.now())
        return True
    values = {name: form.cleaned_data[name] for name in _BANK}
    try:
        set_bank_account(actor, seller.pk, currency, version=version, now=timezone.now(), **values)
    except InvalidBankAccount as refusal:
        for error in refusal.errors:
            name = error.pointer.removeprefix("/")
            form.add_error(name if name in form.fields else None, error.detail)
        return False
    return True


def _done(request: ActorRequest, seller: Seller) -> HttpResponse:
    messages.success(request, _("Saved. Issued invoices keep what they were issued with."))
    return redirect("settings:seller", seller.public_id)


def _form(
    request: ActorRequest,
    seller: Seller,
    form: BankAccountForm,
    currency: str = "",
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = (
        _("Bank account for %(currency)s") % {"currency": currency}
        if currency
        else _("Add a bank account")
    )
    named = currency or str(form["currency"].value() or "").strip().upper()
    held = bank_accounts_of(request.actor, seller).filter(currency=named).first()
    # A new one has empty fields, whatever there is: so nobody overwrites one unseen.
    is_first = not currency and status != HTTPStatus.CONFLICT
    stored = bank_account_shown(None if is_first else held)
    context = {
        "form": form,
        "version": version_to_carry(request, stored, status=status),
        "conflict": differences(form, _BANK, stored) if status == HTTPStatus.CONFLICT else None,
        "title": title,
        "currency": currency,
        "seller_id": seller.public_id,
        "crumbs": [
            Crumb(_("Company details"), reverse("settings:sellers")),
            Crumb(seller.name, reverse("settings:seller", args=[seller.public_id])),
            Crumb(title),
        ],
    }
    return render(request, "settings/bank_account_form.html", context, status=status)
