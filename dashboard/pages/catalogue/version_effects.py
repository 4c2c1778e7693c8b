"""What a version of a price comes to: whom it concerns, what changes, and who is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.middleware import ActorRequest
from billing_rules.timelines import held_on
from invoicing.operations.prices.beginning import Planned
from invoicing.queries.repriced_pools import PoolsEffect
from invoicing.queries.repricing import (
    Effect,
    Outcome,
    Repricing,
    Why,
    concerned_items,
    outcomes,
    recipients,
)
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.ids import key_of
from web.accounts import account_url
from web.page_heads import Fact
from web.tables import Link
from web.templatetags.figures import money, quantity

ROWS: Final = 50


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


def effect_context(request: ActorRequest, planned: Planned | None) -> dict[str, Any]:
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
        "notes": [*_notes(effect), *_notes_of_pools(planned.pools)],
        "pools": [
            Link(
                f"{pool.account.name}: {pool.price.name}",
                reverse("customers:pool", args=[pool.account.public_id, pool.public_id]),
            )
            for pool in planned.pools.first
        ],
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


def _notes_of_pools(pools: PoolsEffect) -> list[str]:
    """Return what becomes of the pools that charge by the price."""
    found = []
    if pools.changed:
        text = ngettext(
            "%(count)s pool charges by it from then on. MRR leaves out what is used.",
            "%(count)s pools charge by it from then on. MRR leaves out what is used.",
            pools.changed,
        )
        found.append(text % {"count": quantity(pools.changed)})
    if pools.charged:
        text = ngettext(
            "With %(count)s of them something is charged for days since already: the next billing"
            " run credits it and charges it anew.",
            "With %(count)s of them something is charged for days since already: the next billing"
            " run credits it and charges it anew.",
            pools.charged,
        )
        found.append(text % {"count": quantity(pools.charged)})
    if pools.own_choice:
        text = ngettext(
            "For %(count)s pool another version was chosen; it keeps it.",
            "For %(count)s pools another version was chosen; they keep it.",
            pools.own_choice,
        )
        found.append(text % {"count": quantity(pools.own_choice)})
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
