"""What is there, as rows of files that their imports read back unchanged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import F, QuerySet

from accounts import access, tree
from accounts.access import Action
from billing_rules.money import plain_digits
from invoicing.models import Charge
from subscriptions.models import Discount, Price
from tenancy.actor import Actor
from tenancy.files.kinds import FileCells
from tenancy.files.references import name_of
from tenancy.ids import parse_public_id

_BATCH: Final = 2_000


def charge_file_rows(
    actor: Actor, *, within: UUID | None, today: date
) -> Iterator[Sequence[FileCells]]:
    """Yield what accounts were charged once, the first ones first.

    Two statements for each 2,000.

    Args:
        actor: who asks; sees those of accounts in reach.
        within: only those of this account and those below it.
        today: does not matter.
    """
    found = Charge.objects.filter(
        tenant_id=actor.tenant_id,
        kind=Charge.Kind.ONE_OFF,
        account__in=access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk"),
    )
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    for some in _batches(found.select_related("account", "subscription")):
        said = {one.calculation["price"]["id"] for one in some} - {None}
        keys = {parse_public_id("prc", text): text for text in said}
        prices = Price.objects.filter(tenant_id=actor.tenant_id, pk__in=list(keys))
        names = {keys[pk]: name for pk, name in prices.values_list("pk", "external_id")}
        yield [_charge_row(one, names) for one in some]


def _charge_row(charge: Charge, prices: dict[str, str | None]) -> FileCells:
    said = charge.calculation["price"]
    last_day = charge.period_end - timedelta(days=1)
    row = {
        "external_id": name_of("chg", charge.external_id, charge.pk),
        "account_external_id": name_of("acc", charge.account.external_id, charge.account_id),
        "first_day": charge.period_start.isoformat(),
        "last_day": last_day.isoformat() if last_day > charge.period_start else "",
        "description": said["name"],
        "quantity": plain_digits(Decimal(charge.calculation["quantity"])),
        "po_number": charge.po_number,
    }
    if charge.subscription is not None:
        one = charge.subscription
        row["subscription_external_id"] = name_of("sub", one.external_id, one.pk)
    if said["id"] is not None:
        return row | {"price_external_id": prices[said["id"]] or said["id"]}
    return row | {
        "unit": said["unit"],
        "unit_amount": plain_digits(Decimal(said["unit_amount"])),
        "currency": charge.currency,
        "tax_class": said["tax_class"],
    }


def _batches(found: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield rows in the order of their ids, which they were made in."""
    last, ordered = None, found.order_by("pk")
    while some := list((ordered if last is None else ordered.filter(pk__gt=last))[:_BATCH]):
        yield some
        last = some[-1].pk


def version_file_rows(
    actor: Actor, *, within: UUID | None, today: date
) -> Iterator[Sequence[FileCells]]:
    """Yield the versions of prices for everybody, but for the first of each; two statements.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere; the catalogue is the vendor's.
    """
    found = _versions(actor).filter(account=None)
    yield from ([_version_row(one) for one in some] for some in _batches(found))


def negotiated_file_rows(
    actor: Actor, *, within: UUID | None, today: date
) -> Iterator[Sequence[FileCells]]:
    """Yield the prices that are negotiated with accounts, those that are over too.

    One statement for each 2,000.

    Args:
        actor: who asks.
        within: only those of this account and those below it.
        today: does not matter.

    Raises:
        Forbidden: as of ``version_file_rows``.
    """
    found = _versions(actor).filter(account__isnull=False)
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    for some in _batches(found.select_related("first", "account")):
        yield [
            {
                "account_external_id": name_of("acc", one.account.external_id, one.account_id),
                "valid_until": "" if one.ends_on is None else one.ends_on.isoformat(),
                **_version_row(one),
            }
            for one in some
        ]


def _versions(actor: Actor) -> QuerySet[Price]:
    """Return all but the first versions that hold on any day."""
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Price.objects.filter(tenant_id=actor.tenant_id, first__isnull=False)
    return found.exclude(ends_on=F("valid_from")).select_related("first")


def _version_row(price: Price) -> dict[str, str]:
    first = price.first
    assert first is not None  # noqa: S101 - for the checker of types
    assert price.valid_from is not None  # noqa: S101
    return {
        "external_id": price.external_id or "",
        "price_external_id": name_of("prc", first.external_id, first.pk),
        "valid_from": price.valid_from.isoformat(),
        "name": price.name,
        "model": price.model,
        "unit": price.unit,
        "unit_amount": _number(price.unit_amount),
        "tiers": written_tiers(price.tiers),
        "package_size": _number(price.package_size),
        "setup_fee": _number(price.setup_fee) or "0",
        "minimum_amount": _number(price.minimum_amount) or "0",
        "tax_class": price.tax_class,
    }


def discount_file_rows(
    actor: Actor, *, within: UUID | None, today: date
) -> Iterator[Sequence[FileCells]]:
    """Yield the discounts that accounts give to all below them, those that are over too.

    One statement for each 2,000.

    Args:
        actor: who asks; sees those of accounts in reach.
        within: only those of this account and those below it.
        today: does not matter.
    """
    reached = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    found = Discount.objects.filter(tenant_id=actor.tenant_id, account__in=reached)
    found = found.exclude(ends__lte=F("starts"))
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    for some in _batches(found.select_related("account", "coupon")):
        yield [_discount_row(one) for one in some]


def _discount_row(discount: Discount) -> FileCells:
    account = discount.account
    assert account is not None  # noqa: S101 - these are the discounts of accounts
    row = {
        "account_external_id": name_of("acc", account.external_id, account.pk),
        "valid_from": discount.starts.isoformat(),
        "valid_until": "" if discount.ends is None else discount.ends.isoformat(),
    }
    if discount.coupon is not None:
        return row | {"coupon": discount.coupon.code}
    return row | {
        "name": discount.name,
        "percent": _number(discount.percent),
        "amount": _number(discount.amount),
        "currency": discount.currency,
        "reason": discount.reason,
    }


def _number(number: Decimal | None) -> str:
    return "" if number is None else plain_digits(number)


def written_tiers(stored: Iterable[Mapping[str, str | None]]) -> str:
    """Return tiers as a cell has them."""
    return "|".join(
        f"{tier['up_to'] or 'inf'}:{tier['unit_amount']}:{tier['flat_amount']}" for tier in stored
    )
