"""The digest of a draft's content: equal where issuing would freeze the same."""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import orjson

from billing_rules.money import plain_digits
from invoicing.engine.rows import LineRow, SectionRow
from invoicing.models import Invoice, InvoiceTax

# What a document says and what collecting it needs. Not among it: keys, the run, when it was made.
_OF_INVOICE = (
    "seller_id", "bill_to_id", "payer_id", "service_owner_id", "period_start", "period_end",
    "currency", "payment_terms_days", "collection", "language", "po_number", "splits_by_po",
    "regime", "net_minor", "tax_minor", "gross_minor", "snapshot",
)  # fmt: skip
_OF_SECTION = (
    "position", "account_id", "path", "lineage", "cost_centre", "po_number", "net_minor",
    "tax_minor", "gross_minor",
)  # fmt: skip
_OF_LINE = (
    "position", "charge_id", "description", "quantity", "unit_amount", "period_start",
    "period_end", "net_minor", "tax_category", "tax_rate",
)  # fmt: skip
_OF_TAX = ("category", "rate", "base_minor", "tax_minor")


def content_hash(
    invoice: Invoice,
    sections: Sequence[SectionRow],
    lines: Sequence[LineRow],
    taxes: Sequence[InvoiceTax],
) -> str:
    """Return the digest of a draft that was just composed: 64 hexadecimal digits.

    Source: docs/billing-rules.md, R21, R28.
    """
    parts = [_values([invoice], _OF_INVOICE), _values(sections, _OF_SECTION)]
    parts += [_values(lines, _OF_LINE), _values(taxes, _OF_TAX)]
    text = orjson.dumps(parts, default=_plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def _values(rows: Iterable[object], names: Sequence[str]) -> list[tuple[object, ...]]:
    return [*map(attrgetter(*names), rows)]


def _plain(value: object) -> str:
    """Return a decimal in short: what the database pads with zeros is the same number."""
    if not isinstance(value, Decimal):
        return str(value)
    return _digits(value) if value else plain_digits(value)


# Equal numbers have the same digits, however many zeros each ends with; but 0 may have a sign.
_digits = lru_cache(maxsize=4_096)(plain_digits)
