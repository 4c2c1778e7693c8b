"""The catalogue: adding products and prices, changing them, selling them no longer."""

from subscriptions.operations.catalogue.adding import (
    AlreadyAdded,
    ProductArchived,
    create_price,
    create_product,
)
from subscriptions.operations.catalogue.archiving import (
    archive_meter,
    archive_price,
    archive_product,
    hold_prices,
    reopen_meter,
    reopen_price,
    reopen_product,
    sale_fault,
)
from subscriptions.operations.catalogue.checking import InvalidPrice, InvalidProduct, NewPrice
from subscriptions.operations.catalogue.editing import PriceUsed, edit_price, edit_product
from subscriptions.operations.catalogue.meters import (
    InvalidMeter,
    create_meter,
    edit_meter,
    require_meter,
)
from subscriptions.operations.catalogue.naming import ExternalIdTaken, ProductNameTaken
from subscriptions.operations.catalogue.versions import (
    NewVersion,
    PriceChangeUnderWay,
    PriceVersionsOverlap,
    exact_fault,
    hold_price,
    planned_end,
    planned_version,
    store_end,
    store_version,
)

__all__ = [
    "AlreadyAdded",
    "ExternalIdTaken",
    "InvalidMeter",
    "InvalidPrice",
    "InvalidProduct",
    "NewPrice",
    "NewVersion",
    "PriceChangeUnderWay",
    "PriceUsed",
    "PriceVersionsOverlap",
    "ProductArchived",
    "ProductNameTaken",
    "archive_meter",
    "archive_price",
    "archive_product",
    "create_meter",
    "create_price",
    "create_product",
    "edit_meter",
    "edit_price",
    "edit_product",
    "exact_fault",
    "hold_price",
    "hold_prices",
    "planned_end",
    "planned_version",
    "reopen_meter",
    "reopen_price",
    "reopen_product",
    "require_meter",
    "sale_fault",
    "store_end",
    "store_version",
]
