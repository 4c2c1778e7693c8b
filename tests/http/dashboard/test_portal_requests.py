"""Requests in the portal: who is asked sees what would come, and answers; nothing before."""

import re
from datetime import timedelta

import pytest

from accounts.models import SettingInterval
from invoicing.models import ChangePlan
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, price, subscription

DAY = TODAY + timedelta(days=7)
LIST = "/portal/requests/"


@scene
def shop(vendor: Vendor) -> Vendor:
    """A group with a branch, and another firm that might pay for it."""
    vendor.has(
        "accounts",
        account("group", name="Gruppe Nord", billing_day=1),
        account("branch", "group", name="Zweig Süd"),
        account("firm", name="Firma Allein", billing_day=1),
    )
    vendor.has("prices", price("ten", "10.00", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("s1", "branch", "ten", "2026-12-01"),
        subscription("s2", "firm", "ten", "2026-12-01"),
    )
    return vendor


@pytest.fixture
def asked(shop, alice):
    """The firm is asked to pay for the branch."""
    wanted = Wanted("payer", shop.id_of("group"), DAY, target_id=shop.id_of("firm"))
    plan = create_plan(alice, wanted, today=TODAY, now=NOW)
    return submit_plan(alice, plan.pk, today=TODAY, now=NOW)


def stored(shop, plan):
    with shop.seen():
        intervals = SettingInterval.objects.filter(name="payer").count()
        return ChangePlan.objects.get(pk=plan.pk), intervals


def version_in(page):
    return re.findall(r'name="version" value="([^"]*)"', page)[0]


def answered(client, plan, do, **values):
    url = f"{LIST}{plan.public_id}/"
    version = version_in(client.get(url).content.decode())
    return client.post(url, {"do": do, "version": version, **values}, follow=True)


def test_says_what_would_come_and_changes_nothing(shop, asked, visit):
    client = visit(shop.customer("Rita", "admin", "firm"))

    overview = client.get("/portal/").content.decode()
    listed = client.get(LIST).content.decode()
    page = client.get(f"{LIST}{asked.public_id}/").content.decode()

    assert "1 request waits for your answer" in overview
    assert "Gruppe Nord: Firma Allein pays" in listed
    assert "To be answered by" in listed
    assert "€11.90" in page
    assert "Nothing changes before you accept." in page
    plan, intervals = stored(shop, asked)
    assert (plan.status, intervals) == ("waiting_acceptance", 0)


def test_is_scheduled_once_accepted(shop, asked, visit, alice):
    client = visit(shop.customer("Rita", "admin", "firm"))

    page = answered(client, asked, "accept", reason="Agreed by phone").content.decode()

    assert "Accepted. It takes effect on its day." in page
    assert "Agreed by phone" in page
    assert 'value="accept"' not in page
    plan, _intervals = stored(shop, asked)
    assert (plan.status, plan.acceptance["forced"]) == ("scheduled", False)
    staff = visit(alice).get(f"/plans/{asked.public_id}/").content.decode()
    assert "Rita" in staff


def test_is_gone_once_declined(shop, asked, visit):
    client = visit(shop.customer("Rita", "finance", "firm"))

    page = answered(client, asked, "decline").content.decode()

    assert "Declined. Nothing changes." in page
    plan, intervals = stored(shop, asked)
    assert (plan.status, plan.acceptance["accepts"], intervals) == ("withdrawn", False, 0)


def test_answers_once(shop, asked, visit):
    rita = shop.customer("Rita", "admin", "firm")
    client, url = visit(rita), f"{LIST}{asked.public_id}/"
    version = version_in(client.get(url).content.decode())
    answer_plan(rita, asked.pk, accepts=False, today=TODAY, now=NOW)

    late = client.post(url, {"do": "accept", "version": version})

    assert late.status_code == 409
    assert stored(shop, asked)[0].status == "withdrawn"


@pytest.mark.parametrize(
    ("values", "status"), [({"do": "maybe"}, 422), ({"reason": "x" * 501}, 422)]
)
def test_refuses_what_is_no_answer(shop, asked, visit, values, status):
    client = visit(shop.customer("Rita", "admin", "firm"))
    url = f"{LIST}{asked.public_id}/"
    version = version_in(client.get(url).content.decode())

    answer = client.post(url, {"do": "accept", "version": version, **values})

    assert answer.status_code == status
    assert stored(shop, asked)[0].status == "waiting_acceptance"


@pytest.mark.parametrize(("role", "key"), [("viewer", "firm"), ("admin", "group")])
def test_is_for_those_who_decide_for_the_receiver(shop, asked, visit, role, key):
    client, url = visit(shop.customer("Otto", role, key)), f"{LIST}{asked.public_id}/"

    assert client.get(url).status_code == 404
    assert client.post(url, {"do": "accept"}).status_code == 404
    assert "No requests" in client.get(LIST).content.decode()
    assert stored(shop, asked)[0].status == "waiting_acceptance"


def test_is_unknown_to_another_company(shop, asked, other_vendor, visit):
    other_vendor.has("accounts", account("firm"))
    client = visit(other_vendor.customer("Carla", "admin", "firm"))

    assert client.get(f"{LIST}{asked.public_id}/").status_code == 404
    assert client.get(f"{LIST}mov_nothing/").status_code == 404


def test_leads_staff_to_the_plan(shop, asked, visit, alice):
    answer = visit(alice).get(f"{LIST}{asked.public_id}/")

    assert answer.url == f"/plans/{asked.public_id}/"
