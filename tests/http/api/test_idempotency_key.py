"""A POST with an ``Idempotency-Key`` is done once, however often it is sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from invoicing.models import BillingRun
from tenancy.models import KeptAnswer
from tenancy.operations.answers import forget_answers
from tenancy.tasks import forget_old_answers
from tests.http.api.test_refusals import assert_problem

RUN = {"date": "2026-12-09", "issue": False}
REPLAYED = "Idempotent-Replayed"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: Any) -> None:
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **_values: None)


def post(caller: Any, key: str | None, body: Any = RUN, path: str = "/api/v1/billing-runs") -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    text = body if isinstance(body, str) else json.dumps(body)
    return caller.client.post(path, text, content_type="application/json", headers=headers)


def runs(shop: Any) -> int:
    with shop.seen():
        return BillingRun.objects.count()


def kept(shop: Any) -> Any:
    with shop.seen():
        return list(KeptAnswer.objects.order_by("id"))


def test_answers_the_same_once_more(api, nordlicht):
    before = runs(nordlicht)
    first = post(api, "k-1")

    second = post(api, "k-1")

    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert REPLAYED not in first.headers
    assert second.headers[REPLAYED] == "true"
    for name in ("Location", "Content-Type", "Cache-Control"):
        assert second.headers[name] == first.headers[name]
    assert runs(nordlicht) == before + 1
    assert len(kept(nordlicht)) == 1


def test_answers_as_then_although_the_world_has_changed(api, nordlicht):
    first = post(api, "k-1")
    with nordlicht.seen():
        BillingRun.objects.filter(date="2026-12-09").update(status="parked")

    assert first.json()["status"] != "parked"
    assert post(api, "k-1").content == first.content


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({**RUN, "issue": True}, "/api/v1/billing-runs"),
        (RUN, "/api/v1/billing-runs?dry_run=true"),
        (json.dumps(RUN) + " ", "/api/v1/billing-runs"),
    ],
)
def test_refuses_another_request_with_the_key(api, nordlicht, body, path):
    post(api, "k-1")
    before = runs(nordlicht)

    answer = post(api, "k-1", body, path)

    assert_problem(answer, 422, "idempotency_key_reused")
    assert runs(nordlicht) == before


def test_keeps_no_refusal(api, nordlicht):
    refused = post(api, "k-1", {"date": "2020-01-01"})

    again = post(api, "k-1", {"date": "2020-01-01"})

    assert refused.status_code == again.status_code == 422
    assert REPLAYED not in again.headers
    assert kept(nordlicht) == []
    # Nothing was done under the key, so it may be used for what was meant.
    assert post(api, "k-1").status_code == 202


def test_keeps_callers_apart(api, caller, nordlicht, andere):
    post(api, "k-1")

    other_key = post(caller(nordlicht.key()), "k-1", {**RUN, "issue": True})
    other_tenant = post(caller(andere.secret), "k-1", {**RUN, "issue": True})

    assert other_key.status_code == other_tenant.status_code == 202
    assert len(kept(nordlicht)) == 2
    assert len(kept(andere)) == 1


def test_asks_for_the_scope_first(api, caller, nordlicht):
    answer = post(caller(nordlicht.key(scopes=["accounts:read"])), "k-1")

    assert_problem(answer, 403, "scope_missing")
    assert kept(nordlicht) == []


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "k" * 256, "a\tb"])
def test_refuses_a_key_that_is_none(api, nordlicht, key):
    before = runs(nordlicht)

    answer = post(api, key)

    assert_problem(answer, 422, "invalid_idempotency_key")
    assert runs(nordlicht) == before


def test_takes_the_longest_key(api):
    assert post(api, "k" * 255).status_code == 202


def test_means_nothing_for_what_only_reads(api, nordlicht):
    answer = api.get("/api/v1/accounts", **{"Idempotency-Key": "k-1"})

    assert answer.status_code == 200
    assert kept(nordlicht) == []


def test_forgets_after_thirty_days(api, nordlicht):
    post(api, "old")
    post(api, "new")
    long_ago = datetime.now(UTC) - timedelta(days=30, seconds=1)
    with nordlicht.seen():
        KeptAnswer.objects.filter(key="old").update(created_at=long_ago)

    assert post(api, "old", {**RUN, "issue": True}).status_code == 202
    with nordlicht.seen():
        KeptAnswer.objects.filter(key="old").update(created_at=long_ago)
    assert forget_answers(nordlicht.actor, now=datetime.now(UTC)) == 1
    assert [one.key for one in kept(nordlicht)] == ["new"]


def test_the_timetable_forgets_for_all_tenants(monkeypatch, nordlicht, andere):
    asked = []
    monkeypatch.setattr("tenancy.tasks.all_tenant_ids", lambda: [nordlicht.id, andere.id])
    monkeypatch.setattr(
        "tenancy.tasks.forget_answers_of.delay", lambda **values: asked.append(values)
    )

    forget_old_answers()

    assert asked == [{"tenant_id": str(nordlicht.id)}, {"tenant_id": str(andere.id)}]
