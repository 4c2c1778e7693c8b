"""No cache keeps a private answer: every address, every reader, whatever comes back.

The addresses are read from the resolver, those of the platform's operators among them.
"""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.models import Person
from tests.http.test_foreign_ids import (
    addresses,
    both,  # noqa: F401
    clients,
    filled,
    ids_of,
)

# The admin's own, with names of models and of its parts in them.
_OF_THE_ADMIN = ("app_label", "object_id", "content_type_id", "url", "extra")
ROUTES = sorted(
    {
        route
        for route in addresses(get_resolver())
        if not any(name in route for name in _OF_THE_ADMIN) and "(?P" not in route
    }
)
OPERATORS = ("/admin/", "/admin/accounts/account/", "/admin/invoicing/invoice/", "/admin/x/")


def address(route, ids):
    plain = re.sub(r"^\^|\$$|\\Z", "", route.replace("^", ""))
    return filled(plain, ids)


def keeps_nothing(answer):
    return "no-store" in answer.headers.get("Cache-Control", "")


def test_sweeps_all_kinds_of_addresses():
    assert len(ROUTES) > 60
    for kind in ("api/v1/", "portal/", "settings/", "runs/", "import/", "healthz", "admin/"):
        assert any(route.startswith(kind) for route in ROUTES), kind


def test_no_answer_is_kept(both):
    vendor, _other = both
    ids, kept, statuses = ids_of(vendor), [], set()
    readers = [*clients(vendor), ("nobody", Client())]
    for who, client in readers:
        client.raise_request_exception = False
        for route in ROUTES:
            url = address(route, ids)
            # What signed-in readers can change is another test's.
            for method in ("get", "head", "options", "post") if who == "nobody" else ("get",):
                answer = getattr(client, method)(url)
                b"".join(answer)
                statuses.add(answer.status_code)
                if not keeps_nothing(answer):
                    kept.append((who, method, url, answer.status_code))

    assert kept == []
    assert {200, 302, 401, 403, 404, 405} <= statuses


def test_files_are_kept_by_nobody(both):
    vendor, _other = both
    ids = ids_of(vendor)
    found = {}
    for who, client in clients(vendor):
        prefix = {"owner": "", "customer": "/portal", "key": "/api/v1"}[who]
        invoice = address("invoices/<str:invoice_id>/", ids)
        urls = [f"{prefix}{invoice}pdf"]
        if who != "key":
            lists = [f"{prefix}/invoices/?format={kind}" for kind in ("csv", "xlsx")]
            urls += [f"{prefix}{invoice}annex.csv", *lists]
        for url in urls:
            answer = client.get(url)
            assert answer.status_code in {200, 202, 404}, url
            found[url] = answer.headers["Cache-Control"]
            b"".join(answer)

    assert {url: said for url, said in found.items() if "no-store" not in said} == {}


@pytest.mark.parametrize("path", ["accounts/ext:A", "me", "invoices/{invoice}"])
def test_a_program_that_has_it_already_is_told_so_all_the_same(both, path):
    vendor, _other = both
    invoice = address("invoices/<str:invoice_id>/", ids_of(vendor)).split("/")[2]
    url = "/api/v1/" + path.format(invoice=invoice)
    key = dict(clients(vendor))["key"]
    first = key.get(url)

    again = key.get(url, headers={"if-none-match": first.headers["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert keeps_nothing(first)
    assert keeps_nothing(again)


@pytest.mark.parametrize("path", OPERATORS)
def test_what_operators_see_is_kept_by_nobody(db, path):
    otto = Person.objects.create(email="ops@platform.example", name="Otto", is_operator=True)
    client = Client()
    client.force_login(otto)

    assert keeps_nothing(client.get(path))
