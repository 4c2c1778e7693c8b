"""Change plans: planned, decided on, carried out on their day, reversed."""

from datetime import date, timedelta

import pytest

from accounts import tree
from accounts.models import Account, AccountNode, Placement, SettingInterval, SettingName
from accounts.operations.settings import Change, write_changes
from invoicing.models import ChangePlan, Invoice
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import (
    ForcingNeedsReason,
    OwnPlan,
    PlanOutdated,
    answer_plan,
    approve_plan,
    submit_plan,
)
from invoicing.operations.plans.locking import OverlappingPlan, PlanNotOpen
from invoicing.operations.plans.planning import comment_on_plan, create_plan, withdraw_plan
from invoicing.operations.plans.reversing import ReversedAlready, reverse_plan
from invoicing.operations.runs.discarding import discard_drafts
from invoicing.queries.plans.checking import (
    AccountArchived,
    NothingAbove,
    NothingToChange,
    NotOnPath,
    PlanInPast,
    PlanTooFar,
    SettingsOutsidePath,
)
from invoicing.queries.plans.closing import AccountInUse
from invoicing.queries.plans.listing import comments_of, get_plan, plans
from invoicing.queries.plans.together import PlansMakeCircle
from invoicing.queries.plans.wanted import Wanted
from subscriptions.models import Subscription
from tenancy.database import scope
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 15)


@scene
def shop(vendor):
    """G pays for A and A1, B has its own invoice; X is another customer."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("A1", "A", email="a1@group.example"),
        account("B", "G", bill_to="B", payment_terms_days=7, email="b@group.example"),
        account("X", billing_day=1),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A1", "ten", "2026-12-01"),
        subscription("S2", "B", "ten", "2026-12-01"),
    )
    return vendor


def wanted(shop, kind, key, target=None, day=DAY, **values):
    target_id = None if target is None else shop.id_of(target)
    return Wanted(kind, shop.id_of(key), day, target_id=target_id, **values)


def planned(shop, actor, *args, **values):
    return create_plan(actor, wanted(shop, *args, **values), today=TODAY, now=NOW)


def submitted(shop, actor, *args, **values):
    plan = planned(shop, actor, *args, **values)
    return submit_plan(actor, plan.pk, today=TODAY, now=NOW)


def parent_of(shop, key):
    with shop.seen():
        return AccountNode.objects.get(account_id=shop.id_of(key)).parent_id


def fetched(shop, plan):
    with shop.seen():
        return ChangePlan.objects.get(pk=plan.pk)


def world(shop):
    """Everything that a plan may change."""
    with shop.seen():
        return [
            sorted(AccountNode.objects.values_list("account_id", "parent_id", "lft", "rght")),
            sorted(map(str, Placement.objects.values_list())),
            sorted(map(str, SettingInterval.objects.values_list())),
            sorted(Account.objects.values_list("id", "status")),
            sorted(map(str, Subscription.objects.values_list())),
        ]


# -- what is planned ---------------------------------------------------------------------------


def test_stores_a_draft_with_its_preview_and_changes_nothing(shop, alice):
    before = world(shop)

    plan = planned(shop, alice, "move", "A1", "B")

    assert (plan.status, plan.author["label"]) == ("draft", "Alice")
    assert plan.public_id.startswith("mov_")
    rows = {
        one["bill_to"]["external_id"]: (one["before_minor"], one["after_minor"])
        for one in plan.preview["billing"]
    }
    assert rows == {"G": (1190, 0), "B": (1190, 2380)}
    assert plan.preview["settings"] == [
        {"setting": "payment_terms_days", "old": 14, "new": 7, "accounts": 1}
    ]
    assert plan.preview["payer"]["after"]["external_id"] == "B"
    assert plan.preview["acceptance"] is None
    assert [one["code"] for one in plan.preview["warnings"]] == ["not_contract_party"]
    assert world(shop) == before


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("move", "G", "A1"), tree.TreeCycle),
        (("move", "A", "A"), tree.TreeCycle),
        (("move", "A1", "A"), NothingToChange),
        (("payer", "A", None), NothingToChange),
        (("bill_to", "A1", "B"), NotOnPath),
        (("bill_to", "A", "A1"), NotOnPath),
        (("promotion", "G"), NothingAbove),
        (("closing", "A1"), AccountInUse),
        (("closing", "G"), AccountInUse),
    ],
)
def test_refuses_what_makes_no_sense(shop, alice, args, error):
    before = world(shop)

    with pytest.raises(error):
        planned(shop, alice, *args)

    assert world(shop) == before
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_refuses_days_that_have_passed_or_are_too_far(shop, alice):
    with pytest.raises(PlanInPast):
        planned(shop, alice, "move", "A1", "B", day=TODAY - timedelta(days=1))
    with pytest.raises(PlanTooFar):
        planned(shop, alice, "move", "A1", "B", day=TODAY + timedelta(days=731))


def test_refuses_more_levels_than_a_tree_has(shop, alice):
    chain = [account("L0", "X")]
    chain += [account(f"L{n}", f"L{n - 1}") for n in range(1, tree.MAX_DEPTH - 1)]
    shop.has("accounts", *chain)

    with pytest.raises(tree.TreeTooDeep):
        planned(shop, alice, "move", "A", f"L{tree.MAX_DEPTH - 2}")


def test_says_what_hangs_on_an_account_that_cannot_be_closed(shop, alice):
    with pytest.raises(AccountInUse) as refused:
        planned(shop, alice, "closing", "B")

    assert [one.code for one in refused.value.errors] == ["subscriptions"]
    assert refused.value.code == "account_in_use"


def test_says_what_is_owed_and_who_is_invoiced_to_what_is_to_be_closed(shop, alice):
    shop.has("accounts", account("C", "B", bill_to="B"))
    shop.run("2026-12-01", issue=False)

    def hanging():
        before = world(shop)
        with pytest.raises(AccountInUse) as refused:
            planned(shop, alice, "closing", "B", "G")
        assert world(shop) == before
        return [one.code for one in refused.value.errors]

    assert hanging() == ["subscriptions", "charges", "settings", "drafts"]
    with shop.seen():
        (draft,) = Invoice.objects.filter(bill_to=shop.id_of("B"))
    discard_drafts(alice, [draft.pk], reason="Wrong", hold=True, today=TODAY, now=NOW)
    assert hanging() == ["subscriptions", "charges", "settings"]


def test_closes_nothing_whose_invoices_are_unpaid(shop, alice):
    shop.run("2026-12-01")
    with pytest.raises(AccountInUse) as refused:
        planned(shop, alice, "closing", "B")

    assert [one.code for one in refused.value.errors] == ["subscriptions", "unpaid"]


def test_refuses_closed_accounts(shop, alice):
    with shop.seen():
        Account.objects.filter(external_id="B").update(status="archived")

    with pytest.raises(AccountArchived):
        planned(shop, alice, "move", "A1", "B")


def test_asks_what_is_to_become_of_settings_outside_of_the_new_path(shop, alice):
    shop.has("accounts", account("A2", "A", bill_to="A", payer="G"))
    with shop.seen():
        Subscription.objects.filter(external_id="S1").update(override_bill_to=shop.id_of("A"))

    with pytest.raises(SettingsOutsidePath) as refused:
        planned(shop, alice, "move", "A2", "B")
    assert [one.pointer.rpartition("/")[2] for one in refused.value.errors] == ["bill_to"]

    with shop.seen():
        key = Subscription.objects.get(external_id="S1").pk
    with pytest.raises(SettingsOutsidePath):
        planned(shop, alice, "move", "A1", "B")
    plan = submitted(shop, alice, "move", "A1", "B", day=TODAY, overrides={key: shop.id_of("B")})
    assert plan.status == "applied"
    with shop.seen():
        assert Subscription.objects.get(pk=key).override_bill_to_id == shop.id_of("B")

    answer = {shop.id_of("A2"): {"bill_to": shop.id_of("A2")}}
    plan = submitted(shop, alice, "move", "A2", "B", day=TODAY, settings=answer)
    assert plan.status == "applied"
    with shop.seen():
        row = SettingInterval.objects.get(
            account_id=shop.id_of("A2"), name="bill_to", valid_to=None
        )
    assert (row.target_id, row.valid_from) == (shop.id_of("A2"), TODAY)


# -- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["support", "auditor", "billing", "developer"])
def test_is_for_finance_alone(shop, role):
    clerk = shop.staff("Clerk", role)
    before = world(shop)

    with pytest.raises(Forbidden):
        planned(shop, clerk, "move", "A1", "B")

    assert world(shop) == before


def test_customers_and_strangers_plan_nothing(shop, bob, charlie):
    viewer = bob("A")
    admin = shop.customer("Ada", "admin", "A")
    for actor, error in ((viewer, Forbidden), (admin, Forbidden), (charlie, NotFound)):
        with pytest.raises(error):
            planned(shop, actor, "move", "A1", "B")


def test_other_tenants_see_no_plan(shop, alice, charlie):
    plan = planned(shop, alice, "move", "A1", "B")

    for step in (
        lambda: submit_plan(charlie, plan.pk, today=TODAY, now=NOW),
        lambda: withdraw_plan(charlie, plan.pk, now=NOW),
        lambda: comment_on_plan(charlie, plan.pk, text="Hi", now=NOW),
    ):
        with pytest.raises(NotFound):
            step()
    with scope(charlie.tenant_id), pytest.raises(NotFound):
        get_plan(charlie, plan.pk)
    assert fetched(shop, plan).status == "draft"


# -- what is decided ---------------------------------------------------------------------------


def test_two_people_decide_where_two_are_wanted(shop, alice):
    shop.change_tenant(four_eyes=True)
    anton = shop.staff("Anton", "finance_admin")

    plan = submitted(shop, alice, "move", "A1", "B")

    assert plan.status == "waiting_approval"
    with pytest.raises(OwnPlan):
        approve_plan(alice, plan.pk, today=TODAY, now=NOW)
    plan = approve_plan(anton, plan.pk, today=TODAY, now=NOW)
    assert (plan.status, plan.approver["label"]) == ("scheduled", "Anton")
    with pytest.raises(PlanNotOpen):
        approve_plan(anton, plan.pk, today=TODAY, now=NOW)


def test_one_open_plan_for_an_account(shop, alice):
    first = submitted(shop, alice, "move", "A1", "B")
    other = planned(shop, alice, "bill_to", "A1", "A1")

    with pytest.raises(OverlappingPlan):
        submit_plan(alice, other.pk, today=TODAY, now=NOW)
    assert fetched(shop, other).status == "draft"

    withdraw_plan(alice, first.pk, reason="Not now", now=NOW)
    assert submit_plan(alice, other.pk, today=TODAY, now=NOW).status == "scheduled"
    with shop.seen():
        assert [one.text for one in comments_of(alice, first)] == ["Not now"]


@pytest.mark.parametrize(
    "second",
    [("move", "G", "X"), ("move", "G", "Z"), ("closing", "Y", "Z")],
)
def test_two_plans_make_no_circle(shop, alice, second):
    shop.has("accounts", account("Z", "X"), account("Y"), account("Y1", "Y"))
    first = ("move", "X", "Y1") if second[0] == "closing" else ("move", "X", "A1")
    open_plan = submitted(shop, alice, *first)
    draft = planned(shop, alice, *second, day=DAY + timedelta(days=1))
    before = world(shop)
    with pytest.raises(PlansMakeCircle) as refused:
        submit_plan(alice, draft.pk, today=TODAY, now=NOW)
    assert "change of X" in refused.value.detail
    assert fetched(shop, draft).status == ChangePlan.Status.DRAFT
    assert world(shop) == before
    withdraw_plan(alice, open_plan.pk, now=NOW)
    assert submit_plan(alice, draft.pk, today=TODAY, now=NOW).is_open


def test_is_not_asked_for_when_something_has_changed_since(shop, alice):
    plan = planned(shop, alice, "move", "A1", "B")
    shop.has("accounts", account("A11", "A1"))

    with pytest.raises(PlanOutdated):
        submit_plan(alice, plan.pk, today=TODAY, now=NOW)


def test_another_family_has_to_agree(shop, alice):
    plan = submitted(shop, alice, "move", "A", "X")

    assert (plan.status, plan.receiver_id) == ("waiting_acceptance", shop.id_of("X"))
    assert plan.acceptance_until == TODAY + timedelta(days=14)
    with pytest.raises(ForcingNeedsReason):
        answer_plan(alice, plan.pk, accepts=True, today=TODAY, now=NOW)
    stranger = shop.customer("Gina", "finance", "G")
    with pytest.raises(NotFound):
        answer_plan(stranger, plan.pk, accepts=True, today=TODAY, now=NOW)
    viewer = shop.customer("Vera", "viewer", "X")
    with pytest.raises(Forbidden):
        answer_plan(viewer, plan.pk, accepts=True, today=TODAY, now=NOW)

    xaver = shop.customer("Xaver", "finance", "X")
    with shop.seen():
        assert [one.pk for one in plans(xaver)] == [plan.pk]
        assert [one.pk for one in plans(stranger)] == []
    plan = answer_plan(xaver, plan.pk, accepts=True, today=TODAY, now=NOW)
    assert (plan.status, plan.acceptance["forced"]) == ("scheduled", False)


def test_staff_may_force_what_nobody_answers_and_say_why(shop, alice):
    plan = submitted(shop, alice, "payer", "A", "X", day=TODAY)

    assert plan.status == "waiting_acceptance"
    plan = answer_plan(alice, plan.pk, accepts=True, reason="By phone", today=TODAY, now=NOW)
    assert (plan.status, plan.acceptance["forced"]) == ("applied", True)
    with shop.seen():
        entry = AuditEntry.objects.get(action="plan.accepted")
    assert entry.after["forced"] is True


def test_nothing_is_done_that_was_declined_or_not_accepted_in_time(shop, alice):
    before = world(shop)
    xaver = shop.customer("Xaver", "finance", "X")
    plan = submitted(shop, alice, "move", "A", "X")
    plan = answer_plan(xaver, plan.pk, accepts=False, reason="No", today=TODAY, now=NOW)
    assert plan.status == "withdrawn"

    plan = submitted(shop, alice, "move", "A", "X")
    carry_out_due_plans(shop.actor, day=TODAY + timedelta(days=15), now=NOW)

    plan = fetched(shop, plan)
    assert (plan.status, plan.failure["code"]) == ("failed", "acceptance_expired")
    assert world(shop) == before


def test_who_keeps_an_own_invoice_hands_nothing_over(shop, alice):
    plan = submitted(shop, alice, "move", "B", "X", day=TODAY)

    assert (plan.status, parent_of(shop, "B")) == ("applied", shop.id_of("X"))


# -- what is done ------------------------------------------------------------------------------


def test_is_carried_out_on_its_day_and_keeps_the_past(shop, alice):
    plan = submitted(shop, alice, "move", "A1", "B", day=date(2027, 1, 1))
    assert plan.status == "scheduled"

    advance_clock(shop.actor, to_date=date(2026, 12, 31), now=NOW)
    assert parent_of(shop, "A1") == shop.id_of("A")
    advance_clock(shop.actor, to_date=date(2027, 1, 2), now=NOW)

    assert fetched(shop, plan).status == "applied"
    with shop.seen():
        rows = list(
            Placement.objects.filter(account_id=shop.id_of("A1"))
            .order_by("valid_from")
            .values_list("parent_id", "valid_from", "valid_to")
        )
        issued = {
            (one.bill_to.external_id, str(one.issue_date)): one.gross_minor
            for one in Invoice.objects.select_related("bill_to")
        }
    day = date(2027, 1, 1)
    assert rows[1:] == [(shop.id_of("B"), day, None)]
    assert rows[0][::2] == (shop.id_of("A"), day)
    assert issued == {
        ("G", "2026-12-01"): 1190,
        ("B", "2026-12-01"): 1190,
        ("B", "2027-01-01"): 2380,
    }
    assert shop.faults() == []
    assert shop.violations() == []


def test_is_done_once_however_often_it_is_called(shop, alice):
    plan = submitted(shop, alice, "move", "A1", "B", day=TODAY)
    before = world(shop)

    assert carry_out_due_plans(shop.actor, day=DAY, now=NOW) == []

    assert world(shop) == before
    with shop.seen():
        assert AuditEntry.objects.filter(action="plan.applied", object_id=plan.pk).count() == 1
        assert AuditEntry.objects.filter(action="account.moved").count() == 1


@pytest.mark.parametrize("what", ["places", "settings", "accounts", "subscriptions"])
def test_stops_and_says_why_when_the_world_has_changed(shop, alice, what):
    plan = submitted(shop, alice, "move", "A1", "B")
    with scope(shop.tenant_id):
        if what == "places":
            tree.move(shop.tenant_id, shop.id_of("B"), shop.id_of("A"))
        elif what == "settings":
            change = Change(shop.id_of("B"), SettingName.PAYMENT_TERMS_DAYS, 7, 9)
            write_changes(shop.actor, [change], today=TODAY)
        elif what == "accounts":
            Account.objects.filter(external_id="B").update(city="")
        else:
            Subscription.objects.filter(external_id="S1").update(end_date=date(2027, 5, 1))
    before = world(shop)

    carry_out_due_plans(shop.actor, day=DAY, now=NOW)

    plan = fetched(shop, plan)
    assert (plan.status, plan.failure["code"]) == ("failed", "world_changed")
    assert plan.failure["parts"] == [what]
    assert world(shop) == before
    with shop.seen():
        assert not AuditEntry.objects.filter(action="account.moved").exists()


def test_runs_in_between_change_nothing_that_a_plan_depends_on(shop, alice):
    plan = submitted(shop, alice, "move", "A1", "B", day=date(2027, 3, 10))

    advance_clock(shop.actor, to_date=date(2027, 3, 10), now=NOW)

    assert fetched(shop, plan).status == "applied"


def test_makes_an_own_invoice_and_gives_it_back(shop, alice):
    plan = submitted(shop, alice, "bill_to", "A1", "A1", day=TODAY)
    assert plan.status == "applied"

    plan = submitted(shop, alice, "bill_to", "A1", None, day=TODAY)

    assert plan.status == "applied"
    with shop.seen():
        rows = SettingInterval.objects.filter(account_id=shop.id_of("A1"), name="bill_to")
        assert not rows.filter(valid_to=None).exists()


def test_splits_a_consolidated_invoice_from_a_day_on_and_reverses_it(shop, alice):
    plan = submitted(shop, alice, "consolidation", "G", day=DAY, value="per_account")
    carry_out_due_plans(shop.actor, day=DAY, now=NOW)
    assert fetched(shop, plan).status == "applied"

    back = reverse_plan(alice, plan.pk, effective_date=DAY, today=TODAY, now=NOW)

    assert back.parameters["consolidation"] is None
    assert submit_plan(alice, back.pk, today=DAY, now=NOW).status == "applied"
    with shop.seen():
        rows = SettingInterval.objects.filter(
            account_id=shop.id_of("G"), name="consolidation", valid_to=None
        )
        assert not rows.exists()


def test_a_child_takes_the_place_of_its_parent(shop, alice):
    shop.has("accounts", account("A2", "A"))

    plan = submitted(shop, alice, "promotion", "A1", day=TODAY)

    assert plan.status == "applied"
    assert parent_of(shop, "A1") == shop.id_of("G")
    assert {parent_of(shop, "A"), parent_of(shop, "A2")} == {shop.id_of("A1")}
    back = reverse_plan(alice, plan.pk, effective_date=TODAY, today=TODAY, now=NOW)
    assert submit_plan(alice, back.pk, today=TODAY, now=NOW).status == "applied"
    assert {parent_of(shop, "A1"), parent_of(shop, "A2")} == {shop.id_of("A")}
    assert parent_of(shop, "A") == shop.id_of("G")


def test_closes_what_nothing_hangs_on_and_opens_it_again(shop, alice):
    shop.has("accounts", account("C", "G"), account("C1", "C"))
    with pytest.raises(AccountInUse):
        planned(shop, alice, "closing", "C", day=TODAY)

    plan = submitted(shop, alice, "closing", "C", "G", day=TODAY)

    assert plan.status == "applied"
    assert parent_of(shop, "C1") == shop.id_of("G")
    with shop.seen():
        assert Account.objects.get(external_id="C").status == "archived"
    back = reverse_plan(alice, plan.pk, effective_date=TODAY, today=TODAY, now=NOW)
    submit_plan(alice, back.pk, today=TODAY, now=NOW)
    with shop.seen():
        assert Account.objects.get(external_id="C").status == "active"
    assert parent_of(shop, "C1") == shop.id_of("C")


def test_reverses_once_what_was_carried_out(shop, alice):
    before = parent_of(shop, "A1")
    plan = submitted(shop, alice, "move", "A1", "B", day=TODAY)

    back = reverse_plan(alice, plan.pk, effective_date=DAY, today=TODAY, now=NOW)

    assert (back.status, back.reverse_of_id) == ("draft", plan.pk)
    with pytest.raises(ReversedAlready):
        reverse_plan(alice, plan.pk, effective_date=DAY, today=TODAY, now=NOW)
    with pytest.raises(PlanNotOpen):
        reverse_plan(alice, back.pk, effective_date=DAY, today=TODAY, now=NOW)
    submit_plan(alice, back.pk, today=TODAY, now=NOW)
    carry_out_due_plans(shop.actor, day=DAY, now=NOW)
    assert parent_of(shop, "A1") == before


def test_takes_drafts_back_where_they_are_to_be_rerouted(shop, alice):
    shop.run("2026-12-01", issue=False)
    before = planned(shop, alice, "move", "A1", "B", day=date(2026, 12, 2)).preview["drafts"]
    assert before == 1

    plan = submitted(shop, alice, "move", "A1", "B", day=date(2026, 12, 2), open_drafts="reroute")
    carry_out_due_plans(shop.actor, day=date(2026, 12, 2), now=NOW)

    assert fetched(shop, plan).result["rerouted_drafts"] == 1
    shop.run("2026-12-02")
    with shop.seen():
        found = {
            one.bill_to.external_id: one.net_minor
            for one in Invoice.objects.select_related("bill_to")
        }
    assert found == {"B": 2000}
    assert shop.violations() == []


def test_keeps_drafts_with_whom_they_are_addressed_to(shop, alice):
    shop.run("2026-12-01", issue=False)
    submitted(shop, alice, "move", "A1", "B", day=date(2026, 12, 2))
    carry_out_due_plans(shop.actor, day=date(2026, 12, 2), now=NOW)

    shop.run("2026-12-02")

    with shop.seen():
        found = {
            one.bill_to.external_id: one.net_minor
            for one in Invoice.objects.select_related("bill_to")
        }
    assert found == {"G": 1000, "B": 1000}


def test_earlier_days_go_by_the_path_of_those_days(shop, alice):
    """What falls due before the move is invoiced by the old family, though a run comes later."""
    plan = submitted(shop, alice, "move", "A", "X", day=date(2026, 12, 10))
    answer_plan(alice, plan.pk, accepts=True, reason="Agreed", today=TODAY, now=NOW)
    carry_out_due_plans(shop.actor, day=date(2026, 12, 10), now=NOW)
    assert parent_of(shop, "A") == shop.id_of("X")

    shop.run("2026-12-12")
    shop.run("2027-01-01", today=date(2027, 1, 1))

    with shop.seen():
        found = {
            (one.bill_to.external_id, str(one.issue_date)): one.net_minor
            for one in Invoice.objects.select_related("bill_to")
        }
    assert found == {
        ("G", "2026-12-12"): 1000,
        ("B", "2026-12-12"): 1000,
        ("X", "2027-01-01"): 1000,
        ("B", "2027-01-01"): 1000,
    }
    assert {code for _severity, code, _key in shop.problems()} == {"bill_to_not_contract_party"}
    assert shop.violations() == []


def test_a_draft_of_the_old_family_can_be_issued_after_the_move(shop, alice):
    shop.run("2026-12-01", issue=False)
    plan = submitted(shop, alice, "move", "A", "X", day=date(2026, 12, 10))
    answer_plan(alice, plan.pk, accepts=True, reason="Agreed", today=TODAY, now=NOW)
    carry_out_due_plans(shop.actor, day=date(2026, 12, 10), now=NOW)

    shop.run("2026-12-12")

    with shop.seen():
        found = {
            one.bill_to.external_id: one.net_minor
            for one in Invoice.objects.select_related("bill_to")
        }
    assert found == {"G": 1000, "B": 1000}
    assert shop.violations() == []


# -- people and mails --------------------------------------------------------------------------


def test_says_who_gains_and_loses_access_and_whose_mail_changes(shop, alice):
    for name, role, key in (("Lea", "viewer", "A"), ("Ben", "admin", "B"), ("Gus", "finance", "G")):
        shop.customer(name, role, key)

    preview = planned(shop, alice, "move", "A1", "B").preview

    people = {one["contact"]["name"]: (one["gains"], one["loses"]) for one in preview["access"]}
    assert people == {"Lea": ([], ["viewer"]), "Ben": (["admin"], [])}
    assert preview["recipients"] == {"stops": [], "starts": ["b@group.example"]}


def test_an_actor_is_named_who_asked_and_who_moved_the_clock(shop, alice):
    plan = submitted(shop, alice, "move", "A1", "B")
    carry_out_due_plans(shop.actor, day=DAY, now=NOW)

    with shop.seen():
        entry = AuditEntry.objects.get(action="plan.applied", object_id=plan.pk)
    assert (entry.actor_kind, entry.actor_label) == ("person", "Alice")


def test_invoices_go_to_a_person_of_the_customer_and_a_person_pays(shop, alice):
    """An account of the kind person is invoiced itself, and pays for another once it agrees."""
    shop.has("accounts", account("Eva", "A", kind="person", legal_name="Eva Muster"))
    shop.has("subscriptions", subscription("S9", "Eva", "ten", "2026-12-01"))
    first = submitted(shop, alice, "bill_to", "Eva", "Eva", day=TODAY)
    second = submitted(shop, alice, "payer", "B", "Eva", day=TODAY)
    assert (first.status, second.status) == ("applied", "waiting_acceptance")
    answer_plan(alice, second.pk, accepts=True, reason="By phone", today=TODAY, now=NOW)

    shop.run("2026-12-01")

    with shop.seen():
        rows = {
            one.bill_to.external_id: (one.snapshot["bill_to"]["legal_name"], one.payer.external_id)
            for one in Invoice.objects.select_related("bill_to", "payer")
        }
    assert rows["Eva"] == ("Eva Muster", "Eva")
    assert rows["B"][1] == "Eva"
