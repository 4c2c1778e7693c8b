"""Change plans over thousands of accounts: what previews take, and an alignment as a whole."""

import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection

from benchmarks.figures import Figure
from benchmarks.vendors import load_subscriptions, vendor_with_prices
from benchmarks.worker import peak_mib
from invoicing.operations.plans.aligning_jobs import PIECE, work_on_alignment
from invoicing.operations.plans.renewals import align_renewals
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Alignment, Wanted
from tenancy.models import Tenant
from tests.databases import clone
from tests.world import NOW, TODAY, Vendor, account

ACCOUNTS = 5_000
BRANCHES = 40
_LOOKS = 5


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield what the preview of moving nearly all of a tree takes, a tenth where it is quick."""
    count = ACCOUNTS // 10 if is_quick else ACCOUNTS
    with clone():
        vendor = vendor_with_prices()
        rows = [account("R", billing_day=1), account("X", "R"), account("Y", "R", bill_to="Y")]
        rows += [account(f"B{n}", "X") for n in range(BRANCHES)]
        rows += [
            {
                "external_id": f"N{n}",
                "parent_external_id": f"B{n % BRANCHES}",
                "name": f"Node {n}",
                "kind": "department",
            }
            for n in range(count - len(rows))
        ]
        vendor.has("accounts", *rows)
        load_subscriptions(vendor, [str(row["external_id"]) for row in rows[3::2]])
        seconds = _previewed(vendor)
        yield Figure(
            "change plan, preview of a move",
            f"{len(rows)} accounts",
            seconds,
            "s",
            peak_mib=peak_mib(),
            bound="value <= 3, peak_mib <= 250",
        )
        connection.close()
    yield from _alignment(ACCOUNTS // 10 if is_quick else ACCOUNTS)


def _alignment(count: int) -> Iterator[Figure]:
    """Yield what it takes to preview, and to carry out, an alignment of one payer's subscriptions.

    The days up to the date are free: then terms are written for each of them, which is the most.
    """
    with clone():
        vendor = vendor_with_prices()
        rows = [account("R"), *({**account(f"N{n}", "R"), "kind": "branch"} for n in range(count))]
        vendor.has("accounts", *rows)
        load_subscriptions(vendor, [str(row["external_id"]) for row in rows[1:]])
        start = time.monotonic()
        with vendor.seen():
            tenant = Tenant.objects.get(pk=vendor.tenant_id)
            preview = preview_plan(vendor.actor, _wanted(vendor), today=TODAY, tenant=tenant)
        seconds = time.monotonic() - start
        aligned = 0 if preview.alignings is None else len(preview.alignings.rows)
        assert aligned == count, f"{aligned} of {count} are aligned"
        size = f"{count} subscriptions"
        yield Figure("alignment, preview", size, seconds, "s", bound="value <= 3")
        start = time.monotonic()
        plan, _alignings = align_renewals(vendor.actor, _wanted(vendor), today=TODAY, now=NOW)
        pieces = 1
        while plan.job_id is not None and work_on_alignment(vendor.actor, plan.job_id, now=NOW):
            pieces += 1
        seconds = time.monotonic() - start
        with vendor.seen():
            plan.refresh_from_db()
        assert plan.status == "applied", plan.failure
        assert pieces == -(-count // PIECE), f"{pieces} pieces"
        yield Figure("alignment, carried out", size, seconds, "s", bound="value <= 20")
        connection.close()


def _wanted(vendor: Vendor) -> Wanted:
    alignment = Alignment(billing_day=7, billing_month=1, method="free")
    return Wanted("alignment", vendor.id_of("R"), TODAY, alignment=alignment)


def _previewed(vendor: Vendor) -> float:
    """Return what the preview takes, in seconds: the quickest of some, as others only add."""
    wanted = Wanted(
        "move", vendor.id_of("X"), TODAY + timedelta(days=22), target_id=vendor.id_of("Y")
    )
    seconds = []
    for _look in range(_LOOKS):
        start = time.monotonic()
        with vendor.seen():
            tenant = Tenant.objects.get(pk=vendor.tenant_id)
            preview = preview_plan(vendor.actor, wanted, today=TODAY, tenant=tenant)
        seconds.append(time.monotonic() - start)
        assert preview.shown["billing"], "nothing was foreseen"
    return min(seconds)
