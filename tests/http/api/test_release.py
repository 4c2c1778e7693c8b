"""Releasing over the API what was held back of drafts: done once, by who may, and on record."""

from datetime import date

import pytest

from accounts.access import Action
from invoicing.models import Charge, Invoice
from tenancy.models import AuditEntry
from tests.http.api import world
from tests.world import subscription

URL = "/api/v1/accounts/ext:B/release"


@pytest.fixture
def held(nordlicht, api):
    """What Baltic Lager is charged for January is held back of its draft."""
    nordlicht.has("subscriptions", subscription("later", "B", "desk", "2027-01-01"))
    world.bill(nordlicht, issue=False, run_date=date(2027, 1, 1))
    with nordlicht.seen():
        draft = Invoice.objects.get(
            bill_to=nordlicht.accounts["B"], status__in=Invoice.UNISSUED
        ).public_id
    answer = api.post(
        f"/api/v1/invoices/{draft}/withdrawal", {"reason": "Order disputed", "hold": True}
    )
    assert answer.status_code == 200
    return answer.json()["charges"]


def state(shop):
    with shop.seen():
        released = AuditEntry.objects.filter(action="charges.released").count()
        return Charge.objects.filter(is_held=True).count(), released


def test_releases_and_a_repeat_finds_nothing_more(nordlicht, api, held):
    assert (held, state(nordlicht)) == (2, (2, 0))

    first, again = api.post(URL, {}), api.post(URL, {})

    assert (first.status_code, first.json()) == (200, {"charges": 2})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_held")
    assert state(nordlicht) == (0, 1)
    with nordlicht.seen():
        entry = AuditEntry.objects.get(action="charges.released")
    assert (entry.account_id, entry.actor_kind, entry.origin) == (
        nordlicht.accounts["B"].id,
        "key",
        "api",
    )
    rows = api.get("/api/v1/charges?in=ext:B&status=pending").json()["data"]
    assert [row["held"] for row in rows] == [False, False]


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"scopes": [one for one in Action if one != Action.ISSUE_INVOICE]}, 403),
        ({"scopes": [Action.VIEW_INVOICE]}, 403),
        ({"reach": "B"}, 403),
        ({"reach": "A"}, 404),
    ],
)
def test_is_for_those_who_may_issue_everywhere(nordlicht, caller, held, values, refused):
    answer = caller(nordlicht.key(**values)).post(URL, {})

    assert answer.status_code == refused
    assert state(nordlicht) == (held, 0)


def test_finds_nothing_of_another_vendor_or_of_nobody(nordlicht, andere, caller, api, held):
    account = nordlicht.accounts["B"].public_id
    stranger = caller(andere.secret)

    for client, reference in ((stranger, account), (api, "ext:nobody"), (api, "acc_nonsense")):
        answer = client.post(f"/api/v1/accounts/{reference}/release", {})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert api.post(f"{URL}?all=1", {}).status_code == 422
    assert state(nordlicht) == (held, 0)
