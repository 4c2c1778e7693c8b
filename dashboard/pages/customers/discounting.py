"""Giving a discount to an account and all below it, and ending it, with what each comes to."""

from dataclasses import dataclass
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
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from dashboard.pages.customers.discounts import discount_steps
from dashboard.pages.subscriptions.made_good import refused
from dashboard.pages.subscriptions.when import INPUT, day_field
from invoicing.operations.account_discounts.giving import (
    DiscountedAccount,
    discount_account,
    end_account_discount,
)
from invoicing.operations.account_discounts.outcomes import Foreseen, foreseen
from invoicing.operations.subscriptions.discounting import AlreadyGiven
from invoicing.tasks import discount_soon
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.queries.discounts import get_discount
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import date_text
from tenancy.ids import key_of
from web.accounts import account_url
from web.form_keys import fresh_key, key_in
from web.page_heads import Fact
from web.session_checks import staff_only
from web.tables import Amounts
from web.templatetags.figures import money, quantity

_ROWS: Final = 25
_DIGITS: Final = 7


class EndForm(forms.Form):
    """From when on a discount does not hold."""

    day = day_field(
        gettext_lazy("First day without it"),
        gettext_lazy("Left empty: today. A day in the past corrects a mistake."),
    )


class GiveForm(forms.Form):
    """A coupon, or what is taken off and why; since when."""

    coupon = forms.CharField(
        label=gettext_lazy("Code of a coupon (optional)"),
        help_text=gettext_lazy("With a coupon only the day is asked; without, all of the rest."),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    day = day_field(
        gettext_lazy("First day"),
        gettext_lazy("Left empty: today. What was charged for days since is made good."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("As it stands on documents."),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent off"),
        help_text=gettext_lazy("Off the price of each full period. Or name an amount."),
        required=False,
        localize=True,
        max_digits=7,
        decimal_places=4,
        widget=forms.TextInput(attrs={**INPUT, "inputmode": "decimal", "autocomplete": "off"}),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount off"),
        help_text=gettext_lazy("Off each full period of each item, down to nothing at most."),
        required=False,
        localize=True,
        max_digits=20,
        decimal_places=8,
        widget=forms.TextInput(attrs={**INPUT, "inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency of the amount"),
        required=False,
        max_length=3,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    until = day_field(
        gettext_lazy("First day without the discount (optional)"),
        gettext_lazy("Left empty, it holds until somebody ends it."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("For your own people; it stands on no document."),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def give_discount(request: ActorRequest, account_id: str) -> HttpResponse:
    """Ask for a coupon or a discount for an account and all below it; POST gives it."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    account = path[-1]
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    is_part = bool(request.headers.get("HX-Request"))
    sent = request.POST if request.method == "POST" else request.GET if is_part else None
    form = GiveForm(sent)
    key = key_in(actor, sent.get("key", "") if sent is not None else "")
    page = _Page(
        _("Give a discount to all below"),
        _("Give"),
        _(
            "It is given to all that is subscribed to here and below, and to what begins while it"
            " holds. A discount of a subscription, or of an account nearer to it, goes before it."
        ),
    )

    def act(*, is_dry_run: bool) -> DiscountedAccount:
        chosen = form.cleaned_data
        wanted = WantedDiscount(
            coupon=chosen["coupon"],
            name=chosen["name"],
            percent=chosen["percent"],
            amount=chosen["amount"],
            currency=chosen["currency"].strip().upper(),
            until=chosen["until"],
            reason=chosen["reason"],
            key=key,
        )
        return discount_account(
            actor,
            account.pk,
            wanted,
            day=chosen["day"] or actor.today,
            is_dry_run=is_dry_run,
            today=actor.today,
            now=timezone.now(),
        )

    if request.method == "POST" and key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    return _perform(request, path, form, page, act)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def end_discount(request: ActorRequest, account_id: str, discount_id: str) -> HttpResponse:
    """Ask from when on a discount of an account does not hold; POST ends it."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    discount = get_discount(actor, discount_id)
    if discount.account_id != path[-1].pk:
        raise NotFound
    is_part = bool(request.headers.get("HX-Request"))
    form = EndForm(request.POST if request.method == "POST" else request.GET if is_part else None)
    page = _Page(
        _("End a discount"),
        _("End"),
        _(
            "From now on nothing that begins takes it. It is ended for all that has it; what was"
            " charged with it for days since is made good."
        ),
    )

    def act(*, is_dry_run: bool) -> DiscountedAccount:
        return end_account_discount(
            actor,
            discount.pk,
            day=form.cleaned_data["day"] or actor.today,
            is_dry_run=is_dry_run,
            today=actor.today,
            now=timezone.now(),
        )

    return _perform(request, path, form, page, act)


@dataclass(frozen=True, slots=True)
class _Page:
    """What a form is called, what its button says, and what follows."""

    heading: str
    button: str
    explanation: str


def _perform(
    request: ActorRequest, path: list[Account], form: forms.Form, page: _Page, act: Any
) -> HttpResponse:
    actor, account = request.actor, path[-1]
    url = reverse("customers:discounts", args=[account.public_id])
    if request.method == "POST":
        try:
            result = _tried(form, act, is_dry_run=False)
        except AlreadyGiven as refusal:
            messages.info(request, refusal.detail)
            return redirect(url)
        if result is not None and result.job is not None:
            discount_soon(actor, result.job.pk)
            messages.success(request, _("It is being carried out; this page says how far it is."))
            return redirect(url)
    elif request.headers.get("HX-Request"):
        result = _tried(form, act, is_dry_run=True)
        context = refused(form)
        if result is not None:
            context |= _shown(request, result)
        return render(request, "customers/_discount_preview.html", context)
    is_refused = request.method == "POST"
    carried = request.POST.get("key", "")
    context = {
        "title": page.heading,
        "page": page,
        "form": form,
        "key": carried if key_in(actor, carried) else fresh_key(actor),
        "cancel_url": url,
        "steps": discount_steps(path, page.heading),
        "scope_name": account.name,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "customers/discount_form.html", context, status=status)


def _tried(form: forms.Form, act: Any, *, is_dry_run: bool) -> DiscountedAccount | None:
    if not form.is_valid():
        return None
    try:
        result: DiscountedAccount = act(is_dry_run=is_dry_run)
    except AlreadyGiven:
        raise
    except (Conflict, Invalid) as refusal:
        for error in refusal.errors:
            name = error.pointer.removeprefix("/")
            name = "day" if name == "effective" else name
            form.add_error(name if name in form.fields else None, error.detail)
        if not refusal.errors:
            form.add_error(None, refusal.detail)
        return None
    return result


@dataclass(frozen=True, slots=True)
class MadeGoodRow:
    """What is credited and charged anew of one subscription."""

    name: str
    url: str
    account: str
    account_url: str
    credited: str
    charged: str


def _shown(request: ActorRequest, result: DiscountedAccount) -> dict[str, Any]:
    """Return what a preview says, and the page of what is made good that is asked for."""
    actor, main = request.actor, request.tenant.currency
    found = foreseen(actor, result.giving, result.subscriptions, today=actor.today)
    made_good = [one for one in found.changed if one.charges]
    text = request.GET.get("place", "")
    place = int(text[:_DIGITS]) if text.isdecimal() else 0
    rows = [
        MadeGoodRow(
            name=str(one.subscription),
            url=reverse("subscriptions:page", args=[one.subscription.public_id]),
            account=one.subscription.account.name,
            account_url=account_url(one.subscription.account_id),
            credited=money(-one.credited_minor, one.currency),
            charged=money(one.charged_minor, one.currency),
        )
        for one in made_good[place : place + _ROWS]
    ]
    return {
        "is_shown": True,
        "facts": _facts(result, found, main),
        "rows": rows,
        "count": len(made_good),
        "refused_count": found.refused,
        "is_complete": found.is_complete,
        "newer": max(place - _ROWS, 0) if place else None,
        "older": place + _ROWS if place + _ROWS < len(made_good) else None,
    }


def _facts(result: DiscountedAccount, found: Foreseen, main: str) -> list[Fact]:
    before, after, credited, charged = (
        Amounts({currency: amount for currency, amount in sums.items() if amount}, main,
                is_mixed=True).all or "–"
        for sums in (
            result.before,
            result.after,
            {currency: -amount for currency, amount in found.credited.items()},
            found.charged,
        )
    )  # fmt: skip
    return [
        Fact(_("Discount"), result.discount.name),
        Fact(_("First day"), date_text(result.day)),
        Fact(_("Items that it is for"), quantity(result.items)),
        Fact(_("In a month before"), before),
        Fact(_("In a month afterwards"), after),
        Fact(_("Subscriptions that cost something else"), quantity(len(found.changed))),
        Fact(_("Credited in all"), credited),
        Fact(_("Charged anew in all"), charged),
    ]
