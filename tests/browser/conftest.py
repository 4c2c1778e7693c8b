"""A running server with committed data, and a Chromium that says what went wrong."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from invoicing.models import Invoice
from tests.browser.stage import Stage, set_stage

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
    """The running server, and what is on its stage."""

    address: str
    stage: Stage

    @property
    def invoice(self) -> Invoice:
        """Return the consolidated invoice."""
        return self.stage.invoice

    @property
    def people(self) -> dict[str, UUID]:
        """Return who can look."""
        return self.stage.people

    def url(self, template: str) -> str:
        """Return the address of a page of the registry."""
        return self.address + self.stage.path(template)

    def session_of(self, who: str) -> str:
        """Return the key of a session of somebody."""
        return self.stage.session_of(who)


@pytest.fixture
def site(committed_database: str, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The stage, served."""
    # The browser keeps its connections and thereby the server's threads; those must not keep
    # theirs, because the database is dropped after the test.
    for alias in connections:
        monkeypatch.setitem(connections.settings[alias], "CONN_MAX_AGE", 0)
    return Site(live_server.url, set_stage())


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
        # What passed is not described: most of the time went into that.
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags},"
        " resultTypes: ['violations']}).then(({violations}) => ({violations}))",
        TAGS,
    )
    return [
        (found["id"], [node["target"] for node in found["nodes"]]) for found in answer["violations"]
    ]
