"""A mistake that stands on a draft: the draft is made anew; what was issued stays as it is."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine
from invoicing.operations.runs.approving import DraftsChanged, approve_drafts
from invoicing.operations.runs.changed import compare_drafts, refresh_drafts
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries.runs import runs_of_drafts_made_good
from subscriptions.models import Item, Price, Subscription
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

D = date.fromisoformat
DAY = "2026-12-01"
TODAY = D("2026-12-05")


@scene
def shop(vendor):
    """G is invoiced on the 1st for A and B; December is drafted, nothing is issued."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("B", "G"))
    vendor.has("prices", price("wrong", "249.95"), price("right", "599.95"))
    vendor.has(
        "subscriptions",
        subscription("S", "A", "wrong", DAY),
        subscription("T", "B", "right", DAY),
    )
    vendor.run(DAY, issue=False, today=D(DAY))
    return vendor


def changed(vendor, day, external_id="S"):
    with vendor.seen():
        item = Item.objects.get(subscription__external_id=external_id)
        right = Price.objects.get(external_id="right")
    return change_subscription(
        vendor.actor,
        item.subscription_id,
        [ItemChange(item.pk, right.pk, Decimal(1))],
        day=D(day),
        today=TODAY,
        now=NOW,
    )


def drafts(vendor):
    with vendor.seen():
        return list(Invoice.objects.filter(status="to_approve").order_by("id"))


def lines(vendor, invoice):
    with vendor.seen():
        rows = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
        return [row.net_minor for row in rows]


def marked(vendor):
    with vendor.seen():
        run, tenant = BillingRun.objects.get(date=DAY), Tenant.objects.get()
        return set(compare_drafts(vendor.actor, run, tenant=tenant).changed)


def approve(vendor, draft):
    return approve_drafts(
        vendor.actor, draft.run_id, {draft.id: draft.content_hash}, today=TODAY, now=NOW
    )


@pytest.mark.parametrize(
    ("day", "made"),
    [(DAY, (59995,)), ("2026-12-10", (24995, -17738, 42577))],
    ids=["from its start", "within the period"],
)
def test_a_draft_is_made_anew_with_what_makes_it_good(shop, day, made):
    [before] = drafts(shop)
    changed(shop, day)

    assert marked(shop) == {before.id}
    refresh_drafts(shop.actor, now=NOW)

    [after] = drafts(shop)
    assert after.id == before.id
    assert sorted(lines(shop, after)) == sorted([*made, 59995])
    assert after.net_minor == sum(made) + 59995
    assert marked(shop) == set()
    assert shop.violations() == []
    approve(shop, after)
    shop.run("2027-01-01", today=D("2027-01-01"))
    with shop.seen():
        january = Invoice.objects.get(issue_date="2027-01-01")
    assert january.net_minor == 2 * 59995
    assert shop.violations() == []


def test_an_approval_issues_no_draft_with_the_mistake(shop):
    [draft] = drafts(shop)
    changed(shop, DAY)

    with pytest.raises(DraftsChanged):
        approve(shop, draft)

    [after] = drafts(shop)
    assert after.net_minor == 2 * 59995


def test_a_run_takes_up_the_draft_with_what_makes_it_good(shop):
    changed(shop, DAY)

    shop.run("2026-12-06", today=D("2026-12-06"))

    with shop.seen():
        assert [one.net_minor for one in Invoice.objects.exclude(number=None)] == [2 * 59995]
    assert drafts(shop) == []
    assert shop.violations() == []


def test_what_was_issued_stays_and_is_made_good_with_the_next(shop):
    [draft] = drafts(shop)
    approve(shop, draft)
    made = changed(shop, DAY)

    assert [str(one.invoice_on) for one in made.charges] == ["2027-01-01"] * 2
    refresh_drafts(shop.actor, now=NOW)
    assert drafts(shop) == []
    with shop.seen():
        assert Invoice.objects.get().net_minor == 24995 + 59995


def test_an_end_within_the_period_is_on_the_draft(shop):
    with shop.seen():
        key = Subscription.objects.get(external_id="S").pk
    cancel_subscription(shop.actor, key, end_date=D("2026-12-10"), today=TODAY, now=NOW)
    refresh_drafts(shop.actor, now=NOW)

    [after] = drafts(shop)
    # 9 of 31 days of 249.95 are left.
    assert after.net_minor == 7257 + 59995


def test_what_is_held_back_does_not_come_along(shop):
    made = changed(shop, DAY)
    with shop.seen():
        Charge.objects.filter(pk__in=[one.pk for one in made.charges]).update(is_held=True)

    assert marked(shop) == set()


def test_names_the_runs_whose_drafts_are_concerned(shop):
    made = changed(shop, DAY)
    with shop.seen():
        run = BillingRun.objects.get(date=DAY)
        assert runs_of_drafts_made_good(shop.actor, made.charges) == [run]
        assert runs_of_drafts_made_good(shop.actor, []) == []
