"""Imports: checked first, then exactly the same; errors with row and column."""

from http import HTTPStatus

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account
from dashboard.pages.imports import listing as imports
from subscriptions import tasks
from tests.world import account, csv_of

MOST_STATEMENTS = 12
KINDS = [
    "accounts", "prices", "price_versions", "negotiated_prices", "discounts", "subscriptions",
    "contacts", "usage", "charges",
]  # fmt: skip
GOOD = [account("group", name="Gruppe"), account("branch", "group", name="Zweig <b>")]


def send(client, rows, kind="accounts", name="a.csv"):
    content = rows if isinstance(rows, bytes) else csv_of(rows)
    return client.post("/import/", {"kind": kind, "file": SimpleUploadedFile(name, content)})


def count(vendor):
    with vendor.seen():
        return Account.objects.count()


def test_checks_and_stores_nothing_then_imports(vendor, alice, visit):
    client = visit(alice)
    url = send(client, GOOD).url
    page = client.get(url).content.decode()

    assert "Import 2 rows" in page
    assert "Zweig &lt;b&gt;" in page
    assert "The tree it makes" in page
    assert count(vendor) == 0

    assert client.post(url).url == url
    assert client.post(url).url == url
    assert count(vendor) == 2
    assert "The file has been imported." in client.get(url).content.decode()
    again = client.get(send(client, GOOD).url).content.decode()
    assert "Nothing changes" in again
    assert "Import 2 rows" not in again


@pytest.mark.parametrize("content", [csv_of(GOOD), csv_of(GOOD).rstrip(b"\n")])
def test_counts_the_rows_below_the_header(vendor, alice, visit, content):
    client = visit(alice)
    send(client, content)

    assert '<td data-label="Rows" class="num">2</td>' in client.get("/import/").content.decode()


def test_lists_errors_by_page_and_as_a_file(vendor, alice, visit):
    client = visit(alice)
    rows = [account(f"a{number}", kind="=cmd") for number in range(120)]
    url = send(client, rows).url

    page = client.get(f"{url}?page=2").content.decode()
    assert "The file has 120 errors; nothing was stored." in page
    assert "Page 2 of 2" in page
    assert client.post(url).status_code == HTTPStatus.CONFLICT
    file = client.get(f"{url}errors.csv")
    assert file.headers["Content-Type"].startswith("text/csv")
    assert len(file.content.decode().splitlines()) == 121
    assert count(vendor) == 0


def test_hands_long_files_to_a_worker(
    vendor, alice, visit, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(imports, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(tasks.work_on_import, "delay", lambda **values: sent.append(values))
    client = visit(alice)

    with django_capture_on_commit_callbacks(execute=True):
        url = send(client, GOOD).url

    assert len(sent) == 1
    assert 'hx-trigger="every 1s"' in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("owner", KINDS),
        ("billing", ["accounts", "discounts", "subscriptions", "usage", "charges"]),
        ("auditor", []),
    ],
)
def test_offers_what_a_role_may_import(vendor, visit, role, kinds):
    client = visit(vendor.staff("Somebody", role))
    page = client.get("/import/")

    assert [one["kind"] for one in page.context["templates"]] == kinds
    status = send(client, GOOD, kind="prices").status_code
    assert status == (HTTPStatus.FOUND if "prices" in kinds else HTTPStatus.UNPROCESSABLE_ENTITY)


def test_is_not_there_for_strangers_and_customers(vendor, alice, bob, charlie, visit):
    url = send(visit(alice), GOOD).url
    vendor.has("accounts", account("top"))

    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(charlie).post(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(charlie).get(f"{url}errors.csv").status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("top")).get("/import/").status_code == HTTPStatus.FORBIDDEN


def test_refuses_without_a_file_or_with_too_large_a_one(vendor, alice, visit, monkeypatch):
    client = visit(alice)
    answer = client.post("/import/", {"kind": "accounts"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    monkeypatch.setattr(imports, "LARGEST_BYTES", 10)
    assert "20 MB" in send(client, GOOD).content.decode()


def test_survives_any_bytes(vendor, alice, visit):
    client = visit(alice)
    for content in (b"", b"\x00\xff\xfe", b"external_id\n", b'"', "ü;ä\n".encode("latin-1")):
        url = send(client, content).url
        assert "Errors" in client.get(url).content.decode()


def test_gives_templates(vendor, alice, visit):
    answer = visit(alice).get("/import/templates/accounts.csv")

    assert answer.content.decode("utf-8-sig").startswith("external_id,name,kind,")
    assert visit(alice).get("/import/templates/x.csv").status_code == HTTPStatus.NOT_FOUND


def test_needs_few_statements(vendor, alice, visit, statements):
    client = visit(alice)
    url = send(client, GOOD).url
    for one in ("/import/", url):
        assert len(statements(client, one)) <= MOST_STATEMENTS
