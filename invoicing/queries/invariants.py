"""The books' invariants in SQL: what must hold at any time, whatever happened."""

from dataclasses import dataclass

from billing_rules.money import CURRENCIES, exponent
from invoicing.models import LedgerPosting
from invoicing.queries.settled_in_sql import CORRECTED, RECEIVABLES

OF_FILES = "I8"
OTHER_FILE = "the stored file is not the one that was stored"
_ISSUED = "status <> 'to_approve'"


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must hold: how many objects it speaks of, and those that break it.

    Both statements filter by ``%(tenant)s``; the second yields an object and a sentence. It joins
    whole tables of the tenant, and asks nothing row by row.
    """

    name: str
    counted: str
    broken: str


def _exponent_in_sql() -> str:
    """Return the currency's number of decimals as SQL; two for all that are not named."""
    cases = " ".join(
        f"WHEN '{code}' THEN {exponent(code)}" for code in sorted(CURRENCIES) if exponent(code) != 2
    )
    return f"(CASE currency {cases} ELSE 2 END)"


def _counts(table: str, condition: str = "true") -> str:
    return f"SELECT count(*) FROM {table} WHERE tenant_id = %(tenant)s AND {condition}"  # noqa: S608


_LEDGERS = ", ".join(f"'{ledger}'" for ledger in LedgerPosting.Ledger.values)
_CHARGES = _counts("invoicing_charge")
_INVOICES = _counts("invoicing_invoice")
_ISSUED_INVOICES = _counts("invoicing_invoice", _ISSUED)

# The days of periods that are not charged, for their item is paused, absent or free then.
_UNCHARGED = """
    WITH terms AS (
        SELECT item_id, uncharged, until AS ends,
            lag(until) OVER (PARTITION BY item_id ORDER BY until) AS starts
        FROM subscriptions_earlierterms WHERE tenant_id = %(tenant)s
        UNION ALL
        SELECT id, uncharged, NULL, terms_since
        FROM subscriptions_item WHERE tenant_id = %(tenant)s AND uncharged > ''
    ), uncharged AS (
        SELECT period.id AS period_id,
            sum(LEAST(period.ends, subscription.end_date, terms.ends)
                - GREATEST(period.starts, terms.starts)) AS days
        FROM terms JOIN subscriptions_item AS item
            ON item.tenant_id = %(tenant)s AND item.id = terms.item_id
        JOIN subscriptions_subscription AS subscription
            ON subscription.tenant_id = %(tenant)s AND subscription.id = item.subscription_id
        JOIN subscriptions_period AS period
            ON period.tenant_id = %(tenant)s AND period.item_id = terms.item_id
            AND LEAST(period.ends, subscription.end_date, terms.ends)
                > GREATEST(period.starts, terms.starts)
        WHERE terms.uncharged > '' GROUP BY period.id
    )
"""

INVARIANTS = (
    Invariant(
        "I1",
        _CHARGES,
        """
        -- A period that was ended early is credited from its end on, and charged anew from there.
        SELECT id, 'an item is charged twice for the same days' FROM (
            SELECT charge.id, charge.period_start, lag(LEAST(charge.period_end, period.ends)) OVER (
                PARTITION BY charge.item_id, kind, revision ORDER BY charge.period_start
            ) AS before FROM invoicing_charge AS charge LEFT JOIN subscriptions_period AS period
                ON period.tenant_id = %(tenant)s AND period.id = charge.period_id
            WHERE charge.tenant_id = %(tenant)s AND charge.item_id IS NOT NULL AND kind <> 'setup'
        ) AS charge WHERE period_start < before
        """,
    ),
    Invariant(
        "I2",
        _counts("subscriptions_period"),
        """
        SELECT id, 'a gap or an overlap before this period' FROM (
            SELECT id, starts, lag(ends) OVER (PARTITION BY item_id ORDER BY starts) AS before
            FROM subscriptions_period WHERE tenant_id = %(tenant)s
        ) AS period WHERE starts <> before
        UNION ALL
        SELECT item.id, 'the chain does not end where its last period does'
        FROM subscriptions_item AS item LEFT JOIN (
            SELECT item_id, max(ends) AS ends FROM subscriptions_period
            WHERE tenant_id = %(tenant)s GROUP BY item_id
        ) AS chain ON chain.item_id = item.id
        WHERE item.tenant_id = %(tenant)s AND item.chain_end IS DISTINCT FROM chain.ends
        """,
    ),
    Invariant(
        "I3",
        _CHARGES,
        # What is put in is made of constants.
        f"""
        SELECT id, 'the amount is not price times days over full days' FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND kind = 'recurring' AND calculation->'taken_over' IS NULL
        AND net_minor <> round(
            (calculation->>'full_amount')::numeric * power(10::numeric, {_exponent_in_sql()})
            * (period_end - period_start) / (calculation->>'full_days')::int)
        UNION ALL
        SELECT id, 'the price of a full period is not the list price less the discount'
        FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND kind = 'recurring' AND calculation ? 'discount' AND (
            (calculation->>'full_amount')::numeric <> GREATEST(0,
                (calculation->'discount'->>'before')::numeric
                * (1 - COALESCE((calculation->'discount'->>'percent')::numeric, 0) / 100)
                - COALESCE((calculation->'discount'->>'amount')::numeric, 0)))
        UNION ALL
        SELECT id, 'the amount is not what was agreed' FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND kind IN ('one_off', 'setup') AND net_minor <> round(
            (calculation->>'full_amount')::numeric * power(10::numeric, {_exponent_in_sql()}))
        """,  # noqa: S608
    ),
    Invariant(
        "I4",
        _INVOICES,
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
        _INVOICES,
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
        _ISSUED_INVOICES,
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
        _CHARGES,
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
        _counts("invoicing_storeddocument"),
        f"""
        SELECT id, '{OTHER_FILE}' FROM invoicing_storeddocument
        WHERE tenant_id = %(tenant)s AND encode(sha256(content), 'hex') <> sha256
        """,  # noqa: S608
    ),
    Invariant(
        "I9",
        _counts("invoicing_ledgerentry"),
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
    Invariant("I10", _ISSUED_INVOICES, RECEIVABLES),
    Invariant(
        "I20",
        _INVOICES,
        """
        SELECT id, 'payer or bill-to were not kept with the document' FROM invoicing_invoice
        WHERE tenant_id = %(tenant)s AND (snapshot->'payer'->>'name' IS NULL
            OR snapshot->'bill_to'->>'legal_name' IS NULL
            OR snapshot->'seller'->>'name' IS NULL)
        """,
    ),
    Invariant(
        "I21",
        _INVOICES,
        """
        SELECT id, 'more is paid and credited than was asked for' FROM invoicing_invoice
        WHERE tenant_id = %(tenant)s AND (paid_minor < 0 OR credited_minor < 0
            OR paid_minor + credited_minor > GREATEST(gross_minor, 0))
        """,
    ),
    Invariant("I22", _ISSUED_INVOICES, CORRECTED),
    Invariant(
        "I23",
        _counts("invoicing_invoiceline"),
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
        _ISSUED_INVOICES,
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
        _ISSUED_INVOICES,
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
    Invariant(
        "charged",
        _counts("subscriptions_period"),
        f"""
        {_UNCHARGED}
        SELECT period.id, 'a period that fell due was never charged'
        FROM subscriptions_period AS period
        JOIN subscriptions_item AS item
            ON item.tenant_id = period.tenant_id AND item.id = period.item_id
        JOIN subscriptions_price AS price
            ON price.tenant_id = item.tenant_id AND price.id = item.price_id
        JOIN subscriptions_subscription AS subscription
            ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
            AND (subscription.end_date IS NULL OR subscription.end_date > period.starts)
        LEFT JOIN uncharged ON uncharged.period_id = period.id
        WHERE period.tenant_id = %(tenant)s
        AND COALESCE(uncharged.days, 0)
            < LEAST(period.ends, subscription.end_date) - period.starts
        AND (price.timing = 'advance' OR period.ends < item.chain_end
            OR item.next_action_date IS NULL)
        AND NOT EXISTS (
            SELECT FROM invoicing_charge AS charge WHERE charge.tenant_id = %(tenant)s
            AND charge.item_id = period.item_id AND charge.period_id = period.id
            AND charge.kind = 'recurring')
        """,  # noqa: S608 - what is put in is constant
    ),
    Invariant(
        "days",
        _counts("subscriptions_period"),
        f"""
        {_UNCHARGED}
        SELECT min(charge.period_id::text)::uuid, 'not each day of this period is charged once'
        FROM invoicing_charge AS charge
        JOIN subscriptions_period AS period
            ON period.tenant_id = charge.tenant_id AND period.id = charge.period_id
        JOIN subscriptions_item AS item
            ON item.tenant_id = period.tenant_id AND item.id = period.item_id
        JOIN subscriptions_subscription AS subscription
            ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
        LEFT JOIN uncharged ON uncharged.period_id = period.id
        WHERE charge.tenant_id = %(tenant)s
        GROUP BY charge.period_id HAVING
            sum((charge.period_end - charge.period_start)
                * CASE charge.kind WHEN 'credit' THEN -1 ELSE 1 END)
            <> min(GREATEST(0, LEAST(period.ends, subscription.end_date) - period.starts)
                - COALESCE(uncharged.days, 0))
        """,  # noqa: S608 - what is put in is constant
    ),
    Invariant(
        "credited",
        _counts("invoicing_charge", "kind = 'credit'"),
        """
        SELECT charge.id, 'more is taken back than was charged'
        FROM invoicing_charge AS charge JOIN (
            SELECT credited_id, sum(net_minor) AS net FROM invoicing_charge
            WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
        ) AS credits ON credits.credited_id = charge.id
        WHERE charge.tenant_id = %(tenant)s AND charge.net_minor + credits.net < 0
        UNION ALL
        SELECT credit.id, 'it is for another item, period or subscription than what it takes back'
        FROM invoicing_charge AS credit JOIN invoicing_charge AS charge
            ON charge.tenant_id = credit.tenant_id AND charge.id = credit.credited_id
        WHERE credit.tenant_id = %(tenant)s AND credit.kind = 'credit'
        AND (credit.item_id, credit.period_id, credit.subscription_id)
            IS DISTINCT FROM (charge.item_id, charge.period_id, charge.subscription_id)
        """,
    ),
    Invariant(
        "offset",
        _counts("invoicing_charge", "status = 'offset'"),
        """
        SELECT charge.id, 'it was taken back before invoicing, and stands on a document'
        FROM invoicing_charge AS charge JOIN invoicing_invoiceline AS line
            ON line.tenant_id = charge.tenant_id AND line.charge_id = charge.id
        WHERE charge.tenant_id = %(tenant)s AND charge.status = 'offset'
        UNION ALL
        SELECT root, 'what was taken back before invoicing is not a charge and all its credits'
        FROM (
            SELECT COALESCE(credited_id, id) AS root, net_minor, status,
                (period_end - period_start) * CASE kind WHEN 'credit' THEN -1 ELSE 1 END AS days,
                reason->'bill_to'->>'id' AS bill_to, reason->'payer'->>'id' AS payer
            FROM invoicing_charge WHERE tenant_id = %(tenant)s
            AND COALESCE(credited_id, id) IN (
                SELECT COALESCE(credited_id, id) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND status = 'offset')
        ) AS charge GROUP BY root
        HAVING bool_or(status <> 'offset') OR sum(net_minor) <> 0 OR sum(days) <> 0
            OR min(bill_to) <> max(bill_to) OR min(payer) <> max(payer)
        """,
    ),
    Invariant(
        "transferred",
        _counts("invoicing_charge", "revision > 0 AND calculation->'taken_over' IS NOT NULL"),
        """
        SELECT charge.id, 'what is credited is not what another is charged'
        FROM (
            SELECT id, item_id, revision, period_start, period_end, net_minor
            FROM invoicing_charge WHERE tenant_id = %(tenant)s AND kind = 'recurring'
            AND revision > 0 AND calculation->'taken_over' IS NOT NULL
        ) AS charge LEFT JOIN (
            SELECT id, item_id, revision, period_start, period_end, net_minor
            FROM invoicing_charge WHERE tenant_id = %(tenant)s AND bill_to_id IS NOT NULL
        ) AS credit USING (item_id, revision, period_start, period_end)
        WHERE charge.net_minor + credit.net_minor IS DISTINCT FROM 0
        """,
    ),
    Invariant(
        "used",
        _counts("subscriptions_usageday"),
        """
        SELECT COALESCE(known.id, found.id), 'a day and its events do not agree' FROM (
            SELECT min(id::text)::uuid AS id, subscription_id, meter_id, day, count(*) AS events,
                sum(quantity) AS total, max(quantity) AS highest, max(at) AS last_at
            FROM subscriptions_usageevent WHERE tenant_id = %(tenant)s
            GROUP BY subscription_id, meter_id, day
        ) AS found FULL JOIN (
            SELECT * FROM subscriptions_usageday WHERE tenant_id = %(tenant)s
        ) AS known USING (subscription_id, meter_id, day)
        WHERE (known.events, known.total, known.highest, known.last_at)
            IS DISTINCT FROM (found.events, found.total, found.highest, found.last_at)
        """,
    ),
    Invariant(
        "metered",
        _counts("invoicing_charge", "calculation ? 'usage'"),
        """
        WITH standing AS (
            SELECT charge.id, charge.item_id, charge.period_id, charge.subscription_id,
                charge.period_start, charge.period_end, meter.id AS meter_id, meter.aggregation,
                (charge.calculation->>'quantity')::numeric AS quantity
            FROM invoicing_charge AS charge JOIN subscriptions_meter AS meter
                ON meter.tenant_id = charge.tenant_id
                AND meter.external_id = charge.calculation->'usage'->'meter'->>'external_id'
            LEFT JOIN (
                SELECT credited_id, min(net_minor) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
            ) AS credits ON credits.credited_id = charge.id
            WHERE charge.tenant_id = %(tenant)s AND charge.kind = 'recurring'
            AND charge.calculation ? 'usage' AND credits.credited_id IS NULL
        ), measured AS (
            SELECT standing.id, COALESCE(CASE standing.aggregation
                WHEN 'sum' THEN sum(used.total) WHEN 'max' THEN max(used.highest)
                ELSE (array_agg(used.last_quantity ORDER BY used.last_at DESC,
                    used.last_event COLLATE "C" DESC))[1] END, 0) AS quantity
            FROM standing LEFT JOIN subscriptions_usageday AS used
                ON used.tenant_id = %(tenant)s AND used.subscription_id = standing.subscription_id
                AND used.meter_id = standing.meter_id AND used.day >= standing.period_start
                AND used.day < standing.period_end
            WHERE standing.aggregation <> 'unique_count'
            GROUP BY standing.id, standing.aggregation
            UNION ALL
            SELECT standing.id, count(DISTINCT met.unique_key) FROM standing
            LEFT JOIN subscriptions_usagekey AS met
                ON met.tenant_id = %(tenant)s AND met.subscription_id = standing.subscription_id
                AND met.meter_id = standing.meter_id AND met.day >= standing.period_start
                AND met.day < standing.period_end
            WHERE standing.aggregation = 'unique_count' GROUP BY standing.id
        )
        SELECT standing.id, 'what was used is not what is charged, and nothing is to make it good'
        FROM standing JOIN measured ON measured.id = standing.id
        LEFT JOIN subscriptions_lateusage AS late ON late.tenant_id = %(tenant)s
            AND late.item_id = standing.item_id AND late.period_id = standing.period_id
        WHERE standing.quantity <> measured.quantity AND late.id IS NULL
        """,
    ),
    Invariant(
        "committed",
        _counts("invoicing_charge", "kind = 'commitment'"),
        """
        WITH standing AS (
            SELECT charge.id, charge.item_id, charge.period_start, charge.period_end,
                charge.net_minor, (charge.calculation->'commitment'->>'least_minor')::bigint
                    AS least_minor
            FROM invoicing_charge AS charge
            LEFT JOIN (
                SELECT credited_id, min(net_minor) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
            ) AS credits ON credits.credited_id = charge.id
            WHERE charge.tenant_id = %(tenant)s AND charge.kind = 'commitment'
            AND credits.credited_id IS NULL
        ), used AS (
            SELECT standing.id, COALESCE(sum(charge.net_minor), 0) AS net_minor
            FROM standing LEFT JOIN invoicing_charge AS charge
                ON charge.tenant_id = %(tenant)s AND charge.item_id = standing.item_id
                AND charge.period_id IS NOT NULL AND NOT charge.calculation ? 'pool'
                AND charge.period_start >= standing.period_start
                AND charge.period_start < standing.period_end
            GROUP BY standing.id
        )
        SELECT standing.id, 'usage and what makes it up to the minimum do not add up to it'
        FROM standing JOIN used ON used.id = standing.id
        LEFT JOIN subscriptions_period AS period ON period.tenant_id = %(tenant)s
            AND period.item_id = standing.item_id AND period.starts = standing.period_start
        LEFT JOIN subscriptions_lateusage AS late ON late.tenant_id = %(tenant)s
            AND late.item_id = standing.item_id AND late.period_id = period.id
        WHERE standing.net_minor + used.net_minor <> standing.least_minor AND late.id IS NULL
        """,
    ),
    Invariant(
        "pooled",
        _counts("subscriptions_poolshare"),
        # Each charge says what the pool came to as it was made; the latest one says what holds.
        """
        WITH standing AS (
            SELECT charge.id, charge.item_id, charge.period_id,
                charge.calculation->'pool'->>'id' AS pool,
                charge.calculation->'pool'->'period'->>'start' AS starts,
                (charge.calculation->'pool'->>'share_minor')::bigint AS share_minor,
                (charge.calculation->>'quantity')::numeric AS used,
                (charge.calculation->'pool'->>'net_minor')::bigint AS net_minor,
                (charge.calculation->'pool'->>'quantity')::numeric AS quantity,
                (charge.calculation->'pool'->>'members')::int AS members
            FROM invoicing_charge AS charge
            LEFT JOIN (
                SELECT credited_id, min(net_minor) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
            ) AS credits ON credits.credited_id = charge.id
            WHERE charge.tenant_id = %(tenant)s AND charge.kind = 'recurring'
            AND charge.calculation ? 'pool' AND credits.credited_id IS NULL
        )
        SELECT found.id, 'the shares of a pool do not add up to what it has used and costs' FROM (
            SELECT (array_agg(standing.id ORDER BY standing.id DESC))[1] AS id,
                (array_agg(standing.net_minor ORDER BY standing.id DESC))[1] AS net_minor,
                (array_agg(standing.quantity ORDER BY standing.id DESC))[1] AS quantity,
                (array_agg(standing.members ORDER BY standing.id DESC))[1] AS members,
                count(*) AS charged, sum(standing.share_minor) AS shares, sum(used) AS used,
                bool_or(late.id IS NOT NULL) AS is_late
            FROM standing LEFT JOIN subscriptions_lateusage AS late
                ON late.tenant_id = %(tenant)s AND late.item_id = standing.item_id
                AND late.period_id = standing.period_id
            GROUP BY standing.pool, standing.starts
        ) AS found
        WHERE NOT is_late AND charged >= members
            AND (charged, shares, used) IS DISTINCT FROM (members, net_minor, quantity)
        UNION ALL
        SELECT standing.id, 'what is charged with a pool is not noted as its share'
        FROM standing LEFT JOIN subscriptions_poolshare AS share
            ON share.tenant_id = %(tenant)s AND share.item_id = standing.item_id
            AND share.period_id = standing.period_id AND share.starts = standing.starts::date
        WHERE share.id IS NULL
        """,
    ),
    Invariant(
        "history",
        _counts("accounts_settinginterval"),
        """
        SELECT id, 'two values of a setting hold on the same day' FROM (
            SELECT id, valid_from, lag(COALESCE(valid_to, 'infinity')) OVER (
                PARTITION BY account_id, name ORDER BY valid_from
            ) AS before FROM accounts_settinginterval WHERE tenant_id = %(tenant)s
        ) AS setting WHERE valid_from < before
        UNION ALL
        SELECT id, 'an account stands in two places on the same day' FROM (
            SELECT id, valid_from, lag(COALESCE(valid_to, 'infinity')) OVER (
                PARTITION BY account_id ORDER BY valid_from
            ) AS before FROM accounts_placement WHERE tenant_id = %(tenant)s
        ) AS placement WHERE valid_from < before
        UNION ALL
        SELECT node.account_id, 'the tree and its history disagree on the parent'
        FROM accounts_accountnode AS node
        WHERE node.tenant_id = %(tenant)s AND NOT EXISTS (
            SELECT FROM accounts_placement AS placement WHERE placement.tenant_id = %(tenant)s
            AND placement.account_id = node.account_id AND placement.valid_to IS NULL
            AND placement.parent_id IS NOT DISTINCT FROM node.parent_id)
        """,
    ),
)
"""Named as in the list of invariants of the product's reliability notes where it has a number."""
