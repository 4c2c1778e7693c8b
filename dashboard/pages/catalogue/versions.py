"""Versions of a price: what it costs from a day on, whom that concerns, and how far it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

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
from accounts.models import Account
from accounts.queries.accounts import get_account
from accounts.queries.jobs import get_job, has_been_silent
from billing_rules.timelines import held_on
from dashboard.pages.catalogue.price_form import EndForm, VersionForm, initial_of
from invoicing.operations.prices.beginning import (
    Planned,
    begin_version,
    end_version,
    preview_end,
    preview_version,
    resume_repricing,
    stop_repricing,
)
from invoicing.queries.repricing import (
    Effect,
    Outcome,
    Repricing,
    Way,
    Why,
    concerned_items,
    outcomes,
    recipients,
)
from invoicing.tasks import reprice_soon
from subscriptions.models import Price
from subscriptions.operations.catalogue import AlreadyAdded, NewVersion
from subscriptions.queries.catalogue import get_price
from tenancy.actor import Actor
from tenancy.errors import Conflict, Invalid
from tenancy.formats import date_text
from tenancy.ids import key_of, public_id
from tenancy.models import Job
from web.accounts import account_url
from web.form_keys import fresh_key, key_in
from web.page_heads import Crumb, Fact
from web.prices import price_amount, price_rhythm
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

ROWS: Final = 50
_PATIENCE: Final = 5


@dataclass(frozen=True, slots=True)
class ConcernedRow:
    """What becomes of one subscription, and who is told of it."""

    name: str
    url: str
    account: str
    account_url: str
    bill_to: str
    bill_to_url: str
    addresses: str
    before: str
    after: str
    said: str


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_version(request: ActorRequest, price_id: str) -> HttpResponse:
    """Ask what a price costs from when on, and show what that comes to; POST begins it."""
    actor = request.actor
    price = get_price(actor, price_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    data = request.POST if request.method == "POST" else request.GET
    account = _account(actor, data.get("account", ""))
    if "step" not in data and "remove" not in data:
        initial = {**initial_of(price), "external_id": "", "valid_from": None}
        return _version_page(request, price, account, VersionForm(initial=initial))
    form = VersionForm(data)
    if request.method == "POST":
        return _begun(request, price, account, form)
    removed = data.get("remove", "")
    if removed.isdecimal() and len(removed) < 4:
        form.remove_row(int(removed))
    elif data.get("step") == "add":
        form.add_row()
    elif form.is_valid():
        try:
            planned = preview_version(
                actor, price.pk, _wanted(form, account, None), today=actor.today
            )
        except (Conflict, Invalid) as refusal:
            form.refuse(refusal)
        else:
            return _version_page(request, price, account, form, planned=planned)
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    else:
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    # Who goes on writing is refused nothing yet.
    form.errors.clear()
    return _version_page(request, price, account, form)


_UNPROCESSABLE: Final = HTTPStatus.UNPROCESSABLE_ENTITY


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def end_price(request: ActorRequest, price_id: str) -> HttpResponse:
    """Ask when a version ends, and show what that comes to; POST ends it."""
    actor = request.actor
    price = get_price(actor, price_id)
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    data = request.POST if request.method == "POST" else request.GET
    is_whole = price.account_id is None
    if "step" not in data:
        return _end_page(request, price, EndForm(is_whole=is_whole))
    form = EndForm(data, is_whole=is_whole)
    if not form.is_valid():
        return _end_page(request, price, form, status=_UNPROCESSABLE)
    day = form.cleaned_data.get("ends_on")
    try:
        if request.method == "POST":
            _price, job = end_version(actor, price.pk, day, today=actor.today, now=timezone.now())
            reprice_soon(actor, job)
            return redirect("catalogue:price_change", job.public_id)
        planned = preview_end(actor, price.pk, day, today=actor.today)
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
        return _end_page(request, price, form, status=_UNPROCESSABLE)
    return _end_page(request, price, form, planned=planned)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def price_change(request: ActorRequest, job_id: str) -> HttpResponse:
    """Show how far a change of a price is; POST stops it or goes on."""
    actor, now = request.actor, timezone.now()
    job = get_job(actor, Job.Kind.PRICES, key_of("job", job_id))
    if request.method == "POST":
        if request.POST.get("do") == "stop":
            stop_repricing(actor, job.pk, now=now)
        else:
            reprice_soon(actor, resume_repricing(actor, job.pk, today=actor.today, now=now))
        return redirect("catalogue:price_change", job.public_id)
    is_part = bool(request.headers.get("HX-Request"))
    template = "catalogue/_price_change.html" if is_part else "catalogue/price_change.html"
    return render(request, template, _job_context(request, job))


def _begun(
    request: ActorRequest, price: Price, account: Account | None, form: VersionForm
) -> HttpResponse:
    """Begin the version; what is refused stands at the fields."""
    actor = request.actor
    key = key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    if not form.is_valid() or key is None:
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    wanted = _wanted(form, account, key)
    try:
        _version, job = begin_version(
            actor, price.pk, wanted, today=actor.today, now=timezone.now()
        )
    except AlreadyAdded as refusal:
        messages.info(request, refusal.detail)
        return redirect("catalogue:price", public_id("prc", key))
    except (Conflict, Invalid) as refusal:
        form.refuse(refusal)
        return _version_page(request, price, account, form, status=_UNPROCESSABLE)
    reprice_soon(actor, job)
    return redirect("catalogue:price_change", job.public_id)


def _account(actor: Actor, text: str) -> Account | None:
    return get_account(actor, key_of("acc", text)) if text else None


def _wanted(form: VersionForm, account: Account | None, key: UUID | None) -> NewVersion:
    changes = form.wanted()
    valid_from = changes.pop("valid_from")
    return NewVersion(valid_from, changes, None if account is None else account.pk, key)


def _version_page(
    request: ActorRequest,
    price: Price,
    account: Account | None,
    form: VersionForm,
    *,
    planned: Planned | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = _("New version") if account is None else _("Negotiate a price")
    carried = request.POST.get("key", "")
    context = {
        "form": form,
        "price": price,
        "account": account,
        "account_url": account and account_url(account.pk),
        "title": title,
        "facts": [
            Fact(_("Price"), price.name),
            Fact(_("So far"), price_amount(price)),
            Fact(_("Currency"), price.currency),
            Fact(_("Period"), price_rhythm(price)),
        ],
        "steps": _steps(price, title),
        "cancel_url": reverse("catalogue:price", args=[price.public_id])
        if account is None
        else reverse("customers:prices", args=[account.public_id]),
        "key": carried if key_in(request.actor, carried) else fresh_key(request.actor),
        "carried": _carried(request.GET),
        "focus_row": 0,
        **_planned(request, planned),
    }
    return render(request, "catalogue/version_form.html", context, status=status)


def _end_page(
    request: ActorRequest,
    price: Price,
    form: EndForm,
    *,
    planned: Planned | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = _("Take back a version") if price.account_id is None else _("End a negotiated price")
    valid_from = "" if price.valid_from is None else date_text(price.valid_from)
    context = {
        "form": form,
        "price": price,
        "title": title,
        "facts": [
            Fact(_("Price"), price.name),
            Fact(_("Amount"), price_amount(price)),
            Fact(_("Valid from"), valid_from),
        ],
        "steps": _steps(price, title),
        "cancel_url": reverse("catalogue:price", args=[price.public_id]),
        "carried": _carried(request.GET),
        **_planned(request, planned),
    }
    return render(request, "catalogue/version_end.html", context, status=status)


def _steps(price: Price, title: str) -> list[Crumb]:
    return [
        Crumb(_("Product catalogue"), reverse("catalogue:list")),
        Crumb(price.name, reverse("catalogue:price", args=[price.public_id])),
        Crumb(title),
    ]


def _carried(data: QueryDict) -> list[tuple[str, str]]:
    """Return what a preview was asked with, so that what is confirmed is what was shown."""
    left_out = ("step", "after", "csrfmiddlewaretoken", "key")
    return [(name, text) for name in data if name not in left_out for text in data.getlist(name)]


def _planned(request: ActorRequest, planned: Planned | None) -> dict[str, Any]:
    """Return what a preview says, and the page of those concerned that is asked for."""
    if planned is None:
        return {"effect": None}
    effect, repricing = planned.effect, planned.repricing
    actor = request.actor
    found = concerned_items(actor, repricing)
    after = request.GET.get("after", "")
    if after:
        found = found.filter(pk__gt=key_of("itm", after))
    items = list(found[: ROWS + 1])
    shown = items[:ROWS]
    more = ""
    if len(items) > ROWS:
        query = request.GET.copy()
        query["after"] = shown[-1].public_id
        more = f"{request.path}?{query.urlencode()}"
    lists = repricing.lists(actor, {item.account_id for item in shown})
    rows = outcomes(actor, repricing, shown, lists)
    return {
        "effect": effect,
        "figures": _figures(effect),
        "notes": _notes(effect),
        "is_complete": effect.is_complete,
        "rows": _rows(actor, repricing, rows, effect.day),
        "is_first": not after,
        "more_url": more,
        "day": repricing.since,
        "is_past": repricing.since < actor.today,
        "apply_label": _apply_label(len(effect.subscriptions)),
    }


def _apply_label(count: int) -> str:
    text = ngettext("Change %(count)s subscription", "Change %(count)s subscriptions", count)
    return text % {"count": quantity(count)} if count else _("Save")


def _figures(effect: Effect) -> list[Fact]:
    subscriptions = ngettext(
        "%(count)s subscription", "%(count)s subscriptions", len(effect.subscriptions)
    )
    accounts = ngettext("%(count)s account", "%(count)s accounts", len(effect.accounts))
    bill_tos = ngettext("%(count)s recipient", "%(count)s recipients", len(effect.bill_tos))
    addresses = ngettext("%(count)s address", "%(count)s addresses", len(effect.addresses))
    return [
        Fact(_("Changes for"), subscriptions % {"count": quantity(len(effect.subscriptions))}),
        Fact(_("Of"), accounts % {"count": quantity(len(effect.accounts))}),
        Fact(_("Invoiced to"), bill_tos % {"count": quantity(len(effect.bill_tos))}),
        Fact(_("Notice goes to"), addresses % {"count": quantity(len(effect.addresses))}),
        Fact(_("MRR before"), money(effect.before_minor, effect.currency)),
        Fact(_("MRR after"), money(effect.after_minor, effect.currency)),
        Fact(_("Difference"), money(effect.difference_minor, effect.currency)),
    ]


def _notes(effect: Effect) -> list[str]:
    """Return what somebody should know before they confirm."""
    found = []
    if effect.begun:
        text = ngettext(
            "%(count)s of them is charged for days since already: these are credited and charged"
            " anew, to the cent.",
            "%(count)s of them are charged for days since already: these are credited and charged"
            " anew, to the cent.",
            effect.begun,
        )
        found.append(text % {"count": quantity(effect.begun)})
    if effect.own_choice:
        text = ngettext(
            "%(count)s has another version by own choice, and keeps it.",
            "%(count)s have another version by own choice, and keep it.",
            effect.own_choice,
        )
        found.append(text % {"count": quantity(effect.own_choice)})
    if effect.elsewhere:
        text = ngettext(
            "For %(count)s a price negotiated nearer holds; it stays as it is.",
            "For %(count)s a price negotiated nearer holds; they stay as they are.",
            effect.elsewhere,
        )
        found.append(text % {"count": quantity(effect.elsewhere)})
    if effect.without_address:
        text = ngettext(
            "%(count)s recipient has no e-mail address for a notice.",
            "%(count)s recipients have no e-mail address for a notice.",
            effect.without_address,
        )
        found.append(text % {"count": quantity(effect.without_address)})
    return found


def _rows(
    actor: Actor, repricing: Repricing, found: Sequence[Outcome], day: date
) -> list[ConcernedRow]:
    told = recipients(actor, [one.item for one in found], day)
    currency = repricing.price.currency
    said = {
        Why.OWN_CHOICE: _("own choice, stays"),
        Why.ELSEWHERE: _("negotiated nearer, stays"),
        Why.CHANGED: "",
    }
    rows = []
    for one in found:
        item, who = one.item, told[one.item.pk]
        subscription = item.subscription
        begins = max(day, subscription.start_date)
        before, after = (held_on(line, begins) for line in (one.before, one.after))
        text = said[one.why]
        if not text and subscription.start_date > day:
            text = _("begins on %(day)s") % {"day": date_text(subscription.start_date)}
        rows.append(
            ConcernedRow(
                name=f"{subscription} · {(before.value if before else item).price.name}",
                url=reverse("subscriptions:page", args=[subscription.public_id]),
                account=item.account.name,
                account_url=account_url(item.account_id),
                bill_to=who.bill_to.name,
                bill_to_url=account_url(who.bill_to.pk),
                addresses=", ".join(who.addresses),
                before=money(before.value.monthly_minor, currency) if before else "",
                after=money(after.value.monthly_minor, currency) if after else "",
                said=text,
            )
        )
    return rows


def _job_context(request: ActorRequest, job: Job) -> dict[str, Any]:
    price = get_price(request.actor, public_id("prc", UUID(job.params["price"])))
    result, is_end = job.result, job.params["way"] == Way.END
    currency = result.get("currency") or price.currency
    may_edit = access.allows_everywhere(
        request.actor, Action.EDIT_CATALOGUE
    ) and access.allows_everywhere(request.actor, Action.EDIT_SUBSCRIPTION)
    title = _("End of a version") if is_end else _("Change of a price")
    is_stopped = job.status in (Job.Status.STOPPED, Job.Status.FAILED)
    return {
        "job": job,
        "title": title,
        "steps": _steps(price, title),
        "price": price,
        "price_url": reverse("catalogue:price", args=[price.public_id]),
        "is_waiting": job.is_open
        and has_been_silent(request.actor, job, seconds=_PATIENCE, now=timezone.now()),
        "is_through": job.status == Job.Status.DONE,
        "is_stopped": is_stopped,
        "why_failed": job.problems[0]["detail"] if job.problems else "",
        "progress": {"done": quantity(job.done), "total": quantity(job.total)},
        "facts": [
            Fact(_("Price"), price.name, reverse("catalogue:price", args=[price.public_id])),
            Fact(
                _("First day without it") if is_end else _("Valid from"),
                date_text(date.fromisoformat(job.params["since"])),
            ),
            Fact(_("Changed"), quantity(result.get("changed", 0))),
            Fact(_("Credited"), money(result.get("credited_minor", 0), currency)),
            Fact(_("Charged anew"), money(result.get("charged_minor", 0), currency)),
        ],
        "skipped": list(_skipped(result.get("skipped", {}).items())),
        "can_stop": may_edit and job.is_open,
        "can_go_on": may_edit and is_stopped,
    }


@dataclass(frozen=True, slots=True)
class SkippedPart:
    """Subscriptions that stay as they are, and why; ``more`` are not named."""

    why: str
    count: str
    named: Sequence[tuple[str, str]]
    more: int


_WHY_SKIPPED = {
    "own_choice": lambda: _("Another version was chosen for them; they keep it."),
    "as_it_was": lambda: _("They have the price no longer on any day that changes."),
    "no_longer_had": lambda: _("They have ended, or have the price no longer."),
    "too_many_periods": lambda: _("More than 1,200 periods would be charged anew."),
    "amount_out_of_range": lambda: _("The amount is too large."),
}


def _skipped(found: Iterable[tuple[str, Any]]) -> Iterable[SkippedPart]:
    for code, (count, first) in found:
        named = [
            (
                " · ".join(filter(None, (external_id or public_id("sub", UUID(key)), name))),
                reverse("subscriptions:page", args=[public_id("sub", UUID(key))]),
            )
            for key, external_id, name in first
        ]
        yield SkippedPart(_WHY_SKIPPED[code](), quantity(count), named, count - len(named))
