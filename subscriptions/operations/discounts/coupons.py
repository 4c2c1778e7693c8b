"""Coupons: making them, changing until when and how often they are redeemed, archiving them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from accounts.versions import require_version
from subscriptions.models import Coupon, Product
from subscriptions.operations.catalogue.adding import AlreadyAdded
from subscriptions.operations.discounts.checking import (
    InvalidCoupon,
    NewCoupon,
    code_key,
    require_coupon,
)
from subscriptions.queries.discounts import coupon_shown
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7

CHANGEABLE: Final = ("name", "redeem_from", "redeem_until", "max_redemptions", "max_per_root")
"""What may be changed of a coupon: never what it takes off, for how long, or of which products."""


class CouponCodeTaken(Conflict):
    """Two coupons of one code could not be told apart."""

    code = "coupon_code_taken"
    message = gettext_lazy("There is a coupon “%(code)s” already.")


def _unseen() -> None:
    """Ask nothing: the caller has not said what was seen."""


@operation
def create_coupon(
    actor: Actor, wanted: NewCoupon, *, key: UUID | None = None, today: date, now: datetime
) -> Coupon:
    """Make a coupon. What it takes off, and for how long, never changes.

    Args:
        actor: who makes it.
        wanted: the coupon.
        key: what the row is to be called, so that one form makes one.
        today: a currency that was withdrawn by then is refused.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        InvalidCoupon: it can't be.
        CouponCodeTaken: another coupon has its code, whatever its capitals.
        AlreadyAdded: there is one with this key.

    Source: docs/billing-rules.md, Discounts.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    if key is not None and Coupon.objects.filter(tenant_id=actor.tenant_id, pk=key).exists():
        raise AlreadyAdded
    require_coupon(wanted, today=today)
    _require_products(actor, wanted)
    coupon = Coupon(
        id=key or uuid7(),
        tenant_id=actor.tenant_id,
        code=wanted.code.strip(),
        code_key=code_key(wanted.code),
        name=wanted.name.strip(),
        percent=wanted.percent,
        amount=wanted.amount,
        currency=wanted.currency,
        duration=wanted.duration,
        periods=wanted.periods,
        products=list(dict.fromkeys(wanted.products)),
        redeem_from=wanted.redeem_from,
        redeem_until=wanted.redeem_until,
        max_redemptions=wanted.max_redemptions,
        max_per_root=wanted.max_per_root,
        created_at=now,
    )
    _require_free(actor, coupon)
    try:
        with transaction.atomic():
            coupon.save(force_insert=True)
    except IntegrityError:
        _require_free(actor, coupon)
        raise
    said = {"code": coupon.code, "name": coupon.name}
    record_event(actor, Happening("coupon.created", coupon.pk, after=said, data=said), now=now)
    return coupon


@operation
def edit_coupon(
    actor: Actor,
    coupon_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: str = "",
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Coupon:
    """Change how a coupon is called, until when and how often it is redeemed.

    What was redeemed stays as it was.

    Args:
        actor: who changes it.
        coupon_id: the coupon.
        changes: members of ``CHANGEABLE``; what is left out stays.
        version: of what was shown, ``version_of(coupon_shown(…))``; empty overwrites anyway.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such coupon.
        ChangedMeanwhile: it is not as shown any more.
        InvalidCoupon: it can't be.
    """
    coupon = _locked(actor, coupon_id, require_seen)
    stored = coupon_shown(coupon)
    after = {**stored, **{name: changes[name] for name in CHANGEABLE if name in changes}}
    after["name"] = str(after["name"]).strip()
    require_version(version, stored, after)
    changed = sorted(name for name in stored if stored[name] != after[name])
    if not changed:
        return coupon
    require_coupon(replace(_wanted_of(coupon), **after), today=None)
    for name in changed:
        setattr(coupon, name, after[name])
    coupon.save(update_fields=changed)
    happening = Happening(
        "coupon.updated",
        coupon.pk,
        before={name: _said(stored[name]) for name in changed},
        after={name: _said(after[name]) for name in changed},
        data={"code": coupon.code, "changed": changed},
    )
    record_event(actor, happening, now=now)
    return coupon


@operation
def archive_coupon(
    actor: Actor,
    coupon_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Coupon:
    """Let nobody redeem a coupon any more; what was redeemed goes on.

    Args:
        actor: who archives it.
        coupon_id: the coupon.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant since when it is archived.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such coupon.
    """
    return _put(actor, coupon_id, require_seen, "coupon.archived", now, now)


@operation
def reopen_coupon(
    actor: Actor,
    coupon_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Coupon:
    """Let an archived coupon be redeemed again.

    Args and Raises as of ``archive_coupon``.
    """
    return _put(actor, coupon_id, require_seen, "coupon.reopened", None, now)


def _put(
    actor: Actor,
    coupon_id: UUID,
    require_seen: Callable[[], object],
    action: str,
    since: datetime | None,
    now: datetime,
) -> Coupon:
    coupon = _locked(actor, coupon_id, require_seen)
    if (coupon.archived_at is None) == (since is None):
        return coupon
    coupon.archived_at = since
    coupon.save(update_fields=["archived_at"])
    happening = Happening(
        action,
        coupon.pk,
        before={"is_archived": since is None},
        after={"is_archived": since is not None},
        data={"code": coupon.code},
    )
    record_event(actor, happening, now=now)
    return coupon


def _locked(actor: Actor, coupon_id: UUID, require_seen: Callable[[], object]) -> Coupon:
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    found = Coupon.objects.select_for_update(of=("self",)).filter(tenant_id=actor.tenant_id)
    coupon = found.filter(pk=coupon_id).order_by("pk").first()
    if coupon is None:
        raise NotFound
    require_seen()
    return coupon


def _require_products(actor: Actor, wanted: NewCoupon) -> None:
    keys = set(wanted.products)
    known = Product.objects.filter(tenant_id=actor.tenant_id, pk__in=keys).count() if keys else 0
    if known < len(keys):
        detail = _("There is no such product.")
        raise InvalidCoupon(errors=[FieldError("not_found", detail, "/products")])


def _require_free(actor: Actor, coupon: Coupon) -> None:
    others = Coupon.objects.filter(tenant_id=actor.tenant_id, code_key=coupon.code_key)
    if others.exclude(pk=coupon.pk).exists():
        raise CouponCodeTaken(code=coupon.code)


def _wanted_of(coupon: Coupon) -> NewCoupon:
    return NewCoupon(
        code=coupon.code,
        name=coupon.name,
        percent=coupon.percent,
        amount=coupon.amount,
        currency=coupon.currency,
        duration=coupon.duration,
        periods=coupon.periods,
        products=coupon.products,
    )


def _said(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
