"""A session that ends under somebody's hands, in each kind of page; and two windows on one form."""

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from accounts.models import Person, Seller
from invoicing.models import Invoice
from tests.world import account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
ENDED = "Your session has ended."


@pytest.fixture
def open_page(site, look):
    """Return an opener of pages for people who have a password."""
    Person.objects.update(password=make_password(PASSWORD))
    windows = []

    def open_it(url, who="staff"):
        window = look(who)
        windows.append(window)
        page = window.__enter__().new_page()
        page.goto(site.url(url))
        return page

    yield open_it
    for window in windows:
        window.__exit__(None, None, None)


@pytest.fixture
def _saveable(site):
    """Give the seller what its form insists on."""
    with site.stage.vendor.seen():
        Seller.objects.update(vat_id="DE136695976")


def end_all_sessions():
    Session.objects.all().delete()


def sign_in_again(site, page, who="staff"):
    """Sign in on the page that asks for it."""
    page.get_by_label("E-mail").fill(Person.objects.get(pk=site.people[who]).email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_part_that_is_swapped_in(site, open_page):
    page = open_page("/invoices/?status=open")
    end_all_sessions()

    page.locator("a[data-drawer]").first.click()
    sign_in_again(site, page)

    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.url.endswith("/invoices/?status=open")


def test_a_table_that_is_sorted(site, open_page):
    page = open_page("/invoices/")
    end_all_sessions()

    link = page.locator("thead a[href*=sort]").first
    wanted = link.get_attribute("href")
    link.click()
    sign_in_again(site, page)

    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.url.endswith(wanted.lstrip("."))


def test_the_palette(site, open_page):
    page = open_page("/customers/")
    end_all_sessions()

    page.keyboard.press("Control+k")
    link = page.locator("#palette-dialog").get_by_role("link", name=ENDED)
    expect(link).to_be_visible()
    link.click()
    sign_in_again(site, page)

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.endswith("/customers/")


@pytest.mark.parametrize("by", ["key", "mouse"])
def test_the_finder_of_an_account(site, open_page, by):
    page = open_page("/runs/new/")
    expect(page.locator("#preview .note").first).to_be_visible()
    page.get_by_label("Date").fill("2027-02-01")
    expect(page.locator("#preview .note").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    end_all_sessions()

    field = page.get_by_role("combobox", name="Only this account and below (optional)")
    field.click()
    option = page.get_by_role("option", name=ENDED)
    expect(option).to_be_visible()
    if by == "key":
        page.keyboard.press("Enter")
    else:
        option.click()
    sign_in_again(site, page)

    expect(page.get_by_label("Date")).to_have_value("2027-02-01")


def test_a_form_that_shows_a_preview(site, open_page):
    page = open_page("/runs/new/")
    expect(page.locator("#preview .note").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    end_all_sessions()

    page.get_by_label("Date").fill("2027-02-01")
    page.wait_for_url("**/sign-in/**")
    sign_in_again(site, page)

    expect(page.get_by_label("Date")).to_have_value("2027-02-01")


@pytest.mark.usefixtures("_saveable")
def test_a_form_that_is_sent(site, open_page):
    page = open_page("/settings/sellers/{seller}/edit/", "owner")
    page.get_by_label("Company", exact=True).fill("Nord & Söhne GmbH")
    end_all_sessions()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("what you entered is kept")).to_be_visible()
    sign_in_again(site, page, "owner")
    expect(page.get_by_text("Nord & Söhne GmbH")).to_be_visible()
    page.get_by_role("button", name="Send now").click()

    expect(page.get_by_role("heading", name="Nord & Söhne GmbH")).to_be_visible()


@pytest.mark.usefixtures("_saveable")
def test_a_form_that_is_sent_and_was_changed_meanwhile(site, open_page):
    page = open_page("/settings/sellers/{seller}/edit/", "owner")
    page.get_by_label("Company", exact=True).fill("Mine GmbH")
    end_all_sessions()
    page.get_by_role("button", name="Save").click()
    sign_in_again(site, page, "owner")
    with site.stage.vendor.seen():
        Seller.objects.update(name="Theirs GmbH")

    page.get_by_role("button", name="Send now").click()

    expect(page.get_by_text("Nothing was overwritten.")).to_be_visible()
    expect(page.get_by_role("cell", name="Mine GmbH")).to_be_visible()
    expect(page.get_by_role("cell", name="Theirs GmbH")).to_be_visible()
    with site.stage.vendor.seen():
        assert Seller.objects.get().name == "Theirs GmbH"


def test_a_page_of_the_portal(site, open_page):
    page = open_page("/portal/", "customer")
    end_all_sessions()

    page.reload()
    sign_in_again(site, page, "customer")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.endswith("/portal/")


def test_branches_of_a_tree(site, open_page, monkeypatch):
    monkeypatch.setattr("accounts.queries.trees.WHOLE_TREE", 1)  # so that branches come one by one
    site.stage.vendor.has("accounts", account("deep", "branch"))
    page = open_page("/customers/{account}/tree/")
    end_all_sessions()

    page.locator("tr[aria-expanded=false] a.twist").first.click()
    sign_in_again(site, page)

    expect(page.get_by_role("treegrid")).to_be_visible()


def test_a_file_that_is_sent(site, open_page):
    page = open_page("/import/", "owner")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"external_id,name\nN,New\n"}
    )
    end_all_sessions()

    page.locator("form[enctype] button.primary").click()
    expect(page.get_by_text("please send your file once more")).to_be_visible()
    sign_in_again(site, page, "owner")

    expect(page.locator("input[type=file]")).to_be_attached()
    assert page.url.endswith("/import/")


def test_an_approval(site, open_page):
    page = open_page("/runs/{waiting_run}/approve/")
    end_all_sessions()

    page.locator("main form button.primary").click()
    sign_in_again(site, page)
    expect(page.get_by_role("heading", name="Not sent yet")).to_be_visible()
    with site.stage.vendor.seen():
        drafts = Invoice.objects.filter(run_id=site.stage.waiting_run_id, number=None).count()
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text(f"{drafts} invoices issued.")).to_be_visible()

    assert drafts
    with site.stage.vendor.seen():
        assert not Invoice.objects.filter(run_id=site.stage.waiting_run_id, number=None).exists()


@pytest.mark.usefixtures("_saveable")
def test_two_windows_on_one_form(site, open_page):
    first, second = (open_page("/settings/sellers/{seller}/edit/", "owner") for _ in "ab")
    first.get_by_label("City").fill("Bremen")
    second.get_by_label("City").fill("Kiel")
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_role("heading", level=1)).to_be_visible()

    with second.expect_response(lambda answer: answer.request.method == "POST") as answered:
        second.get_by_role("button", name="Save").click()

    assert answered.value.status == 409
    expect(second.get_by_role("cell", name="Kiel")).to_be_visible()
    expect(second.get_by_role("cell", name="Bremen")).to_be_visible()
    expect(second.get_by_label("City")).to_have_value("Kiel")
    with site.stage.vendor.seen():
        assert Seller.objects.get().city == "Bremen"
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("heading", name="Change company details")).to_have_count(0)
    with site.stage.vendor.seen():
        assert Seller.objects.get().city == "Kiel"


def test_the_late_window_takes_what_is_stored(site, open_page):
    first, second = (open_page("/settings/time-zone/", "owner") for _ in "ab")
    first.get_by_label("Time zone").select_option("Asia/Tokyo")
    second.get_by_label("Time zone").select_option("Europe/Lisbon")
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_text("Saved.")).to_be_visible()
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("cell", name="Asia/Tokyo")).to_be_visible()

    second.get_by_role("link", name="Take what is stored").click()

    expect(second.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(second.get_by_text("Nothing was overwritten.")).to_have_count(0)
