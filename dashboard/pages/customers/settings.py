"""Billing settings of an account: what holds, where it comes from, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.models import Account, SettingName
from accounts.queries.chains import OwnValue, SettingChains, setting_chains
from accounts.queries.effective_settings import EffectiveSetting
from tenancy.ids import key_of
from web.accounts import account_url, steps_to, tabs_of
from web.session_checks import staff_only

GROUPS: Final = (
    (
        gettext_lazy("Who"),
        (SettingName.BILL_TO, SettingName.PAYER, SettingName.SELLER, SettingName.CONSOLIDATION),
    ),
    (
        gettext_lazy("Timing"),
        (SettingName.BILLING_DAY, SettingName.BILLING_MONTH, SettingName.TIME_ZONE),
    ),
    (
        gettext_lazy("Money"),
        (SettingName.CURRENCY, SettingName.PAYMENT_TERMS_DAYS, SettingName.COLLECTION),
    ),
    (
        gettext_lazy("Document"),
        (
            SettingName.LANGUAGE,
            SettingName.PO_NUMBER,
            SettingName.SPLIT_BY_PO,
            SettingName.COST_CENTRE,
        ),
    ),
)
LABELS: Final[Mapping[str, Promise]] = {
    SettingName.SELLER: gettext_lazy("Seller"),
    SettingName.BILL_TO: gettext_lazy("Who is invoiced"),
    SettingName.PAYER: gettext_lazy("Who pays"),
    SettingName.CONSOLIDATION: gettext_lazy("Consolidation"),
    SettingName.BILLING_DAY: gettext_lazy("Billing day"),
    SettingName.BILLING_MONTH: gettext_lazy("Billing month"),
    SettingName.PAYMENT_TERMS_DAYS: gettext_lazy("Payment terms"),
    SettingName.CURRENCY: gettext_lazy("Currency"),
    SettingName.LANGUAGE: gettext_lazy("Invoice language"),
    SettingName.TIME_ZONE: gettext_lazy("Time zone"),
    SettingName.COLLECTION: gettext_lazy("Payment"),
    SettingName.PO_NUMBER: gettext_lazy("Purchase order"),
    SettingName.SPLIT_BY_PO: gettext_lazy("One invoice per purchase order"),
    SettingName.COST_CENTRE: gettext_lazy("Cost centre"),
}
EFFECTS: Final[Mapping[str, Promise]] = {
    SettingName.SELLER: gettext_lazy("Issues the invoices, with its own number series."),
    SettingName.BILL_TO: gettext_lazy("The invoice is addressed to it."),
    SettingName.PAYER: gettext_lazy("What is invoiced is collected from it."),
    SettingName.CONSOLIDATION: gettext_lazy("How many documents a billing run makes."),
    SettingName.BILLING_DAY: gettext_lazy("Periods begin on it; invoices are dated to it."),
    SettingName.BILLING_MONTH: gettext_lazy("Yearly periods begin in it."),
    SettingName.PAYMENT_TERMS_DAYS: gettext_lazy("From the date of the invoice to its due date."),
    SettingName.CURRENCY: gettext_lazy(
        "What is sold to it should be priced in it. An invoice is in the currency of its prices."
    ),
    SettingName.LANGUAGE: gettext_lazy("Invoices and e-mails are written in it."),
    SettingName.TIME_ZONE: gettext_lazy(
        "Its dates are days there. Runs start by the company's own day; no date is moved."
    ),
    SettingName.COLLECTION: gettext_lazy("How the money comes in."),
    SettingName.PO_NUMBER: gettext_lazy("Is printed on the invoice."),
    SettingName.SPLIT_BY_PO: gettext_lazy("Separate invoice per PO."),
    SettingName.COST_CENTRE: gettext_lazy("Stands beside the account's lines."),
}
_WORDS: Final[Mapping[Any, Promise]] = {
    "one_invoice": gettext_lazy("One invoice for all accounts with the same recipient"),
    "per_account": gettext_lazy("One invoice per account"),
    "de": gettext_lazy("German"),
    "en": gettext_lazy("English"),
    "send": gettext_lazy("Bank transfer"),
    "invoice": gettext_lazy("Bank transfer"),
    "transfer": gettext_lazy("Bank transfer"),
    "debit": gettext_lazy("Direct debit"),
    "automatic": gettext_lazy("Collected automatically"),
}
_LISTED: Final = {SettingName.CONSOLIDATION, SettingName.LANGUAGE, SettingName.COLLECTION}


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
    is_account = name in {SettingName.BILL_TO, SettingName.PAYER}
    return SettingRow(
        label=str(LABELS[name]),
        effect=str(EFFECTS[name]),
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
    write = _WRITERS.get(name)
    if write is not None:
        return write(value)
    if name in _LISTED:
        return str(_WORDS.get(value, value))
    return str(value)


def _terms(days: int) -> str:
    if not days:
        return _("Due at once")
    return ngettext("%(days)s day net", "%(days)s days net", days) % {"days": days}


def _billing_day(day: int) -> str:
    return _("Day %(day)s of the month") % {"day": day}


def _yes_or_no(value: bool) -> str:
    return _("Yes") if value else _("No")


_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    SettingName.PAYMENT_TERMS_DAYS: _terms,
    SettingName.BILLING_DAY: _billing_day,
    SettingName.SPLIT_BY_PO: _yes_or_no,
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
