"""Responsibilities: for each subscription who uses it, is invoiced, pays and receives the mail."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.declarations import SETTINGS, SettingName
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.answering import Answering, answering
from accounts.queries.paths import path_of
from dashboard.pages.customers.parties import Party, cost_centre_of, invoiced_to, paid_by
from subscriptions.models import Item, Price
from subscriptions.queries.items import ItemsBelow, items_below
from tenancy.ids import key_of
from web.accounts import account_url, steps_to, tabs_of
from web.list_pages import one_of
from web.naming import Marks
from web.page_heads import Tab
from web.requests import whole_number
from web.session_checks import staff_only
from web.templatetags.figures import quantity

ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a subscription with everybody who answers for it."""

    service: str
    charged: str
    used_by: Party
    contract_with: Party
    bill_to: Party
    payer: Party
    mail: str
    tax_address: str
    cost_centre: Party


@require_safe
@staff_only
def responsibilities_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show who answers for what a subtree uses. At most six statements beside the frame's."""
    actor, key = request.actor, key_of("acc", account_id)
    path = path_of(actor, key)
    deviating = one_of(request.GET, "deviating", {"1"}) == "1"
    start = whole_number(request.GET.get("from", ""))
    found = items_below(actor, key, actor.today, deviating=deviating, start=start, limit=ROWS)
    overrides = [override for item in found.rows if (override := override_of(item))]
    answers = answering(
        actor,
        [key, *(item.account_id for item in found.rows)],
        actor.today,
        beside=overrides,
    )
    url = account_url(key, "responsibilities")
    passed_on = "deviating=1&" if deviating else ""
    context = {
        "account": path[-1],
        "steps": steps_to(path, page="responsibilities"),
        "tabs": tabs_of(key, "responsibilities"),
        "filters": [
            Tab(_("All"), url, not deviating),
            Tab(_("Different from what is inherited"), f"{url}?deviating=1", deviating),
        ],
        "rows": [_row(item, answers) for item in found.rows],
        "summary": _summary(found, start),
        "sentences": _sentences(found, answers) if found.count <= len(found.rows) else [],
        "previous_url": f"{url}?{passed_on}from={max(0, start - ROWS)}" if start else "",
        "next_url": f"{url}?{passed_on}from={start + ROWS}" if start + ROWS < found.count else "",
        "deviating": deviating,
        "sends_mail": SETTINGS[SettingName.INVOICE_RECIPIENTS].is_used,
        "settings_url": account_url(key, "settings"),
        "flow_url": account_url(key, "flow"),
        "scope_name": path[-1].name,
    }
    return render(request, "customers/responsibilities.html", context)


def override_of(item: Item) -> UUID | None:
    """Return whom a subscription names as its recipient itself."""
    override: UUID | None = item.subscription.override_bill_to_id
    return override


def _row(item: Item, answers: Answering) -> Row:
    owner, override = item.account, override_of(item)
    bill_to_id = answers.bill_to(owner.pk, override)
    bill_to = answers.named[bill_to_id]
    party = owner.contract_party or bill_to
    mails = answers.settings.value(bill_to_id, SettingName.INVOICE_RECIPIENTS)
    return Row(
        service=f"{item.price.product.name}, {item.price.name}",
        charged=_charged(item.price),
        used_by=Party(owner.name, account_url(owner.pk)),
        contract_with=Party(party.name, account_url(party.pk)),
        bill_to=invoiced_to(owner.pk, override, answers),
        payer=paid_by(bill_to_id, answers),
        mail=", ".join(mails or ()) or bill_to.email,
        tax_address=_address(bill_to),
        cost_centre=cost_centre_of(owner.pk, answers),
    )


def _charged(price: Price) -> str:
    """Return what kind of charge it makes."""
    words = {
        Price.Timing.ADVANCE: _("recurring, in advance"),
        Price.Timing.ARREARS: _("recurring, in arrears"),
    }
    return words.get(Price.Timing(price.timing), price.timing)


def _address(account: Account) -> str:
    town = " ".join(part for part in (account.postal_code, account.city) if part)
    return ", ".join(part for part in (town, account.country, account.vat_id) if part)


def _summary(found: ItemsBelow, start: int) -> str:
    if not found.rows:
        return ""
    values = {
        "first": quantity(start + 1),
        "last": quantity(start + len(found.rows)),
        "count": quantity(found.count),
    }
    return _("%(first)s to %(last)s of %(count)s") % values


def _sentences(found: ItemsBelow, answers: Answering) -> list[SafeString]:
    """Return in words who gets which invoice for how much of it."""
    counted: dict[tuple[UUID, UUID], tuple[set[UUID], set[UUID]]] = defaultdict(
        lambda: (set(), set())
    )
    for item in found.rows:
        bill_to = answers.bill_to(item.account_id, override_of(item))
        subscriptions, accounts = counted[bill_to, answers.payer(bill_to)]
        subscriptions.add(item.subscription_id)
        accounts.add(item.account_id)
    return [
        _sentence(answers.named[bill_to], answers.named[payer], *map(len, sets))
        for (bill_to, payer), sets in sorted(
            counted.items(), key=lambda one: (-len(one[1][0]), answers.named[one[0][0]].sort_key)
        )
    ]


def _sentence(bill_to: Account, payer: Account, subscriptions: int, accounts: int) -> SafeString:
    marks = Marks()
    text = ngettext(
        "%(subscriptions)s subscription (accounts: %(accounts)s) is invoiced to %(bill_to)s and "
        "paid by %(payer)s.",
        "%(subscriptions)s subscriptions (accounts: %(accounts)s) are invoiced to %(bill_to)s and "
        "paid by %(payer)s.",
        subscriptions,
    )
    values = {
        "subscriptions": quantity(subscriptions),
        "accounts": quantity(accounts),
        "bill_to": marks.of({"id": bill_to.public_id, "name": bill_to.name}),
        "payer": marks.of({"id": payer.public_id, "name": payer.name}),
    }
    return marks.linked(text % values)
