"""A price costs something else from a day on, for everybody or below an account: to the cent."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import Account
from invoicing.models import Charge
from invoicing.operations.prices.beginning import (
    begin_version,
    end_version,
    preview_end,
    preview_version,
    resume_repricing,
    stop_repricing,
)
from invoicing.operations.prices.working import work_on_repricing
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.opening import InvalidChange
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries import repricing
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.wanted import Wanted
from invoicing.words import describe_warning
from subscriptions.models import EarlierTerms, Item, Price, Subscription
from subscriptions.operations.catalogue import (
    InvalidPrice,
    NewVersion,
    PriceChangeUnderWay,
    PriceVersionsOverlap,
)
from subscriptions.operations.catalogue.adding import AlreadyAdded
from subscriptions.operations.catalogue.versions import (
    EndsAlready,
    NotTheLast,
    PriceArchived,
    PriceOwnerArchived,
    SameTerms,
)
from subscriptions.operations.subscriptions.creating import (
    InvalidSubscription,
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.catalogue import prices
from subscriptions.queries.mrr import mrr_of
from subscriptions.queries.terms import items_on
from tenancy.actor import Actor
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import public_id, uuid7
from tenancy.models import AuditEntry, Event, Job, JobPiece, Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """Two families; G and below have the price three times, X once."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("B", "G"),
        account("BB", "B"),
        account("X", billing_day=1),
    )
    vendor.has(
        "prices",
        price("old", "100", tax_rate=19),
        price("other", "30", tax_rate=19),
        price("seat", "10", model="per_unit", tax_rate=19),
        price("later", "31", timing="arrears", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S", "A", "old", "2026-11-01"),
        subscription("T", "BB", "old", "2026-11-11"),
        subscription("U", "X", "old", "2026-11-01"),
        subscription("SEATS", "A", "seat", "2026-11-01", 10),
        subscription("LATER", "A", "later", "2026-10-01"),
        subscription("ENDED", "A", "old", "2026-09-01", end_date="2026-10-01"),
    )
    return vendor


@scene
def billed(shop):
    """The same, billed up to 23 November."""
    shop.run("2026-11-23")
    return shop


def key_of(shop, key):
    with shop.seen():
        return Price.objects.get(external_id=key).pk


def begun(shop, key, day, amount="120", *, at=None, actor=None, work=True, **values):
    """Store a version and carry it out."""
    wanted = NewVersion(
        D(day),
        {"unit_amount": Decimal(amount), **values.pop("changes", {})},
        shop.id_of(at) if at else None,
        **values,
    )
    version, job = begin_version(
        actor or shop.actor, key_of(shop, key), wanted, today=TODAY, now=NOW
    )
    if work:
        through(shop, job)
    return version, job


def preview(shop, key, day, amount="120", *, at=None):
    wanted = NewVersion(D(day), {"unit_amount": Decimal(amount)}, shop.id_of(at) if at else None)
    with shop.seen():
        return preview_version(shop.actor, key_of(shop, key), wanted, today=TODAY).effect


def ended(shop, version, day):
    version, job = end_version(
        shop.actor, version.pk, D(day) if day else None, today=TODAY, now=NOW
    )
    through(shop, job)
    return version, job


def through(shop, job):
    while work_on_repricing(Actor.system(shop.tenant_id), job.pk, now=NOW):
        pass
    with shop.seen():
        job.refresh_from_db()
    return job


def costs(shop, key, *days):
    """Return what the items of a subscription cost on some days, in units of their prices."""
    with shop.seen():
        items = list(Item.objects.filter(subscription__external_id=key).select_related("price"))
        return [
            [int(one.price.unit_amount) for one in items_on(shop.actor, items, D(day))]
            for day in days
        ]


def mrr(shop, day):
    with shop.seen():
        keys = list(Account.objects.values_list("pk", flat=True))
        found = mrr_of(shop.actor, keys, day)
        return sum(one.own.get("EUR", 0) for one in found.values())


def charges_of(shop, key):
    with shop.seen():
        return [
            (one.kind, str(one.period_start), str(one.period_end), one.net_minor)
            for one in Charge.objects.filter(subscription__external_id=key).order_by(
                "period_start", "revision", "kind"
            )
        ]


# -- for everybody -----------------------------------------------------------------------------


def test_from_the_day_on_everything_that_runs_costs_the_new_amount(billed):
    effect = preview(billed, "old", "2027-01-01")
    before = mrr(billed, D("2027-01-01"))
    version, job = begun(billed, "old", "2027-01-01")

    assert (version.number, version.valid_from, version.account_id) == (2, D("2027-01-01"), None)
    assert (effect.items, effect.changed, effect.own_choice) == (3, 3, 0)
    assert (effect.before_minor, effect.after_minor) == (30000, 36000)
    assert (len(effect.accounts), len(effect.bill_tos), effect.begun) == (3, 2, 0)
    assert (job.status, job.result["changed"], job.result["skipped"]) == ("done", 3, {})
    assert mrr(billed, D("2027-01-01")) - before == effect.difference_minor
    assert costs(billed, "S", "2026-12-31", "2027-01-01") == [[100], [120]]
    assert costs(billed, "SEATS", "2027-01-01") == [[10]]
    assert charges_of(billed, "S") == [("recurring", "2026-11-01", "2026-12-01", 10000)]
    billed.run("2027-01-01", today=D("2027-01-01"))
    assert charges_of(billed, "S")[1:] == [
        ("recurring", "2026-12-01", "2027-01-01", 10000),
        ("recurring", "2027-01-01", "2027-02-01", 12000),
    ]
    assert billed.violations() == []


def test_inside_a_period_that_was_charged_both_parts_are_at_one_fraction(billed):
    _version, job = begun(billed, "old", "2026-11-20")

    assert charges_of(billed, "S") == [
        ("recurring", "2026-11-01", "2026-12-01", 10000),
        ("credit", "2026-11-20", "2026-12-01", -3667),
        ("recurring", "2026-11-20", "2026-12-01", 4400),
    ]
    assert (job.result["credited_minor"], job.result["charged_minor"]) == (
        3667 * 3, 4400 * 3
    )  # fmt: skip
    billed.run("2026-12-01", today=D("2026-12-01"))
    assert charges_of(billed, "S")[-1] == ("recurring", "2026-12-01", "2027-01-01", 12000)
    assert billed.violations() == []


def test_inside_a_period_to_come_it_is_charged_in_two_parts(billed):
    begun(billed, "old", "2026-12-11")
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert charges_of(billed, "S")[1:] == [
        ("recurring", "2026-12-01", "2026-12-11", 3226),
        ("recurring", "2026-12-11", "2027-01-01", 8129),
    ]
    assert billed.violations() == []


def test_in_arrears_too(billed):
    begun(billed, "later", "2026-11-16", "62")
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert charges_of(billed, "LATER")[-2:] == [
        ("recurring", "2026-11-01", "2026-11-16", 1550),
        ("recurring", "2026-11-16", "2026-12-01", 3100),
    ]
    assert billed.violations() == []


def test_whoever_begins_has_the_version_of_the_day_and_those_that_follow(shop):
    begun(shop, "old", "2027-01-01")
    begun(shop, "old", "2027-03-01", "150")
    shop.has(
        "subscriptions",
        subscription("FILE", "A", "old", "2026-12-01"),
        subscription("LATE", "A", "old", "2027-02-01"),
    )
    made = create_subscription(
        shop.actor,
        shop.id_of("A"),
        NewSubscription([NewItem(key_of(shop, "old"), Decimal(1))], D("2026-12-15"),
                        external_id="API"),
        now=NOW,
    )  # fmt: skip

    days = ("2026-12-20", "2027-02-01", "2027-03-01")
    assert costs(shop, "FILE", *days) == [[100], [120], [150]]
    assert costs(shop, "API", *days) == [[100], [120], [150]]
    assert costs(shop, "LATE", *days[1:]) == [[120], [150]]
    # The same file says the same of who has it.
    report = shop.load("subscriptions", [subscription("LATE", "A", "old", "2027-02-01")])
    assert (report.errors, report.unchanged) == ((), 1)
    assert made.items.all()[0].price_id == key_of(shop, "old")


def test_a_version_that_is_named_stands_for_the_price_unless_it_is_meant_exactly(shop, bob):
    version, _job = begun(shop, "old", "2026-12-01")
    for key, exact in (("LIST", False), ("OWN", True)):
        create_subscription(
            shop.actor,
            shop.id_of("A"),
            NewSubscription(
                [NewItem(key_of(shop, "old"), Decimal(1), exact)], D("2026-12-05"), external_id=key
            ),
            now=NOW,
        )

    assert costs(shop, "LIST", "2026-12-05") == [[120]]
    assert costs(shop, "OWN", "2026-12-05") == [[100]]
    effect = preview(shop, "old", "2027-01-01", "130")
    _version, job = begun(shop, "old", "2027-01-01", "130")
    assert (effect.changed, effect.own_choice) == (4, 1)
    assert job.result["skipped"]["own_choice"][0] == 1
    assert costs(shop, "OWN", "2027-01-01") == [[100]]
    assert version.pk != key_of(shop, "old")


def test_another_quantity_holds_across_a_version_that_was_there_already(billed):
    begun(billed, "seat", "2027-01-01", "12")
    with billed.seen():
        item = Item.objects.get(subscription__external_id="SEATS")
    change_subscription(
        billed.actor,
        item.subscription_id,
        [ItemChange(item.pk, quantity=Decimal(7))],
        day=D("2026-12-01"),
        today=TODAY,
        now=NOW,
    )

    with billed.seen():
        item = Item.objects.get(pk=item.pk)
        then = items_on(billed.actor, [item], D("2026-12-01"))[0]
        assert (item.quantity, item.price.unit_amount, item.monthly_minor) == (7, 12, 8400)
        assert (then.quantity, then.price.unit_amount) == (7, 10)


def test_changing_to_a_price_brings_its_versions_along(billed):
    begun(billed, "old", "2027-01-01")
    with billed.seen():
        item = Item.objects.get(subscription__external_id="SEATS")
    change_subscription(
        billed.actor,
        item.subscription_id,
        [ItemChange(item.pk, key_of(billed, "old"))],
        day=D("2026-12-01"),
        today=TODAY,
        now=NOW,
    )

    assert costs(billed, "SEATS", "2026-11-30", "2026-12-01", "2027-01-01") == [[10], [100], [120]]


def test_a_pause_and_a_later_change_stay_what_they_are(billed):
    with billed.seen():
        item = Item.objects.get(subscription__external_id="S")
    change_subscription(
        billed.actor, item.subscription_id, [ItemChange(item.pk, quantity=Decimal(5))],
        day=D("2027-02-01"), today=TODAY, now=NOW,
    )  # fmt: skip
    begun(billed, "old", "2027-01-01")

    with billed.seen():
        item = Item.objects.get(pk=item.pk)
        found = [
            (one.quantity, one.price.unit_amount)
            for day in ("2026-12-31", "2027-01-01", "2027-02-01")
            for one in items_on(billed.actor, [item], D(day))
        ]
    assert found == [(1, 100), (1, 120), (5, 120)]


def test_it_is_sold_from_its_day_on(shop):
    version, _job = begun(shop, "old", TODAY.isoformat())
    future, _job = begun(shop, "old", "2027-01-01", "130")

    with shop.seen():
        sold = {one.pk for one in prices(shop.staff("Ada", "owner"), is_sold=True)}
    assert version.pk in sold
    assert not {key_of(shop, "old"), future.pk} & sold


# -- refusals, twice, at once ------------------------------------------------------------------


def test_versions_never_overlap(shop):
    begun(shop, "old", "2027-01-01")

    for day in ("2026-12-01", "2027-01-01"):
        with pytest.raises(PriceVersionsOverlap):
            begun(shop, "old", day)
    begun(shop, "old", "2027-01-02", "130")


def test_the_next_waits_until_the_last_is_through(shop):
    _version, job = begun(shop, "old", "2027-01-01", work=False)

    with pytest.raises(PriceChangeUnderWay):
        begun(shop, "old", "2027-02-01", "130")
    through(shop, job)
    begun(shop, "old", "2027-02-01", "130")
    assert costs(shop, "S", "2027-01-31", "2027-02-01") == [[120], [130]]


@pytest.mark.parametrize(
    ("changes", "day", "refusal", "code"),
    [
        ({"currency": "USD"}, "2027-01-01", InvalidPrice, "currency_without_price"),
        ({"interval": "year"}, "2027-01-01", InvalidPrice, "other_period"),
        ({"timing": "arrears"}, "2027-01-01", InvalidPrice, "other_period"),
        ({"unit_amount": Decimal(-1)}, "2027-01-01", InvalidPrice, "amount_negative"),
        ({"unit_amount": Decimal("NaN")}, "2027-01-01", InvalidPrice, "out_of_range"),
        ({"unit_amount": Decimal("1e400")}, "2027-01-01", InvalidPrice, "out_of_range"),
        ({"name": ""}, "2027-01-01", InvalidPrice, "invalid"),
        ({}, "1969-01-01", InvalidPrice, "out_of_range"),
        ({"unit_amount": Decimal(100)}, "2027-01-01", SameTerms, "nothing_to_change"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(shop, changes, day, refusal, code):
    with pytest.raises(refusal) as refused:
        begun(shop, "old", day, changes=changes)

    assert code in {refused.value.code, *(error.code for error in refused.value.errors)}
    with shop.seen():
        assert not Price.objects.filter(first__isnull=False).exists()
        assert not Job.objects.exists()


def test_an_archived_price_or_account_gets_none(shop):
    with shop.seen():
        Price.objects.filter(external_id="other").update(archived_at=NOW)
        Account.objects.filter(external_id="X").update(status="archived")

    with pytest.raises(PriceArchived):
        begun(shop, "other", "2027-01-01")
    with pytest.raises(PriceOwnerArchived):
        begun(shop, "old", "2027-01-01", at="X")


def test_one_form_makes_one(shop):
    wanted = NewVersion(D("2027-01-01"), {"unit_amount": Decimal(9)}, key=uuid7())
    begin_version(shop.actor, key_of(shop, "old"), wanted, today=TODAY, now=NOW)

    with pytest.raises(AlreadyAdded):
        begin_version(shop.actor, key_of(shop, "old"), wanted, today=TODAY, now=NOW)


def test_who_may_not_change_prices_and_subscriptions_may_not(shop):
    with pytest.raises(Forbidden):
        begun(shop, "old", "2027-01-01", actor=shop.staff("Bea", "billing"))
    with pytest.raises((Forbidden, NotFound)):
        begun(shop, "old", "2027-01-01", actor=shop.customer("Cara", "admin", "G"))


def test_customers_do_not_choose_versions(shop):
    begun(shop, "old", "2026-11-24")
    cara = shop.customer("Cara", "admin", "G")
    wanted = NewSubscription([NewItem(key_of(shop, "old"), Decimal(1), True)], D("2026-12-01"))

    with pytest.raises(InvalidSubscription) as refused:
        create_subscription(cara, shop.id_of("A"), wanted, now=NOW)
    assert [one.code for one in refused.value.errors] == ["exact_price_not_allowed"]


def test_a_job_that_is_done_again_changes_nothing(billed):
    _version, job = begun(billed, "old", "2026-11-20")
    with billed.seen():
        before = list(EarlierTerms.objects.values("item", "price", "until"))
        charges = Charge.objects.count()
        ids = list(Subscription.objects.values_list("pk", flat=True))
        again = Job.objects.create(
            tenant_id=billed.tenant_id, kind="prices", params=job.params, total=len(ids),
            created_by_label="x", requested_by=job.requested_by, created_at=NOW,
        )  # fmt: skip
        content = b"".join(one.bytes for one in ids)
        JobPiece.objects.create(tenant_id=billed.tenant_id, job=again, number=0, content=content)
    through(billed, again)

    with billed.seen():
        assert list(EarlierTerms.objects.values("item", "price", "until")) == before
        assert Charge.objects.count() == charges
    assert again.result["changed"] == 0


def test_stopped_it_keeps_what_is_done_and_goes_on(shop, monkeypatch):
    for module in ("beginning", "working"):
        monkeypatch.setattr(f"invoicing.operations.prices.{module}.PIECE", 1)
    _version, job = begun(shop, "old", "2027-01-01", work=False)
    system = Actor.system(shop.tenant_id)
    assert work_on_repricing(system, job.pk, now=NOW)
    stop_repricing(shop.actor, job.pk, now=NOW)
    assert not work_on_repricing(system, job.pk, now=NOW)
    with shop.seen():
        assert Item.objects.filter(price__number=2).count() == 1

    resume_repricing(shop.actor, job.pk, today=TODAY, now=NOW)
    through(shop, job)

    assert (job.status, job.done, job.result["changed"]) == ("done", 3, 3)
    with pytest.raises(PriceVersionsOverlap):
        begun(shop, "old", "2027-01-01")


def test_what_changed_meanwhile_is_passed_over_and_listed(shop):
    _version, job = begun(shop, "old", "2027-01-01", work=False)
    with shop.seen():
        item = Item.objects.get(subscription__external_id="U")
    change_subscription(
        shop.actor, item.subscription_id, [ItemChange(item.pk, key_of(shop, "other"))],
        day=D("2026-12-01"), today=TODAY, now=NOW,
    )  # fmt: skip
    through(shop, job)

    assert job.result["changed"] == 2
    assert job.result["skipped"]["as_it_was"][1][0][1:] == ["U", "X"]
    assert costs(shop, "U", "2027-01-01") == [[30]]


def test_everybody_is_written_down(shop):
    begun(shop, "old", "2027-01-01")

    with shop.seen():
        assert AuditEntry.objects.filter(action="price.version_created").count() == 1
        assert AuditEntry.objects.filter(action="subscription.changed").count() == 3


# -- below an account --------------------------------------------------------------------------


def test_a_negotiated_price_holds_at_an_account_and_below_it(billed):
    effect = preview(billed, "old", "2026-12-01", "80", at="G")
    version, _job = begun(billed, "old", "2026-12-01", "80", at="G")
    billed.has("subscriptions", subscription("NEW", "BB", "old", "2027-01-01"))

    assert (version.number, version.account_id) == (1, billed.id_of("G"))
    assert (effect.changed, effect.before_minor, effect.after_minor) == (2, 20000, 16000)
    assert costs(billed, "S", "2026-11-30", "2026-12-01") == [[100], [80]]
    assert costs(billed, "T", "2026-12-01") == [[80]]
    assert costs(billed, "U", "2026-12-01") == [[100]]
    assert costs(billed, "NEW", "2027-01-01") == [[80]]


def test_the_nearest_account_wins_and_everybodys_version_leaves_it_alone(billed):
    begun(billed, "old", "2026-12-01", "80", at="G")
    begun(billed, "old", "2026-12-15", "70", at="B")
    effect = preview(billed, "old", "2027-01-01", "120")
    begun(billed, "old", "2027-01-01", "120")
    begun(billed, "old", "2027-02-01", "90", at="G")

    assert (effect.changed, effect.elsewhere) == (1, 2)
    days = ("2026-12-01", "2026-12-15", "2027-01-01", "2027-02-01")
    assert costs(billed, "S", *days) == [[80], [80], [80], [90]]
    assert costs(billed, "T", *days) == [[80], [70], [70], [70]]
    assert costs(billed, "U", *days) == [[100], [100], [120], [120]]


def test_when_it_ends_what_is_above_holds_again(billed):
    begun(billed, "old", "2026-12-01", "80", at="G")
    near, _job = begun(billed, "old", "2026-12-01", "70", at="B")
    begun(billed, "old", "2027-01-01", "120")
    with billed.seen():
        effect = preview_end(billed.actor, near.pk, D("2027-02-01"), today=TODAY).effect
    ended(billed, near, "2027-02-01")
    billed.has("subscriptions", subscription("NEW", "BB", "old", "2027-01-15"))

    assert (effect.changed, effect.before_minor, effect.after_minor) == (1, 7000, 8000)
    assert costs(billed, "T", "2027-01-31", "2027-02-01") == [[70], [80]]
    assert costs(billed, "NEW", "2027-01-31", "2027-02-01") == [[70], [80]]
    with pytest.raises(EndsAlready):
        ended(billed, near, "2027-03-01")


def test_a_version_that_is_taken_back_leaves_no_trace_in_what_is_charged(billed):
    version, _job = begun(billed, "old", "2026-11-20")
    ended(billed, version, None)
    billed.run("2026-12-01", today=D("2026-12-01"))

    assert costs(billed, "S", "2026-11-20", "2027-01-01") == [[100], [100]]
    with billed.seen():
        nets = Charge.objects.filter(subscription__external_id="S").values_list("net_minor")
        assert sum(net for (net,) in nets) == 20000
        assert not EarlierTerms.objects.filter(price__number=2).exists()
    assert billed.violations() == []
    again, _job = begun(billed, "old", "2026-11-20", "130")
    assert again.number == 3
    assert costs(billed, "S", "2026-11-20") == [[130]]


def test_only_the_last_version_ends(billed):
    near, _job = begun(billed, "old", "2026-12-01", "80", at="G")
    begun(billed, "old", "2027-01-01", "85", at="G")

    with pytest.raises(NotTheLast):
        ended(billed, near, "2027-02-01")
    with pytest.raises(InvalidPrice):
        ended(billed, near.first, None)


def test_what_somebody_elsewhere_has_negotiated_cannot_be_named(billed):
    version, _job = begun(billed, "old", "2026-12-01", "80", at="G")
    wanted = NewSubscription([NewItem(version.pk, Decimal(1))], D("2027-01-01"))

    with pytest.raises(InvalidSubscription) as refused:
        create_subscription(billed.actor, billed.id_of("X"), wanted, now=NOW)
    assert [one.code for one in refused.value.errors] == ["unknown_price"]
    with billed.seen():
        item = Item.objects.get(subscription__external_id="U")
    with pytest.raises(InvalidChange):
        change_subscription(
            billed.actor, item.subscription_id, [ItemChange(item.pk, version.pk, is_exact=True)],
            day=D("2027-01-01"), today=TODAY, now=NOW,
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_the_preview_says_what_mrr_becomes(billed, seed):
    """At random: versions, negotiated prices, ends; each preview holds to the cent."""
    chance = random.Random(seed)
    known = []
    day = D("2026-11-15")
    for _turn in range(6):
        day += timedelta(chance.randrange(1, 25))
        place = chance.choice([None, "G", "B", "BB", "X"])
        amount = str(chance.randrange(1, 300))
        can_end = [one for one in known if one.account_id and one.ends_on is None]
        looked_at = max(day, TODAY)
        before = mrr(billed, looked_at)
        if can_end and chance.random() < 0.3:
            version = chance.choice(can_end)
            followed = any(
                one.account_id == version.account_id and one.number > version.number
                for one in known
            )
            if followed or day < version.valid_from:
                continue
            with billed.seen():
                effect = preview_end(billed.actor, version.pk, day, today=TODAY).effect
            ended(billed, version, day.isoformat())
            version.ends_on = day
        else:
            effect = preview(billed, "old", day.isoformat(), amount, at=place)
            version, _job = begun(billed, "old", day.isoformat(), amount, at=place)
            known.append(version)
        assert mrr(billed, looked_at) - before == effect.difference_minor
    billed.run("2026-12-01", today=D("2026-12-01"))
    assert billed.violations() == []


# -- moving ------------------------------------------------------------------------------------


def moved(shop, key, to):
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        wanted = Wanted("move", shop.id_of(key), D("2026-12-15"), target_id=shop.id_of(to))
        shown = preview_plan(shop.actor, wanted, today=TODAY, tenant=tenant).shown
    return [one for one in shown["warnings"] if one["code"] == "prices_stay"]


def test_the_preview_of_a_move_says_who_keeps_a_price_of_elsewhere(billed):
    begun(billed, "old", "2026-12-01", "80", at="B")

    [leaves] = moved(billed, "BB", "X")
    assert moved(billed, "A", "X") == []
    [comes] = moved(billed, "A", "B")

    with billed.seen():
        ids = {one.external_id: one.public_id for one in Subscription.objects.all()}
    assert (leaves["count"], leaves["subscriptions"]) == (1, [ids["T"]])
    assert leaves["account"]["name"] == "BB"
    assert comes["subscriptions"] == [ids["S"]]
    assert "keeps the price that was agreed" in describe_warning(leaves)


def test_the_event_says_of_whom_it_is_and_who_is_told(billed):
    with billed.seen():
        Account.objects.filter(external_id="X").update(email="x@x.example")
    _version, job = begun(billed, "old", "2026-12-01", work=False)

    with billed.seen():
        data = Event.objects.get(kind="price.version_created").data
    names = sorted(public_id("acc", billed.id_of(key)) for key in ("G", "X"))
    assert {key: data[key] for key in data if key not in ("first", "number", "valid_from")} == {
        "subscriptions": 3, "accounts": 3, "changed": 3, "recipients": 2, "addresses": 1,
        "without_address": 1, "told": names,
    }  # fmt: skip
    assert job.total == 3


def test_the_event_stays_small_however_many_have_the_price(billed, monkeypatch):
    monkeypatch.setattr(repricing, "NAMED", 1)
    begun(billed, "old", "2026-12-01")
    monkeypatch.setattr(repricing, "MOST_TOLD", 2)
    begun(billed, "old", "2027-01-01", "130")

    with billed.seen():
        found = Event.objects.filter(kind="price.version_created").order_by("pk")
        few, many = (event.data for event in found)
    assert (few["recipients"], len(few["told"])) == (2, 1)
    assert (many["subscriptions"], many["accounts"]) == (3, 3)
    assert not {"changed", "recipients", "addresses", "without_address", "told"} & many.keys()
