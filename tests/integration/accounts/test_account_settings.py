"""Changing settings of accounts: now, later, locked; what it does is said before."""

from datetime import date, timedelta
from random import Random

import pytest

from accounts.models import Account, Seller, SettingInterval
from accounts.operations.account_settings import (
    WantedSettings,
    cancel_planned_setting,
    change_settings,
)
from accounts.operations.account_settings.refusals import (
    BillToOutsidePath,
    EffectiveDatePassed,
    InvalidSettings,
    NothingPlanned,
    NotLockable,
    NotSchedulable,
    PayerNotAccepted,
    SettingLocked,
    TargetArchived,
)
from accounts.queries.effective_settings import settings_of
from accounts.queries.setting_stretches import own_intervals, own_stretches
from accounts.versions import ChangedMeanwhile, intervals_shown, version_of
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry, Event
from tests.scenes import scene
from tests.world import NOW, TODAY, account, make_vendor

LATER = TODAY + timedelta(days=30)


@scene
def family(vendor):
    """Return a group T over B (own invoice, terms of its own) over C, and D and E beside B."""
    vendor.has(
        "accounts",
        account("T", payment_terms_days=30),
        account("B", "T", bill_to="B", payment_terms_days=10),
        account("C", "B"),
        account("D", "T"),
        account("E", "D"),
    )
    return vendor


def put(vendor, key, *, day=TODAY, today=TODAY, locks=None, actor=None, dry=False, version="",
        **values):  # fmt: skip
    return change_settings(
        actor or vendor.actor,
        vendor.id_of(key),
        WantedSettings(values, day, locks or {}),
        today=today,
        version=version,
        is_dry_run=dry,
        now=NOW,
    )


def held(vendor, key, name, day=TODAY):
    with vendor.seen():
        found = settings_of(vendor.actor, vendor.id_of(key), day)[name]
    return found.value, found.source, found.origin_name


def rows(vendor):
    with vendor.seen():
        return sorted(map(str, SettingInterval.objects.values_list()))


def kept(vendor, key, name):
    with vendor.seen():
        found = SettingInterval.objects.filter(account_id=vendor.id_of(key), name=name)
        return list(found.order_by("valid_from").values_list("value", "valid_from", "valid_to"))


# -- changing ------------------------------------------------------------------------------------


def test_sets_and_inherits_again(family):
    put(family, "D", payment_terms_days=7)
    assert held(family, "E", "payment_terms_days") == (7, "inherited", "D")

    put(family, "D", payment_terms_days=None)
    assert held(family, "E", "payment_terms_days") == (30, "inherited", "T")
    # What was set and taken back on one day never held for a whole one.
    assert kept(family, "D", "payment_terms_days") == []


def test_the_past_stays_as_it_was(family):
    put(family, "T", payment_terms_days=60)

    assert held(family, "D", "payment_terms_days", TODAY - timedelta(days=1))[0] == 30
    assert held(family, "D", "payment_terms_days")[0] == 60
    assert held(family, "B", "payment_terms_days")[0] == 10


def test_a_later_day_is_planned_and_can_be_taken_back(family):
    put(family, "T", day=LATER, payment_terms_days=60)

    assert held(family, "D", "payment_terms_days") == (30, "inherited", "T")
    assert held(family, "D", "payment_terms_days", LATER) == (60, "inherited", "T")
    with family.seen():
        settings = settings_of(family.actor, family.id_of("D"), TODAY)
        assert settings["payment_terms_days"].changes_on == LATER
        assert settings["language"].changes_on is None
        planned = own_stretches(family.actor, family.id_of("T"), today=TODAY)
        assert [(one.value, one.start, one.is_planned) for one in planned] == [
            (30, None, False),
            (60, LATER, True),
        ]

    # Something else until then leaves the plan alone.
    put(family, "T", payment_terms_days=45)
    assert held(family, "D", "payment_terms_days", LATER)[0] == 60

    cancel_planned_setting(
        family.actor, family.id_of("T"), "payment_terms_days", LATER, today=TODAY, now=NOW
    )
    assert held(family, "D", "payment_terms_days", LATER)[0] == 45
    assert [row[2] for row in kept(family, "T", "payment_terms_days")] == [TODAY, None]


def test_inheriting_again_can_be_planned_too(family):
    put(family, "T", day=LATER, payment_terms_days=None)

    assert held(family, "D", "payment_terms_days", LATER) == (14, "tenant", "")
    with family.seen():
        stretches = own_stretches(family.actor, family.id_of("T"), today=TODAY)
    assert [(one.value, one.start, one.end, one.is_planned) for one in stretches] == [
        (30, None, LATER, False),
        (None, LATER, None, True),
    ]
    cancel_planned_setting(
        family.actor, family.id_of("T"), "payment_terms_days", LATER, today=TODAY, now=NOW
    )
    assert held(family, "D", "payment_terms_days", LATER) == (30, "inherited", "T")


def test_refuses_to_take_back_what_is_not_planned(family):
    put(family, "T", day=LATER, payment_terms_days=60)
    before = rows(family)

    for name, day, today in (
        ("payment_terms_days", TODAY, TODAY),
        ("billing_day", LATER, TODAY),
        ("payment_terms_days", LATER, LATER),
    ):
        with pytest.raises(NothingPlanned):
            cancel_planned_setting(family.actor, family.id_of("T"), name, day, today=today, now=NOW)
    assert rows(family) == before


def test_an_import_leaves_what_is_planned_alone(family):
    put(family, "D", day=LATER, po_number="4711")
    family.has("accounts", account("D", "T", po_number="1234"))

    assert held(family, "D", "po_number")[0] == "1234"
    assert held(family, "D", "po_number", LATER)[0] == "4711"


def test_says_who_changed_what_and_since_when(family):
    put(family, "T", day=LATER, payment_terms_days=60, bill_to=family.id_of("T"))

    with family.seen():
        entry = AuditEntry.objects.order_by("-id")[0]
        event = Event.objects.order_by("-id")[0]
        public = Account.objects.get(external_id="T").public_id
    assert (entry.action, entry.before, entry.after) == (
        "account.settings_changed",
        {"payment_terms_days": 30, "bill_to": None},
        {"payment_terms_days": 60, "bill_to": public, "effective_date": LATER.isoformat()},
    )
    assert event.data == {
        "external_id": "T",
        "changed": ["bill_to", "payment_terms_days"],
        "effective_date": LATER.isoformat(),
    }


def test_what_is_there_already_changes_nothing(family):
    with family.seen():
        entries = AuditEntry.objects.count()
    before = rows(family)

    put(family, "T", payment_terms_days=30)

    assert rows(family) == before
    with family.seen():
        assert AuditEntry.objects.count() == entries


# -- locks ---------------------------------------------------------------------------------------


def test_a_lock_keeps_those_below_from_setting_their_own(family):
    put(family, "T", locks={"payment_terms_days": True})
    before = rows(family)

    for key in ("B", "D", "E"):
        with pytest.raises(SettingLocked) as refused:
            put(family, key, payment_terms_days=1)
        assert "locked by T" in refused.value.detail
    assert rows(family) == before
    with family.seen():
        found = settings_of(family.actor, family.id_of("E"), TODAY)["payment_terms_days"]
    assert (found.value, found.is_locked, found.lock_name) == (30, True, "T")

    # What was set before stays until it inherits again.
    put(family, "B", payment_terms_days=None)
    assert held(family, "C", "payment_terms_days") == (30, "inherited", "T")
    put(family, "T", payment_terms_days=31)
    put(family, "T", locks={"payment_terms_days": False})
    put(family, "D", payment_terms_days=1)


def test_locks_only_what_is_set_and_can_be_locked(family):
    put(family, "T", po_number="1")

    for name in ("billing_day", "po_number"):
        with pytest.raises(NotLockable):
            put(family, "T", locks={name: True})


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"billing_day": 32}, InvalidSettings),
        ({"nonsense": 1}, InvalidSettings),
        ({"invoice_recipients": ["nobody"]}, InvalidSettings),
        ({"day": TODAY - timedelta(days=1), "billing_day": 1}, EffectiveDatePassed),
        ({"day": date(2200, 1, 1), "billing_day": 1}, EffectiveDatePassed),
        ({"day": LATER, "time_zone": "Asia/Tokyo"}, NotSchedulable),
    ],
)
def test_refuses_what_can_not_be(family, values, refusal):
    before = rows(family)

    with pytest.raises(refusal):
        put(family, "D", **values)
    assert rows(family) == before


def test_refuses_accounts_that_may_not_be_referred_to(family):
    other = make_vendor("other")
    other.has("accounts", account("X"))
    before = rows(family)

    for name, refusal in (("bill_to", BillToOutsidePath), ("payer", PayerNotAccepted)):
        for key in ("B", "E"):
            with pytest.raises(refusal):
                put(family, "D", **{name: family.id_of(key)})
        with pytest.raises(InvalidSettings):
            put(family, "D", **{name: other.id_of("X")})
    with other.seen():
        seller = Seller.objects.get().pk
    with pytest.raises(InvalidSettings):
        put(family, "D", seller=seller)
    assert rows(family) == before


def test_refuses_what_is_archived(family):
    with family.seen():
        Account.objects.filter(external_id="T").update(status="archived")
    before = rows(family)

    with pytest.raises(TargetArchived):
        put(family, "D", bill_to=family.id_of("T"))
    with pytest.raises(TargetArchived):
        put(family, "T", billing_day=1)
    assert rows(family) == before


def test_another_tenants_account_is_nobodys(family):
    other = make_vendor("other")

    with pytest.raises(NotFound):
        change_settings(
            other.actor,
            family.id_of("D"),
            WantedSettings({"billing_day": 1}, TODAY),
            today=TODAY,
            now=NOW,
        )


def test_customers_change_what_is_theirs(family):
    bob = family.customer("Bob", "finance", "D")

    put(family, "D", actor=bob, po_number="4711", invoice_recipients=["a@b.example"])
    before = rows(family)
    for values in ({"payment_terms_days": 90}, {"bill_to": family.id_of("D")}):
        with pytest.raises(Forbidden):
            put(family, "D", actor=bob, po_number="4712", **values)
    with pytest.raises(NotFound):
        put(family, "B", actor=bob, po_number="4711")
    with pytest.raises(Forbidden):
        put(family, "D", actor=family.customer("Vera", "viewer", "D"), po_number="1")
    assert rows(family) == before


def test_an_old_form_overwrites_nothing(family):
    with family.seen():
        shown = version_of(
            intervals_shown(own_intervals(family.actor, family.id_of("D"), name="po_number"))
        )
    put(family, "D", version=shown, po_number="1")
    before = rows(family)

    with pytest.raises(ChangedMeanwhile):
        put(family, "D", version=shown, po_number="2")
    assert rows(family) == before


# -- effects -------------------------------------------------------------------------------------


def test_says_who_follows_and_who_keeps_their_own(family):
    before = rows(family)
    effects = put(family, "T", dry=True, payment_terms_days=60)

    [effect] = effects.effects
    assert (effect.following, effect.keeping, effect.below_those, effect.changing) == (2, 1, 1, 3)
    assert (effect.before.value, effect.after.value, effect.after.source) == (30, 60, "own")
    assert rows(family) == before


def test_says_who_is_invoiced_instead_of_whom(family):
    effects = put(family, "D", dry=True, bill_to=family.id_of("D"))

    assert [(one.before_name, one.after_name, one.accounts) for one in effects.reroutes] == [
        ("T", "D", 2)
    ]
    assert [(one.code, one.accounts) for one in effects.warnings] == [
        ("bill_to_not_contract_party", 2)
    ]


def test_warns_of_a_recipient_without_address(family):
    with family.seen():
        Account.objects.filter(external_id="D").update(line1="")

    effects = put(family, "D", dry=True, bill_to=family.id_of("D"))
    assert ("bill_to_incomplete", "D") in {(one.code, one.who) for one in effects.warnings}


@pytest.mark.parametrize(
    ("key", "values", "codes"),
    [
        ("D", {"payer": "D"}, ["no_effect"]),
        ("D", {"payment_terms_days": 1}, ["no_effect"]),
        ("T", {"payer": "T"}, []),
        ("B", {"payment_terms_days": 1}, []),
        ("D", {"billing_day": 1}, []),
        ("D", {"payment_terms_days": None}, []),
    ],
)
def test_says_where_a_setting_is_not_read(family, key, values, codes):
    """R10: it has no effect where no invoice goes to."""
    if "payer" in values:
        values = {"payer": family.id_of(values["payer"])}
    effects = put(family, key, dry=True, **values)

    assert [one.code for one in effects.warnings] == codes


def test_says_that_those_below_use_it(family):
    put(family, "E", bill_to=family.id_of("E"))
    effects = put(family, "D", dry=True, payment_terms_days=1)

    assert [(one.code, one.accounts) for one in effects.warnings] == [("no_effect_here", 1)]


# -- any day -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_any_day_has_what_was_set_for_it(family, seed):
    """A year of random changes and plans; then each day is asked, with what is inherited."""
    random, keys = Random(seed), ["T", "D", "E"]
    days = 120
    model = {key: [None] * days for key in keys}
    model["T"] = [30] * days
    for step in range(0, 100, 5):
        today = TODAY + timedelta(days=step)
        key, number = random.choice(keys), random.randrange(step, days)
        row = model[key]
        starts = [n for n in range(1, days) if row[n] != row[n - 1]]
        planned = [n for n in starts if n > step]
        if planned and random.random() < 0.3:
            number = random.choice(planned)
            cancel_planned_setting(
                family.actor,
                family.id_of(key),
                "payment_terms_days",
                TODAY + timedelta(days=number),
                today=today,
                now=NOW,
            )
            value = row[number - 1]
        else:
            value = random.choice([None, 1, 2, 3])
            day = TODAY + timedelta(days=number)
            put(family, key, day=day, today=today, payment_terms_days=value)
        end = min((n for n in starts if n > number), default=days)
        row[number:end] = [value] * (end - number)

    for number in range(0, days, 3):
        expected = next(
            (model[key][number] for key in ("E", "D", "T") if model[key][number] is not None), 14
        )
        assert held(family, "E", "payment_terms_days", TODAY + timedelta(days=number))[0] == (
            expected
        ), number
