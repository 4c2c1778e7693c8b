"""Archiving an account on screen: what hangs on it, and taking it into use again."""

from http import HTTPStatus

from accounts.models import Account
from invoicing.models import Invoice
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import account, price, subscription


def url_of(vendor, key, page="archive/"):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/{page}"


def status_of(vendor, key):
    with vendor.seen():
        return Account.objects.get(external_id=key).status


@scene
def shop(vendor):
    vendor.has(
        "accounts",
        account("A", billing_day=1),
        account("B", "A", bill_to="A", payer="A"),
        account("C", name="Alone"),
    )
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("S", "A", "ten", "2026-12-01"))
    return vendor


def test_archives_what_nothing_hangs_on_and_reopens_it(shop, alice, visit):
    client = visit(alice)
    page = client.get(url_of(shop, "C")).content.decode()
    answer = client.post(url_of(shop, "C"))
    shown = client.get(answer.url).content.decode()

    assert "Nothing hangs on this account." in page
    assert status_of(shop, "C") == "archived"
    assert "“Alone” is archived." in shown
    assert url_of(shop, "C") not in shown
    assert url_of(shop, "C", "new/") not in shown
    back = client.post(url_of(shop, "C", "reopen/"))
    assert status_of(shop, "C") == "active"
    assert "“Alone” is in use again." in client.get(back.url).content.decode()


def test_lists_what_hangs_on_it_with_the_ways_to_settle_it(shop, alice, visit):
    shop.run("2026-12-01", issue=False)
    client, url = visit(alice), url_of(shop, "A")
    with shop.seen():
        draft = Invoice.objects.get().public_id
    branch = public_id("acc", shop.id_of("B"))
    answer = client.post(url)

    assert answer.status_code == HTTPStatus.CONFLICT
    assert status_of(shop, "A") == "active"
    for page in (answer.content.decode(), client.get(url).content.decode()):
        for part in (
            f'href="/customers/{branch}/"',
            f'href="/customers/{branch}/settings/bill_to/"',
            f'href="/customers/{branch}/settings/payer/"',
            f'href="/invoices/{draft}/"',
            'href="/subscriptions/sub_',
            "?kind=closing&amp;account=",
        ):
            assert part in page
        assert '<button class="button danger">' not in page


def test_says_it_in_a_dialog_too(shop, alice, visit):
    answer = visit(alice).get(url_of(shop, "C"), headers={"HX-Request": "true"})

    assert answer.content.decode().strip().startswith("<dialog")
    assert "Archive Alone?" in answer.content.decode()


def test_reopens_from_the_top(shop, alice, visit):
    client = visit(alice)
    shop.has("accounts", account("D"), account("D1", "D"))
    for key in ("D1", "D"):
        assert client.post(url_of(shop, key)).status_code == HTTPStatus.FOUND
    answer = client.post(url_of(shop, "D1", "reopen/"))

    assert status_of(shop, "D1") == "archived"
    assert "Reopen that first." in client.get(answer.url).content.decode()


def test_is_closed_to_readers_strangers_and_customers(shop, bob, charlie, visit):
    for page in ("archive/", "reopen/"):
        url = url_of(shop, "C", page)
        assert visit(charlie).post(url).status_code == HTTPStatus.NOT_FOUND
        assert visit(bob("C")).post(url).status_code == HTTPStatus.FORBIDDEN
    reader = visit(shop.staff("Ria", "auditor"))

    assert reader.post(url_of(shop, "C")).status_code == HTTPStatus.FORBIDDEN
    assert url_of(shop, "C") not in reader.get(url_of(shop, "C", "")).content.decode()
    assert status_of(shop, "C") == "active"
