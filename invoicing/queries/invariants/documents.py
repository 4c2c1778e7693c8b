"""Documents: they add up, are numbered, booked, corrected, kept and filed."""

from invoicing.models import LedgerPosting
from invoicing.queries.invariants.invariant import (
    CHARGES,
    INVOICES,
    ISSUED_INVOICES,
    Invariant,
    counted,
)
from invoicing.queries.settled_in_sql import CORRECTED, RECEIVABLES

OF_FILES = "I8"
OTHER_FILE = "the stored file is not the one that was stored"
_LEDGERS = ", ".join(f"'{ledger}'" for ledger in LedgerPosting.Ledger.values)

OF_DOCUMENTS = (
    Invariant(
        "I4",
        INVOICES,
        """
        SELECT invoice.id, 'the sections do not add up to the document'
        FROM invoicing_invoice AS invoice LEFT JOIN (
            SELECT invoice_id, count(*) AS number, sum(net_minor) AS net, sum(tax_minor) AS tax
            FROM invoicing_invoicesection WHERE tenant_id = %(tenant)s GROUP BY invoice_id
        ) AS sections ON sections.invoice_id = invoice.id
        WHERE invoice.tenant_id = %(tenant)s AND (invoice.net_minor, invoice.tax_minor,
            invoice.section_count) IS DISTINCT FROM (sections.net, sections.tax, sections.number)
        UNION ALL
        SELECT section.id, 'the lines do not add up to the section'
        FROM invoicing_invoicesection AS section LEFT JOIN (
            SELECT section_id, sum(net_minor) AS net FROM invoicing_invoiceline
            WHERE tenant_id = %(tenant)s GROUP BY section_id
        ) AS lines ON lines.section_id = section.id
        WHERE section.tenant_id = %(tenant)s AND section.net_minor IS DISTINCT FROM lines.net
        """,
    ),
    Invariant(
        "I5",
        INVOICES,
        """
        SELECT invoice.id, 'lines, tax and total do not agree'
        FROM invoicing_invoice AS invoice LEFT JOIN (
            SELECT invoice_id, count(*) AS number, sum(net_minor) AS net
            FROM invoicing_invoiceline WHERE tenant_id = %(tenant)s GROUP BY invoice_id
        ) AS lines ON lines.invoice_id = invoice.id LEFT JOIN (
            SELECT invoice_id, sum(base_minor) AS base, sum(tax_minor) AS tax
            FROM invoicing_invoicetax WHERE tenant_id = %(tenant)s GROUP BY invoice_id
        ) AS taxes ON taxes.invoice_id = invoice.id
        WHERE invoice.tenant_id = %(tenant)s AND (
            (invoice.net_minor, invoice.line_count, invoice.net_minor, invoice.tax_minor)
                IS DISTINCT FROM (lines.net, lines.number, taxes.base, taxes.tax)
            OR invoice.gross_minor <> invoice.net_minor + invoice.tax_minor)
        UNION ALL
        -- A credit note takes back what its invoice has, which was rounded there (I22).
        SELECT invoice.id, 'tax is not base times rate' FROM invoicing_invoicetax AS tax
        JOIN invoicing_invoice AS invoice
            ON invoice.tenant_id = tax.tenant_id AND invoice.id = tax.invoice_id
        WHERE tax.tenant_id = %(tenant)s AND invoice.kind = 'invoice'
        AND tax.tax_minor <> round(tax.base_minor * tax.rate / 100)
        """,
    ),
    Invariant(
        "I6",
        ISSUED_INVOICES,
        """
        SELECT series.id, 'numbers of this series have a gap or a double'
        FROM invoicing_numberseries AS series LEFT JOIN (
            SELECT seller_id, kind, series_year, count(*) AS used, count(DISTINCT series_number)
                AS different, max(series_number) AS last, min(series_number) AS first
            FROM invoicing_invoice WHERE tenant_id = %(tenant)s AND number IS NOT NULL
            GROUP BY seller_id, kind, series_year
        ) AS found ON found.seller_id = series.seller_id AND found.kind = series.kind
            AND found.series_year = series.year
        WHERE series.tenant_id = %(tenant)s AND (series.last_number, series.last_number,
            series.last_number, 1) IS DISTINCT FROM (used, different, last, first)
        UNION ALL
        SELECT id, 'a later number has an earlier date' FROM (
            SELECT id, issue_date, lag(issue_date) OVER (
                PARTITION BY seller_id, kind, series_year ORDER BY series_number
            ) AS before FROM invoicing_invoice
            WHERE tenant_id = %(tenant)s AND number IS NOT NULL
        ) AS invoice WHERE issue_date < before
        UNION ALL
        SELECT id, 'an issued document of no series' FROM invoicing_invoice AS invoice
        WHERE tenant_id = %(tenant)s AND number IS NOT NULL AND NOT EXISTS (
            SELECT FROM invoicing_numberseries AS series WHERE series.tenant_id = %(tenant)s
            AND series.seller_id = invoice.seller_id AND series.kind = invoice.kind
            AND series.year = invoice.series_year)
        """,
    ),
    Invariant(
        "I7",
        CHARGES,
        """
        SELECT charge.id, 'a charge and its document disagree on whether it is invoiced'
        FROM invoicing_charge AS charge
        LEFT JOIN invoicing_invoiceline AS line
            ON line.tenant_id = charge.tenant_id AND line.charge_id = charge.id
        LEFT JOIN invoicing_invoice AS invoice
            ON invoice.tenant_id = line.tenant_id AND invoice.id = line.invoice_id
        WHERE charge.tenant_id = %(tenant)s AND (charge.status = 'invoiced')
            <> COALESCE(invoice.status <> 'to_approve', false)
        """,
    ),
    Invariant(
        OF_FILES,
        counted("invoicing_storeddocument"),
        f"""
        SELECT id, '{OTHER_FILE}' FROM invoicing_storeddocument
        WHERE tenant_id = %(tenant)s AND encode(sha256(content), 'hex') <> sha256
        """,  # noqa: S608
    ),
    Invariant(
        "I9",
        counted("invoicing_ledgerentry"),
        f"""
        SELECT entry_id, 'the entry does not balance' FROM invoicing_ledgerposting
        WHERE tenant_id = %(tenant)s GROUP BY entry_id HAVING sum(amount_minor) <> 0
        UNION ALL
        SELECT invoice.id, 'issued and not booked' FROM invoicing_invoice AS invoice
        WHERE invoice.tenant_id = %(tenant)s AND invoice.number IS NOT NULL AND NOT EXISTS (
            SELECT FROM invoicing_ledgerentry AS entry WHERE entry.tenant_id = %(tenant)s
            AND entry.source_id = invoice.id AND entry.kind = invoice.kind || '_issued'
            AND entry.currency = invoice.currency AND entry.booked_on = invoice.issue_date)
        UNION ALL
        SELECT posting.id, 'posted for a document in another currency'
        FROM invoicing_ledgerposting AS posting
        JOIN invoicing_ledgerentry AS entry
            ON entry.tenant_id = posting.tenant_id AND entry.id = posting.entry_id
        JOIN invoicing_invoice AS invoice
            ON invoice.tenant_id = posting.tenant_id AND invoice.id = posting.invoice_id
        WHERE posting.tenant_id = %(tenant)s AND entry.currency <> invoice.currency
        UNION ALL
        SELECT id, 'a ledger that nobody knows' FROM invoicing_ledgerposting
        WHERE tenant_id = %(tenant)s AND ledger NOT IN ({_LEDGERS})
        """,  # noqa: S608
    ),
    Invariant("I10", ISSUED_INVOICES, RECEIVABLES),
    Invariant(
        "I20",
        INVOICES,
        """
        SELECT id, 'payer or bill-to were not kept with the document' FROM invoicing_invoice
        WHERE tenant_id = %(tenant)s AND (snapshot->'payer'->>'name' IS NULL
            OR snapshot->'bill_to'->>'legal_name' IS NULL
            OR snapshot->'seller'->>'name' IS NULL)
        """,
    ),
    Invariant(
        "I21",
        INVOICES,
        """
        SELECT id, 'more is paid and credited than was asked for' FROM invoicing_invoice
        WHERE tenant_id = %(tenant)s AND (paid_minor < 0 OR credited_minor < 0
            OR paid_minor + credited_minor > GREATEST(gross_minor, 0))
        """,
    ),
    Invariant("I22", ISSUED_INVOICES, CORRECTED),
    Invariant(
        "I23",
        counted("invoicing_invoiceline"),
        """
        SELECT line.id, 'a line differs from its charge in amount, days or currency'
        FROM invoicing_invoiceline AS line
        JOIN invoicing_charge AS charge
            ON charge.tenant_id = line.tenant_id AND charge.id = line.charge_id
        JOIN invoicing_invoice AS invoice
            ON invoice.tenant_id = line.tenant_id AND invoice.id = line.invoice_id
        WHERE line.tenant_id = %(tenant)s AND (line.net_minor <> charge.net_minor
            OR line.period_start <> charge.period_start OR line.period_end <> charge.period_end
            OR invoice.currency <> charge.currency)
        """,
    ),
    Invariant(
        "I24",
        ISSUED_INVOICES,
        """
        SELECT invoice.id, 'issued without an entry in the audit trail'
        FROM invoicing_invoice AS invoice
        WHERE invoice.tenant_id = %(tenant)s AND invoice.number IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts_auditentry AS entry WHERE entry.tenant_id = %(tenant)s
            AND entry.object_id = invoice.id AND entry.action = invoice.kind || '.issued')
        """,
    ),
    Invariant(
        "files",
        ISSUED_INVOICES,
        """
        SELECT invoice.id, 'an issued document has neither a file nor a place in the queue'
        FROM invoicing_invoice AS invoice
        WHERE invoice.tenant_id = %(tenant)s AND invoice.number IS NOT NULL AND NOT EXISTS (
            SELECT FROM invoicing_storeddocument AS stored WHERE stored.tenant_id = %(tenant)s
            AND stored.invoice_id = invoice.id AND stored.kind = 'pdf')
        AND NOT EXISTS (
            SELECT FROM invoicing_documenttomake AS waiting WHERE waiting.tenant_id = %(tenant)s
            AND waiting.invoice_id = invoice.id)
        """,
    ),
)
