"""The facts of an account: in a line below its name, and in full beside everything else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.declarations import PARTICULARS, SETTINGS, SettingName
from accounts.models import Account
from accounts.queries.responsibilities import Responsibility
from accounts.queries.setting_history import FamilySettings
from subscriptions.queries.mrr import Mrr
from web.accounts import account_url
from web.page_heads import Fact
from web.setting_words import value_text
from web.templatetags.figures import day, quantity


def head_facts(
    path: Sequence[Account],
    below: int,
    responsible: Responsibility,
    settings: FamilySettings,
    mrr: Mrr,
) -> list[Fact]:
    """Return what is asked first of an account.

    Args:
        path: the accounts from the root down to it.
        below: how many accounts lie below it.
        responsible: who is invoiced and who pays.
        settings: what holds on it.
        mrr: when something of it, and of it and all below, is billed next.
    """
    account = path[-1]
    parent = path[-2] if len(path) > 1 else None
    facts = [
        Fact(_("Account number"), account.external_id or ""),
        Fact(
            _("Belongs to"),
            parent.name if parent else _("no other account"),
            account_url(parent.pk) if parent else "",
        ),
        Fact(_("Sub-accounts"), quantity(below), account_url(account.pk, "tree")),
        Fact(_("Invoiced to"), responsible.bill_to_name, account_url(responsible.bill_to_id)),
        Fact(_("Paid by"), responsible.payer_name, account_url(responsible.payer_id)),
        *(
            Fact(str(SETTINGS[name].label), value_text(name, settings.value(account.pk, name)))
            for name in (SettingName.CURRENCY, SettingName.PAYMENT_TERMS_DAYS)
        ),
        Fact(_("Next billing of this account"), day(mrr.own_next_date) or _("none")),
    ]
    if below:
        with_all = day(mrr.next_date) or _("none")
        facts.append(Fact(_("Next billing with sub-accounts"), with_all))
    return [fact for fact in facts if fact.value]


def further_facts(account: Account) -> list[Fact]:
    """Return who the account is: what stands on documents."""
    party = account.contract_party
    facts = [
        Fact(str(PARTICULARS["legal_name"].label), account.legal_name),
        Fact(_("Address"), _address(account)),
        Fact(str(PARTICULARS["email"].label), account.email),
        Fact(str(PARTICULARS["vat_id"].label), account.vat_id),
        Fact(
            _("Contract with"), party.name if party else "", account_url(party.pk) if party else ""
        ),
        Fact(_("ID in the API"), account.public_id),
    ]
    return [fact for fact in facts if fact.value]


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """What the vendor keeps of an account for itself; each tag leads to all that have it."""

    tags: list[Fact]
    facts: list[Fact]

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.tags or self.facts)


def own_records(account: Account, settings: FamilySettings) -> OwnRecords:
    """Return tags, cost centre and own data, which no document but the cost centre shows."""
    name = SettingName.COST_CENTRE
    centre = value_text(name, settings.value(account.pk, name))
    change_url = f"{account_url(account.pk, 'settings')}{name}/"
    listed = reverse("customers:list")
    facts = [Fact(str(SETTINGS[name].label), centre, change_url)] if centre else []
    facts += [Fact(key, _own_value(value)) for key, value in account.metadata.items()]
    tags = sorted(account.tags, key=str.casefold)  # type: ignore[attr-defined]  # of its path
    found = [Fact(tag, tag, f"{listed}?{urlencode({'all': 1, 'tag': tag})}") for tag in tags]
    return OwnRecords(found, facts)


def _own_value(value: Any) -> str:
    """Return a member of own data as people read it: what has parts of its own stays JSON."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _address(account: Account) -> str:
    town = " ".join(part for part in (account.postal_code, account.city) if part)
    parts = (account.line1, account.line2, town, account.region, account.country)
    return ", ".join(part for part in parts if part)
