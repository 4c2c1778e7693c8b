"""Random trees and plans: what is previewed is what then happens, to the cent."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, Contact, SettingName
from accounts.operations.settings import Change, write_changes
from invoicing.models import ChangePlan, Charge, Invoice, InvoiceLine
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.people import addresses_of
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.standing import standing_of
from invoicing.queries.plans.wanted import TAKES_CREDIT, Wanted
from subscriptions.models import Subscription
from tenancy.database import scope
from tenancy.errors import Conflict, Invalid
from tenancy.queries.tenants import own_tenant
from tests.world import NOW, TODAY, account, price, subscription

LAST = date(2027, 3, 10)


def grow(vendor, chance):
    """Give a vendor two customers of random shape with settings, people and subscriptions."""
    keys, rows = [], []
    for root in ("P", "Q"):
        rows.append(account(root, billing_day=chance.choice([1, 15]), email=f"{root}@x.example"))
        own = [root]
        for number in range(chance.randint(3, 7)):
            key, parent = f"{root}{number}", chance.choice(own)
            cells = {}
            if chance.random() < 0.3:
                cells["bill_to"] = key
                cells["email"] = f"{key.lower()}@x.example"
            if chance.random() < 0.2:
                cells["payment_terms_days"] = chance.choice([7, 30])
            if chance.random() < 0.2:
                cells["consolidation"] = "per_account"
            rows.append(account(key, parent, **cells))
            own.append(key)
        keys += own
    vendor.has("accounts", *rows)
    plan_ahead(vendor, chance, keys)
    vendor.has(
        "prices",
        price("ten", "10", tax_rate=19),
        price("odd", "33.33", tax_rate=7),
        price("late", "5.55", timing="arrears", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        *(
            # Some have none, so that they can be closed.
            subscription(f"S{n}", chance.choice(keys[::2]), chance.choice(["ten", "odd", "late"]),
                         str(TODAY + timedelta(days=chance.randint(-20, 40))))
            for n in range(14)
        ),
    )  # fmt: skip
    people = {
        f"Pat{n}": vendor.customer(f"Pat{n}", chance.choice(["viewer", "admin"]), key)
        for n, key in enumerate(chance.sample(keys, 4))
    }
    return keys, people


def plan_ahead(vendor, chance, keys):
    """Let some settings change later: before the plan's day, on it or after it."""
    with scope(vendor.tenant_id):
        for key in chance.choices(keys, k=4):
            name, value = chance.choice(
                [
                    (SettingName.PAYMENT_TERMS_DAYS, 60),
                    (SettingName.BILLING_DAY, chance.choice([None, 8])),
                    (SettingName.CONSOLIDATION, chance.choice(["per_account", "one_invoice"])),
                    (SettingName.BILL_TO, chance.choice([None, vendor.id_of(key)])),
                ]
            )
            day = TODAY + timedelta(days=chance.randint(3, 80))
            write_changes(vendor.actor, [Change(vendor.id_of(key), name, None, value)], today=day)


def some_plan(vendor, chance, keys, kind, prepaid="stay"):
    return replace(_some_plan(vendor, chance, keys, kind), prepaid=prepaid)


def _some_plan(vendor, chance, keys, kind):
    key = chance.choice(keys)
    day = TODAY + timedelta(days=chance.randint(1, 45))
    if kind == "subscription":
        return some_recipient(vendor, chance, day)
    account_id, target_id, value = vendor.id_of(key), None, None
    if kind == "move":
        target_id = chance.choice([*(vendor.id_of(one) for one in keys), None])
    elif kind == "bill_to":
        target_id = chance.choice([account_id, None])
    elif kind in ("payer", "closing", "merge"):
        target_id = vendor.id_of(chance.choice(keys))
    elif kind == "consolidation":
        value = chance.choice(["per_account", "one_invoice", None])
    return Wanted(kind, account_id, day, target_id=target_id, value=value)


def some_recipient(vendor, chance, day):
    with vendor.seen():
        one = chance.choice(list(Subscription.objects.order_by("external_id")))
        target_id = chance.choice([None, *tree.path_ids(vendor.tenant_id, one.account_id)])
    overrides = {one.pk: target_id}
    return Wanted("subscription", one.account_id, day, target_id=target_id, overrides=overrides)


def reached(vendor, people, scope):
    """Return who may see which of the plan's accounts, by role's rights."""
    with vendor.seen():
        return {
            name: set(
                access.reach(actor, Action.VIEW_ACCOUNT)
                .filter(pk__in=scope)
                .values_list("pk", flat=True)
            )
            for name, actor in people.items()
        }


def next_invoices(vendor, day):
    """Return each recipient's first invoices from a day on, summed up, by id and currency."""
    found = {}
    with vendor.seen():
        rows = Invoice.objects.filter(issue_date__gte=day).select_related("bill_to", "payer")
        for one in rows.order_by("issue_date", "id"):
            first = found.setdefault(
                (one.bill_to.public_id, one.currency), [one.issue_date, 0, one.payer.public_id]
            )
            if first[0] == one.issue_date:
                first[1] += one.gross_minor
    return found


KINDS = [str(kind) for kind in ChangePlan.Kind]
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 25))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_previewed_is_what_then_happens(vendor, alice, kind, seed):
    _assert_kept(vendor, alice, Random(f"{kind} {seed}"), kind, "stay")


@pytest.mark.parametrize("kind", sorted(map(str, TAKES_CREDIT)))
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_credited_is_what_was_previewed(vendor, alice, kind, seed):
    preview = _assert_kept(vendor, alice, Random(f"credit {kind} {seed}"), kind, "credit")

    assert preview["more_credits"] == 0
    shown = sorted(
        (one["to"]["id"], one["to_payer"]["id"], one["account"]["id"], one["subscription"],
         one["period_start"], one["period_end"], -one["amount_minor"], one["invoice_on"])
        for one in preview["credits"]
    )  # fmt: skip
    with vendor.seen():
        credits = Charge.objects.filter(kind="credit").select_related("bill_to", "payer", "account")
        assert shown == sorted(
            (one.bill_to.public_id, one.payer.public_id, one.account.public_id,
             one.subscription.public_id, one.period_start.isoformat(), one.period_end.isoformat(),
             one.net_minor, one.invoice_on.isoformat())
            for one in credits.select_related("subscription")
        )  # fmt: skip
        placed = InvoiceLine.objects.filter(charge__kind="credit", charge__status="invoiced")
        for line in placed.select_related("invoice", "charge"):
            assert line.invoice.bill_to_id == line.charge.bill_to_id
            assert line.invoice.payer_id == line.charge.payer_id


def _assert_kept(vendor, alice, chance, kind, prepaid):
    keys, people = grow(vendor, chance)
    for attempt in range(60):
        wanted = some_plan(vendor, chance, keys, kind, prepaid)
        if prepaid == "credit" and wanted.day == TODAY + timedelta(days=1):
            continue  # by then no run has charged what was due before
        try:
            if prepaid == "credit" and attempt < 50 and not _credits(vendor, alice, wanted):
                continue
            plan = create_plan(alice, wanted, today=TODAY, now=NOW)
        except (Invalid, Conflict):
            continue
        break
    else:
        pytest.fail("no plan of sixty was possible")
    with vendor.seen():
        standing = standing_of(vendor.actor, wanted)
        scope = standing.scope
    seen_before = reached(vendor, people, scope)
    preview = plan.preview

    plan = submit_plan(alice, plan.pk, today=TODAY, now=NOW)
    if plan.status == "waiting_acceptance":
        plan = answer_plan(alice, plan.pk, accepts=True, reason="So", today=TODAY, now=NOW)
    advance_clock(vendor.actor, to_date=LAST, now=NOW)

    with vendor.seen():
        plan = ChangePlan.objects.get(pk=plan.pk)
        assert (plan.status, plan.failure) == ("applied", {})
    issued = next_invoices(vendor, wanted.day)
    for row in preview["billing"]:
        key = (row["bill_to"]["id"], row["currency"])
        after = row["after"]
        if after is None:
            until = wanted.day + timedelta(days=35)
            assert key not in issued or issued[key][0] > until, row
            continue
        assert issued[key] == [
            date.fromisoformat(after["date"]), row["after_minor"], after["payer"]["id"],
        ]  # fmt: skip
    _assert_people(vendor, people, preview, scope, seen_before)
    _assert_mails(vendor, wanted, scope, preview)
    assert vendor.faults() == []
    assert vendor.violations() == []
    return preview


def _credits(vendor, alice, wanted):
    with vendor.seen():
        tenant = own_tenant(alice)
        return preview_plan(alice, wanted, today=TODAY, tenant=tenant).shown["credits"]


def _assert_people(vendor, people, preview, scope, seen_before):
    changes = {one["contact"]["id"]: one for one in preview["access"]}
    seen_after = reached(vendor, people, scope)
    with vendor.seen():
        ids = {one.name: one.public_id for one in Contact.objects.all()}
    for name in people:
        lost, gained = seen_before[name] - seen_after[name], seen_after[name] - seen_before[name]
        change = changes.get(ids[name], {"gains": [], "loses": []})
        assert bool(gained) <= bool(change["gains"]), name
        assert bool(lost) <= bool(change["loses"]), name
        if not change["gains"] and not change["loses"]:
            assert seen_before[name] == seen_after[name]


def _assert_mails(vendor, wanted, scope, preview):
    """The addresses of then are those of before, without what stops and with what starts."""
    with vendor.seen():
        addresses = set()
        for key in scope:  # they may stand in two trees now
            is_one = wanted.kind == "subscription"
            there = wanted if is_one else Wanted("closing", key, wanted.day)
            now = standing_of(vendor.actor, there)
            addresses |= set(addresses_of(now, planned=is_one))
        assert not addresses & set(preview["recipients"]["stops"])
        assert set(preview["recipients"]["starts"]) <= addresses
        assert Account.objects.filter(pk=wanted.account_id).exists()
