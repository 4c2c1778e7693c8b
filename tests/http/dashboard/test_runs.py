"""Billing runs: list, starting, progress, problems, approval."""

import csv
import io
import re
from http import HTTPStatus

import pytest

from invoicing.models import BillingRun, Invoice, RunFamily
from tenancy.ids import public_id, uuid7
from tenancy.queries import paging
from tests.markup import squeezed, tight
from tests.scenes import scene
from tests.world import account, subscription

MOST_STATEMENTS = 12


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    """No broker: a nudge is noted and nothing else."""
    sent = []
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **values: sent.append(values))
    return sent


@scene
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
    assert "each recipient beside its own previous document" in page
    assert 'aria-current="step"' in page
    assert 'hx-trigger="every' not in page
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
    asking = {"hx-request": "true"}
    page = client.get("/runs/new/?date=2027-01-01", headers=asking).content.decode()
    assert "4 lines for 4 accounts, €294.50 net." in page

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
        ({"date": "2026-11-01"}, "An invoice was issued on 1 Dec 2026 already"),
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


def test_warns_that_a_subtree_is_invoiced_above(billed, alice, visit):
    client = visit(alice)
    fragment = {"hx-request": "true"}
    page = client.get("/runs/new/?date=2027-01-01&account=ext:branch", headers=fragment)
    text = page.content.decode()

    assert "is invoiced to “Gruppe Nord”, which lies outside of this subtree" in text
    assert "<html" not in text
    for key in ("group", "firm"):
        url = f"/runs/new/?date=2027-01-01&account=ext:{key}"
        page = client.get(url, headers=fragment).content.decode()
        assert "outside of this subtree" not in page

    billed.run("2027-01-01", issue=False, within="branch")
    text = client.get(url_of(billed)).content.decode()
    assert "Invoiced outside of the run&#x27;s subtree" in text
    assert "This run made no documents." in text
    # Whoever is asked again says what holds then.
    billed.run("2027-01-01", issue=False)
    assert "outside of the run" not in client.get(url_of(billed)).content.decode()


def test_keeps_the_chosen_account_in_its_field(billed, alice, visit):
    key = public_id("acc", billed.id_of("branch"))
    answer = visit(alice).post("/runs/new/", {"date": "", "account": key})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = answer.content.decode()
    assert f'value="{key}"' in page
    assert 'data-shown="Zweig Süd"' in page


def test_asks_again_while_it_runs_and_says_when_nobody_works(billed, alice, visit):
    client = visit(alice)
    client.post("/runs/new/", {"date": "2027-01-01"})
    url = url_of(billed)
    page = client.get(url).content.decode()
    assert 'hx-trigger="every 1s"' in page

    fragment = client.get(f"{url}?done=0&since=1", headers={"hx-request": "true"}).content.decode()
    assert "Queued: the run begins" in fragment
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


def drafts_of(vendor):
    with vendor.seen():
        found = Invoice.objects.filter(status__in=Invoice.UNISSUED).order_by("bill_to__name")
        return [one.public_id for one in found]


def test_reviews_and_approves_the_selected_alone(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="approve/")
    first, second = drafts_of(drafted)
    page = squeezed(client.get(url_of(drafted)).content.decode())
    assert page.count("data-pick ") == 2
    assert f'value="{first}"' in page

    review = client.get(url, {"ids": [second]})
    text = review.content.decode()
    assert "Approve the selected drafts?" in text
    assert "number RE-2027-000001" in text
    assert "All other drafts of the run stay drafts" in text
    answer = client.post(url, {"ids": [second], "seen": review.context["seen"]}, follow=True)
    text = squeezed(answer.content.decode())

    assert "1 invoice issued. 1 draft still waits." in text
    assert drafts_of(drafted) == [first]
    assert text.count("data-pick ") == 1
    assert run_of(drafted).status == "to_approve"
    again = client.post(url, {"ids": [second], "seen": review.context["seen"]}, follow=True)
    assert "Nothing of this run waits for approval any more." in again.content.decode()
    assert drafts_of(drafted) == [first]
    assert drafted.violations() == []


def test_shows_the_review_in_a_dialog(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="approve/")
    text = client.get(url, headers={"hx-request": "true"}).content.decode()

    assert "<html" not in text
    assert '<dialog class="dialog" id="approval" aria-labelledby="approval-title">' in text
    assert 'formmethod="dialog"' in text


def test_shows_what_was_seen_and_what_is_there_now(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="approve/")
    answer = client.post(url, {"seen": "EUR1x119", "ids": drafts_of(drafted)})

    assert answer.status_code == HTTPStatus.CONFLICT
    text = answer.content.decode()
    assert "The drafts have changed while you looked at them" in text
    assert "1 draft, €1.19" in text
    assert len(drafts_of(drafted)) == 2


def test_wants_many_to_be_confirmed_by_their_number(drafted, alice, visit, monkeypatch):
    monkeypatch.setattr("dashboard.pages.runs.approval.TYPED_FROM", 2)
    client, url = visit(alice), url_of(drafted, more="approve/")
    page = client.get(url)
    assert "type the number of invoices: 2" in page.content.decode()
    values = {"seen": page.context["seen"], "ids": drafts_of(drafted)}

    for typed in ("", "3", "two"):
        answer = client.post(url, {**values, "typed": typed})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Please type the number 2 to confirm." in answer.content.decode()
        assert len(drafts_of(drafted)) == 2
    assert client.post(url, {**values, "typed": " 2 "}).status_code == HTTPStatus.FOUND
    assert drafts_of(drafted) == []


def test_refuses_drafts_of_somebody_else(drafted, other_vendor, charlie, visit):
    ids = drafts_of(drafted)
    for run in (run_of(drafted).public_id, public_id("run", uuid7())):
        answer = visit(charlie).post(f"/runs/{run}/approve/", {"ids": ids, "seen": ""})
        assert answer.status_code == HTTPStatus.NOT_FOUND
    assert drafts_of(drafted) == ids


def test_saves_the_list(drafted, alice, visit):
    client = visit(alice)
    content = client.get("/runs/?format=csv&sort=date").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))

    assert [row["Date"] for row in rows] == ["2026-12-01", "2027-01-01"]
    assert rows[1]["Status"] == "Waiting for approval"
    assert rows[1]["Documents"] == "2"
    assert client.get("/runs/?format=xlsx").getvalue()[:2] == b"PK"
    page = client.get("/runs/").content.decode()
    assert "Sum of all 2 runs" in page


def test_pages_through_the_list(drafted, alice, visit, monkeypatch):
    monkeypatch.setitem(paging.page_of.__kwdefaults__, "size", 1)
    client = visit(alice)
    for sort in ("-date", "started", "by", "status"):
        first = client.get(f"/runs/?sort={sort}")
        second = client.get(f"/runs/?sort={sort}&after={first.context['page'].older}")
        assert {first.context["page"].rows[0].pk, second.context["page"].rows[0].pk} == {
            run_of(drafted, "2026-12-01").pk,
            run_of(drafted).pk,
        }


def test_approves_no_more_than_the_accounts_of_the_run(billed, alice, visit):
    billed.run("2027-01-01", issue=False, within="firm")
    client, url = visit(alice), url_of(billed, more="approve/")
    mine = drafts_of(billed)

    client.post(url, {"seen": client.get(url).context["seen"]})

    assert mine
    assert unissued(billed) == 0
    assert run_of(billed).status == "done"


def test_issues_with_todays_date_once_the_series_has_gone_on(drafted, alice, visit):
    """R28: the dialog says so before anybody presses."""
    client, url = visit(alice), url_of(drafted, more="approve/")
    drafted.has("accounts", account("other", name="Andere GmbH"))
    drafted.has("subscriptions", subscription("new", "other", "platform", "2027-02-01"))
    drafted.run("2027-02-01", within="other")
    left = unissued(drafted)

    review = client.get(url)
    answer = client.post(url, {"seen": review.context["seen"]})

    assert "A later invoice was issued already, so the date is that of the approval." in (
        review.content.decode()
    )
    # The sandbox's clock stands before that later invoice, so this day can't be either.
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "An invoice was issued after 23 Nov 2026 already" in answer.content.decode()
    assert unissued(drafted) == left


def test_issues_what_was_seen_and_nothing_that_came_since(drafted, alice, visit):
    """The page is old, two subscriptions are new: they wait for the next run."""
    client, url = visit(alice), url_of(drafted, more="approve/")
    seen, mine = client.get(url).context["seen"], drafts_of(drafted)
    drafted.has("subscriptions", subscription("since", "firm", "platform", "2026-12-01"))

    answer = client.post(url, {"seen": seen}, follow=True)

    assert "2 invoices issued." in answer.content.decode()
    assert drafts_of(drafted) == []
    with drafted.seen():
        assert {one.public_id for one in Invoice.objects.filter(run=run_of(drafted))} == {*mine}


def test_shows_the_new_figures_of_a_draft_that_has_changed(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="approve/")
    seen = client.get(url).context["seen"]
    drafted.has("accounts", account("group", name="Gruppe Nord", line1="Neuer Weg 9"))

    refused = client.post(url, {"seen": seen})

    text = tight(refused.content.decode())
    assert refused.status_code == HTTPStatus.CONFLICT
    assert "The drafts have changed while you looked at them" in text
    assert " – changed: recipient</dd>" in text
    assert "<del>" not in text  # the sum is the same
    assert unissued(drafted) == 2
    done = client.post(url, {"seen": refused.context["seen"]}, follow=True)
    assert "2 invoices issued." in done.content.decode()
    assert drafted.violations() == []


def test_has_many_issued_by_workers_as_they_were_seen(
    drafted, alice, visit, nudges, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("dashboard.pages.runs.approval.AT_ONCE", 1)
    client, url = visit(alice), url_of(drafted, more="approve/")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url, {"seen": client.get(url).context["seen"]})
    assert answer.status_code == HTTPStatus.FOUND
    assert len(nudges) == 1
    assert run_of(drafted).status == "issuing"
    drafted.has("accounts", account("firm", name="Firma", legal_name="Neue Firma GmbH"))

    drafted.work(run_of(drafted))

    # The one that has changed meanwhile waits with its new content, and the run says so.
    assert len(drafts_of(drafted)) == 1
    assert run_of(drafted).status == "to_approve"
    assert "Changed since the approval" in client.get(url_of(drafted)).content.decode()
    assert drafted.violations() == []


def test_takes_back_what_is_selected_with_a_reason(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="take-back/")
    first, second = drafts_of(drafted)

    page = client.get(f"{url}?ids={first}")
    assert "Take back the selected drafts?" in page.content.decode()
    values = {"ids": [first], "seen": page.context["seen"]}
    refused = client.post(url, {**values, "reason": " "})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert len(drafts_of(drafted)) == 2
    done = client.post(url, {**values, "reason": "Wrong price", "way": "hold"}, follow=True)

    assert "1 draft taken back." in done.content.decode()
    assert drafts_of(drafted) == [second]
    assert drafted.violations() == []


def test_rejects_a_run_as_a_whole(drafted, alice, visit):
    client, url = visit(alice), url_of(drafted, more="take-back/")

    values = {"reason": "Prices are wrong", "seen": client.get(url).context["seen"]}
    page = client.post(url, values, follow=True).content.decode()

    assert "Rejected by Alice: Prices are wrong" in page
    assert (run_of(drafted).status, drafts_of(drafted)) == ("done", [])
    assert drafted.violations() == []


def test_leads_from_a_draft_to_its_run(drafted, alice, visit):
    page = visit(alice).get(url_of(drafted)).content.decode()
    draft = re.search(r'href="(/invoices/inv_\w+/)"', page)
    assert draft is not None

    assert f'href="{url_of(drafted)}"' in visit(alice).get(draft[1]).content.decode()


def fragment(client, query):
    answer = client.get(f"/runs/new/?{query}", headers={"hx-request": "true"})
    assert answer.status_code == HTTPStatus.OK
    return answer.content.decode()


def test_asks_for_the_preview_when_the_form_is_there(billed, alice, visit):
    page = visit(alice).get("/runs/new/").content.decode()

    assert "What the run would take is being computed" in page
    assert 'hx-trigger="load, change from:closest form"' in page


def test_the_preview_is_the_run(billed, alice, visit):
    before = fragment(visit(alice), "date=2027-01-01")
    report = billed.run("2027-01-01", issue=False)
    made = billed.documents(report.invoice_ids)

    lines = [line for one in made for section in one["sections"] for line in section["lines"]]
    net = sum(one["net_minor"] for one in made)
    assert f"{len(lines)} lines for 4 accounts, €{net / 100:.2f} net." in before
    assert f"This makes {len(made)} drafts; nothing is issued before somebody approves." in before


def test_the_preview_is_in_german_too(billed, alice, visit):
    text = fragment(visit(alice, "de"), "date=2027-01-01")

    assert "4 Positionen für 4 Konten, 294,50\xa0€ netto." in text
    assert "Das ergibt 2 Entwürfe; festgeschrieben wird nichts, bevor jemand freigibt." in text


def test_the_preview_names_open_drafts_and_what_waits(drafted, alice, visit):
    text = fragment(visit(alice), "date=2027-01-01")

    assert "2 open drafts of the run of 1 Jan 2027 are taken along" in text
    assert "2 lines wait; the run says for what." in text


def test_the_preview_goes_on_where_it_stood(billed, alice, visit, monkeypatch):
    monkeypatch.setattr("invoicing.queries.previewed_run.TREES_AT_ONCE", 1)
    monkeypatch.setattr("invoicing.queries.previewed_run.SECONDS", 0.0)
    client = visit(alice)
    first = fragment(client, "date=2027-01-01")
    (url,) = re.findall(r'hx-get="/runs/new/\?([^"]+)" hx-trigger="load"', first)

    second = fragment(client, url.replace("&amp;", "&"))

    assert "Counted so far: 1 of 2 customers." in first
    assert "4 lines for 4 accounts, €294.50 net." in second
    assert "Counted so far" not in second
    # Somebody else's figures are not taken for one's own.
    changed = url.replace("&amp;", "&").replace("so_far=", "so_far=x")
    assert "1 of 2 customers" in fragment(client, changed)


def test_the_preview_says_that_nothing_is_there(vendor, alice, visit):
    text = fragment(visit(alice), "date=2027-01-01")

    assert "Nothing that could be billed by 1 Jan 2027 was found." in text


def test_leaves_trees_out_that_are_too_large(billed, alice, visit, monkeypatch):
    monkeypatch.setattr("invoicing.queries.previewed_run.MOST_ACCOUNTS", 2)
    monkeypatch.setattr("dashboard.pages.runs.preview.MOST_ACCOUNTS", 2)

    text = fragment(visit(alice), "date=2027-01-01")

    assert "1 line for 1 account, €100.00 net." in text
    assert "1 customer has more than 2 accounts and is not counted here." in text


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Yes, bill everything due up to 1 Jan 2028, 404 days ahead of the test clock."),
        ("de", "Ja, alles bis 01.01.2028 Fällige abrechnen, 404 Tage vor der Testuhr."),
    ],
)
def test_asks_before_it_bills_far_ahead(billed, alice, visit, language, question):
    client, far = visit(alice, language), {"date": "2028-01-01"}
    with billed.seen():
        before = BillingRun.objects.count()

    answer = client.post("/runs/new/", far)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert question in answer.content.decode()
    assert client.post("/runs/new/", {**far, "ahead": "2027-12-31"}).status_code == 422
    with billed.seen():
        assert BillingRun.objects.count() == before
    assert client.post("/runs/new/", {**far, "ahead": "2028-01-01"}).status_code == HTTPStatus.FOUND
