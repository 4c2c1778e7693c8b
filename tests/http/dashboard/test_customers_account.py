"""The pages of one account: overview, tree, settings, history; and search."""

import re
from datetime import timedelta
from html import unescape
from http import HTTPStatus

import pytest

from accounts.models import Account
from accounts.operations.accounts import edit_account
from accounts.queries import trees
from invoicing.models import Invoice, InvoiceSection
from tenancy.events import catalogue
from tenancy.ids import public_id, uuid7
from tenancy.models import AuditEntry
from tests.http.dashboard.conftest import NASTY
from tests.markup import tight
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

MOST_STATEMENTS = 12
PAGES = ("", "tree/", "flow/", "responsibilities/", "upcoming/", "settings/", "history/")


def url_of(vendor, key, page=""):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/{page}"


def read(client, url, **extra):
    answer = client.get(url, **extra)
    assert answer.status_code == HTTPStatus.OK
    return tight(answer.content.decode())


def rows_in(page):
    return re.findall(
        r'aria-level="(\d+)"[^>]*>.*?class="name"[^>]*>(?:<mark>)?([^<]*)', page, re.S
    )


@scene
def wide(billed):
    billed.has("accounts", *(account(f"k{n}", "branch", name=f"Kind {n:03}") for n in range(60)))
    return billed


@pytest.mark.parametrize("page", PAGES)
def test_is_not_found_by_strangers_nor_open_to_customers(
    billed, charlie, bob, visit, other_vendor, page
):
    url = url_of(billed, "branch", page)

    assert visit(charlie).get(url).status_code == HTTPStatus.NOT_FOUND
    assert visit(bob("group")).get(url).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", ["nothing", "acc_x"])
def test_is_not_found_when_it_does_not_exist(billed, alice, visit, page, key):
    assert visit(alice).get(f"/customers/{key}/{page}").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("page", PAGES)
def test_needs_as_few_statements_for_a_deep_tree(billed, alice, visit, statements, page):
    client = visit(alice)
    before = len(statements(client, url_of(billed, "group", page)))
    above = ["branch", *(f"d{n}" for n in range(8))]
    rows = [account(f"d{n}", above[n], name=f"Tiefe {n}") for n in range(8)]
    billed.has("accounts", *rows)

    assert before <= MOST_STATEMENTS
    assert len(statements(client, url_of(billed, "group", page))) == before
    assert len(statements(client, url_of(billed, "d7", page))) <= MOST_STATEMENTS


def test_shows_what_an_account_is_has_and_owes(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "group"))

    for part in ("Gruppe Nord", "group GmbH", "€100.00", "€194.50", "monthly", "Zweig Süd", "RE-"):
        assert part in page
    assert NASTY not in page


def test_shows_own_records_with_links_to_all_that_have_a_tag(billed, alice, visit):
    client = visit(alice)
    own = {"tags": ["north", "A&B"], "metadata": {"crm": "4711", "more": {"a": [1, None]}}}
    assert "own-records" not in read(client, url_of(billed, "firm"))
    edit_account(alice, billed.id_of("branch"), today=TODAY, now=NOW, **own)
    page = read(client, url_of(billed, "branch")).partition('id="own-records"')[2]

    assert 'href="/customers/?all=1&amp;tag=A%26B"' in page
    assert "A&amp;B</a>" in page
    assert f'href="{url_of(billed, "branch", "settings/cost_centre/")}">S-2</a>' in page
    assert "<dt>crm</dt><dd>4711</dd>" in page
    assert "{&quot;a&quot;: [1, null]}" in page


def test_names_in_its_head_who_is_invoiced_and_who_pays(billed, alice, visit):
    billed.has("accounts", account("below", "branch", payer="group", bill_to="below"))
    head = read(visit(alice), url_of(billed, "below")).partition('class="head-facts"')[2]
    facts = dict(re.findall(r"<dt>([^<]*)</dt><dd>(?:<[^>]*>)*([^<]*)", head.partition("</dl>")[0]))

    assert facts["Account number"] == "below"
    assert facts["Belongs to"] == "Zweig Süd"
    assert facts["Sub-accounts"] == "0"
    assert (facts["Invoiced to"], facts["Paid by"]) == ("below", "Gruppe Nord")
    assert (facts["Currency"], facts["Payment terms"]) == ("EUR", "14 days net")
    assert facts["Next billing of this account"] == "none"


def test_has_no_number_where_nobody_gave_it_one(billed, alice, visit):
    client = visit(alice)
    with billed.seen():
        Account.objects.filter(pk=billed.id_of("branch")).update(external_id=None)
        key = public_id("acc", Account.objects.get(name="Zweig Süd").pk)
    page = read(client, f"/customers/{key}/")

    assert "Account number" not in page
    assert f"<dt>ID in the API</dt><dd>{key}</dd>" in page


def test_never_says_one_day_for_an_account_and_for_its_tree(billed, alice, visit):
    billed.has("prices", price("yearly", "900.00", interval="year", tax_rate=19))
    billed.has("accounts", account("late", "branch", name="Spät", bill_to="late"))
    billed.has("subscriptions", subscription("s9", "late", "yearly", "2026-11-10"))
    head = read(visit(alice), url_of(billed, "branch")).partition('class="head-facts"')[2]
    facts = dict(re.findall(r"<dt>([^<]*)</dt><dd>(?:<[^>]*>)*([^<]*)", head.partition("</dl>")[0]))

    assert facts["Next billing of this account"] == "1 Jan 2027"
    assert facts["Next billing with sub-accounts"] == "10 Nov 2026"


def test_shows_the_own_share_of_what_is_invoiced_above(billed, alice, visit):
    client = visit(alice)
    page = read(client, url_of(billed, "branch"))
    found = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(?:<[^>]*>)*([^<]*)", page)
    figures = {re.sub(r"<[^>]*>", "", label): value.strip() for label, value in found}
    with billed.seen():
        sections = InvoiceSection.objects.filter(account_id=billed.id_of("branch"))
        gross = sections.get().gross_minor
        invoice = Invoice.objects.get(bill_to_id=billed.id_of("group"))
        Invoice.objects.filter(pk=invoice.pk).update(
            paid_minor=invoice.gross_minor // 2, status="partly_paid"
        )

    assert figures["Open with sub-accounts"] == "–"
    assert figures["Share of open invoices to Gruppe Nord"] == f"€{gross / 100:.2f}"
    assert figures["Share of overdue invoices to Gruppe Nord"] == "–"
    assert f"of it for this account: €{gross / 100:.2f}" in page
    assert "Share of open" not in read(client, url_of(billed, "group"))
    half = read(client, url_of(billed, "branch"))
    left = gross * (invoice.gross_minor - invoice.gross_minor // 2) / invoice.gross_minor
    assert f"€{left / 100:.2f}" in half


def test_loads_the_next_invoice_beside_the_rest(billed, alice, visit):
    client, url = visit(alice), url_of(billed, "branch", "upcoming/")

    assert f'hx-get="{url}" hx-trigger="load"' in read(client, url_of(billed, "branch"))
    part = read(client, url, headers={"HX-Request": "true"})
    assert "<html" not in part
    # A month of the platform, 8 and 2.5 seats of 9.00, with 19 % of tax.
    assert re.findall(r'<td class="num"[^>]*>([^<]*\d\.[^<]*)', part) == [
        "€72.00", "€100.00", "€22.50", "€194.50", "€36.96", "€231.46",
    ]  # fmt: skip
    assert re.search(r"Zweig Süd<span[^>]*>this account</span>", part)
    assert '<time datetime="2027-01-01">' in part
    assert NASTY not in part


def test_shows_lines_where_the_next_invoice_is_for_one_account(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "firm", "upcoming/"))

    assert "1–31 Jan 2027" in page
    assert "Platform" in page
    assert page.count("<h1>Firma Allein</h1>") == 1


def test_says_why_a_next_invoice_waits(billed, alice, visit):
    billed.has("accounts", account("lost", name="Verloren", line1=""))
    billed.has("subscriptions", subscription("s9", "lost", "platform", "2026-12-05"))

    page = read(visit(alice), url_of(billed, "lost", "upcoming/"))

    assert "It waits: the recipient&#x27;s address is not complete." in page
    assert "€100.00" in page


def test_shows_the_tree_with_who_is_invoiced_and_who_pays(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "group", "tree/"))

    assert [level for level, _name in rows_in(page)] == ["1", "2", "2"]
    assert rows_in(page)[0] == ("1", "Gruppe Nord")
    assert page.count("<span>Own invoice</span>") == 1
    assert len(re.findall(r'<span><a href="/customers/acc_\w+/">Gruppe Nord</a></span>', page)) == 4
    assert NASTY not in page


def test_searches_the_tree_and_keeps_what_is_above(wide, alice, visit):
    page = read(visit(alice), url_of(wide, "group", "tree/?q=kind+007"))

    assert [name for _level, name in rows_in(page)] == ["Gruppe Nord", "Zweig Süd", "Kind 007"]
    assert "<mark>Kind 007</mark>" in page
    assert "1 account found" in page


def test_leaves_many_children_closed_until_asked(wide, alice, visit):
    client = visit(alice)
    page = read(client, url_of(wide, "group", "tree/"))
    part = read(client, url_of(wide, "branch", "tree/?level=3"), headers={"HX-Request": "true"})

    assert "Kind 001" not in page
    assert 'aria-expanded="false"' in page
    assert len(rows_in(part)) == 60
    assert rows_in(part)[0] == ("3", "Kind 000")
    assert "<html" not in part


def test_shows_more_children_in_parts(wide, alice, visit, monkeypatch):
    monkeypatch.setattr(trees, "CHILDREN_AT_ONCE", 25)
    monkeypatch.setattr(trees, "WHOLE_TREE", 10)
    client, seen, url = visit(alice), [], url_of(wide, "branch", "tree/?level=2")
    while url:
        part = read(client, url, headers={"HX-Request": "true"})
        seen += [name for _level, name in rows_in(part)]
        found = re.search(r'class="more-rows".*?hx-get="([^"]+)"', part, re.S)
        url = found[1].replace("&amp;", "&") if found else ""

    assert seen == [f"Kind {n:03}" for n in range(60)]
    whole = read(client, url_of(wide, "branch", "tree/"))
    assert "Show 25 more of 35" in whole
    assert 'aria-setsize="60"' in whole


def test_says_where_settings_come_from(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "branch", "settings/"))

    for part in ("14 days net", "inherited from", "set here", "Acme default", "PO-7"):
        assert part in page
    assert "Where it comes from" in page
    assert "<s>" in page


def test_warns_of_a_payer_without_effect_and_of_a_foreign_recipient(billed, alice, visit):
    billed.has(
        "accounts",
        account("lost", "group", name="Verloren", payer="lost"),
    )
    page = read(visit(alice), url_of(billed, "lost", "settings/"))

    assert "The payer has no effect here" in page


def test_tells_what_happened(billed, alice, visit):
    page = read(visit(alice), url_of(billed, "group", "history/"))

    assert "Account created" in page
    assert "Issued, number assigned" in page


def test_tells_in_words_whatever_happened(billed, alice, visit):
    """Also what has no short words of its own, and what nobody declares any more."""
    kinds, key = (
        [one for one in catalogue() if one.name != "account.created"],
        billed.id_of("group"),
    )
    with billed.seen():
        first = AuditEntry.objects.get(object_id=key, action="account.created")
        for number, one in enumerate(kinds[:49]):
            at = first.at + timedelta(seconds=number)
            AuditEntry.objects.create(
                id=uuid7(), tenant_id=first.tenant_id, at=at, action=one.name, object_id=key,
                object_type="account", actor_kind="system", actor_label="", origin="command",
            )  # fmt: skip
    page = read(visit(alice), url_of(billed, "group", "history/"))

    assert page.count('class="when"') == 50
    assert {one.name for one in kinds if one.name in page} == set()
    assert "Billing settings changed" in page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zweig", "Zweig Süd"),
        ("238.00", "RE-"),
        ("238,00", "RE-"),
        ("RE-2026", "RE-2026"),
        ("invoi", 'href="/invoices/"'),
    ],
)
def test_finds_accounts_invoices_and_pages(billed, alice, visit, text, found):
    client = visit(alice)

    assert found in read(client, "/search/", query_params={"q": text})
    part = read(client, "/search/", query_params={"q": text}, headers={"HX-Request": "true"})
    assert found in part
    assert "<html" not in part


def test_offers_commands_on_accounts_that_are_named(billed, alice, visit):
    client = visit(alice)
    key = public_id("acc", billed.id_of("branch"))

    found = unescape(read(client, "/search/", query_params={"q": "move zweig"}))
    assert f'href="/plans/new/?kind=move&account={key}"' in found
    assert "Move Zweig Süd to …" in found
    assert "Change payer" not in found
    both = unescape(read(client, "/search/", query_params={"q": "cha zweig"}))
    assert "Change payer of Zweig Süd …" in both
    assert "Change invoice recipient of Zweig Süd …" in both
    assert "Move Zweig" not in read(client, "/search/", query_params={"q": "move nobody"})
    assert 'href="/runs/new/"' in read(client, "/search/", query_params={"q": "billing r"})
    assert 'href="/customers/new/"' in read(client, "/search/", query_params={"q": "new cus"})
    below = read(client, "/search/", query_params={"q": "new sub zweig"})
    assert f'href="/customers/{key}/new/"' in below


def test_offers_commands_on_the_account_looked_at(billed, alice, visit):
    client, key = visit(alice), public_id("acc", billed.id_of("branch"))
    here = {"HX-Current-URL": f"http://testserver/customers/{key}/tree/?q=x"}

    assert "Move Zweig Süd to …" in read(client, "/search/", headers=here)
    only = read(client, "/search/", query_params={"q": "clo"}, headers=here)
    assert "Close Zweig Süd …" in only
    assert "Move Zweig" not in only
    for odd in ("http://[", "/nowhere/", "/customers/acc_x/", "/customers/"):
        page = read(client, "/search/", headers={"HX-Current-URL": odd})
        assert "Zweig" not in page


def test_offers_only_commands_that_somebody_may_give(billed, visit):
    client, key = visit(billed.staff("Sue", "support")), public_id("acc", billed.id_of("branch"))
    here = {"HX-Current-URL": f"/customers/{key}/"}
    page = read(client, "/search/", headers=here)

    assert "Go to Zweig Süd" in page
    assert "Move Zweig" not in page
    assert 'href="/runs/new/"' not in page


def test_closed_accounts_are_gone_to_and_not_changed(billed, alice, visit):
    with billed.seen():
        Account.objects.filter(pk=billed.id_of("branch")).update(status="archived")
    page = read(visit(alice), "/search/", query_params={"q": "go zweig"})

    assert "Go to Zweig Süd" in page
    assert "Close Zweig" not in read(visit(alice), "/search/", query_params={"q": "close zweig"})


def test_finds_first_what_is_called_so(billed, alice, visit):
    billed.has(
        "accounts",
        account("g2", name="A Dachdecker"),
        account("g3", name="B Ziegeldach"),
        account("g4", name="Dachs KG"),
        account("g5", "g4", name="DACH"),
        account("g6", name="C im Haus", legal_name="Unter dem Dach GmbH"),
    )
    page = read(visit(alice), "/search/accounts/?q=dach", headers={"HX-Request": "true"})

    names = [account for account in re.findall(r">([^<>]+)<", page) if account.strip()]
    found = [name.strip() for name in names if re.match(r"\s*(A |B |C |Dach|DACH)", name)]
    # A name stands below the accounts under it as well.
    assert list(dict.fromkeys(found)) == [
        "DACH",
        "Dachs KG",
        "A Dachdecker",
        # A word of the legal name before what stands inside of a word.
        "C im Haus",
        "B Ziegeldach",
    ]


def test_finds_nothing_of_others_and_escapes(billed, alice, charlie, bob, visit):
    assert "Zweig" not in read(visit(charlie), "/search/?q=zwei")
    assert NASTY not in read(visit(alice), "/search/?q=script")
    assert visit(bob("group")).get("/search/?q=zweig").status_code == HTTPStatus.FORBIDDEN


def test_narrows_a_list_or_goes_to_the_account(billed, alice, visit):
    client, key = visit(alice), public_id("acc", billed.id_of("branch"))

    assert f'href="/invoices/?in={key}"' in read(client, "/search/accounts/?q=zweig&for=/invoices/")
    assert f'href="/customers/{key}/"' in read(
        client, "/search/accounts/?q=zweig&for=//evil.example/"
    )
    everything = read(client, "/search/accounts/")
    assert "All customers" in everything
    assert "Gruppe Nord" in everything
    assert "Zweig" not in everything
