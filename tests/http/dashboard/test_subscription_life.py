"""A subscription in its life on screen: items come and go, it is paused, tried, and goes on."""

import re

import pytest

from invoicing.models import Charge
from subscriptions.models import Item, Subscription
from tests.http.dashboard.conftest import version_in
from tests.world import price

PREVIEW = {"HX-Request": "true"}


def text_of(response):
    text = response.content.decode()
    page = text.partition("<main")[2].partition("</main>")[0] or text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def seats(billed):
    """Eight seats at nine euros, charged for December on the first."""
    billed.has("prices", price("extra", "31", tax_rate=19))
    with billed.seen():
        return Subscription.objects.get(external_id="s2")


def price_of(vendor, name):
    with vendor.seen():
        return Item._meta.get_field("price").related_model.objects.get(external_id=name).public_id


def stored(vendor):
    with vendor.seen():
        return (list(Item.objects.order_by("pk").values()), Charge.objects.count())


@pytest.fixture
def send(alice, visit, seats):
    """Send a form of the subscription as its page was shown."""
    client = visit(alice)

    def sent(path, **values):
        url = f"/subscriptions/{seats.public_id}/{path}"
        values = {"version": version_in(client.get(url)), **values}
        return client.post(url, values, follow=True)

    return sent


def test_an_item_comes_in_with_its_part_of_the_period(billed, seats, send, alice, visit):
    chosen = {"price": price_of(billed, "extra"), "quantity": "1"}
    url = f"/subscriptions/{seats.public_id}/items/new/"

    shown = text_of(
        visit(alice).get(url, {**chosen, "when": "day", "day": "2026-12-11"}, headers=PREVIEW)
    )
    done = text_of(send("items/new/", **chosen, when="day", day="2026-12-11"))

    # It begins after today: nothing of it is charged with the change.
    assert "MRR of these items since then €31.00" in shown
    assert "It is part of the subscription from 11 Dec 2026 on." in done
    assert "11 Dec 2026 Extra 1 €31.00" in done


def test_an_item_goes_and_what_was_charged_is_credited(billed, seats, send):
    send("items/new/", price=price_of(billed, "extra"), quantity="1", when="now")
    with billed.seen():
        item = Item.objects.get(price__external_id="extra")
    done = text_of(send(f"items/{item.public_id}/remove/", when="day", day="2026-12-15"))

    assert "It is no longer part of the subscription from 15 Dec 2026 on." in done
    with billed.seen():
        item.refresh_from_db()
        assert (item.uncharged, item.terms_since.isoformat()) == ("absent", "2026-12-15")


def test_it_is_paused_and_goes_on(billed, seats, send, alice, visit):
    shown = text_of(
        visit(alice).get(
            f"/subscriptions/{seats.public_id}/pause/",
            {"when": "day", "day": "2026-12-11", "until": "2026-12-21"},
            headers=PREVIEW,
        )
    )
    paused = text_of(send("pause/", when="now"))
    on = text_of(send("resume/", when="now"))

    # 10 of 31 days of 72.00.
    assert "Paused from 11 Dec 2026 Resumes on 21 Dec 2026" in shown
    assert "To be made good, net -€23.23" in shown.replace("−", "-")
    assert "It is paused from 23 Nov 2026 on." in paused
    assert "Resume …" in paused
    assert "It is resumed from 23 Nov 2026 on." in on
    assert "Pause …" in on


@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        ("pause/", {"when": "day"}, "Please name the day."),
        ("pause/", {"when": "day", "day": "1999-01-01"}, "possible from the start on"),
        ("pause/", {"when": "now", "until": "2026-11-23"}, "after the pause has begun"),
        ("pause/", {"when": "never"}, "Select a valid choice"),
        ("resume/", {"when": "now"}, "is not paused then"),
        ("items/new/", {"when": "now", "price": "prc_x", "quantity": "1"}, "valid choice"),
        ("items/new/", {"when": "now", "quantity": "-1"}, "greater than or equal to 0"),
        ("items/new/", {"when": "now", "quantity": "NaN"}, "Enter a number"),
        ("end/", {"when": "day", "day": "9999-01-01"}, "A date before 2200 is expected."),
    ],
)
def test_refuses_what_cannot_be_and_changes_nothing(billed, send, path, values, message):
    before = stored(billed)

    answer = send(path, **values)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert stored(billed) == before


@pytest.mark.parametrize("path", ["end/", "pause/", "items/new/"])
def test_changes_nothing_that_has_changed_since_it_was_shown(billed, seats, send, path):
    chosen = {"price": price_of(billed, "extra"), "quantity": "1"}
    client_values = {"when": "period_end", **(chosen if path == "items/new/" else {})}
    assert send("items/new/", **chosen, when="now").status_code == 200
    before = stored(billed)

    late = send(path, **client_values, version="0" * 32)

    assert late.status_code == 409
    assert "Nothing was overwritten." in text_of(late)
    assert stored(billed) == before


def test_a_trial_is_not_charged_and_then_a_whole_period_begins(billed, alice, visit):
    client = visit(alice)
    page = client.get("/subscriptions/new/").content.decode()
    [key] = re.findall(r'name="key" value="([^"]*)"', page)
    values = {
        "account": "ext:firm",
        "price": price_of(billed, "seats"),
        "quantity": "1",
        "start_date": "2026-11-23",
        "trial_days": "14",
        "key": key,
    }
    done = text_of(client.post("/subscriptions/new/", values, follow=True))

    assert "Trial" in done
    assert "First day after the trial 7 Dec 2026" in done
    assert "MRR €0.00" in done


def test_who_may_not_change_subscriptions_finds_no_door(billed, seats, visit):
    client = visit(billed.staff("Vera", "auditor"))

    page = client.get(f"/subscriptions/{seats.public_id}/").content.decode()

    for word in ("Pause …", "Add an item …", "End …", "Remove …"):
        assert word not in page
    for path in ("pause/", "resume/", "items/new/", "end/"):
        assert client.get(f"/subscriptions/{seats.public_id}/{path}").status_code == 403


def test_the_page_says_its_phases_and_its_next_invoices(billed, seats, send, alice, visit):
    client, url = visit(alice), f"/subscriptions/{seats.public_id}/"
    assert "Phases" not in text_of(client.get(url))
    send("pause/", when="day", day="2026-12-11", until="2026-12-21")

    page = client.get(url)
    part = text_of(client.get(f"{url}next/", headers=PREVIEW))

    text = text_of(page)
    assert "from 11 Dec 2026 Paused" in text
    assert "from 21 Dec 2026 €72.00 in a month" in text
    assert 'class="today"' in page.content.decode()
    # What was taken back of December is on the next invoice.
    assert "1 Jan 2027" in part
    assert client.get(f"{url}next/").headers["Location"] == url


def test_contract_terms_bind_and_the_page_says_how(seats, alice, visit):
    client, address = visit(alice), f"/subscriptions/{seats.public_id}/"
    values = {"minimum_term_months": "12", "renewal_months": "12", "notice_months": "3"}
    seen = version_in(client.get(f"{address}contract/"))

    preview = text_of(client.get(f"{address}contract/", values, headers=PREVIEW))
    done = text_of(client.post(f"{address}contract/", {**values, "version": seen}, follow=True))

    for text in (preview, done):
        assert "Minimum term 1 year After the term renews by 1 year Notice period 3 months" in text
        assert "Can end on" in text
        assert "Notice until" in text
    end = text_of(client.get(f"{address}end/"))
    assert "As early as its contract terms allow, on" in end
    refused = text_of(client.get(f"{address}end/", {"when": "now"}, headers=PREVIEW))
    assert "The minimum term has not passed by then." in refused
    reason = {"when": "now", "override_reason": "Goodwill"}
    allowed = text_of(client.get(f"{address}end/", reason, headers=PREVIEW))
    assert "First day no longer served" in allowed
