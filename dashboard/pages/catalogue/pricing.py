"""Making a price and changing it, with a picture of what it comes to."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile
from billing_rules.money import is_currency
from billing_rules.periods import Interval, Unit
from dashboard.pages.catalogue.price_form import PriceForm, initial_of
from dashboard.pages.catalogue.prices import like_url
from subscriptions.models import Meter, Price, Product
from subscriptions.operations.catalogue import (
    AlreadyAdded,
    NewPrice,
    create_price,
    edit_price,
)
from subscriptions.queries.catalogue import get_price, get_product, is_used, price_shown
from subscriptions.queries.meters import meters
from subscriptions.queries.price_effects import effect_of_price
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.ids import public_id
from web.charts.price_steps import examples_of, price_steps
from web.form_keys import fresh_key, key_in
from web.forms import differences, version_seen, version_to_carry
from web.page_heads import Crumb, Fact
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_price(request: ActorRequest, product_id: str) -> HttpResponse:
    """Ask for a new price of a product; POST makes it, or one more row of tiers."""
    actor = request.actor
    product = get_product(actor, product_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if request.method != "POST":
        initial = {"name": product.name, "currency": request.tenant.currency}
        if like := _like(request):
            initial = {**initial_of(like), "external_id": ""}
        return _page(request, product, PriceForm(initial=initial, meters=_meters(actor)))
    form = PriceForm(request.POST, meters=_meters(actor))
    if request.headers.get("HX-Request"):
        shown = {**_picture(form), "effect": _effect(request, form)}
        return render(request, "catalogue/_price_picture.html", shown)
    if _goes_on(request, form):
        return _page(request, product, form)
    key = key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    try:
        made = _made(actor, product, form, key) if key is not None else None
    except AlreadyAdded as refusal:
        messages.info(request, refusal.detail)
        return redirect("catalogue:price", public_id("prc", key))  # type: ignore[arg-type]
    if made is not None:
        messages.success(request, _("“%(name)s” is in the catalogue.") % {"name": made.name})
        return redirect("catalogue:price", made.public_id)
    return _page(request, product, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def change_price(request: ActorRequest, price_id: str) -> HttpResponse:
    """Ask what is to be changed of a price; POST changes it, or one more row of tiers."""
    actor = request.actor
    price = get_price(actor, price_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    used = is_used(actor, price.pk)
    if request.method != "POST":
        form = PriceForm(initial=initial_of(price), meters=_meters(actor, price), is_used=used)
        return _page(request, price.product, form, price=price)
    form = PriceForm(
        request.POST, initial=initial_of(price), meters=_meters(actor, price), is_used=used
    )
    if request.headers.get("HX-Request"):
        return render(request, "catalogue/_price_picture.html", _picture(form))
    if _goes_on(request, form):
        return _page(request, price.product, form, price=price)
    try:
        is_saved = _changed(request, price, form)
    except ChangedMeanwhile:
        return _page(request, price.product, form, price=price, status=HTTPStatus.CONFLICT)
    if is_saved:
        messages.success(request, _("Saved. Issued invoices keep what they were issued with."))
        return redirect("catalogue:price", price.public_id)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _page(request, price.product, form, price=price, status=status)


def _meters(actor: Actor, price: Price | None = None) -> list[Meter]:
    """Return the meters that a price may be charged by, and the one that it is charged by."""
    own = None if price is None else price.meter_id
    return [one for one in meters(actor) if one.archived_at is None or one.pk == own]


def _goes_on(request: ActorRequest, form: PriceForm) -> bool:
    """Return whether somebody goes on writing; the form has one row more or less then."""
    if form.is_used:
        return False
    removed = request.POST.get("remove", "")
    if removed.isdecimal() and len(removed) < 4:
        form.remove_row(int(removed))
        return True
    if request.POST.get("step") == "add":
        form.add_row()
        return True
    return request.POST.get("step") == "preview"


def _made(actor: Actor, product: Product, form: PriceForm, key: UUID) -> Price | None:
    """Make the price; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    try:
        wanted = NewPrice(**form.wanted())
        return create_price(
            actor, product.pk, wanted, key=key, today=actor.today, now=timezone.now()
        )
    except AlreadyAdded:
        raise
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
    return None


def _changed(request: ActorRequest, price: Price, form: PriceForm) -> bool:
    """Change the price; what is refused stands at the fields."""
    if not form.is_valid():
        return False
    actor = request.actor
    try:
        edit_price(
            actor,
            price.pk,
            form.wanted(),
            version=version_seen(request),
            today=actor.today,
            now=timezone.now(),
        )
    except ChangedMeanwhile:
        raise
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
        return False
    return True


def _like(request: ActorRequest) -> Price | None:
    """Return the price with whose terms the form began, None where it began empty."""
    named = request.POST.get("like") or request.GET.get("like", "")
    return get_price(request.actor, named) if named else None


def _effect(request: ActorRequest, form: PriceForm) -> list[Fact]:
    """Return what it would come to if everybody had this price who has the one it began with."""
    like = _like(request)
    terms = None if like is None or form.is_used else form.terms()
    if like is None or terms is None:
        return []
    wanted = form.wanted()
    if wanted["currency"] != like.currency:
        return []
    actor = request.actor
    cycle = Interval(Unit(wanted["interval"]), wanted["interval_count"])
    found = effect_of_price(actor, like, terms, cycle, on=actor.today)
    if not found.items:
        return []
    used = ngettext("%(count)s subscription", "%(count)s subscriptions", found.items)
    return [
        Fact(_("Used"), used % {"count": quantity(found.items)}),
        Fact(_("MRR today"), money(found.before_minor, like.currency)),
        Fact(_("MRR at this price"), money(found.after_minor, like.currency)),
        Fact(_("Difference"), money(found.difference_minor, like.currency)),
    ]


def _picture(form: PriceForm) -> dict[str, Any]:
    """Return what a price comes to, as far as the form says it."""
    terms = None if form.is_used else form.terms()
    currency = form.wanted()["currency"] if terms is not None else ""
    if terms is None or not is_currency(currency):
        return {"picture": "", "examples": []}
    return {
        "picture": price_steps(terms, currency, form.cleaned_data["name"]),
        "examples": examples_of(terms, currency),
    }


def _page(
    request: ActorRequest,
    product: Product,
    form: PriceForm,
    *,
    price: Price | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    again = _read_again(form)
    picture = {**_picture(again), "effect": _effect(request, again)}
    is_old = status == HTTPStatus.CONFLICT and price is not None
    labels = {name: field.label for name, field in form.fields.items() if name != "tiers"}
    stored = {} if price is None else price_shown(price)
    # The form names the meter as integrators do.
    compared = stored if price is None else {**stored, "meter": initial_of(price)["meter"]}
    carried = request.POST.get("key", "")
    context = {
        "form": form,
        "price": price,
        "title": _("New price") if price is None else _("Change price"),
        "version": version_to_carry(request, stored, status=status) if price else "",
        "conflict": differences(form, labels, compared) if is_old else None,
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "cancel_url": _url(product, price),
        "like": request.POST.get("like") or request.GET.get("like", ""),
        "like_url": "" if price is None else like_url(price),
        "focus_row": _row_to_write(request, form),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(product.name, reverse("catalogue:product", args=[product.public_id])),
            Crumb(_("New price") if price is None else price.name),
        ],
        **picture,
    }
    return render(request, "catalogue/price_form.html", context, status=status)


def _read_again(form: PriceForm) -> PriceForm:
    """Return a form that holds what this one shows, without what was refused of it."""
    if form.is_used:
        return form
    if form.is_bound:
        return PriceForm(form.data, meters=form.meters)
    held = QueryDict(mutable=True)
    for name, field in form.fields.items():
        if name != "tiers" and (value := form[name].value()) is not None:
            is_choice = isinstance(field, forms.ChoiceField)
            held[name] = str(value if is_choice else field.widget.format_value(value) or "")
    again = PriceForm(held, meters=form.meters)
    again.replace_rows(form.rows)
    return again


def _row_to_write(request: ActorRequest, form: PriceForm) -> int:
    """Return the number of the tier in which to go on writing, 0 where there is none."""
    if form.is_used or request.POST.get("step") != "add":
        return 0
    empty = [place for place, row in enumerate(form.rows, start=1) if not any(row.values())]
    return empty[-1] if empty else 0


def _url(product: Product, price: Price | None) -> str:
    if price is None:
        return reverse("catalogue:product", args=[product.public_id])
    return reverse("catalogue:price", args=[price.public_id])
