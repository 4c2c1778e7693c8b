"""Versions of a price: beginning one, and ending one, with what that comes to."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.accounts import get_account
from dashboard.pages.catalogue.price_form import EndForm, VersionForm, initial_of
from dashboard.pages.catalogue.prices import steps_to
from dashboard.pages.catalogue.version_effects import effect_context
from invoicing.operations.prices.beginning import (
    Planned,
    begin_version,
    end_version,
    preview_end,
    preview_version,
)
from invoicing.tasks import reprice_soon
from subscriptions.models import Price
from subscriptions.operations.catalogue import AlreadyAdded, NewVersion
from subscriptions.queries.catalogue import get_price
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.formats import date_text
from tenancy.ids import key_of, public_id
from web.accounts import account_url
from web.form_keys import fresh_key, key_in
from web.page_heads import Fact
from web.prices import price_amount, price_rhythm
from web.session_checks import staff_only


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_version(request: ActorRequest, price_id: str) -> HttpResponse:
    """Ask what a price costs from when on, and show what that comes to; POST begins it."""
    actor = request.actor
    price = get_price(actor, price_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    data = request.POST if request.method == "POST" else request.GET
    account = _account(actor, data.get("account", ""))
    if "step" not in data and "remove" not in data:
        initial = {**initial_of(price), "external_id": "", "valid_from": None}
        return _version_page(request, price, account, VersionForm(initial=initial))
    form = VersionForm(data)
    if request.method == "POST":
        return _begun(request, price, account, form)
    removed = data.get("remove", "")
    if removed.isdecimal() and len(removed) < 4:
        form.remove_row(int(removed))
    elif data.get("step") == "add":
        form.add_row()
    elif form.is_valid():
        try:
            planned = preview_version(
                actor, price.pk, _wanted(form, account, None), today=actor.today
            )
        except (Conflict, Invalid) as refusal:
            form.refuse(refusal)
        else:
            return _version_page(request, price, account, form, planned=planned)
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    else:
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    # Who goes on writing is refused nothing yet.
    form.errors.clear()
    return _version_page(request, price, account, form)


_UNPROCESSABLE: Final = HTTPStatus.UNPROCESSABLE_ENTITY


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def end_price(request: ActorRequest, price_id: str) -> HttpResponse:
    """Ask when a version ends, and show what that comes to; POST ends it."""
    actor = request.actor
    price = get_price(actor, price_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    data = request.POST if request.method == "POST" else request.GET
    is_whole = price.account_id is None
    if "step" not in data:
        return _end_page(request, price, EndForm(is_whole=is_whole))
    form = EndForm(data, is_whole=is_whole)
    if not form.is_valid():
        return _end_page(request, price, form, status=_UNPROCESSABLE)
    day = form.cleaned_data.get("ends_on")
    try:
        if request.method == "POST":
            _price, job = end_version(actor, price.pk, day, today=actor.today, now=timezone.now())
            reprice_soon(actor, job)
            return redirect("catalogue:price_change", job.public_id)
        planned = preview_end(actor, price.pk, day, today=actor.today)
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
        return _end_page(request, price, form, status=_UNPROCESSABLE)
    return _end_page(request, price, form, planned=planned)


def _begun(
    request: ActorRequest, price: Price, account: Account | None, form: VersionForm
) -> HttpResponse:
    """Begin the version; what is refused stands at the fields."""
    actor = request.actor
    key = key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    if not form.is_valid() or key is None:
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    wanted = _wanted(form, account, key)
    try:
        _version, job = begin_version(
            actor, price.pk, wanted, today=actor.today, now=timezone.now()
        )
    except AlreadyAdded as refusal:
        messages.info(request, refusal.detail)
        return redirect("catalogue:price", public_id("prc", key))
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    reprice_soon(actor, job)
    return redirect("catalogue:price_change", job.public_id)


def _account(actor: Actor, text: str) -> Account | None:
    return get_account(actor, key_of("acc", text)) if text else None


def _wanted(form: VersionForm, account: Account | None, key: UUID | None) -> NewVersion:
    changes = form.wanted()
    valid_from = changes.pop("valid_from")
    return NewVersion(valid_from, changes, None if account is None else account.pk, key)


def _version_page(
    request: ActorRequest,
    price: Price,
    account: Account | None,
    form: VersionForm,
    *,
    planned: Planned | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = _("New version") if account is None else _("Negotiate a price")
    carried = request.POST.get("key", "")
    context = {
        "form": form,
        "price": price,
        "account": account,
        "account_url": account and account_url(account.pk),
        "title": title,
        "facts": [
            Fact(_("Price"), price.name),
            Fact(_("So far"), price_amount(price)),
            Fact(_("Currency"), price.currency),
            Fact(_("Period"), price_rhythm(price)),
        ],
        "steps": steps_to(price, title),
        "cancel_url": reverse("catalogue:price", args=[price.public_id])
        if account is None
        else reverse("customers:prices", args=[account.public_id]),
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "carried": _carried(request.GET),
        "focus_row": 0,
        **effect_context(request, planned),
    }
    return render(request, "catalogue/version_form.html", context, status=status)


def _end_page(
    request: ActorRequest,
    price: Price,
    form: EndForm,
    *,
    planned: Planned | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = _("Take back a version") if price.account_id is None else _("End a negotiated price")
    valid_from = "" if price.valid_from is None else date_text(price.valid_from)
    context = {
        "form": form,
        "price": price,
        "title": title,
        "facts": [
            Fact(_("Price"), price.name),
            Fact(_("Amount"), price_amount(price)),
            Fact(_("Valid from"), valid_from),
        ],
        "steps": steps_to(price, title),
        "cancel_url": reverse("catalogue:price", args=[price.public_id]),
        "carried": _carried(request.GET),
        **effect_context(request, planned),
    }
    return render(request, "catalogue/version_end.html", context, status=status)


def _carried(data: QueryDict) -> list[tuple[str, str]]:
    """Return what a preview was asked with, so that what is confirmed is what was shown."""
    left_out = ("step", "after", "csrfmiddlewaretoken", "key")
    return [(name, text) for name in data if name not in left_out for text in data.getlist(name)]
