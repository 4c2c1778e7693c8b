"""How documents are settled, as the check of the books asks: by bookings, and by credit notes."""

# What is open and what is credited, told by the documents and by the ledger.
RECEIVABLES = """
    SELECT invoice.id, 'what is open of the document is not what is booked as receivable'
    FROM invoicing_invoice AS invoice LEFT JOIN (
        SELECT invoice_id, account_id, sum(amount_minor) AS amount
        FROM invoicing_ledgerposting
        WHERE tenant_id = %(tenant)s AND ledger = 'receivable'
        GROUP BY invoice_id, account_id
    ) AS booked ON booked.invoice_id = invoice.id AND booked.account_id = invoice.payer_id
    WHERE invoice.tenant_id = %(tenant)s AND invoice.number IS NOT NULL
    AND COALESCE(booked.amount, 0) <> CASE invoice.kind WHEN 'invoice'
        THEN invoice.gross_minor - invoice.paid_minor - invoice.credited_minor ELSE 0 END
    UNION ALL
    SELECT payer_id, 'receivables and credits of the ledger are not those of the documents'
    FROM (
        SELECT payer_id, currency, sum(CASE kind WHEN 'invoice'
                THEN gross_minor - paid_minor - credited_minor ELSE 0 END) AS open,
            sum(credited_minor - corrected_minor) AS credit
        FROM invoicing_invoice WHERE tenant_id = %(tenant)s AND number IS NOT NULL
        GROUP BY payer_id, currency
    ) AS invoices FULL JOIN (
        SELECT account_id AS payer_id, currency,
            COALESCE(sum(amount_minor) FILTER (WHERE ledger = 'receivable'), 0) AS open,
            COALESCE(sum(amount_minor) FILTER (WHERE ledger = 'customer_credit'), 0) AS credit
        FROM invoicing_ledgerposting AS posting
        JOIN invoicing_ledgerentry AS entry
            ON entry.tenant_id = posting.tenant_id AND entry.id = posting.entry_id
        WHERE posting.tenant_id = %(tenant)s AND account_id IS NOT NULL
        GROUP BY account_id, currency
    ) AS booked USING (payer_id, currency)
    WHERE (COALESCE(invoices.open, 0), COALESCE(invoices.credit, 0))
        <> (COALESCE(booked.open, 0), COALESCE(booked.credit, 0))
"""

# What credit notes took back of an invoice, and of each part of it, together.
CORRECTED = """
    WITH notes AS (
        SELECT id, corrects_id, bill_to_id, payer_id, seller_id, currency, regime, gross_minor
        FROM invoicing_invoice
        WHERE tenant_id = %(tenant)s AND kind = 'credit_note' AND number IS NOT NULL
    ), lines AS (
        SELECT line.corrects_id, line.section_id, line.invoice_id, line.net_minor, line.tax_minor,
            line.tax_category, line.tax_rate
        FROM notes JOIN invoicing_invoiceline AS line
            ON line.tenant_id = %(tenant)s AND line.invoice_id = notes.id
    )
    SELECT invoice.id, 'credit notes took back something else than the invoice says'
    FROM invoicing_invoice AS invoice LEFT JOIN (
        SELECT corrects_id, -sum(gross_minor) AS gross FROM notes GROUP BY corrects_id
    ) AS taken ON taken.corrects_id = invoice.id
    WHERE invoice.tenant_id = %(tenant)s AND invoice.kind = 'invoice' AND (
        invoice.corrected_minor <> COALESCE(taken.gross, 0)
        OR invoice.corrected_minor > invoice.gross_minor
        OR invoice.credited_minor NOT BETWEEN 0 AND invoice.corrected_minor)
    UNION ALL
    SELECT notes.id, 'a credit note of other parties, currency or tax than its invoice'
    FROM notes LEFT JOIN invoicing_invoice AS invoice
        ON invoice.tenant_id = %(tenant)s AND invoice.id = notes.corrects_id
        AND invoice.kind = 'invoice' AND invoice.number IS NOT NULL
    WHERE (notes.bill_to_id, notes.payer_id, notes.seller_id, notes.currency, notes.regime)
        IS DISTINCT FROM (invoice.bill_to_id, invoice.payer_id, invoice.seller_id,
            invoice.currency, invoice.regime)
    UNION ALL
    SELECT invoice.id, 'more is taken back of a tax group than there was'
    FROM (
        SELECT notes.corrects_id, tax.category, tax.rate, -sum(tax.base_minor) AS base,
            -sum(tax.tax_minor) AS tax
        FROM notes JOIN invoicing_invoicetax AS tax
            ON tax.tenant_id = %(tenant)s AND tax.invoice_id = notes.id
        GROUP BY notes.corrects_id, tax.category, tax.rate
    ) AS taken
    JOIN invoicing_invoice AS invoice
        ON invoice.tenant_id = %(tenant)s AND invoice.id = taken.corrects_id
    LEFT JOIN invoicing_invoicetax AS had
        ON had.tenant_id = %(tenant)s AND had.invoice_id = taken.corrects_id
        AND had.category = taken.category AND had.rate = taken.rate
    WHERE had.id IS NULL
        OR taken.base NOT BETWEEN LEAST(had.base_minor, 0) AND GREATEST(had.base_minor, 0)
        OR taken.tax NOT BETWEEN LEAST(had.tax_minor, 0) AND GREATEST(had.tax_minor, 0)
        OR taken.base = had.base_minor AND taken.tax <> had.tax_minor
    UNION ALL
    SELECT had.id, 'more is taken back of a line than it asked for, or at another tax'
    FROM (
        SELECT corrects_id, tax_category, tax_rate, -sum(net_minor) AS net
        FROM lines GROUP BY corrects_id, tax_category, tax_rate
    ) AS taken
    JOIN invoicing_invoiceline AS had
        ON had.tenant_id = %(tenant)s AND had.id = taken.corrects_id
    WHERE (had.tax_category, had.tax_rate) <> (taken.tax_category, taken.tax_rate)
        OR taken.net NOT BETWEEN LEAST(had.net_minor, 0) AND GREATEST(had.net_minor, 0)
    UNION ALL
    SELECT had.id, 'more is taken back of a section than it asked for'
    FROM (
        SELECT of_line.section_id, -sum(lines.net_minor) AS net, -sum(lines.tax_minor) AS tax
        FROM lines JOIN invoicing_invoiceline AS of_line
            ON of_line.tenant_id = %(tenant)s AND of_line.id = lines.corrects_id
        GROUP BY of_line.section_id
    ) AS taken
    JOIN invoicing_invoicesection AS had
        ON had.tenant_id = %(tenant)s AND had.id = taken.section_id
    WHERE taken.net NOT BETWEEN LEAST(had.net_minor, 0) AND GREATEST(had.net_minor, 0)
        OR taken.net + taken.tax NOT BETWEEN LEAST(had.gross_minor, 0)
            AND GREATEST(had.gross_minor, 0)
    UNION ALL
    SELECT section.id, 'the tax of a section of a credit note is not that of its lines'
    FROM (
        SELECT section_id, sum(tax_minor) AS tax FROM lines GROUP BY section_id
    ) AS told
    JOIN invoicing_invoicesection AS section
        ON section.tenant_id = %(tenant)s AND section.id = told.section_id
    WHERE section.tax_minor <> told.tax
"""
