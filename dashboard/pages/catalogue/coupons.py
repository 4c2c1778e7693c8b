"""Coupons: codes for discounts, and who redeemed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.catalogue.prices import tabs_of
from subscriptions.models import Coupon, Discount, Product
from subscriptions.queries.discounts import (
    coupons,
    get_coupon,
    reaches,
    redeemed_counts,
    redemptions,
)
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.queries import paging
from web.accounts import account_url
from web.badges import Badge
from web.discounts import duration_in_words, off_in_words
from web.page_heads import Crumb, Fact
from web.session_checks import staff_only
from web.tables import Column, Kind, Link, Table
from web.templatetags.figures import quantity
from web.timeline import timeline_of


@dataclass(frozen=True, slots=True)
class CouponRow:
    """One coupon and how often it was redeemed."""

    coupon: Coupon
    count: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """Who redeemed a coupon, when, and until when it holds there."""

    title: str
    url: str
    account: str
    by: str
    on: str
    since: str
    until: str
    items: int


def _code(row: CouponRow) -> Link:
    url = reverse("catalogue:coupon", args=[row.coupon.public_id])
    archived = "" if row.coupon.archived_at is None else _("Archived")
    return Link(row.coupon.code, url, archived)


def _used(row: CouponRow) -> str:
    if row.coupon.max_redemptions is None:
        return quantity(row.count)
    return _("%(count)s of %(most)s") % {
        "count": quantity(row.count),
        "most": quantity(row.coupon.max_redemptions),
    }


TABLE: Final[Table[CouponRow]] = Table(
    name="coupons",
    title=gettext_lazy("Coupons"),
    default_sort="code",
    columns=(
        Column("code", gettext_lazy("Code"), Kind.LINK, _code, sort="code_key"),
        Column("name", gettext_lazy("Name"), Kind.TEXT, lambda row: row.coupon.name, sort="name"),
        Column("off", gettext_lazy("Off"), Kind.TEXT, lambda row: off_in_words(row.coupon)),
        Column(
            "duration",
            gettext_lazy("How long"),
            Kind.TEXT,
            lambda row: duration_in_words(row.coupon),
        ),
        Column(
            "until",
            gettext_lazy("Redeemed until"),
            Kind.DATE,
            lambda row: row.coupon.redeem_until,
            sort="redeem_until",
        ),
        Column("used", gettext_lazy("Redeemed"), Kind.TEXT, _used),
    ),
)


@require_safe
@staff_only
def coupon_list(request: ActorRequest) -> HttpResponseBase:
    """Show all coupons, page by page. Three statements beside those of the frame."""
    actor = request.actor
    state = TABLE.state(request.GET, request.COOKIES)
    page = paging.page_of(
        coupons(actor), TABLE.order(state), after=state.after, before=state.before
    )
    counts = redeemed_counts(actor, [one.pk for one in page.rows]) if page.rows else {}
    rows = [CouponRow(one, counts.get(one.pk, 0)) for one in page.rows]
    context = {
        "table": TABLE.shown(rows, state, {}, ""),
        "page": page,
        "tabs": tabs_of("coupons"),
        "is_empty": not page.rows,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/coupons.html", context)


@require_safe
@staff_only
def coupon_page(request: ActorRequest, coupon_id: str) -> HttpResponse:
    """Show a coupon with its redemptions. Six statements beside those of the frame."""
    actor = request.actor
    coupon = get_coupon(actor, coupon_id)
    page = paging.page_of(
        redemptions(actor, coupon),
        paging.Order("created_at", is_falling=True),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    count = redeemed_counts(actor, [coupon.pk]).get(coupon.pk, 0)
    is_archived = coupon.archived_at is not None
    context = {
        "title": coupon.code,
        "coupon": coupon,
        "badges": [Badge(_("Archived"))] if is_archived else [],
        "put_url": reverse(
            f"catalogue:{'reopen' if is_archived else 'archive'}_coupon", args=[coupon.public_id]
        ),
        "steps": [
            Crumb(_("Product catalogue"), reverse("catalogue:list")),
            Crumb(_("Coupons"), reverse("catalogue:coupons")),
            Crumb(coupon.code),
        ],
        "rows": _redemptions(actor, page.rows),
        "page": page,
        "facts": _facts(actor, coupon, count),
        "timeline": timeline_of(actor, coupon.pk),
        "time_zone": request.tenant.time_zone,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_CATALOGUE),
    }
    return render(request, "catalogue/coupon.html", context)


def _redemptions(actor: Actor, found: Sequence[Discount]) -> list[Redemption]:
    reached = reaches(actor, [one.pk for one in found]) if found else {}
    rows = []
    for one in found:
        if one.subscription is not None:
            owner = one.subscription.account
            url = reverse("subscriptions:page", args=[one.subscription.public_id])
            title = _("Subscription of %(name)s") % {"name": owner.name}
        else:
            assert one.account is not None  # noqa: S101 - it is of one or the other
            owner, url = one.account, account_url(one.account.pk)
            title = _("%(name)s and all below") % {"name": owner.name}
        reach = reached.get(one.pk)
        ends = one.ends or (reach.ends if reach else None)
        rows.append(
            Redemption(
                title=title,
                url=url,
                account=owner.name,
                by=one.given_by,
                on=date_text(one.created_at.date()),
                since=date_text(one.starts),
                until=date_text(ends) if ends else _("open"),
                items=reach.items if reach else 0,
            )
        )
    return rows


def _facts(actor: Actor, coupon: Coupon, count: int) -> list[Fact]:
    names = ""
    if coupon.products:
        found = Product.objects.filter(tenant_id=actor.tenant_id, pk__in=coupon.products)
        names = ", ".join(found.order_by("name").values_list("name", flat=True)[:20])
    facts = [
        Fact(_("Name"), coupon.name),
        Fact(_("Off"), off_in_words(coupon)),
        Fact(_("How long"), duration_in_words(coupon)),
        Fact(_("Products"), names or _("all")),
        Fact(_("Redeemed"), _used(CouponRow(coupon, count))),
    ]
    optional = [
        (_("Redeemed from"), coupon.redeem_from and date_text(coupon.redeem_from)),
        (_("Redeemed until"), coupon.redeem_until and date_text(coupon.redeem_until)),
        (_("By one customer"), coupon.max_per_root and quantity(coupon.max_per_root)),
    ]
    return [*facts, *(Fact(label, value) for label, value in optional if value)]
