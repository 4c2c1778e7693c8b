"""Deciding about drafts: what has changed is shown first, drafts are taken back and released."""

import pytest

from accounts import tree
from invoicing.models import BillingRun, Charge, Invoice
from invoicing.operations.runs import changed
from invoicing.operations.runs.changed import refresh_drafts
from invoicing.tasks import refresh_drafts_of_run
from tenancy.ids import public_id
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, account, subscription
from web.templatetags.figures import money

DAY = "2027-01-01"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **_values: None)


@scene
def drafted(billed):
    billed.has("accounts", account("late"), account("other"))
    billed.has(
        "subscriptions",
        subscription("late", "late", "platform", DAY),
        subscription("other", "other", "platform", DAY),
    )
    billed.run(DAY, issue=False, within="late")
    billed.run(DAY, issue=False, within="other")
    return billed


def run_url(vendor, more=""):
    with vendor.seen():
        return f"/runs/{BillingRun.objects.get(date=DAY).public_id}/{more}"


def draft_of(vendor, key):
    with vendor.seen():
        return Invoice.objects.get(bill_to__external_id=key, status__in=Invoice.UNISSUED)


def seen_of(client, vendor, *ids):
    return client.get(run_url(vendor, "take-back/"), {"ids": ids}).context["seen"]


def move_house(vendor, key):
    vendor.has("accounts", account(key, line1="Neue Straße 7"))


def test_names_the_drafts_that_have_changed(drafted, alice, visit, statements):
    client = visit(alice)
    assert "has changed" not in client.get(run_url(drafted, "changed/")).content.decode()
    move_house(drafted, "late")

    page = client.get(run_url(drafted, "changed/")).content.decode()

    assert "1 draft has changed since it was drafted" in page
    assert draft_of(drafted, "late").public_id in page
    assert draft_of(drafted, "other").public_id not in page
    assert len(statements(client, run_url(drafted, "changed/"))) <= 21
    assert 'hx-trigger="load"' in client.get(run_url(drafted)).content.decode()


def test_compares_in_parts_and_says_so_until_all_are_through(drafted, alice, visit, monkeypatch):
    client, url = visit(alice), run_url(drafted, "changed/")
    page = client.get(url).content.decode()
    assert "Compared just now: all 2 drafts say what holds now." in page
    move_house(drafted, "other")
    monkeypatch.setattr(changed, "MOST_DRAFTS", 1)

    first = client.get(url)

    assert "Comparing the drafts with what holds now: 1 of 2" in first.content.decode()
    assert "Compared just now" not in first.content.decode()
    last = client.get(f"{url}?{first.context['further']}").content.decode()
    assert "1 draft has changed since it was drafted" in last
    assert draft_of(drafted, "other").public_id in last
    assert "hx-get" not in last
    # What is not ours begins anew.
    assert "1 of 2" in client.get(f"{url}?so_far=abc").content.decode()


def test_says_of_large_customers_what_nobody_knows(drafted, alice, visit, monkeypatch):
    client, url = visit(alice), run_url(drafted, "changed/")
    monkeypatch.setattr(changed, "MOST_ACCOUNTS", 0)

    page = client.get(url).content.decode()

    assert "2 drafts of large customers were not compared for this page." in page
    assert "until then nobody knows whether they have changed" in page
    assert "Compared just now" not in page
    refresh_drafts(drafted.actor, now=NOW)
    page = client.get(url).content.decode()
    assert "The timetable last compared all drafts on" in page
    assert "nobody knows" not in page


def test_leaves_many_drafts_to_a_worker(
    drafted, alice, visit, monkeypatch, django_capture_on_commit_callbacks
):
    asked = []
    monkeypatch.setattr(
        "invoicing.tasks.refresh_drafts_of_run.delay", lambda **values: asked.append(values)
    )
    monkeypatch.setattr("dashboard.pages.runs.changed.AT_ONCE", 1)
    move_house(drafted, "late")

    with django_capture_on_commit_callbacks(execute=True):
        answer = visit(alice).post(run_url(drafted, "changed/"), follow=True)

    assert "drafted again in the background" in answer.content.decode()
    (values,) = asked
    refresh_drafts_of_run(**values)
    assert draft_of(drafted, "late").snapshot["bill_to"]["line1"] == "Neue Straße 7"
    with drafted.seen():
        entry = AuditEntry.objects.filter(action="invoice.redrafted").latest("id")
    assert entry.actor_label == "Alice"


def test_drafts_again_by_hand(drafted, alice, visit):
    move_house(drafted, "late")
    before = draft_of(drafted, "late")

    answer = visit(alice).post(run_url(drafted, "changed/"), follow=True)

    assert "1 draft drafted again." in answer.content.decode()
    after = draft_of(drafted, "late")
    assert after.content_hash != before.content_hash
    assert after.snapshot["bill_to"]["line1"] == "Neue Straße 7"
    assert after.number is None


def test_an_approval_of_what_has_changed_issues_nothing_and_shows_it(drafted, alice, visit):
    client, draft = visit(alice), draft_of(drafted, "late")
    url = run_url(drafted, f"approve/?ids={draft.public_id}")
    seen = client.get(url).context["seen"]
    move_house(drafted, "late")

    refused = client.post(run_url(drafted, "approve/"), {"ids": draft.public_id, "seen": seen})

    assert refused.status_code == 409
    page = refused.content.decode()
    assert "Nothing was issued" in page
    assert "recipient" in page
    assert draft_of(drafted, "late").number is None
    fresh = refused.context["seen"]
    assert fresh != seen
    client.post(run_url(drafted, "approve/"), {"ids": draft.public_id, "seen": fresh})
    with drafted.seen():
        assert Invoice.objects.get(pk=draft.pk).number is not None


@pytest.mark.parametrize("until", ["", "2027-02-15"])
def test_takes_a_draft_back_and_releases_it(drafted, alice, visit, until):
    client, draft = visit(alice), draft_of(drafted, "late")
    values = {"ids": draft.public_id, "reason": "Order disputed", "way": "hold", "until": until}
    values["seen"] = seen_of(client, drafted, values["ids"])

    client.post(run_url(drafted, "take-back/"), values)

    page = client.get("/runs/held/").content.decode()
    assert "Order disputed" in page
    assert ("15 Feb 2027" in page) == bool(until)
    assert "Held back" in client.get("/runs/").content.decode()
    answer = client.post(
        "/runs/held/", {"account": public_id("acc", draft.bill_to_id)}, follow=True
    ).content.decode()
    assert "1 charge released" in answer
    assert "Nothing is held back" in answer
    with drafted.seen():
        assert not Charge.objects.filter(is_held=True).exists()


@pytest.mark.parametrize(
    "wrong",
    [{"reason": " "}, {"way": "hold", "until": "soon"}, {"way": "hold", "until": "2020-01-01"}],
)
def test_says_what_is_wrong_and_takes_nothing_back(drafted, alice, visit, wrong):
    client, draft = visit(alice), draft_of(drafted, "late")
    values = {"ids": draft.public_id, "reason": "Order disputed", "way": "discard", **wrong}
    values["seen"] = seen_of(client, drafted, values["ids"])

    answer = client.post(run_url(drafted, "take-back/"), values)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert draft_of(drafted, "late").pk == draft.pk


def test_rejects_the_run_with_its_reason(drafted, alice, visit):
    client = visit(alice)
    values = {"reason": "Prices are wrong", "seen": seen_of(client, drafted)}

    answer = client.post(run_url(drafted, "take-back/"), values, follow=True)

    assert "Rejected by Alice: Prices are wrong" in answer.content.decode()
    with drafted.seen():
        assert not Invoice.objects.filter(status__in=Invoice.UNISSUED).exists()


def test_rejects_only_the_drafts_that_were_shown(drafted, alice, visit):
    client, url = visit(alice), run_url(drafted, "take-back/")
    values = {"reason": "Prices are wrong", "seen": seen_of(client, drafted)}
    with drafted.seen():
        drafts = Invoice.objects.filter(status__in=Invoice.UNISSUED)
        (gross,) = {*drafts.values_list("gross_minor", flat=True)}
    drafted.has("accounts", account("third"))
    drafted.has("subscriptions", subscription("third", "third", "platform", DAY))
    drafted.run(DAY, issue=False, within="third")

    for sent in (values, {"reason": "Prices are wrong"}):
        refused = client.post(url, sent)

        assert refused.status_code == 409
        assert "Nothing was taken back" in refused.content.decode()
        with drafted.seen():
            assert Invoice.objects.filter(status__in=Invoice.UNISSUED).count() == 3
            assert not AuditEntry.objects.filter(action="run.rejected").exists()
    (change,) = client.post(url, values).context["differences"]
    assert (change.before, change.after) == (
        f"2 drafts, {money(2 * gross, 'EUR')}",
        f"3 drafts, {money(3 * gross, 'EUR')}",
    )
    assert 'value="Prices are wrong"' in refused.content.decode()
    done = client.post(url, {**values, "seen": refused.context["seen"]}, follow=True)
    assert "3 drafts taken back." in done.content.decode()


def test_says_what_came_between_the_look_and_the_locks(drafted, alice, visit, monkeypatch):
    client, url = visit(alice), run_url(drafted, "take-back/")
    values = {"reason": "Prices are wrong", "seen": seen_of(client, drafted)}
    lock = tree.lock_families

    def get_the_lock_after_somebody_else(tenant_id, account_ids):
        lock(tenant_id, account_ids)
        Invoice.objects.filter(status__in=Invoice.UNISSUED).update(content_hash="1" * 64)

    monkeypatch.setattr(tree, "lock_families", get_the_lock_after_somebody_else)

    assert client.post(url, values).status_code == 409
    with drafted.seen():
        assert Invoice.objects.filter(status__in=Invoice.UNISSUED).count() == 2


def test_a_run_with_nothing_due_is_done_at_once(drafted, alice, visit):
    drafted.run(DAY)

    page = visit(alice).post("/runs/new/", {"date": "2027-01-02", "account": ""}, follow=True)

    with drafted.seen():
        run = BillingRun.objects.get(date="2027-01-02")
        assert (run.status, run.finished_at is not None) == ("done", True)
    assert "This run made no documents." in page.content.decode()
