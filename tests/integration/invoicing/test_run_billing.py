"""Billing a tenant for a date: which documents come of it, and what is left for later."""

from datetime import date, timedelta

import pytest

from accounts.models import Account, Seller, SettingInterval
from invoicing.engine import composing, numbering, rating
from invoicing.models import BillingRun, Charge, Invoice, LedgerPosting, RunFamily, RunProblem
from invoicing.operations.runs import request_run, run_billing, work_on_run
from invoicing.operations.subscriptions.ending import cancel_subscription
from subscriptions.models import Item, Period, Subscription
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tests.scenes import scene
from tests.world import NOW, TODAY, account, lines_of, price, subscription


@scene
def shop(vendor):
    """Return a vendor with prices of 10.00 and 5.00 a month, and one customer A."""
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("ten", "10"), price("five", "5"), price("chf", "10", currency="CHF"))
    return vendor


def summary(documents, *names):
    return [tuple(document[name] for name in names) for document in documents]


# -- drafts and issue ----------------------------------------------------------------------------


def test_redoes_a_draft_when_more_comes_for_it(shop):
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    shop.run("2026-12-01", issue=False)
    shop.has("subscriptions", subscription("S2", "A", "five", "2026-12-01"))

    (draft,) = shop.bills("2026-12-01", issue=False)
    (invoice,) = shop.bills("2026-12-01")

    assert (draft["status"], draft["net_minor"], draft["number"]) == ("to_approve", 1500, None)
    assert (invoice["status"], invoice["net_minor"]) == ("open", 1500)
    assert invoice["number"] == "RE-2026-000001"
    assert summary(shop.documents(), "number") == [("RE-2026-000001",)]
    assert shop.violations() == []


def test_makes_a_second_document_for_what_comes_after_issue(shop):
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    (first,) = shop.bills("2026-12-01")
    shop.has("subscriptions", subscription("S2", "A", "five", "2026-12-01"))

    (second,) = shop.bills("2026-12-01")

    assert (second["number"], second["net_minor"]) == ("RE-2026-000002", 500)
    assert shop.documents() == [first, second]
    with shop.seen():
        assert BillingRun.objects.count() == 1


def test_issues_what_a_draft_run_was_waiting_with_when_both_meet(shop):
    """A run that shall issue is joined by one that shall not: the first was promised documents."""
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    day = {"run_date": date(2026, 12, 1), "within": None, "today": TODAY, "now": NOW}
    run = request_run(shop.actor, issue=True, **day)
    request_run(shop.actor, issue=False, **day)

    report = work_on_run(shop.actor, run.id, today=TODAY, now=NOW)

    assert summary(shop.documents(report.invoice_ids), "status") == [("open",)]


def test_keeps_a_draft_when_a_part_of_its_family_is_run_alone(shop):
    shop.has("accounts", account("A1", "A"))
    shop.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))
    shop.run("2026-12-01", issue=False)
    before = shop.documents()
    shop.has("subscriptions", subscription("S2", "A1", "five", "2026-12-01"))

    assert shop.bills("2026-12-01", issue=False, within="A1") == []
    assert shop.documents() == before

    (invoice,) = shop.bills("2026-12-01")
    assert invoice["net_minor"] == 1500
    assert shop.violations() == []


def test_asks_for_approval_unless_the_tenant_does_without(shop):
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    shop.change_tenant(approval_required=False)

    (invoice,) = shop.bills("2026-12-01", issue=False)

    assert (invoice["status"], invoice["number"]) == ("open", "RE-2026-000001")


def test_writes_down_why_where_and_who(shop):
    shop.has("accounts", account("A1", "A"))
    shop.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))

    shop.run("2026-12-01")

    with shop.seen():
        charge = Charge.objects.get()
        assert charge.status == "invoiced"
        assert charge.reason["code"] == "consolidated"
        assert charge.reason["bill_to"]["name"] == "A"
        assert charge.reason["run_date"] == "2026-12-01"
        postings = dict(LedgerPosting.objects.values_list("ledger", "amount_minor"))
        assert postings == {"receivable": 1190, "revenue": -1000, "tax": -190}
        invoice = Invoice.objects.get()
        assert invoice.snapshot["bill_to"]["legal_name"] == "A GmbH"
        assert invoice.snapshot["is_test"] is True


# -- what is kept apart --------------------------------------------------------------------------


def test_splits_by_currency(shop):
    shop.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "A", "chf", "2026-12-01"),
    )

    assert summary(shop.bills("2026-12-01"), "currency", "net_minor", "number") == [
        ("CHF", 1000, "RE-2026-000001"),
        ("EUR", 1000, "RE-2026-000002"),
    ]


def test_gives_each_account_its_document_where_the_account_wants_it(shop):
    shop.has(
        "accounts",
        account("B", consolidation="per_account"),
        account("B1", "B"),
        account("B2", "B", consolidation="one_invoice"),
        account("B3", "B2"),
        account("B4", "B2"),
    )
    shop.has(
        "subscriptions",
        *(subscription(f"S{n}", key, "ten", "2026-12-01")
          for n, key in enumerate(["B4", "B3", "B2", "B1", "B"])),
    )  # fmt: skip

    documents = shop.bills("2026-12-01")

    assert [[s["account"] for s in d["sections"]] for d in documents] == [
        ["B2", "B3", "B4"],
        ["B"],
        ["B1"],
    ]
    assert {document["bill_to"] for document in documents} == {"B"}


def test_splits_by_po_number_where_the_bill_to_wants_it(shop):
    shop.has(
        "accounts",
        account("B", split_by_po="yes", po_number="B-0"),
        account("B1", "B"),
        account("B2", "B", po_number="B-2"),
    )
    shop.has(
        "subscriptions",
        subscription("S1", "B1", "ten", "2026-12-01", po_number="B-9"),
        subscription("S2", "B2", "ten", "2026-12-01"),
        subscription("S3", "B2", "five", "2026-12-01", po_number="B-9"),
        subscription("S4", "B", "five", "2026-12-01"),
        subscription("T1", "A", "ten", "2026-12-01", po_number="A-1"),
        subscription("T2", "A", "ten", "2026-12-01", po_number="A-2"),
    )

    assert summary(shop.bills("2026-12-01"), "bill_to", "po_number", "net_minor") == [
        ("A", "", 2000),
        ("B", "B-0", 500),
        ("B", "B-2", 1000),
        ("B", "B-9", 1500),
    ]


def test_lets_one_subscription_go_to_another_bill_to(shop):
    shop.has("accounts", account("A1", "A"))
    shop.has(
        "subscriptions",
        subscription("S1", "A1", "ten", "2026-12-01"),
        subscription("S2", "A1", "five", "2026-12-01"),
    )
    with shop.seen():
        Subscription.objects.filter(external_id="S2").update(override_bill_to=shop.id_of("A1"))

    assert [(d["bill_to"], lines_of(d)[0][0]) for d in shop.bills("2026-12-01")] == [
        ("A", "S1"),
        ("A1", "S2"),
    ]


def test_takes_the_bill_to_literally_and_reads_the_payer_there(shop):
    """C says B, so it is B, though B's own go to the top (R11); the payer is read at B (R9)."""
    shop.has(
        "accounts",
        account("T", payment_terms_days=30),
        account("B", "T", bill_to="T", payer="B", payment_terms_days=7),
        account("C", "B", bill_to="B", payer="C", payment_terms_days=60),
    )
    shop.has(
        "subscriptions",
        subscription("S1", "B", "ten", "2026-12-01"),
        subscription("S2", "C", "five", "2026-12-01"),
    )

    assert summary(shop.bills("2026-12-01"), "bill_to", "payer", "due_date", "net_minor") == [
        ("T", "T", "2026-12-31", 1000),
        ("B", "B", "2026-12-08", 500),
    ]


def test_waits_for_the_billing_day_of_the_bill_to(shop):
    shop.has("accounts", account("B", billing_day=15), account("B1", "B", billing_day=1))
    shop.has("subscriptions", subscription("S1", "B1", "ten", "2026-12-01"))

    assert shop.bills("2026-12-14") == []
    with shop.seen():
        charge = Charge.objects.get()
        assert (charge.due_date, charge.invoice_on) == (date(2026, 12, 1), date(2026, 12, 15))
        assert charge.reason["code"] == "pending"
    (invoice,) = shop.bills("2026-12-15")

    assert lines_of(invoice) == [("S1", "2026-12-01", "2027-01-01", 1000)]


# -- subtrees ------------------------------------------------------------------------------------


def test_bills_a_subtree_and_the_rest_later(shop):
    shop.has("accounts", account("A1", "A", bill_to="A1"), account("A2", "A1"))
    shop.has(
        "subscriptions",
        *(subscription(f"S-{key}", key, "ten", "2026-12-01") for key in ("A", "A1", "A2")),
    )

    (part,) = shop.bills("2026-12-01", within="A1")
    with shop.seen():
        untouched = Item.objects.get(subscription__external_id="S-A")
        assert untouched.chain_end is None
    (rest,) = shop.bills("2026-12-01")

    assert [s["account"] for s in part["sections"]] == ["A1", "A2"]
    assert [s["account"] for s in rest["sections"]] == ["A"]


def test_does_not_know_a_strangers_subtree(shop, other_vendor):
    other_vendor.has("accounts", account("A"))
    theirs = other_vendor.id_of("A")

    for unknown in (theirs, uuid7()):
        with pytest.raises(NotFound):
            run_billing(
                shop.actor,
                run_date=date(2026, 12, 1),
                within=unknown,
                issue=True,
                today=TODAY,
                now=NOW,
            )

    with shop.seen():
        assert not BillingRun.objects.exists()


@pytest.mark.parametrize(("role", "issue", "allowed"), [
    ("finance_admin", True, True),
    ("billing", False, True),
    ("billing", True, False),
    ("support", False, False),
    ("auditor", False, False),
])  # fmt: skip
def test_is_for_those_who_may(shop, role, issue, allowed):
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    shop.actor = shop.staff("Alice", role)

    if allowed:
        assert len(shop.run("2026-12-01", issue=issue).invoice_ids) == 1
    else:
        with pytest.raises(Forbidden):
            shop.run("2026-12-01", issue=issue)
        with shop.seen():
            assert not BillingRun.objects.exists()
            assert not Charge.objects.exists()


# -- tax -----------------------------------------------------------------------------------------


def test_taxes_by_the_country_of_the_bill_to(shop):
    shop.has(
        "accounts",
        account("at", country="AT", vat_id="ATU13585627"),
        account("ch", country="CH", vat_id="CHE-123.456.789"),
        account("de", country="DE"),
        account("fr", country="FR", vat_id="FR00000000000"),
        account("fr1", "fr", country="DE"),
        account("xx", country="US"),
    )
    shop.has(
        "subscriptions",
        *(subscription(f"S-{key}", key, "ten", "2026-12-01")
          for key in ("at", "ch", "de", "fr", "fr1", "xx")),
    )  # fmt: skip

    documents = shop.bills("2026-12-01")

    assert summary(documents, "bill_to", "regime", "tax") == [
        ("at", "reverse_charge", [("AE", "0", 1000, 0)]),
        ("ch", "export", [("O", "0", 1000, 0)]),
        ("de", "domestic", [("S", "19", 1000, 190)]),
        ("fr", "domestic", [("S", "19", 2000, 380)]),
        ("xx", "export", [("O", "0", 1000, 0)]),
    ]
    assert shop.problems() == [("warning", "vat_id_missing_or_invalid", "fr")]


def test_uses_the_rate_of_the_last_day_of_service(shop):
    shop.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2020-05-31", end_date="2020-07-01"),
        subscription("S2", "A", "ten", "2020-11-15", end_date="2021-02-15"),
    )

    (invoice,) = shop.bills("2021-02-15")

    assert [
        (line["subscription"], line["start"], line["end"], line["tax"])
        for line in invoice["sections"][0]["lines"]
    ] == [
        ("S1", "2020-05-31", "2020-06-30", "S 19"),
        ("S1", "2020-06-30", "2020-07-01", "S 19"),
        ("S2", "2020-11-15", "2020-12-15", "S 16"),
        ("S2", "2020-12-15", "2021-01-15", "S 19"),
        ("S2", "2021-01-15", "2021-02-15", "S 19"),
    ]
    # 1 of the 31 days from 30 June to 31 July is 10.00 / 31 = 0.32.
    assert invoice["tax"] == [("S", "19", 3032, 576), ("S", "16", 1000, 160)]


def test_warns_where_the_bill_to_is_not_party_to_the_contract(shop):
    shop.has("accounts", account("A1", "A"))
    with shop.seen():
        Account.objects.filter(external_id="A1").update(contract_party=shop.id_of("A1"))
    shop.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))

    assert summary(shop.bills("2026-12-01"), "bill_to", "status") == [("A", "open")]
    assert shop.problems() == [("warning", "bill_to_not_contract_party", "A1")]


# -- what can't be billed ------------------------------------------------------------------------


@pytest.mark.parametrize("lacking", ["legal_name", "line1", "city", "country"])
def test_leaves_an_incomplete_bill_to_until_it_is_complete(shop, lacking):
    shop.has("accounts", account("B", **{lacking: ""}))
    shop.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "B", "ten", "2026-12-01"),
    )

    first = shop.bills("2026-12-01")
    assert summary(first, "bill_to", "number") == [("A", "RE-2026-000001")]
    assert shop.problems() == [("problem", "bill_to_incomplete", "B")]
    with shop.seen():
        assert RunProblem.objects.get().params == {"missing": [lacking]}
        assert list(Charge.objects.filter(status="pending").values_list("net_minor")) == [(1000,)]
    assert shop.bills("2026-12-01") == []

    shop.has("accounts", account("B"))
    (second,) = shop.bills("2026-12-02")

    assert (second["bill_to"], second["number"]) == ("B", "RE-2026-000002")
    assert lines_of(second) == [("S2", "2026-12-01", "2027-01-01", 1000)]
    assert shop.problems("2026-12-02") == []
    assert shop.violations() == []


@pytest.mark.parametrize("step", ["rate", "draft", "issue"])
def test_lets_nobody_suffer_from_anothers_failure(shop, monkeypatch, step):
    """One family raises something unexpected at some step: it alone is left, whole (R25)."""
    shop.has("accounts", *(account(key) for key in "BCDE"))
    shop.has(
        "subscriptions",
        *(subscription(f"S-{key}", key, "ten", "2026-12-01") for key in "ABCDE"),
    )
    bad = shop.id_of("C")

    def fail_for_bad(original, account_of):
        def wrapped(*args, **kwargs):
            if account_of(*args) == bad:
                raise RuntimeError("unexpected")
            return original(*args, **kwargs)

        return wrapped

    from invoicing import ledger

    with monkeypatch.context() as patch:
        if step == "rate":
            patch.setattr(
                rating.Rater,
                "rate",
                fail_for_bad(rating.Rater.rate, lambda _self, item, *_: item.account_id),
            )
        elif step == "draft":
            patch.setattr(
                composing.Composer,
                "_section",
                fail_for_bad(
                    composing.Composer._section, lambda _self, _place, section: section.account_id
                ),
            )
        else:
            original = ledger.post_issued

            def post(actor, invoices, **kwargs):
                if any(invoice.bill_to_id == bad for invoice in invoices):
                    raise RuntimeError("unexpected")
                original(actor, invoices, **kwargs)

            patch.setattr(ledger, "post_issued", post)
        documents = shop.bills("2026-12-01")

    assert summary(documents, "bill_to", "number") == [
        ("A", "RE-2026-000001"),
        ("B", "RE-2026-000002"),
        ("D", "RE-2026-000003"),
        ("E", "RE-2026-000004"),
    ]
    assert shop.problems() == [("problem", "internal_error", "C")]
    with shop.seen():
        left = Item.objects.get(subscription__external_id="S-C")
        assert (left.chain_end, left.next_action_date) == (None, date(2026, 12, 1))
        assert not Period.objects.filter(item=left).exists()
        assert not Charge.objects.filter(item=left).exists()
        assert RunFamily.objects.get(root_id=bad).status == "failed"

    assert summary(shop.bills("2026-12-01"), "bill_to", "number") == [("C", "RE-2026-000005")]
    assert shop.problems() == []
    assert shop.violations() == []


def test_parks_what_is_beyond_all_bounds(shop, monkeypatch):
    shop.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "A", "five", "2026-12-01"),
    )
    with monkeypatch.context() as patch:
        patch.setattr(numbering, "MAX_LINES", 1)
        report = shop.run("2026-12-01")

    assert (report.run.status, report.invoice_ids) == ("parked", [])
    assert shop.problems() == [("problem", "out_of_bounds", "A")]
    report = shop.run("2026-12-01")
    assert (report.run.status, len(report.invoice_ids)) == ("done", 1)


def test_notes_items_that_cannot_be_rated_and_bills_the_others(shop):
    most = "999999999999"
    shop.has(
        "prices",
        price("daily", "1", interval="day"),
        price("huge", most, model="per_unit"),
        price("eternal", "1", interval="year", interval_count="1200"),
    )
    shop.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "A", "daily", "1999-01-01"),
        subscription("S3", "A", "huge", "2026-12-01", most),
        subscription("S4", "A", "eternal", "2026-12-01"),
    )

    (invoice,) = shop.bills("2026-12-01")

    assert [line[0] for line in lines_of(invoice)] == ["S1", "S4"]
    assert shop.problems() == [
        ("problem", "amount_out_of_range", "A"),
        ("problem", "too_many_periods", "A"),
    ]
    assert shop.violations() == []


# -- totals of nothing and less ------------------------------------------------------------------


def test_issues_a_total_of_zero_as_paid(shop):
    shop.has("prices", price("free", "0"), price("unit", "9", model="per_unit"))
    shop.has(
        "subscriptions",
        subscription("S1", "A", "free", "2026-12-01"),
        subscription("S2", "A", "unit", "2026-12-01", 0),
    )

    (invoice,) = shop.bills("2026-12-01")

    assert (invoice["number"], invoice["status"], invoice["gross_minor"]) == (
        "RE-2026-000001",
        "paid",
        0,
    )
    assert [line[3] for line in lines_of(invoice)] == [0, 0]
    assert shop.violations() == []


def test_carries_a_negative_total_into_the_next_document(shop):
    """What ended in the past is credited with more than a month of the other brings."""
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    shop.has("subscriptions", subscription("S2", "A", "ten", "2026-10-01"))
    shop.run("2026-12-01")
    with shop.seen():
        ended = Subscription.objects.get(external_id="S2").pk
    day = date(2026, 12, 15)
    cancel_subscription(shop.actor, ended, end_date=date(2026, 10, 16), today=day, now=NOW)

    assert shop.bills(day) == []
    with shop.seen():
        credits = Charge.objects.filter(kind="credit")
        assert {(one.status, one.reason["problem"]) for one in credits} == {
            ("pending", "negative_total")
        }
    assert shop.bills("2027-01-01") == []
    assert shop.bills("2027-02-01") == []
    (invoice,) = shop.bills("2027-03-01")

    assert sorted(lines_of(invoice)) == [
        ("S1", "2027-01-01", "2027-02-01", 1000),
        ("S1", "2027-02-01", "2027-03-01", 1000),
        ("S1", "2027-03-01", "2027-04-01", 1000),
        ("S2", "2026-10-16", "2026-11-01", -516),
        ("S2", "2026-11-01", "2026-12-01", -1000),
        ("S2", "2026-12-01", "2027-01-01", -1000),
    ]
    assert (invoice["net_minor"], invoice["tax_minor"]) == (484, 92)
    assert invoice["number"] == "RE-2027-000001"
    assert shop.violations() == []


# -- dates of runs -------------------------------------------------------------------------------


def refusal(vendor, day, **options):
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the code is asserted by the caller
        vendor.run(day, **options)
    return refused.value.code


@pytest.mark.parametrize("day", ["1800-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
def test_refuses_dates_that_no_subscription_can_have(shop, day):
    assert refusal(shop, day) == "date_out_of_range"
    with shop.seen():
        assert not BillingRun.objects.exists()


def test_bills_a_sandbox_ahead_of_its_clock(shop):
    shop.has("subscriptions", subscription("S1", "A", "ten", "2150-01-01", end_date="2150-02-01"))

    (invoice,) = shop.bills("2150-01-01")

    assert (invoice["number"], invoice["issue_date"]) == ("RE-2150-000001", "2150-01-01")


def test_refuses_a_live_tenant_ahead_of_today(live_vendor):
    assert refusal(live_vendor, TODAY + timedelta(days=1)) == "run_date_in_future"
    assert live_vendor.run(TODAY, issue=False).run.status == "done"


def test_refuses_a_date_before_the_last_issue(shop):
    shop.has("accounts", account("B"))
    shop.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-10"),
        subscription("S2", "B", "ten", "2026-12-01"),
    )
    shop.run("2026-12-10", within="A")
    before = shop.documents()

    assert refusal(shop, "2026-12-09") == "run_date_before_last_issue"
    assert shop.documents() == before
    (invoice,) = shop.bills("2026-12-10")
    assert (invoice["number"], invoice["issue_date"]) == ("RE-2026-000002", "2026-12-10")


def test_numbers_begin_anew_with_the_year_and_never_look_back(shop):
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-31"))

    assert summary(shop.bills("2026-12-31"), "number") == [("RE-2026-000001",)]
    assert summary(shop.bills("2027-01-31"), "number") == [("RE-2027-000001",)]
    assert refusal(shop, "2026-12-31") == "run_date_before_last_issue"


def test_leaves_no_gap_where_issuing_was_refused(shop, monkeypatch):
    from invoicing.operations import issuing

    shop.has("accounts", account("B"))
    shop.has("subscriptions", subscription("S1", "A", "ten", "2026-12-01"))
    shop.run("2026-12-01")
    shop.has("subscriptions", subscription("S2", "B", "ten", "2026-12-01"))
    with monkeypatch.context() as patch:

        def fail(*args, **kwargs):
            raise RuntimeError("after the number was taken")

        patch.setattr(issuing, "record_events", fail)
        assert shop.bills("2026-12-01") == []

    assert summary(shop.bills("2026-12-01"), "number") == [("RE-2026-000002",)]
    assert shop.violations() == []


# -- live tenants and sellers --------------------------------------------------------------------


def live_shop(vendor):
    vendor.has("accounts", account("A"), account("B"))
    vendor.has("prices", price("ten", "10"))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-11-01"),
        subscription("S2", "B", "ten", "2026-11-01"),
    )


def test_issues_nothing_for_a_live_seller_that_is_a_placeholder(live_vendor):
    live_shop(live_vendor)

    documents = live_vendor.bills("2026-11-20")
    assert summary(documents, "number", "status") == [(None, "to_approve")] * 2
    assert live_vendor.problems() == [
        ("problem", "seller_incomplete", "A"),
        ("problem", "seller_incomplete", "B"),
    ]
    with live_vendor.seen():
        assert not LedgerPosting.objects.exists()
        Seller.objects.update(is_placeholder=False)

    assert summary(live_vendor.bills("2026-11-20"), "number", "status") == [
        ("RE-2026-000001", "open"),
        ("RE-2026-000002", "open"),
    ]
    assert live_vendor.problems() == []
    assert live_vendor.violations() == []


def test_issues_for_the_seller_that_is_complete(live_vendor):
    live_shop(live_vendor)
    with live_vendor.seen():
        complete = Seller.objects.get()
        complete.pk, complete.is_placeholder, complete.number_format = (
            uuid7(), False, "X{number}",
        )  # fmt: skip
        first = Seller.objects.get()
        complete.save(force_insert=True)
        for rate in first_rates(first):
            rate.pk, rate.seller = uuid7(), complete
            rate.save(force_insert=True)
        SettingInterval.objects.create(
            tenant_id=live_vendor.tenant_id,
            account_id=live_vendor.id_of("B"),
            name="seller",
            seller=complete,
        )

    assert summary(live_vendor.bills("2026-11-20"), "bill_to", "number") == [
        ("A", None),
        ("B", "X1"),
    ]


def first_rates(seller):
    from accounts.models import TaxRate

    return list(TaxRate.objects.filter(seller=seller))
