"""A preview as a page shows it: plain rows with words, links and amounts."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.declarations import SETTINGS, SettingName
from dashboard.pages.plans.aligned import AlignedShown, aligned_of
from dashboard.pages.plans.merging import Merging, merging_of
from invoicing.words import describe_warning
from tenancy.formats import date_text, period_text
from tenancy.ids import key_of
from web.accounts import account_url
from web.naming import linked
from web.roles import role_name
from web.setting_words import value_text
from web.templatetags.figures import money, quantity


@dataclass(frozen=True, slots=True)
class Named:
    """An account by name, and where it is."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class SectionRow:
    """One account on the next invoices."""

    name: str
    url: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class BillingRow:
    """The next invoices of a recipient, as things are and with the change."""

    recipient: Named
    before: str
    before_day: str
    after: str
    after_day: str
    difference: str
    is_less: bool
    second: str | SafeString
    sections: Sequence[SectionRow]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting that changes by inheritance."""

    label: str
    old: str
    new: str
    accounts: str


@dataclass(frozen=True, slots=True)
class CreditRow:
    """Days of a charge that are credited to one and charged to another."""

    to: str | SafeString
    charged: str | SafeString
    what: str | SafeString
    days: str
    document: str
    document_url: str
    amount: str
    invoice_on: str


@dataclass(frozen=True, slots=True)
class Credited:
    """What is credited: sums in sentences, and the first credits."""

    sums: Sequence[str | SafeString]
    rows: Sequence[CreditRow]
    more: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that a page says of a preview."""

    billing: Sequence[BillingRow]
    more_billing: int
    is_unknown: bool
    facts: Sequence[tuple[str, str | SafeString]]
    settings: Sequence[SettingRow]
    people: Sequence[str]
    mails: Sequence[str]
    stays: Sequence[str]
    warnings: Sequence[str | SafeString]
    acceptance: str | SafeString
    credited: Credited | None = None
    merge: Merging | None = None
    alignment: AlignedShown | None = None


def shown(preview: Mapping[str, Any]) -> Shown:
    """Return what a page says of a stored preview."""
    preview = _told_apart(preview)
    addresses = _addresses(preview)
    asked = preview["acceptance"]
    agrees = _("%(name)s has to agree before anything happens.")
    return Shown(
        billing=[_billing(row, addresses) for row in preview["billing"]],
        more_billing=preview["more_billing"],
        is_unknown=preview["billing_unknown"],
        facts=[(label, linked(value, addresses)) for label, value in _facts(preview)],
        settings=[_setting(row) for row in preview["settings"]],
        people=[*_people(preview["access"])],
        mails=[*_mails(preview["recipients"])],
        stays=[*_stays(preview)],
        warnings=[linked(describe_warning(one), addresses) for one in preview["warnings"]],
        acceptance=linked(agrees % {"name": asked["name"]}, addresses) if asked else "",
        credited=_credited(preview, addresses),
        merge=merging_of(preview),
        alignment=aligned_of(preview),
    )


def _addresses(preview: Mapping[str, Any]) -> dict[str, str]:
    """Return where each account leads that a preview names."""
    return {one.name: one.url for one in map(_named, _references(preview))}


def _told_apart(preview: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a preview in which accounts that are called alike have their numbers with them."""
    ids: dict[str, set[str]] = {}
    for one in _references(preview):
        ids.setdefault(one["name"], set()).add(one["id"])
    alike = {name for name, some in ids.items() if len(some) > 1}
    renamed: Mapping[str, Any] = _numbered(preview, alike) if alike else preview
    return renamed


def _numbered(value: Any, alike: Set[str]) -> Any:
    if isinstance(value, list):
        return [_numbered(one, alike) for one in value]
    if not isinstance(value, Mapping):
        return value
    is_account = str(value.get("id", "")).startswith("acc_")
    if is_account and value.get("name") in alike and value.get("external_id"):
        text = _("%(account)s (%(number)s)")
        name = text % {"account": value["name"], "number": value["external_id"]}
        return {**value, "name": name}
    return {name: _numbered(one, alike) for name, one in value.items()}


def _references(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if str(value.get("id", "")).startswith("acc_"):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)


def _named(account: Mapping[str, Any]) -> Named:
    return Named(account["name"], account_url(key_of("acc", account["id"])))


def _day(side: Mapping[str, Any] | None) -> str:
    return "" if side is None else date_text(date.fromisoformat(side["date"]))


def _amount(minor: int, currency: str) -> str:
    return money(minor, currency) if minor else "–"


def _billing(row: Mapping[str, Any], addresses: Mapping[str, str]) -> BillingRow:
    currency, before, after = row["currency"], row["before"], row["after"]
    difference = row["after_minor"] - row["before_minor"]
    payers = list(dict.fromkeys(side["payer"]["name"] for side in (before, after) if side))
    second = _("Pays: %(payer)s · Tax: %(tax)s")
    values = {"payer": " → ".join(payers), "tax": _tax(before, after, currency)}
    return BillingRow(
        recipient=_named(row["bill_to"]),
        before=_amount(row["before_minor"], currency),
        before_day=_day(before),
        after=_amount(row["after_minor"], currency),
        after_day=_day(after),
        difference=("+" if difference > 0 else "") + _amount(difference, currency),
        is_less=difference < 0,
        second=linked(second % values, addresses),
        sections=[
            SectionRow(
                one["account"]["name"],
                account_url(key_of("acc", one["account"]["id"])),
                _amount(one["before_minor"], currency),
                _amount(one["after_minor"], currency),
            )
            for one in row["sections"]
        ],
    )


def _tax(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, currency: str) -> str:
    """Return the tax before and after."""
    sums = [_amount(side["tax_minor"], currency) for side in (before, after) if side]
    return " → ".join(dict.fromkeys(sums))


def _facts(preview: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield who is invoiced and who pays, before and after."""
    if one := preview.get("subscription"):
        yield _("Subscription"), one["name"]
    if len(moves := preview["moves"]) == 1:
        ends = (moves[0]["from"], moves[0]["to"])
        before, after = (end["name"] if end else _("no other account") for end in ends)
        yield _("Belongs to"), f"{before} → {after}"
    for label, name in ((_("Is invoiced"), "bill_to"), (_("Pays"), "payer")):
        before, after = preview[name]["before"]["name"], preview[name]["after"]["name"]
        yield label, before if before == after else f"{before} → {after}"
    count = preview["accounts"]
    text = ngettext("%(count)s account", "%(count)s accounts", count)
    yield _("Moves along") if preview["moves"] else _("Concerns"), text % {"count": quantity(count)}


def _credited(preview: Mapping[str, Any], addresses: Mapping[str, str]) -> Credited | None:
    """Return what is credited, None where what is paid in advance stays."""
    if preview.get("prepaid") != "credit":
        return None
    return Credited(
        [_credit_sum(row, addresses) for row in preview.get("credit_sums", ())],
        [_credit(row, addresses) for row in preview["credits"]],
        preview.get("more_credits", 0),
    )


def _party(row: Mapping[str, Any], name: str, payer: str) -> str:
    """Return who is invoiced, with who pays where that is another."""
    one, pays = row[name], row[payer]
    if one["id"] == pays["id"]:
        return str(one["name"])
    return _("%(account)s (%(payer)s pays)") % {"account": one["name"], "payer": pays["name"]}


def _credit_sum(row: Mapping[str, Any], addresses: Mapping[str, str]) -> str | SafeString:
    text = _("%(sum)s goes back to %(before)s and is charged to %(after)s, before tax.")
    values = {
        "sum": money(row["amount_minor"], row["currency"]),
        "before": _party(row, "to", "to_payer"),
        "after": _party(row, "charged_to", "charged_payer"),
    }
    return linked(text % values, addresses)


def _credit(row: Mapping[str, Any], addresses: Mapping[str, str]) -> CreditRow:
    start, end = (date.fromisoformat(row[name]) for name in ("period_start", "period_end"))
    what = _("%(name)s of %(account)s")
    days = ngettext("%(period)s · %(count)s day", "%(period)s · %(count)s days", row["days"])
    document = row["document"]
    return CreditRow(
        to=linked(_party(row, "to", "to_payer"), addresses),
        charged=linked(_party(row, "charged_to", "charged_payer"), addresses),
        what=linked(what % {"name": row["name"], "account": row["account"]["name"]}, addresses),
        days=days % {"period": period_text(start, end), "count": quantity(row["days"])},
        document=document["number"] if document else _("not invoiced yet"),
        document_url=reverse("invoices:page", args=[document["id"]]) if document else "",
        amount=money(-row["amount_minor"], row["currency"]),
        invoice_on=date_text(date.fromisoformat(row["invoice_on"])),
    )


def _setting(row: Mapping[str, Any]) -> SettingRow:
    name, count = row["setting"], row["accounts"]
    text = ngettext("%(count)s account", "%(count)s accounts", count)
    return SettingRow(
        label=str(SETTINGS[SettingName(name)].label),
        old=value_text(name, row["old"]) or _("not set"),
        new=value_text(name, row["new"]) or _("not set"),
        accounts=text % {"count": quantity(count)},
    )


def _people(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        values = {"name": row["contact"]["name"]}
        if row["gains"]:
            roles = ", ".join(role_name(role) for role in row["gains"])
            yield _("%(name)s gains: %(roles)s") % {**values, "roles": roles}
        if row["loses"]:
            roles = ", ".join(role_name(role) for role in row["loses"])
            yield _("%(name)s loses: %(roles)s") % {**values, "roles": roles}


def _mails(recipients: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for address in recipients["stops"]:
        yield _("%(address)s gets no invoices for these accounts any more.") % {"address": address}
    for address in recipients["starts"]:
        yield _("%(address)s begins to get invoices for these accounts.") % {"address": address}


def _stays(preview: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the change leaves as it is."""
    for row in preview["unpaid"]:
        text = ngettext(
            "%(count)s unpaid invoice, %(sum)s open, stays with its recipient.",
            "%(count)s unpaid invoices, %(sum)s open, stay with their recipients.",
            row["count"],
        )
        yield text % {
            "count": quantity(row["count"]),
            "sum": money(row["open_minor"], row["currency"]),
        }
    if count := preview["drafts"]:
        if preview["open_drafts"] == "reroute":
            text = ngettext(
                "%(count)s open draft is taken back; what is of these accounts follows them.",
                "%(count)s open drafts are taken back; what is of these accounts follows them.",
                count,
            )
        else:
            text = ngettext(
                "%(count)s open draft stays with its recipient.",
                "%(count)s open drafts stay with their recipients.",
                count,
            )
        yield text % {"count": quantity(count)}
