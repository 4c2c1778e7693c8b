"""A process that bills a tenant, slowly or until it dies at a given step.

    python -m tests.integration.invoicing.worker SLUG DAY [--die-at STEP --call N] [--batch N]

A step is a function by its dotted name; the process ends without a word after its N-th call,
as ``kill -9`` would end it.
"""

import argparse
import importlib
import os
import sys
from datetime import UTC, date, datetime

import django


def main() -> None:
    """Bill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("slug")
    parser.add_argument("day", type=date.fromisoformat)
    parser.add_argument("--die-at")
    parser.add_argument("--call", type=int, default=1)
    parser.add_argument("--batch", type=int, default=25)
    options = parser.parse_args()

    from billing_hierarchy.embedded.joining import ensure_services

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    ensure_services()
    django.setup()

    from invoicing.operations.runs import run_billing, working
    from tenancy.actor import Actor
    from tenancy.database.lookup import find_tenant_id

    working.FAMILIES_PER_BATCH = options.batch
    if options.die_at:
        _die_after(options.die_at, options.call)
    tenant_id = find_tenant_id(options.slug)
    assert tenant_id is not None
    report = run_billing(
        Actor.system(tenant_id, origin="test"),
        run_date=options.day,
        issue=True,
        today=options.day,
        now=datetime.now(UTC),
    )
    sys.stdout.write(f"{len(report.invoice_ids)}\n")


def _die_after(name: str, call: int) -> None:
    module_name, _, function_name = name.rpartition(".")
    module = importlib.import_module(module_name)
    original, calls = getattr(module, function_name), 0

    def dying(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        result = original(*args, **kwargs)
        if calls == call:
            os._exit(9)
        return result

    setattr(module, function_name, dying)


if __name__ == "__main__":
    main()
