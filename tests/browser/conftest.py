"""A running server with committed data, and a Chromium that says what went wrong."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from accounts.actor import Actor
from accounts.ids import public_id
from accounts.models import Person
from invoicing.models import Invoice, InvoiceLine
from tests.world import Vendor, account, make_vendor, price, subscription

CHROMIUM = os.environ.get("CHROME") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.__violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Site:
    """The running server, and who can look at it."""

    address: str
    invoice: Invoice
    line: InvoiceLine
    people: dict[str, Actor]
    waiting_run_id: UUID
    _cookies: dict[str, str] = field(default_factory=dict)

    def url(self, template: str) -> str:
        """Return the address of a page of the registry."""
        return self.address + template.format(
            invoice=self.invoice.public_id,
            line=self.line.public_id,
            account=public_id("acc", self.invoice.bill_to_id),
            run=public_id("run", self.invoice.run_id),
            waiting_run=public_id("run", self.waiting_run_id),
            seller=public_id("sel", self.invoice.seller_id),
        )

    def session_of(self, who: str) -> str:
        """Return the key of a session of somebody, made on first use."""
        if who not in self._cookies:
            person = Person.objects.get(pk=str(self.people[who].person_id))
            session = SessionStore()
            session[SESSION_KEY] = str(person.pk)
            session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            session[HASH_SESSION_KEY] = person.get_session_auth_hash()
            session.save()
            self._cookies[who] = str(session.session_key)
        return self._cookies[who]


@pytest.fixture
def site(committed_database: str, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A vendor with one consolidated invoice and one without any, served."""
    # The browser keeps its connections and thereby the server's threads; those must not keep
    # theirs, because the database is dropped after the test.
    for alias in connections:
        monkeypatch.setitem(connections.settings[alias], "CONN_MAX_AGE", 0)
    vendor, newcomer = make_vendor(), make_vendor("newcomer")
    _bill(vendor)
    with vendor.seen():
        invoice = Invoice.objects.get(bill_to_id=vendor.id_of("group"))
        line = InvoiceLine.objects.filter(invoice=invoice).order_by("position")[0]
    people = {
        "staff": vendor.staff("Alice", "finance_admin"),
        "customer": vendor.customer("Bob", "viewer", "group"),
        "department": vendor.customer("Dora", "viewer", "branch"),
        "newcomer": newcomer.staff("Nora", "owner"),
        "owner": vendor.staff("Olga", "owner"),
    }
    waiting = vendor.run("2027-01-01", issue=False)
    return Site(live_server.url, invoice, line, people, waiting.run.pk)


def _bill(vendor: Vendor) -> None:
    long_name = "Gemeinnützige Gesellschaft für Qualitätssicherungsdienstleistungen mbH & Co. KG"
    vendor.has(
        "accounts",
        account("group", name="Gruppe Nord", cost_centre="HQ-1000", billing_day=1),
        account("branch", "group", name=long_name, po_number="4500-7711", cost_centre="K-200"),
        account("firm", name="Firma Allein"),
    )
    vendor.has(
        "prices",
        price("platform", "100.00", tax_rate=19),
        price("seats", "", model="graduated", tiers="10:9:0|inf:7.5:0", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("s1", "group", "platform", "2026-11-01"),
        subscription("s2", "branch", "seats", "2026-11-15", quantity=24),
        subscription("s3", "firm", "platform", "2026-11-01"),
    )
    vendor.run("2026-12-01")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Yield one Chromium for all tests of a worker."""
    if not Path(CHROMIUM).exists():
        pytest.fail("Chromium is missing: `make test` installs it, or set CHROME to another one.")
    # Playwright keeps an event loop running, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium: Browser, site: Site) -> Callable[..., Any]:
    """Return a maker of browser windows: who looks, in which language, theme and width."""

    @contextmanager
    def window(
        who: str = "staff", *, language: str = "en", theme: str = "light", width: int = 1440
    ) -> Iterator[BrowserContext]:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        context.add_init_script(WATCH)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if who:
            cookies[settings.SESSION_COOKIE_NAME] = site.session_of(who)
        context.add_cookies(
            [{"name": name, "value": value, "url": site.address} for name, value in cookies.items()]
        )
        yield context
        context.close()

    return window


def axe_source() -> str:
    """Return the script that looks for barriers."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def barriers(page: Page, axe: str) -> list[tuple[str, list[Any]]]:
    """Return what axe finds on a page: rule and elements."""
    page.evaluate(axe)
    answer = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )
    return [
        (found["id"], [node["target"] for node in found["nodes"]]) for found in answer["violations"]
    ]
