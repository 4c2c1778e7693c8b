"""Creating a customer with its departments on screen, and accounts below one that is there."""

import re
from html import unescape
from http import HTTPStatus

import pytest

from accounts import tree
from accounts.models import Account, SettingInterval
from accounts.queries.subtrees import subtree
from dashboard.pages.customers.outline import MOST_LINES
from tenancy.ids import public_id
from tests.world import account

NEW = "/customers/new/"
LIST = "HR\n  Payroll\nIT\nNord GmbH | Subsidiary\n  Sales"
TREE = [("Muster", 0), ("HR", 1), ("Payroll", 2), ("IT", 1), ("Nord GmbH", 1), ("Sales", 2)]


def held(page):
    """Return the key and the list as seen that a page carries."""
    text = page.content.decode()
    found = {
        name: unescape(re.findall(rf'name="{name}" value="([^"]*)"', text)[0])
        for name in ("key", "seen")
    }
    return found


def send(client, url, **values):
    """Look at the tree first, as the page makes people do, then create it."""
    key = held(client.get(url))["key"]
    shown = client.post(url, {**values, "key": key})
    return client.post(url, {**values, **held(shown), "step": "save"})


def tree_of(vendor, name):
    with vendor.seen():
        top = Account.objects.get(name=name)
        return [(row.name, row.depth) for row in subtree(vendor.actor, top.pk)]


def count(vendor):
    with vendor.seen():
        return Account.objects.count()


def below_url(vendor, key):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/new/"


def test_creates_a_customer_with_its_departments(vendor, alice, visit):
    client = visit(alice)
    answer = send(
        client, NEW, name="Muster", kind="group", accounts=LIST, legal_name="Muster AG",
        line1="Weg 1", city="Kiel", country="DE", vat_id="DE136695976", currency="chf",
        tags="key account, north", metadata='{"crm": 4711}', external_id="M-1",
    )  # fmt: skip

    assert answer.status_code == HTTPStatus.FOUND
    assert sorted(tree_of(vendor, "Muster")) == sorted(TREE)
    with vendor.seen():
        top = Account.objects.get(name="Muster")
        kinds = dict(Account.objects.values_list("name", "kind"))
        setting = SettingInterval.objects.get(account=top)
    assert (top.legal_name, top.vat_id, top.metadata) == ("Muster AG", "DE136695976", {"crm": 4711})
    assert (setting.name, setting.value) == ("currency", "CHF")
    assert (kinds["Nord GmbH"], kinds["Sales"]) == ("subsidiary", "department")
    assert answer.url == f"/customers/{public_id('acc', top.pk)}/tree/"
    assert "Created: 6 accounts." in client.get(answer.url).content.decode()
    assert vendor.faults() == []


def test_creates_a_customer_that_stands_alone(vendor, alice, visit):
    answer = send(visit(alice), NEW, name="Alone", kind="company")

    with vendor.seen():
        key = Account.objects.get().public_id
    assert answer.url == f"/customers/{key}/"


def test_shows_the_tree_before_it_is_made(vendor, alice, visit):
    client = visit(alice)
    page = client.post(NEW, {"name": "Muster", "kind": "group", "accounts": LIST, "step": "save"})
    fragment = client.post(
        NEW, {"name": "Muster", "kind": "group", "accounts": LIST}, headers={"HX-Request": "true"}
    )

    assert count(vendor) == 0
    for text in (page.content.decode(), fragment.content.decode()):
        assert re.findall(r'<li class="d(\d)">', text) == ["0", "1", "2", "1", "1", "2"]
        assert "As a tree: 6 accounts" in text
    assert "<html" not in fragment.content.decode()


def test_sent_twice_it_is_created_once(vendor, alice, visit):
    client = visit(alice)
    values = {"name": "Muster", "kind": "group", "accounts": LIST}
    shown = client.post(NEW, {**values, "key": held(client.get(NEW))["key"]})
    values |= {**held(shown), "step": "save"}
    first, second = client.post(NEW, values), client.post(NEW, values)

    assert (first.status_code, second.status_code) == (HTTPStatus.FOUND, HTTPStatus.FOUND)
    assert first.url == second.url
    assert "Nothing was created twice." in client.get(second.url).content.decode()
    assert count(vendor) == len(TREE)


def test_sub_accounts_sent_twice_are_created_once(billed, alice, visit):
    client, url, before = visit(alice), below_url(billed, "branch"), count(billed)
    shown = client.post(url, {"accounts": "X\nY", "key": held(client.get(url))["key"]})
    values = {"accounts": "X\nY", **held(shown), "step": "save"}
    first, second = client.post(url, values), client.post(url, values)

    assert first.url == second.url == url.replace("/new/", "/tree/")
    assert count(billed) == before + 2


def test_a_key_of_nobodys_making_creates_nothing(vendor, alice, visit):
    client = visit(alice)
    values = {"name": "Muster", "kind": "group", "accounts": "", "step": "save"}
    values["seen"] = held(client.get(NEW))["seen"]
    for key in ("", "nothing", "01a8f0f0-0000-7000-8000-000000000000:forged"):
        answer = client.post(NEW, {**values, "key": key})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "This form is too old." in answer.content.decode()

    assert count(vendor) == 0
    assert client.post(NEW, {**values, "key": held(answer)["key"]}).status_code == HTTPStatus.FOUND


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "#id_name"),
        ({"country": "DE", "vat_id": "DE1"}, "This is no VAT ID of the account&#x27;s country"),
        ({"metadata": "[" * 5_000}, "This is no object in JSON"),
        ({"metadata": "4711"}, "An object is expected."),
        ({"currency": "XXX"}, "“XXX” is no currency"),
        ({"accounts": "A\n  B | Shed"}, "Line 2: “Shed” is no type of account."),
        ({"accounts": "A\n\n | Branch"}, "Line 3: "),
        ({"accounts": f"A\n{'x' * 201}"}, "Line 2: "),
        (
            {"accounts": "\n".join(" " * n + f"L{n}" for n in range(tree.MAX_DEPTH + 9))},
            f"Line {tree.MAX_DEPTH}: A tree has at most {tree.MAX_DEPTH} levels.",
        ),
        (
            {"accounts": "\n".join("ABCDEFGHIJ"[n % 10] for n in range(MOST_LINES + 1))},
            "Line 1001: At most 1,000 accounts at once.",
        ),
    ],
)
def test_refuses_what_cannot_be_and_keeps_what_was_written(vendor, alice, visit, values, said):
    sent = {"name": "Muster", "kind": "group", "accounts": "IT", **values}
    answer = send(visit(alice), NEW, **sent)
    page = answer.content.decode()

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in page
    assert sent["accounts"].strip().splitlines()[0] in page
    assert count(vendor) == 0


def test_refuses_an_external_id_that_is_taken(billed, alice, visit):
    before = count(billed)
    answer = send(visit(alice), NEW, name="Muster", kind="group", external_id="group")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "It is taken." in answer.content.decode()
    assert count(billed) == before


def test_puts_accounts_below_one_that_is_there(billed, alice, visit):
    client = visit(alice)
    answer = send(client, below_url(billed, "branch"), accounts="HR\n\tPayroll\nIT | Branch")

    assert answer.url == below_url(billed, "branch").replace("/new/", "/tree/")
    assert tree_of(billed, "Zweig Süd") == [("Zweig Süd", 0), ("HR", 1), ("Payroll", 2), ("IT", 1)]
    with billed.seen():
        parties = set(Account.objects.filter(name__in=["HR", "IT"]).values_list("contract_party"))
    assert parties == {(billed.id_of("group"),)}


def test_counts_the_levels_above(vendor, alice, visit):
    levels = [account("L0"), *(account(f"L{n}", f"L{n - 1}") for n in range(1, tree.MAX_DEPTH - 1))]
    vendor.has("accounts", *levels)
    lowest, before = f"L{tree.MAX_DEPTH - 2}", count(vendor)
    answer = send(visit(alice), below_url(vendor, lowest), accounts="Fits\n\n  Too deep")

    assert f"Line 3: A tree has at most {tree.MAX_DEPTH} levels." in answer.content.decode()
    assert count(vendor) == before


def test_asks_for_at_least_one_account(billed, alice, visit):
    answer = send(visit(alice), below_url(billed, "branch"), accounts="\n \n")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Write at least one account." in answer.content.decode()


def test_clerks_create_without_settings_and_readers_not_at_all(vendor, visit):
    clerk, reader = vendor.staff("Cleo", "billing"), vendor.staff("Ria", "auditor")
    client = visit(clerk)

    assert 'name="currency"' not in client.get(NEW).content.decode()
    assert send(client, NEW, name="A", kind="group", currency="CHF").status_code == HTTPStatus.FOUND
    with vendor.seen():
        assert not SettingInterval.objects.filter(name="currency").exclude(account=None).exists()
    assert visit(reader).get(NEW).status_code == HTTPStatus.FORBIDDEN
    assert NEW not in visit(reader).get("/customers/").content.decode()


@pytest.mark.parametrize("page", ["new/", "edit/"])
def test_is_closed_to_strangers_readers_and_customers(billed, bob, charlie, visit, page):
    url = f"/customers/{public_id('acc', billed.id_of('branch'))}/{page}"

    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("group")).get(url).status_code == HTTPStatus.FORBIDDEN
    reader = visit(billed.staff("Ria", "auditor"))
    assert reader.get(url).status_code == HTTPStatus.FORBIDDEN
    assert page not in reader.get(url.removesuffix(page)).content.decode()
