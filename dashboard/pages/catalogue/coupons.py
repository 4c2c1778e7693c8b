"""Coupons: codes for discounts, who redeemed them, making, changing and archiving one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile
from billing_rules.discounts import Duration
from dashboard.pages.catalogue.prices import tabs_of
from dashboard.pages.catalogue.refusing import refuse
from subscriptions.models import Coupon, Discount, Product
from subscriptions.operations.catalogue import AlreadyAdded
from subscriptions.operations.discounts.checking import MAX_COUNT, MAX_PERIODS, NewCoupon
from subscriptions.operations.discounts.coupons import (
    CHANGEABLE,
    archive_coupon,
    create_coupon,
    edit_coupon,
    reopen_coupon,
)
from subscriptions.queries.catalogue import products
from subscriptions.queries.discounts import (
    coupon_shown,
    coupons,
    get_coupon,
    reaches,
    redeemed_counts,
    redemptions,
)
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.formats import date_text
from tenancy.ids import public_id
from tenancy.queries import paging
from web.accounts import account_url
from web.badges import Badge
from web.discounts import duration_in_words, off_in_words
from web.form_keys import fresh_key, key_in
from web.forms import differences, version_seen, version_to_carry
from web.page_heads import Crumb, Fact
from web.session_checks import staff_only
from web.tables import Column, Kind, Link, Table
from web.templatetags.figures import quantity
from web.timeline import timeline_of

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
        found = products(actor).filter(archived_at=None)[:_MOST_PRODUCTS]
        field.choices = [(str(one.pk), one.name) for one in found]


@dataclass(frozen=True, slots=True)
class CouponRow:
    """One coupon and how often it was redeemed."""

    coupon: Coupon
    count: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """Who redeemed a coupon, when, and until when it holds there."""

    title: str
    url: str
    account: str
    by: str
    on: str
    since: str
    until: str
    items: int


def _code(row: CouponRow) -> Link:
    url = reverse("catalogue:coupon", args=[row.coupon.public_id])
    archived = "" if row.coupon.archived_at is None else _("Archived")
    return Link(row.coupon.code, url, archived)


def _used(row: CouponRow) -> str:
    if row.coupon.max_redemptions is None:
        return quantity(row.count)
    return _("%(count)s of %(most)s") % {
        "count": quantity(row.count),
        "most": quantity(row.coupon.max_redemptions),
    }


TABLE: Final[Table[CouponRow]] = Table(
    name="coupons",
    title=gettext_lazy("Coupons"),
    default_sort="code",
    columns=(
        Column("code", gettext_lazy("Code"), Kind.LINK, _code, sort="code_key"),
        Column("name", gettext_lazy("Name"), Kind.TEXT, lambda row: row.coupon.name, sort="name"),
        Column("off", gettext_lazy("Off"), Kind.TEXT, lambda row: off_in_words(row.coupon)),
        Column(
            "duration",
            gettext_lazy("How long"),
            Kind.TEXT,
            lambda row: duration_in_words(row.coupon),
        ),
        Column(
            "until",
            gettext_lazy("Redeemed until"),
            Kind.DATE,
            lambda row: row.coupon.redeem_until,
            sort="redeem_until",
        ),
        Column("used", gettext_lazy("Redeemed"), Kind.TEXT, _used),
    ),
)


@require_safe
@staff_only
def coupon_list(request: ActorRequest) -> HttpResponseBase:
    """Show all coupons, page by page. Three statements beside those of the frame."""
    actor = request.actor
    state = TABLE.state(request.GET, request.COOKIES)
    page = paging.page_of(
        coupons(actor), TABLE.order(state), after=state.after, before=state.before
    )
    counts = redeemed_counts(actor, [one.pk for one in page.rows]) if page.rows else {}
    rows = [CouponRow(one, counts.get(one.pk, 0)) for one in page.rows]
    context = {
        "table": TABLE.shown(rows, state, {}, ""),
        "page": page,
        "tabs": tabs_of("coupons"),
        "is_empty": not page.rows,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/coupons.html", context)


@require_safe
@staff_only
def coupon_page(request: ActorRequest, coupon_id: str) -> HttpResponse:
    """Show a coupon with its redemptions. Six statements beside those of the frame."""
    actor = request.actor
    coupon = get_coupon(actor, coupon_id)
    page = paging.page_of(
        redemptions(actor, coupon),
        paging.Order("created_at", is_falling=True),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    count = redeemed_counts(actor, [coupon.pk]).get(coupon.pk, 0)
    is_archived = coupon.archived_at is not None
    context = {
        "title": coupon.code,
        "coupon": coupon,
        "badges": [Badge(_("Archived"))] if is_archived else [],
        "put_url": reverse(
            f"catalogue:{'reopen' if is_archived else 'archive'}_coupon", args=[coupon.public_id]
        ),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(_("Coupons"), reverse("catalogue:coupons")),
            Crumb(coupon.code),
        ],
        "rows": _redemptions(actor, page.rows),
        "page": page,
        "facts": _facts(actor, coupon, count),
        "timeline": timeline_of(actor, coupon.pk),
        "time_zone": request.tenant.time_zone,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/coupon.html", context)


def _redemptions(actor: Actor, found: Sequence[Discount]) -> list[Redemption]:
    reached = reaches(actor, [one.pk for one in found]) if found else {}
    rows = []
    for one in found:
        if one.subscription is not None:
            owner = one.subscription.account
            url = reverse("subscriptions:page", args=[one.subscription.public_id])
            title = _("Subscription of %(name)s") % {"name": owner.name}
        else:
            assert one.account is not None  # noqa: S101 - it is of one or the other
            owner, url = one.account, account_url(one.account.pk)
            title = _("%(name)s and all below") % {"name": owner.name}
        reach = reached.get(one.pk)
        ends = one.ends or (reach.ends if reach else None)
        rows.append(
            Redemption(
                title=title,
                url=url,
                account=owner.name,
                by=one.given_by,
                on=date_text(one.created_at.date()),
                since=date_text(one.starts),
                until=date_text(ends) if ends else _("open"),
                items=reach.items if reach else 0,
            )
        )
    return rows


def _facts(actor: Actor, coupon: Coupon, count: int) -> list[Fact]:
    names = ""
    if coupon.products:
        found = Product.objects.filter(tenant_id=actor.tenant_id, pk__in=coupon.products)
        names = ", ".join(found.order_by("name").values_list("name", flat=True)[:20])
    facts = [
        Fact(_("Name"), coupon.name),
        Fact(_("Off"), off_in_words(coupon)),
        Fact(_("How long"), duration_in_words(coupon)),
        Fact(_("Products"), names or _("all")),
        Fact(_("Redeemed"), _used(CouponRow(coupon, count))),
    ]
    optional = [
        (_("Redeemed from"), coupon.redeem_from and date_text(coupon.redeem_from)),
        (_("Redeemed until"), coupon.redeem_until and date_text(coupon.redeem_until)),
        (_("By one customer"), coupon.max_per_root and quantity(coupon.max_per_root)),
    ]
    return [*facts, *(Fact(label, value) for label, value in optional if value)]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_coupon(request: ActorRequest) -> HttpResponse:
    """Ask for a new coupon; POST makes it."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if request.method != "POST":
        return _form(request, CouponForm(actor=actor))
    form = CouponForm(request.POST, actor=actor)
    key = key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    try:
        made = _made(actor, form, key) if form.is_valid() and key is not None else None
    except AlreadyAdded as refusal:
        messages.info(request, refusal.detail)
        return redirect("catalogue:coupon", public_id("cpn", key))  # type: ignore[arg-type]
    if made is not None:
        messages.success(request, _("The coupon “%(code)s” is made.") % {"code": made.code})
        return redirect("catalogue:coupon", made.public_id)
    return _form(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _made(actor: Actor, form: CouponForm, key: UUID) -> Coupon | None:
    values = dict(form.cleaned_data)
    values["products"] = [UUID(one) for one in values["products"]]
    values["currency"] = values["currency"].strip().upper()
    if values["duration"] != Duration.PERIODS:
        values["periods"] = None
    try:
        return create_coupon(
            actor, NewCoupon(**values), key=key, today=actor.today, now=timezone.now()
        )
    except AlreadyAdded:
        raise
    except (Conflict, Invalid) as refusal:
        refuse(form, refusal, {"coupon_code_taken": "code"})
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def change_coupon(request: ActorRequest, coupon_id: str) -> HttpResponse:
    """Ask what a coupon is to be called, and until when and how often it is redeemed."""
    actor = request.actor
    coupon = get_coupon(actor, coupon_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if request.method != "POST":
        return _form(request, CouponChangeForm(initial=coupon_shown(coupon)), coupon)
    form = CouponChangeForm(request.POST)
    if form.is_valid():
        try:
            edit_coupon(
                actor,
                coupon.pk,
                form.cleaned_data,
                version=version_seen(request),
                now=timezone.now(),
            )
        except ChangedMeanwhile:
            return _form(request, form, coupon, status=HTTPStatus.CONFLICT)
        except (Conflict, Invalid) as refusal:
            refuse(form, refusal, {"coupon_code_taken": "code"})
        else:
            messages.success(request, _("Saved. What was redeemed stays as it is."))
            return redirect("catalogue:coupon", coupon.public_id)
    return _form(request, form, coupon, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _form(
    request: ActorRequest,
    form: forms.Form,
    coupon: Coupon | None = None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = _("New coupon") if coupon is None else _("Change coupon")
    stored: Mapping[str, Any] = {} if coupon is None else coupon_shown(coupon)
    labels = {name: form.fields[name].label for name in CHANGEABLE}
    is_old, carried = status == HTTPStatus.CONFLICT, request.POST.get("key", "")
    context = {
        "form": form,
        "title": title,
        "version": version_to_carry(request, stored, status=status) if coupon else "",
        "conflict": differences(form, labels, stored) if is_old else None,
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "cancel_url": reverse("catalogue:coupons")
        if coupon is None
        else reverse("catalogue:coupon", args=[coupon.public_id]),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(_("Coupons"), reverse("catalogue:coupons")),
            Crumb(title if coupon is None else coupon.code),
        ],
    }
    return render(request, "catalogue/coupon_form.html", context, status=status)


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
