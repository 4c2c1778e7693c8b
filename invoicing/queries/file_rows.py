"""What is there, as rows of files that their imports read back unchanged."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts import access, tree
from accounts.access import Action
from billing_rules.money import plain_digits
from invoicing.models import Charge
from subscriptions.models import Price
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
