"""Changing more accounts than at once: looked at, done piece by piece, stopped, done again."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from accounts.models import Account, AccountTag, SettingInterval
from accounts.operations import account_settings
from accounts.operations.accounts import editing_jobs, editing_many
from accounts.operations.accounts.editing_many import WantedOfMany
from dashboard.pages.customers import many
from tenancy.actor import Actor
from tenancy.ids import public_id
from tenancy.models import AuditEntry, Job, JobPiece
from tests.markup import tight
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account

URL = "/customers/change/"


@scene
def wide(vendor: Vendor) -> Vendor:
    """A tree of twelve accounts, one of them archived, and another customer."""
    rows = [account(f"k{n:02}", "top", name=f"K {n:02}") for n in range(11)]
    vendor.has("accounts", account("top", name="Top"), *rows, account("other", name="Other"))
    with vendor.seen():
        Account.objects.filter(external_id="k10").update(status="archived")
    return vendor


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(editing_jobs, "PIECE", 5)
    monkeypatch.setattr(many, "MOST_AT_ONCE", 10)


def ask(client, vendor, **values):
    top = public_id("acc", vendor.id_of("top"))
    wanted = {"everything": "1", "in": top, "tags_way": "add", "tags": "north", **values}
    answer = client.post(URL, {**wanted, "step": "preview"})
    assert answer.status_code == HTTPStatus.FOUND, answer.content.decode()[-2000:]
    return answer.url


def work(vendor, url, steps=99):
    with vendor.seen():
        job = Job.objects.get(kind="edit", status__in=["waiting", "running"])
    system = Actor.system(vendor.tenant_id)
    for _step in range(steps):
        if not editing_jobs.work_on_edit(system, job.pk, now=NOW):
            break
    assert url.endswith(f"{job.public_id}/")


def tagged(vendor):
    with vendor.seen():
        return AccountTag.objects.filter(name="north").count()


def entries(vendor):
    with vendor.seen():
        return AuditEntry.objects.filter(action="account.updated").count()


def test_looks_first_then_does_it_once(wide, alice, visit):
    client = visit(alice)
    url = ask(client, wide)
    assert "0 of 12 accounts are looked at" in tight(client.get(url).content.decode())
    work(wide, url)
    shown = client.get(url)
    assert shown.context["counts"] == {"changing": "11", "same": "0", "refused": "1"}
    page = tight(shown.content.decode())
    assert "It is archived." in page
    assert "K 10" in page
    assert "and 1 more" in page
    assert (tagged(wide), entries(wide)) == (0, 0)

    assert client.post(url, {"do": "apply"}).url == url
    work(wide, url)
    done = client.get(url)
    assert "All accounts are through." in tight(done.content.decode())
    assert done.context["back_url"].endswith("/tree/")
    assert (tagged(wide), entries(wide)) == (11, 11)
    with wide.seen():
        assert not JobPiece.objects.exists()
        assert {
            *AuditEntry.objects.filter(action="account.updated").values_list("actor_label")
        } == {("Alice",)}
    # The button pressed once more, and all of it once more.
    client.post(url, {"do": "apply"})
    again = ask(client, wide)
    work(wide, again)
    shown = client.get(again)
    assert shown.context["counts"] == {"changing": "0", "same": "11", "refused": "1"}
    assert not shown.context["can_apply"]
    assert entries(wide) == 11


def test_names_those_below_that_keep_a_value_of_their_own(wide, alice, visit):
    deep = [account(f"d{n:02}", f"k{n % 3:02}", name=f"Deep {n:02}") for n in range(14)]
    wide.has("accounts", *(one | {"payment_terms_days": 7} for one in deep))
    terms = account_settings.WantedSettings({"payment_terms_days": 14}, TODAY, {})
    for key in ("k00", "other"):
        account_settings.change_settings(alice, wide.id_of(key), terms, today=TODAY, now=NOW)
    wanted = WantedOfMany(TODAY, settings={"payment_terms_days": 21})
    chosen = [wide.id_of(key) for key in ("top", *(f"k{n:02}" for n in range(10)), "d13")]
    job = editing_jobs.request_edit(alice, chosen, wanted, today=TODAY, now=NOW)
    url = f"{URL}jobs/{job.public_id}/"

    work(wide, url)
    shown = visit(alice).get(url)

    # Each once, though several above it are chosen; neither the chosen nor other customers.
    assert [one.name for one in shown.context["keepers"]] == [f"Deep {n:02}" for n in range(10)]
    assert shown.context["more_keepers"] == 3
    # All but the archived one are chosen, or keep what they have.
    assert shown.context["followers"] == 1
    page = tight(shown.content.decode())
    assert "1 sub-account inherits this.</p><p>These set “Payment terms” themselves" in page
    assert "Deep 13" not in page[page.index("Below these") :]
    assert shown.context["counts"]["changing"] == "12"


def test_is_stopped_and_goes_on_where_it_stood(wide, alice, visit):
    client = visit(alice)
    url = ask(client, wide)
    work(wide, url)
    client.post(url, {"do": "apply"})
    work(wide, url, steps=1)
    assert tagged(wide) == 5
    client.post(url, {"do": "stop"})
    page = tight(client.get(url).content.decode())
    assert "Stopped: 5 of 12 accounts are through" in page
    with wide.seen():
        job = Job.objects.get(kind="edit")
        assert AuditEntry.objects.filter(action="job.stopped").count() == 1
    assert not editing_jobs.work_on_edit(Actor.system(wide.tenant_id), job.pk, now=NOW)
    assert tagged(wide) == 5
    client.post(url, {"do": "apply"})
    work(wide, url)
    assert client.get(url).context["counts"] == {"changing": "11", "same": "0", "refused": "1"}
    assert (tagged(wide), entries(wide)) == (11, 11)


def test_a_look_that_was_stopped_changes_nothing(wide, alice, visit):
    client = visit(alice)
    url = ask(client, wide)
    client.post(url, {"do": "stop"})
    answer = client.post(url, {"do": "apply"}, follow=True)

    assert "It has not been shown yet what this would change" in answer.content.decode()
    assert "Nothing was changed." in tight(answer.content.decode())
    assert tagged(wide) == 0


def test_settings_hold_from_the_day_on_which_it_is_done(wide, alice, visit):
    wanted = WantedOfMany(TODAY, settings={"payment_terms_days": 21})
    ids = [wide.id_of(f"k{n:02}") for n in range(10)]
    job = editing_jobs.request_edit(alice, ids, wanted, today=TODAY, now=NOW)
    system, later = Actor.system(wide.tenant_id), TODAY + timedelta(days=3)
    while editing_jobs.work_on_edit(system, job.pk, now=NOW):
        pass
    editing_jobs.apply_edit(alice, job.pk, today=later, now=NOW)
    while editing_jobs.work_on_edit(system, job.pk, now=NOW):
        pass
    with wide.seen():
        own = SettingInterval.objects.filter(name="payment_terms_days", account_id__in=ids)
        assert {*own.values_list("valid_from", "value")} == {(later, 21)}
        assert own.count() == 10


def test_refuses_what_it_must(wide, alice, charlie, bob, visit, other_vendor, monkeypatch):
    client = visit(alice)
    url = ask(client, wide)
    for stranger, status in ((charlie, HTTPStatus.NOT_FOUND), (bob("top"), HTTPStatus.FORBIDDEN)):
        assert visit(stranger).get(url).status_code == status
        assert visit(stranger).post(url, {"do": "apply"}).status_code == status
    monkeypatch.setattr("dashboard.pages.customers.many_selection.MOST_IN_JOB", 11)
    wanted = {"everything": "1", "all": "1", "tags_way": "add", "tags": "north", "step": "preview"}
    assert client.post(URL, wanted).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert editing_many.MOST_AT_ONCE == 2_000
    with wide.seen():
        assert Job.objects.count() == 1


def test_a_tree_is_selected_as_a_whole_and_in_the_body(wide, alice, visit):
    client = visit(alice)
    url = f"/customers/{public_id('acc', wide.id_of('top'))}/tree/"
    page = tight(client.get(url).content.decode())

    assert "All 12 of this tree" in page
    assert 'id="bulk" method="post"' in page
    keys = [public_id("acc", wide.id_of(f"k{n:02}")) for n in range(3)]
    asked = client.post(URL, {"account": keys})
    assert "Change 3 accounts" in asked.content.decode()
    assert client.post("/plans/move/", {"account": keys}).status_code == HTTPStatus.OK
    everything = client.post("/plans/move/", {"everything": "1"})
    assert everything.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
