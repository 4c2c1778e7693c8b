"""Somebody approves a part of a run while workers draft it anew: only what was seen is issued."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from invoicing.models import BillingRun, Invoice
from invoicing.operations.runs import DraftsChanged, RunNotWaiting, approve_drafts
from invoicing.operations.runs.changed import refresh_drafts
from tests.world import NOW, TODAY, account, price, subscription

DAY = "2026-12-01"
KEYS = tuple("ABCDEF")


@pytest.fixture
def shop(committed_vendor):
    committed_vendor.has("accounts", *(account(key) for key in KEYS))
    committed_vendor.has("prices", price("ten", "10"))
    committed_vendor.has(
        "subscriptions", *(subscription(f"S{key}", key, "ten", DAY) for key in KEYS)
    )
    committed_vendor.run(DAY, issue=False)
    return committed_vendor


def drafts_of(vendor):
    """Return what a page shows of the drafts: by recipient the id, the content and the sum."""
    with vendor.seen():
        found = Invoice.objects.filter(status__in=Invoice.UNISSUED)
        rows = found.values_list("bill_to__external_id", "id", "content_hash", "gross_minor")
        return {key: shown for key, *shown in rows}


def at_once(*works):
    """Do things at the same time, each with a connection of its own; return what came of each."""
    start = Barrier(len(works))

    def begin(work):
        start.wait(timeout=30)
        try:
            return work()
        except (DraftsChanged, RunNotWaiting) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [*pool.map(begin, works)]


def approver(shop, run_id, shown, keys):
    seen = {shown[key][0]: shown[key][1] for key in keys}
    return lambda: approve_drafts(shop.actor, run_id, seen, today=TODAY, now=NOW)


def test_issues_nothing_unseen_while_workers_draft_anew(shop):
    """Round by round more falls due; two approve a part on what they saw, two draft at a time."""
    with shop.seen():
        run_id = BillingRun.objects.get(date=DAY).pk
    ever_shown, refused, rounds = {}, 0, 0
    while (shown := drafts_of(shop)) and rounds < 12:
        rounds += 1
        ever_shown.update({(key, *one[:2]): one[2] for key, one in shown.items()})
        keys = sorted(shown)
        first, last = keys[:2], keys[-2:]
        shop.has("subscriptions", subscription(f"M{rounds}", keys[0], "ten", DAY))
        shop.has("accounts", account(keys[-1], line1=f"Neue Straße {rounds}"))

        found = at_once(
            approver(shop, run_id, shown, first),
            approver(shop, run_id, shown, last),
            lambda: shop.run(DAY, issue=False),
            lambda: refresh_drafts(shop.actor, run_id=run_id, now=NOW),
        )

        refused += sum(isinstance(one, DraftsChanged | RunNotWaiting) for one in found)
        with shop.seen():
            issued = Invoice.objects.exclude(status__in=Invoice.UNISSUED)
            for one in issued.select_related("bill_to"):
                # As somebody saw it: this document, with this content and this sum.
                key = (one.bill_to.external_id, one.pk, one.content_hash)
                assert ever_shown.get(key) == one.gross_minor, f"round {rounds}"
        assert shop.violations() == []

    # What nobody disturbs any more is approved as it stands.
    shop.run(DAY, issue=False)
    shown = drafts_of(shop)
    if shown:
        approve = approver(shop, run_id, shown, sorted(shown))
        assert len(approve().issued) == len(shown)
    assert refused > 0
    with shop.seen():
        assert not Invoice.objects.filter(status__in=Invoice.UNISSUED).exists()
        numbers = [*Invoice.objects.order_by("number").values_list("number", flat=True)]
    assert numbers == [f"RE-2026-{n:06d}" for n in range(1, len(numbers) + 1)]
    assert shop.violations() == []
