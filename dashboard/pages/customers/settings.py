"""Billing settings of an account: what holds, where it comes from, and what it does."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS, SettingName
from accounts.declarations.setting_terms import GROUP_TITLES
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.chains import OwnValue, SettingChains, setting_chains
from accounts.queries.effective_settings import EffectiveSetting
from accounts.queries.setting_stretches import SettingStretch
from tenancy.ids import key_of, public_id
from web.accounts import account_url, steps_to, tabs_of
from web.session_checks import staff_only
from web.setting_words import value_text

GROUPS: Final = tuple(
    (title, [setting.name.value for setting in SETTINGS.values() if setting.group == group])
    for group, title in GROUP_TITLES.items()
)


@dataclass(frozen=True, slots=True)
class Link:
    """One value on the way down to the account; overridden ones are struck through."""

    where: str
    url: str
    value: str
    is_effective: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """A change that begins on a later day; an empty value inherits."""

    day: date
    value: str
    recall_url: str


@dataclass(frozen=True, slots=True)
class Past:
    """An own value from a day to a day, both its own; None: always, and until it is changed."""

    start: date | None
    end: date | None
    value: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting: ``source`` is ``own``, ``inherited`` or ``default``.

    ``lock`` names who has locked it; ``locks`` says that this account has, for those below.
    ``changes_on`` is when another value is to hold, by a change here or above. ``change_url`` is
    empty where nothing can be changed.
    """

    label: str
    effect: str
    value: str
    value_url: str
    source: str
    origin: str
    origin_url: str
    chain: list[Link]
    lock: str
    lock_url: str
    locks: bool
    changes_on: date | None
    planned: list[Planned]
    history: list[Past]
    change_url: str


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    rows: list[SettingRow]


@dataclass(frozen=True, slots=True)
class Hint:
    """Something to know or to look at."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whose settings are shown, to whom, as of which day."""

    found: SettingChains
    company: str
    may_change: bool
    today: date


@require_safe
@staff_only
def settings_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show every setting of an account. At most eight statements beside those of the frame."""
    actor, key = request.actor, key_of("acc", account_id)
    day = chosen_day(request, actor.today)
    found = setting_chains(actor, key, day)
    may_change = day == actor.today and found.path[-1].status != Account.Status.ARCHIVED
    may_change = may_change and access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    seen = _Seen(found, request.tenant.name, may_change, actor.today)
    context = {
        "as_of": day,
        "is_today": day == actor.today,
        "may_change": may_change,
        "account": found.path[-1],
        "steps": steps_to(found.path, page="settings"),
        "tabs": tabs_of(key, "settings"),
        "groups": [
            Group(str(title), [_row(name, seen) for name in names]) for title, names in GROUPS
        ],
        "hints": list(_hints(found)),
        "scope_name": found.path[-1].name,
    }
    return render(request, "customers/settings.html", context)


def _row(name: str, seen: _Seen) -> SettingRow:
    found, company = seen.found, seen.company
    account_id = found.path[-1].pk
    setting, own, chain = found.effective[name], found.own.get(name, []), found.chains[name]
    is_account = SETTINGS[name].is_account
    here = {"account_id": public_id("acc", account_id), "setting": name}
    can_set = seen.may_change and (not setting.is_locked or setting.source == "own")
    return SettingRow(
        label=str(SETTINGS[name].label),
        effect=SETTINGS[name].help,
        value=value_text(name, setting.value, setting.target_name),
        value_url=account_url(setting.value) if is_account else "",
        source="default" if setting.source == "tenant" else setting.source,
        origin=company if setting.source == "tenant" else setting.origin_name,
        origin_url=account_url(setting.origin_id, "settings") if setting.origin_id else "",
        chain=[_link(name, one, company) for one in chain] if len(chain) > 1 else [],
        lock=(setting.lock_name or company) if setting.is_locked else "",
        lock_url=account_url(setting.lock_id, "settings") if setting.lock_id else "",
        locks=any(one.is_locked and not one.is_planned and one.end is None for one in own),
        changes_on=setting.changes_on,
        planned=[
            Planned(
                one.start,
                value_text(name, one.value, one.target_name),
                reverse("customers:recall_setting", kwargs=here) if seen.may_change else "",
            )
            for one in own
            if one.is_planned and one.start is not None
        ],
        history=[_past(name, one) for one in own if one.value is not None]
        if any(one.start or one.end for one in own)
        else [],
        change_url=reverse("customers:change_setting", kwargs=here) if can_set else "",
    )


def _past(name: str, one: SettingStretch) -> Past:
    end = None if one.end is None else one.end - timedelta(days=1)
    return Past(one.start, end, value_text(name, one.value, one.target_name))


def chosen_day(request: ActorRequest, today: date) -> date:
    """Return the day that an address asks for, today where it names none or nonsense."""
    try:
        return date.fromisoformat(request.GET.get("as_of", ""))
    except ValueError:
        return today


def _link(name: str, one: OwnValue, company: str) -> Link:
    return Link(
        where=one.account_name or _("%(company)s default") % {"company": company},
        url=account_url(one.account_id, "settings") if one.account_id else "",
        value=value_text(name, one.value, one.target_name),
        is_effective=one.is_effective,
    )


def _hints(found: SettingChains) -> list[Hint]:
    account = found.path[-1]
    bill_to, payer = found.effective[SettingName.BILL_TO], found.effective[SettingName.PAYER]
    hints = []
    if _is_not_contract_party(account, bill_to):
        party = account.contract_party.name if account.contract_party else ""
        text = _(
            "Invoices go to %(bill_to)s, the contract is with %(party)s. "
            "Input VAT can be deducted only by who has the contract."
        )
        named = {"bill_to": bill_to.target_name, "party": party}
        hints.append(Hint("warn", _("The recipient is not the contract party"), text % named))
    if payer.source == "own" and bill_to.value != account.pk:
        text = _(
            "%(payer)s is set as payer here, but invoices for this account go to %(bill_to)s, and "
            "the payer is read there."
        )
        named = {"payer": payer.target_name, "bill_to": bill_to.target_name}
        hints.append(Hint("", _("The payer has no effect here"), text % named))
    return hints


def _is_not_contract_party(account: Account, bill_to: EffectiveSetting) -> bool:
    return account.contract_party_id is not None and bill_to.value != account.contract_party_id
