"""Plans that credit what is paid in advance: to whoever was charged, and charged to who comes."""

from datetime import date

import pytest

from invoicing.models import ChangePlan, Charge, Invoice
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.plans.reversing import reverse_plan
from invoicing.operations.runs.discarding import discard_drafts, release_charges
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries.hanging import hanging_on
from invoicing.queries.joined import joined_with
from invoicing.queries.plans.checking import NotChargedYet, NothingToCredit
from invoicing.queries.plans.wanted import Wanted
from subscriptions.models import Item, Price
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 11)


@scene
def shop(vendor):
    """G pays for A and A1, B has its own invoice; X is another customer."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("A1", "A"),
        account("B", "G", bill_to="B"),
        account("X", billing_day=1),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19), price("odd", "33.33", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A1", "ten", "2026-12-01"),
        subscription("S2", "G", "odd", "2026-12-01"),
        subscription("S3", "X", "odd", "2026-12-01"),
    )
    return vendor


def wanted(shop, kind, key, target=None, day=DAY, **values):
    target_id = None if target is None else shop.id_of(target)
    values.setdefault("prepaid", "credit")
    return Wanted(kind, shop.id_of(key), day, target_id=target_id, **values)


def submitted(shop, actor, *args, today=TODAY, **values):
    plan = create_plan(actor, wanted(shop, *args, **values), today=today, now=NOW)
    plan = submit_plan(actor, plan.pk, today=today, now=NOW)
    if plan.status == "waiting_acceptance":
        plan = answer_plan(actor, plan.pk, accepts=True, reason="So", today=today, now=NOW)
    return plan


def credits_of(plan):
    return [
        (
            one["to"]["external_id"],
            one["charged_to"]["external_id"],
            one["account"]["external_id"],
            one["amount_minor"],
            one["days"],
        )
        for one in plan.preview["credits"]
    ]


def lines(shop, since=DAY):
    """Every line of invoices from a day on: day, recipient, account, net."""
    with shop.seen():
        rows = Invoice.objects.filter(issue_date__gte=since).order_by("issue_date", "id")
        found = rows.values_list(
            "issue_date", "bill_to__external_id", "lines__section__account__external_id",
            "lines__net_minor",
        )  # fmt: skip
        return sorted(found)


def moved(shop, day):
    advance_clock(shop.actor, to_date=day, now=NOW)


def test_a_move_credits_the_old_recipient_and_charges_the_new_one(shop, alice):
    moved(shop, date(2026, 12, 5))  # December is invoiced
    plan = submitted(shop, alice, "move", "A1", "X", today=date(2026, 12, 5))
    assert credits_of(plan) == [("G", "X", "A1", 677, 21)]

    moved(shop, date(2027, 1, 1))

    assert lines(shop) == [
        (date(2027, 1, 1), "G", "A1", -677),
        (date(2027, 1, 1), "G", "G", 3333),
        (date(2027, 1, 1), "X", "A1", 677),
        (date(2027, 1, 1), "X", "A1", 1000),
        (date(2027, 1, 1), "X", "X", 3333),
    ]
    assert shop.violations() == []


def test_both_amounts_are_the_rest_of_what_was_charged(shop, alice):
    """33.33 for December; up to the 11th 10.75 are 10/31, and 22.58 are left, not 22.579."""
    moved(shop, date(2026, 12, 2))
    plan = submitted(shop, alice, "payer", "G", "X", today=date(2026, 12, 2))

    assert credits_of(plan) == [("G", "G", "A1", 677, 21), ("G", "G", "G", 2258, 21)]
    moved(shop, date(2027, 1, 1))
    with shop.seen():
        credits = Charge.objects.filter(kind="credit").order_by("net_minor")
        assert [(one.net_minor, one.payer_id) for one in credits] == [
            (-2258, shop.id_of("G")),
            (-677, shop.id_of("G")),
        ]
        assert {one.status for one in credits} == {"pending"}  # G pays for nothing any more
        issued = Invoice.objects.filter(issue_date=date(2027, 1, 1), bill_to_id=shop.id_of("G"))
        assert [(one.net_minor, one.payer_id) for one in issued] == [
            (2258 + 677 + 3333 + 1000, shop.id_of("X"))
        ]
    assert [one["code"] for one in plan.preview["warnings"]] == ["credit_waits"]
    assert shop.violations() == []


def test_a_run_of_the_same_day_is_credited_to_whom_it_invoiced(shop, alice):
    """What the settings of the day say by then is not whom the document went to."""
    moved(shop, date(2026, 12, 1))
    plan = submitted(shop, alice, "bill_to", "A", "A", day=date(2026, 12, 1),
                     today=date(2026, 12, 1))  # fmt: skip

    assert plan.status == "applied"
    assert credits_of(plan) == [("G", "A", "A1", 1000, 31)]
    moved(shop, date(2027, 1, 1))
    assert [one for one in lines(shop, date(2026, 12, 1)) if one[2] == "A1"] == [
        (date(2026, 12, 1), "G", "A1", 1000),
        (date(2026, 12, 2), "A", "A1", 1000),  # the run of the 1st is over
        (date(2027, 1, 1), "A", "A1", 1000),
        (date(2027, 1, 1), "G", "A1", -1000),
    ]
    assert shop.violations() == []


def test_there_and_back_on_one_day_leaves_nothing(shop, alice):
    moved(shop, date(2026, 12, 11))
    plan = submitted(shop, alice, "move", "A1", "X", today=DAY)
    back = reverse_plan(alice, plan.pk, effective_date=DAY, today=DAY, now=NOW)
    assert back.parameters["prepaid"] == "credit"
    back = submit_plan(alice, back.pk, today=DAY, now=NOW)
    if back.status == "waiting_acceptance":
        back = answer_plan(alice, back.pk, accepts=True, reason="So", today=DAY, now=NOW)

    assert back.preview["credits"] == []  # what X is to be charged is G's again by then
    moved(shop, date(2027, 1, 1))
    assert [one for one in lines(shop) if one[2] == "A1"] == [
        (date(2027, 1, 1), "G", "A1", -677),
        (date(2027, 1, 1), "G", "A1", 677),
        (date(2027, 1, 1), "G", "A1", 1000),
    ]
    assert shop.violations() == []


def test_the_reverse_credits_what_was_charged_meanwhile(shop, alice):
    moved(shop, date(2026, 12, 5))
    plan = submitted(shop, alice, "bill_to", "A1", "A1", today=date(2026, 12, 5))
    moved(shop, date(2027, 1, 10))
    back = reverse_plan(
        alice, plan.pk, effective_date=date(2027, 1, 16), today=date(2027, 1, 10), now=NOW
    )
    back = submit_plan(alice, back.pk, today=date(2027, 1, 10), now=NOW)

    assert credits_of(back) == [("A1", "G", "A1", 516, 16)]
    moved(shop, date(2027, 2, 1))
    assert [one for one in lines(shop, date(2027, 1, 16)) if one[2] == "A1"] == [
        (date(2027, 2, 1), "G", "A1", 516),
        (date(2027, 2, 1), "G", "A1", 1000),
    ]
    with shop.seen():
        (left,) = Charge.objects.filter(kind="credit", status="pending")
        assert (left.net_minor, left.bill_to_id) == (-516, shop.id_of("A1"))
    assert shop.violations() == []


def test_a_subscription_is_credited_alone(shop, alice):
    shop.has("subscriptions", subscription("S4", "A1", "odd", "2026-12-01"))
    moved(shop, date(2026, 12, 5))
    with shop.seen():
        key = Charge.objects.get(subscription__external_id="S1").subscription_id
    target = shop.id_of("A1")
    plan = submitted(shop, alice, "subscription", "A1", "A1", today=date(2026, 12, 5),
                     overrides={key: target})  # fmt: skip

    assert credits_of(plan) == [("G", "A1", "A1", 677, 21)]
    moved(shop, date(2027, 1, 1))
    assert shop.violations() == []


def test_what_is_pending_goes_with_its_day(shop, alice):
    """B has no billing day: what is due on the day or later follows without a credit."""
    shop.has("subscriptions", subscription("S5", "B", "ten", "2026-12-20"))
    plan = submitted(shop, alice, "bill_to", "B", None)

    assert plan.preview["credits"] == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("consolidation", {"value": "per_account"}),
        ("closing", {}),
        ("merge", {"target": "X"}),
    ],
)
def test_refuses_where_nobody_else_is_invoiced(shop, alice, kind, values):
    with pytest.raises(NothingToCredit):
        create_plan(alice, wanted(shop, kind, "B", **values), today=TODAY, now=NOW)
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_what_stands_on_a_draft_is_credited_too(shop, alice):
    shop.run("2026-12-01", issue=False)
    plan = submitted(shop, alice, "move", "A1", "X")
    assert credits_of(plan) == [("G", "X", "A1", 677, 21)]

    carry_out_due_plans(shop.actor, day=DAY, now=NOW)

    with shop.seen():
        rows = Charge.objects.filter(account_id=shop.id_of("A1")).order_by("id")
        assert [(one.net_minor, one.bill_to_id) for one in rows] == [
            (1000, None), (-677, shop.id_of("G")), (677, None),
        ]  # fmt: skip
    assert shop.violations() == []


def test_what_is_taken_off_a_draft_follows_as_a_whole(shop, alice):
    shop.run("2026-12-01", issue=False)
    plan = submitted(shop, alice, "move", "A1", "X", open_drafts="reroute")
    assert credits_of(plan) == []

    carry_out_due_plans(shop.actor, day=DAY, now=NOW)

    with shop.seen():
        assert not Charge.objects.filter(kind="credit").exists()
    moved(shop, date(2027, 1, 1))
    assert {one[1] for one in lines(shop) if one[2] == "A1"} == {"X"}
    assert shop.violations() == []


def test_a_held_charge_stays_and_its_days_are_credited(shop, alice):
    report = shop.run("2026-12-01", issue=False)
    discard_drafts(alice, report.invoice_ids, reason="Wait", hold=True, today=TODAY, now=NOW)
    plan = submitted(shop, alice, "move", "A1", "X")
    assert credits_of(plan) == [("G", "X", "A1", 677, 21)]

    moved(shop, date(2027, 1, 1))

    # What takes back of a held charge waits with it: nobody is given back what was never charged.
    assert [one for one in lines(shop) if one[2] == "A1"] == [
        (date(2027, 1, 1), "X", "A1", 677),
        (date(2027, 1, 1), "X", "A1", 1000),
    ]
    assert shop.violations() == []

    release_charges(shop.actor, shop.id_of("G"), now=NOW)
    moved(shop, date(2027, 2, 1))

    assert [one for one in lines(shop, date(2027, 1, 2)) if one[1:3] == ("G", "A1")] == [
        (date(2027, 1, 2), "G", "A1", -677),
        (date(2027, 1, 2), "G", "A1", 1000),
    ]
    assert shop.violations() == []


def test_what_a_change_credits_stays_with_who_paid(shop, alice):
    """What a change credits is of who paid it as well, though it waits for a later day."""
    moved(shop, date(2026, 12, 5))
    with shop.seen():
        item = Item.objects.get(subscription__external_id="S1")
        ten = Price.objects.get(external_id="odd")
    change_subscription(
        alice, item.subscription_id, [ItemChange(item.pk, ten.pk)], day=date(2026, 12, 21),
        today=date(2026, 12, 5), now=NOW,
    )  # fmt: skip
    plan = submitted(shop, alice, "move", "A1", "X", today=date(2026, 12, 5))
    # The days from the 21st are credited to G already, and charged to whom January is.
    assert credits_of(plan) == [("G", "X", "A1", 322, 10)]
    moved(shop, date(2027, 1, 1))
    assert [one[1:] for one in lines(shop) if one[2] == "A1"] == [
        ("G", "A1", -355), ("G", "A1", -322), ("X", "A1", 322), ("X", "A1", 1183),
        ("X", "A1", 3333),
    ]  # fmt: skip
    assert shop.violations() == []


def test_the_credit_meets_the_invoice_of_its_recipient_whichever_tree_is_billed_first(shop, alice):
    """Trees are billed in batches: the old recipient's has no other hint of the one that left."""
    moved(shop, date(2026, 12, 5))
    submitted(shop, alice, "move", "A1", "X", today=date(2026, 12, 5))
    moved(shop, date(2026, 12, 12))
    with shop.seen():
        assert joined_with(shop.actor, [shop.id_of("G")]) == {shop.id_of("X")}
        assert joined_with(shop.actor, [shop.id_of("X")]) == {shop.id_of("G")}
    moved(shop, date(2027, 1, 1))
    with shop.seen():
        assert Invoice.objects.filter(issue_date=date(2027, 1, 1)).count() == 2


def test_names_of_the_new_family_are_not_told_to_the_old_one(shop, alice):
    moved(shop, date(2026, 12, 5))
    submitted(shop, alice, "move", "A1", "X", today=date(2026, 12, 5))
    moved(shop, date(2027, 1, 1))
    with shop.seen():
        invoice = Invoice.objects.get(issue_date=date(2027, 1, 1), bill_to_id=shop.id_of("G"))
        paths = dict(invoice.sections.values_list("account__external_id", "path"))
        assert paths["A1"] == ["A1"]
        reason = Charge.objects.get(kind="credit").reason
        assert (reason["code"], reason["bill_to"]["name"]) == ("credited", "G")
        assert "X" not in str(reason)


def test_whoever_is_credited_cannot_be_closed_before(shop, alice):
    moved(shop, date(2026, 12, 11))
    submitted(shop, alice, "bill_to", "A1", "A", today=DAY)
    with shop.seen():
        assert "open_charge" in {one.kind for one in hanging_on(alice, shop.id_of("G"), today=DAY)}


def test_carried_out_once(shop, alice):
    moved(shop, date(2026, 12, 5))
    submitted(shop, alice, "move", "A1", "X", today=date(2026, 12, 5))
    for _ in range(2):
        carry_out_due_plans(shop.actor, day=DAY, now=NOW)
    with shop.seen():
        assert Charge.objects.filter(kind="credit").count() == 1
    assert shop.violations() == []


def test_the_books_say_what_is_wrong(shop, alice):
    moved(shop, date(2026, 12, 11))
    submitted(shop, alice, "move", "A1", "X", today=DAY)
    with shop.seen():
        Charge.objects.filter(revision=1, kind="recurring").update(net_minor=678)
    assert [name for name, _text in shop.violations()] == ["transferred"]


def test_refuses_while_something_due_before_is_not_charged(shop, alice):
    """A run that catches up later would charge G for all days of December."""
    advance_clock(shop.actor, to_date=date(2026, 11, 30), now=NOW)
    plan = submitted(
        shop, alice, "move", "A1", "X", day=date(2026, 12, 2), today=date(2026, 11, 30)
    )
    carry_out_due_plans(shop.actor, day=date(2026, 12, 2), now=NOW)  # no run on the 1st

    with shop.seen():
        failed = ChangePlan.objects.get(pk=plan.pk)
        assert (failed.status, failed.failure["code"]) == ("failed", "charges_outstanding")
        assert not Charge.objects.filter(kind="credit").exists()
    with pytest.raises(NotChargedYet):
        create_plan(
            alice, wanted(shop, "move", "A1", "X", day=date(2026, 12, 2)),
            today=date(2026, 12, 2), now=NOW,
        )  # fmt: skip
    assert shop.violations() == []
