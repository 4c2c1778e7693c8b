"""The tenant's legal entities: what invoices print of them, their numbers, and changing it."""

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
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Seller
from accounts.operations.sellers import InvalidSeller, SellerFields, update_seller
from accounts.queries.sellers import bank_accounts_of, changes_of, get_seller, sellers
from accounts.versions import ChangedMeanwhile, seller_shown
from invoicing.models import DocumentKind
from invoicing.queries.series import SeriesReport, series_of
from tenancy.ids import key_of
from tenancy.models import AuditEntry
from web import kept_forms
from web.badges import Badge
from web.forms import differences, password_field, version_seen, version_to_carry
from web.page_heads import Crumb, Tab
from web.reauthentication import refusal_of_password
from web.session_checks import staff_only
from web.timeline import by_whom

CHANGES_SHOWN: Final = 20
FIELDS: Final[dict[str, Any]] = {
    "name": gettext_lazy("Company"),
    "line1": gettext_lazy("Street and number"),
    "line2": gettext_lazy("Second address line"),
    "postal_code": gettext_lazy("Postal code"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country (two letters)"),
    "vat_id": gettext_lazy("VAT ID"),
    "tax_number": gettext_lazy("Tax number"),
    "register_entry": gettext_lazy("Register entry"),
    "directors": gettext_lazy("Directors"),
    "email": gettext_lazy("E-mail"),
    "iban": gettext_lazy("IBAN"),
    "bic": gettext_lazy("BIC"),
    "bank_name": gettext_lazy("Bank"),
}
kept_forms.LABELS.update(FIELDS)
_GROUPS: Final = (
    (gettext_lazy("Company"), ("name", "line1", "line2", "postal_code", "city", "country")),
    (gettext_lazy("Tax"), ("vat_id", "tax_number")),
    (gettext_lazy("Register"), ("register_entry", "directors", "email")),
    (gettext_lazy("Bank account"), ("iban", "bic", "bank_name")),
)
_ASKED: Final = (*_GROUPS[:-1], (_GROUPS[-1][0], (*_GROUPS[-1][1], "password")))
_AUTOCOMPLETE: Final = {
    "name": "organization",
    "line1": "address-line1",
    "line2": "address-line2",
    "postal_code": "postal-code",
    "city": "address-level2",
    "country": "country",
    "email": "email",
}


class SellerForm(forms.Form):
    """All that can be changed of a seller, as plain text: the operation judges it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a field of each."""
        super().__init__(*args, **kwargs)
        for name, label in FIELDS.items():
            attrs = {"class": "input", "autocomplete": _AUTOCOMPLETE.get(name, "off")}
            self.fields[name] = forms.CharField(
                label=label, required=False, max_length=1_000, widget=forms.TextInput(attrs=attrs)
            )
        self.fields["password"] = password_field()

    def groups(self) -> list[dict[str, Any]]:
        """Return the fields under their headings."""
        return [
            {"title": title, "fields": [self[name] for name in names]} for title, names in _ASKED
        ]


def tabs_of(request: ActorRequest, current: str) -> list[Tab]:
    """Return the rooms of the settings; the test clock in test environments alone."""
    tabs = [Tab(_("Company details"), reverse("settings:sellers"), current == "sellers")]
    tabs.append(Tab(_("Defaults"), reverse("settings:defaults"), current == "defaults"))
    tabs.append(Tab(_("Approval"), reverse("settings:approval"), current == "approval"))
    tabs.append(Tab(_("Time zone"), reverse("settings:time_zone"), current == "time_zone"))
    if access.allows_everywhere(request.actor, Action.VIEW_INVOICE):
        tabs.append(Tab(_("Books"), reverse("settings:books"), current == "books"))
    if request.tenant.is_sandbox:
        tabs.append(Tab(_("Test clock"), reverse("settings:test_clock"), current == "clock"))
    return tabs


@require_safe
@staff_only
def settings_home(request: ActorRequest) -> HttpResponse:
    """Go on to the first room of the settings."""
    return redirect("settings:sellers")


@require_safe
@staff_only
def seller_list(request: ActorRequest) -> HttpResponse:
    """List the legal entities, each with its next number."""
    actor = request.actor
    found = list(sellers(actor))
    reports = series_of(actor, [seller.pk for seller in found])
    rows = [
        {
            "id": seller.public_id,
            "name": seller.name,
            "place": " ".join(part for part in (seller.postal_code, seller.city) if part),
            "country": seller.country,
            "currency": seller.currency,
            "next": _number(seller, actor.today.year, _last(reports, seller, actor.today.year) + 1),
            "badges": _badges(seller),
        }
        for seller in found
    ]
    context = {"rows": rows, "tabs": tabs_of(request, "sellers")}
    return render(request, "settings/sellers.html", context)


@require_safe
@staff_only
def seller_page(request: ActorRequest, seller_id: str) -> HttpResponse:
    """Show what invoices print of a seller, its numbers and what was changed."""
    actor = request.actor
    seller = get_seller(actor, key_of("sel", seller_id))
    reports = series_of(actor, [seller.pk])
    context = {
        "seller": seller,
        "seller_id": seller.public_id,
        "title": seller.name,
        "crumbs": [Crumb(_("Company details"), "../"), Crumb(seller.name)],
        "badges": _badges(seller),
        "groups": _shown(seller),
        "bank_accounts": list(bank_accounts_of(actor, seller)),
        "number_format": _number_format(seller, DocumentKind.INVOICE),
        "credit_note_format": _number_format(seller, DocumentKind.CREDIT_NOTE),
        "series": _series(seller, reports, actor.today.year),
        "timeline": [_happened(entry) for entry in changes_of(actor, seller, limit=CHANGES_SHOWN)],
        "may_edit": access.allows_everywhere(actor, Action.MANAGE_TENANT),
        "time_zone": request.tenant.time_zone,
    }
    return render(request, "settings/seller.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def edit_seller(request: ActorRequest, seller_id: str) -> HttpResponse:
    """Show the form; POST changes the seller, or says at each field what is wrong."""
    actor = request.actor
    seller = get_seller(actor, key_of("sel", seller_id))
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    if request.method != "POST":
        return _form(request, seller, SellerForm(initial=seller_shown(seller)))
    form = SellerForm(request.POST)
    try:
        is_saved = form.is_valid() and _is_allowed(request, seller, form)
        is_saved = is_saved and _changed(request, seller, form)
    except ChangedMeanwhile:
        return _form(request, seller, form, status=HTTPStatus.CONFLICT)
    if is_saved:
        messages.success(request, _("Saved. Issued invoices keep what they were issued with."))
        return redirect("settings:seller", seller.public_id)
    return _form(request, seller, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _is_allowed(request: ActorRequest, seller: Seller, form: SellerForm) -> bool:
    """Ask for the password where the bank account would change."""
    given = {name: "".join(form.cleaned_data[name].split()).upper() for name in ("iban", "bic")}
    if all(getattr(seller, name) == value for name, value in given.items()):
        return True
    refusal = refusal_of_password(request)
    if refusal:
        form.add_error("password", refusal)
    return not refusal


def _changed(request: ActorRequest, seller: Seller, form: SellerForm) -> bool:
    """Change the seller; a refusal goes to the fields it names."""
    values: SellerFields = {name: form.cleaned_data[name] for name in FIELDS}  # type: ignore[assignment]
    version = version_seen(request)
    try:
        update_seller(request.actor, seller.pk, now=timezone.now(), version=version, **values)
    except InvalidSeller as refusal:
        for error in refusal.errors:
            form.add_error(error.pointer.removeprefix("/"), error.detail)
        return False
    return True


def _form(
    request: ActorRequest, seller: Seller, form: SellerForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    stored = seller_shown(seller)
    context = {
        "form": form,
        "version": version_to_carry(request, stored, status=status),
        "conflict": differences(form, FIELDS, stored) if status == HTTPStatus.CONFLICT else None,
        "seller_id": seller.public_id,
        "crumbs": [
            Crumb(_("Company details"), "../../"),
            Crumb(seller.name, "../"),
            Crumb(_("Change")),
        ],
    }
    return render(request, "settings/seller_form.html", context, status=status)


def _badges(seller: Seller) -> list[Badge]:
    return [Badge("TEST", "warn")] if seller.is_placeholder else []


def _label(name: str) -> str:
    """Return how a detail is called where it stands, without the form's help to write it."""
    return str(_("Country") if name == "country" else FIELDS[name])


def _shown(seller: Seller) -> list[dict[str, Any]]:
    return [
        {
            "title": title,
            "facts": [
                {"label": _label(name), "value": getattr(seller, name) or "–"} for name in names
            ],
        }
        for title, names in _GROUPS
    ]


def _last(reports: list[SeriesReport], seller: Seller, year: int) -> int:
    found = (r for r in reports if r.seller_id == seller.pk and r.year == year)
    return next((r.last_number for r in found if r.kind == DocumentKind.INVOICE), 0)


def _number(seller: Seller, year: int | str, number: int, kind: str = DocumentKind.INVOICE) -> str:
    written = seller.number_format
    if kind == DocumentKind.CREDIT_NOTE:
        written = seller.credit_note_format
    return written.format(year=year, number=number)


def _number_format(seller: Seller, kind: str) -> str:
    """Return how numbers are written, as people write such a form down: RE-YYYY-000000."""
    return _number(seller, _("YYYY"), 0, kind)


def _series(seller: Seller, reports: list[SeriesReport], year: int) -> list[dict[str, Any]]:
    """Return years and kinds with their next number, invoices also before their first number."""
    rows: list[dict[str, Any]] = [
        {
            "year": str(report.year),
            "issued": report.issued,
            "next": _number(seller, report.year, report.last_number + 1, report.kind),
            "last_date": report.last_issue_date,
            "missing": [
                _number(seller, report.year, number, report.kind) for number in report.missing
            ],
        }
        for report in reports
    ]
    if all(report.year != year for report in reports if report.kind == DocumentKind.INVOICE):
        first = {"year": str(year), "issued": 0, "next": _number(seller, year, 1)}
        rows.insert(0, {**first, "last_date": None, "missing": []})
    return rows


def _happened(entry: AuditEntry) -> dict[str, Any]:
    names = [str(label) for name, label in FIELDS.items() if name in (entry.after or {})]
    if "bank_account" in (entry.after or {}):
        currency = (entry.after or {})["currency"]
        names = [_("Bank account for %(currency)s") % {"currency": currency}]
    sentence = _("Changed: %(fields)s") % {"fields": ", ".join(names)} if names else _("Made")
    return {"sentence": sentence, "at": entry.at, "by": by_whom(entry)}
