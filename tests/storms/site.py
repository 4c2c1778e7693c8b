"""What a storm asks of a site whose servers it breaks: to be filled, and how its books stand.

python -m tests.storms.site fill SLUG FAMILIES
python -m tests.storms.site request SLUG        asks for a run and leaves it to the workers
python -m tests.storms.site state SLUG          answers JSON
"""

import json
import os
import sys
from datetime import UTC, date, datetime

import django

_LINES = """
    SELECT count(*), md5(string_agg(row, E'\\n' ORDER BY row)), count(DISTINCT number)
    FROM (
        SELECT concat_ws('|', bill_to.external_id, payer.external_id, invoice.status,
            invoice.gross_minor, subscription.external_id, line.period_start, line.period_end,
            line.net_minor, line.tax_rate) AS row, invoice.number
        FROM invoicing_invoiceline AS line
        JOIN invoicing_invoice AS invoice ON invoice.id = line.invoice_id
        JOIN accounts_account AS bill_to ON bill_to.id = invoice.bill_to_id
        JOIN accounts_account AS payer ON payer.id = invoice.payer_id
        JOIN subscriptions_subscription AS subscription ON subscription.id = line.subscription_id
    ) AS lines
"""


def main() -> None:
    """Do what the arguments say."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    from billing_hierarchy.embedded.joining import ensure_services

    ensure_services()
    django.setup()

    from invoicing.operations.runs import request_run
    from tenancy.actor import Actor
    from tenancy.database.lookup import find_tenant_id
    from tests.integration.invoicing.twins import DAY, fill
    from tests.world import Vendor, make_vendor

    what, slug = sys.argv[1], sys.argv[2]
    if what == "fill":
        fill(make_vendor(slug), int(sys.argv[3]))
        return
    tenant_id = find_tenant_id(slug)
    assert tenant_id is not None
    vendor = Vendor(tenant_id, slug, Actor.system(tenant_id, origin="storm"))
    if what == "request":
        day = date.fromisoformat(DAY)
        now = datetime.now(UTC)
        request_run(vendor.actor, run_date=day, within=None, issue=True, today=day, now=now)
    else:
        sys.stdout.write(json.dumps(_state(vendor)))


def _state(vendor: object) -> dict[str, object]:
    """Return everything in which two vendors who were billed alike are alike."""
    from django.db import connection
    from django.db.models import Max

    from invoicing.models import BillingRun, Charge, Invoice
    from tests.world import Vendor

    assert isinstance(vendor, Vendor)
    with vendor.seen():
        with connection.cursor() as cursor:
            cursor.execute(_LINES)
            [(lines, digest, numbers)] = cursor.fetchall()
        issued = Invoice.objects.exclude(number=None)
        return {
            "lines": lines,
            "digest": digest,
            "numbers": numbers,
            "last_number": issued.aggregate(last=Max("series_number"))["last"] or 0,
            "drafts": Invoice.objects.filter(number=None).count(),
            "pending": Charge.objects.filter(status=Charge.Status.PENDING).count(),
            "runs": sorted(BillingRun.objects.values_list("status", flat=True)),
            "problems": vendor.problems(),
            "violations": vendor.violations(),
            "faults": [str(fault) for fault in vendor.faults()],
            "at": datetime.now(UTC).date().isoformat(),
        }


if __name__ == "__main__":
    main()
