"""Importing prices and the products they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import SettingInterval, SettingName, TaxRate
from accounts.operations.importing import ImportReport, one_at_a_time
from accounts.queries.dated import holding_on
from billing_rules.money import withdrawal
from billing_rules.periods import Unit
from billing_rules.pricing import InvalidTerms, Model, PriceTerms
from billing_rules.tax import Category
from billing_rules.tax_rates import Rate, TaxClass, class_of_percent
from subscriptions.models import Meter, Price, Product
from subscriptions.models.limits import (
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
)
from subscriptions.operations.catalogue import ProductArchived
from subscriptions.operations.catalogue.checking import (
    METERED_BY_QUANTITY,
    METERED_IN_ARREARS,
    MINIMUM_OF_FLAT,
)
from subscriptions.operations.importing.columns import PRICE_COLUMNS
from subscriptions.operations.importing.rows import refuse_difference, stored_tiers, tiers_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events import Happening, record_events
from tenancy.files import FileRow, RowFile, Source
from tenancy.files.reports import all_or_nothing
from tenancy.formats import date_text

# Where a value comes from a column of another name.
_COLUMN_OF = {"tax_class": "tax_rate", "tax_category": "tax_rate", "meter_id": "meter"}
# Where the rules find fault with the terms as a whole, the column that is to blame.
_COLUMN_OF_FAULT = {"tiers": "tiers", "last": "tiers", "package": "package_size"}


@dataclass(frozen=True, slots=True)
class _PriceLine:
    key: str
    product: str
    values: dict[str, Any]


@operation
def import_prices(
    actor: Actor, content: Source, *, is_dry_run: bool, today: date, now: datetime
) -> ImportReport:
    """Create the prices of a file, and the products they belong to.

    A price never changes: a row whose ``external_id`` exists must say the same.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        today: the day on which the file's tax percentages and currencies are looked up.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.

    Source: docs/data-formats.md; docs/billing-rules.md, R14, R19.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    file = RowFile(content, PRICE_COLUMNS)
    one_at_a_time(actor)
    rates, created = _rates(actor, today), 0
    with all_or_nothing(file):
        for rows in file.slices():
            new = _new_prices(actor, rows, rates, today)
            created += len(new)
            if new and not is_dry_run and not file.problems.count:
                _create_prices(actor, new, now)
    return ImportReport.of("prices", file, is_dry_run=is_dry_run, created=created)


def _new_prices(
    actor: Actor, rows: Sequence[FileRow], rates: Sequence[Rate], today: date
) -> list[_PriceLine]:
    """Check some rows, and return those that are not there yet."""
    stored = {
        price.external_id: price
        for price in Price.objects.filter(
            tenant_id=actor.tenant_id,
            external_id__in={row.cells["external_id"] for row in rows if not row.is_again},
        ).select_related("product")
    }
    archived = _archived_products(actor, rows)
    meters = _meters(actor, rows)
    new = []
    for row in rows:
        line = _understand_price(row, rates, meters, today)
        price = stored.get(line.key)
        if price is None:
            _refuse_withdrawn(row, line, today)
            _refuse_archived_meter(row, meters)
            if line.product in archived:
                detail = ProductArchived.message % {"name": line.product}
                row.refuse("product", ProductArchived.code, detail)
            new.append(line)
        elif price.product.name != line.product or any(
            getattr(price, name) != value
            for name, value in line.values.items()
            # A column that is not there leaves alone what is stored (R29).
            if row.has(_COLUMN_OF.get(name, name))
        ):
            refuse_difference(row)
    return new


def _archived_products(actor: Actor, rows: Sequence[FileRow]) -> set[str]:
    """Return the names of products that get no new price; none is archived from here on."""
    named = Product.objects.filter(
        tenant_id=actor.tenant_id, name__in={row.cells.get("product", "") for row in rows}
    )
    held = named.select_for_update(no_key=True).order_by("pk")
    return {product.name for product in held if product.archived_at is not None}


def _meters(actor: Actor, rows: Sequence[FileRow]) -> dict[str, Meter]:
    """Return the meters that rows name; none of them changes from here on."""
    named = Meter.objects.filter(
        tenant_id=actor.tenant_id, external_id__in={row.cells.get("meter", "") for row in rows}
    )
    held = named.select_for_update(no_key=True).order_by("pk")
    return {meter.external_id: meter for meter in held}


def _refuse_archived_meter(row: FileRow, meters: Mapping[str, Meter]) -> None:
    """Refuse a new price by a meter that is archived; what exists may be said again."""
    meter = meters.get(row.cells.get("meter", ""))
    if meter is not None and meter.archived_at is not None:
        detail = _("This meter is archived; no new price is charged by it.")
        row.refuse("meter", "meter_archived", detail)


def _meter(row: FileRow, meters: Mapping[str, Meter], values: Mapping[str, Any]) -> UUID | None:
    """Return the meter that a row names, and note what cannot be charged by one."""
    key = row.text("meter")
    if not key:
        return None
    if key not in meters:
        row.refuse("meter", "unknown_meter", _("There is no such meter."))
        return None
    if values["timing"] == Price.Timing.ADVANCE:
        row.refuse("timing", "metered_in_arrears", str(METERED_IN_ARREARS))
    if values["model"] == Model.FLAT:
        row.refuse("model", "metered_by_quantity", str(METERED_BY_QUANTITY))
    return meters[key].pk


def _rates(actor: Actor, today: date) -> list[Rate]:
    """Return the rates that the tenant's default seller knows."""
    seller = SettingInterval.objects.filter(
        holding_on(actor, today), account=None, name=SettingName.SELLER
    ).values("seller_id")
    return [
        Rate(
            country="",
            tax_class=TaxClass(rate.tax_class),
            category=Category(rate.category),
            percent=rate.percent,
            valid_from=rate.valid_from,
            valid_to=rate.valid_to,
        )
        for rate in TaxRate.objects.filter(tenant_id=actor.tenant_id, seller_id__in=seller)
    ]


def _understand_price(
    row: FileRow, rates: Sequence[Rate], meters: Mapping[str, Meter], today: date
) -> _PriceLine:
    model = row.choice("model", [model.value for model in Model], needed=True)
    tax_class = _tax_class(row, rates, today)
    values: dict[str, Any] = {
        "name": row.required("name"),
        "model": model,
        "currency": row.currency("currency") if row.required("currency") else "",
        "unit": row.text("unit", longest=20),
        "unit_amount": row.decimal("unit_amount", digits=PRICE_DIGITS, decimals=PRICE_DECIMALS),
        "tiers": stored_tiers(row),
        "package_size": row.decimal(
            "package_size", digits=QUANTITY_DIGITS, decimals=QUANTITY_DECIMALS
        ),
        "setup_fee": _once_or_least(row, "setup_fee"),
        "minimum_amount": _once_or_least(row, "minimum_amount"),
        "interval": row.choice("interval", [unit.value for unit in Unit], needed=True),
        "interval_count": _interval_count(row),
        "timing": row.choice("timing", Price.Timing.values, needed=True),
        "tax_class": tax_class,
        "tax_category": Category.Z if tax_class == TaxClass.ZERO else Category.S,
    }
    values["meter_id"] = _meter(row, meters, values)
    if values["minimum_amount"] is not None and model == Model.FLAT:
        row.refuse("minimum_amount", "minimum_of_flat", str(MINIMUM_OF_FLAT))
    if model:
        _check_terms(row, values)
    return _PriceLine(row.required("external_id"), row.required("product"), values)


def _refuse_withdrawn(row: FileRow, line: _PriceLine, today: date) -> None:
    """Refuse a new price in a currency that has ended; what exists may be said again."""
    ended = withdrawal(line.values["currency"] or "", today)
    if ended is not None:
        row.refuse(
            "currency",
            "currency_withdrawn",
            _("%(currency)s was withdrawn on %(day)s. Use %(successor)s.")
            % {
                "currency": line.values["currency"],
                "day": date_text(ended.day),
                "successor": ended.successor,
            },
        )


def _once_or_least(row: FileRow, column: str) -> Decimal | None:
    """Return what is charged once at the start, or at least; None for nothing: 0 is nothing."""
    amount = row.decimal(column, digits=PRICE_DIGITS, decimals=PRICE_DECIMALS)
    if amount is not None and amount < 0:
        row.refuse(column, "amount_negative", _("No amount or quantity may be below 0."))
    return amount or None


def _interval_count(row: FileRow) -> int:
    count = row.integer("interval_count", 1, 1_200)
    return 1 if count is None else count


def _tax_class(row: FileRow, rates: Sequence[Rate], today: date) -> str:
    if not row.cells.get("tax_rate"):
        return TaxClass.STANDARD
    percent = row.decimal("tax_rate", digits=3, decimals=3)
    if percent is None:
        return ""
    found = class_of_percent(rates, percent, today)
    if found is None:
        known = sorted({rate.percent.normalize() for rate in rates if rate.is_valid_on(today)})
        row.refuse(
            "tax_rate",
            "unknown_tax_rate",
            _("The seller knows these rates: %(rates)s.")
            % {"rates": ", ".join(f"{rate:f}" for rate in known)},
        )
        return ""
    return found


def _check_terms(row: FileRow, values: dict[str, Any]) -> None:
    """Let the rules judge the terms as a whole, unless a part could not be read."""
    if any(
        row.cells.get(name) and values[name] in (None, [])
        for name in ("unit_amount", "tiers", "package_size")
    ):
        return
    tiers = tiers_of(values["tiers"])
    try:
        PriceTerms(Model(values["model"]), values["unit_amount"], tiers, values["package_size"])
    except InvalidTerms as fault:
        column = _COLUMN_OF_FAULT.get(fault.code.partition("_")[0], "unit_amount")
        row.refuse(column, fault.code, _("These terms do not fit the model “%(model)s”.") % values)


def _create_prices(actor: Actor, lines: Sequence[_PriceLine], now: datetime) -> None:
    names = {line.product for line in lines}
    products = {
        product.name: product
        for product in Product.objects.filter(tenant_id=actor.tenant_id, name__in=names)
    }
    missing = [
        Product(tenant_id=actor.tenant_id, name=name) for name in sorted(names - {*products})
    ]
    Product.objects.bulk_create(missing)
    products |= {product.name: product for product in missing}
    prices = [
        Price(
            tenant_id=actor.tenant_id,
            external_id=line.key,
            product=products[line.product],
            **line.values,
        )
        for line in lines
    ]
    Price.objects.bulk_create(prices, batch_size=2_000)
    record_events(
        actor,
        [
            Happening("price.created", price.id, after=said, data=said)
            for price in prices
            for said in [{"external_id": price.external_id}]
        ],
        now=now,
    )
