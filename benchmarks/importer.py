"""A process that imports one file and says how long it took and how much memory it had.

python -m benchmarks.importer TENANT_ID KIND FILE TODAY     answers JSON
"""

import json
import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import django


def main() -> None:
    """Import the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    django.setup()

    from accounts.operations.importing import import_accounts, import_contacts
    from benchmarks.processor import processor
    from benchmarks.worker import peak_mib
    from subscriptions.operations.importing import (
        import_prices,
        import_subscriptions,
        import_usage,
    )
    from tenancy.actor import Actor

    tenant_id, kind, file, today = sys.argv[1:]
    work = {
        "accounts": import_accounts,
        "prices": import_prices,
        "subscriptions": import_subscriptions,
        "contacts": import_contacts,
        "usage": import_usage,
    }[kind]
    dated = {} if kind == "contacts" else {"today": date.fromisoformat(today)}
    actor = Actor.system(UUID(tenant_id), origin="benchmark")
    with processor() as taken:
        start = time.monotonic()
        report = work(actor, Path(file), is_dry_run=False, now=datetime.now(UTC), **dated)
        seconds = time.monotonic() - start
    assert not report.errors, report.errors[:3]
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor_seconds": taken.both,
                "created": report.created,
                "peak_mib": peak_mib(),
            }
        )
    )


if __name__ == "__main__":
    main()
