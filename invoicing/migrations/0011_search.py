"""Invoices are found by number, recipient, order number, customer number and product."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import migrations, models

from billing_rules.ordering import sort_key
from billing_rules.searching import search_key

AT_ONCE = 2_000
READ = """
    SELECT invoice.id, invoice.number, invoice.snapshot #>> '{bill_to,name}',
        invoice.snapshot #>> '{bill_to,external_id}', invoice.snapshot #>> '{bill_to,legal_name}',
        invoice.snapshot #>> '{bill_to,vat_id}', invoice.po_number,
        ARRAY(SELECT section.po_number FROM invoicing_invoicesection AS section
            WHERE section.tenant_id = invoice.tenant_id AND section.invoice_id = invoice.id
            UNION SELECT subscription.po_number FROM invoicing_invoiceline AS line
            JOIN subscriptions_subscription AS subscription
                ON subscription.tenant_id = line.tenant_id AND subscription.id = line.subscription_id
            WHERE line.tenant_id = invoice.tenant_id AND line.invoice_id = invoice.id
            ORDER BY 1),
        ARRAY(SELECT DISTINCT line.description FROM invoicing_invoiceline AS line
            WHERE line.tenant_id = invoice.tenant_id AND line.invoice_id = invoice.id
            ORDER BY line.description)
    FROM invoicing_invoice AS invoice WHERE invoice.id > %s ORDER BY invoice.id LIMIT %s
"""
WRITE = """
    UPDATE invoicing_invoice AS invoice
    SET recipient_key = new.recipient, search_names = new.names, search_facts = new.facts
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
        AS new (id, recipient, names, facts)
    WHERE invoice.id = new.id
"""
OPEN = """
    ALTER TABLE invoicing_invoice NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_invoicesection NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_invoiceline NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE subscriptions_subscription NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_invoice DISABLE TRIGGER keep_issued;
"""
CLOSE = """
    ALTER TABLE invoicing_invoice ENABLE TRIGGER keep_issued;
    ALTER TABLE invoicing_invoice FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_invoicesection FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_invoiceline FORCE ROW LEVEL SECURITY;
    ALTER TABLE subscriptions_subscription FORCE ROW LEVEL SECURITY;
"""


def _batches(cursor: Any) -> Iterator[list[Any]]:
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        cursor.execute(READ, [last, AT_ONCE])
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _keys(row: Any) -> list[Any]:
    invoice_id, number, name, *facts, orders, products = row
    return [
        invoice_id,
        sort_key(name or ""),
        search_key([number, name]),
        search_key([*facts, *orders, *products]),
    ]


def fill(_apps: Any, schema_editor: Any) -> None:
    """Fold what stands on the documents; what they say is not touched.

    Under forced row security the owner would see no row, and the trigger keeps issued documents.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OPEN)
        for rows in _batches(cursor):
            columns = zip(*map(_keys, rows), strict=True)
            cursor.execute(WRITE, list(map(list, columns)))
        cursor.execute(CLOSE)


def _text() -> Any:
    return models.TextField(blank=True, default="", db_default="")


class Migration(migrations.Migration):
    """Add the keys and fill them."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("invoicing", "0010_held_until")]
    operations: ClassVar[list[Any]] = [
        migrations.AddField(
            "invoice",
            "recipient_key",
            models.CharField(max_length=400, blank=True, default="", db_default=""),
        ),
        migrations.AddField("invoice", "search_names", _text()),
        migrations.AddField("invoice", "search_facts", _text()),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
