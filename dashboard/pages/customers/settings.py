"""Billing settings of an account: what holds, where it comes from, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.declarations import SETTINGS, SettingName
from accounts.declarations.settings import GROUP_TITLES
from accounts.declarations.values import Choice, Emails, YesNo
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.chains import OwnValue, SettingChains, setting_chains
from accounts.queries.effective_settings import EffectiveSetting
from tenancy.ids import key_of
from web.accounts import account_url, steps_to, tabs_of
from web.session_checks import staff_only

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
class SettingRow:
    """One setting: ``source`` is ``own``, ``inherited`` or ``default``."""

    label: str
    effect: str
    value: str
    value_url: str
    source: str
    origin: str
    origin_url: str
    chain: list[Link]


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


@require_safe
@staff_only
def settings_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show every setting of an account. At most eight statements beside those of the frame."""
    actor, key = request.actor, key_of("acc", account_id)
    found = setting_chains(actor, key, actor.today)
    company = request.tenant.name
    context = {
        "account": found.path[-1],
        "steps": steps_to(found.path, page="settings"),
        "tabs": tabs_of(key, "settings"),
        "groups": [
            Group(str(title), [_row(name, found, company) for name in names])
            for title, names in GROUPS
        ],
        "hints": list(_hints(found)),
        "scope_name": found.path[-1].name,
    }
    return render(request, "customers/settings.html", context)


def _row(name: str, found: SettingChains, company: str) -> SettingRow:
    setting = found.effective[name]
    chain = found.chains[name]
    is_account = SETTINGS[name].is_account
    return SettingRow(
        label=str(SETTINGS[name].label),
        effect=SETTINGS[name].help,
        value=value_text(name, setting.value, setting.target_name),
        value_url=account_url(setting.value) if is_account else "",
        source="default" if setting.source == "tenant" else setting.source,
        origin=company if setting.source == "tenant" else setting.origin_name,
        origin_url=account_url(setting.origin_id, "settings") if setting.origin_id else "",
        chain=[_link(name, one, company) for one in chain] if len(chain) > 1 else [],
    )


def _link(name: str, one: OwnValue, company: str) -> Link:
    return Link(
        where=one.account_name or _("%(company)s default") % {"company": company},
        url=account_url(one.account_id, "settings") if one.account_id else "",
        value=value_text(name, one.value, one.target_name),
        is_effective=one.is_effective,
    )


def value_text(name: str, value: Any, target_name: str = "") -> str:
    """Return the value of a setting in words; empty where nothing is set."""
    if target_name:
        return target_name
    if value is None or value == "":
        return ""
    write, kind = _WRITERS.get(name), SETTINGS[name].kind
    if write is not None:
        return write(value)
    match kind:
        case Choice():
            return str(kind.words.get(value, value))
        case YesNo():
            return _("Yes") if value else _("No")
        case Emails():
            return ", ".join(value)
    return str(value)


def _terms(days: int) -> str:
    if not days:
        return _("Due at once")
    return ngettext("%(days)s day net", "%(days)s days net", days) % {"days": days}


def _days(days: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def _billing_day(day: int) -> str:
    return _("Day %(day)s of the month") % {"day": day}


_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    SettingName.PAYMENT_TERMS_DAYS: _terms,
    SettingName.BILLING_DAY: _billing_day,
    SettingName.PRORATION_CUTOFF_DAYS: _days,
}


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
