"""Coupons and discounts in words, the same on every page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_rules.discounts import Duration
from subscriptions.models import Coupon, Discount
from subscriptions.queries.discounts import Reach
from tenancy.formats import date_text
from web.accounts import account_url
from web.badges import Badge
from web.templatetags.figures import percent, unit_price


@dataclass(frozen=True, slots=True)
class DiscountRow:
    """A discount of a subscription or of an account, in words."""

    name: str
    off: str
    coupon: str
    coupon_url: str
    account: str
    account_url: str
    since: str
    until: str
    items: int
    given_by: str
    given_on: date
    reason: str
    badge: Badge
    end_url: str


def off_in_words(one: Coupon | Discount) -> str:
    """Return what is taken off: a share, or an amount."""
    if one.percent is not None:
        return percent(one.percent)
    return unit_price(one.amount, one.currency) if one.amount is not None else ""


def duration_in_words(one: Coupon | Discount) -> str:
    """Return how long it is taken off."""
    if one.duration == Duration.PERIODS:
        count = one.periods or 1
        text = ngettext("for %(n)s period", "for %(n)s periods", count)
        return text % {"n": count}
    return _("once") if one.duration == Duration.ONCE else _("for ever")


def discount_rows(
    discounts: Sequence[Discount],
    reached: Mapping[UUID, Reach],
    today: date,
    *,
    end_url: Callable[[Discount], str] = lambda _one: "",
) -> list[DiscountRow]:
    """Return discounts in words, with who gives them where that is an account.

    Args:
        discounts: with their coupons and accounts.
        reached: how many items have them, and until when.
        today: the day.
        end_url: where one is ended, empty where it is not.
    """
    found = []
    for one in discounts:
        reach = reached.get(one.pk)
        ends = _ends(one, reach)
        state = _state(one, ends, today)
        found.append(
            DiscountRow(
                name=one.name,
                off=off_in_words(one),
                coupon="" if one.coupon is None else one.coupon.code,
                coupon_url=""
                if one.coupon is None
                else reverse("catalogue:coupon", args=[one.coupon.public_id]),
                account="" if one.account is None else one.account.name,
                account_url="" if one.account_id is None else account_url(one.account_id),
                since=date_text(one.starts),
                until=date_text(ends) if ends else _("open"),
                items=0 if reach is None else reach.items,
                given_by=one.given_by,
                given_on=one.created_at.date(),
                reason=one.reason,
                badge=state,
                end_url=end_url(one) if state.tone != "" else "",
            )
        )
    return found


def _ends(one: Discount, reach: Reach | None) -> date | None:
    days = [day for day in (one.ends, reach.ends if reach else None) if day is not None]
    return min(days, default=None)


def _state(one: Discount, ends: date | None, today: date) -> Badge:
    if ends is not None and ends <= max(today, one.starts):
        return Badge(_("Ended"))
    if one.starts > today:
        return Badge(_("Begins later"), "info")
    return Badge(_("In force"), "ok")
