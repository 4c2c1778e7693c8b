"""Change plans on screen: planned with a preview, decided on, carried out, reversed."""

import re
from datetime import date
from html import unescape

import pytest
from django.test import Client

from accounts.models import AccountNode, Person
from dashboard.pages.plans import moving as moving_page
from invoicing.models import ChangePlan, PlanComment
from invoicing.operations.clock import advance_clock
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.ids import public_id
from tests.markup import tight
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 15)


@scene
def shop(vendor):
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("A1", "A"),
        account("B", "G", bill_to="B", payment_terms_days=7),
        account("X", billing_day=1),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))
    return vendor


def client_of(actor):
    client = Client()
    client.force_login(Person.objects.get(pk=str(actor.person_id)))
    return client


@pytest.fixture
def alices(shop, alice):
    return client_of(alice)


def address(shop, kind, key, **values):
    query = {"kind": kind, "account": public_id("acc", shop.id_of(key)), **values}
    return "/plans/new/?" + "&".join(f"{name}={value}" for name, value in query.items())


def planned(shop, actor, key="A1", target="B", day=DAY):
    wanted = Wanted("move", shop.id_of(key), day, target_id=shop.id_of(target))
    return create_plan(actor, wanted, today=TODAY, now=NOW)


def fetched(shop, plan):
    with shop.seen():
        return ChangePlan.objects.get(pk=plan.pk)


def send(client, shop, plan, step, version=None, **values):
    held = {"do": step, "version": str(fetched(shop, plan).version) if version is None else version}
    return client.post(f"/plans/{plan.public_id}/", {**held, **values})


def test_says_where_plans_begin_while_there_are_none(shop, alices):
    page = alices.get("/plans/").content.decode()

    assert "No change is planned" in page


def test_a_move_is_previewed_before_anything_is_stored(shop, alices):
    opened = alices.get(address(shop, "move", "A1"))
    assert opened.status_code == 200
    assert "Next invoices" not in opened.content.decode()

    page = alices.get(address(shop, "move", "A1", target="B", effective_date="2026-12-15"))

    text = page.content.decode()
    assert page.status_code == 200
    assert "€11.90" in text
    assert "1 Jan 2027" in text
    assert "14 days net → 7 days net" in text
    assert "New account above</label>" in text
    assert re.search("<dt>Belongs to</dt><dd><a [^>]*>A</a> → <a [^>]*>B</a></dd>", text)
    assert "contract party" in text
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_keeps_a_plan_schedules_and_withdraws_it(shop, alices):
    values = {"kind": "move", "account": public_id("acc", shop.id_of("A1")), "target": "B",
              "effective_date": "2026-12-15", "open_drafts": "keep"}  # fmt: skip
    answer = alices.post("/plans/new/", values)
    with shop.seen():
        plan = ChangePlan.objects.get()
    assert answer.headers["Location"] == f"/plans/{plan.public_id}/"
    assert plan.status == "draft"

    assert send(alices, shop, plan, "schedule").status_code == 302
    assert fetched(shop, plan).status == "scheduled"
    tree_url = f"/customers/{public_id('acc', shop.id_of('G'))}/tree/"
    noted = tight(alices.get(tree_url).content.decode())
    assert (
        'Planned for <time datetime="2026-12-15">15 Dec 2026</time>:'
        f' <a href="/plans/{plan.public_id}/">Move A1 below B</a>' in noted
    )
    assert "Planned for" not in alices.get(f"{tree_url}?as_of=2026-11-01").content.decode()
    page = alices.get(f"/plans/{plan.public_id}/").content.decode()
    assert "Move A1 below B" in page
    assert "Withdraw" in page
    assert "Carry out now" not in page
    assert "What was foreseen" not in page
    assert send(alices, shop, plan, "withdraw").status_code == 302
    assert fetched(shop, plan).status == "withdrawn"
    page = alices.get(f"/plans/{plan.public_id}/").content.decode()
    assert "What was foreseen when it was planned" in page
    assert "Planned for" not in alices.get(tree_url).content.decode()
    assert "Move A1 below B" in alices.get("/plans/?status=withdrawn").content.decode()


def test_carries_out_today_and_offers_the_reverse(shop, alices, alice):
    plan = planned(shop, alice, day=TODAY)
    assert "Carry out now" in alices.get(f"/plans/{plan.public_id}/").content.decode()

    send(alices, shop, plan, "schedule")

    assert fetched(shop, plan).status == "applied"
    with shop.seen():
        node = AccountNode.objects.get(account_id=shop.id_of("A1"))
    assert node.parent_id == shop.id_of("B")
    answer = send(alices, shop, plan, "reverse")
    with shop.seen():
        back = ChangePlan.objects.get(reverse_of=plan.pk)
    assert answer.headers["Location"] == f"/plans/{back.public_id}/"
    page = alices.get(f"/plans/{plan.public_id}/").content.decode()
    assert f"/plans/{back.public_id}/" in page
    assert "Create the reverse plan" not in page


def test_an_old_page_decides_nothing(shop, alices, alice):
    plan = planned(shop, alice)
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)

    for version in ("1", ""):
        answer = send(alices, shop, plan, "withdraw", version=version)
        assert answer.status_code == 409
        assert "Nothing was done" in answer.content.decode()
    assert fetched(shop, plan).status == "scheduled"


def test_two_people_where_two_are_wanted(shop, alices, alice):
    shop.change_tenant(four_eyes=True)
    anton = client_of(shop.staff("Anton", "finance_admin"))
    plan = planned(shop, alice)

    send(alices, shop, plan, "ask")

    page = alices.get(f"/plans/{plan.public_id}/").content.decode()
    assert "Somebody else has to approve it" in page
    assert send(alices, shop, plan, "approve").status_code == 403
    assert send(anton, shop, plan, "approve").status_code == 302
    assert fetched(shop, plan).status == "scheduled"


def test_answers_in_place_of_a_customer_with_a_reason(shop, alices, alice):
    plan = planned(shop, alice, "A", "X")
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)
    assert send(alices, shop, plan, "accept").status_code == 422

    send(alices, shop, plan, "accept", reason="By phone")

    assert fetched(shop, plan).status == "scheduled"
    assert "By phone" in alices.get(f"/plans/{plan.public_id}/").content.decode()


def test_comments_stand_with_the_plan(shop, alices, alice):
    plan = planned(shop, alice)

    send(alices, shop, plan, "comment", text="Why now?")

    assert "Why now?" in alices.get(f"/plans/{plan.public_id}/").content.decode()
    with shop.seen():
        assert PlanComment.objects.get().text == "Why now?"


def test_asks_for_what_would_point_outside_of_the_path(shop, alices):
    shop.has("accounts", account("A2", "A", bill_to="A"))
    url = address(shop, "move", "A2", target="B", effective_date="2026-12-15")

    page = alices.get(url).content.decode()

    assert "A2 is invoiced to A." in page
    key = public_id("acc", shop.id_of("A2"))
    values = {"kind": "move", "account": key, "target": "B", "effective_date": "2026-12-15"}
    assert alices.post("/plans/new/", values).status_code == 422
    values[f"answer:{key}:bill_to"] = key
    assert alices.post("/plans/new/", values).status_code == 302


@pytest.mark.parametrize(
    ("kind", "key", "values", "text"),
    [
        ("move", "G", {"target": "A1"}, "cannot stand below itself"),
        ("move", "A1", {"target": ""}, "Choose an account from the list"),
        ("move", "A1", {"target": "nobody"}, "Choose an account from the list"),
        ("move", "A1", {"target": "B", "effective_date": "soon"}, "year-month-day"),
        ("move", "A1", {"target": "B", "effective_date": "2020-01-01"}, "takes effect today"),
        ("closing", "A1", {"choice": "none"}, "1 subscription runs."),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_entered(shop, alices, kind, key, values, text):
    answer = alices.get(address(shop, kind, key, **{"effective_date": "2026-12-15", **values}))

    page = answer.content.decode()
    assert answer.status_code in {409, 422}
    assert text in page
    assert 'id="form-errors"' in page


def test_makes_an_own_invoice_and_a_payer_by_form(shop, alices):
    own = public_id("acc", shop.id_of("A1"))
    values = {"kind": "bill_to", "account": own, "choice": own, "effective_date": "2026-12-15"}
    assert alices.post("/plans/new/", values).status_code == 302
    values = {"kind": "payer", "account": own, "target": "X", "effective_date": "2026-12-15"}
    page = alices.post("/plans/new/", values, follow=True).content.decode()
    assert "X</a> has to agree before anything happens." in page


def test_marks_who_is_invoiced_now_until_somebody_chooses(shop, alices, alice):
    own, above = (public_id("acc", shop.id_of(key)) for key in ("A1", "A"))
    chosen = r'name="choice" value="([^"]*)"\s+checked'

    assert re.findall(chosen, alices.get(address(shop, "bill_to", "A1")).content.decode()) == [""]
    wanted = Wanted("bill_to", shop.id_of("A1"), TODAY, target_id=shop.id_of("A1"))
    plan = create_plan(alice, wanted, today=TODAY, now=NOW)
    assert send(alices, shop, plan, "schedule").status_code == 302
    assert re.findall(chosen, alices.get(address(shop, "bill_to", "A1")).content.decode()) == [own]
    page = alices.get(address(shop, "bill_to", "A1", choice=above))
    assert re.findall(chosen, page.content.decode()) == [above]


@pytest.mark.parametrize("role", ["support", "billing", "auditor"])
def test_others_look_and_do_not_plan(shop, alice, role):
    plan = planned(shop, alice)
    clerk = client_of(shop.staff("Clerk", role))

    page = clerk.get(f"/plans/{plan.public_id}/")
    assert page.status_code == 200
    assert "Schedule" not in page.content.decode().split("<main")[1].split("timeline")[0]
    assert send(clerk, shop, plan, "schedule").status_code == 403
    assert clerk.get(address(shop, "move", "A1")).status_code == 403
    assert fetched(shop, plan).status == "draft"


def test_others_plans_are_nobodys(shop, alice, charlie):
    plan = planned(shop, alice)

    assert client_of(charlie).get(f"/plans/{plan.public_id}/").status_code == 404
    assert client_of(shop.staff("Ann", "owner")).get("/plans/mov_nothing/").status_code == 404


def test_the_list_is_a_file_as_well(shop, alices, alice):
    planned(shop, alice)

    answer = alices.get("/plans/?format=csv")

    assert answer.status_code == 200
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert b"Move A1 below B" in text


def test_costs_few_statements(shop, alices, alice, django_assert_max_num_queries):
    plan = planned(shop, alice)
    for url in ("/plans/", f"/plans/{plan.public_id}/", address(shop, "move", "A1")):
        with django_assert_max_num_queries(20):
            assert alices.get(url).status_code == 200


# -- where to: the dialog, and what is selected ------------------------------------------------


def moving(shop, *keys, **values):
    query = [f"account={public_id('acc', shop.id_of(key))}" for key in keys]
    query += [f"{name}={value}" for name, value in values.items()]
    return f"/plans/move/?{'&'.join(query)}"


def test_asks_where_one_account_moves_and_leads_to_its_preview(shop, alices):
    target = public_id("acc", shop.id_of("B"))
    address_asked = moving(shop, "A1", target=target)
    page = alices.get(address_asked).content.decode()
    part = alices.get(address_asked, headers={"HX-Request": "true"}).content.decode()

    assert "Move A1 to …" in page
    assert part.strip().startswith("<dialog")
    for text in (page, part):
        form = text[text.index('action="/plans/new/"') :]
        assert 'name="kind" value="move"' in form
        assert f'value="{target}"' in form
        assert 'data-shown="B"' in form
        assert 'name="effective_date" type="date" value="2026-11-23"' in form


def test_plans_several_moves_at_once_or_none(shop, alices):
    asked = moving(shop, "A1", "X")
    assert "Move 2 accounts to …" in alices.get(asked).content.decode()
    ids = [public_id("acc", shop.id_of(key)) for key in ("A1", "X")]
    values = {"account": ids, "effective_date": "2026-12-15"}

    for wrong, status, said in (
        ({"target": "A1"}, 422, "Nothing was planned. A1: "),
        ({"target": "nowhere"}, 422, "Choose an account from the list"),
        ({"target": ""}, 422, "Choose an account from the list"),
        ({"target": "B", "effective_date": "soon"}, 422, "year-month-day"),
    ):
        answer = alices.post("/plans/move/", {**values, **wrong})
        assert (answer.status_code, said in answer.content.decode()) == (status, True), wrong
        with shop.seen():
            assert not ChangePlan.objects.exists()

    answer = alices.post("/plans/move/", {**values, "target": "B"})
    assert answer.headers["Location"] == "/plans/"
    with shop.seen():
        found = set(ChangePlan.objects.values_list("account__external_id", "kind", "status"))
    assert found == {("A1", "move", "draft"), ("X", "move", "draft")}


def test_moves_at_most_some_at_once(shop, alices, monkeypatch):
    monkeypatch.setattr(moving_page, "MOST_AT_ONCE", 1)
    values = {
        "account": [public_id("acc", shop.id_of(key)) for key in ("A1", "X")],
        "effective_date": "2026-12-15",
        "target": "B",
    }

    answer = alices.post("/plans/move/", values)

    assert answer.status_code == 422
    assert "At most 1 accounts are moved at once." in answer.content.decode()


def test_only_who_may_plan_is_offered_it(shop, alices, bob, other_vendor):
    bobs, tree = client_of(bob("G")), f"/customers/{public_id('acc', shop.id_of('G'))}/"
    assert bobs.get(moving(shop, "A1")).status_code == 403
    assert alices.get(moving(shop, "A1") + "&account=acc_nothing").status_code == 404
    assert alices.get("/plans/move/").status_code == 404

    support = client_of(shop.staff("Sue", "support"))
    for page in ("", "tree/"):
        seen = support.get(f"{tree}{page}").content.decode()
        assert "plans/move" not in seen
        assert "data-pick" not in seen
        assert "plans/move" in alices.get(f"{tree}{page}").content.decode()


def test_leads_from_an_account_to_every_kind_of_plan(shop, alices):
    def offered(key):
        page = alices.get(f"/customers/{public_id('acc', shop.id_of(key))}/").content.decode()
        return [one for one in ChangePlan.Kind if f"/plans/new/?kind={one}&" in unescape(page)]

    assert offered("A") == [
        "move", "payer", "bill_to", "consolidation", "closing", "promotion", "merge",
    ]  # fmt: skip
    assert offered("G") == ["payer", "bill_to", "consolidation", "closing", "merge"]


def test_shows_what_is_credited_and_stores_the_choice(shop, alice, alices):
    advance_clock(shop.actor, to_date=date(2026, 12, 2), now=NOW)
    values = {
        "target": public_id("acc", shop.id_of("X")),
        "effective_date": "2026-12-12",
        "prepaid": "credit",
    }

    page = alices.get(address(shop, "move", "A1", **values)).content.decode()

    text = " ".join(re.sub(r"<[^>]+>", "", unescape(page)).split())
    assert "Credits for time paid in advance" in text
    assert "€6.45 goes back to G and is charged to X, before tax." in text
    assert "12–31 Dec 2026 · 20 days" in text
    alices.post("/plans/new/", {"kind": "move", "account": public_id("acc", shop.id_of("A1")),
                                **values})  # fmt: skip
    with shop.seen():
        assert ChangePlan.objects.get().parameters["prepaid"] == "credit"


def test_asks_about_what_is_paid_in_advance_where_it_can_go_elsewhere(shop, alices):
    for kind, is_asked in (("move", True), ("payer", True), ("consolidation", False)):
        page = alices.get(address(shop, kind, "A1")).content.decode()
        assert ('name="prepaid"' in page) is is_asked


def test_the_page_of_an_account_names_what_is_planned_for_it(shop, alice, alices):
    url = f"/customers/{public_id('acc', shop.id_of('A1'))}/"
    plan = planned(shop, alice)
    assert "Planned for" not in alices.get(url).content.decode()  # a draft does nothing

    submit_plan(alice, plan.pk, today=TODAY, now=NOW)

    page = tight(alices.get(url).content.decode())
    assert 'Planned for <time datetime="2026-12-15">15 Dec 2026</time>:' in page
    assert f'<a href="/plans/{plan.public_id}/">Move A1 below B</a>' in page


def test_says_what_closes_on_a_day_and_what_archives_now(shop, alices):
    page = alices.get(f"/customers/{public_id('acc', shop.id_of('A1'))}/").content.decode()
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "Close on a day … A plan with a preview: sub-accounts move, then it is closed" in text
    assert "Archive now … At once, if nothing depends on it any more" in text


def test_invoices_are_assigned_to_a_person_on_screen(shop, alices):
    """A person of the customer is an account: it takes its own invoices, and F7 says so."""
    shop.has("accounts", account("Eva", "A", kind="person", legal_name="Eva Muster"))
    shop.has("subscriptions", subscription("S9", "Eva", "ten", "2026-12-01"))
    own = public_id("acc", shop.id_of("Eva"))

    values = {"kind": "bill_to", "account": own, "choice": own,
              "effective_date": TODAY.isoformat()}  # fmt: skip
    page = alices.get("/plans/new/", values).content.decode()
    assert "Show what happens" in page
    assert alices.post("/plans/new/", values).status_code == 302
    with shop.seen():
        plan = ChangePlan.objects.get()
    assert send(alices, shop, plan, "schedule").status_code == 302

    page = alices.get(f"/customers/{own}/responsibilities/").content.decode()
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "Eva set on the account itself" in text
    assert "is invoiced to Eva and paid by Eva" in text
    assert fetched(shop, plan).status == "applied"
