"""A plan as somebody wants it, and whether it can be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.money import plain_digits
from subscriptions.models import Plan, Price
from subscriptions.models.limits import (
    MAX_ITEMS,
    MAX_TRIAL_DAYS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
    fits,
)
from subscriptions.operations.subscriptions.contracting import Contract, contract_faults, said_of
from tenancy.errors import FieldError, Invalid

_LONGEST_NAME = 200


class InvalidPlan(Invalid):
    """A plan that can't be sold as it is wanted; ``errors`` names each member."""

    code = "invalid_plan"
    message = gettext_lazy("This plan is not valid.")


@dataclass(frozen=True, slots=True)
class NewPlanItem:
    """A price of a plan as somebody wants it; bounds of None bind nobody."""

    price_id: UUID
    quantity: Decimal = Decimal(1)
    is_addon: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan as somebody wants it. ``contract`` has no ``term_start``: each start has its own."""

    name: str
    items: Sequence[NewPlanItem]
    external_id: str | None = None
    trial_days: int | None = None
    contract: Contract = Contract()  # noqa: RUF009 - it is frozen


def plan_as_wanted(plan: Plan) -> NewPlan:
    """Return a plan, of which the items have been read, as somebody would want it as it is."""
    items = sorted(plan.items.all(), key=lambda one: (one.position, one.pk))
    return NewPlan(
        name=plan.name,
        items=[
            NewPlanItem(one.price_id, one.quantity, one.is_addon, one.minimum, one.maximum)
            for one in items
        ],
        external_id=plan.external_id,
        trial_days=plan.trial_days,
        contract=Contract(
            plan.minimum_term_months, plan.renewal_months, plan.notice_months, plan.notice_days
        ),
    )


def plan_said(wanted: NewPlan) -> dict[str, Any]:
    """Return all of a plan in plain values: what the audit trail keeps, and a form is shown for."""
    return {
        "name": wanted.name.strip(),
        "external_id": wanted.external_id or None,
        "trial_days": wanted.trial_days,
        **said_of(wanted.contract),
        "items": [
            {
                "price": str(one.price_id),
                "quantity": plain_digits(one.quantity),
                "addon": one.is_addon,
                "minimum": None if one.minimum is None else plain_digits(one.minimum),
                "maximum": None if one.maximum is None else plain_digits(one.maximum),
            }
            for one in wanted.items
        ],
    }


def require_plan(wanted: NewPlan, prices: Mapping[UUID, Price]) -> None:
    """Return if a plan can be sold so.

    Args:
        wanted: the plan.
        prices: those of the tenant that it names, by key.

    Raises:
        InvalidPlan: it can't; all that is wrong is named.
    """
    if errors := [*_faults(wanted, prices)]:
        raise InvalidPlan(errors=errors)


def _faults(wanted: NewPlan, prices: Mapping[UUID, Price]) -> Iterator[FieldError]:
    if not 1 <= len(wanted.name.strip()) <= _LONGEST_NAME:
        detail = _("A name of 1 to 200 characters is expected.")
        yield FieldError("out_of_range", detail, "/name")
    if wanted.trial_days is not None and not 1 <= wanted.trial_days <= MAX_TRIAL_DAYS:
        yield FieldError("out_of_range", _("1 to 3650 days are expected."), "/trial_days")
    yield from contract_faults(wanted.contract, date.min)
    if not 1 <= len(wanted.items) <= MAX_ITEMS:
        yield FieldError("out_of_range", _("1 to 100 items are expected."), "/items")
    known: set[UUID] = set()
    based: dict[tuple[object, ...], bool] = {}
    for place, item in enumerate(wanted.items):
        at = f"/items/{place}"
        price = prices.get(item.price_id)
        if price is None:
            yield FieldError("unknown_price", _("There is no such price."), f"{at}/price")
        elif item.price_id in known:
            yield FieldError("named_twice", _("A plan has each price once."), f"{at}/price")
        else:
            known.add(item.price_id)
            variant = (price.currency, price.cycle)
            based[variant] = based.get(variant, False) or not item.is_addon
        yield from _quantity_faults(item, at)
    if based and not all(based.values()):
        detail = _("In each currency and for each interval one item is no add-on.")
        yield FieldError("only_addons", detail, "/items")


def _quantity_faults(item: NewPlanItem, at: str) -> Iterator[FieldError]:
    for name in ("quantity", "minimum", "maximum"):
        number = getattr(item, name)
        if number is not None and (
            not fits(number, QUANTITY_DIGITS, QUANTITY_DECIMALS) or number < 0
        ):
            detail = _(
                "A quantity of 0 or more is expected, with at most 12 digits before and 6 after"
                " the point."
            )
            yield FieldError("out_of_range", detail, f"{at}/{name}")
            return
    if fault := bounds_fault(item.quantity, item.minimum, item.maximum, f"{at}/quantity"):
        yield fault


def bounds_fault(
    quantity: Decimal, minimum: Decimal | None, maximum: Decimal | None, at: str
) -> FieldError | None:
    """Return what is wrong with a quantity between two bounds, None where nothing is."""
    if minimum is not None and quantity < minimum:
        detail = _("At least %(least)s is expected.") % {"least": f"{minimum.normalize():f}"}
        return FieldError("below_minimum", detail, at)
    if maximum is not None and quantity > maximum:
        detail = _("At most %(most)s is expected.") % {"most": f"{maximum.normalize():f}"}
        return FieldError("above_maximum", detail, at)
    return None
