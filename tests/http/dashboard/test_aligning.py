"""One renewal date on screen: four steps, each with an address that holds all answers."""

import pytest

from invoicing.models import ChangePlan
from invoicing.operations.plans.aligning_jobs import work_on_alignment
from invoicing.operations.plans.renewals import align_renewals
from invoicing.queries.plans.wanted import Alignment, Wanted
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription


@scene
def shop(vendor):
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G"), account("E"))
    vendor.has(
        "prices", price("ten", "10", tax_rate=19), price("week", "7", interval="week", tax_rate=19)
    )
    vendor.has(
        "subscriptions",
        subscription("S", "A", "ten", "2026-11-20"),
        subscription("T", "B", "ten", "2026-11-10"),
        subscription("W", "B", "week", "2026-11-10"),
    )
    vendor.run("2026-11-20")
    return vendor


def url(shop, step="", key="G"):
    return f"/customers/{public_id('acc', shop.id_of(key))}/align/{step}"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    """Let nobody be nudged: what is asked for waits in its table."""
    monkeypatch.setattr("invoicing.tasks.work_on_alignment.delay", lambda **values: None)


@pytest.fixture
def client(shop, visit):
    return visit(shop.staff("Alice", "owner"))


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_is_reached_from_the_account(shop, client):
    page = text_of(client.get(f"/customers/{public_id('acc', shop.id_of('G'))}/"))
    assert f'href="{url(shop)}"' in page


def test_asks_which_accounts_and_keeps_the_answer(shop, client):
    out = public_id("acc", shop.id_of("B"))
    first = text_of(client.get(url(shop)))
    assert "2 subscriptions can be aligned." in first
    assert f'name="out" value="{out}"' in first
    second = text_of(client.get(url(shop, "date/"), {"out": out, "scope": "all"}))
    assert "1 subscription can be aligned." in second
    assert f'type="hidden" name="out" value="{out}"' in second


def test_ranks_dates(shop, client):
    page = text_of(client.get(url(shop, "date/")))

    assert 'name="on" value="20-0"' in page
    assert "Cheapest" in page
    assert "Latest renewal of today" in page
    assert page.count("<title>day ") == 31


@pytest.mark.parametrize(
    ("method", "said", "amount"),
    [
        ("short", "What the days up to each date cost", "Cheapest"),
        ("free", "would cost and are not charged", "Least given away"),
        ("rebill", "less what is credited beyond it", "Cheapest"),
    ],
)
def test_asks_for_the_method_and_ranks_the_dates_for_it(shop, client, method, said, amount):
    page = text_of(client.get(url(shop, "method/"), {"method": method}))
    assert f'value="{method}" checked' in page
    assert f'action="{url(shop, "date/")}"' in page

    page = text_of(client.get(url(shop, "date/"), {"method": method}))
    assert said in page
    assert amount in page
    assert "The dates are ranked for:" in page
    assert f'type="hidden" name="method" value="{method}"' in page
    assert f'action="{url(shop, "preview/")}"' in page
    assert ("-€" in page or "−€" in page) == (method == "rebill")


def test_asks_for_the_date_before_the_preview(shop, client):
    answer = client.get(url(shop, "preview/"))
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (
        302, url(shop, "date/"),
    )  # fmt: skip


def test_shows_every_subscription_and_becomes_a_plan(shop, client):
    values = {"on": "own", "own_day": "1", "own_month": "1", "method": "long"}
    page = text_of(client.get(url(shop, "preview/"), values))
    assert "2 subscriptions get another renewal date." in page
    assert "12 of 31" in page
    assert "€3.87" in page
    assert "keeps its own periods" in page
    with shop.seen():
        assert not ChangePlan.objects.exists()

    answer = client.post(url(shop, "preview/"), {"on": "1-1", "method": "long"})
    with shop.seen():
        plan = ChangePlan.objects.get()
    assert answer.headers["Location"] == f"/plans/{plan.public_id}/"
    assert (plan.status, plan.parameters["alignment"]["method"]) == ("draft", "long")
    shown = text_of(client.get(answer.headers["Location"]))
    assert "G renews on 1 January" in shown
    assert "12 of 31" in shown


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"on": "40-1"}, 422, "1 to 31 is expected."),
        ({"on": "1-13"}, 422, "1 to 12 is expected."),
        ({"on": "1-1", "effective_date": "2020-01-01"}, 422, "takes effect today"),
        ({"on": "1-1", "out": "acc_nonsense"}, 200, "2 subscriptions"),
        ({"on": "1-1", "method": "gift", "effective_date": "soon"}, 200, "2 subscriptions"),
    ],
)
def test_says_what_is_wrong(shop, client, values, status, words):
    answer = client.get(url(shop, "preview/"), values)
    assert answer.status_code == status
    assert words in text_of(answer)


@pytest.mark.parametrize("on", ["", "x-y", "1", "own", "²-1", "-1-1", "1-1-1", "999-1"])
def test_a_date_that_is_none_is_asked_for_again(shop, client, on):
    assert client.get(url(shop, "preview/"), {"on": on}).status_code == 302


def test_an_account_without_anything_gets_a_date_too(shop, client):
    assert "0 subscriptions can be aligned." in text_of(client.get(url(shop, key="E")))
    answer = client.post(url(shop, "preview/", "E"), {"on": "1-1"})
    assert answer.status_code == 302


@pytest.mark.parametrize("step", ["", "date/", "method/", "preview/"])
def test_is_for_who_may_plan(shop, visit, step):
    answer = visit(shop.staff("Bob", "support")).get(url(shop, step), {"on": "1-1"})
    assert answer.status_code in {403, 404}


def test_is_read_with_few_statements(shop, client, statements):
    assert len(statements(client, url(shop, "date/"))) <= 36
    assert len(statements(client, f"{url(shop, 'date/')}?method=rebill")) <= 40
    assert len(statements(client, f"{url(shop, 'preview/')}?on=1-1")) <= 80


def test_shows_how_far_a_large_one_is_stops_it_and_goes_on(shop, client, monkeypatch):
    monkeypatch.setattr("invoicing.operations.plans.aligning.AT_ONCE", 1)
    plan, _rows = align_renewals(
        shop.actor,
        Wanted("alignment", shop.id_of("G"), TODAY, alignment=Alignment(1)),
        today=TODAY,
        now=NOW,
    )
    address = f"/plans/{plan.public_id}/"
    page = text_of(client.get(address))
    assert "Being applied" in page
    assert "0 of 2 subscriptions are through." in page or "Queued" in page
    assert 'name="do" value="stop"' in page
    assert 'value="withdraw"' not in page

    client.post(address, {"do": "stop"})
    page = text_of(client.get(address))
    assert "The other 2 are neither billed nor changed until it goes on." in page
    client.post(address, {"do": "resume"})
    part = text_of(client.get(address, headers={"HX-Request": "true"}))
    assert 'hx-trigger="every 1s"' in part
    assert "<html" not in part

    work_on_alignment(shop.actor, plan.job_id, now=NOW)
    through = client.get(address, headers={"HX-Request": "true"})
    assert through.headers["HX-Refresh"] == "true"
    assert "Applied" in text_of(client.get(address))


def test_can_be_about_all_that_an_account_pays_for(shop, client):
    first = text_of(client.get(url(shop), {"scope": "payer"}))
    assert 'value="payer" checked' in first
    assert "2 subscriptions can be aligned." in first
    assert f'name="out" value="{public_id("acc", shop.id_of("A"))}"' in first
    values = {"scope": "payer", "on": "1-0", "method": "rebill"}
    last = text_of(client.get(url(shop, "preview/"), values))
    assert "What G pays for renews on" in last
    assert "2 subscriptions get another renewal date." in last
    assert client.post(url(shop, "preview/"), values).status_code == 302
    with shop.seen():
        plan = ChangePlan.objects.get()
    assert plan.parameters["alignment"]["scope"] == "payer"
    page = text_of(client.get(f"/plans/{plan.public_id}/"))
    assert "What G pays for renews on day 1 of the month" in page
