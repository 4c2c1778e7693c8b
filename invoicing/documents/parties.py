"""Who stands on a document: addresses as lines, and the seller's legal block."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from django.utils.translation import pgettext

from invoicing.documents.calculation import CONTEXT
from invoicing.documents.directions import isolated
from invoicing.documents.formats import Formats

# Where the postal code follows the town instead of leading it.
_CODE_LAST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US"})
_IBAN_GROUP = 4

Party: TypeAlias = Mapping[str, Any]


def legal_name(party: Party) -> str:
    """Return the name that a document names, the account's own where it has no other."""
    return _text(party, "legal_name") or _text(party, "name")


def has_trade_name(party: Party) -> bool:
    """Return whether people call a party by another name than the register does."""
    return _text(party, "name").casefold() not in {"", legal_name(party).casefold()}


def recipient_lines(bill_to: Party, seller: Party, formats: Formats) -> tuple[str, ...]:
    """Return the address field; the country is named only where the letter crosses a border.

    Source: DIN 5008; UPU S42 for the place of the postal code.
    """
    trade_name = _text(bill_to, "name") if has_trade_name(bill_to) else ""
    lines = _present(
        legal_name(bill_to),
        trade_name,
        _text(bill_to, "line1"),
        _text(bill_to, "line2"),
        _town(bill_to),
        country_abroad(bill_to, seller, formats),
    )
    return tuple(map(isolated, lines))


def country_abroad(party: Party, other: Party, formats: Formats) -> str:
    """Return the country of a party where the other's is not the same, else nothing."""
    country = _text(party, "country")
    return formats.country(country) if country and country != _text(other, "country") else ""


def sender_line(seller: Party, *, country: str = "") -> str:
    """Return the small line above the recipient: where an undelivered letter goes back to."""
    parts = (_text(seller, "name"), _text(seller, "line1"), _town(seller), country)
    return " · ".join(map(isolated, _present(*parts)))


def legal_block(
    seller: Party, *, country: str = "", with_bank: bool = True
) -> tuple[tuple[str, ...], ...]:
    """Return the columns of the foot: address, register, tax numbers, bank.

    ``country`` is named on a document that crosses a border. The bank is left out for a recipient
    who has nothing to pay.

    Source: § 35a GmbHG, § 80 AktG, § 125 HGB; § 14 (4) no. 2 UStG.
    """
    columns = (
        _present(
            _text(seller, "name"),
            _text(seller, "line1"),
            _text(seller, "line2"),
            _town(seller),
            country,
        ),
        _present(
            _text(seller, "register_entry"),
            _labelled(pgettext(CONTEXT, "Managing directors"), seller, "directors"),
            _text(seller, "email"),
        ),
        _present(
            _labelled(pgettext(CONTEXT, "VAT ID"), seller, "vat_id"),
            _labelled(pgettext(CONTEXT, "Tax number"), seller, "tax_number"),
        ),
        bank_lines(seller) if with_bank else (),
    )
    return tuple(column for column in columns if column)


def bank_lines(seller: Party) -> tuple[str, ...]:
    """Return the account that money is sent to, empty where the seller has named none."""
    if not _text(seller, "iban"):
        return ()
    bic = _text(seller, "bic")
    return _present(
        _text(seller, "bank_name"),
        f"IBAN\u00a0{iban_groups(seller)}",
        f"BIC\u00a0{bic}" if bic else "",
    )


def iban_groups(seller: Party) -> str:
    """Return the IBAN in groups of four that a line break does not part."""
    iban = "".join(_text(seller, "iban").split()).upper()
    groups = (iban[at : at + _IBAN_GROUP] for at in range(0, len(iban), _IBAN_GROUP))
    return "\u00a0".join(groups)


def _town(party: Party) -> str:
    code, city = _text(party, "postal_code"), _text(party, "city")
    if _text(party, "country") in _CODE_LAST:
        return " ".join(_present(city, _text(party, "region"), code))
    return " ".join(_present(code, city))


def _labelled(label: str, party: Party, name: str) -> str:
    value = _text(party, name)
    return f"{label}\u00a0{value}" if value else ""


def _text(party: Party, name: str) -> str:
    return str(party.get(name) or "").strip()


def _present(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
