"""What the imports of this app share."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from billing_rules.money import plain_digits
from billing_rules.pricing import Tier
from subscriptions.models.limits import (
    MAX_TIERS,
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from tenancy.files import CellRefused, FileRow, Problems


def refuse_difference(row: FileRow, column: str = "external_id") -> None:
    """Note that what exists under this external id says something else."""
    row.refuse(
        column,
        "already_exists_different",
        _("This external id exists already, with other values."),
    )


def warn_of_currency(
    row: FileRow, column: str, expected: str | None, sold_in: str, warned: Problems
) -> None:
    """Say of a price in another currency than its account's that its own decides."""
    if expected and expected != sold_in:
        warned.add(
            row.number,
            column,
            "other_currency",
            _(
                "The price is in %(currency)s, the account's currency is %(expected)s."
                " It is invoiced in %(currency)s."
            )
            % {"currency": sold_in, "expected": expected},
        )


def stored_tiers(row: FileRow) -> list[dict[str, str | None]]:
    """Return the tiers as they are stored: decimals as text, None for the end of the last."""
    text = row.cells.get("tiers", "")
    tiers: list[dict[str, str | None]] = []
    for part in text.split("|") if text else ():
        fields = part.split(":")
        if len(fields) != 3 or len(tiers) >= MAX_TIERS:
            row.refuse(
                "tiers", "malformed_tiers", _("A tier is written up_to:unit_amount:flat_amount.")
            )
            return []
        up_to, unit_amount, flat_amount = (field.strip() for field in fields)
        try:
            tiers.append(
                {
                    "up_to": None
                    if up_to == "inf"
                    else plain_digits(row.read_number(up_to, QUANTITY_DIGITS, QUANTITY_DECIMALS)),
                    "unit_amount": plain_digits(
                        row.read_number(unit_amount, PRICE_DIGITS, PRICE_DECIMALS)
                    ),
                    "flat_amount": plain_digits(
                        row.read_number(flat_amount, PRICE_DIGITS, PRICE_DECIMALS)
                    ),
                }
            )
        except CellRefused as refused:
            row.refuse("tiers", refused.code, refused.detail)
            return []
    return tiers


def tiers_of(stored: Iterable[Mapping[str, str | None]]) -> tuple[Tier, ...]:
    """Return stored tiers as the rules take them."""
    return tuple(
        Tier(
            None if tier["up_to"] is None else Decimal(tier["up_to"]),
            Decimal(tier["unit_amount"] or 0),
            Decimal(tier["flat_amount"] or 0),
        )
        for tier in stored
    )
