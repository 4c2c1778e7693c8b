"""What people do with runs: approve what they saw, take back, hold and release, reject."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Page, expect

from invoicing.models import BillingRun, Charge, Invoice
from tenancy.models import AuditEntry
from tests.browser.conftest import Site
from tests.world import account, subscription

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRM = "Firma Allein"
REASON = "The order is disputed"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    """Leave what is asked of workers undone; nothing here needs one."""
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **_values: None)


@dataclass(frozen=True)
class Books:
    """What is stored, beside what the browser shows."""

    site: Site

    @property
    def vendor(self):
        return self.site.stage.vendor

    def drafts(self):
        """Return the drafts: recipient to identity, content and gross sum."""
        with self.vendor.seen():
            found = Invoice.objects.filter(status__in=Invoice.UNISSUED)
            rows = found.values_list("bill_to__external_id", "id", "content_hash", "gross_minor")
            return {key: rest for key, *rest in rows}

    def issued(self, day):
        """Return what a run's day has issued: recipient to date and gross sum."""
        with self.vendor.seen():
            found = Invoice.objects.filter(run__date=day).exclude(status__in=Invoice.UNISSUED)
            rows = found.values_list("bill_to__external_id", "issue_date", "gross_minor")
            return {key: (issued_on.isoformat(), gross) for key, issued_on, gross in rows}

    def status(self, day):
        with self.vendor.seen():
            return BillingRun.objects.get(date=day).status

    def address(self, day, more=""):
        with self.vendor.seen():
            return f"{self.site.address}/runs/{BillingRun.objects.get(date=day).public_id}/{more}"

    def trail(self, action):
        """Return who is in the audit trail for an action."""
        with self.vendor.seen():
            found = AuditEntry.objects.filter(action=action).order_by("at", "id")
            return list(found.values_list("actor_label", flat=True))


@pytest.fixture
def books(site):
    return Books(site)


def pick(page: Page, name: str) -> None:
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_role("checkbox").check()


def more_falls_due(books):
    """Import two subscriptions for a recipient with a draft and one without, and run again."""
    books.vendor.has("accounts", account("late"))
    books.vendor.has(
        "subscriptions",
        subscription("s4", "firm", "platform", "2027-01-01"),
        subscription("s5", "late", "platform", "2027-01-01"),
    )


def test_approving_on_an_old_page_issues_what_was_seen_and_nothing_imported_since(look, books):
    before = books.drafts()
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01"))
        page.get_by_role("link", name="Approve 2 drafts …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("2 invoices")
        more_falls_due(books)

        dialog.get_by_role("button", name="Issue 2 invoices").click()

        expect(page.get_by_text("2 invoices issued.")).to_be_visible()
    gross = {key: rest[2] for key, rest in before.items()}
    assert books.issued("2027-01-01") == {key: ("2027-01-01", gross[key]) for key in gross}
    assert books.drafts() == {}
    assert books.status("2027-01-01") == "done"
    assert books.vendor.violations() == []


def test_an_old_page_whose_drafts_say_more_now_issues_nothing_and_shows_both(look, books):
    before = books.drafts()
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01", "approve/"))
        more_falls_due(books)
        books.vendor.run("2027-01-01", issue=False)

        with page.expect_response(lambda answer: answer.request.method == "POST") as waited:
            page.get_by_role("button", name="Issue 2 invoices").click()

        assert waited.value.status == 409
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Nothing was issued.")
        expect(alert).to_contain_text("2 drafts")
        expect(alert).to_contain_text("3 drafts")
        assert books.issued("2027-01-01") == {}
        now = books.drafts()
        assert now.keys() == {"firm", "group", "late"}
        assert now["firm"][2] == before["firm"][2] + 11_900
        page.get_by_role("button", name="Issue 3 invoices").click()
        expect(page.get_by_text("3 invoices issued.")).to_be_visible()
    assert {key: gross for key, (_day, gross) in books.issued("2027-01-01").items()} == {
        key: gross for key, (_id, _hash, gross) in now.items()
    }
    assert books.vendor.violations() == []


def test_an_address_corrected_behind_an_open_dialog_is_shown_before_anything_is_issued(look, books):
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01"))
        page.get_by_role("link", name="Approve 2 drafts …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        books.vendor.has("accounts", account("firm", name="Firma Allein", line1="Neue Straße 7"))

        dialog.get_by_role("button", name="Issue 2 invoices").click()

        expect(page.get_by_role("alert")).to_contain_text("changed: recipient")
        assert books.issued("2027-01-01") == {}
        page.get_by_role("button", name="Issue 2 invoices").click()
        expect(page.get_by_text("2 invoices issued.")).to_be_visible()
    with books.vendor.seen():
        firm = Invoice.objects.get(bill_to__external_id="firm", run__date="2027-01-01")
    assert firm.snapshot["bill_to"]["line1"] == "Neue Straße 7"


def test_a_draft_left_behind_by_a_later_run_is_approved_with_the_later_date(look, books):
    """R28: February is issued first; January's own number series has gone on."""
    with look() as window:
        page = window.new_page()
        books.vendor.has("accounts", account("late"))
        books.vendor.has("subscriptions", subscription("s5", "late", "platform", "2027-02-01"))
        books.vendor.change_tenant(test_clock_at=datetime(2027, 2, 1, 11, tzinfo=UTC))
        books.vendor.run("2027-02-01", within="late", today=date(2027, 2, 1))
        page.goto(books.address("2027-01-01"))

        page.get_by_role("link", name="Approve 2 drafts …").click()

        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("with the date 1 Feb 2027")
        expect(dialog).to_contain_text(
            "A later invoice was issued already, so the date is that of the approval."
        )
        dialog.get_by_role("button", name="Issue 2 invoices").click()
        expect(page.get_by_text("2 invoices issued.")).to_be_visible()
    issued = books.issued("2027-01-01")
    assert {day for day, _gross in issued.values()} == {"2027-02-01"}
    assert books.status("2027-01-01") == "done"
    assert books.vendor.violations() == []


def test_a_run_whose_drafts_a_later_one_took_says_so_and_leads_there(look, books):
    """R27: what January drafted stands on February's documents, once."""
    books.vendor.run("2027-02-01", today=date(2027, 2, 1))
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01", "approve/"))

        expect(page.get_by_text("Nothing of this run waits for approval any more.")).to_be_visible()
        expect(page.get_by_text("taken up by the run of 1 Feb 2027")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("^Approve"))).to_have_count(0)
        page.get_by_role("link", name="To that run").click()
        expect(page).to_have_url(books.address("2027-02-01"))
    assert books.status("2027-01-01") == "done"
    assert books.issued("2027-01-01") == {}
    assert books.issued("2027-02-01").keys() == {"firm", "group"}
    assert books.vendor.violations() == []


def test_a_discarded_draft_gives_its_charges_back_with_reason_and_name(look, books):
    before = books.drafts()
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01"))
        pick(page, FIRM)
        page.get_by_role("button", name="Take back selected …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("1 draft is taken away.")
        dialog.get_by_label("Reason").fill(REASON)
        dialog.get_by_role("button", name="Take back").click()
        expect(page.get_by_text("1 draft taken back.")).to_be_visible()
        expect(page.get_by_role("link", name="Approve 1 draft …")).to_be_visible()
    assert books.drafts() == {"group": before["group"]}
    with books.vendor.seen():
        charges = list(Charge.objects.filter(account__external_id="firm", status="pending"))
    assert charges
    for charge in charges:
        assert charge.is_held is False
        assert (charge.reason["held"]["by"], charge.reason["held"]["reason"]) == ("Alice", REASON)
    assert books.trail("invoice.discarded") == ["Alice"]
    books.vendor.run("2027-01-01", issue=False)
    assert books.drafts()["firm"][2] == before["firm"][2]


def test_a_draft_held_back_is_billed_once_it_is_released(look, books):
    before = books.drafts()
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01"))
        pick(page, FIRM)
        page.get_by_role("button", name="Take back selected …").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Not before the day below").check()
        dialog.get_by_label("Reason").fill(REASON)
        dialog.get_by_role("button", name="Take back").click()
        expect(page.get_by_text("1 draft taken back.")).to_be_visible()
        books.vendor.run("2027-01-01", issue=False)
        assert books.drafts() == {"group": before["group"]}

        page.goto(f"{books.site.address}/runs/held/")
        expect(page.get_by_text(f"{REASON} (Alice)")).to_be_visible()
        page.get_by_role("button", name="Release for Firma Allein").click()
        expect(page.get_by_text("2 charges released.")).to_be_visible()
        expect(page.get_by_text("Nothing is held back")).to_be_visible()
    books.vendor.run("2027-01-01", issue=False)
    assert books.drafts()["firm"][2] == before["firm"][2]
    assert books.trail("invoice.held_back") == ["Alice"]
    assert books.trail("charges.released") == ["Alice"]


def test_a_run_rejected_as_a_whole_issues_nothing_and_says_who_and_why(look, books):
    with look() as window:
        page = window.new_page()
        page.goto(books.address("2027-01-01"))
        page.get_by_role("link", name="Reject the run …").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Reject the run").click()
        expect(page.get_by_text("Please give a reason")).to_be_visible()
        assert books.drafts().keys() == {"firm", "group"}
        page.get_by_label("Reason").fill(REASON)
        page.get_by_role("button", name="Reject the run").click()
        expect(page.get_by_text(f"Rejected by Alice: {REASON}")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("^Approve"))).to_have_count(0)
    assert (books.drafts(), books.issued("2027-01-01")) == ({}, {})
    assert books.status("2027-01-01") == "done"
    assert books.trail("run.rejected") == ["Alice"]
    assert books.vendor.violations() == []
