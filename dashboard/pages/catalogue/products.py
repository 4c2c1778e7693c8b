"""Products: what is sold, at which prices, how much of it; making, changing and archiving one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from dashboard.pages.catalogue.named_things import NamedKind, ask_for_change, ask_for_new
from dashboard.pages.catalogue.prices import TABLE as PRICES
from dashboard.pages.catalogue.prices import price_rows, tabs_of
from subscriptions.models import Product
from subscriptions.operations.catalogue import (
    archive_price,
    archive_product,
    create_product,
    edit_product,
    reopen_price,
    reopen_product,
)
from subscriptions.queries.catalogue import (
    ProductUse,
    get_price,
    get_product,
    prices,
    product_shown,
    product_uses,
    products,
)
from tenancy.actor import Actor
from tenancy.queries import paging
from web.page_heads import Crumb, Fact
from web.prices import archived_badges
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind, Link, Table
from web.templatetags.figures import quantity
from web.timeline import timeline_of


class ProductForm(forms.Form):
    """What a product is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    external_id = forms.CharField(
        label=gettext_lazy("External ID (optional)"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product and how much it is used."""

    product: Product
    use: ProductUse
    main: str


def _name(row: ProductRow) -> Link:
    url = reverse("catalogue:product", args=[row.product.public_id])
    archived = "" if row.product.archived_at is None else _("Archived")
    return Link(row.product.name, url, archived)


TABLE: Final[Table[ProductRow]] = Table(
    name="products",
    title=gettext_lazy("Products"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Product"), Kind.LINK, _name, sort="name"),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda row: row.product.external_id,
            sort="external_id",
        ),
        Column("prices", gettext_lazy("Prices"), Kind.NUMBER, lambda row: row.use.prices or None),
        Column(
            "items",
            gettext_lazy("Used"),
            Kind.NUMBER,
            lambda row: row.use.items or None,
            tip=gettext_lazy("In how many running subscriptions"),
        ),
        Column(
            "mrr",
            gettext_lazy("MRR"),
            Kind.MONEY,
            lambda row: Amounts(row.use.monthly_minor, row.main),
            tip=gettext_lazy("Monthly recurring revenue"),
        ),
    ),
)


@require_safe
@staff_only
def product_list(request: ActorRequest) -> HttpResponseBase:
    """Show all products, page by page. Four statements beside those of the frame."""
    actor, main = request.actor, request.tenant.currency
    state = TABLE.state(request.GET, request.COOKIES)
    page = paging.page_of(
        products(actor), TABLE.order(state), after=state.after, before=state.before
    )
    context = {
        "table": TABLE.shown(_rows(actor, page.rows, main), state, {}, ""),
        "page": page,
        "tabs": tabs_of("products"),
        "is_empty": not page.rows,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/products.html", context)


def _rows(actor: Actor, found: Sequence[Product], main: str) -> list[ProductRow]:
    uses = product_uses(actor, [product.pk for product in found], actor.today)
    return [ProductRow(product, uses.get(product.pk, ProductUse()), main) for product in found]


@require_safe
@staff_only
def product_page(request: ActorRequest, product_id: str) -> HttpResponse:
    """Show a product with its prices. Six statements beside those of the frame."""
    actor, main = request.actor, request.tenant.currency
    product = get_product(actor, product_id)
    use = product_uses(actor, [product.pk], actor.today).get(product.pk, ProductUse())
    state = PRICES.state(request.GET, request.COOKIES)
    found = prices(actor, product_id=product.pk)
    page = paging.page_of(found, PRICES.order(state), after=state.after, before=state.before)
    context = {
        "title": product.name,
        "product": product,
        "badges": archived_badges(product),
        "put_url": reverse(
            f"catalogue:{'archive' if product.archived_at is None else 'reopen'}_product",
            args=[product.public_id],
        ),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(product.name),
        ],
        "table": PRICES.shown(price_rows(actor, page.rows, main), state, {}, ""),
        "page": page,
        "facts": [
            Fact(_("Prices"), quantity(use.prices)),
            Fact(_("Used"), quantity(use.items)),
            Fact(_("MRR"), Amounts(use.monthly_minor, main, is_mixed=True).all or "–"),
            *([Fact(_("External ID"), product.external_id)] if product.external_id else []),
        ],
        "timeline": timeline_of(actor, product.pk),
        "time_zone": request.tenant.time_zone,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/product.html", context)


def _create(actor: Actor, values: Mapping[str, Any], key: UUID) -> Product:
    return create_product(actor, key=key, now=timezone.now(), **values)


def _edit(actor: Actor, product: Product, values: Mapping[str, Any], version: str) -> Product:
    return edit_product(actor, product.pk, values, version=version, now=timezone.now())


KIND: Final[NamedKind[Product]] = NamedKind(
    page="product",
    listed="products",
    prefix="prd",
    new=gettext_lazy("New product"),
    change=gettext_lazy("Change product"),
    made=gettext_lazy("“%(name)s” is in the catalogue. Now give it a price."),
    saved=gettext_lazy("Saved. Issued invoices keep what they were issued with."),
    shown=product_shown,
    name_of=lambda product: product.name,
    new_form=lambda _actor, *sent: ProductForm(*sent),
    change_form=ProductForm,
    create=_create,
    edit=_edit,
    refused={"external_id_taken": "external_id"},
    otherwise="name",
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_product(request: ActorRequest) -> HttpResponse:
    """Ask for a new product; POST makes it."""
    return ask_for_new(request, KIND)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def change_product(request: ActorRequest, product_id: str) -> HttpResponse:
    """Ask what a product is to be called; POST changes it."""
    return ask_for_change(request, KIND, get_product(request.actor, product_id))


@require_POST
@staff_only
def put_product(request: ActorRequest, product_id: str, way: str) -> HttpResponse:
    """Archive a product, or sell it again."""
    actor, product = request.actor, get_product(request.actor, product_id)
    if way == "archive":
        archive_product(actor, product.pk, now=timezone.now())
        said = _("“%(name)s” is archived: nothing new is sold of it, what runs goes on.")
    else:
        reopen_product(actor, product.pk, now=timezone.now())
        said = _("“%(name)s” is sold again.")
    messages.success(request, said % {"name": product.name})
    return redirect("catalogue:product", product.public_id)


@require_POST
@staff_only
def put_price(request: ActorRequest, price_id: str, way: str) -> HttpResponse:
    """Archive a price, or sell at it again."""
    actor, price = request.actor, get_price(request.actor, price_id)
    if way == "archive":
        archive_price(actor, price.pk, now=timezone.now())
        said = _("“%(name)s” is archived: nothing new is sold at it, what runs goes on.")
    else:
        reopen_price(actor, price.pk, now=timezone.now())
        said = _("“%(name)s” is sold again.")
    messages.success(request, said % {"name": price.name})
    return redirect("catalogue:price", price.public_id)
