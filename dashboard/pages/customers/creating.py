"""Creating a customer with its departments, and accounts below one that is there."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
from accounts.models import Account
from accounts.operations.accounts import (
    AlreadyCreated,
    NewAccount,
    create_accounts,
)
from accounts.queries.paths import path_of
from dashboard.pages.customers.outline import Fault, Outline, count_text, read_outline
from tenancy.errors import BillingError, Forbidden, NotFound
from tenancy.ids import key_of
from web import kept_forms
from web.accounts import account_url, kind_name, steps_to
from web.form_keys import fresh_key, key_in
from web.page_heads import Crumb
from web.particulars_form import Group, ParticularsForm
from web.session_checks import staff_only

SAVE: Final = "save"
_LABEL: Final = gettext_lazy("Sub-accounts")
kept_forms.LABELS["accounts"] = _LABEL
FIRST: Final = (
    "legal_name", "line1", "postal_code", "city", "country", "vat_id", "email", "currency"
)  # fmt: skip
FURTHER: Final = (
    "line2", "region", "language", "time_zone", "cost_centre", "external_id", "tags", "metadata"
)  # fmt: skip


def accounts_field() -> forms.CharField:
    """Return the field for an indented list of accounts."""
    attrs = {
        "class": "input outline",
        "rows": 8,
        "spellcheck": "false",
        "autocomplete": "off",
        "wrap": "off",
    }
    return forms.CharField(
        label=_LABEL,
        help_text=gettext_lazy(
            "One account on each line, indented below the one it belongs to. They are departments;"
            " write another type behind a bar: Muster Nord GmbH | Subsidiary."
        ),
        required=False,
        strip=False,
        max_length=400_000,
        widget=forms.Textarea(attrs=attrs),
    )


class NewCustomerForm(ParticularsForm):
    """A customer, and the accounts below it."""

    accounts = accounts_field()


class SubAccountsForm(forms.Form):
    """Accounts below one that is there."""

    accounts = accounts_field()


@dataclass(slots=True)
class _Asked:
    """What a form asks for, what came of trying it, and below which account."""

    request: ActorRequest
    form: forms.Form
    parent: Account | None = None
    outline: Outline = field(default_factory=Outline)
    key: UUID | None = None

    @property
    def above(self) -> int:
        """How many of the new accounts stand over those of the list."""
        return 0 if self.parent else 1

    def accounts(self, customer: Mapping[str, Any]) -> Iterator[NewAccount]:
        """Yield the new accounts, the customer first; the first of all has the form's key."""
        if not self.parent:
            yield NewAccount(customer, 0, line=0, key=self.key)
        for number, one in enumerate(self.outline.accounts(self.above)):
            is_first = not (self.above or number)
            key = self.key if is_first else None
            yield NewAccount(one.fields, one.depth, one.line, key)

    def count(self) -> int:
        """How many accounts there would be."""
        return self.above + len(self.outline.entries)

    def digest(self) -> str:
        """Return a text that differs as soon as the list does: what was seen of it."""
        return hashlib.sha256(repr(self.outline.entries).encode()).hexdigest()[:32]


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_customer(request: ActorRequest) -> HttpResponse:
    """Ask for a customer and what is below it, and show the tree; POST creates all of it."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    with_settings = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    if request.method != "POST":
        initial = {"kind": Account.Kind.COMPANY.value, "country": request.tenant.country}
        return _page(_Asked(request, NewCustomerForm(initial=initial, with_settings=with_settings)))
    return _answer(_Asked(request, NewCustomerForm(request.POST, with_settings=with_settings)))


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_sub_accounts(request: ActorRequest, account_id: str) -> HttpResponse:
    """Ask for accounts below one, and show the tree; POST creates all of them."""
    path = path_of(request.actor, key_of("acc", account_id))
    access.require_everywhere(request.actor, Action.EDIT_ACCOUNT)
    data = request.POST if request.method == "POST" else None
    asked = _Asked(request, SubAccountsForm(data), path[-1])
    return _answer(asked) if data is not None else _page(asked)


def _answer(asked: _Asked) -> HttpResponse:
    """Try what is asked for; it is stored where that is wanted and its tree has been seen."""
    request = asked.request
    asked.key = key_in(request.actor, request.POST.get("key", ""))
    asked.outline = read_outline(request.POST.get("accounts", ""))
    is_wanted = request.POST.get("step") == SAVE
    is_seen = request.POST.get("seen", "") == asked.digest()
    try:
        made = _tried(asked, is_dry_run=not (is_wanted and is_seen))
    except AlreadyCreated as refusal:
        messages.info(request, refusal.detail)
        return redirect(_made_url(asked, asked.key))
    if made and is_wanted and is_seen:
        messages.success(request, _("Created: %(accounts)s.") % {"accounts": count_text(len(made))})
        return redirect(_made_url(asked, made[0].pk))
    if request.headers.get("HX-Request"):
        return render(request, "customers/_new_preview.html", _preview(asked))
    status = HTTPStatus.OK if made else HTTPStatus.UNPROCESSABLE_ENTITY
    return _page(asked, status=status)


def _tried(asked: _Asked, *, is_dry_run: bool) -> list[Account]:
    """Create the accounts, or try to: none where something is wrong, which the form then says."""
    form, customer = asked.form, {}
    if asked.key is None and not is_dry_run:
        form.add_error(None, _("This form is too old. Please send it once more."))
    if form.is_valid() and isinstance(form, ParticularsForm):
        customer = form.values()
    if asked.parent and not asked.outline.entries:
        form.add_error("accounts", _("Write at least one account."))
    is_refused = bool(form.errors or asked.outline.faults)
    made: list[Account] = []
    try:
        if asked.count() and form.is_valid():
            made = create_accounts(
                asked.request.actor,
                list(asked.accounts(customer)),
                asked.parent.pk if asked.parent else None,
                today=asked.request.actor.today,
                now=timezone.now(),
                is_dry_run=is_dry_run or is_refused,
            )
    except (AlreadyCreated, Forbidden, NotFound):
        raise
    except BillingError as refusal:
        _refuse(asked, refusal)
    for fault in sorted(asked.outline.faults, key=lambda one: one.line):
        form.add_error("accounts", fault.detail)
    return [] if form.errors else made


def _refuse(asked: _Asked, refusal: BillingError) -> None:
    """Put a refusal to the fields it names, or to the lines of the list."""
    of_customer = [error for error in refusal.errors if not error.row]
    asked.outline.faults += [
        Fault(error.row, error.detail) for error in refusal.errors if error.row
    ]
    if isinstance(asked.form, ParticularsForm):
        asked.form.refuse(of_customer)
    if not refusal.errors:
        asked.form.add_error(None, refusal.detail)


def _made_url(asked: _Asked, key: UUID | None) -> str:
    """Return where to go when all is there: to the tree, or to the account that stands alone."""
    if asked.parent:
        return account_url(asked.parent.pk, "tree")
    assert key is not None  # noqa: S101 - for the checker of types
    return account_url(key, "tree" if asked.outline.entries else "page")


def _preview(asked: _Asked) -> dict[str, Any]:
    """Return the tree as it would be, each line with what is wrong in it."""
    wrong = {fault.line: fault.detail for fault in reversed(asked.outline.faults)}
    rows = [
        {
            "depth": one.depth + 1,
            "name": one.name,
            "kind": kind_name(one.kind),
            "fault": wrong.pop(one.line, ""),
        }
        for one in asked.outline.entries
    ]
    name = asked.parent.name if asked.parent else str(asked.form["name"].value() or "").strip()
    return {
        "rows": rows,
        "top": name,
        "is_top_new": asked.parent is None,
        "further": list(wrong.values()),
        "summary": count_text(asked.count()),
        "is_sound": not asked.outline.faults,
        "digest": asked.digest(),
    }


def _page(asked: _Asked, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    request, parent = asked.request, asked.parent
    carried = request.POST.get("key", "")
    title = _("New sub-accounts") if parent else _("New customer")
    context = {
        "form": asked.form,
        "title": title,
        "key": carried if asked.key else fresh_key(request.actor),
        "back_url": account_url(parent.pk) if parent else "../",
        "scope_name": parent.name if parent else "",
        **_preview(asked),
    }
    if isinstance(asked.form, ParticularsForm):
        first = [Group("", ("name", "kind")), Group(_("On invoices"), FIRST)]
        context["first"], context["invoiced"] = asked.form.grouped(first)
        context["further_fields"] = [asked.form[n] for n in FURTHER if n in asked.form.fields]
        context["is_open"] = any(name in asked.form.errors for name in FURTHER)
    if parent:
        path = path_of(request.actor, parent.pk)
        here = Crumb(parent.name, account_url(parent.pk))
        context["steps"] = [*steps_to(path)[:-1], here, Crumb(title)]
    else:
        context["steps"] = [Crumb(_("Customers"), "../"), Crumb(title)]
    return render(request, "customers/new.html", context, status=status)
