"""A subtree as a file that the import reads back unchanged."""

from http import HTTPStatus

from accounts.models import Account, Placement, SettingInterval
from accounts.operations.accounts import create_account
from tenancy.files.kinds import import_kinds
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account


@scene
def shop(vendor: Vendor) -> Vendor:
    vendor.has(
        "accounts",
        account("top", name="=1+1", postal_code="01067", billing_day=31, split_by_po="true"),
        account("a", "top", name="Äpfel; „Söhne“", bill_to="a", payer="top", cost_centre="007"),
        account(
            "b",
            "a",
            kind="department",
            payment_terms_days=0,
            invoice_recipients="x@x.example|y@y.example",
        ),
        account("other", name="Other"),
    )
    return vendor


def url_of(vendor, key):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/import-file/"


def stored(vendor):
    with vendor.seen():
        return [
            sorted(map(str, model._default_manager.values_list()))
            for model in (Account, Placement, SettingInterval)
        ]


def test_comes_back_unchanged(shop, alice, visit):
    there, run = stored(shop), import_kinds()["accounts"].run
    for key, count in (("top", 3), ("a", 2), ("b", 1)):
        answer = visit(alice).get(url_of(shop, key))
        assert answer.status_code == HTTPStatus.OK
        report = run(alice, answer.content, is_dry_run=False, today=TODAY, now=NOW)

        assert (report.errors, report.rows, report.unchanged) == ((), count, count)
    assert stored(shop) == there


def test_says_which_account_an_import_could_not_find_again(shop, alice, visit):
    create_account(alice, shop.id_of("b"), today=TODAY, now=NOW, name="Nameless", kind="department")
    client = visit(alice)
    answer = client.get(url_of(shop, "top"), follow=True)

    assert "“Nameless” has no external ID" in answer.content.decode()
    assert client.get(url_of(shop, "other")).status_code == HTTPStatus.OK


def test_is_not_for_strangers_nor_customers(shop, charlie, bob, visit, other_vendor):
    assert visit(charlie).get(url_of(shop, "top")).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("top")).get(url_of(shop, "top")).status_code == HTTPStatus.FORBIDDEN
