"""What a move of the test clock is said to bring, against what it then brings."""

from datetime import date

import pytest

from accounts.operations.moving import place_account
from invoicing.models import BillingRun, Charge, Invoice
from invoicing.operations.clock import ClockBackwards, NotSandbox, advance_clock
from invoicing.operations.clock_preview import preview_clock_move
from invoicing.operations.runs.discarding import discard_drafts
from invoicing.queries import previewed_run as run_previewing
from tenancy.database import scope
from tenancy.errors import Forbidden
from tenancy.models import AuditEntry, Tenant
from tests.integration.invoicing.test_advance_clock import fill, held_back
from tests.world import NOW, TODAY, account, price, subscription


def preview(vendor, to, **values):
    with vendor.seen():
        tenant = Tenant.objects.get()
    day = date.fromisoformat(to)
    return preview_clock_move(vendor.actor, to_date=day, tenant=tenant, now=NOW, **values)


def run_dates(vendor):
    with vendor.seen():
        return tuple(BillingRun.objects.order_by("date").values_list("date", flat=True))


def drafted_and_held(vendor):
    """What is held back until a day, and what is held back for good."""
    fill(vendor)
    vendor.run("2026-11-24", issue=False)
    vendor.has("subscriptions", subscription("S5", "A", "ten", "2026-11-23", end_date="2027-01-05"))
    vendor.has("accounts", account("D"))
    vendor.has("subscriptions", subscription("S6", "D", "ten", "2026-11-23"))
    vendor.run("2026-11-23", issue=False, within="D")
    with vendor.seen():
        ids = list(Invoice.objects.values_list("id", flat=True))
    until = date(2026, 12, 12)
    values = {"reason": "Asked", "hold": True, "until": until, "today": TODAY, "now": NOW}
    assert discard_drafts(vendor.actor, ids, **values) == 1


@pytest.mark.parametrize("world", [fill, held_back, drafted_and_held])
@pytest.mark.parametrize(
    "to", ["2026-11-23", "2026-11-24", "2026-12-31", "2027-02-15", "2027-11-23"]
)
def test_names_exactly_the_days_on_which_runs_are_made(vendor, world, to):
    world(vendor)
    before = set(run_dates(vendor))
    said = preview(vendor, to)

    moved = advance_clock(vendor.actor, to_date=date.fromisoformat(to), now=NOW)

    assert said.days == moved.days
    assert set(said.run_dates) >= set(run_dates(vendor)) - before
    assert len(said.run_dates) == moved.runs
    assert moved.invoices >= (said.found.documents if moved.runs else 0)


def test_names_the_sums_that_are_then_issued(vendor):
    fill(vendor)
    said = preview(vendor, "2027-02-15")

    advance_clock(vendor.actor, to_date=date(2027, 2, 15), now=NOW)

    with vendor.seen():
        issued = sum(Invoice.objects.values_list("net_minor", flat=True))
        charges = Charge.objects.filter(status="invoiced").count()
    assert (dict(said.found.net_minor), said.found.lines) == ({"EUR": issued}, charges)


def test_counts_a_part_or_all_of_many_customers(vendor, monkeypatch):
    monkeypatch.setattr(run_previewing, "TREES_AT_ONCE", 1)
    monkeypatch.setattr(run_previewing, "SECONDS", 0.0)
    vendor.has("accounts", *(account(key) for key in "ABC"))
    vendor.has("prices", price("ten", "10"))
    starts = dict(zip("ABC", ("2026-12-01", "2026-12-02", "2026-12-03"), strict=True))
    vendor.has("subscriptions", *(subscription(key, key, "ten", starts[key]) for key in "ABC"))

    part, whole = preview(vendor, "2026-12-31"), preview(vendor, "2026-12-31", is_whole=True)

    assert (part.found.done, part.found.trees, len(part.run_dates)) == (1, 3, 1)
    assert (whole.found.done, [day.day for day in whole.run_dates]) == (3, [1, 2, 3])
    assert dict(whole.found.net_minor) == {"EUR": 3000}


@pytest.mark.parametrize("at_once", [1, 25])
@pytest.mark.parametrize(("old", "new"), [("G", "H"), ("H", "G")])
@pytest.mark.parametrize("issue", [True, False])
def test_bills_through_the_tree_of_then_what_fell_due_before_a_move(
    vendor, monkeypatch, old, new, at_once, issue
):
    monkeypatch.setattr(run_previewing, "TREES_AT_ONCE", at_once)
    vendor.has("accounts", account("G"), account("H"), account("A", old, city=""))
    vendor.has("accounts", account("B", new), account("Z"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", *(subscription(key, key, "ten", "2026-12-01") for key in "ABGZ"))
    a, target, day = vendor.id_of("A"), vendor.id_of(new), date(2026, 12, 15)
    with scope(vendor.tenant_id):
        place_account(vendor.actor, a, target, day=date(2026, 12, 10))
    with vendor.seen():
        tenant = Tenant.objects.get()
        said = run_previewing.preview_run(
            vendor.actor, run_date=day, within=None, tenant=tenant, now=NOW, issue=issue
        )

    vendor.run(str(day), issue=issue)

    with vendor.seen():
        made = list(Invoice.objects.values_list("bill_to__name", "net_minor"))
    assert ("A", 1000) not in made
    assert said.is_whole
    assert (dict(said.net_minor), said.lines, said.held) == ({"EUR": 4000}, 4, 0)
    assert sum(net for _name, net in made) == 4000
    if issue and at_once == 25:
        assert said.documents == len(made)


def test_changes_nothing(vendor):
    fill(vendor)
    with vendor.seen():
        before = AuditEntry.objects.count()

    preview(vendor, "2027-02-15")

    with vendor.seen():
        assert AuditEntry.objects.count() == before
        assert not BillingRun.objects.exists()
        assert not Charge.objects.exists()


def test_is_for_those_who_may_and_for_test_clocks(vendor, live_vendor):
    with pytest.raises(ClockBackwards):
        preview(vendor, "2026-11-22")
    with pytest.raises(NotSandbox):
        preview(live_vendor, "2027-01-01")
    vendor.actor = vendor.staff("Bob", "support")
    with pytest.raises(Forbidden):
        preview(vendor, "2027-01-01")
