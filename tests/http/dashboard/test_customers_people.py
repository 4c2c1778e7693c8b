"""Contacts of an account on screen, and who has access to it."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from accounts.models import Contact, Grant
from accounts.operations.accounts.removing_contacts import ContactNeeded, remove_contact
from tenancy.ids import public_id
from tenancy.models import AuditEntry
from tests.http.dashboard.conftest import save
from tests.markup import tight
from tests.scenes import scene
from tests.world import NOW, TODAY, account


def people(vendor, key="B"):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/people/"


@scene
def shop(vendor):
    vendor.has("accounts", account("A", name="Above"), account("B", "A"))
    return vendor


def add(client, vendor, **values):
    url = f"{people(vendor)}new/"
    page = client.get(url).content.decode()
    key = page.partition('name="key" value="')[2].partition('"')[0]
    return client.post(url, {"name": "Kim", "email": "kim@kim.example", "key": key, **values})


def contact_of(vendor, name="Kim"):
    with vendor.seen():
        return Contact.objects.get(name=name)


def test_adds_changes_and_lists_contacts(shop, alice, visit):
    client = visit(alice)
    answer = add(client, shop, language="de", external_id="K-1")
    contact = contact_of(shop)

    assert answer.url == f"{people(shop)}{contact.public_id}/"
    assert save(client, answer.url, {"name": "Kai", "email": "kai@kim.example"}).url == people(shop)
    page = client.get(people(shop)).content.decode()
    assert "Kai" in page
    assert "kai@kim.example" in page
    assert "German" in page
    assert contact_of(shop, "Kai").external_id == "K-1"


def test_sent_twice_it_is_one_contact(shop, alice, visit):
    client, url = visit(alice), f"{people(shop)}new/"
    key = client.get(url).context["key"]
    values = {"name": "Kim", "email": "kim@kim.example", "key": key}
    first, second = client.post(url, values), client.post(url, values)

    assert first.url == second.url
    assert contact_of(shop).name == "Kim"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"name": ""}, "name"), ({"email": "nobody"}, "email"), ({"language": "xx"}, "language")],
)
def test_says_at_each_field_what_is_wrong(shop, alice, visit, values, field):
    answer = add(visit(alice), shop, **values)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert field in answer.context["form"].errors
    with shop.seen():
        assert not Contact.objects.exists()


def test_refuses_an_external_id_twice(shop, alice, visit):
    client = visit(alice)
    add(client, shop, external_id="K-1")
    answer = add(client, shop, name="Other", external_id="K-1")

    assert answer.context["form"].errors["external_id"] == ["It is taken."]


def test_gives_a_role_shows_why_and_ends_it(shop, alice, visit):
    client = visit(alice)
    add(client, shop)
    url = f"{people(shop)}{contact_of(shop).public_id}/"
    until = (TODAY + timedelta(days=10)).isoformat()
    shop.customer("Bob", "admin", "A")
    client.post(f"{url}roles/", {"role": "viewer", "until": until})
    with shop.seen():
        grant = Grant.objects.get(role="viewer")
    page = client.get(people(shop)).content.decode()

    for part in ("granted here", "at Above", "Administrator", "Viewer", "no longer from 3 Dec"):
        assert part in page
    answer = client.post(f"{people(shop)}roles/{grant.public_id}/end/", {"back": "contact"})
    assert answer.url == url
    assert "Kim is not “Viewer” any more." in client.get(url).content.decode()
    with shop.seen():
        assert Grant.objects.get(role="viewer").ends_on == TODAY
    assert "granted here" not in client.get(people(shop)).content.decode()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"role": "king"}, "There is no such role."),
        ({"role": "viewer", "until": "soon"}, "Please give the day as year-month-day."),
    ],
)
def test_refuses_a_role_that_cannot_be(shop, alice, visit, values, said):
    client = visit(alice)
    add(client, shop)
    url = f"{people(shop)}{contact_of(shop).public_id}/"
    answer = client.post(f"{url}roles/", values)

    assert said in client.get(answer.url).content.decode()
    with shop.seen():
        assert not Grant.objects.exists()


def test_a_contact_is_not_found_below_another_account(shop, alice, visit):
    client = visit(alice)
    add(client, shop)
    url = f"{people(shop, 'A')}{contact_of(shop).public_id}/"

    assert client.get(url).status_code == HTTPStatus.NOT_FOUND
    assert client.post(url, {"name": "X"}).status_code == HTTPStatus.NOT_FOUND


def test_clerks_look_and_change_nobody(shop, alice, visit):
    add(visit(alice), shop)
    client = visit(shop.staff("Cleo", "billing"))
    url = f"{people(shop)}{contact_of(shop).public_id}/"
    page = client.get(people(shop)).content.decode() + client.get(url).content.decode()

    assert "kim@kim.example" in page
    assert f"{people(shop)}new/" not in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    for refused in (f"{people(shop)}new/", url, f"{url}roles/"):
        assert client.post(refused, {"name": "X"}).status_code == HTTPStatus.FORBIDDEN
    assert contact_of(shop).email == "kim@kim.example"


def test_removes_a_contact_with_its_roles_and_says_so_before(shop, alice, visit):
    client = visit(alice)
    add(client, shop)
    url = f"{people(shop)}{contact_of(shop).public_id}/"
    client.post(f"{url}roles/", {"role": "viewer"})
    page = client.get(f"{url}remove/").content.decode()

    assert "The role “Viewer” on B and all below it ends today." in page
    assert save(client, f"{url}remove/", {}).url == people(shop)
    with shop.seen():
        assert not Contact.objects.exists()
        assert not Grant.objects.exists()
        trail = dict(AuditEntry.objects.values_list("action", "before"))
    assert trail["contact.removed"]["email"] == "kim@kim.example"
    assert trail["contact.removed"]["roles"][0]["role"] == "viewer"
    assert "grant.ended" in trail
    # The account tells it though the contact is gone; its neighbour and those above do not.
    told = client.get(people(shop).replace("people", "history")).content.decode()
    assert told.count("Contact removed") == told.count("Contact added") == 1
    others = client.get(people(shop, "A").replace("people", "history")).content.decode()
    assert "Contact removed" not in others
    assert client.post(f"{url}remove/").url == people(shop)
    assert client.get(f"{url}remove/").status_code == HTTPStatus.NOT_FOUND


def test_a_contact_that_gets_documents_stays_and_says_which(shop, alice, visit):
    client = visit(alice)
    add(client, shop, email="Kim@kim.example")
    shop.has("accounts", account("C", invoice_recipients="kim@KIM.example|boss@kim.example"))
    contact = contact_of(shop)
    url = f"{people(shop)}{contact.public_id}/remove/"
    answer = save(client, url, {})

    assert answer.status_code == HTTPStatus.CONFLICT
    page = tight(answer.content.decode())
    assert "Documents are sent to Kim@kim.example. Choose other recipients first." in page
    assert f'/customers/{public_id("acc", shop.id_of("C"))}/settings/invoice_recipients/"' in page
    with pytest.raises(ContactNeeded):
        remove_contact(alice, contact.pk, today=TODAY, now=NOW)
    assert contact_of(shop) == contact


def test_one_of_two_contacts_with_a_shared_mailbox_can_go(shop, alice, visit):
    client = visit(alice)
    add(client, shop)
    add(client, shop, name="Kai")
    shop.has("accounts", account("C", partial_recipients="kim@kim.example"))
    remove_contact(alice, contact_of(shop).pk, today=TODAY, now=NOW)

    with pytest.raises(ContactNeeded):
        remove_contact(alice, contact_of(shop, "Kai").pk, today=TODAY, now=NOW)


def test_a_dialog_asks_whether_to_remove(shop, alice, visit):
    client = visit(alice)
    add(client, shop)
    url = f"{people(shop)}{contact_of(shop).public_id}/remove/"
    answer = client.get(url, headers={"HX-Request": "true"}).content.decode().strip()

    assert answer.startswith("<dialog")
    assert answer.endswith("</dialog>")


def test_only_who_may_change_people_removes_one(shop, alice, visit):
    add(visit(alice), shop)
    url = f"{people(shop)}{contact_of(shop).public_id}/remove/"
    support = visit(shop.staff("Sam", "support"))

    assert support.get(url).status_code == HTTPStatus.FORBIDDEN
    assert support.post(url).status_code == HTTPStatus.FORBIDDEN
    assert contact_of(shop)
