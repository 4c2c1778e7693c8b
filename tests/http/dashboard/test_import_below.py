"""Importing below an account: nothing else is created or changed, and each cell says why."""

from http import HTTPStatus

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account, Contact
from subscriptions.models import Subscription
from tenancy.files.kinds import import_kinds
from tenancy.ids import public_id
from tests.markup import tight
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, csv_of, price, subscription


@scene
def shop(vendor: Vendor) -> Vendor:
    vendor.has(
        "accounts",
        account("top", name="Top"),
        account("mine", "top", name="Mine", cost_centre="007"),
        account("deep", "mine"),
        account("other", name="Other"),
    )
    vendor.has("prices", price("p", "10.00"))
    return vendor


def url_of(vendor, key, page="import"):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/{page}/"


def contact(key, owner, **cells):
    return {
        "external_id": key,
        "account_external_id": owner,
        "name": key,
        "email": "a@b.example",
        **cells,
    }


def checked(vendor, kind, *rows, dry=True):
    run = import_kinds()[kind].run_below
    within = vendor.id_of("mine")
    report = run(vendor.actor, csv_of(rows), is_dry_run=dry, today=TODAY, within=within, now=NOW)
    return report, [(error.row, error.column, error.code) for error in report.errors]


def counted(vendor):
    with vendor.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (Account, Contact, Subscription)
        ]


def test_accounts_outside_are_refused_cell_by_cell(shop):
    there = counted(shop)
    report, found = checked(
        shop,
        "accounts",
        account("new", "deep"),
        account("below-new", "new"),
        account("mine", "top", name="Renamed"),
        account("top", name="Renamed"),
        account("other", name="Other"),
        account("root"),
        account("beside", "top"),
        account("below-beside", "beside"),
        account("lost", "nowhere"),
        dry=False,
    )

    assert found == [
        (5, "external_id", "outside_import"),
        (6, "external_id", "outside_import"),
        (7, "parent_external_id", "outside_import"),
        (8, "parent_external_id", "outside_import"),
        (9, "parent_external_id", "outside_import"),
        (10, "parent_external_id", "unknown_account"),
    ]
    assert "“Mine”" in report.errors[0].detail
    assert counted(shop) == there
    report, found = checked(
        shop, "accounts", account("new", "deep"), account("deep", "mine"), dry=False
    )
    assert (found, report.created, report.unchanged) == ([], 1, 1)


def test_subscriptions_and_contacts_of_others_are_refused(shop):
    shop.has("contacts", contact("known", "other"))
    there = counted(shop)
    sold = [subscription(key, key, "p", "2026-01-01") for key in ("mine", "other", "top", "nobody")]
    _report, found = checked(shop, "subscriptions", *sold, dry=False)
    assert sorted(found) == [
        (3, "account_external_id", "outside_import"),
        (4, "account_external_id", "outside_import"),
        (5, "account_external_id", "unknown_account"),
    ]
    _report, found = checked(
        shop,
        "contacts",
        contact("known", "deep"),
        contact("x", "deep"),
        contact("y", "top"),
        dry=False,
    )
    assert sorted(found) == [
        (2, "account_external_id", "structural_change"),
        (4, "account_external_id", "outside_import"),
    ]
    assert counted(shop) == there


def test_the_page_checks_a_file_and_leads_back(shop, alice, visit):
    client = visit(alice)
    page = tight(client.get(url_of(shop, "mine")).content.decode())
    assert "Import below “Mine”" in page
    assert "Prices" not in page
    file = SimpleUploadedFile("x.csv", csv_of([account("new", "mine"), account("root")]))
    answer = client.post(url_of(shop, "mine"), {"kind": "accounts", "file": file}, follow=True)
    shown = tight(answer.content.decode())
    here = url_of(shop, "mine").removesuffix("import/")
    assert "The file has 1 error" in shown
    assert f'Bounded to <a href="{here}">Mine</a>' in shown

    file = SimpleUploadedFile("x.csv", csv_of([account("new", "mine")]))
    answer = client.post(url_of(shop, "mine"), {"kind": "accounts", "file": file})
    done = tight(client.post(answer.url, follow=True).content.decode())
    assert "The file has been imported." in done
    assert f'href="{here}">To the account</a>' in done
    assert f'href="{here}import/">Import another file</a>' in done
    with shop.seen():
        assert Account.objects.get(external_id="new").node.parent.account_id == shop.id_of("mine")
    prices = {"kind": "prices", "file": SimpleUploadedFile("x.csv", b"")}
    assert client.post(url_of(shop, "mine"), prices).status_code == 422


@pytest.mark.parametrize("kind", ["accounts", "contacts"])
def test_the_example_imports_below_the_account(shop, alice, visit, kind):
    client, base = visit(alice), url_of(shop, "mine")
    if kind == "contacts":
        shop.has("accounts", account("muster-bremen", "mine"))
    content = client.get(f"{base}{kind}.csv").getvalue()
    run = import_kinds()[kind].run_below
    within = shop.id_of("mine")
    report = run(alice, content, is_dry_run=True, today=TODAY, within=within, now=NOW)

    assert (report.errors, report.created) == ((), 2)
    assert client.get(f"{base}prices.csv").status_code == HTTPStatus.NOT_FOUND


def test_the_subtree_comes_back_from_csv_too(shop, alice, visit):
    there, client = counted(shop), visit(alice)
    answer = client.get(url_of(shop, "mine", "import-file") + "?format=csv")
    run = import_kinds()["accounts"].run_below
    within = shop.id_of("mine")
    report = run(alice, answer.content, is_dry_run=False, today=TODAY, within=within, now=NOW)

    assert answer["Content-Type"].startswith("text/csv")
    assert (report.errors, report.rows, report.unchanged) == ((), 2, 2)
    assert counted(shop) == there
    shop.has("accounts", account("sum", "deep", name="=1+1"))
    refused = client.get(url_of(shop, "mine", "import-file") + "?format=csv", follow=True)
    assert "would be taken for a formula" in refused.content.decode()


def test_is_only_for_the_vendors_own(shop, alice, charlie, bob, visit, other_vendor):
    url = url_of(shop, "mine")
    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("top")).get(url).status_code == HTTPStatus.FORBIDDEN
