"""A customer sixty levels deep: pages, files and documents cope, and billing reaches the top."""

import re
from datetime import date
from http import HTTPStatus
from io import BytesIO

import pytest
from pypdf import PdfReader

from accounts import tree
from accounts.models import SettingName
from accounts.queries.effective_settings import settings_of
from invoicing.documents.making import get_pdf
from invoicing.models import Invoice
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.ids import public_id
from tests.http.dashboard.test_customers_account import read, url_of
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, price, subscription

LEVELS = 60
PAGES = (
    *("", "edit/", "new/", "people/", "archive/", "tree/", "tree/?as_of=2026-11-01", "chart/"),
    *("flow/", "responsibilities/", "upcoming/", "settings/", "settings/bill_to/", "history/"),
)


@scene
def deep(vendor: Vendor) -> Vendor:
    """A chain of sixty accounts; the lowest has a subscription, and the top pays for it."""
    vendor.has(
        "accounts",
        account("L0", name="Level 0", payment_terms_days=21),
        *(account(f"L{n}", f"L{n - 1}", name=f"Level {n}") for n in range(1, LEVELS)),
        account("other", name="Elsewhere"),
    )
    vendor.has("prices", price("platform", "100.00", tax_rate=19))
    vendor.has("subscriptions", subscription("s1", f"L{LEVELS - 1}", "platform", "2026-11-01"))
    vendor.run("2026-12-01")
    return vendor


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", ["L0", f"L{LEVELS - 1}"])
def test_shows_every_page_of_the_top_and_of_the_lowest(deep, alice, visit, key, page):
    assert f"Level {key[1:]}" in read(visit(alice), url_of(deep, key, page))


def test_folds_the_middle_of_a_long_way(deep, alice, visit):
    page = read(visit(alice), url_of(deep, f"L{LEVELS - 1}"))

    way = re.search(r'<nav class="breadcrumb".*?</nav>', page, re.DOTALL)
    assert way is not None
    outside = re.sub(r"<details>.*?</details>", "", way[0], flags=re.DOTALL)
    shown = re.findall(r">([^<>]*(?:Level|Customers)[^<>]*)<", outside)
    assert shown == ["Customers", "Level 0", *(f"Level {n}" for n in range(56, 60))]
    assert f"{LEVELS - 5} levels between" in way[0]
    assert len(re.findall(r">Level \d+</a>", way[0])) == LEVELS - 1


def test_finds_the_lowest_with_all_above(deep, alice, visit):
    page = read(visit(alice), url_of(deep, "L0", "tree/?q=level 59"))

    assert 'aria-level="60"' in page
    assert page.count('role="row"') >= LEVELS


def test_saves_all_levels(deep, alice, visit):
    answer = visit(alice).get(url_of(deep, "L0", "tree/?format=csv"))
    lines = b"".join(answer.streaming_content if answer.streaming else [answer.content])

    assert len(lines.decode("utf-8-sig").strip().splitlines()) == LEVELS + 1


def test_inherits_and_bills_through_all_levels(deep):
    last = deep.id_of(f"L{LEVELS - 1}")
    with deep.seen():
        terms = settings_of(deep.actor, last, TODAY)[SettingName.PAYMENT_TERMS_DAYS]
        invoice = Invoice.objects.get()
    made = get_pdf(deep.actor, invoice.pk, now=NOW)
    pages = PdfReader(BytesIO(made.content)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())

    assert (terms.value, terms.origin_id) == (21, deep.id_of("L0"))
    assert invoice.bill_to_id == deep.id_of("L0")
    assert f"Level 1 › … › Level 56 › Level 57 › Level 58 › Level {LEVELS - 1}" in text
    assert deep.violations() == []


def test_moves_the_lower_half_by_a_plan(deep, alice):
    wanted = Wanted("move", deep.id_of("L30"), TODAY, target_id=deep.id_of("L10"))
    plan = create_plan(alice, wanted, today=TODAY, now=NOW)
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)

    with deep.seen():
        assert len(tree.path_ids(deep.tenant_id, deep.id_of(f"L{LEVELS - 1}"))) == LEVELS - 19
    assert deep.faults() == []


def test_refuses_what_would_be_deeper_than_trees_are_kept(deep, alice, visit):
    deep.has(
        "accounts",
        account("M0", name="Second 0"),
        *(account(f"M{n}", f"M{n - 1}", name=f"Second {n}") for n in range(1, LEVELS)),
    )
    lowest = public_id("acc", deep.id_of(f"L{LEVELS - 1}"))
    top = public_id("acc", deep.id_of("M0"))
    answer = visit(alice).get(
        f"/plans/new/?kind=move&account={top}&target={lowest}&effective_date={date(2027, 1, 1)}"
    )

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert f"A tree has at most {tree.MAX_DEPTH} levels." in answer.content.decode()
