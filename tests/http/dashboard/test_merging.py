"""Merging a duplicate on screen: chosen, previewed, confirmed, and where it leads afterwards."""

import re

import pytest
from django.test import Client

from accounts.models import Account, AccountNode, Person
from invoicing.models import ChangePlan
from tenancy.ids import public_id
from tests.markup import squeezed
from tests.scenes import scene
from tests.world import TODAY, account, price, subscription


@scene
def shop(vendor):
    """D, called as K is, is a duplicate of it; D1 stands below it and is invoiced to it."""
    vendor.has(
        "accounts",
        account("K", billing_day=1, name="Twin", payment_terms_days=30),
        account("D", name="Twin", payment_terms_days=7),
        account("D1", "D", bill_to="D"),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S1", "D", "ten", "2026-12-01"))
    vendor.customer("Ada", "admin", "D")
    return vendor


@pytest.fixture
def alices(shop, alice):
    client = Client()
    client.force_login(Person.objects.get(pk=str(alice.person_id)))
    return client


def ref(shop, key):
    return public_id("acc", shop.id_of(key))


def asked(shop, key="D", into="K", **values):
    return {
        "kind": "merge",
        "account": ref(shop, key),
        "target": into,
        "effective_date": TODAY.isoformat(),
        **values,
    }


def text_of(answer):
    return squeezed(answer.content.decode())


def test_asks_for_the_account_to_keep_and_shows_all_that_comes_of_it(shop, alices):
    opened = text_of(alices.get("/plans/new/", {"kind": "merge", "account": ref(shop, "D")}))
    assert "Merge Twin into …" in opened
    assert "Account to keep" in opened

    page = text_of(alices.get("/plans/new/", asked(shop)))

    link = f'<a href="/customers/{ref(shop, "D1")}/">D1</a>'
    for said in (
        "What comes along", f"<dt>Sub-accounts</dt><dd>{link}</dd>", "1 subscription",
        "Ada: Administrator", "<dt>Invoiced to the kept account from now on</dt>",
        f'archived below <a href="/customers/{ref(shop, "K")}/">Twin (K)</a>',
        f'<a href="/customers/{ref(shop, "D")}/">Twin (D)</a>',
        "Its external ID D leads to", "Different on the two", "7 days net", "30 days net",
        "Keep as a plan",
    ):  # fmt: skip
        assert said in page, said
    assert "contract party" not in page
    with shop.seen():
        assert not ChangePlan.objects.exists()


def test_writes_what_is_different_as_people_read_it(shop, alices):
    with shop.seen():
        twins = {key: Account.objects.filter(pk=shop.id_of(key)) for key in ("D", "K")}
        twins["D"].update(legal_name="Twin Trading Ltd", country="AT")
        twins["K"].update(legal_name="Twin Ltd", country="DE", name="Other")
    page = text_of(alices.get("/plans/new/", asked(shop)))
    rows = page[page.index("Different on the two") :]

    assert ">Austria</td>" in rows
    assert ">Germany</td>" in rows
    assert ">Twin Trading Ltd</td>" in rows
    assert f'<a href="/customers/{ref(shop, "K")}/">Other</a></td>' in rows


def test_merges_once_it_is_confirmed_and_leads_to_the_kept_account(shop, alices):
    kept = alices.post("/plans/new/", asked(shop))
    (plan_url,) = re.findall(r"/plans/chp_\w+/", kept["Location"])

    done = alices.post(plan_url, {"do": "schedule", "version": "1"}, follow=True)

    page = text_of(done)
    assert "Merge Twin into Twin (K)" in page
    assert "Carried out." in page
    assert f'href="/customers/{ref(shop, "K")}/"' in page
    assert "Create the reverse plan" not in page
    old = text_of(alices.get(f"/customers/{ref(shop, 'D')}/"))
    assert f'was merged into <a href="/customers/{ref(shop, "K")}/">Twin</a>' in old
    assert "Reopen" not in old
    assert "plans/new/" not in old
    new = text_of(alices.get(f"/customers/{ref(shop, 'K')}/"))
    assert "S1" in new or "Product" in new
    assert f"/customers/{ref(shop, 'D1')}/" in new
    # Looked for by its number the duplicate is found, below the kept account.
    assert ref(shop, "D") in alices.get("/search/", {"q": "D"}).content.decode()
    history = text_of(alices.get(f"/customers/{ref(shop, 'D')}/history/"))
    assert "Merged into another account" in history


@pytest.mark.parametrize(
    ("key", "into", "status", "said"),
    [
        ("D", "D", 422, "cannot be merged into itself"),
        ("D", "D1", 409, "D1 stands below Twin"),
        ("D", "", 422, "Choose an account from the list"),
        ("D", "nobody", 422, "Choose an account from the list"),
    ],
)
def test_says_what_stands_against_it_and_changes_nothing(shop, alices, key, into, status, said):
    with shop.seen():
        before = sorted(AccountNode.objects.values_list("account_id", "parent_id"))

    answer = alices.post("/plans/new/", asked(shop, key, into))

    assert answer.status_code == status
    assert said in text_of(answer)
    with shop.seen():
        assert sorted(AccountNode.objects.values_list("account_id", "parent_id")) == before
        assert not ChangePlan.objects.exists()
        assert not Account.objects.filter(status="archived").exists()
