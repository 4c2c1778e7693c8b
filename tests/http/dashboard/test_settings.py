"""Settings: what invoices print of the vendor, its numbers, and the test clock."""

from datetime import date
from http import HTTPStatus

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import caches

from accounts.models import BankAccount, Person, Seller
from invoicing import tasks
from invoicing.models import BillingRun
from invoicing.operations.clock_jobs import work_on_clock_move
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.models import AuditEntry, Job
from tests.http.dashboard.conftest import save, version_in
from tests.markup import tight
from tests.world import NOW, TODAY

MOST_STATEMENTS = 12
PASSWORD = "correct-horse-battery"
REAL = {
    "name": "Nord GmbH",
    "line1": "Hof 3",
    "city": "Bremen",
    "country": "DE",
    "vat_id": "DE136695976",
    "iban": "DE89370400440532013000",
    "password": PASSWORD,
}


@pytest.fixture
def url(vendor):
    with vendor.seen():
        return f"/settings/sellers/{Seller.objects.get().public_id}/"


@pytest.fixture(autouse=True)
def _own_counts(settings):
    """Count tries in this process alone."""
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {name: {**memory, "LOCATION": name} for name in ("default", "memory")}
    for alias in settings.CACHES:
        caches[alias].clear()


@pytest.fixture
def visit(visit):
    """Browsers of people who have a password."""

    def sign_in(actor, language="en"):
        Person.objects.filter(pk=actor.person_id).update(password=make_password(PASSWORD))
        return visit(actor, language)

    return sign_in


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.work_on_clock_move, "delay", lambda **values: sent.append(values))
    return sent


def test_shows_the_seller_its_numbers_and_that_it_is_a_placeholder(billed, alice, visit, url):
    page = visit(alice).get(url).content.decode()

    assert "placeholders marked TEST" in page
    assert "RE-2026-000003" in page
    assert "No gap" in page
    assert "RE-2026-000003" in visit(alice).get("/settings/sellers/").content.decode()


@pytest.mark.parametrize("role", ["owner", "finance_admin", "auditor"])
def test_lets_owners_change_and_others_read(vendor, visit, url, role):
    client = visit(vendor.staff("Somebody", role))
    may = role == "owner"

    assert (f"{url}edit/" in client.get(url).content.decode()) is may
    assert client.get(f"{url}edit/").status_code == (200 if may else HTTPStatus.FORBIDDEN)
    answer = save(client, f"{url}edit/", REAL)
    assert answer.status_code == (HTTPStatus.FOUND if may else HTTPStatus.FORBIDDEN)
    with vendor.seen():
        assert (Seller.objects.get().name == "Nord GmbH") is may
        assert AuditEntry.objects.filter(action="seller.updated").exists() is may


def test_says_at_each_field_what_is_wrong_and_keeps_the_values(vendor, visit, url):
    client = visit(vendor.staff("Olga", "owner"))
    answer = save(client, f"{url}edit/", {**REAL, "iban": "DE00 1234", "city": ""})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = answer.content.decode()
    assert "This is no IBAN" in page
    assert "This must not be empty." in page
    assert 'value="DE00 1234"' in page
    assert 'href="#id_iban"' in page


def test_tells_who_changed_what(vendor, visit, url):
    client = visit(vendor.staff("Olga", "owner"))
    save(client, f"{url}edit/", REAL)

    page = client.get(url).content.decode()
    assert "Olga" in page
    assert "Changed: Company" in page


def test_is_not_there_for_strangers(vendor, charlie, visit, url):
    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(charlie).get(f"{url}edit/").status_code == HTTPStatus.NOT_FOUND
    assert visit(charlie).get("/settings/sellers/x/").status_code == HTTPStatus.NOT_FOUND


def test_moves_the_test_clock_in_the_background(
    vendor, alice, visit, nudges, django_capture_on_commit_callbacks
):
    client = visit(alice)
    with django_capture_on_commit_callbacks(execute=True):
        save(client, "/settings/test-clock/", {"to": "2026-12-01", "confirmed": "2026-12-01"})
        save(client, "/settings/test-clock/", {"to": "2026-12-01", "confirmed": "2026-12-01"})

    with vendor.seen():
        job = Job.objects.get()
    assert nudges == [{"tenant_id": str(vendor.tenant_id), "job_id": str(job.pk)}] * 2
    page = client.get("/settings/test-clock/").content.decode()
    assert "<progress" in page
    assert 'hx-trigger="every 1s"' in page


def test_names_change_plans_before_and_the_runs_after_a_move(billed, alice, visit, nudges):
    with billed.seen():
        wanted = Wanted("move", billed.id_of("branch"), date(2026, 12, 20))
    plan = create_plan(billed.actor, wanted, today=TODAY, now=NOW)
    submit_plan(billed.actor, plan.pk, today=TODAY, now=NOW)
    client = visit(alice)

    page = client.get("/settings/test-clock/").content.decode()
    assert "Next event, 20 Dec 2026" in page
    # From 23 November on: a day, a week, a month, and to the end of this one.
    for day in ("2026-11-24", "2026-11-30", "2026-12-23"):
        assert f'value="{day}"' in page
    page = save(client, "/settings/test-clock/", {"to": "2027-01-01"}).content.decode()
    assert "1 change plan is carried out: on 20 Dec 2026, Move of Zweig Süd." in page
    # Each of the four subscriptions begins its next period on 1 January.
    assert "The calendar also has: Renewals: 4." in page

    save(client, "/settings/test-clock/", {"to": "2027-01-01", "confirmed": "2027-01-01"})
    with billed.seen():
        key = Job.objects.get().pk
    while work_on_clock_move(Actor.system(billed.tenant_id), key, now=NOW):
        pass

    polled = client.get("/settings/test-clock/", headers={"HX-Request": "true"})
    assert polled.headers["HX-Refresh"] == "true"
    page = client.get("/settings/test-clock/").content.decode()
    with billed.seen():
        run = BillingRun.objects.get(date="2027-01-01")
    assert f'<a href="/runs/{run.public_id}/">1 Jan 2027</a>' in page
    assert '<td class="num" data-label="Change plans">1</td>' in page


@pytest.mark.parametrize("to", ["", "2026-01-01", "2199-01-01", "nonsense"])
def test_refuses_what_no_clock_can_show(vendor, alice, visit, to):
    answer = save(visit(alice), "/settings/test-clock/", {"to": to})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_keeps_the_clock_from_those_who_may_not(vendor, live_vendor, visit):
    mira = visit(vendor.staff("Mira", "auditor"))
    assert "Advance the clock" not in mira.get("/settings/test-clock/").content.decode()
    answer = save(mira, "/settings/test-clock/", {"to": "2026-12-01"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    live = visit(live_vendor.staff("Erin", "owner"))
    assert live.get("/settings/test-clock/").status_code == HTTPStatus.NOT_FOUND


def test_needs_few_statements(billed, alice, visit, statements, url):
    for one in ("/settings/sellers/", url, "/settings/test-clock/"):
        assert len(statements(visit(alice), one)) <= MOST_STATEMENTS


def test_names_an_account_for_another_currency_changes_and_removes_it(vendor, visit, url):
    client = visit(vendor.staff("Olga", "owner"))
    bank = {"currency": "usd", "iban": REAL["iban"], "bic": "", "bank_name": "Förde Bank"}
    bank["password"] = PASSWORD

    assert save(client, f"{url}bank-accounts/", bank).status_code == HTTPStatus.FOUND
    page = client.get(url).content.decode()
    assert "Förde Bank" in page
    assert f'href="{url}bank-accounts/USD/"' in page
    assert "Changed: Bank account for USD" in page
    refused = save(client, f"{url}bank-accounts/USD/", {"iban": "DE00", "password": PASSWORD})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is no IBAN" in refused.content.decode()
    save(client, f"{url}bank-accounts/USD/", {"remove": "1", "password": PASSWORD})
    assert "Förde Bank" not in client.get(url).content.decode()
    assert client.get(f"{url}bank-accounts/USD/").status_code == HTTPStatus.NOT_FOUND


def test_shows_accounts_for_other_currencies_to_who_may_change_them(vendor, visit, url, charlie):
    reader = visit(vendor.staff("Somebody", "auditor"))

    assert "bank-accounts" not in reader.get(url).content.decode()
    assert reader.get(f"{url}bank-accounts/").status_code == HTTPStatus.FORBIDDEN
    assert visit(charlie).get(f"{url}bank-accounts/").status_code == HTTPStatus.NOT_FOUND


@pytest.fixture
def owner(vendor, visit):
    return visit(vendor.staff("Olga", "owner"))


def held(vendor):
    with vendor.seen():
        seller = Seller.objects.get()
        return seller.name, seller.iban, list(BankAccount.objects.values_list("currency", "iban"))


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_bank_account_changes_with_the_password_alone(vendor, owner, url, password):
    before, bank = held(vendor), {"currency": "USD", "iban": REAL["iban"]}

    answers = [
        save(owner, f"{url}edit/", {**REAL, "password": password}),
        save(owner, f"{url}bank-accounts/", {**bank, "password": password}),
    ]

    assert [one.status_code for one in answers] == [HTTPStatus.UNPROCESSABLE_ENTITY] * 2
    said = "not your password" if password else "enter your password"
    assert all(said in one.content.decode() for one in answers)
    assert held(vendor) == before
    assert save(owner, f"{url}bank-accounts/", {**bank, "password": PASSWORD}).status_code == 302
    refused = save(owner, f"{url}bank-accounts/USD/", {"remove": "1", "password": password})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert held(vendor)[2] == [("USD", REAL["iban"])]


def test_other_details_change_without_it(vendor, owner, url):
    with vendor.seen():
        iban, bic = Seller.objects.values_list("iban", "bic").get()

    answer = save(owner, f"{url}edit/", {**REAL, "iban": iban, "bic": bic, "password": ""})

    assert answer.status_code == HTTPStatus.FOUND
    assert held(vendor)[0] == "Nord GmbH"


def test_asking_for_the_password_is_limited_and_written_down(vendor, owner, url):
    before = held(vendor)
    for _attempt in range(5):
        save(owner, f"{url}edit/", {**REAL, "password": "wrong"})

    answer = save(owner, f"{url}edit/", REAL)

    assert "Too many attempts." in answer.content.decode()
    assert held(vendor) == before
    with vendor.seen():
        assert AuditEntry.objects.filter(action="person.sign_in_failed").count() == 5


def test_two_windows_on_one_form_lose_nothing(vendor, owner, url):
    version = version_in(owner.get(f"{url}edit/"))
    first = owner.post(f"{url}edit/", {**REAL, "version": version})
    stored = held(vendor)
    mine = {**REAL, "name": "Mine AG", "iban": "DE75512108001245126199", "version": version}

    late = owner.post(f"{url}edit/", mine)

    assert (first.status_code, late.status_code) == (HTTPStatus.FOUND, HTTPStatus.CONFLICT)
    assert held(vendor) == stored
    page = tight(late.content.decode())
    assert "<td>Mine AG</td><td>Nord GmbH</td>" in page
    assert f"<td>DE75512108001245126199</td><td>{REAL['iban']}</td>" in page
    assert 'value="Mine AG"' in page
    again = owner.post(f"{url}edit/", {**mine, "version": version_in(late)})
    assert again.status_code == HTTPStatus.FOUND
    assert held(vendor)[:2] == ("Mine AG", "DE75512108001245126199")


def test_two_windows_on_a_bank_account_lose_nothing(vendor, owner, url):
    bank = {"currency": "USD", "iban": REAL["iban"], "password": PASSWORD}
    empty = version_in(owner.get(f"{url}bank-accounts/"))
    owner.post(f"{url}bank-accounts/", {**bank, "version": empty})
    late = {**bank, "iban": "DE75512108001245126199"}

    added = owner.post(f"{url}bank-accounts/", {**late, "version": empty})
    shown = version_in(owner.get(f"{url}bank-accounts/USD/"))
    changed = owner.post(f"{url}bank-accounts/USD/", {**bank, "bank_name": "B", "version": shown})
    lost = owner.post(f"{url}bank-accounts/USD/", {**late, "version": shown})

    statuses = [one.status_code for one in (added, changed, lost)]
    assert statuses == [HTTPStatus.CONFLICT, HTTPStatus.FOUND, HTTPStatus.CONFLICT]
    assert held(vendor)[2] == [("USD", REAL["iban"])]


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "<code>RE-YYYY-000000</code>"), ("de", "<code>RE-JJJJ-000000</code>")],
)
def test_writes_the_form_of_numbers_as_people_do(billed, alice, visit, url, language, text):
    assert text in visit(alice, language).get(url).content.decode()


def test_names_the_right_that_is_missing_and_who_can_grant_it(billed, visit):
    auditor = visit(billed.staff("Aud", "auditor"))
    with billed.seen():
        jobs_before = Job.objects.count()

    answer = auditor.post("/settings/test-clock/", {"to": "2026-12-31"})

    assert answer.status_code == HTTPStatus.FORBIDDEN
    page = answer.content.decode()
    assert "The right is missing: move the test clock." in page
    assert "An owner of the company can grant it." in page
    with billed.seen():
        assert Job.objects.count() == jobs_before


@pytest.mark.parametrize("confirmed", ["", "2026-12-31", "nonsense"])
def test_asks_before_the_clock_moves_and_says_what_that_brings(billed, alice, visit, confirmed):
    with billed.seen():
        before = (Job.objects.count(), AuditEntry.objects.count())

    answer = save(
        visit(alice), "/settings/test-clock/", {"to": "2027-01-01", "confirmed": confirmed}
    )

    assert answer.status_code == HTTPStatus.OK
    page = answer.content.decode()
    assert "Move the clock by 39 days, to 1 Jan 2027?" in page
    assert "1 billing run is made, on 1 Jan 2027." in page
    # What a run of that day then makes: 100.00 + 72.00 + 22.50 + 100.00.
    assert "4 lines for 4 accounts are issued on at least 2 invoices, €294.50 net." in page
    assert 'name="confirmed" value="2027-01-01"' in page
    assert "estimate" not in page
    with billed.seen():
        assert (Job.objects.count(), AuditEntry.objects.count()) == before


def test_says_when_a_move_brings_nothing_or_can_only_be_estimated(billed, alice, visit):
    client = visit(alice, "de")

    near = save(client, "/settings/test-clock/", {"to": "2026-11-30"}).content.decode()
    far = save(client, "/settings/test-clock/", {"to": "2027-06-01"}).content.decode()

    assert "Bis dahin wird nichts fällig" in near
    assert "eine Schätzung" in far
    assert "Rechnungsläufe werden gemacht, der erste am" in far
    assert "eine Schätzung" not in near
