"""The rows of files of versions of prices: what they say, and what is said of them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from billing_rules.pricing import Model
from billing_rules.tax import Category
from billing_rules.tax_rates import TaxClass
from invoicing.operations.charges.wanting import LONGEST_UNIT
from invoicing.queries.file_rows import written_tiers
from subscriptions.models import Price
from subscriptions.models.limits import (
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.operations.importing.rows import stored_tiers, tiers_of
from tenancy.errors import BillingError
from tenancy.files import FileRow

PRICE: Final = "price_external_id"
_PARTS: Final = ("model", "unit_amount", "tiers", "package_size")
"""What belongs together: one of them named, the others follow from the model."""
TERMS: Final = ("name", "unit", *_PARTS, "setup_fee", "minimum_amount", "tax_class")
COLUMN_OF: Final = {"ends_on": "valid_until", "tax_category": "tax_class"}
"""Where a member of a version has a column of another name."""
_COLUMN_OF_CODE: Final = {
    "price_versions_overlap": "valid_from",
    "price_version_followed": "valid_until",
    "price_version_ended": "valid_until",
}
"""Where a refusal as a whole stands; those that are not here stand at the price."""


def version_said(row: FileRow) -> dict[str, Any]:
    """Return what a row says of a version; an empty cell says nothing."""
    tiers = stored_tiers(row)
    found: dict[str, Any] = {
        "name": row.text("name"),
        "model": row.choice("model", [model.value for model in Model]),
        "unit": row.text("unit", longest=LONGEST_UNIT),
        "unit_amount": row.decimal("unit_amount", digits=PRICE_DIGITS, decimals=PRICE_DECIMALS),
        "tiers": tiers_of(tiers),
        "package_size": row.decimal(
            "package_size", digits=QUANTITY_DIGITS, decimals=QUANTITY_DECIMALS
        ),
        "setup_fee": row.decimal("setup_fee", digits=PRICE_DIGITS, decimals=PRICE_DECIMALS),
        "minimum_amount": row.decimal(
            "minimum_amount", digits=PRICE_DIGITS, decimals=PRICE_DECIMALS
        ),
        "tax_class": row.choice("tax_class", list(TaxClass)),
        "ends_on": row.day("valid_until"),
    }
    return {name: value for name, value in found.items() if value not in (None, "", ())}


def model_of(versions: Sequence[Price], owner_id: UUID | None) -> Price:
    """Return the version whose terms hold where a row says nothing."""
    standing = [one for one in versions if not one.is_withdrawn]
    same = [one for one in standing if one.account_id == owner_id]
    return (same or standing)[-1]


def changes_of(cells: Mapping[str, Any], model: Price) -> dict[str, Any]:
    """Return members of ``NewPrice`` that cells name, and what follows from another model."""
    changes = dict(cells)
    if changes.get("model", model.model) != model.model:
        changes = {"unit_amount": None, "tiers": (), "package_size": None, **changes}
    if "tax_class" in changes:
        is_zero = changes["tax_class"] == TaxClass.ZERO
        changes["tax_category"] = Category.Z.value if is_zero else Category.S.value
    return changes


def plain_member(price: Price, name: str) -> Any:
    """Return a member of a stored version as a row would say it."""
    if name == "tiers":
        return price.terms.tiers
    if name in ("setup_fee", "minimum_amount"):
        return getattr(price, name) or Decimal(0)
    return getattr(price, name)


def shown_member(price: Price, name: str) -> Any:
    """Return a member of a version as the dry run lists it."""
    value = getattr(price, name)
    if name == "tiers":
        return written_tiers(value) or None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value or None


def refuse_version(row: FileRow, refusal: BillingError) -> None:
    """Note why a version can't be, each at its cell."""
    for error in refusal.errors:
        member = error.pointer.removeprefix("/")
        row.refuse(COLUMN_OF.get(member, member), error.code, error.detail)
    if not refusal.errors:
        row.refuse(_COLUMN_OF_CODE.get(refusal.code, PRICE), refusal.code, refusal.detail)
