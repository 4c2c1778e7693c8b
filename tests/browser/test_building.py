"""A company is built by keyboard alone: a customer, three departments, a subsidiary."""

import pytest
from playwright.sync_api import expect

from accounts.models import Account
from accounts.queries.subtrees import subtree
from invoicing.models import ChangePlan
from tenancy.ids import public_id
from tests.world import account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = ("HR", "\tPayroll", "IT", "Muster Nord GmbH | Subsidiary", "\tSales")


def tab_to(page, selector):
    """Press the tab key until the element has the focus."""
    for _ in range(80):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"never reached: {selector}")


def tree_of(site, name):
    with site.stage.vendor.seen():
        top = Account.objects.get(name=name)
        return [(row.name, row.depth) for row in subtree(site.stage.vendor.actor, top.pk)]


def test_builds_a_company_by_keyboard(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/"))
        page.keyboard.press("n")
        page.wait_for_url("**/customers/new/")
        tab_to(page, "#id_name")
        page.keyboard.type("Muster Gruppe")
        tab_to(page, "#id_kind")
        page.keyboard.type("Customer group")
        tab_to(page, "#id_accounts")
        # A list that is pasted brings its tabs along; the tab key itself leads on.
        page.keyboard.insert_text("\n".join(LIST))
        expect(page.locator(".new-tree li")).to_have_count(len(LIST) + 1)
        expect(page.locator("#new-preview [role=status]")).to_contain_text("6 accounts")
        tab_to(page, "#id_city")
        page.keyboard.type("Kiel")
        tab_to(page, "button[value=save]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/tree/")
        expect(page.locator("tr[aria-level]")).to_have_count(len(LIST) + 1)
        expect(page.get_by_text("Created: 6 accounts.")).to_be_visible()

        # One more below HR, from the menu of its row.
        page.locator("tr[tabindex='0']").focus()
        page.keyboard.press("h")
        page.keyboard.press("Shift+F10")
        for _ in range(12):
            if "Add sub-accounts" in page.evaluate("document.activeElement.textContent"):
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/new/")
        tab_to(page, "#id_accounts")
        page.keyboard.insert_text("Training | Shed")
        expect(page.locator(".fault")).to_contain_text("Line 1: “Shed” is no type of account.")
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("Training")
        expect(page.locator(".fault")).to_have_count(0)
        tab_to(page, "button[value=save]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/tree/")

        # Renamed on its page.
        page.goto(page.url.replace("/tree/", "/edit/"))
        tab_to(page, "#id_name")
        page.keyboard.press("Control+a")
        page.keyboard.type("People")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("People")

    assert sorted(tree_of(site, "Muster Gruppe")) == sorted(
        [
            ("Muster Gruppe", 0), ("People", 1), ("Payroll", 2), ("Training", 2), ("IT", 1),
            ("Muster Nord GmbH", 1), ("Sales", 2),
        ]
    )  # fmt: skip


def menu_of(page, name, entry):
    """Open the menu of a row, walk to an entry, and choose it; all by keys."""
    page.locator("tr[tabindex='0']").focus()
    for _ in range(20):
        if name in page.evaluate("document.activeElement.textContent"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+F10")
    for _ in range(12):
        if entry in page.evaluate("document.activeElement.textContent"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def plans_of(site):
    with site.stage.vendor.seen():
        plans = ChangePlan.objects.filter(account__name__in=("HR", "IT")).select_related("account")
        return {plan.account.name: (plan.kind, plan.status) for plan in plans}


def test_shapes_a_company_by_keyboard(site, look):
    """HR pays its own invoice at once; IT is to move, which is scheduled and taken back."""
    vendor = site.stage.vendor
    departments = [account(key, "KM", name=key, kind="department") for key in ("HR", "IT")]
    nord = account("KN", "KM", name="Nord", kind="subsidiary")
    vendor.has("accounts", account("KM", name="Muster", kind="group"), *departments, nord)
    url = f"{site.address}/customers/{public_id('acc', vendor.id_of('KM'))}/tree/"
    with look() as window:
        page = window.new_page()
        page.goto(url)
        menu_of(page, "HR", "Invoice recipient")
        page.wait_for_url("**/plans/new/?kind=bill_to**")
        tab_to(page, "input[name=choice]")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("This account itself (own invoice)")).to_be_checked()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Muster → HR")
        tab_to(page, "main button.primary")
        page.keyboard.press("Enter")
        page.wait_for_url("**/plans/chp_**")
        tab_to(page, "main button.primary")
        assert "Carry out now" in page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        expect(page.locator(".page-head .badge")).to_have_text("Applied")

        page.goto(url)
        menu_of(page, "IT", "Move to")
        field = page.get_by_role("combobox", name="New account above")
        expect(field).to_be_visible()
        tab_to(page, "dialog[open] [role=combobox]")
        page.keyboard.type("Nord")
        expect(page.locator(".dialog [role=option][aria-selected=true]")).to_contain_text("Nord")
        page.keyboard.press("Enter")
        tab_to(page, "dialog[open] input[type=date]")
        page.keyboard.type("12152026")
        page.keyboard.press("Enter")
        page.wait_for_url("**/plans/new/?**")
        expect(page.locator("main")).to_contain_text("Muster → Nord")
        tab_to(page, "main button.primary")
        page.keyboard.press("Enter")
        page.wait_for_url("**/plans/mov_**")
        tab_to(page, "main button.primary")
        page.keyboard.press("Enter")
        expect(page.locator(".page-head .badge")).to_have_text("Scheduled")
        assert plans_of(site)["IT"] == ("move", "scheduled")
        tab_to(page, "main button[value=withdraw]")
        page.keyboard.press("Enter")
        expect(page.locator(".page-head .badge")).to_have_text("Withdrawn")

    assert plans_of(site) == {"HR": ("bill_to", "applied"), "IT": ("move", "withdrawn")}
    assert tree_of(site, "Muster") == [("Muster", 0), ("HR", 1), ("IT", 1), ("Nord", 1)]
