"""Planning a change: a form, what would come of it, and storing it as a draft."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.declarations import SettingName
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.accounts import get_account, resolve_reference
from accounts.queries.effective_settings import settings_of
from accounts.queries.paths import path_of
from dashboard.pages.plans.preview import Shown, shown
from dashboard.pages.plans.questions import Question, answers_in, questions_of
from dashboard.pages.subscriptions.columns import items_of, subscription_url, title_of
from invoicing.models import ChangePlan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import CREDIT, STAY, TAKES_CREDIT, Wanted
from subscriptions.models import Subscription
from subscriptions.queries.subscriptions import get_subscription
from tenancy.actor import Actor
from tenancy.errors import BillingError, Invalid, NotFound
from tenancy.ids import key_of, public_id
from web.accounts import account_url, steps_to
from web.page_heads import Crumb
from web.session_checks import staff_only

TITLES: Final[Mapping[str, Promise]] = {
    ChangePlan.Kind.MOVE: gettext_lazy("Move %(account)s to …"),
    ChangePlan.Kind.PAYER: gettext_lazy("Who pays for %(account)s?"),
    ChangePlan.Kind.BILL_TO: gettext_lazy("To whom is %(account)s invoiced?"),
    ChangePlan.Kind.CONSOLIDATION: gettext_lazy("How many invoices for %(account)s?"),
    ChangePlan.Kind.CLOSING: gettext_lazy("Close %(account)s?"),
    ChangePlan.Kind.PROMOTION: gettext_lazy("Let %(account)s take the place above it?"),
    ChangePlan.Kind.SUBSCRIPTION: gettext_lazy("To whom is %(subscription)s invoiced?"),
    ChangePlan.Kind.MERGE: gettext_lazy("Merge %(account)s into …"),
}
_NAMES_RECIPIENT: Final = (ChangePlan.Kind.BILL_TO, ChangePlan.Kind.SUBSCRIPTION)
_NEEDS_TARGET: Final = (ChangePlan.Kind.MOVE, ChangePlan.Kind.PAYER, ChangePlan.Kind.MERGE)
_TAKES_DRAFTS: Final = (ChangePlan.Kind.MOVE, ChangePlan.Kind.MERGE)


class UnreadableDay(Invalid):
    """A day that is none."""

    code = "unreadable_day"
    message = gettext_lazy("Please give the day as year-month-day.")


class UnknownTarget(Invalid):
    """An account that is not there."""

    code = "unknown_target"
    message = gettext_lazy("Choose an account from the list, or write its external ID.")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values."""

    value: str
    label: str
    is_chosen: bool


@dataclass(slots=True)
class _Asked:
    """What a form asks for, and what came of it.

    ``is_whole`` says that everything is there that a preview needs.
    """

    account: Account
    kind: str
    values: QueryDict
    subscription: Subscription | None = None
    error: str = ""
    details: Sequence[str] = ()
    preview: Shown | None = None
    questions: Sequence[Question] = field(default_factory=list)
    status: HTTPStatus = HTTPStatus.OK


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_plan(request: ActorRequest) -> HttpResponse:
    """Ask for a change and show what would come of it; POST stores it as a draft."""
    actor = request.actor
    values = request.POST if request.method == "POST" else request.GET
    kind = values.get("kind", "")
    if kind not in TITLES:
        raise NotFound
    account = get_account(actor, key_of("acc", values.get("account", "")))
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    asked = _Asked(account, kind, values, _subscription(actor, kind, account, values))
    try:
        wanted = _wanted(actor, asked)
        if wanted is not None and request.method == "POST":
            plan = create_plan(actor, wanted, today=actor.today, now=timezone.now())
            messages.success(request, _("Saved as a draft. Nothing changes yet."))
            return redirect("plans:page", plan.public_id)
        if wanted is not None:
            _preview(request, asked, wanted)
    except BillingError as refusal:
        asked.error, asked.status = refusal.detail, HTTPStatus(refusal.status)
        asked.details = [one.detail for one in refusal.errors]
    return _show(request, asked)


def _wanted(actor: Actor, asked: _Asked) -> Wanted | None:
    """Return what the form wants; None while it has just been opened."""
    values = asked.values
    if "effective_date" not in values:
        return None
    try:
        day = date.fromisoformat(str(values["effective_date"]).strip())
    except ValueError:
        raise UnreadableDay from None
    choice, target_id, value = values.get("choice", ""), None, None
    if asked.kind == ChangePlan.Kind.CONSOLIDATION:
        value = choice if choice in ("one_invoice", "per_account") else None
    elif asked.kind in _NAMES_RECIPIENT:
        target_id = account_written(actor, choice) if choice else None
    elif choice != "none":
        target_id = account_written(actor, values.get("target", ""))
        if target_id is None and asked.kind in _NEEDS_TARGET:
            raise UnknownTarget
    settings, overrides = answers_in(values, asked.account.pk)
    if asked.subscription is not None:
        overrides = {asked.subscription.pk: target_id}
    return Wanted(
        kind=asked.kind,
        account_id=asked.account.pk,
        day=day,
        target_id=target_id,
        value=value,
        open_drafts="reroute" if values.get("open_drafts") == "reroute" else "keep",
        prepaid=CREDIT if values.get("prepaid") == CREDIT else STAY,
        settings=settings,
        overrides=overrides,
    )


def _subscription(
    actor: Actor, kind: str, account: Account, values: QueryDict
) -> Subscription | None:
    """Return the subscription that the form is about, None where it is about accounts.

    Raises:
        NotFound: the account has no such subscription.
    """
    if kind != ChangePlan.Kind.SUBSCRIPTION:
        return None
    found = get_subscription(actor, values.get("subscription", ""), today=actor.today)
    if found.account_id != account.pk:
        raise NotFound
    return found


def account_written(actor: Actor, text: str) -> UUID | None:
    """Return the account that somebody chose or wrote, None where nothing is written.

    Raises:
        UnknownTarget: there is no such account.
    """
    written = " ".join(text.split())
    if not written:
        return None
    for name in (written, f"ext:{written}"):
        try:
            return resolve_reference(actor, name)
        except NotFound:
            continue
    raise UnknownTarget


def _preview(request: ActorRequest, asked: _Asked, wanted: Wanted) -> None:
    actor = request.actor
    found = preview_plan(actor, wanted, today=actor.today, tenant=request.tenant)
    asked.preview = shown(found.shown)
    asked.questions = questions_of(found.shown, asked.values)


def _show(request: ActorRequest, asked: _Asked) -> HttpResponse:
    actor, values = request.actor, asked.values
    path = path_of(actor, asked.account.pk)
    one = asked.subscription
    title = str(TITLES[asked.kind]) % {
        "account": asked.account.name,
        "subscription": "" if one is None else title_of(items_of(one)),
    }
    context = {
        "title": title,
        "steps": [*steps_to(path)[:-1], Crumb(asked.account.name, account_url(path[-1].pk)),
                  Crumb(title)],
        "kind": asked.kind,
        "account": asked.account.public_id,
        "subscription": "" if one is None else one.public_id,
        "back_url": account_url(asked.account.pk) if one is None else subscription_url(one),
        "target": values.get("target", ""),
        "target_name": name_of_written(actor, values.get("target", "")),
        "choices": [*_choices(actor, asked, path)],
        "target_label": _target_label(asked.kind),
        "none_label": _none_label(asked.kind),
        "takes_none": values.get("choice") == "none",
        "effective_date": values.get("effective_date", actor.today.isoformat()),
        "earliest": actor.today.isoformat(),
        "open_drafts": values.get("open_drafts", "keep"),
        "is_merge": asked.kind == ChangePlan.Kind.MERGE,
        "asks_drafts": asked.kind in _TAKES_DRAFTS,
        "asks_prepaid": asked.kind in TAKES_CREDIT,
        "prepaid": values.get("prepaid", STAY),
        "error": asked.error,
        "details": asked.details,
        "preview": asked.preview,
        "kept": [
            (name, value)
            for name, given in values.lists()
            for value in given
            if name != "csrfmiddlewaretoken"
        ],
        "questions": asked.questions,
        "scope_name": asked.account.name,
    }  # fmt: skip
    return render(request, "plans/new.html", context, status=asked.status)


def _named_now(one: Subscription) -> str:
    """Return whom a subscription names as its recipient itself, empty for none."""
    return public_id("acc", one.override_bill_to_id) if one.override_bill_to_id else ""


def name_of_written(actor: Actor, text: str) -> str:
    """Return the name of the account that somebody chose or wrote, empty where there is none."""
    try:
        key = account_written(actor, text)
    except UnknownTarget:
        return ""
    return "" if key is None else get_account(actor, key).name


def _target_label(kind: str) -> str:
    """Return what the account is that is chosen."""
    labels = {ChangePlan.Kind.MOVE: _("New account above"), ChangePlan.Kind.PAYER: _("Payer")}
    return labels.get(ChangePlan.Kind(kind), _("Account"))


def _none_label(kind: str) -> str:
    """Return what it means to choose no account."""
    labels = {
        ChangePlan.Kind.MOVE: _("To the top, as a customer of its own"),
        ChangePlan.Kind.PAYER: _("Whoever pays for the account above (inherit)"),
        ChangePlan.Kind.CLOSING: _("Nothing stands below it"),
    }
    return labels.get(ChangePlan.Kind(kind), "")


def _own_recipient(actor: Actor, account_id: UUID) -> str:
    """Return whom an account names as its recipient itself, empty for none."""
    held = settings_of(actor, account_id, actor.today)[SettingName.BILL_TO]
    return public_id("acc", held.value) if held.source == "own" and held.value else ""


def _choices(actor: Actor, asked: _Asked, path: Sequence[Account]) -> Iterator[Choice]:
    """Yield the legal recipients, or ways of consolidation; the first inherits."""
    chosen = asked.values.get("choice", "")
    if asked.kind in _NAMES_RECIPIENT:
        own = asked.account.public_id
        if asked.subscription is None:
            if "choice" not in asked.values:
                chosen = _own_recipient(actor, asked.account.pk)
            yield Choice("", _("Like the account above (on its invoice)"), not chosen)
            yield Choice(own, _("This account itself (own invoice)"), chosen == own)
        else:
            chosen = chosen if "choice" in asked.values else _named_now(asked.subscription)
            yield Choice("", _("As the account is invoiced"), not chosen)
            yield Choice(own, asked.account.name, chosen == own)
        for above in reversed(path[:-1]):
            key = public_id("acc", above.pk)
            yield Choice(key, above.name, chosen == key)
    elif asked.kind == ChangePlan.Kind.CONSOLIDATION:
        yield Choice("", _("Like the account above (inherit)"), not chosen)
        for value, label in (
            ("one_invoice", _("One invoice for all accounts with the same recipient")),
            ("per_account", _("One invoice per account")),
        ):
            yield Choice(value, label, chosen == value)
