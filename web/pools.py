"""Pools as pages of both faces show them: what a pool comes to, and who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from billing_rules.pricing import Tier, price_of
from invoicing.queries.pooled import PoolEffect, PoolMember, PoolOthers
from subscriptions.models import Price, UsagePool
from tenancy.formats import date_text, period_text
from tenancy.ids import public_id
from web.page_heads import Fact
from web.templatetags.figures import money, quantity, unit_price

MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class MemberRow:
    """What one of a pool used and pays; addresses are empty where there is no page."""

    account: str
    subscription: str
    days: str
    quantity: str
    alone: str
    share: str
    account_url: str = ""
    subscription_url: str = ""


def until_text(pool: UsagePool) -> str:
    """Return up to when a pool holds, in words."""
    if pool.ends == pool.starts:
        return _("taken back")
    return _("open") if pool.ends is None else date_text(pool.ends)


def meter_name(price: Price) -> str:
    """Return what a price is measured by."""
    return "" if price.meter is None else price.meter.name


def pool_facts(
    pool: UsagePool, effect: PoolEffect | None, today: date, *, price_url: str = ""
) -> list[Fact]:
    """Return what is said of a pool to who sees it whole."""
    price = pool.price_on(today)
    currency = price.currency
    facts = [
        Fact(_("Price"), price.name, price_url),
        Fact(_("Meter"), meter_name(price)),
        Fact(_("First day"), date_text(pool.starts)),
        Fact(_("First day without it"), until_text(pool)),
    ]
    if effect is None or not effect.is_known:
        return [*facts, Fact(_("What it comes to"), _("This is too much to be reckoned here."))]
    subscriptions = {one.subscription_id for one in effect.members}
    facts += [
        Fact(_("As used in"), period_text(effect.period.start, effect.period.end)),
        Fact(_("Used together"), quantity(effect.quantity)),
        *_tier(effect.price, effect.quantity),
        Fact(_("Together that costs"), money(effect.net_minor, currency)),
        Fact(_("Each alone that costs"), money(effect.alone_minor, currency)),
        Fact(_("Subscriptions in it"), quantity(len(subscriptions))),
    ]
    if effect.left_out:
        left_out = Fact(
            _("In another currency or at another interval, and not in it"),
            quantity(effect.left_out),
        )
        facts.append(left_out)
    return facts


def _tier(price: Price, used: Decimal) -> list[Fact]:
    """Return which tier of a price has been reached; nothing where it has none."""
    tiers = price.terms.tiers
    steps = price_of(price.terms, used).steps if tiers else ()
    reached = steps[-1].tier if steps else None
    if reached is None:
        return []
    place = tiers.index(reached)
    text = _("%(place)s of %(count)s: %(from)s, %(amount)s each") % {
        "place": quantity(place + 1),
        "count": quantity(len(tiers)),
        "from": _range(tiers[place - 1] if place else None, reached),
        "amount": unit_price(reached.unit_amount, price.currency),
    }
    return [Fact(_("Tier reached"), text)]


def _range(before: Tier | None, tier: Tier) -> str:
    below = None if before is None else before.up_to
    if tier.up_to is None:
        return _("above %(limit)s") % {"limit": quantity(below)} if below else _("any quantity")
    return _("up to %(limit)s") % {"limit": quantity(tier.up_to)}


def member_row(one: PoolMember, currency: str) -> MemberRow:
    """Return a member as a table shows it."""
    return MemberRow(
        account=one.account.name,
        subscription=one.subscription_external_id or public_id("sub", one.subscription_id),
        days=period_text(one.days.start, one.days.end),
        quantity=quantity(one.quantity),
        alone=money(one.alone_minor, currency),
        share=money(one.share_minor, currency),
    )


def others_row(others: PoolOthers | None, currency: str) -> list[MemberRow]:
    """Return those who are not named as one row, if there are any."""
    if others is None:
        return []
    return [
        MemberRow(
            account=_("Others"),
            subscription=quantity(others.count),
            days="",
            quantity=quantity(others.quantity),
            alone="",
            share=money(others.share_minor, currency),
        )
    ]


def not_shown(members: Sequence[PoolMember]) -> int:
    """Return how many members a page leaves out."""
    return max(0, len(members) - MOST_SHOWN)
