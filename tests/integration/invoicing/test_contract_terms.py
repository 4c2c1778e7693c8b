"""Contract terms bind: what ends, renews and is refused, and what another end makes good."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Charge
from invoicing.operations.subscriptions.binding import (
    ContractUnchanged,
    InvalidContract,
    TermIsOver,
    change_contract,
)
from invoicing.operations.subscriptions.ending import (
    EndsWithTerm,
    NoTerm,
    NoticeInFuture,
    NoticeNotKept,
    WithinMinimumTerm,
    WithinRenewedTerm,
    cancel_subscription,
    reactivate_subscription,
)
from subscriptions.models import Item, Subscription
from subscriptions.operations.subscriptions.contracting import Contract
from subscriptions.operations.subscriptions.creating import (
    InvalidSubscription,
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.subscriptions import get_subscription, state_counts, state_of
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, make_vendor, price, subscription

D = date.fromisoformat
YEARLY = Contract(12, 12, notice_months=3)


@scene
def shop(vendor):
    """G is invoiced on the 1st for A, who has seats since August, billed up to December."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
    vendor.has("prices", price("seat", "10", model="per_unit", tax_rate=19))
    vendor.has("subscriptions", subscription("SEATS", "A", "seat", "2026-08-01", 10))
    vendor.run("2026-11-23")
    return vendor


def key_of(shop, key="SEATS"):
    with shop.seen():
        return Subscription.objects.get(external_id=key).pk


def bound(shop, contract, **values):
    return change_contract(shop.actor, key_of(shop), contract, today=TODAY, now=NOW, **values)


def ended(shop, day=None, **values):
    end_date = D(day) if day else None
    return cancel_subscription(
        shop.actor, key_of(shop), end_date=end_date, today=TODAY, now=NOW, **values
    )


def seen_of(shop, key="SEATS", today=TODAY):
    with shop.seen():
        found = get_subscription(shop.actor, f"ext:{key}", today=today)
        return found, state_of(found, today).value


def stored(shop):
    with shop.seen():
        return (
            list(Subscription.objects.order_by("pk").values()),
            list(Item.objects.order_by("pk").values()),
            Charge.objects.count(),
            AuditEntry.objects.count(),
        )


def started(shop, contract, **values):
    with shop.seen():
        account_id, price_id = shop.id_of("A"), Item.objects.first().price_id
    wanted = NewSubscription(
        items=[NewItem(price_id, Decimal(1))],
        start_date=values.pop("start_date", D("2026-12-01")),
        contract=contract,
        external_id="NEW",
        **values,
    )
    return create_subscription(shop.actor, account_id, wanted, now=NOW)


@pytest.mark.parametrize(
    ("contract", "day", "error", "earliest"),
    [
        (YEARLY, "2027-01-01", WithinMinimumTerm, "1 Aug 2027"),
        (YEARLY, "2027-09-15", WithinRenewedTerm, "1 Aug 2028"),
        (Contract(1, 1, notice_days=30), "2026-12-01", NoticeNotKept, "1 Jan 2027"),
        (Contract(notice_days=30), "2026-12-01", NoticeNotKept, "24 Dec 2026"),
    ],
)
def test_refuses_an_end_before_its_terms_allow_it(shop, contract, day, error, earliest):
    bound(shop, contract)
    before = stored(shop)

    with pytest.raises(error) as refused:
        ended(shop, day)

    assert earliest in refused.value.detail
    assert stored(shop) == before


def test_ends_as_early_as_its_terms_allow(shop):
    bound(shop, YEARLY)

    result = ended(shop, at_term_end=True)

    assert result.end_date == D("2027-08-01")
    assert seen_of(shop)[1] == "non_renewing"
    assert shop.violations() == []


def test_notice_that_came_before_today_counts_from_its_day(shop):
    bound(shop, Contract(4, 1, notice_months=1))

    assert ended(shop, at_term_end=True, is_dry_run=True).end_date == D("2027-01-01")
    result = ended(shop, at_term_end=True, notice_on=D("2026-10-31"))

    assert result.end_date == D("2026-12-01")
    with shop.seen():
        entry = AuditEntry.objects.filter(action="subscription.cancelled").get()
    assert entry.after == {"end_date": "2026-12-01", "notice_on": "2026-10-31"}


@pytest.mark.parametrize("day", ["2026-11-24", "1969-12-31"])
def test_refuses_notice_that_was_not_given_yet(shop, day):
    with pytest.raises(NoticeInFuture):
        ended(shop, notice_on=D(day))


def test_staff_end_it_earlier_for_a_reason_that_is_kept(shop):
    bound(shop, YEARLY)

    result = ended(shop, "2026-11-24", override_reason=" Goodwill ")

    assert [one.net_minor for one in result.charges] == [-2333]
    with shop.seen():
        entry = AuditEntry.objects.filter(action="subscription.cancelled").get()
    assert entry.after == {"end_date": "2026-11-24", "override_reason": "Goodwill"}
    assert shop.violations() == []


def test_only_staff_override_contract_terms(shop):
    bound(shop, YEARLY)
    manager = shop.customer("Mia", "subscription_manager", "A")
    before = stored(shop)

    with pytest.raises(Forbidden):
        cancel_subscription(
            manager,
            key_of(shop),
            end_date=D("2026-12-01"),
            override_reason="I want to",
            today=TODAY,
            now=NOW,
        )

    assert stored(shop) == before


def test_without_contract_terms_there_is_no_term_to_end_with(shop):
    with pytest.raises(NoTerm):
        ended(shop, at_term_end=True)


def test_what_does_not_renew_ends_by_itself_and_says_so_from_its_notice_on(shop):
    made = started(shop, Contract(12, notice_months=3))

    assert made.end_date == D("2027-12-01")
    assert made.non_renewing_since == D("2027-09-01")
    for day, state in (
        ("2026-12-01", "active"),
        ("2027-08-31", "active"),
        ("2027-09-01", "non_renewing"),
        ("2027-12-01", "cancelled"),
    ):
        assert seen_of(shop, "NEW", D(day))[1] == state
        with shop.seen():
            counts = state_counts(shop.actor, today=D(day))
        assert counts[state] == (2 if state == "active" else 1)


def test_what_ends_by_itself_is_billed_up_to_its_end_alone(shop):
    started(shop, Contract(1, notice_days=10), start_date=D("2026-11-15"))

    shop.run("2026-12-01", today=D("2026-12-01"))
    shop.run("2027-01-01", today=D("2027-01-01"))

    with shop.seen():
        days = Charge.objects.filter(subscription__external_id="NEW").order_by("period_start")
        found = [(str(one.period_start), str(one.period_end), one.net_minor) for one in days]
    assert found == [("2026-11-15", "2026-12-01", 533), ("2026-12-01", "2026-12-15", 452)]
    assert shop.violations() == []


def test_what_ends_by_itself_can_end_no_later_and_goes_on_to_its_term(shop):
    bound(shop, Contract(12))
    assert seen_of(shop)[0].end_date == D("2027-08-01")

    for values in ({"at_term_end": True}, {"day": "2027-09-01"}):
        with pytest.raises(EndsWithTerm):
            ended(shop, **values)
    with pytest.raises(EndsWithTerm):
        reactivate_subscription(shop.actor, key_of(shop), today=TODAY, now=NOW)
    ended(shop, "2026-12-01", override_reason="Moved away")
    result = reactivate_subscription(shop.actor, key_of(shop), today=TODAY, now=NOW)

    assert result.end_date == D("2027-08-01")
    with shop.seen():
        assert AuditEntry.objects.filter(action="subscription.reactivated").count() == 1


def test_a_term_that_ends_within_what_was_charged_is_credited_and_charged_again(shop):
    shorter = bound(shop, Contract(4, term_start=D("2026-08-01")), is_dry_run=True)
    first = bound(shop, Contract(3, term_start=D("2026-08-27")))
    again = bound(shop, Contract(3, 3, term_start=D("2026-08-27")))

    assert (shorter.subscription.end_date, shorter.charges) == (D("2026-12-01"), [])
    assert [one.net_minor for one in first.charges] == [-1333]
    assert [one.net_minor for one in again.charges] == [1333]
    assert again.subscription.end_date is None
    assert shop.violations() == []


def test_an_end_that_somebody_set_stays(shop):
    ended(shop, "2027-03-01")

    assert bound(shop, YEARLY).subscription.end_date == D("2027-03-01")
    assert seen_of(shop)[0].end_date == D("2027-03-01")


@pytest.mark.parametrize(
    ("contract", "pointer"),
    [
        (Contract(0), "/minimum_term_months"),
        (Contract(241), "/minimum_term_months"),
        (Contract(12, 0), "/renewal_months"),
        (Contract(None, 12), "/renewal_months"),
        (Contract(12, notice_months=37), "/notice_months"),
        (Contract(12, notice_days=-1), "/notice_days"),
        (Contract(12, term_start=D("2026-07-31")), "/term_start"),
        (Contract(12, term_start=D("2200-01-01")), "/term_start"),
        (Contract(term_start=D("2026-09-01")), "/term_start"),
    ],
)
def test_refuses_terms_that_say_nothing(shop, contract, pointer):
    before = stored(shop)

    with pytest.raises(InvalidContract) as refused:
        bound(shop, contract)
    with pytest.raises(InvalidSubscription):
        started(shop, contract, start_date=D("2026-08-01"))

    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert stored(shop) == before


def test_refuses_a_term_that_would_be_over_and_terms_that_it_has(shop):
    bound(shop, YEARLY)

    with pytest.raises(TermIsOver):
        bound(shop, Contract(3))
    with pytest.raises(ContractUnchanged):
        bound(shop, YEARLY)


@pytest.mark.parametrize(
    ("end_date", "code"),
    [("2027-06-01", "within_minimum_term"), ("2028-06-01", "within_renewed_term")],
)
def test_begins_with_no_end_but_one_of_its_terms(shop, end_date, code):
    with pytest.raises(InvalidSubscription) as refused:
        started(shop, YEARLY, end_date=D(end_date))
    assert [(one.code, one.pointer) for one in refused.value.errors] == [(code, "/end_date")]

    assert started(shop, YEARLY, end_date=D("2028-12-01")).end_date == D("2028-12-01")


def test_nothing_binds_during_a_trial_and_the_term_begins_after_it(shop):
    made = started(shop, YEARLY, trial_days=30, start_date=D("2026-11-20"))

    assert made.contract_terms.start == D("2026-12-20")
    result = cancel_subscription(
        shop.actor, made.pk, end_date=D("2026-12-20"), today=TODAY, now=NOW
    )
    assert result.end_date == D("2026-12-20")


def test_is_out_of_sight_for_another_tenant(shop):
    stranger = make_vendor("other")

    with pytest.raises(NotFound):
        change_contract(stranger.actor, key_of(shop), YEARLY, today=TODAY, now=NOW)
