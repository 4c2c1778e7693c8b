"""One renewal date in four steps, each with an address of its own, which holds all answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS, MONTHS_3
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.accounts import accounts, get_account
from accounts.queries.paths import path_of
from dashboard.pages.plans.aligned import METHODS, Month, months_of
from dashboard.pages.plans.preview import shown
from invoicing.models import ChangePlan
from invoicing.operations.plans.renewals import align_renewals
from invoicing.queries.plans.candidates import (
    Candidate,
    Candidates,
    Merit,
    candidates_of,
    paid_accounts,
)
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Alignment, Wanted
from invoicing.words import renewal_day
from tenancy.errors import BillingError
from tenancy.ids import key_of, parse_public_id
from web.accounts import account_url, steps_to
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

_MOST_CHILDREN: Final = 200
_MOST_DATES: Final = 8
_SCOPES: Final[Mapping[str, Promise]] = {
    "all": gettext_lazy("Of this account and of all below it"),
    "one": gettext_lazy("Of this account alone"),
    "payer": gettext_lazy("Of all accounts whose invoices this one pays, also elsewhere"),
}
_STEPS: Final[Sequence[tuple[str, Promise]]] = (
    ("align", gettext_lazy("Choose")),
    ("align_method", gettext_lazy("Method")),
    ("align_date", gettext_lazy("Date")),
    ("align_preview", gettext_lazy("Preview")),
)
_MERITS: Final[Mapping[Merit, Promise]] = {
    Merit.CHEAPEST: gettext_lazy("Cheapest"),
    Merit.FEWEST: gettext_lazy("Fewest changes"),
    Merit.LATEST: gettext_lazy("Latest renewal of today"),
    Merit.FISCAL_YEAR: gettext_lazy("Start of the year"),
}
_LEAST_FREE: Final = gettext_lazy("Least given away")
_CHART: Final[Mapping[str, Promise]] = {
    "short": gettext_lazy("What the days up to each date cost"),
    "free": gettext_lazy("What the days up to each date would cost and are not charged"),
    "rebill": gettext_lazy("What is charged up to each date, less what is credited beyond it"),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What the address says so far; ``on`` is day and month, None while it is open."""

    scope: str
    out: tuple[str, ...]
    day: date
    on: tuple[int, int | None] | None
    method: str

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return it as the next address says it."""
        found = [("scope", self.scope)]
        found += [("out", key) for key in self.out]
        found.append(("effective_date", self.day.isoformat()))
        if self.on is not None:
            found.append(("on", f"{self.on[0]}-{self.on[1] or 0}"))
        found.append(("method", self.method))
        return found

    def wanted(self, account: Account) -> Wanted:
        """Return it as a plan; before a date is chosen, of the first of a month."""
        day, month = self.on or (1, None)
        keys = (parse_public_id("acc", text) for text in self.out)
        return Wanted(
            kind=ChangePlan.Kind.ALIGNMENT,
            account_id=account.pk,
            day=self.day,
            alignment=Alignment(
                billing_day=day,
                billing_month=month,
                method=self.method,
                include_subtree=self.scope != "one",
                is_for_payer=self.scope == "payer",
                excluded=tuple(key for key in keys if key is not None),
            ),
        )


@dataclass(frozen=True, slots=True)
class DateRow:
    """A date to choose."""

    value: str
    label: str
    merits: Sequence[str]
    cost: str
    changes: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """What the days up to a date cost, drawn; places and sizes in units of the drawing."""

    label: str
    mark: str
    cost: str
    is_credit: bool
    x: int
    y: int
    width: int
    height: int


@require_safe
@staff_only
def choose(request: ActorRequest, account_id: str) -> HttpResponse:
    """Step 1: which accounts."""
    account, answers = _asked(request, account_id)
    children = _can_stay(request, account, answers)
    chosen = {*answers.out}
    try:
        known, refusal = _candidates(request, account, answers), None
    except BillingError as error:
        known, refusal = None, error
    return _show(
        request,
        account,
        answers,
        0,
        refusal,
        scopes=[(name, str(label), name == answers.scope) for name, label in _SCOPES.items()],
        children=[
            (one.public_id, one.name, one.public_id in chosen) for one in children[:_MOST_CHILDREN]
        ],
        has_more_children=len(children) > _MOST_CHILDREN,
        found=None if known is None else _count(known),
        months=[] if known is None else _months(known),
    )


def _can_stay(request: ActorRequest, account: Account, answers: Answers) -> list[Account]:
    """Return the accounts that can be left out, one more than are shown."""
    if answers.scope == "payer":
        return paid_accounts(request.actor, answers.wanted(account))[: _MOST_CHILDREN + 1]
    below = accounts(request.actor, parent=account.pk, status=Account.Status.ACTIVE)
    return list(below[: _MOST_CHILDREN + 1])


@require_safe
@staff_only
def choose_method(request: ActorRequest, account_id: str) -> HttpResponse:
    """Step 2: what becomes of the days up to the date; dates are ranked for it."""
    account, answers = _asked(request, account_id)
    return _show(
        request,
        account,
        answers,
        1,
        methods=[
            (name, str(label), str(text), name == answers.method)
            for name, (label, text) in METHODS.items()
        ],
    )


@require_safe
@staff_only
def choose_date(request: ActorRequest, account_id: str) -> HttpResponse:
    """Step 3: on which date, ranked for the method."""
    account, answers = _asked(request, account_id)
    try:
        known, refusal = _candidates(request, account, answers), None
    except BillingError as error:
        known, refusal = None, error
    dates = [] if known is None else [*_dates(known, answers)]
    return _show(
        request,
        account,
        answers,
        2,
        refusal,
        dates=dates,
        bars=[] if known is None else [*_bars(known, answers.method)],
        method=METHODS[answers.method][0],
        chart_title=_CHART.get(answers.method, _CHART["short"]),
        found=None if known is None else _count(known),
        own=answers.on if answers.on and not any(one.is_chosen for one in dates) else None,
        month_names=[(number, str(name)) for number, name in MONTHS.items()],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def preview(request: ActorRequest, account_id: str) -> HttpResponse:
    """Step 4: what comes of it; POST keeps it as a change plan."""
    account, answers = _asked(request, account_id)
    actor = request.actor
    if answers.on is None:
        return redirect(_url(account, 2, answers))
    wanted = answers.wanted(account)
    try:
        if request.method == "POST":
            plan, _alignings = align_renewals(
                actor, wanted, is_draft=True, today=actor.today, now=timezone.now()
            )
            messages.success(request, _("Saved as a draft. Nothing changes yet."))
            return redirect("plans:page", plan.public_id)
        found = preview_plan(actor, wanted, today=actor.today, tenant=request.tenant)
    except BillingError as refusal:
        return _show(request, account, answers, 3, refusal)
    return _show(request, account, answers, 3, preview=shown(found.shown))


def _asked(request: ActorRequest, account_id: str) -> tuple[Account, Answers]:
    """Return the account and what was answered so far.

    Raises:
        NotFound, Forbidden: it is out of sight, or the actor may not plan changes.
    """
    actor = request.actor
    account = get_account(actor, key_of("acc", account_id))
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    values = request.POST if request.method == "POST" else request.GET
    return account, Answers(
        scope=str(values.get("scope")) if values.get("scope") in _SCOPES else "all",
        out=tuple(dict.fromkeys(str(one) for one in values.getlist("out"))),
        day=_day(values, actor.today),
        on=_on(values),
        method=str(values.get("method")) if values.get("method") in METHODS else "short",
    )


def _day(values: QueryDict, today: date) -> date:
    try:
        return date.fromisoformat(str(values.get("effective_date", "")).strip())
    except ValueError:
        return today


def _on(values: QueryDict) -> tuple[int, int | None] | None:
    """Return the day and month that were chosen or written, None where none were."""
    chosen = str(values.get("on", ""))
    if chosen == "own":
        chosen = f"{values.get('own_day', '')}-{values.get('own_month', '') or 0}"
    day, _dash, month = chosen.partition("-")
    numbers = [int(one) for one in (day, month) if one.isascii() and one.isdigit() and len(one) < 3]
    if len(numbers) < 2:
        return None
    return numbers[0], numbers[1] or None


def _candidates(request: ActorRequest, account: Account, answers: Answers) -> Candidates:
    return candidates_of(request.actor, answers.wanted(account), tenant=request.tenant)


def _count(known: Candidates) -> str:
    text = ngettext(
        "%(count)s subscription can be aligned.",
        "%(count)s subscriptions can be aligned.",
        known.items,
    )
    return text % {"count": quantity(known.items)}


def _months(known: Candidates) -> list[Month]:
    return [*months_of(known.months, {})]


def _dates(known: Candidates, answers: Answers) -> Iterator[DateRow]:
    for one in known.ranked[:_MOST_DATES]:
        on = (one.billing_day, one.billing_month)
        changes = ngettext("%(count)s changes", "%(count)s change", one.changes)
        yield DateRow(
            value=f"{on[0]}-{on[1] or 0}",
            label=renewal_day(*on),
            merits=[str(_merit(merit, answers.method)) for merit in one.merits],
            cost=_cost(one, known.currency, answers.method),
            changes=changes % {"count": quantity(one.changes)},
            is_chosen=on == answers.on,
        )


def _merit(merit: Merit, method: str) -> Promise:
    return _LEAST_FREE if method == "free" and merit == Merit.CHEAPEST else _MERITS[merit]


def _cost(one: Candidate, currency: str, method: str) -> str:
    """Return what the days up to a date cost, or would cost, the main currency first."""
    amounts = one.waived if method == "free" else one.costs
    ordered = sorted(amounts.items(), key=lambda pair: (pair[0] != currency, pair[0]))
    text = ", ".join(money(minor, code) for code, minor in ordered if minor)
    if text and method == "free":
        return _("%(amount)s not charged") % {"amount": text}
    return text or "–"


def _bars(known: Candidates, method: str) -> Iterator[Bar]:
    """Yield a bar for each day that is drawn, in the currency of most."""
    highest = max((abs(one.amount_minor(known.currency)) for one in known.days), default=0)
    width = 24 if len(known.days) <= len(MONTHS) else 12
    for place, one in enumerate(known.days):
        amount = one.amount_minor(known.currency)
        height = round(abs(amount) * 60 / highest) if highest else 0
        yield Bar(
            label=renewal_day(one.billing_day, one.billing_month),
            mark=_mark(one),
            cost=_cost(one, known.currency, method),
            is_credit=amount < 0,
            x=place * width,
            y=60 - max(height, 1),
            width=width * 3 // 4,
            height=max(height, 1),
        )


def _mark(one: Candidate) -> str:
    """Return what stands below a bar: each month, or each seventh day."""
    if one.billing_month is not None:
        return str(MONTHS_3[one.billing_month]).capitalize()
    return str(one.billing_day) if one.billing_day % 7 == 1 else ""


def _url(account: Account, step: int, answers: Answers) -> str:
    address = reverse(f"customers:{_STEPS[step][0]}", args=[account.public_id])
    return f"{address}?{urlencode(answers.kept)}"


def _show(
    request: ActorRequest,
    account: Account,
    answers: Answers,
    step: int,
    refusal: BillingError | None = None,
    **more: Any,
) -> HttpResponse:
    path = path_of(request.actor, account.pk)
    title = _("One renewal date for %(account)s") % {"account": account.name}
    asked_here = (("scope", "out", "effective_date"), ("method",), ("on",), ())[step]
    context = {
        "title": title,
        "steps": [*steps_to(path)[:-1], Crumb(account.name, account_url(account.pk)),
                  Crumb(title)],
        "stepper": [
            {"label": str(label), "state": "done" if place < step else
             "now" if place == step else ""}
            for place, (_name, label) in enumerate(_STEPS)
        ],
        "step": step + 1,
        "account": account,
        "answers": answers,
        "kept": [pair for pair in answers.kept if pair[0] not in asked_here],
        "all_kept": answers.kept,
        "next_url": reverse(f"customers:{_STEPS[min(step + 1, 3)][0]}", args=[account.public_id]),
        "here_url": reverse(f"customers:{_STEPS[step][0]}", args=[account.public_id]),
        "back_url": _url(account, step - 1, answers) if step else account_url(account.pk),
        "date_label": renewal_day(*answers.on) if answers.on and _is_day(answers.on) else "",
        "earliest": request.actor.today.isoformat(),
        "error": "" if refusal is None else refusal.detail,
        "details": [] if refusal is None else [one.detail for one in refusal.errors],
        "scope_name": account.name,
        **more,
    }  # fmt: skip
    status = HTTPStatus.OK if refusal is None else HTTPStatus(refusal.status)
    return render(request, "plans/align.html", context, status=status)


def _is_day(on: tuple[int, int | None]) -> bool:
    return 1 <= on[0] <= 31 and (on[1] is None or 1 <= on[1] <= 12)
