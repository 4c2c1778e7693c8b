"""Plans: what is sold together, who has it, archiving it and selling it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.catalogue.prices import tabs_of
from dashboard.pages.subscriptions.contract_facts import (
    months_text,
    notice_text,
    renewal_text,
)
from subscriptions.models import Plan, PlanItem
from subscriptions.operations.plans.keeping import archive_plan, reopen_plan
from subscriptions.queries.plans import (
    get_plan,
    plans,
    subscriptions_of_plan,
    subscriptions_with,
    variants_of,
)
from tenancy.formats import date_text
from tenancy.queries import paging
from web.badges import Badge
from web.page_heads import Crumb, Fact
from web.plan_items import bounds_text
from web.prices import price_amount, price_rhythm
from web.session_checks import staff_only
from web.tables import Column, Kind, Link, Table
from web.templatetags.figures import quantity
from web.timeline import timeline_of


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan and how many subscriptions have it."""

    plan: Plan
    count: int


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One price of a plan in words."""

    name: str
    url: str
    product: str
    part: str
    quantity: str
    bounds: str
    amount: str


@dataclass(frozen=True, slots=True)
class VariantRows:
    """A variant of a plan in words."""

    key: str
    title: str
    items: Sequence[ItemRow]
    start_url: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """A subscription that has a plan."""

    account: str
    url: str
    since: str


def _name(row: PlanRow) -> Link:
    url = reverse("catalogue:plan", args=[row.plan.public_id])
    archived = "" if row.plan.archived_at is None else _("Archived")
    return Link(row.plan.name, url, archived)


def _sold(row: PlanRow) -> str:
    return ", ".join(
        f"{one.currency} {price_rhythm(one.items[0].price)}" for one in variants_of(row.plan)
    )


TABLE: Final[Table[PlanRow]] = Table(
    name="plans",
    title=gettext_lazy("Plans"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Plan"), Kind.LINK, _name, sort="name"),
        Column("variants", gettext_lazy("Variants"), Kind.TEXT, _sold),
        Column("term", gettext_lazy("Minimum term"), Kind.TEXT, lambda row: _term(row.plan)),
        Column("used", gettext_lazy("Subscriptions"), Kind.NUMBER, lambda row: row.count),
    ),
)


@require_safe
@staff_only
def plan_list(request: ActorRequest) -> HttpResponseBase:
    """Show all plans, page by page. Four statements beside those of the frame."""
    actor = request.actor
    state = TABLE.state(request.GET, request.COOKIES)
    page = paging.page_of(plans(actor), TABLE.order(state), after=state.after, before=state.before)
    counts = subscriptions_with(actor, [one.pk for one in page.rows]) if page.rows else {}
    rows = [PlanRow(one, counts.get(one.pk, 0)) for one in page.rows]
    context = {
        "table": TABLE.shown(rows, state, {}, ""),
        "page": page,
        "tabs": tabs_of("plans"),
        "is_empty": not page.rows,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/plans.html", context)


@require_safe
@staff_only
def plan_page(request: ActorRequest, bundle_id: str) -> HttpResponse:
    """Show a plan with its variants and who has it. Seven statements beside those of the frame."""
    actor = request.actor
    plan = get_plan(actor, bundle_id)
    count = subscriptions_with(actor, [plan.pk]).get(plan.pk, 0)
    page = paging.page_of(
        subscriptions_of_plan(actor, plan),
        paging.Order("start_date", is_falling=True),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    is_archived = plan.archived_at is not None
    context = {
        "title": plan.name,
        "plan": plan,
        "badges": [Badge(_("Archived"))] if is_archived else [],
        "put_url": reverse(
            f"catalogue:{'reopen' if is_archived else 'archive'}_plan", args=[plan.public_id]
        ),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(_("Plans"), reverse("catalogue:plans")),
            Crumb(plan.name),
        ],
        "variants": _variants(
            plan, may_start=access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION)
        ),
        "facts": _facts(plan, count),
        "users": [
            UserRow(
                one.account.name,
                reverse("subscriptions:page", args=[one.public_id]),
                date_text(one.start_date),
            )
            for one in page.rows
        ],
        "page": page,
        "timeline": timeline_of(actor, plan.pk),
        "time_zone": request.tenant.time_zone,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/plan.html", context)


@require_POST
@staff_only
def put_plan(request: ActorRequest, bundle_id: str, way: str) -> HttpResponse:
    """Archive a plan, or sell it again."""
    actor = request.actor
    plan = get_plan(actor, bundle_id)
    if way == "archive":
        archive_plan(actor, plan.pk, now=timezone.now())
        messages.success(request, _("Archived. What runs goes on."))
    else:
        reopen_plan(actor, plan.pk, now=timezone.now())
        messages.success(request, _("Subscriptions begin with it again."))
    return redirect("catalogue:plan", plan.public_id)


def _variants(plan: Plan, *, may_start: bool) -> list[VariantRows]:
    return [
        VariantRows(
            f"variant-{place}",
            f"{one.currency}, {price_rhythm(one.items[0].price)}",
            [_row(item) for item in one.items],
            f"{reverse('subscriptions:new')}?plan={plan.public_id}&variant={place}"
            if may_start and plan.archived_at is None
            else "",
        )
        for place, one in enumerate(variants_of(plan), 1)
    ]


def _row(item: PlanItem) -> ItemRow:
    price = item.price
    return ItemRow(
        name=price.name,
        url=reverse("catalogue:price", args=[price.public_id]),
        product=price.product.name,
        part=_("Add-on") if item.is_addon else _("Always"),
        quantity=quantity(item.quantity),
        bounds=bounds_text(item),
        amount=price_amount(price),
    )


def _term(plan: Plan) -> str:
    months = plan.minimum_term_months
    return "–" if months is None else months_text(months)


def _facts(plan: Plan, count: int) -> list[Fact]:
    facts = [Fact(_("Subscriptions"), quantity(count))]
    if plan.trial_days is not None:
        days = ngettext("%(count)s day", "%(count)s days", plan.trial_days)
        facts.append(Fact(_("Trial"), days % {"count": plan.trial_days}))
    terms = plan.contract_terms
    facts.append(Fact(_("Minimum term"), _term(plan)))
    if terms is not None:
        if terms.minimum_months is not None:
            facts.append(Fact(_("After the term"), renewal_text(terms)))
        facts.append(Fact(_("Notice period"), notice_text(terms)))
    if plan.external_id:
        facts.append(Fact(_("External ID"), plan.external_id))
    return facts
