"""Coupons and discounts on screen: made, changed, redeemed, given to all below, ended."""

import re

import pytest

from invoicing.models import Charge
from invoicing.operations.account_discounts.working import work_on_discount
from subscriptions.models import Coupon, Discount, Subscription
from tenancy.ids import public_id
from tenancy.models import Job
from tests.http.dashboard.conftest import version_in
from tests.world import NOW

PREVIEW = {"HX-Request": "true"}
SPRING = {"code": "Spring", "name": "Spring offer", "percent": "10", "duration": "forever"}


def text_of(response):
    text = response.content.decode()
    page = text.partition("<main")[2].partition("</main>")[0] or text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def browser(alice, visit):
    return visit(alice)


def key_of(browser, url):
    return re.search(r'name="key" value="([^"]+)"', browser.get(url).content.decode())[1]


def made(browser, **values):
    url = "/catalogue/coupons/new/"
    return browser.post(url, {**SPRING, **values, "key": key_of(browser, url)}, follow=True)


def the_coupon(vendor):
    with vendor.seen():
        return Coupon.objects.get()


@pytest.fixture
def seats(billed):
    """Eight seats at nine euros, charged for December on the first."""
    with billed.seen():
        return Subscription.objects.get(external_id="s2")


def test_a_coupon_is_made_once_and_listed(billed, browser):
    url = "/catalogue/coupons/new/"
    key = key_of(browser, url)

    answers = [browser.post(url, {**SPRING, "key": key}, follow=True) for _ in range(2)]

    assert "The coupon “Spring” is made." in text_of(answers[0])
    assert "Nothing was created twice." in text_of(answers[1])
    assert "Spring" in text_of(browser.get("/catalogue/coupons/"))
    assert "10%" in text_of(browser.get(f"/catalogue/coupons/{the_coupon(billed).public_id}/"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"percent": "101"}, "More than 0 and at most 100 percent are expected."),
        ({"percent": ""}, "Either a percentage or an amount is expected."),
        ({"percent": "", "amount": "5", "currency": "XXY"}, "A currency such as EUR is expected."),
        ({"duration": "periods"}, "1 to 120 periods are expected."),
        ({"code": "a b"}, "A code has no spaces"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(billed, browser, values, said):
    answer = made(browser, **values)

    assert answer.status_code == 422
    assert said in text_of(answer)
    with billed.seen():
        assert not Coupon.objects.exists()


def test_overwrites_no_coupon_that_somebody_else_has_changed(billed, browser):
    made(browser)
    url = f"/catalogue/coupons/{the_coupon(billed).public_id}/edit/"
    version = version_in(browser.get(url))
    browser.post(url, {"name": "Theirs", "version": version})

    answer = browser.post(url, {"name": "Mine", "version": version})

    assert answer.status_code == 409
    assert "<td>Mine</td><td>Theirs</td>" in answer.content.decode()


def test_is_redeemed_from_the_page_of_a_subscription_and_ended(billed, browser, seats):
    made(browser)
    url = f"/subscriptions/{seats.public_id}/"
    chosen = {"coupon": "SPRING", "when": "day", "day": "2026-12-11"}
    shown = text_of(browser.get(f"{url}coupon/", chosen, headers=PREVIEW))
    with billed.seen():
        before = Charge.objects.count()
        assert not Discount.objects.exists()

    version = version_in(browser.get(f"{url}coupon/"))
    page = text_of(browser.post(f"{url}coupon/", {**chosen, "version": version}, follow=True))

    # 21 of 31 days of 72.00, and the same less a tenth.
    assert "€48.77" in shown
    assert "€43.90" in shown
    assert "Spring offer" in page
    with billed.seen():
        assert Charge.objects.count() == before + 2
        given = Discount.objects.get()
    end = f"{url}discounts/{given.public_id}/end/"
    version = version_in(browser.get(end))
    browser.post(end, {"when": "day", "day": "2026-12-11", "version": version})
    with billed.seen():
        assert Discount.objects.get().ends == Discount.objects.get().starts


def test_is_given_to_all_below_and_its_page_says_how_far_it_is(billed, browser, seats):
    key = public_id("acc", billed.id_of("group"))
    url = f"/customers/{key}/discounts/"
    wanted = {"name": "Goodwill", "percent": "5", "reason": "An outage", "day": "2027-03-01"}
    shown = text_of(browser.get(f"{url}new/", wanted, headers=PREVIEW))
    sent = {**wanted, "key": key_of(browser, f"{url}new/")}
    page = text_of(browser.post(f"{url}new/", sent, follow=True))
    with billed.seen():
        job = Job.objects.get(kind="discount")
    while work_on_discount(billed.actor, job.pk, now=NOW):
        pass

    assert "Items that it is for" in shown
    assert "Goodwill" in page
    assert "Subscriptions it was given to:" in text_of(browser.get(url))
    branch = public_id("acc", seats.account_id)
    assert "Inherited from above" in text_of(browser.get(f"/customers/{branch}/discounts/"))
    again = text_of(browser.post(f"{url}new/", sent, follow=True))
    assert "Nothing was created twice." in again
