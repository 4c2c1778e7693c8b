"""How a page changes a subscription: it asks, says what comes of it, and does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Protocol, TypedDict

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile, version_of
from dashboard.pages.subscriptions.made_good import made_good, refused
from dashboard.pages.subscriptions.page import steps_to
from dashboard.pages.subscriptions.when import BilledForm, start_ahead
from invoicing.models import Charge
from invoicing.tasks import rewrite_soon
from subscriptions.models import Subscription
from subscriptions.queries.renewals import running_period_end
from subscriptions.queries.subscriptions import get_subscription
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.formats import date_text
from web.forms import version_seen, version_to_carry
from web.page_heads import Fact


class Result(Protocol):
    """What a change of a subscription comes to."""

    @property
    def day(self) -> date:
        """The first day that is other."""

    @property
    def charges(self) -> Sequence[Charge]:
        """The credits and charges that it makes."""


@dataclass(frozen=True, slots=True)
class Act:
    """One way to change a subscription on screen.

    Attributes:
        heading: what is done, as the heading and the title of the page.
        button: the same as a command.
        explanation: what follows, below the form.
        done: what is said afterwards; ``%(date)s`` is the first day.
        carry_out: does it, or with ``is_dry_run`` says what it would come to; the last argument
            refuses what has changed since it was shown.
        facts: what it comes to, beside the credits and charges.
    """

    heading: str | Promise
    button: str | Promise
    explanation: str | Promise
    done: str | Promise
    carry_out: Callable[[Any, bool, Callable[[], None]], Result]
    facts: Callable[[Any], list[Fact]]


def perform(
    request: ActorRequest, found: Subscription, form: BilledForm, act: Act, *, fields: Sequence[str]
) -> HttpResponse:
    """Answer the page of an act: the form, its preview, or the subscription once it is done.

    Args:
        request: GET shows the form, or the preview where the page asks for it; POST does it.
        found: the subscription, as it is shown.
        form: bound where something was sent.
        act: what is done.
        fields: the fields of the form in the order in which they are asked.
    """
    if request.method == "POST":
        try:
            result = _tried(request, found, form, act, is_dry_run=False)
        except ChangedMeanwhile:
            return _page(request, found, form, act, fields, status=HTTPStatus.CONFLICT)
        if result is None:
            return _page(request, found, form, act, fields, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        rewrite_soon(request.actor, result.charges)
        messages.success(request, str(act.done) % {"date": date_text(result.day)})
        return redirect("subscriptions:page", found.public_id)
    if request.headers.get("HX-Request"):
        result = _tried(request, found, form, act, is_dry_run=True)
        context = refused(form)
        if result is not None:
            context = made_good(act.facts(result), result.charges, currency_of(found))
        return render(request, "subscriptions/_made_good.html", context)
    return _page(request, found, form, act, fields)


def changeable(actor: Actor, subscription_id: str) -> Subscription:
    """Return a subscription that the actor may change, with its items as of today.

    Raises:
        NotFound, Forbidden: it is out of sight, or not to be changed.
    """
    found = get_subscription(actor, subscription_id, today=actor.today)
    access.require(actor, Action.EDIT_SUBSCRIPTION, found.account)
    return found


class LikelyDays(TypedDict):
    """The days that a form offers by name."""

    begins: date | None
    period_end: date | None


def likely_days(actor: Actor, found: Subscription) -> LikelyDays:
    """Return the start where it lies ahead, and with which day the next period begins."""
    end = running_period_end(actor, found, actor.today)
    return LikelyDays(begins=start_ahead(found, actor.today), period_end=end)


class Particulars(TypedDict):
    """How every change on screen is asked for."""

    is_billed_now: bool
    is_dry_run: bool
    require_seen: Callable[[], None]
    today: date
    now: datetime


def particulars(
    actor: Actor, given: BilledForm, is_dry_run: bool, seen: Callable[[], None]
) -> Particulars:
    """Return what an operation is told beside what is to change."""
    return Particulars(
        is_billed_now=given.cleaned_data["bill_now"],
        is_dry_run=is_dry_run,
        require_seen=seen,
        today=actor.today,
        now=timezone.now(),
    )


def sent(request: ActorRequest) -> Any:
    """Return what was sent, by a form or for its preview; None where the page is opened."""
    if request.method == "POST":
        return request.POST
    return request.GET if request.headers.get("HX-Request") else None


def stored_of(subscription: Subscription) -> dict[str, object]:
    """Return what the forms of a subscription are shown for: its end, and its items' terms."""
    items = sorted(subscription.items.all(), key=lambda item: item.pk)
    return {
        "end": subscription.end_date,
        "contract": (
            subscription.minimum_term_months, subscription.renewal_months,
            subscription.notice_months, subscription.notice_days, subscription.term_start,
        ),
        "items": [
            (item.pk, item.price_id, item.quantity, item.uncharged, item.discount_id,
             item.terms_since, item.chain_end)
            for item in items
        ],
    }  # fmt: skip


def currency_of(subscription: Subscription) -> str:
    """Return the currency of a subscription's prices."""
    return next((item.price.currency for item in subscription.items.all()), "")


def _tried(
    request: ActorRequest, found: Subscription, form: BilledForm, act: Act, *, is_dry_run: bool
) -> Result | None:
    """Do it, or try to; what is refused stands at the fields."""
    if not form.is_valid():
        return None
    actor = request.actor

    def require_seen() -> None:
        fresh = get_subscription(actor, found.public_id, today=actor.today)
        if not is_dry_run and version_seen(request) != version_of(stored_of(fresh)):
            raise ChangedMeanwhile

    try:
        return act.carry_out(form, is_dry_run, require_seen)
    except ChangedMeanwhile:
        raise
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
    return None


def _page(
    request: ActorRequest,
    found: Subscription,
    form: BilledForm,
    act: Act,
    fields: Sequence[str],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "act": act,
        "form": form,
        "fields": [form[name] for name in fields],
        "version": version_to_carry(request, stored_of(found), status=status),
        "is_conflict": status == HTTPStatus.CONFLICT,
        "steps": steps_to(found, str(act.heading)),
        "subscription_id": found.public_id,
        "scope_name": found.account.name,
    }
    return render(request, "subscriptions/act.html", context, status=status)
