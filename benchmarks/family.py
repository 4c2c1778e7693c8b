"""One family with very many lines: one consolidated invoice, drafted and issued."""

from collections.abc import Iterator

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.run import bill, due
from benchmarks.vendors import tenant_of

LINES = 10_000


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield how long one document of 10,000 lines takes, from due to issued."""
    lines = LINES // 10 if is_quick else LINES
    with due(1, lines):
        tenant_id = tenant_of()
        connection.close()
        billed = bill(tenant_id, workers=1)
    assert billed.invoices == 1
    yield Figure("one invoice, drafted and issued", f"{lines} lines", billed.seconds, "s",
                 peak_mib=billed.peak_mib, bound="value <= 3, peak_mib <= 400")  # fmt: skip
