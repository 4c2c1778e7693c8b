"""Every page of the registry: few statements, little time, all words translated, none left out."""

import re
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.browser.pages import PAGES
from tests.browser.stage import Stage, set_stage

MOST_STATEMENTS = 12
MORE_STATEMENTS: dict[str, int] = {
    # Terms that change on a later day are looked up: one more.
    "account": 13,
    "account, more actions": 13,
    "account, moved from its page": 13,
    "account, next invoice loaded": 13,
    # What waits for its invoice beside: one more.
    "subscriptions": 13,
    "subscriptions of an account": 14,
    "subscriptions of a tree": 14,
    # Which trees the reader reaches whole.
    "calendar, agenda": 14,
    "portal calendar": 13,
    # Its discounts beside: two more.
    "next invoice of an account": 14,
    # What it had before, its discounts with what they reach, what is planned for it and waits.
    "subscription": 18,
    "subscription, more actions": 18,
    # One says which discounts stay and which are not taken, one what pools share otherwise.
    "plan, previewed": 42,
    "plan, merge previewed": 52,
    # Whom a version concerns, all of them and a page of them, with their recipients; and pools.
    "price, new version previewed": 26,
    "price, end previewed": 15,
    # The tree, and those joined with it, are read as a run reads them: what each of a pool pays.
    "pool": 17,
    "portal, pool": 23,
    # The trees are read as a run reads them, to say what each date costs.
    "align renewals": 22,
    "align renewals, date": 22,
    "align renewals, preview": 43,
}
"""Pages that may send more for now, and how many."""

MOST_SECONDS = 0.2
ANSWERS = (200, 403, 404)

NO_PAGES = {
    "admin/": "Django's own: the tests of the admin walk its lists and details",
    "api/": "for programs",
    "^api/": "for programs",
    "developers/": "drawn by Swagger UI",
    "healthz": "for programs",
    "readyz": "for programs",
    "language/": "only takes forms",
}
NO_ROUTES = {
    "resume/": "needs a session that ended: tests of the sign-in walk it",
    "": "leads on to the first room",
    "settings/": "leads on to the first of them",
    "customers/<str:account_id>/import-file/": "a workbook: test_customers_import_file.py reads it",
    "invoices/selection/": "a fragment: what the bar of selected invoices says",
    "portal/invoices/selection/": "a fragment, too",
    "ical/<str:token>.ics": "for calendar programs: test_calendar_feed.py fetches it",
    "portal/calendar/feeds/<str:feed_id>/": "as in the dashboard",
    "runs/<str:run_id>/changed/": "a fragment: which drafts have changed since they were drafted",
    "subscriptions/<str:subscription_id>/next/": "a fragment: the next three invoices",
    "search/accounts/": "a fragment: what the scope picker finds",
    "portal/invoices/<str:invoice_id>/sections/<int:position>/": "as in the dashboard",
    "portal/invoices/<str:invoice_id>/lines/<str:line_id>/why/": "as in the dashboard",
    "portal/invoices/<str:invoice_id>/glance/": "as in the dashboard",
    "import/files/<str:kind>/": "files: test_import_rows.py reads them",
    "import/<str:job_id>/": "needs a worker: tests of imports walk it",
}
FILES = re.compile(r"\.csv$|/pdf$|/annex$")


@pytest.fixture
def stage(db: None) -> Stage:
    """The data that the pages show."""
    return set_stage()


@pytest.fixture
def visitors(stage: Stage) -> dict[str, Client]:
    """Return a browser for everybody who looks at a page."""
    clients = {who: Client() for who in {entry.who for entry in PAGES}}
    for who, client in clients.items():
        if who:
            client.cookies[settings.SESSION_COOKIE_NAME] = stage.session_of(who)
    return clients


def statements(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code in ANSWERS
    # Savepoints and leaving the tenant are the test's own: one transaction is around everything.
    own = ("SAVEPOINT", "RELEASE", "SELECT set_config('app.tenant_id', ''")
    return sum(not one["sql"].startswith(own) for one in captured)


def test_pages_send_few_statements(stage, visitors):
    sent = {entry.name: statements(visitors[entry.who], stage.path(entry.url)) for entry in PAGES}

    budgets = {name: MORE_STATEMENTS.get(name, MOST_STATEMENTS) for name in sent}
    assert {n: count for n, count in sent.items() if count > budgets[n]} == {}, (
        f"a page sends at most {MOST_STATEMENTS} statements: read for all rows at once"
    )
    assert [name for name in MORE_STATEMENTS if sent[name] <= MOST_STATEMENTS] == []


def processor_seconds(client: Client, path: str) -> float:
    """Return what a request takes of the processor at best, whoever else is busy."""
    taken = []
    for _ in range(4):
        start = time.thread_time()
        client.get(path)
        taken.append(time.thread_time() - start)
    return min(taken)


# Whoever shares the processor's caches makes it slower: only a quiet machine says something.
@pytest.mark.long
def test_pages_take_little_time(stage, visitors):
    taken = {
        entry.name: processor_seconds(visitors[entry.who], stage.path(entry.url)) for entry in PAGES
    }

    assert {name: seconds for name, seconds in taken.items() if seconds > MOST_SECONDS} == {}


def test_has_an_entry_for_every_page(stage):
    walked = {
        resolve(stage.path(entry.url).partition("?")[0]).route
        for entry in PAGES
        if "no such" not in entry.name and "nobody" not in entry.name
    }

    left_out = [
        route
        for route, view in routes(get_resolver())
        if route not in walked
        and not route.startswith(tuple(NO_PAGES))
        and route not in NO_ROUTES
        and not FILES.search(route)
        and takes_get(view)
    ]
    assert left_out == [], "name the page in PAGES of tests/browser/pages.py"


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, object]]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from routes(pattern, route)


def takes_get(view: object) -> bool:
    """Return whether a view shows something: one that only takes forms refuses to."""
    return "POST" not in allowed(view) or "GET" in allowed(view)


def allowed(view: object) -> set[str]:
    """Return the methods that ``require_http_methods`` was given, all if it was not asked."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            value = cell.cell_contents
            if isinstance(value, list) and value and set(value) <= {"GET", "HEAD", "POST", "PUT"}:
                return set(value)
        view = getattr(view, "__wrapped__", None)
    return {"GET"}


def test_knows_nobody_who_asks_for_an_unknown_address(stage, visitors):
    page = visitors[""].get("/no/such/page/").content.decode()

    assert "Page not found" in page
    assert 'class="rail"' not in page


@pytest.mark.parametrize(
    ("who", "sign"), [("staff", "Alice"), ("customer", "Bob")], ids=["staff", "customer"]
)
def test_keeps_the_frame_around_unknown_addresses(stage, visitors, who, sign):
    answer = visitors[who].get("/no/such/page/")

    page = answer.content.decode()
    assert answer.status_code == 404
    assert sign in page
    assert ('href="/customers/"' in page) == (who == "staff")
