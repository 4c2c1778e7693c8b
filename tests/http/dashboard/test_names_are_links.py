"""Every name of an account, a payer, a run or an invoice leads to it, wherever it may be opened."""

from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Account
from invoicing.models import BillingRun, Invoice
from tenancy.ids import public_id, uuid7
from tests.browser.pages import PAGES
from tests.browser.stage import Stage, set_stage
from tests.world import account, subscription
from web.accounts import account_url
from web.naming import Marks, linked

VOID = {"input", "meta", "link", "br", "hr", "img", "path", "rect", "circle", "line", "col", "wbr"}
HEADS_AND_WORDS_OF_FORMS = {"h1", "option", "button", "label", "caption", "nav", "svg"}
"""The page's own heading, the trail that leads to it, and what says what a control does."""

EXCEPT = (
    # The head of the same section, six lines above, is the link.
    "Subtotal ",
)
QUIET = {"visually-hidden", "trail"}
"""What is read out alone, and the trail above a section: as frozen on the document, names alone."""

NOT_THE_TENANTS = ("operators, ", "sign-in", "style guide", "companies", "not found", "settings, ")
FRAGMENTS = ("/invoices/{invoice}/glance/", "/invoices/{invoice}/sections/1/")


class Reader(HTMLParser):
    """Takes the texts of a page's content that stand outside of links, and those within."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str, str]] = []
        self.loose: list[str] = []
        self.links: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            given = dict(attrs)
            self.open.append((tag, given.get("href") or "", given.get("class") or ""))

    def handle_endtag(self, tag):
        while tag not in VOID and self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        text, tags = " ".join(data.split()), {tag for tag, _href, _class in self.open}
        if not text or "main" not in tags or tags & HEADS_AND_WORDS_OF_FORMS:
            return
        if any(QUIET & set(classes.split()) for _tag, _href, classes in self.open):
            return
        address = next((href for tag, href, _class in self.open if tag == "a"), None)
        if address is None:
            self.loose.append(text)
        else:
            self.links.append((text, address))


def read(page: str) -> Reader:
    """Return the texts of a page, or of a fragment of one."""
    reader = Reader()
    reader.feed(page if "<main" in page else f"<main>{page}</main>")
    return reader


@pytest.fixture
def stage(db: None) -> Stage:
    """The data that the pages show, and an account with an invoice that another one pays."""
    found = set_stage()
    shop = account("shop", "group", name="Laden Süd", bill_to="shop", payer="group")
    found.vendor.has("accounts", shop)
    found.vendor.has("subscriptions", subscription("s9", "shop", "platform", "2026-11-01"))
    found.vendor.run("2026-12-01", within="shop")
    return found


def names_of(stage: Stage) -> dict[str, str]:
    """Return what everything is called, and what the address of its page contains."""
    with stage.vendor.seen():
        accounts = {one.name: f"/customers/{one.public_id}/" for one in Account.objects.all()}
        invoices = Invoice.objects.exclude(number=None)
        numbers = {str(one.number): f"/invoices/{one.public_id}/" for one in invoices}
        runs = {
            f"run of {one.date.day} {one.date:%b %Y}": f"/runs/{public_id('run', one.pk)}/"
            for one in BillingRun.objects.all()
        }
    return accounts | numbers | runs


def faults_of(
    name: str, url: str, page: str, names: dict[str, str]
) -> list[tuple[str, str, str, str]]:
    """Return the names that lead nowhere on a page, unless it is the page of that very thing."""
    reader = read(page)
    return [
        (name, "leads nowhere", thing, text)
        for text in reader.loose
        for thing, address in names.items()
        if thing in text and address not in url and not text.startswith(EXCEPT)
    ] + [
        (name, "leads elsewhere", thing, href)
        for text, href in reader.links
        for thing, address in names.items()
        if thing == text and address.split("/")[2] not in href
    ]


@pytest.mark.parametrize("who", ["staff", "owner"])
def test_leads_to_everything_that_it_names(stage, who):
    client, names, faults = Client(), names_of(stage), []
    client.cookies[settings.SESSION_COOKIE_NAME] = stage.session_of(who)
    walked = [one for one in PAGES if one.who == who and not one.name.startswith(NOT_THE_TENANTS)]
    assert len(walked) >= 2
    for entry in walked:
        url = stage.path(entry.url)
        faults += faults_of(entry.name, url, client.get(url).content.decode(), names)
    for template in FRAGMENTS:
        url = stage.path(template)
        page = client.get(url, headers={"hx-request": "true"}).content.decode()
        faults += faults_of(f"fragment {template}", url, page, names)

    assert not faults, "\n".join(map(str, sorted(set(faults))))


@pytest.mark.parametrize("who", ["customer", "department"])
def test_leads_customers_to_every_invoice_and_to_no_page_of_an_account(stage, who):
    """They have no pages of accounts: a name without a link is better than a refusal."""
    client, faults = Client(), []
    client.cookies[settings.SESSION_COOKIE_NAME] = stage.session_of(who)
    invoices = {name: to for name, to in names_of(stage).items() if "/invoices/" in to}
    for entry in (one for one in PAGES if one.who == who and one.name != "portal, forbidden"):
        url = stage.path(entry.url)
        page = client.get(url).content.decode()
        faults += faults_of(entry.name, url, page, invoices)
        faults += [(entry.name, "refused") for _t, to in read(page).links if "/customers/" in to]

    assert not faults, "\n".join(map(str, sorted(set(faults))))


def test_shows_who_pays_as_a_link(stage):
    client, names = Client(), names_of(stage)
    client.cookies[settings.SESSION_COOKIE_NAME] = stage.session_of("staff")
    with stage.vendor.seen():
        invoice = Invoice.objects.get(bill_to_id=stage.vendor.id_of("shop"), number__isnull=False)

    for url in ("/invoices/", f"/invoices/{invoice.public_id}/", names["Laden Süd"]):
        links = read(client.get(url).content.decode()).links
        assert ("Gruppe Nord", names["Gruppe Nord"]) in links, url


def test_a_name_in_a_sentence_is_a_link_as_a_whole_word_alone():
    addresses = {"Nord": "/n/", "Nord & Co": "/c/", "": "/none/"}

    assert linked("Norden <b>, Nord & Co, Nord.", addresses) == (
        'Norden &lt;b&gt;, <a href="/c/">Nord &amp; Co</a>, <a href="/n/">Nord</a>.'
    )
    assert linked("a < b", {}) == "a &lt; b"


def test_names_alike_lead_to_their_own_accounts():
    first, second = uuid7(), uuid7()
    marks = Marks()
    names = [
        marks.of({"name": "Nord", "id": public_id("acc", first)}),
        marks.of({"name": "Nord", "id": public_id("acc", second)}),
        marks.of({"name": "a<b"}),
        marks.of({}),
    ]

    sentence = "Nord pays {} for {}, {}{} & <b> \uf8f09\uf8f1".format(*names)
    assert marks.linked(sentence) == (
        f'Nord pays <a href="{account_url(first)}">Nord</a>'
        f' for <a href="{account_url(second)}">Nord</a>, a&lt;b &amp; &lt;b&gt; '
    )
