"""Rows of an invoice that is in no database, for tests of what documents say."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from invoicing.documents.content import Rows
from invoicing.models import Charge, Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from tenancy.ids import uuid7

TODAY = date(2026, 11, 23)
SELLER = {
    "name": "Fjordlicht Software GmbH",
    "line1": "Hafenstraße 12",
    "line2": "",
    "postal_code": "24103",
    "city": "Kiel",
    "country": "DE",
    "vat_id": "DE136695976",
    "tax_number": "20/123/45678",
    "register_entry": "Amtsgericht Kiel, HRB 4711",
    "directors": "Jana Petersen",
    "email": "rechnung@fjordlicht.example",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "bank_name": "Förde Bank",
}
BILL_TO = {
    "id": "acc_1",
    "external_id": "C-20031",
    "name": "Brückner",
    "legal_name": "Brückner Systemhaus GmbH",
    "line1": "Industrieweg 8",
    "line2": "",
    "postal_code": "28195",
    "city": "Bremen",
    "region": "",
    "country": "DE",
    "vat_id": "DE811907980",
    "email": "",
}


def line_row(description="Desk", net_minor=7200, **values):
    """Return a line of December: 8 units at 9.00 unless said otherwise."""
    calculation = values.pop("calculation", {})
    return InvoiceLine(
        **{
            "description": description,
            "quantity": Decimal("8.000000"),
            "unit_amount": Decimal("9.00000000"),
            "period_start": date(2026, 12, 1),
            "period_end": date(2027, 1, 1),
            "net_minor": net_minor,
            "tax_category": "S",
            "tax_rate": Decimal("19.000"),
            "charge": Charge(calculation=calculation),
            **values,
        }
    )


def lineage_of(path, numbers=None):
    """Return the accounts of a path: those of one number, or else one path, are the same."""
    names = numbers or ["/".join(path[: level + 1]) for level in range(len(path))]
    found = numbers or [None] * len(path)
    return [{"id": f"acc_{name}", "number": of} for name, of in zip(names, found, strict=True)]


def rows(sections=None, *, taxes=None, snapshot=None, numbers=None, **values):
    """Return an issued German invoice; ``sections`` are pairs of a path and its lines.

    ``numbers`` are the customer numbers of the accounts of each path.
    """
    sections = sections or [([], [line_row()])]
    section_rows, line_rows = [], []
    for place, (path, lines) in enumerate(sections, 1):
        section = InvoiceSection(
            id=uuid7(),
            position=place,
            path=path,
            lineage=lineage_of(path, numbers[place - 1] if numbers else None),
            net_minor=sum(line.net_minor for line in lines),
        )
        section_rows.append(section)
        for line in lines:
            line.section_id = section.id
            line_rows.append(line)
    net_minor = sum(line.net_minor for line in line_rows)
    taxes = taxes or [("S", "19", net_minor, round(net_minor * 19 / 100))]
    tax_minor = sum(tax[3] for tax in taxes)
    invoice = Invoice(
        **{
            "id": UUID(int=7),
            "status": "open",
            "number": "RE-2026-000042",
            "issue_date": date(2026, 12, 1),
            "due_date": date(2026, 12, 15),
            "period_start": date(2026, 12, 1),
            "period_end": date(2027, 1, 1),
            "currency": "EUR",
            "payment_terms_days": 14,
            "collection": "send",
            "language": "de",
            "net_minor": net_minor,
            "tax_minor": tax_minor,
            "gross_minor": net_minor + tax_minor,
            "line_count": len(line_rows),
            "section_count": len(section_rows),
            "created_at": datetime(2026, 12, 1, tzinfo=UTC),
            "snapshot": {
                "seller": SELLER,
                "bill_to": BILL_TO,
                "payer": BILL_TO,
                "is_test": False,
                "tax_reason": "domestic",
                **(snapshot or {}),
            },
            **values,
        }
    )
    tax_rows = [
        InvoiceTax(category=category, rate=Decimal(rate), base_minor=base, tax_minor=tax)
        for category, rate, base, tax in taxes
    ]
    period = (invoice.period_start, invoice.period_end)
    is_one = all((line.period_start, line.period_end) == period for line in line_rows)
    return Rows(invoice, section_rows, line_rows, tax_rows, is_one)


def draft_rows(sections=None, **values):
    """Return the same as a draft."""
    unissued = {"status": "to_approve", "number": None, "issue_date": None, "due_date": None}
    return rows(sections, **{**unissued, **values})
