"""Changing all accounts that are selected: what becomes of each is shown before it is done."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.middleware import ActorRequest
from accounts.operations.accounts.editing_many import (
    ARCHIVED,
    LOCKED,
    MOST_AT_ONCE,
    TOO_MANY_TAGS,
    ManyReport,
    Outcome,
    TooManyToEdit,
    edit_many,
)
from accounts.queries import trees
from accounts.queries.sellers import sellers
from accounts.versions import ChangedMeanwhile
from dashboard.pages.customers.listing import filters_of
from dashboard.pages.customers.many_form import ManyForm
from tenancy.errors import Invalid, NotFound
from tenancy.ids import key_of, parse_public_id
from web.accounts import account_url
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.setting_words import value_text
from web.templatetags.figures import quantity

EDIT, CHOOSE, PREVIEW, SAVE = "edit", "choose", "preview", "save"
_SELECTION: Final = ("account", "ids", "everything", "all", "kind", "q", "tag", "in")
_SHOWN: Final = 10
_SAY_MORE: Final = ("invalid_account", "invalid_settings")
"""Refusals of which the single faults say more than the whole."""
_WHY: Final[Mapping[str, Promise]] = {
    ARCHIVED: gettext_lazy("It is archived."),
    TOO_MANY_TAGS: gettext_lazy("It would have more than 20 tags."),
    LOCKED: gettext_lazy("The setting is locked above it."),
}


@dataclass(frozen=True, slots=True)
class Named:
    """An account and where it leads."""

    name: str
    url: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Accounts that stay as they are for one reason: the first by name, how many more."""

    why: str
    accounts: list[Named]
    more: int


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def edit_selected(request: ActorRequest) -> HttpResponse:
    """Ask what is to change of the selected accounts; POST shows what it does, then does it."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    values = request.POST if request.method == "POST" else request.GET
    ids = _selected(request, values)
    with_settings = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    step = request.POST.get("step", EDIT)
    form = ManyForm(
        request.POST if request.method == "POST" else None,
        today=actor.today,
        sellers=[(one.public_id, one.name) for one in sellers(actor)] if with_settings else [],
        with_settings=with_settings,
    )
    if request.method != "POST" or step in (EDIT, CHOOSE):
        return _form(request, values, len(ids), form, is_plain=True)
    if not form.is_valid():
        return _form(request, values, len(ids), form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        report = edit_many(
            actor,
            ids,
            form.wanted(actor.today),
            seen=request.POST.get("seen") or "none",
            today=actor.today,
            is_dry_run=step != SAVE,
            now=timezone.now(),
        )
    except ChangedMeanwhile as refusal:
        form.add_error(None, refusal.detail)
        return _form(request, values, len(ids), form, HTTPStatus.CONFLICT)
    except Invalid as refusal:
        says_more = refusal.code in _SAY_MORE
        for detail in [one.detail for one in refusal.errors if says_more] or [refusal.detail]:
            form.add_error(None, detail)
        return _form(request, values, len(ids), form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if step != SAVE:
        return _preview(request, values, form, report)
    messages.success(request, _done(len(report.changing)))
    return redirect(_back(values))


def _selected(request: ActorRequest, values: QueryDict) -> list[UUID]:
    """Return the accounts that a form names, or all that match what the list is filtered by."""
    actor = request.actor
    if values.get("everything") != "1":
        texts = [*values.getlist("account"), *values.getlist("ids")]
        keys = {parse_public_id("acc", text) for text in texts}
        ids = [key for key in keys if key is not None]
        if not ids:
            raise NotFound
        return ids
    within, filters = values.get("in", ""), filters_of(values)
    found = trees.customers(
        actor,
        flat=filters.flat or bool(within),
        within=key_of("acc", within) if within else None,
        kind=filters.kind,
        text=filters.text or None,
        tag=filters.tag or None,
    )
    ids = list(found.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if not ids:
        raise NotFound
    if len(ids) > MOST_AT_ONCE:
        raise TooManyToEdit(most=MOST_AT_ONCE)
    return ids


def _kept(values: QueryDict) -> list[tuple[str, str]]:
    """Return the selection, to be carried from step to step."""
    return [(name, value) for name in _SELECTION for value in values.getlist(name)]


def _back(values: QueryDict) -> str:
    """Return where the accounts were selected: a tree, or the list with its filters."""
    if within := values.get("in"):
        return reverse("customers:tree", args=[within])
    query = QueryDict(mutable=True)
    for name in ("all", "kind", "q", "tag"):
        if value := values.get(name):
            query[name] = value
    listed = reverse("customers:list")
    return f"{listed}?{query.urlencode()}" if query else listed


def _context(values: QueryDict, count: int) -> dict[str, Any]:
    text = ngettext("Change %(count)s account", "Change %(count)s accounts", count)
    title = text % {"count": quantity(count)}
    back = _back(values)
    return {
        "title": title,
        "steps": [Crumb(_("Customers"), reverse("customers:list")), Crumb(title)],
        "kept": _kept(values),
        "back_url": back,
    }


def _form(
    request: ActorRequest,
    values: QueryDict,
    count: int,
    form: ManyForm,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    is_plain: bool = False,
) -> HttpResponse:
    if is_plain and form.is_bound:
        # Asked for another field only: nothing is wrong yet.
        form.full_clean()
        form.errors.clear()
    context = {**_context(values, count), "form": form}
    return render(request, "customers/many.html", context, status=status)


def _preview(
    request: ActorRequest, values: QueryDict, form: ManyForm, report: ManyReport
) -> HttpResponse:
    changing, refused = report.changing, report.refused
    held = {name: request.POST.get(name, "") for name in form.fields}
    same = len(report.outcomes) - len(changing) - len(refused)
    setting = form.cleaned_data.get("setting") or ""
    context = {
        **_context(values, len(report.outcomes)),
        "held": {name: value for name, value in held.items() if value},
        "seen": report.digest,
        "counts": {
            "changing": quantity(len(changing)),
            "same": quantity(same),
            "refused": quantity(len(refused)),
        },
        "changes": [_shown(one) for one in changing[:_SHOWN]],
        "more_changes": max(0, len(changing) - _SHOWN),
        "refused": _by_reason(refused),
        "keepers": [Named(name, account_url(key)) for key, name in report.keepers],
        "more_keepers": report.keeper_count - len(report.keepers),
        "setting": SETTINGS[setting].label if setting else "",
        "day": form.wanted(request.actor.today).day if setting else None,
        "apply_label": _done_label(len(changing)),
        "can_apply": bool(changing),
    }
    return render(request, "customers/many_preview.html", context)


def _by_reason(refused: Iterable[Outcome]) -> list[Refused]:
    counts = Counter(one.refusal for one in refused)
    found = []
    for code, count in counts.most_common():
        first = [one.account for one in refused if one.refusal == code][:_SHOWN]
        named = [Named(one.name, account_url(one.pk)) for one in first]
        found.append(Refused(str(_WHY[code]), named, count - len(named)))
    return found


def _shown(outcome: Outcome) -> Named:
    """Return what changes of an account, in words."""
    before, after = [], []
    if outcome.has_other_tags:
        before.append(", ".join(outcome.old_tags) or _("no tags"))
        after.append(", ".join(outcome.tags) or _("no tags"))
    for one in outcome.changes:
        before.append(value_text(one.name, one.old) or _("inherited"))
        after.append(value_text(one.name, one.new) or _("inherited"))
    account = outcome.account
    return Named(account.name, account_url(account.pk), " · ".join(before), " · ".join(after))


def _done(count: int) -> str:
    if not count:
        return _("Nothing had to change: everything is so already.")
    text = ngettext("%(count)s account is changed.", "%(count)s accounts are changed.", count)
    return text % {"count": quantity(count)}


def _done_label(count: int) -> str:
    text = ngettext("Change %(count)s account", "Change %(count)s accounts", count)
    return text % {"count": quantity(count)}
