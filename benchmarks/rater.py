"""A process that rates a part of a run's families, as one of several workers does.

python -m benchmarks.rater TENANT_ID RUN_ID PART PARTS

It says "ready", waits for a line, rates every so-manieth batch, and answers how many charges it
made. What is in the time and what is not says ``benchmarks.usage``.
"""

import os
import sys
from uuid import UUID

import django


def main() -> None:
    """Rate what is due of the own part."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    django.setup()

    from django.db import connection

    from benchmarks.usage import batches_of, rate
    from tenancy.actor import Actor

    actor, run_id = Actor.system(UUID(sys.argv[1]), origin="benchmark"), UUID(sys.argv[2])
    part, parts = int(sys.argv[3]), int(sys.argv[4])
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(rate(actor, batches_of(actor, run_id)[part::parts]))


if __name__ == "__main__":
    main()
