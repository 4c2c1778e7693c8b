"""Subscribing an account on screen."""

from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

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
from accounts.queries.accounts import get_account, resolve_reference
from dashboard.pages.subscriptions.contract import (
    CONTRACT_FIELDS,
    ContractFields,
)
from dashboard.pages.subscriptions.contract_facts import contract_facts, origin_of_default
from dashboard.pages.subscriptions.exact import ExactFields
from dashboard.pages.subscriptions.plan_items import PlanItemFields
from subscriptions.models import Plan, Subscription
from subscriptions.models.limits import MAX_TRIAL_DAYS, QUANTITY_DECIMALS, QUANTITY_DIGITS
from subscriptions.operations.subscriptions.contracting import Contract
from subscriptions.operations.subscriptions.creating import (
    AlreadySubscribed,
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.catalogue import get_price, prices
from subscriptions.queries.plans import Variant, get_plan, plans, variants_of
from subscriptions.queries.renewals import renewals
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.formats import date_text
from tenancy.ids import public_id
from web.discounts import off_in_words
from web.form_keys import fresh_key, key_in
from web.offering import cut_text, offered
from web.page_heads import Crumb, Fact
from web.prices import price_in_words, price_rhythm
from web.session_checks import staff_only
from web.templatetags.figures import money, unit_price

_MOST_PRICES: Final = 1_000
_MOST_PLANS: Final = 200


class NewSubscriptionForm(ExactFields, ContractFields):
    """Who subscribes to what, how much of it, and from when."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        help_text=gettext_lazy("An id such as acc_…, or ext: and your own number."),
        max_length=250,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    price = forms.ChoiceField(
        label=gettext_lazy("Price"), widget=forms.Select(attrs={"class": "input"})
    )
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"),
        min_value=Decimal(0),
        max_digits=QUANTITY_DIGITS + QUANTITY_DECIMALS,
        decimal_places=QUANTITY_DECIMALS,
        localize=True,
        initial=1,
        widget=forms.TextInput(attrs={"class": "input", "inputmode": "decimal"}),
    )
    start_date = forms.DateField(
        label=gettext_lazy("First day"),
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )
    end_date = forms.DateField(
        label=gettext_lazy("First day no longer served (optional)"),
        required=False,
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )
    trial_days = forms.IntegerField(
        label=gettext_lazy("Days of trial (optional)"),
        help_text=gettext_lazy("They are not charged; the first period begins after them."),
        required=False,
        min_value=1,
        max_value=MAX_TRIAL_DAYS,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )
    po_number = forms.CharField(
        label=gettext_lazy("Purchase order (optional)"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    is_unbound = forms.BooleanField(
        label=gettext_lazy("No contract terms: it may end on any day"),
        required=False,
    )
    coupon = forms.CharField(
        label=gettext_lazy("Code of a coupon (optional)"),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Offer the prices of the catalogue by product. Two statements."""
        super().__init__(*args, **kwargs)
        field = self.fields["price"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
        sold = prices(actor, is_sold=True).order_by("product__name", "name", "id")
        found = offered(field, sold, _MOST_PRICES)
        field.choices = [("", "–"), *((one.public_id, price_in_words(one)) for one in found)]
        self.offer_versions(actor, None, None)

    def clean_is_unbound(self) -> bool:
        """Refuse terms and none of them at once."""
        is_unbound: bool = self.cleaned_data["is_unbound"]
        if is_unbound and self._says_terms():
            raise forms.ValidationError(_("Please leave the contract terms empty, then."))
        return is_unbound

    def agreed_contract(self) -> Contract | None:
        """Return the contract terms that are said, None for those that hold by themselves."""
        says = self.cleaned_data["is_unbound"] or self._says_terms()
        return self.contract() if says else None

    def _says_terms(self) -> bool:
        return any(self.cleaned_data.get(name) is not None for name in CONTRACT_FIELDS)

    @property
    def sold(self) -> list[str]:
        """The fields that say what is sold."""
        return ["price", "quantity"]

    def with_sold(self, actor: Actor, wanted: NewSubscription) -> NewSubscription:
        """Return what is wanted with what is sold; the form is valid."""
        chosen = self.cleaned_data
        price_id = get_price(actor, chosen["price"]).pk
        item = NewItem(price_id, chosen["quantity"], chosen.get("exact", False))
        return replace(wanted, items=[item])

    def field_at(self, pointer: str) -> str | None:
        """Return the field that a refusal is about."""
        name = pointer.rpartition("/")[2]
        return name if name in self.fields else None


class NewOfPlanForm(NewSubscriptionForm):
    """Who subscribes to a variant of a plan, how much of its items, and which add-ons."""

    def __init__(
        self, *args: Any, actor: Actor, plan: Plan, variant: Variant, **kwargs: Any
    ) -> None:
        """Ask for the quantity of each item; an add-on is taken where it has one."""
        super().__init__(*args, actor=actor, **kwargs)
        for name in ("price", "quantity", "exact"):
            self.fields.pop(name, None)
        self._items = PlanItemFields(plan, variant)
        self._items.add_to(self)
        self.plan_words = _plan_words(plan, variant)

    @property
    def sold(self) -> list[str]:
        """The quantities of the items."""
        return self._items.names

    def with_sold(self, actor: Actor, wanted: NewSubscription) -> NewSubscription:
        """Return what is wanted with the plan, its quantities and the add-ons that are taken."""
        return replace(wanted, plan=self._items.choice(self))

    def field_at(self, pointer: str) -> str | None:
        """Return the field that a refusal is about; an item by its place."""
        return self._items.field_at(self, pointer) or super().field_at(pointer)


def _form(request: ActorRequest, data: Any = None) -> NewSubscriptionForm:
    """Return the form for a single price, or for the variant of a plan that the request names.

    Raises:
        NotFound: there is no such plan or variant.
    """
    actor = request.actor
    asked = request.POST if request.method == "POST" else request.GET
    initial: dict[str, Any] = {"account": asked.get("account", ""), "start_date": actor.today}
    if not asked.get("plan"):
        return NewSubscriptionForm(data, initial=initial, actor=actor)
    plan = get_plan(actor, asked["plan"])
    variants, number = variants_of(plan), asked.get("variant", "1")
    if not number.isdecimal() or not 1 <= int(number[:4]) <= len(variants):
        raise NotFound
    for name in CONTRACT_FIELDS[:4]:
        initial[name] = getattr(plan, name) or None
    initial["trial_days"] = plan.trial_days
    variant = variants[int(number) - 1]
    return NewOfPlanForm(data, initial=initial, actor=actor, plan=plan, variant=variant)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_subscription(request: ActorRequest) -> HttpResponse:
    """Ask who subscribes to what, and say what comes of it; POST subscribes."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    if request.method == "POST":
        form = _form(request, request.POST)
        key = key_in(actor, request.POST.get("key", ""))
        if key is None:
            form.add_error(None, _("This form is too old. Please send it once more."))
        try:
            made = _tried(actor, form, is_dry_run=key is None, key=key)
        except AlreadySubscribed as refusal:
            messages.info(request, refusal.detail)
            return redirect("subscriptions:page", public_id("sub", key))  # type: ignore[arg-type]
        if made is not None:
            messages.success(request, _("Subscribed. The next run bills what is due."))
            return redirect("subscriptions:page", made.public_id)
        return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.headers.get("HX-Request"):
        form = _form(request, request.GET)
        return render(request, "subscriptions/_preview.html", {"facts": _facts(actor, form)})
    return _page(request, _form(request))


def _tried(
    actor: Actor, form: NewSubscriptionForm, *, is_dry_run: bool, key: UUID | None = None
) -> Subscription | None:
    """Subscribe, or try to; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    chosen = form.cleaned_data
    try:
        account_id = resolve_reference(actor, chosen["account"].strip())
    except NotFound:
        form.add_error("account", _("There is no such account."))
        return None
    wanted = NewSubscription(
        items=(),
        start_date=chosen["start_date"],
        end_date=chosen["end_date"],
        trial_days=chosen["trial_days"],
        po_number=chosen["po_number"],
        contract=form.agreed_contract(),
        coupon=chosen["coupon"],
        key=key,
    )
    try:
        wanted = form.with_sold(actor, wanted)
        return create_subscription(
            actor, account_id, wanted, is_dry_run=is_dry_run, now=timezone.now()
        )
    except AlreadySubscribed:
        raise
    except Conflict as refusal:
        name = "coupon" if refusal.code.startswith(("coupon", "discount")) else "account"
        form.add_error(name, refusal.detail)
    except Invalid as refusal:
        for error in refusal.errors:
            form.add_error(form.field_at(error.pointer), error.detail)
        if not refusal.errors:
            form.add_error("coupon" if refusal.code == "unknown_coupon" else None, refusal.detail)
    return None


def _facts(actor: Actor, form: NewSubscriptionForm) -> list[Fact]:
    """Return what would come of the form, empty where it says too little yet."""
    made = _tried(actor, form, is_dry_run=True)
    if made is None:
        return []
    coming = renewals(actor, [made], max(actor.today, made.anchor_date))[made.pk]
    facts = [Fact(_("Used by"), made.account.name)]
    if coming.currency:
        facts.append(Fact(_("In a month"), money(coming.mrr_minor, coming.currency)))
    given = next((item.discount for item in made.items.all() if item.discount), None)
    if given is not None:
        off = _("%(name)s, %(off)s") % {"name": given.name, "off": off_in_words(given)}
        facts.append(Fact(_("Discount"), off))
    facts += [
        Fact(_("Setup fee, once"), unit_price(item.price.setup_fee, item.price.currency))
        for item in made.items.all()
        if item.price.setup_fee is not None and made.first_charged_day == made.anchor_date
    ]
    if coming.period is not None:
        facts.append(Fact(_("First period until"), date_text(coming.period.end)))
    if coming.next_invoice_date is not None:
        facts.append(Fact(_("First invoice"), date_text(coming.next_invoice_date)))
    origin = origin_of_default(actor, made)
    return [*facts, *contract_facts(made, max(actor.today, made.start_date), origin)]


def _page(
    request: ActorRequest, form: NewSubscriptionForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    carried = request.POST.get("key", "")
    asked = request.POST if request.method == "POST" else request.GET
    context = {
        "form": form,
        "sold_fields": [form[name] for name in form.sold],
        "plan": asked.get("plan", ""),
        **({"plans": []} if asked.get("plan") else _plans_to_sell(request.actor)),
        "variant": asked.get("variant", ""),
        "contract_fields": [form[name] for name in CONTRACT_FIELDS],
        "unbound_field": form["is_unbound"],
        "exact_field": form["exact"] if "exact" in form.fields else None,
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "account_name": _account_name(request.actor, form),
        "steps": [
            Crumb(_("Subscriptions"), reverse("subscriptions:list")),
            Crumb(_("New subscription")),
        ],
    }
    return render(request, "subscriptions/new.html", context, status=status)


def _plan_words(plan: Plan, variant: Variant) -> str:
    return f"{plan.name}, {variant.currency}, {price_rhythm(variant.items[0].price)}"


def _plans_to_sell(actor: Actor) -> dict[str, Any]:
    """Return where one begins with each variant of the plans that are sold. Two statements.

    Where there are more than are listed, it says so.
    """
    here = reverse("subscriptions:new")
    found = list(plans(actor, is_sold=True)[: _MOST_PLANS + 1])
    links = [
        (
            f"{here}?plan={plan.public_id}&variant={place}",
            _plan_words(plan, one),
        )
        for plan in found[:_MOST_PLANS]
        for place, one in enumerate(variants_of(plan), 1)
    ]
    cut = cut_text(_MOST_PLANS) if len(found) > _MOST_PLANS else ""
    return {"plans": links, "plans_cut": cut}


def _account_name(actor: Actor, form: NewSubscriptionForm) -> str:
    """Return the name of the account that the form holds, empty where there is none."""
    text = str(form["account"].value() or "").strip()
    try:
        return get_account(actor, resolve_reference(actor, text)).name if text else ""
    except NotFound:
        return ""
