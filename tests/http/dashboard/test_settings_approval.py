"""The tenant's settings about who approves what a billing run has drafted."""

from datetime import date

import pytest

from invoicing.models import BillingRun, Invoice
from invoicing.operations.runs import request_run
from tenancy.models import AuditEntry, Tenant
from tests.http.dashboard.conftest import save
from tests.world import NOW, TODAY, account, subscription

URL = "/settings/approval/"
DAY = "2027-01-01"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **_values: None)


def switches(vendor):
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        return tenant.approval_required, tenant.four_eyes


def test_the_owner_turns_two_people_on_and_off(vendor, visit):
    client = visit(vendor.staff("Olga", "owner"))
    assert switches(vendor) == (True, False)

    save(client, URL, {"approval_required": "on", "four_eyes": "on"})

    assert switches(vendor) == (True, True)
    with vendor.seen():
        entry = AuditEntry.objects.get(action="tenant.approval_changed")
        assert (entry.actor_label, entry.before["four_eyes"], entry.after["four_eyes"]) == (
            "Olga",
            False,
            True,
        )
    save(client, URL, {"approval_required": "on"})
    assert switches(vendor) == (True, False)


def test_two_people_need_an_approval(vendor, visit):
    answer = save(visit(vendor.staff("Olga", "owner")), URL, {"four_eyes": "on"})

    assert answer.status_code == 422
    assert "Two people need an approval" in answer.content.decode()
    assert switches(vendor) == (True, False)


@pytest.mark.parametrize("role", ["finance_admin", "billing", "support", "auditor"])
def test_others_look_and_change_nothing(vendor, visit, role):
    client = visit(vendor.staff("Somebody", role))

    page = client.get(URL).content.decode()
    answer = save(client, URL, {"approval_required": "on", "four_eyes": "on"})

    assert "disabled" in page
    assert answer.status_code == 403
    assert switches(vendor) == (True, False)


def test_who_asked_is_told_that_somebody_else_approves(billed, alice, visit):
    billed.change_tenant(four_eyes=True)
    billed.has("accounts", account("late"))
    billed.has("subscriptions", subscription("late", "late", "platform", DAY))
    run = request_run(
        alice,
        run_date=date.fromisoformat(DAY),
        within=billed.id_of("late"),
        issue=False,
        today=TODAY,
        now=NOW,
    )
    billed.work(run)
    url = f"/runs/{run.public_id}/approve/"
    hers, his = visit(alice), visit(billed.staff("Otto", "owner"))

    refused = hers.post(url, {"seen": hers.get(url).context["seen"]})

    assert refused.status_code == 403
    assert "Somebody else has to approve it." in refused.content.decode()
    with billed.seen():
        assert Invoice.objects.filter(run_id=run.pk, number__isnull=False).count() == 0
    his.post(url, {"seen": his.get(url).context["seen"]})
    with billed.seen():
        assert Invoice.objects.filter(run_id=run.pk, number__isnull=True).count() == 0
        assert BillingRun.objects.get(pk=run.pk).status == "done"


def test_two_windows_on_the_form_lose_nothing(vendor, visit):
    client = visit(vendor.staff("Oskar", "owner"))
    shown = client.get("/settings/approval/").content.decode()
    version = shown.partition('name="version" value="')[2].partition('"')[0]
    with vendor.seen():
        held = Tenant.objects.get(pk=vendor.tenant_id).approval_required
    on, off = {"approval_required": "on"}, {}
    first, late = (off, on) if held else (on, off)

    saved = client.post("/settings/approval/", {**first, "version": version})
    lost = client.post("/settings/approval/", {**late, "version": version})

    assert (saved.status_code, lost.status_code) == (302, 409)
    assert "Nothing was overwritten." in lost.content.decode()
    with vendor.seen():
        assert Tenant.objects.get(pk=vendor.tenant_id).approval_required is not held
