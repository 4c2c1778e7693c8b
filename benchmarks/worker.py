"""A process that bills on a signal and says how long it took and how much memory it had.

python -m benchmarks.worker TENANT_ID [helps]

It says "ready", waits for a line, bills, and answers JSON. One that helps does not ask for the run
but works on that of another, as a worker does.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import django

if TYPE_CHECKING:
    from tenancy.actor import Actor


def main() -> None:
    """Bill what is due."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    django.setup()

    from django.db import connection

    from benchmarks.processor import processor
    from benchmarks.vendors import RUN_DATE
    from invoicing.operations.runs import run_billing, work_on_run
    from tenancy.actor import Actor

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    actor, now = Actor.system(UUID(sys.argv[1]), origin="benchmark"), datetime.now(UTC)
    with processor() as taken:
        if sys.argv[2:] == ["helps"]:
            report = work_on_run(actor, _run_id(actor), today=RUN_DATE, now=now)
        else:
            report = run_billing(actor, run_date=RUN_DATE, issue=True, today=RUN_DATE, now=now)
    seconds = time.monotonic() - start
    print(
        json.dumps(
            {
                "seconds": seconds,
                "python_seconds": taken.python,
                "database_seconds": taken.database,
                "invoices": len(report.invoice_ids),
                "peak_mib": peak_mib(),
            }
        )
    )


def _run_id(actor: "Actor") -> UUID:
    """Return the id of the run that another process opens, once it is there."""
    from invoicing.models import BillingRun
    from tenancy.database import scope

    while True:
        with scope(actor.tenant_id):
            found = BillingRun.objects.values_list("id", flat=True).first()
        if found is not None:
            return found
        time.sleep(0.005)


def peak_mib() -> float:
    """Return the most memory that this process ever had resident, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
