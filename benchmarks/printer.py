"""A process that renders PDFs and says how long they took and how much memory it had.

python -m benchmarks.printer TENANT_ID INVOICE_ID …
"""

import io
import json
import os
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

import django


def main() -> None:
    """Render each invoice once; the answer's seconds are those of all."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    django.setup()

    from pypdf import PdfReader

    from benchmarks.worker import peak_mib
    from invoicing.documents.pdf import render_pdf
    from tenancy.actor import Actor

    actor = Actor.system(UUID(sys.argv[1]), origin="benchmark")
    start = time.monotonic()
    for invoice_id in sys.argv[2:]:
        content = render_pdf(actor, UUID(invoice_id), now=datetime.now(UTC))
    seconds = time.monotonic() - start
    memory = peak_mib()
    pages = len(PdfReader(io.BytesIO(content)).pages)
    print(json.dumps({"seconds": seconds, "pages": pages, "peak_mib": memory}))


if __name__ == "__main__":
    main()
