"""Merging a duplicate: what comes along, what stays, and what stands against it."""

from datetime import date, timedelta

import pytest

from accounts import tree
from accounts.models import (
    Account,
    AccountNode,
    AccountTag,
    ApiKey,
    Contact,
    Grant,
    Placement,
    SettingInterval,
    SettingName,
)
from accounts.operations.accounts import AccountMerged as StaysMerged
from accounts.operations.accounts import reopen_account
from accounts.operations.settings import Change, write_changes
from invoicing.models import ChangePlan, Charge, Invoice, InvoiceSection
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.duplicates import merge_account
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.plans.reversing import MergeStays, reverse_plan
from invoicing.queries.plans import merging
from invoicing.queries.plans.checking import AccountArchived, SettingsOutsidePath
from invoicing.queries.plans.merging import (
    AccountMerged,
    CannotMerge,
    MergeBelow,
    MergeWithItself,
)
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Wanted
from invoicing.words import describe_warning
from subscriptions.models import EarlierOwner, Item, Subscription
from subscriptions.queries.mrr import mrr_then, mrr_total_then
from subscriptions.queries.subscriptions import subscriptions
from tenancy.database import scope
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry, Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 10)


@scene
def shop(vendor):
    """G has A, which is a duplicate of B; A has a child, pays for P and is another's recipient."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G", bill_to="A", payment_terms_days=7, email="a@old.example"),
        account("A1", "A", bill_to="A"),
        account("A2", "A", bill_to="A2", payer="A"),
        account("H", billing_day=1),
        account("B", "H", bill_to="B", payment_terms_days=30, email="b@new.example"),
        account("B1", "B"),
    )
    vendor.has(
        "prices",
        price("ten", "10", tax_rate=19),
        price("late", "5.55", timing="arrears", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "A1", "ten", "2026-12-01"),
        subscription("S3", "A2", "late", "2026-12-01"),
        subscription("S4", "B", "late", "2026-12-05"),
        subscription("S5", "A", "late", "2026-11-25"),
        subscription("S6", "A", "ten", "2026-11-24", end_date="2026-12-01"),
    )
    vendor.customer("Ada", "viewer", "A")
    vendor.customer("Abe", "admin", "A")
    vendor.customer("Bea", "finance", "B")
    with scope(vendor.tenant_id):
        a, b = vendor.id_of("A"), vendor.id_of("B")
        for key, name in ((a, "Trade"), (a, "North"), (b, "trade")):
            AccountTag.objects.create(
                tenant_id=vendor.tenant_id, account_id=key, name=name, key=name.casefold()
            )
        Account.objects.filter(pk=a).update(metadata={"crm": "1", "size": "L"})
        Account.objects.filter(pk=b).update(metadata={"crm": "2"})
    return vendor


def merge(shop, key="A", into="B", day=DAY, **values):
    return Wanted("merge", shop.id_of(key), day, target_id=shop.id_of(into), **values)


def planned(shop, actor, *args, **values):
    return create_plan(actor, merge(shop, *args, **values), today=TODAY, now=NOW)


def merged(shop, actor, *args, **values):
    """Merge today, whatever has been billed by then."""
    wanted = merge(shop, *args, **{"day": TODAY, **values})
    return merge_account(actor, wanted, today=TODAY, now=NOW)


def world(shop):
    with shop.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (
                Account, AccountNode, AccountTag, Placement, SettingInterval, Subscription, Item,
                Contact, Grant, ChangePlan, Charge, Invoice, EarlierOwner,
            )
        ]  # fmt: skip


def fetched(shop, key):
    with shop.seen():
        return Account.objects.get(pk=shop.id_of(key))


# -- what comes of it --------------------------------------------------------------------------


def test_previews_what_comes_along_and_what_does_not_and_changes_nothing(shop, alice):
    before = world(shop)
    wanted = merge(shop)

    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        shown = preview_plan(alice, wanted, today=TODAY, tenant=tenant).shown

    found = shown["merge"]
    assert found["into"]["external_id"] == "B"
    assert found["external_id"] == "A"
    assert {one["external_id"] for one in found["children"]} == {"A1", "A2"}
    assert (found["subscriptions"], found["ended_subscriptions"]) == (3, 0)
    assert {one["name"] for one in found["contacts"]} == {"Ada", "Abe"}
    assert {(one["name"], one["role"]) for one in found["roles"]} == {
        ("Ada", "viewer"), ("Abe", "admin"),
    }  # fmt: skip
    assert found["tags"] == ["North"]
    assert found["metadata"] == ["size"]
    assert found["metadata_kept"] == [{"name": "crm", "kept": "2", "dropped": "1"}]
    assert {"setting": "payment_terms_days", "old": 7, "new": 30} in found["settings"]
    assert {(one["account"]["external_id"], one["setting"]) for one in found["redirected"]} == {
        ("A1", "bill_to"), ("A2", "payer"),
    }  # fmt: skip
    assert {"name": "legal_name", "dropped": "A GmbH", "kept": "B GmbH"} in found["particulars"]
    gains = {one["contact"]["name"]: (one["gains"], one["loses"]) for one in shown["access"]}
    assert gains == {
        "Ada": (["viewer"], []), "Abe": (["admin"], []), "Bea": (["finance"], []),
    }  # fmt: skip
    assert shown["acceptance"] is None
    assert world(shop) == before


def test_merges_everything_and_archives_the_duplicate(shop, alice):
    plan = merged(shop, alice)

    assert (plan.status, plan.failure) == ("applied", {})
    duplicate, kept = fetched(shop, "A"), fetched(shop, "B")
    assert (duplicate.status, duplicate.merged_into_id) == ("archived", kept.pk)
    assert (kept.status, kept.metadata) == ("active", {"crm": "2", "size": "L"})
    with shop.seen():
        assert tree.path_ids(shop.tenant_id, duplicate.pk)[-2:] == [kept.pk, duplicate.pk]
        for key in ("A1", "A2"):
            assert tree.path_ids(shop.tenant_id, shop.id_of(key))[-2] == kept.pk
        placed = Placement.objects.filter(account_id=shop.id_of("A1")).order_by("valid_from")
        assert list(placed.values_list("parent_id", "valid_to")) == [
            (duplicate.pk, TODAY), (kept.pk, None),
        ]  # fmt: skip
        for number in (1, 5, 6):
            one = Subscription.objects.get(external_id=f"S{number}")
            assert one.account_id == kept.pk
            assert {item.account_id for item in one.items.all()} == {kept.pk}
        assert {one.account_id for one in Contact.objects.all()} == {kept.pk}
        assert not Grant.objects.filter(account=duplicate).exists()
        names = AccountTag.objects.filter(account=kept).values_list("name", flat=True)
        assert sorted(names) == ["North", "trade"]
        own = SettingInterval.objects.filter(target=duplicate, valid_to=None)
        assert not own.exists()
        assert (
            SettingInterval.objects.get(
                account_id=shop.id_of("A2"), name="payer", valid_to=None
            ).target_id
            == kept.pk
        )
        said = set(AuditEntry.objects.values_list("action", flat=True))
    assert {
        "account.merged", "account.moved", "account.settings_changed", "account.updated",
        "contact.updated", "grant.created", "plan.applied", "subscription.handed_over",
    } <= said  # fmt: skip
    assert (shop.faults(), shop.violations()) == ([], [])


def test_bills_to_the_cent_what_the_preview_says(shop, alice):
    plan = planned(shop, alice)
    preview = plan.preview
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)
    advance_clock(shop.actor, to_date=date(2027, 1, 15), now=NOW)

    with shop.seen():
        assert ChangePlan.objects.get(pk=plan.pk).failure == {}
        rows = Invoice.objects.filter(issue_date__gte=DAY).select_related("bill_to", "payer")
        issued = {}
        for one in rows.order_by("issue_date", "id"):
            first = issued.setdefault(one.bill_to.external_id, [one.issue_date, 0, one.payer.name])
            if first[0] == one.issue_date:
                first[1] += one.gross_minor
    after = {
        row["bill_to"]["external_id"]: [
            date.fromisoformat(row["after"]["date"]),
            row["after_minor"],
            row["after"]["payer"]["name"],
        ]
        for row in preview["billing"]
        if row["after"] is not None
    }
    assert {key: issued[key] for key in after} == after
    assert after["B"][1] > 0
    gone = {r["bill_to"]["external_id"] for r in preview["billing"] if r["after"] is None}
    assert gone == {"A"}
    assert not [one for one in issued if one == "A"]
    assert (shop.faults(), shop.violations()) == ([], [])


def test_issued_invoices_stay_as_they_were_with_the_duplicate(shop, alice):
    advance_clock(shop.actor, to_date=date(2026, 12, 2), now=NOW)
    today = date(2026, 12, 2)
    with shop.seen():
        before = sorted(map(str, Invoice.objects.values_list()))
        sections = sorted(map(str, InvoiceSection.objects.values_list()))
        assert Invoice.objects.filter(bill_to_id=shop.id_of("A")).exists()

    merge_account(alice, merge(shop, day=today), today=today, now=NOW)

    with shop.seen():
        assert sorted(map(str, Invoice.objects.values_list())) == before
        assert sorted(map(str, InvoiceSection.objects.values_list())) == sections
        # Ended and charged: it stays where it was.
        ended = Subscription.objects.get(external_id="S6")
        assert ended.account_id == shop.id_of("A")
    assert shop.violations() == []


def test_earlier_days_show_whose_subscriptions_were(shop, alice):
    day = date(2026, 12, 10)
    advance_clock(shop.actor, to_date=day, now=NOW)
    merge_account(alice, merge(shop, day=day), today=day, now=NOW)
    earlier = day - timedelta(days=1)

    with shop.seen():
        ids = {key: shop.id_of(key) for key in ("A", "B", "G", "H")}
        then = mrr_then(shop.actor, ids.values(), earlier)
        now = mrr_then(shop.actor, ids.values(), day)
        assert {k: then[v].own for k, v in ids.items()} == {
            "A": {"EUR": 1555}, "B": {"EUR": 555}, "G": {}, "H": {},
        }  # fmt: skip
        assert {k: now[v].own for k, v in ids.items()} == {
            "A": {}, "B": {"EUR": 2110}, "G": {}, "H": {},
        }  # fmt: skip
        assert (then[ids["G"]].tree, then[ids["H"]].tree) == ({"EUR": 3110}, {"EUR": 555})
        assert (now[ids["G"]].tree, now[ids["H"]].tree) == ({}, {"EUR": 3665})
        assert mrr_total_then(shop.actor, [ids["G"]], earlier) == {"EUR": 3110}
        assert mrr_total_then(shop.actor, [ids["G"]], day) == {}
        listed = subscriptions(shop.actor, within=ids["G"], stood_on=earlier, today=day)
        assert {one.external_id for one in listed} == {"S1", "S2", "S3", "S5", "S6"}
        listed = subscriptions(shop.actor, within=ids["G"], stood_on=day, today=day)
        assert {one.external_id for one in listed} == set()


def test_people_with_one_address_become_one_with_the_days_of_both(shop, alice):
    with scope(shop.tenant_id):
        a, b = shop.id_of("A"), shop.id_of("B")
        one, other = (
            Contact.objects.create(tenant_id=shop.tenant_id, account_id=key, name=name, email=email)
            for key, name, email in ((a, "Kim", "KIM@x.example"), (b, "Kim B", "kim@x.example"))
        )
        for contact, key, start, end in (
            (one, a, None, date(2027, 1, 1)),
            (other, b, TODAY, None),
            (one, b, None, None),
        ):
            Grant.objects.create(
                tenant_id=shop.tenant_id, contact=contact, account_id=key, role="viewer",
                starts_on=start, ends_on=end,
            )  # fmt: skip
        ApiKey.objects.create(
            tenant_id=shop.tenant_id, name="Till", prefix="sk_x", digest="d" * 64, reach_id=a
        )

    plan = merged(shop, alice)

    shown = plan.preview["merge"]
    assert shown["same_contacts"] == [{"name": "Kim", "email": "KIM@x.example"}]
    assert shown["api_keys"] == ["Till"]
    with shop.seen():
        assert not Contact.objects.filter(pk=one.pk).exists()
        role = Grant.objects.get(contact=other)
        assert (role.account_id, role.starts_on, role.ends_on) == (b, None, None)
        assert ApiKey.objects.get(name="Till").reach_id == b


def test_drafts_of_the_day_are_made_anew_for_the_kept_account(shop, alice):
    shop.run(date(2026, 12, 1), issue=False)
    with shop.seen():
        drafts = Invoice.objects.filter(bill_to_id=shop.id_of("A"), status__in=Invoice.UNISSUED)
        assert drafts.exists()
    day = date(2026, 12, 1)

    merge_account(alice, merge(shop, day=day), today=day, now=NOW)

    with shop.seen():
        assert not Charge.objects.filter(
            account_id=shop.id_of("A"), status="pending", invoice_on__gte=day
        ).exists()
        assert not InvoiceSection.objects.filter(
            account_id=shop.id_of("A"), invoice__status__in=Invoice.UNISSUED
        ).exists()
    advance_clock(shop.actor, to_date=date(2026, 12, 3), now=NOW)
    with shop.seen():
        assert not Invoice.objects.filter(bill_to_id=shop.id_of("A")).exists()
    assert (shop.faults(), shop.violations()) == ([], [])


@pytest.mark.parametrize("drafts", ["keep", "reroute"])
def test_drafts_of_earlier_days_stay_or_follow(shop, alice, drafts):
    shop.run(date(2026, 12, 1), issue=False)
    day = date(2026, 12, 2)

    merge_account(alice, merge(shop, day=day, open_drafts=drafts), today=day, now=NOW)

    shop.run(date(2026, 12, 3), today=date(2026, 12, 3))
    with shop.seen():
        found = Invoice.objects.exclude(number=None).values_list("bill_to__external_id", flat=True)
        owner = "A" if drafts == "keep" else "B"
        other = "B" if drafts == "keep" else "A"
        assert owner in set(found)
        assert other not in set(found)
    assert (shop.faults(), shop.violations()) == ([], [])


def test_a_duplicate_merged_before_leads_to_the_last_one(shop, alice):
    merged(shop, alice, "A2", "A")
    merged(shop, alice)

    assert fetched(shop, "A2").merged_into_id == shop.id_of("B")


def test_a_child_can_go_up_in_the_account_above_it(shop, alice):
    plan = merged(shop, alice, "A1", "A")

    assert plan.status == "applied"
    with shop.seen():
        assert Subscription.objects.get(external_id="S2").account_id == shop.id_of("A")
    assert shop.faults() == []


def test_files_that_name_the_duplicate_find_the_kept_account_or_are_told(shop, alice):
    merged(shop, alice)
    shop.has("subscriptions", subscription("S9", "A", "ten", "2026-12-01"))
    shop.has("contacts", {"external_id": "c9", "account_external_id": "A", "name": "Cay",
                          "email": "cay@x.example"})  # fmt: skip

    with shop.seen():
        assert Subscription.objects.get(external_id="S9").account_id == shop.id_of("B")
        assert Contact.objects.get(external_id="c9").account_id == shop.id_of("B")
    report = shop.load("accounts", [account("N", "A"), account("A")])
    codes = [(one.row, one.column, one.code) for one in report.errors]
    assert tuple(code for _r, _c, code in codes[:2]) == ("account_merged", "account_merged")
    assert {column for _row, column, _code in codes} >= {"parent_external_id", "external_id"}


# -- what stands against it --------------------------------------------------------------------


def refused(shop, actor, error, *args, **values):
    before = world(shop)
    with pytest.raises(error) as caught:
        merged(shop, actor, *args, **values)
    assert world(shop) == before
    return caught.value


@pytest.mark.parametrize(
    ("key", "into", "error"),
    [("A", "A", MergeWithItself), ("A", "A1", MergeBelow), ("G", "A1", MergeBelow)],
)
def test_refuses_itself_and_what_stands_below(shop, alice, key, into, error):
    refused(shop, alice, error, key, into)


def test_refuses_what_was_merged_or_archived(shop, alice):
    merged(shop, alice)
    for key, into in (("A", "H"), ("H", "A"), ("B", "A")):
        assert "B" in refused(shop, alice, AccountMerged, key, into).detail
    with scope(shop.tenant_id):
        Account.objects.filter(pk=shop.id_of("B1")).update(status="archived")
    refused(shop, alice, AccountArchived, "B1", "B")
    refused(shop, alice, AccountArchived, "G", "B1")


def test_refuses_who_may_not_and_another_tenants_account(shop, alice, bob, charlie):
    refused(shop, bob("G"), Forbidden)
    before = world(shop)
    with pytest.raises(NotFound):
        merge_account(charlie, merge(shop, day=TODAY), today=TODAY, now=NOW)
    assert world(shop) == before


def test_refuses_while_a_change_is_planned_that_names_it(shop, alice):
    plan = create_plan(
        alice, Wanted("move", shop.id_of("B1"), DAY, target_id=shop.id_of("A")), today=TODAY,
        now=NOW,
    )  # fmt: skip
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)
    with shop.seen():
        waits = ChangePlan.objects.get(pk=plan.pk).status in ChangePlan.OPEN
    assert waits

    error = refused(shop, alice, CannotMerge)

    assert [one.code for one in error.errors] == ["open_plan"]


def test_says_which_other_plans_it_stops_and_those_stop(shop, alice):
    def scheduled(wanted):
        plan = create_plan(alice, wanted, today=TODAY, now=NOW)
        return submit_plan(alice, plan.pk, today=TODAY, now=NOW)

    later = DAY + timedelta(days=3)
    shop.has("accounts", account("X"), account("A3", "A"), account("A4", "A"), account("G2", "G"))
    inside = scheduled(Wanted("move", shop.id_of("A3"), later, target_id=shop.id_of("G")))
    last = later + timedelta(days=1)
    named = scheduled(Wanted("move", shop.id_of("G2"), last, target_id=shop.id_of("A1")))
    scheduled(Wanted("consolidation", shop.id_of("X"), later, value="per_account"))
    draft = Wanted("move", shop.id_of("A4"), later, target_id=shop.id_of("G"))
    create_plan(alice, draft, today=TODAY, now=NOW)

    plan = planned(shop, alice)

    stops = [one for one in plan.preview["warnings"] if one["code"] == "other_plan_stops"]
    assert [
        (one["plan"], one["account"]["external_id"], one["effective_date"]) for one in stops
    ] == [
        (inside.public_id, "A3", later.isoformat()),
        (named.public_id, "G2", last.isoformat()),
    ]
    assert "A3" in describe_warning(stops[0])
    assert submit_plan(alice, plan.pk, today=TODAY, now=NOW).status == "scheduled"
    done = carry_out_due_plans(shop.actor, day=last, now=NOW)
    by_key = {one.public_id: one for one in done}
    assert by_key[plan.public_id].status == "applied"
    for one in (inside, named):
        assert by_key[one.public_id].failure["code"] == "world_changed"
    assert [one.status for one in done].count("failed") == 2


def test_refuses_more_levels_than_there_may_be_on_the_way(shop, alice, monkeypatch):
    # A1 goes with A below B: the fourth level, until it is put beside A.
    monkeypatch.setattr(merging.tree, "MAX_DEPTH", 3)
    assert "tree_too_deep" in [one.code for one in refused(shop, alice, CannotMerge).errors]
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        with pytest.raises(CannotMerge):
            preview_plan(alice, merge(shop), today=TODAY, tenant=tenant)


def test_refuses_while_a_later_setting_names_it(shop, alice):
    with scope(shop.tenant_id):
        change = Change(shop.id_of("A2"), SettingName.BILL_TO, None, shop.id_of("A"))
        write_changes(shop.actor, [change], today=DAY)

    assert [one.code for one in refused(shop, alice, CannotMerge).errors] == ["setting_later"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MOST_CHILDREN", "too_many_children"),
        ("MOST_SUBSCRIPTIONS", "too_many_subscriptions"),
        ("MOST_POINTING", "too_many_pointing"),
    ],
)
def test_refuses_more_than_one_transaction_takes(shop, alice, monkeypatch, name, code):
    monkeypatch.setattr(merging, name, 1)

    assert code in [one.code for one in refused(shop, alice, CannotMerge).errors]


def test_refuses_more_than_one_account_can_have(shop, alice):
    with scope(shop.tenant_id):
        a, b = shop.id_of("A"), shop.id_of("B")
        for number in range(19):
            AccountTag.objects.create(
                tenant_id=shop.tenant_id, account_id=b, name=f"t{number}", key=f"t{number}"
            )
        Account.objects.filter(pk=a).update(metadata={f"m{n}": n for n in range(50)})
        contact = Contact.objects.get(name="Bea")
        for key, start, end in ((a, date(2027, 5, 1), None), (b, None, date(2027, 1, 1))):
            Grant.objects.create(
                tenant_id=shop.tenant_id, contact=contact, account_id=key, role="viewer",
                starts_on=start, ends_on=end,
            )  # fmt: skip

    codes = [one.code for one in refused(shop, alice, CannotMerge).errors]

    assert codes == ["invalid_tags", "invalid_metadata", "roles_apart"]


def test_what_would_point_outside_has_to_be_answered(shop, alice):
    with scope(shop.tenant_id):
        change = Change(shop.id_of("A1"), SettingName.BILL_TO, None, shop.id_of("G"))
        write_changes(shop.actor, [change], today=TODAY)

    refused(shop, alice, SettingsOutsidePath)

    plan = merged(shop, alice, settings={shop.id_of("A1"): {"bill_to": None}})
    assert plan.status == "applied"


def test_whoever_comes_to_be_invoiced_in_another_family_has_to_agree(shop, alice):
    with scope(shop.tenant_id):
        change = Change(shop.id_of("B"), SettingName.BILL_TO, None, None)
        write_changes(shop.actor, [change], today=TODAY)

    plan = merged(shop, alice, day=DAY)

    assert (plan.status, plan.receiver_id) == ("waiting_acceptance", shop.id_of("H"))
    plan = answer_plan(alice, plan.pk, accepts=True, reason="Same firm", today=TODAY, now=NOW)
    assert plan.status == "scheduled"


def test_fails_on_its_day_if_something_else_points_to_it_then(shop, alice):
    plan = merged(shop, alice, day=DAY)
    with scope(shop.tenant_id):
        change = Change(shop.id_of("B1"), SettingName.PAYER, None, shop.id_of("A"))
        write_changes(shop.actor, [change], today=TODAY)
    advance_clock(shop.actor, to_date=DAY, now=NOW)

    with shop.seen():
        plan = ChangePlan.objects.get(pk=plan.pk)
    assert (plan.status, plan.failure["code"]) == ("failed", "world_changed")
    assert fetched(shop, "A").status == "active"


def test_cannot_be_reversed_and_the_duplicate_stays_archived(shop, alice):
    plan = merged(shop, alice)
    before = world(shop)

    with pytest.raises(MergeStays):
        reverse_plan(alice, plan.pk, effective_date=TODAY, today=TODAY, now=NOW)
    with pytest.raises(StaysMerged):
        reopen_account(alice, shop.id_of("A"), now=NOW)

    assert world(shop) == before


def test_any_number_below_follows_with_one_write_of_the_tree(
    shop, alice, django_assert_max_num_queries
):
    shop.has("accounts", *(account(f"A1-{n}", "A1") for n in range(3)))
    shop.has("accounts", *(account(f"N{n}", "A") for n in range(12)))

    with django_assert_max_num_queries(300):
        plan = merged(shop, alice)

    assert plan.status == "applied"
    with shop.seen():
        kept = AccountNode.objects.get(account_id=shop.id_of("B"))
        below = AccountNode.objects.filter(parent=kept).values_list("account__external_id", "level")
        names = {"A", "A1", "A2", "B1", *(f"N{n}" for n in range(12))}
        assert dict(below) == dict.fromkeys(names, kept.level + 1)
        assert AccountNode.objects.get(account_id=shop.id_of("A1-2")).level == kept.level + 2
    assert shop.faults() == []
