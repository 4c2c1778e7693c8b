"""Making a plan and changing it, with what begins with it then, and who has it already."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
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
from billing_rules.money import to_minor
from billing_rules.pricing import price_of
from dashboard.pages.catalogue.plan_form import CONTRACT, PlanForm, initial_of, variant_title
from subscriptions.models import Plan, PlanItem
from subscriptions.operations.catalogue import AlreadyAdded
from subscriptions.operations.plans.keeping import create_plan, edit_plan, plan_shown
from subscriptions.queries.plans import get_plan, subscriptions_with, variants_of
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.ids import public_id
from web.form_keys import fresh_key, key_in
from web.forms import differences, version_seen, version_to_carry
from web.page_heads import Crumb, Fact
from web.plan_items import bounds_text
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

_SIMPLE: Final = ("name", "external_id", "trial_days", *CONTRACT)


@dataclass(frozen=True, slots=True)
class VariantPreview:
    """What somebody has who begins with a variant."""

    title: str
    always: Sequence[str]
    addons: Sequence[str]
    facts: Sequence[Fact]


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_plan(request: ActorRequest) -> HttpResponse:
    """Ask for a new plan; POST makes it, or says what it comes to, or gives one more row."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if request.method != "POST":
        return _page(request, PlanForm(actor=actor))
    form = PlanForm(request.POST, actor=actor)
    if request.headers.get("HX-Request"):
        return _preview(request, form)
    if (answer := _written_on(request, form)) is not None:
        return answer
    key = key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    try:
        made = _tried(request, form, key=key) if key is not None else None
    except AlreadyAdded as refusal:
        messages.info(request, refusal.detail)
        return redirect("catalogue:plan", public_id("pln", key))  # type: ignore[arg-type]
    if made is not None:
        messages.success(request, _("“%(name)s” is in the catalogue.") % {"name": made.name})
        return redirect("catalogue:plan", made.public_id)
    return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def change_plan(request: ActorRequest, bundle_id: str) -> HttpResponse:
    """Ask what is to be other with a plan; POST changes it for what begins from now on."""
    actor = request.actor
    plan = get_plan(actor, bundle_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    initial = initial_of(plan)
    if request.method != "POST":
        return _page(request, PlanForm(initial=initial, actor=actor), plan)
    form = PlanForm(request.POST, initial=initial, actor=actor)
    if request.headers.get("HX-Request"):
        return _preview(request, form, plan)
    if (answer := _written_on(request, form, plan)) is not None:
        return answer
    try:
        changed = _tried(request, form, plan)
    except ChangedMeanwhile:
        return _page(request, form, plan, status=HTTPStatus.CONFLICT)
    if changed is not None:
        messages.success(request, _("Saved. Who has the plan already keeps what was begun with."))
        return redirect("catalogue:plan", plan.public_id)
    return _page(request, form, plan, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _written_on(
    request: ActorRequest, form: PlanForm, plan: Plan | None = None
) -> HttpResponse | None:
    """Answer whoever goes on writing: a row more, less or higher, or what it comes to."""
    for act, change in (("remove", form.remove_row), ("raise", form.raise_row)):
        place = request.POST.get(act, "")
        if place.isdecimal() and len(place) < 4:
            change(int(place))
            return _page(request, form, plan)
    step = request.POST.get("step")
    if step == "add":
        form.add_row()
        return _page(request, form, plan)
    if step == "preview":
        return _page(request, form, plan, preview=_outcome(request, form, plan))
    return None


def _preview(request: ActorRequest, form: PlanForm, plan: Plan | None = None) -> HttpResponse:
    return render(request, "catalogue/_plan_preview.html", _outcome(request, form, plan))


def _outcome(request: ActorRequest, form: PlanForm, plan: Plan | None) -> dict[str, Any]:
    """Return what begins with the plan if it is stored so, tried and taken back; or why not."""
    shown: dict[str, Any] = {}
    with transaction.atomic():
        tried = _tried(request, form, plan, is_dry_run=True)
        if tried is not None:
            fresh = get_plan(request.actor, tried.public_id)
            shown["variants"] = _variants(fresh)
            if plan is not None:
                shown["changes"] = _changes(form, fresh)
        transaction.set_rollback(True)
    if tried is None:
        shown["errors"] = [str(error) for some in form.errors.values() for error in some]
    return {**shown, "used": "" if plan is None else _used(request.actor, plan)}


def _tried(
    request: ActorRequest,
    form: PlanForm,
    plan: Plan | None = None,
    *,
    key: UUID | None = None,
    is_dry_run: bool = False,
) -> Plan | None:
    """Make or change the plan; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    actor, now = request.actor, timezone.now()
    try:
        if plan is None:
            return create_plan(actor, form.wanted(), key=key, now=now)
        version = "" if is_dry_run else version_seen(request)
        return edit_plan(actor, plan.pk, form.wanted(), version=version, now=now)
    except (AlreadyAdded, ChangedMeanwhile):
        raise
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
    return None


def _variants(plan: Plan) -> list[VariantPreview]:
    """Return what somebody has who begins with each variant of a plan."""
    return [
        VariantPreview(
            title=variant_title(one.items[0].price),
            always=[_item(item) for item in one.items if not item.is_addon],
            addons=[_item(item) for item in one.items if item.is_addon],
            facts=_cost(one.items),
        )
        for one in variants_of(plan)
    ]


def _item(item: PlanItem) -> str:
    if item.price.is_metered:
        return _("%(name)s, as used") % {"name": item.price.name}
    values = {
        "count": quantity(item.quantity),
        "name": item.price.name,
        "bounds": bounds_text(item),
    }
    if item.minimum is None and item.maximum is None:
        return _("%(count)s × %(name)s") % values
    return _("%(count)s × %(name)s (%(bounds)s)") % values


def _cost(items: Sequence[PlanItem]) -> list[Fact]:
    """Return what a full period costs of what is always had and not measured, before discounts."""
    currency = items[0].price.currency
    agreed = [item for item in items if not item.is_addon and not item.price.is_metered]
    if not agreed:
        return []
    net = sum(to_minor(price_of(one.price.terms, one.quantity).amount, currency) for one in agreed)
    return [Fact(_("A full period without add-ons, net"), money(net, currency))]


def _used(actor: Actor, plan: Plan) -> str:
    """Return who has a plan, and that nothing changes for them."""
    count = subscriptions_with(actor, [plan.pk]).get(plan.pk, 0)
    if not count:
        return _("No subscription has it.")
    text = ngettext(
        "%(count)s subscription has this plan. It keeps what it began with: its prices,"
        " quantities, trial and contract terms. What is changed holds for what begins from now on.",
        "%(count)s subscriptions have this plan. They keep what they began with: their prices,"
        " quantities, trial and contract terms. What is changed holds for what begins from now on.",
        count,
    )
    return text % {"count": quantity(count)}


def _changes(form: PlanForm, fresh: Plan) -> list[dict[str, Any]]:
    """Return what would be other than it was when the form was opened, both values of each."""
    return _compared(form, form.initial, initial_of(fresh))


def _compared(form: PlanForm, stored: Any, mine: Any) -> list[dict[str, Any]]:
    found = [
        {"label": form.fields[name].label, "stored": stored[name] or "–", "mine": mine[name] or "–"}
        for name in _SIMPLE
        if (stored[name] or None) != (mine[name] or None)
    ]
    if stored["items"] != mine["items"]:
        found.append(
            {
                "label": form.fields["items"].label,
                "stored": _listed(form, stored["items"]),
                "mine": _listed(form, mine["items"]),
            }
        )
    return found


def _listed(form: PlanForm, rows: Any) -> str:
    """Return items in one line."""
    names = form.names
    lines = []
    for row in rows:
        bounds = f" ({row['minimum'] or '0'}–{row['maximum'] or '∞'})"
        text = f"{row['quantity'] or '1'} × {names.get(row['price'], row['price'])}"
        text += bounds if row["minimum"] or row["maximum"] else ""
        if row["part"] == "addon":
            text = _("%(item)s as an add-on") % {"item": text}
        lines.append(text)
    return "; ".join(lines) or "–"


def _page(
    request: ActorRequest,
    form: PlanForm,
    plan: Plan | None = None,
    *,
    preview: Any = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    stored = {} if plan is None else plan_shown(plan)
    carried = request.POST.get("key", "")
    changed = _("Change “%(name)s”")
    title = _("New plan") if plan is None else changed % {"name": plan.name}
    if preview is None and plan is not None:
        preview = {"variants": _variants(plan), "used": _used(request.actor, plan)}
    context = {
        "form": form,
        "title": title,
        "contract_fields": [form[name] for name in CONTRACT],
        "version": version_to_carry(request, stored, status=status) if plan else "",
        "conflict": _conflict(form, plan) if status == HTTPStatus.CONFLICT and plan else None,
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "cancel_url": reverse("catalogue:plans")
        if plan is None
        else reverse("catalogue:plan", args=[plan.public_id]),
        "focus_row": len(form.rows) if request.POST.get("step") == "add" else 0,
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(_("Plans"), reverse("catalogue:plans")),
            Crumb(title if plan is None else plan.name),
        ],
        **(preview or {}),
    }
    return render(request, "catalogue/plan_form.html", context, status=status)


def _conflict(form: PlanForm, plan: Plan) -> list[dict[str, Any]]:
    """Return what the form would change of what somebody else has stored meanwhile."""
    stored = initial_of(plan)
    labels = {name: form.fields[name].label for name in _SIMPLE}
    found = differences(form, labels, {name: stored[name] or "" for name in _SIMPLE})
    mine = [dict(row.values) for row in form.rows]
    return [*found, *_compared(form, stored, {**stored, "items": mine})]
