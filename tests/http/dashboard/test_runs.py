"""Billing runs: list, starting, progress, problems, approval."""

from http import HTTPStatus

import pytest

from accounts.ids import public_id, uuid7
from invoicing.models import BillingRun, Invoice, RunFamily
from tests.world import account, subscription

MOST_STATEMENTS = 12


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    """No broker: a nudge is noted and nothing else."""
    sent = []
    monkeypatch.setattr(
        "dashboard.pages.runs_status.work_on_run.delay", lambda **values: sent.append(values)
    )
    return sent


@pytest.fixture
def drafted(billed):
    billed.has("subscriptions", subscription("late", "firm", "seats", "2026-12-01", quantity=4))
    billed.has("accounts", account("poor", name="Ohne Adresse", line1="", city=""))
    billed.has("subscriptions", subscription("poor", "poor", "platform", "2026-12-01"))
    billed.run("2027-01-01", issue=False)
    return billed


def run_of(vendor, day="2027-01-01"):
    with vendor.seen():
        return BillingRun.objects.get(date=day)


def url_of(vendor, day="2027-01-01", more=""):
    return f"/runs/{run_of(vendor, day).public_id}/{more}"


def unissued(vendor):
    with vendor.seen():
        return Invoice.objects.filter(status__in=Invoice.UNISSUED).count()


def test_lists_runs_with_their_sums(drafted, alice, visit):
    page = visit(alice).get("/runs/").content.decode()

    assert "1 Dec 2026" in page
    assert "Waiting for approval" in page
    assert "New run" in page


def test_needs_few_statements(drafted, alice, visit, statements):
    for url in ("/runs/", "/runs/new/", url_of(drafted), url_of(drafted, more="approve/")):
        assert len(statements(visit(alice), url)) <= MOST_STATEMENTS, url


def test_shows_problems_documents_and_the_run_before(drafted, alice, visit):
    page = visit(alice).get(url_of(drafted)).content.decode()

    assert "Ohne Adresse" in page
    assert "Name or address incomplete" in page
    assert "compared with the run of" in page
    assert 'aria-current="step"' in page
    assert "hx-trigger" not in page
    assert "Approve 2 drafts …" in page


@pytest.mark.parametrize(
    ("role", "runs", "approves"),
    [
        ("owner", True, True),
        ("finance_admin", True, True),
        ("billing", True, False),
        ("auditor", False, False),
        ("support", False, False),
        ("developer", False, False),
    ],
)
def test_offers_and_allows_what_a_role_may(drafted, visit, role, runs, approves):
    client = visit(drafted.staff("Somebody", role))

    assert ("New run" in client.get("/runs/").content.decode()) is runs
    assert (client.get("/runs/new/").status_code == HTTPStatus.OK) is runs
    answer = client.post("/runs/new/", {"date": "2027-01-02"})
    assert (answer.status_code == HTTPStatus.FOUND) is runs
    assert ("/approve/" in client.get(url_of(drafted)).content.decode()) is approves
    answer = client.get(url_of(drafted, more="approve/"))
    assert answer.status_code == (HTTPStatus.OK if approves else HTTPStatus.FORBIDDEN)


def test_is_not_there_for_strangers_and_customers(drafted, charlie, bob, visit):
    for more in ("", "approve/"):
        url = url_of(drafted, more=more)
        assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
        assert visit(charlie).post(f"/runs/{public_id('run', uuid7())}/approve/").status_code == 404
        assert visit(bob("group")).get(url).status_code == HTTPStatus.FORBIDDEN
    assert visit(charlie).get("/runs/nonsense/").status_code == HTTPStatus.NOT_FOUND


def test_starts_a_run_and_says_what_it_will_take(
    billed, alice, visit, nudges, django_capture_on_commit_callbacks
):
    client = visit(alice)
    page = client.get("/runs/new/?date=2027-01-01").content.decode()
    assert "4 items fall due by 1 Jan 2027" in page

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/runs/new/", {"date": "2027-01-01", "account": "ext:firm"})

    assert answer.url == url_of(billed)
    assert nudges == [{"tenant_id": str(billed.tenant_id), "run_id": str(run_of(billed).pk)}]
    with billed.seen():
        within = RunFamily.objects.get(run=run_of(billed)).within_id
    assert within == billed.id_of("firm")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"date": ""}, "This field is required"),
        ({"date": "2026-11-01"}, "An invoice was issued on 2026-12-01 already"),
        ({"date": "2027-01-01", "account": "ext:nobody"}, "There is no such account."),
    ],
)
def test_refuses_at_the_field_and_keeps_the_values(billed, alice, visit, values, text):
    answer = visit(alice).post("/runs/new/", values)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = answer.content.decode()
    assert text in page
    assert 'id="form-errors"' in page
    assert values["date"] in page


def test_asks_again_while_it_runs_and_says_when_nobody_works(billed, alice, visit):
    client = visit(alice)
    client.post("/runs/new/", {"date": "2027-01-01"})
    url = url_of(billed)
    page = client.get(url).content.decode()
    assert 'hx-trigger="every 1s"' in page

    fragment = client.get(f"{url}?done=0&since=1", headers={"hx-request": "true"}).content.decode()
    assert "Waiting for a worker" in fragment
    assert "<html" not in fragment
    assert "<progress" in fragment

    billed.run("2027-01-01", issue=False)
    answer = client.get(f"{url}?done=0&since=1", headers={"hx-request": "true"})
    assert answer.headers["HX-Retarget"] == "#run"
    assert "every 1s" not in answer.content.decode()


def test_approves_exactly_what_was_seen_and_once(
    drafted, alice, visit, django_capture_on_commit_callbacks
):
    client, url = visit(alice), url_of(drafted, more="approve/")
    page = client.get(url)
    text = page.content.decode()
    assert "RE-2027-000001 to RE-2027-000002" in text
    assert unissued(drafted) == 2

    assert client.post(url, {"seen": "EUR1x1"}).status_code == HTTPStatus.CONFLICT
    assert unissued(drafted) == 2
    seen = {"seen": page.context["seen"]}
    assert client.post(url, seen).url == url_of(drafted)
    again = client.post(url, seen)
    assert again.url == url_of(drafted)
    drafted.run("2027-01-01")

    assert unissued(drafted) == 0
    assert client.post(url, seen).url == url_of(drafted)
    assert drafted.violations() == []


def test_approves_no_more_than_the_accounts_of_the_run(billed, alice, visit):
    billed.run("2027-01-01", issue=False, within="firm")
    client, url = visit(alice), url_of(billed, more="approve/")

    client.post(url, {"seen": client.get(url).context["seen"]})

    with billed.seen():
        assert {*RunFamily.objects.filter(run=run_of(billed)).values_list("within_id")} == {
            (billed.id_of("firm"),)
        }


def test_refuses_a_run_before_the_last_issue_with_its_sentence(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="approve/")
    drafted.has("subscriptions", subscription("new", "firm", "platform", "2027-01-02"))
    drafted.run("2027-02-01", within="firm")
    left = unissued(drafted)

    answer = client.post(url, {"seen": client.get(url).context["seen"]})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "An invoice was issued on 2027-02-01 already" in answer.content.decode()
    assert unissued(drafted) == left
