"""A process that bills on a signal and says how long it took and how much memory it had.

python -m benchmarks.worker TENANT_ID     says "ready", waits for a line, bills, answers JSON
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import django


def main() -> None:
    """Bill what is due."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    django.setup()

    from django.db import connection

    from benchmarks.vendors import RUN_DATE
    from invoicing.operations.runs import run_billing
    from tenancy.actor import Actor

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    start, before = time.monotonic(), time.process_time()
    report = run_billing(
        Actor.system(UUID(sys.argv[1]), origin="benchmark"),
        run_date=RUN_DATE,
        issue=True,
        today=RUN_DATE,
        now=datetime.now(UTC),
    )
    seconds = time.monotonic() - start
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu_seconds": time.process_time() - before,
                "invoices": len(report.invoice_ids),
                "peak_mib": peak_mib(),
            }
        )
    )


def peak_mib() -> float:
    """Return the most memory that this process ever had resident, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
