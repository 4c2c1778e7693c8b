"""A session that ended: parts of pages lead to the sign-in, and what was entered comes back."""

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Person, Seller

PASSWORD = "correct-horse-battery"


@pytest.fixture
def jana(vendor):
    from accounts.models import Membership

    person = Person(email="jana@acme.example", name="Jana Petersen", language="en")
    person.set_password(PASSWORD)
    person.save()
    with vendor.seen():
        Membership.objects.create(tenant_id=vendor.tenant_id, person=person, role="owner")
    return person


@pytest.fixture
def edit(vendor):
    with vendor.seen():
        return f"/settings/sellers/{Seller.objects.get().public_id}/edit/"


def hidden(page):
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return [(unescape(name), unescape(value)) for name, value in found]


@pytest.mark.parametrize(
    "path",
    [
        "/search/?q=x", "/search/accounts/?q=x", "/invoices/inv_x/glance/", "/runs/new/",
        "/customers/acc_x/tree/?level=2", "/customers/acc_x/upcoming/", "/settings/test-clock/",
        "/import/job_x/", "/runs/run_x/", "/invoices/inv_x/sections/1/", "/portal/",
    ],
)  # fmt: skip
def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(db, path):
    page = "http://testserver/invoices/?status=open"

    answer = Client().get(path, headers={"hx-request": "true", "hx-current-url": page})

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=/invoices/%3Fstatus%3Dopen"


def test_what_a_form_with_a_preview_holds_comes_back(vendor, jana):
    held = {"date": "2027-03-01", "account": "ext:A", "csrfmiddlewaretoken": "x"}
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/runs/new/"}

    answer = Client().get("/runs/new/", held, headers=headers)
    client = Client()
    client.force_login(jana)
    page = client.get("/runs/new/?date=2027-03-01&account=ext%3AA").content.decode()

    assert answer.headers["HX-Redirect"] == (
        "/sign-in/?next=/runs/new/%3Fdate%3D2027-03-01%26account%3Dext%253AA"
    )
    assert 'value="2027-03-01"' in page
    assert 'value="ext:A"' in page


def test_a_part_leads_back_to_no_other_site(db):
    headers = {"hx-request": "true", "hx-current-url": "https://evil.example/x"}

    assert Client().get("/search/", headers=headers).headers["HX-Redirect"] == "/sign-in/?next=/"


def test_what_was_entered_comes_back_and_is_sent_by_hand(vendor, jana, edit):
    client = Client()
    entered = {"name": 'Acme <b> & "Söhne"', "line1": "Way 1", "iban": "", "password": "secret-1"}

    asked = client.post(edit, entered)
    fields = dict(hidden(asked.content.decode()))
    failed = client.post("/sign-in/", {**fields, "email": jana.email, "password": "wrong"})
    fields = dict(hidden(failed.content.decode()))
    signed_in = client.post("/sign-in/", {**fields, "email": jana.email, "password": PASSWORD})
    page = client.get(signed_in.url).content.decode()

    assert asked.status_code == 401
    assert "what you entered is kept" in asked.content.decode()
    assert signed_in.url == "/resume/"
    assert "secret-1" not in page
    assert f'action="{edit}"' in page
    kept = [pair for pair in hidden(page) if pair[0] != "csrfmiddlewaretoken"]
    assert kept[-3:] == [("name", 'Acme <b> & "Söhne"'), ("line1", "Way 1"), ("iban", "")]
    with vendor.seen():
        assert Seller.objects.get().name != entered["name"]


def test_a_file_has_to_be_chosen_again(jana):
    file = SimpleUploadedFile("accounts.csv", b"external_id\n")
    headers = {"referer": "http://testserver/import/"}

    answer = Client().post("/import/", {"kind": "accounts", "file": file}, headers=headers)

    assert answer.status_code == 401
    fields = dict(hidden(answer.content.decode()))
    assert fields["next"] == "/import/"
    assert "kept" not in fields
    assert "send your file once more" in answer.content.decode()


@pytest.mark.parametrize("kept", ["", "x", "W10:1:2", "x" * 300_000])
def test_a_forged_form_is_left(jana, kept):
    client = Client()
    fields = {"email": jana.email, "password": PASSWORD, "kept": kept, "next": "/invoices/"}

    assert client.post("/sign-in/", fields).url == "/invoices/"
    assert client.get("/resume/").url == "/"
