"""One subscription is invoiced to somebody else: previewed, dated, refused, agreed to, reversed."""

from datetime import date, timedelta

import pytest

from accounts.models import Account, SettingInterval, SettingName
from accounts.operations.settings import Change, write_changes
from invoicing.models import ChangePlan, Charge, Invoice
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.locking import OverlappingPlan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.plans.readdressing import NewRecipient, readdress_subscription
from invoicing.operations.plans.reversing import reverse_plan
from invoicing.queries.plans.checking import (
    AccountArchived,
    LockedAbove,
    NothingToChange,
    NotOnPath,
    PlanInPast,
    SubscriptionOver,
)
from invoicing.queries.plans.wanted import Wanted
from subscriptions.models import EarlierRecipient, Subscription
from subscriptions.queries.recipients import recipients_on
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

JANUARY = date(2027, 1, 1)


@scene
def shop(vendor):
    """G is invoiced for A and A1, B has its own invoice; X is another customer."""
    vendor.has(
        "accounts",
        account("G", billing_day=1, email="g@group.example"),
        account("A", "G"),
        account("A1", "A", email="a1@group.example"),
        account("B", "G", bill_to="B"),
        account("X", billing_day=1),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19), price("one", "1", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A1", "ten", "2026-12-01"),
        subscription("S2", "A1", "one", "2026-12-01"),
        subscription("S3", "A1", "one", "2026-12-01", end_date="2026-12-20"),
        subscription("S4", "B", "one", "2026-12-01"),
    )
    return vendor


def found(shop, key):
    with shop.seen():
        return Subscription.objects.get(external_id=key)


def wanted(shop, key, target, day=JANUARY, owner="A1"):
    target_id = None if target is None else shop.id_of(target)
    return Wanted(
        "subscription",
        shop.id_of(owner),
        day,
        target_id=target_id,
        overrides={found(shop, key).pk: target_id},
    )


def submitted(shop, actor, *args, **values):
    plan = create_plan(actor, wanted(shop, *args, **values), today=TODAY, now=NOW)
    return submit_plan(actor, plan.pk, today=TODAY, now=NOW)


def issued(shop):
    with shop.seen():
        return {
            (one.bill_to.external_id, str(one.issue_date)): one.net_minor
            for one in Invoice.objects.exclude(number=None).select_related("bill_to")
        }


def set_up(shop, key, name, value):
    with shop.seen():
        change = Change(shop.id_of(key), name, None, value)
        write_changes(shop.actor, [change], today=TODAY)


def test_what_is_previewed_is_what_happens_and_the_past_stays(shop, alice):
    plan = submitted(shop, alice, "S1", "A1")

    rows = {
        one["bill_to"]["external_id"]: (one["before_minor"], one["after_minor"])
        for one in plan.preview["billing"]
    }
    assert rows == {"G": (1309, 119), "A1": (0, 1190)}
    assert plan.preview["bill_to"]["before"]["external_id"] == "G"
    assert plan.preview["bill_to"]["after"]["external_id"] == "A1"
    assert plan.preview["recipients"] == {
        "stops": ["g@group.example"], "starts": ["a1@group.example"]
    }  # fmt: skip
    assert plan.preview["subscription"]["name"] == "Product, Ten"
    assert plan.status == "scheduled"

    advance_clock(shop.actor, to_date=date(2027, 1, 2), now=NOW)

    assert issued(shop) == {
        ("G", "2026-12-01"): 1000 + 100 + 61,
        ("B", "2026-12-01"): 100,
        ("G", "2027-01-01"): 100,
        ("A1", "2027-01-01"): 1000,
        ("B", "2027-01-01"): 100,
    }
    assert shop.violations() == []
    with shop.seen():
        entry = AuditEntry.objects.get(action="subscription.readdressed")
        assert (entry.before, entry.after["bill_to"]) == (
            {"bill_to": None}, Account.objects.get(external_id="A1").public_id,
        )  # fmt: skip
        one = found(shop, "S1")
        then = recipients_on(shop.actor, [one], date(2026, 12, 31))
        now = recipients_on(shop.actor, [one], JANUARY)
    assert (then, now) == ({one.pk: None}, {one.pk: shop.id_of("A1")})


def test_what_fell_due_before_is_invoiced_to_whom_it_was(shop, alice):
    shop.run("2026-12-01", issue=False)
    plan = submitted(shop, alice, "S1", "A1", day=date(2026, 12, 15))
    again = submitted(shop, alice, "S2", "A", day=date(2026, 12, 15))
    carry_out_due_plans(shop.actor, day=date(2026, 12, 15), now=NOW)
    with shop.seen():
        done = ChangePlan.objects.filter(pk__in=[plan.pk, again.pk])
        assert {one.status for one in done} == {"applied"}

    # The drafts of December are placed once more with what falls due in January (R27).
    shop.run("2027-01-01")

    with shop.seen():
        charges = Charge.objects.filter(subscription__external_id__in=["S1", "S2"])
        lines = {
            (line.subscription.external_id, str(line.invoice_on)): line.reason["bill_to"]["name"]
            for line in charges.select_related("subscription")
        }
    assert lines == {
        ("S1", "2026-12-01"): "G",
        ("S1", "2027-01-01"): "A1",
        ("S2", "2026-12-01"): "G",
        ("S2", "2027-01-01"): "A",
    }
    assert shop.violations() == []


@pytest.mark.parametrize(
    ("key", "target", "more", "error"),
    [
        ("S1", "B", {}, NotOnPath),
        ("S1", "X", {}, NotOnPath),
        ("S1", None, {}, NothingToChange),
        ("S1", "A1", {"day": TODAY - timedelta(days=1)}, PlanInPast),
        ("S3", "A1", {}, SubscriptionOver),
        ("S4", "G", {}, NotFound),
        ("S4", "A1", {"owner": "B"}, NotOnPath),
    ],
)
def test_refuses_what_makes_no_sense(shop, alice, key, target, more, error):
    before = found(shop, key).override_bill_to_id
    with pytest.raises(error):
        submitted(shop, alice, key, target, **more)

    assert found(shop, key).override_bill_to_id == before
    with shop.seen():
        assert not ChangePlan.objects.exists()
        assert not EarlierRecipient.objects.exists()


def test_refuses_closed_accounts_and_where_recipients_are_locked(shop, alice):
    with shop.seen():
        Account.objects.filter(external_id="A").update(status="archived")
    with pytest.raises(AccountArchived):
        submitted(shop, alice, "S1", "A")

    set_up(shop, "G", SettingName.BILL_TO, shop.id_of("G"))
    with shop.seen():
        SettingInterval.objects.filter(account_id=shop.id_of("G")).update(is_locked=True)
    with pytest.raises(LockedAbove):
        submitted(shop, alice, "S1", "A1")


@pytest.mark.parametrize("who", ["viewer", "support"])
def test_is_for_finance_alone(shop, who, charlie):
    actor = shop.customer("Bob", "admin", "G") if who == "viewer" else shop.staff("Sue", who)
    new = NewRecipient(shop.id_of("A1"), TODAY)
    for one, error in ((actor, Forbidden), (charlie, NotFound)):
        with pytest.raises(error):
            readdress_subscription(one, found(shop, "S1").pk, new, today=TODAY, now=NOW)
    assert found(shop, "S1").override_bill_to_id is None


def test_whoever_comes_to_pay_from_another_family_has_to_agree(shop, alice):
    set_up(shop, "A", SettingName.PAYER, shop.id_of("X"))
    plan = submitted(shop, alice, "S1", "A", day=TODAY)
    assert (plan.status, plan.receiver_id) == ("waiting_acceptance", shop.id_of("X"))
    assert found(shop, "S1").override_bill_to_id is None

    xaver = shop.customer("Xaver", "finance", "X")
    plan = answer_plan(xaver, plan.pk, accepts=True, today=TODAY, now=NOW)

    assert plan.status == "applied"
    assert found(shop, "S1").override_bill_to_id == shop.id_of("A")


def test_each_subscription_has_at_most_one_open_plan(shop, alice):
    submitted(shop, alice, "S1", "A1")
    submitted(shop, alice, "S2", "A1")

    with pytest.raises(OverlappingPlan):
        submitted(shop, alice, "S1", "A")
    advance_clock(shop.actor, to_date=JANUARY, now=NOW)

    assert {found(shop, key).override_bill_to_id for key in ("S1", "S2")} == {shop.id_of("A1")}


def test_stops_and_says_why_when_the_subscription_has_changed(shop, alice):
    plan = submitted(shop, alice, "S1", "A1")
    with shop.seen():
        Subscription.objects.filter(external_id="S2").update(end_date=date(2027, 6, 1))
        Subscription.objects.filter(external_id="S1").update(end_date=date(2027, 7, 1))
    advance_clock(shop.actor, to_date=JANUARY, now=NOW)

    with shop.seen():
        plan = ChangePlan.objects.get(pk=plan.pk)
    assert (plan.status, plan.failure["parts"]) == ("failed", ["subscriptions"])
    assert found(shop, "S1").override_bill_to_id is None


def test_is_reversed_and_changed_twice_on_one_day(shop, alice):
    plan = submitted(shop, alice, "S1", "A1", day=TODAY)
    submitted(shop, alice, "S1", "A", day=TODAY)
    with shop.seen():
        assert list(EarlierRecipient.objects.values_list("bill_to", "until")) == [(None, TODAY)]

    back = reverse_plan(alice, plan.pk, effective_date=JANUARY, today=TODAY, now=NOW)
    submit_plan(alice, back.pk, today=TODAY, now=NOW)
    advance_clock(shop.actor, to_date=JANUARY, now=NOW)

    one = found(shop, "S1")
    assert (one.override_bill_to_id, one.override_since) == (None, JANUARY)
    with shop.seen():
        days = (TODAY - timedelta(days=1), TODAY, JANUARY)
        held = [recipients_on(shop.actor, [one], day)[one.pk] for day in days]
    assert held == [None, shop.id_of("A"), None]


def test_is_done_at_once_and_once(shop, alice):
    key, new = found(shop, "S1").pk, NewRecipient(shop.id_of("A1"), TODAY)
    plan = readdress_subscription(alice, key, new, today=TODAY, now=NOW)

    assert plan.status == "applied"
    assert readdress_subscription(alice, key, new, today=TODAY, now=NOW) is None
