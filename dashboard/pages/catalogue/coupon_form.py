"""The form of a coupon: making one, changing it, archiving it and letting it be redeemed again."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.middleware import ActorRequest
from billing_rules.discounts import Duration
from dashboard.pages.catalogue.named_things import NamedKind, ask_for_change, ask_for_new
from subscriptions.models import Coupon
from subscriptions.operations.discounts.checking import MAX_COUNT, MAX_PERIODS, NewCoupon
from subscriptions.operations.discounts.coupons import (
    archive_coupon,
    create_coupon,
    edit_coupon,
    reopen_coupon,
)
from subscriptions.queries.catalogue import products
from subscriptions.queries.discounts import (
    coupon_shown,
    get_coupon,
)
from tenancy.actor import Actor
from web.offering import offered
from web.page_heads import Crumb
from web.session_checks import staff_only

_MOST_PRODUCTS: Final = 1_000
_INPUT: Final = {"class": "input", "autocomplete": "off"}


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )


def _count(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=MAX_COUNT,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )


class CouponChangeForm(forms.Form):
    """What may change of a coupon: its name, its days and its limits."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("As it stands on documents."),
        max_length=200,
        widget=forms.TextInput(attrs=_INPUT),
    )
    redeem_from = _day(gettext_lazy("Redeemed from (optional)"))
    redeem_until = _day(gettext_lazy("Redeemed until, the last day (optional)"))
    max_redemptions = _count(gettext_lazy("How often in all (optional)"))
    max_per_root = _count(gettext_lazy("How often by one customer (optional)"))


class CouponForm(CouponChangeForm):
    """A new coupon: its code, and what it takes off for how long."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Capitals do not matter."),
        max_length=50,
        widget=forms.TextInput(attrs=_INPUT),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent off"),
        help_text=gettext_lazy("Off the price of each full period. Or name an amount."),
        required=False,
        localize=True,
        max_digits=7,
        decimal_places=4,
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal"}),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount off"),
        help_text=gettext_lazy("Off each full period of each item, down to nothing at most."),
        required=False,
        localize=True,
        max_digits=20,
        decimal_places=8,
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal"}),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency of the amount"),
        required=False,
        max_length=3,
        widget=forms.TextInput(attrs=_INPUT),
    )
    duration = forms.ChoiceField(
        label=gettext_lazy("How long"),
        choices=[
            (Duration.ONCE.value, gettext_lazy("once: one period of each item")),
            (Duration.PERIODS.value, gettext_lazy("for a number of periods")),
            (Duration.FOREVER.value, gettext_lazy("for ever")),
        ],
        widget=forms.Select(attrs={"class": "input"}),
    )
    periods = forms.IntegerField(
        label=gettext_lazy("Number of periods"),
        required=False,
        min_value=1,
        max_value=MAX_PERIODS,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )
    products = forms.MultipleChoiceField(
        label=gettext_lazy("For these products (none chosen: for all)"),
        required=False,
        widget=forms.SelectMultiple(attrs={"class": "input", "size": "6"}),
    )

    field_order = (
        "code", "name", "percent", "amount", "currency", "duration", "periods", "products",
        "redeem_from", "redeem_until", "max_redemptions", "max_per_root",
    )  # fmt: skip

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Offer the products of the catalogue. One statement."""
        super().__init__(*args, **kwargs)
        field = self.fields["products"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the checker
        found = offered(field, products(actor).filter(archived_at=None), _MOST_PRODUCTS)
        field.choices = [(str(one.pk), one.name) for one in found]


def _create(actor: Actor, values: Mapping[str, Any], key: UUID) -> Coupon:
    wanted = dict(values)
    wanted["products"] = [UUID(one) for one in wanted["products"]]
    wanted["currency"] = wanted["currency"].strip().upper()
    if wanted["duration"] != Duration.PERIODS:
        wanted["periods"] = None
    return create_coupon(actor, NewCoupon(**wanted), key=key, today=actor.today, now=timezone.now())


def _edit(actor: Actor, coupon: Coupon, values: Mapping[str, Any], version: str) -> Coupon:
    return edit_coupon(actor, coupon.pk, values, version=version, now=timezone.now())


def _between() -> list[Crumb]:
    return [Crumb(_("Coupons"), reverse("catalogue:coupons"))]


KIND: Final[NamedKind[Coupon]] = NamedKind(
    page="coupon",
    listed="coupons",
    prefix="cpn",
    new=gettext_lazy("New coupon"),
    change=gettext_lazy("Change coupon"),
    made=gettext_lazy("The coupon “%(name)s” is made."),
    saved=gettext_lazy("Saved. What was redeemed stays as it is."),
    shown=coupon_shown,
    name_of=lambda coupon: coupon.code,
    new_form=lambda actor, *sent: CouponForm(*sent, actor=actor),
    change_form=CouponChangeForm,
    create=_create,
    edit=_edit,
    refused={"coupon_code_taken": "code"},
    between=_between,
    note=gettext_lazy(
        "What a coupon takes off, for how long and of which products never changes; its name, its"
        " days and its limits can."
    ),
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_coupon(request: ActorRequest) -> HttpResponse:
    """Ask for a new coupon; POST makes it."""
    return ask_for_new(request, KIND)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def change_coupon(request: ActorRequest, coupon_id: str) -> HttpResponse:
    """Ask what a coupon is to be called, and until when and how often it is redeemed."""
    return ask_for_change(request, KIND, get_coupon(request.actor, coupon_id))


@require_POST
@staff_only
def put_coupon(request: ActorRequest, coupon_id: str, way: str) -> HttpResponse:
    """Archive a coupon, or let it be redeemed again."""
    actor, coupon = request.actor, get_coupon(request.actor, coupon_id)
    if way == "archive":
        archive_coupon(actor, coupon.pk, now=timezone.now())
        said = _("“%(code)s” is archived: nobody redeems it, what was redeemed goes on.")
    else:
        reopen_coupon(actor, coupon.pk, now=timezone.now())
        said = _("“%(code)s” can be redeemed again.")
    messages.success(request, said % {"code": coupon.code})
    return redirect("catalogue:coupon", coupon.public_id)
