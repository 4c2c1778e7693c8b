"""The page of a subscription: what is had, what it costs, what comes next, how it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from billing_rules.money import to_minor
from billing_rules.periods import Period
from billing_rules.pricing import price_of
from billing_rules.subscription_states import State
from billing_rules.timelines import Stretch
from dashboard.pages.customers.subscription_table import SubscriptionRow, rows_of
from dashboard.pages.plans.doors import recipient_url
from dashboard.pages.subscriptions.columns import title_of
from dashboard.pages.subscriptions.contract_facts import contract_facts
from dashboard.pages.subscriptions.phases import phases_of
from invoicing.models import ChangePlan
from invoicing.queries.plans.listing import plans
from invoicing.words import plan_title
from subscriptions.models import Discount, Item, Subscription, Uncharged
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS, fits
from subscriptions.queries.discounts import discounts_of, reaches
from subscriptions.queries.measured import measured_of
from subscriptions.queries.subscriptions import get_subscription, state_of
from subscriptions.queries.terms import ItemTerms, changing_terms
from tenancy.actor import Actor
from tenancy.formats import date_text, period_text
from web.accounts import account_url
from web.badges import Badge
from web.discounts import DiscountRow, discount_rows
from web.page_heads import Crumb, Fact
from web.plan_badges import plan_badge
from web.prices import TIMINGS, UNCHARGED, price_amount, price_rhythm, subscription_badge
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity
from web.timeline import timeline_of

_NOTHING: Final = "–"
_MOST_PLANS: Final = 20


@dataclass(frozen=True, slots=True)
class Planned:
    """Something that is planned for the subscription."""

    title: str
    url: str
    day: str
    badge: Badge


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One price in a quantity, in words."""

    product: str
    price: str
    price_url: str
    quantity: str
    amount: str
    rhythm: str
    timing: str
    monthly: str
    change_url: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class TermsRow:
    """What an item costs from a day on, in words."""

    since: str
    price: str
    quantity: str
    monthly: str
    uncharged: str
    discount: str
    holds: bool


@require_safe
@staff_only
def subscription_page(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Show a subscription. Eleven statements beside those of the frame, two more for its past."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    [row] = rows_of(actor, [found], actor.today, request.tenant.currency, stood_then=False)
    items = sorted(found.items.all(), key=lambda item: item.pk)
    state = state_of(found, actor.today)
    terms = changing_terms(actor, found)
    is_paused = state == State.PAUSED or _will_be_paused(actor, terms)
    may_change = access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    may_add = may_change and state != State.CANCELLED
    context = {
        "title": title_of(items),
        "steps": steps_to(found),
        "badges": [subscription_badge(state)],
        "facts": [*facts_of(row, actor.today), *_used_so_far(actor, found, row.renewal.period)],
        "contract": contract_facts(found, actor.today),
        "planned": [_planned(plan) for plan in _open_plans(actor, found)],
        "recipient_url": "" if state == State.CANCELLED else recipient_url(actor, found),
        "items": [
            _row(
                item,
                found if may_change and state != State.CANCELLED else None,
                is_only=len(items) == 1,
            )
            for item in items
        ],
        "terms": _terms(actor, terms),
        "discounts": _discounts(actor, found, is_changeable=may_add),
        "phases": phases_of(found, terms, actor.today, row.renewal.currency),
        "timeline": timeline_of(actor, found.pk),
        "time_zone": request.tenant.time_zone,
        "upcoming_url": account_url(found.account_id, "upcoming"),
        "may_pause": may_change and state not in (State.CANCELLED, State.PAUSED),
        "may_resume": may_change and state != State.CANCELLED and is_paused,
        "may_bind": may_change and state != State.CANCELLED,
        "may_end": may_change
        and state != State.CANCELLED
        and (found.end_date is None or found.ends_with_term),
        "may_go_on": may_change
        and state != State.CANCELLED
        and found.end_date is not None
        and not found.ends_with_term,
        "may_add": may_add,
        "subscription_id": found.public_id,
        "scope_name": found.account.name,
    }
    return render(request, "subscriptions/page.html", context)


def steps_to(found: Subscription, *further: str) -> list[Crumb]:
    """Return the breadcrumb to a subscription, or to a page below it."""
    title = title_of(sorted(found.items.all(), key=lambda item: item.pk))
    here = reverse("subscriptions:page", args=[found.public_id])
    return [
        Crumb(_("Subscriptions"), reverse("subscriptions:list")),
        Crumb(title, here if further else ""),
        *(Crumb(label) for label in further),
    ]


def _open_plans(actor: Actor, found: Subscription) -> Sequence[ChangePlan]:
    """Return what is planned for a subscription and not carried out yet. One statement."""
    waiting = plans(actor, subscription=found.pk).filter(status__in=ChangePlan.CHANGEABLE)
    return list(waiting[:_MOST_PLANS])


def _planned(plan: ChangePlan) -> Planned:
    day = date_text(plan.effective_date)
    url = reverse("plans:page", args=[plan.public_id])
    return Planned(plan_title(plan), url, day, plan_badge(plan))


def facts_of(row: SubscriptionRow, today: date) -> list[Fact]:
    """Return what stands beside the items."""
    found, renewal = row.subscription, row.renewal
    period, own_day = renewal.period, found.own_billing_day(today)
    facts = [
        Fact(_("Used by"), found.account.name, account_url(found.account_id)),
        Fact(
            _("MRR"), money(renewal.mrr_minor, renewal.currency) if renewal.currency else _NOTHING
        ),
        Fact(_("Running period"), period_text(period.start, period.end) if period else _NOTHING),
        Fact(_("Since"), date_text(found.start_date)),
        Fact(_("End"), date_text(found.end_date) if found.end_date else _("open")),
        Fact(_("Invoiced to"), row.bill_to.name, row.bill_to.url),
        Fact(_("Recipient comes from"), row.bill_to.because, row.bill_to.origin_url),
        Fact(_("Paid by"), row.payer.name, row.payer.url),
        Fact(_("Payer comes from"), row.payer.because, row.payer.origin_url),
    ]
    plan_id = found.plan_id_on(today)
    plan = found.plan if plan_id == found.plan_id else found.former_plan
    if plan is not None:
        url = reverse("catalogue:plan", args=[plan.public_id])
        facts.insert(1, Fact(_("Plan"), plan.name, url))
    optional: list[tuple[str, Any]] = [
        (_("First day after the trial"), found.trial_end and date_text(found.trial_end)),
        (_("Billed elsewhere until"), found.billed_until and date_text(found.billed_until)),
        (_("Billing day of its own"), own_day and str(own_day)),
        (_("Purchase order"), found.po_number),
        (_("External ID"), found.external_id),
    ]
    return [*facts, *(Fact(label, value) for label, value in optional if value)]


def _used_so_far(actor: Actor, found: Subscription, period: Period | None) -> list[Fact]:
    """Return what was used in the running period and costs so far.

    No statement where nothing is metered, else two or three.
    """
    metered = [item for item in found.items.all() if item.price.is_metered]
    if period is None or not metered:
        return []
    used = measured_of(actor, found, {item.price.meter_id for item in metered}, period)
    facts = []
    for item in metered:
        one, price = used[item.price.meter_id], item.price
        had = f"{quantity(one.quantity)} {one.meter['unit']}".strip()
        if fits(one.quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS):
            net = to_minor(price_of(price.terms, one.quantity).amount, price.currency)
            text = _("%(quantity)s for %(net)s net, before discounts")
            had = text % {"quantity": had, "net": money(net, price.currency)}
        label = _("%(meter)s so far") % {"meter": one.meter["name"]}
        facts.append(Fact(label, had, account_url(found.account_id, "usage")))
    return facts


def _discounts(actor: Actor, found: Subscription, *, is_changeable: bool) -> list[DiscountRow]:
    """Return the discounts of a subscription.

    Two statements, one where it has none; none where no terms have changed or are discounted,
    which a discount always does.
    """
    if not any(one.discount_id or one.terms_since for one in found.agreed):
        return []
    given = discounts_of(actor, found)

    def end_url(one: Discount) -> str:
        if not is_changeable or one.subscription_id is None:
            return ""
        return reverse("subscriptions:end_discount", args=[found.public_id, one.public_id])

    reached = reaches(actor, [one.pk for one in given]) if given else {}
    return discount_rows(given, reached, actor.today, end_url=end_url)


def _will_be_paused(actor: Actor, terms: Mapping[UUID, Sequence[Stretch[ItemTerms]]]) -> bool:
    return any(
        one.value.uncharged == Uncharged.PAUSED and (one.end is None or one.end > actor.today)
        for timeline in terms.values()
        for one in timeline
    )


def _terms(actor: Actor, terms: Mapping[UUID, Sequence[Stretch[ItemTerms]]]) -> list[TermsRow]:
    """Return what items cost by day where that changes, the first made first."""
    return [
        TermsRow(
            since=date_text(one.start),
            price=one.value.price.name,
            quantity=quantity(one.value.quantity),
            monthly=money(one.value.monthly_minor, one.value.price.currency),
            uncharged=str(UNCHARGED.get(one.value.uncharged, "")),
            discount="" if one.value.discount is None else one.value.discount.name,
            holds=one.holds_on(actor.today),
        )
        for timeline in terms.values()
        for place, one in enumerate(timeline)
        # What comes in later was no part before: that is no news.
        if place or one.value.uncharged != Uncharged.ABSENT
    ]


def _row(item: Item, changeable: Subscription | None, *, is_only: bool) -> ItemRow:
    price = item.price
    change_url = remove_url = ""
    if changeable is not None:
        names = [changeable.public_id, item.public_id]
        change_url = reverse("subscriptions:change", args=names)
        remove_url = "" if is_only else reverse("subscriptions:remove_item", args=names)
    return ItemRow(
        change_url=change_url,
        remove_url=remove_url,
        product=price.product.name,
        price=price.name,
        price_url=reverse("catalogue:price", args=[price.public_id]),
        quantity=_("as used") if price.is_metered else quantity(item.quantity),
        amount=price_amount(price),
        rhythm=price_rhythm(price),
        timing=str(TIMINGS[price.Timing(price.timing)]),
        monthly=money(int(item.monthly_minor), price.currency),
    )
