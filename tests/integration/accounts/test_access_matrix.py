"""Each query and operation for each role at each place: done, forbidden or not found.

A refusal has changed nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from accounts.access import Action
from accounts.models import Contact, Seller
from accounts.operations.account_settings import (
    WantedSettings,
    cancel_planned_default,
    cancel_planned_setting,
    change_defaults,
    change_settings,
)
from accounts.operations.importing import import_accounts, import_contacts
from accounts.operations.people import add_staff, give_login
from accounts.operations.sellers import update_seller
from accounts.operations.tenants import create_tenant
from accounts.queries import accounts as account_queries
from accounts.queries import paths
from accounts.queries.effective_settings import settings_of
from accounts.queries.setting_effects import setting_effects
from accounts.queries.setting_stretches import own_stretches
from accounts.queries.settings import own_values
from accounts.queries.subtrees import subtree
from accounts.queries.tenant_settings import tenant_defaults
from invoicing.models import Invoice, InvoiceLine
from invoicing.operations.clock import advance_clock
from invoicing.operations.runs import approve_drafts, request_run, run_billing
from invoicing.queries import charges, invoice_parts, invoices, runs
from invoicing.queries.invoice_sums import status_sums
from invoicing.queries.visibility import sees_whole
from subscriptions.operations.importing import import_prices, import_subscriptions
from tenancy.actor import Actor
from tenancy.errors import BillingError, Forbidden, NotFound
from tenancy.ids import uuid7
from tests.http.api import world
from tests.http.api.world import Shop
from tests.integration.accounts.test_access import (
    CUSTOMER_MATRIX,
    CUSTOMERS,
    PLACES,
    STAFF,
    STAFF_MATRIX,
    WITHIN,
    decided,
)
from tests.scenes import scene
from tests.world import csv_of, subscription


@dataclass(frozen=True)
class Place:
    """An account of a vendor with what was billed for it."""

    shop: Shop
    name: str

    @property
    def account(self) -> Any:
        return self.shop.accounts[self.name]

    @property
    def line(self) -> InvoiceLine:
        with self.shop.seen():
            lines = InvoiceLine.objects.select_related("invoice")
            return lines.get(section__account=self.account)

    @property
    def contact(self) -> Contact:
        with self.shop.seen():
            return Contact.objects.get(external_id=f"contact-{self.name}")


def found(rows: Any) -> None:
    """Take no rows for not found: a list shows what is in reach and refuses nothing."""
    if not list(rows):
        raise NotFound


# What each does for an account, with the action that it takes.
AT_AN_ACCOUNT: dict[str, tuple[Action, Callable[[Actor, Place], Any]]] = {
    "get_account": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: account_queries.get_account(actor, place.account.id),
    ),
    "path_of": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: paths.path_of(actor, place.account.id),
    ),
    "paths_of": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: found(paths.paths_of(actor, [place.account.id])),
    ),
    "subtree": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: subtree(actor, place.account.id),
    ),
    "subtree of a day": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: subtree(actor, place.account.id, as_of=world.TODAY),
    ),
    "resolve_reference by id": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: account_queries.resolve_reference(actor, place.account.public_id),
    ),
    "accounts": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: found(account_queries.accounts(actor, within=place.account.id)),
    ),
    "accounts of a day": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: found(
            account_queries.accounts(actor, within=place.account.id, as_of=world.TODAY)
        ),
    ),
    "own_values": (
        Action.VIEW_ACCOUNT,
        lambda actor, place: found(
            own_values(actor, [place.account.id], ["currency"], as_of=world.TODAY)
        ),
    ),
    "settings_of": (
        Action.VIEW_SETTINGS,
        lambda actor, place: settings_of(actor, place.account.id, world.TODAY),
    ),
    "own_stretches": (
        Action.VIEW_SETTINGS,
        lambda actor, place: own_stretches(actor, place.account.id, today=world.TODAY),
    ),
    "setting_effects": (
        Action.VIEW_SETTINGS,
        lambda actor, place: setting_effects(
            actor, place.account.id, {"language": "de"}, day=world.TODAY
        ),
    ),
    "change_settings": (
        Action.EDIT_SETTINGS,
        lambda actor, place: change_settings(
            actor,
            place.account.id,
            WantedSettings({"po_number": "4711"}, world.TODAY),
            today=world.TODAY,
            now=world.NOW,
        ),
    ),
    "cancel_planned_setting": (
        Action.EDIT_SETTINGS,
        lambda actor, place: cancel_planned_setting(
            actor,
            place.account.id,
            "po_number",
            world.TODAY,
            today=world.TODAY,
            now=world.NOW,
        ),
    ),
    "charges": (
        Action.VIEW_INVOICE,
        lambda actor, place: found(charges.charges(actor).filter(account=place.account)),
    ),
    "get_line": (
        Action.VIEW_INVOICE,
        lambda actor, place: invoice_parts.get_line(actor, place.line.id),
    ),
    "explanation": (
        Action.VIEW_INVOICE,
        lambda actor, place: invoice_parts.explanation(actor, place.line.id),
    ),
    "sections_of": (
        Action.VIEW_INVOICE,
        lambda actor, place: found(
            one
            for one in invoice_parts.sections_of(actor, place.line.invoice)
            if one.account_id == place.account.id
        ),
    ),
    "give_login": (
        Action.EDIT_PEOPLE,
        lambda actor, place: give_login(
            actor, place.contact.id, password="correct horse battery", now=world.NOW
        ),
    ),
}
SECRET = {"password": "correct horse battery", "language": "en", "now": world.NOW}
IMPORT = {"is_dry_run": False, "now": world.NOW}
FOR_ALL: dict[str, tuple[frozenset[Action], Callable[[Actor, Shop], Any]]] = {
    "runs": (frozenset({Action.VIEW_RUNS}), lambda actor, shop: list(runs.runs(actor))),
    "get_run": (
        frozenset({Action.VIEW_RUNS}),
        lambda actor, shop: runs.get_run(actor, shop.invoice_of("G").run_id),
    ),
    "request_run": (
        frozenset({Action.RUN_BILLING}),
        lambda actor, shop: request_run(
            actor,
            run_date=world.TODAY,
            within=None,
            issue=False,
            today=world.TODAY,
            now=world.NOW,
        ),
    ),
    "run_billing and issue": (
        frozenset({Action.RUN_BILLING, Action.ISSUE_INVOICE}),
        lambda actor, shop: run_billing(
            actor, run_date=world.TODAY, issue=True, today=world.TODAY, now=world.NOW
        ),
    ),
    "approve_drafts": (
        frozenset({Action.ISSUE_INVOICE}),
        lambda actor, shop: approve_drafts(
            actor,
            shop.invoice_of("G").run_id,
            {shop.invoice_of("G").id: ""},
            today=world.TODAY,
            now=world.NOW,
        ),
    ),
    "advance_clock": (
        frozenset({Action.MOVE_CLOCK}),
        lambda actor, shop: advance_clock(actor, to_date=world.TODAY, now=world.NOW),
    ),
    "import_accounts": (
        frozenset({Action.EDIT_ACCOUNT}),
        lambda actor, shop: import_accounts(
            actor, csv_of(world.ACCOUNTS), today=world.TODAY, **IMPORT
        ),
    ),
    "import_prices": (
        frozenset({Action.EDIT_CATALOGUE}),
        lambda actor, shop: import_prices(
            actor, csv_of([world.PRICE]), today=world.TODAY, **IMPORT
        ),
    ),
    "import_subscriptions": (
        frozenset({Action.EDIT_SUBSCRIPTION}),
        lambda actor, shop: import_subscriptions(
            actor,
            csv_of([subscription("new", "A", "desk", "2027-01-01")]),
            today=world.TODAY,
            **IMPORT,
        ),
    ),
    "import_contacts": (
        frozenset({Action.EDIT_PEOPLE}),
        lambda actor, shop: import_contacts(actor, csv_of(CONTACTS), **IMPORT),
    ),
    "update_seller": (
        frozenset({Action.MANAGE_TENANT}),
        lambda actor, shop: update_seller(
            actor, Seller.objects.get().id, now=world.NOW, bank_name="Another bank"
        ),
    ),
    "change_defaults": (
        frozenset({Action.MANAGE_TENANT}),
        lambda actor, shop: change_defaults(
            actor,
            WantedSettings({"payment_terms_days": 21}, world.TODAY),
            today=world.TODAY,
            now=world.NOW,
        ),
    ),
    "cancel_planned_default": (
        frozenset({Action.MANAGE_TENANT}),
        lambda actor, shop: cancel_planned_default(
            actor, "billing_day", world.TODAY, today=world.TODAY, now=world.NOW
        ),
    ),
    "tenant_defaults": (
        frozenset({Action.VIEW_SETTINGS}),
        lambda actor, shop: tenant_defaults(actor, world.TODAY),
    ),
    "add_staff": (
        frozenset({Action.MANAGE_TENANT}),
        lambda actor, shop: add_staff(actor, "dora@staff.example", "Dora", "support", **SECRET),
    ),
    "create_tenant": (
        frozenset(),
        lambda actor, shop: create_tenant(
            actor,
            "Third",
            slug="third",
            country="DE",
            currency="EUR",
            is_sandbox=False,
            clock=None,
            now=world.NOW,
        ),
    ),
}
CONTACTS = [
    {
        "external_id": f"contact-{key}",
        "account_external_id": key,
        "name": f"Contact of {key}",
        "email": f"contact-{key.lower()}@customer.example",
    }
    for key in PLACES
]
STAFF_MAY = dict(decided(STAFF_MATRIX, STAFF))
CUSTOMERS_MAY = dict(decided(CUSTOMER_MATRIX, CUSTOMERS))


@scene
def first_shop():
    return billed("nordlicht")


@scene
def second_shop():
    return billed("andere")


def billed(slug: str) -> Shop:
    """Make a vendor whose every account sets its currency, is billed and has a contact."""
    shop = world.vendor(slug)
    shop.has("accounts", *({**row, "currency": "EUR"} for row in world.ACCOUNTS))
    world.subscribe(shop, world.SUBSCRIPTIONS)
    world.bill(shop)
    shop.has("contacts", *CONTACTS)
    return shop


@pytest.fixture
def shop(first_shop):
    return first_shop


@pytest.fixture
def other(second_shop):
    return second_shop


TABLES = [
    model._meta.db_table
    for model in apps.get_models()
    if model._meta.app_label in {"accounts", "subscriptions", "invoicing"}
]
COUNTS = "SELECT " + ", ".join(f'(SELECT count(*) FROM "{table}")' for table in TABLES)


def stored(shop: Shop) -> dict[str, int]:
    """Return how many rows each table has, of this vendor's and of nobody's."""
    with shop.seen(), connection.cursor() as cursor:
        cursor.execute(COUNTS)
        return dict(zip(TABLES, cursor.fetchone(), strict=True))


def outcome(shop: Shop, act: Callable[[], Any]) -> str:
    """Return what came of an act; one that was refused has changed nothing."""
    before = stored(shop)
    try:
        with shop.seen():
            act()
    except (Forbidden, NotFound) as refusal:
        assert stored(shop) == before
        return "forbidden" if isinstance(refusal, Forbidden) else "not found"
    except BillingError:
        return "done"  # allowed, and refused for another reason
    return "done"


def is_read(action: Action) -> bool:
    return action.endswith(":read")


@pytest.mark.parametrize("act", AT_AN_ACCOUNT)
@pytest.mark.parametrize("role", STAFF)
def test_for_staff_at_each_account(shop, role, act):
    action, work = AT_AN_ACCOUNT[act]
    actor = shop.staff("Alice", role)
    refused = "not found" if is_read(action) else "forbidden"
    expected = "done" if role in STAFF_MAY[action] else refused
    for name in PLACES:
        assert outcome(shop, partial(work, actor, Place(shop, name))) == expected, name


@pytest.mark.parametrize("act", AT_AN_ACCOUNT)
@pytest.mark.parametrize("role", CUSTOMERS)
def test_for_customers_at_their_account_below_above_and_beside(shop, role, act):
    action, work = AT_AN_ACCOUNT[act]
    actor = shop.customer("Bob", role, "A")
    for name in PLACES:
        if name not in WITHIN:
            expected = "not found"
        elif role in CUSTOMERS_MAY[action]:
            expected = "done"
        else:
            expected = "not found" if is_read(action) else "forbidden"
        assert outcome(shop, partial(work, actor, Place(shop, name))) == expected, name


@pytest.mark.parametrize("act", AT_AN_ACCOUNT)
def test_for_everybody_at_another_vendors_account(shop, other, act):
    _action, work = AT_AN_ACCOUNT[act]
    for actor in (shop.actor, shop.staff("Alice", "owner"), shop.customer("Bob", "admin", "G")):
        for name in PLACES:
            theirs = Place(other, name)
            before = stored(other)
            # What is asked for is read before the own tenant's transaction begins.
            with other.seen():
                fixed = FixedPlace(other, name, theirs.account, theirs.line, theirs.contact)
            ask = partial(work, actor, fixed)
            assert outcome(shop, ask) == "not found", name
            assert stored(other) == before


@dataclass(frozen=True)
class FixedPlace:
    """A place that was read already."""

    shop: Shop
    name: str
    account: Any
    line: InvoiceLine
    contact: Contact


@pytest.mark.parametrize("act", FOR_ALL)
@pytest.mark.parametrize("role", STAFF)
def test_for_staff_over_the_whole_tenant(shop, role, act):
    actions, work = FOR_ALL[act]
    actor = shop.staff("Alice", role)
    allowed = bool(actions) and all(role in STAFF_MAY[action] for action in actions)

    assert outcome(shop, lambda: work(actor, shop)) == ("done" if allowed else "forbidden")


@pytest.mark.parametrize("act", FOR_ALL)
@pytest.mark.parametrize("role", CUSTOMERS)
def test_for_customers_over_the_whole_tenant(shop, role, act):
    _actions, work = FOR_ALL[act]
    actor = shop.customer("Bob", role, "G")

    assert outcome(shop, lambda: work(actor, shop)) == "forbidden"


@pytest.mark.parametrize("act", FOR_ALL)
def test_for_keys_over_the_whole_tenant(shop, act):
    actions, work = FOR_ALL[act]

    def key(scopes, reach=None):
        return Actor(
            tenant_id=shop.id,
            kind="key",
            label="Key",
            origin="api",
            key_id=uuid7(),
            scopes=frozenset(scopes),
            reach_id=reach,
            today=world.TODAY,
        )

    expected = "done" if actions else "forbidden"
    assert outcome(shop, lambda: work(key(actions), shop)) == expected
    for missing in actions:
        assert outcome(shop, partial(work, key(actions - {missing}), shop)) == "forbidden"
    limited = key(Action, shop.accounts["G"].id)
    assert outcome(shop, lambda: work(limited, shop)) == "forbidden"


# -- R23: who sees an invoice ----------------------------------------------------------------

# Of the invoice to G with sections for G, A and A1, and of the one to B.
SEEN = {
    "G": {"G": "whole", "B": "whole"},
    "A": {"G": "partial"},
    "A1": {"G": "partial"},
    "B": {"B": "whole"},
    "S": {},
}


@pytest.mark.parametrize("at", SEEN)
@pytest.mark.parametrize("role", CUSTOMERS)
def test_shows_invoices_whole_in_part_or_not_at_all(shop, role, at):
    actor = shop.customer("Bob", role, at)
    for bill_to in ("G", "B"):
        invoice = shop.invoice_of(bill_to)
        expected = SEEN[at].get(bill_to)
        with shop.seen():
            listed = invoices.invoices(actor, today=world.TODAY).filter(pk=invoice.pk).first()
            assert (listed is not None) is (expected is not None)
            assert sees_whole(actor, invoice) is (expected == "whole")
            if listed is None:
                with pytest.raises(NotFound):
                    invoices.get_invoice(actor, invoice.pk)
                assert invoice_parts.sections_of(actor, invoice) == []
                assert invoice_parts.lines_of(actor, invoice) == []
                assert invoice_parts.taxes_of(actor, invoice) == []
                continue
            assert listed.whole is (expected == "whole")
            sections = invoice_parts.sections_of(actor, invoice)
            assert listed.shown_gross_minor == sum(one.gross_minor for one in sections)
            assert bool(invoice_parts.taxes_of(actor, invoice)) is (expected == "whole")
            lines = invoice_parts.lines_of(actor, invoice)
            assert {line.section_id for line in lines} == {one.pk for one in sections}
            found = invoices.invoices(actor, bill_to=invoice.bill_to_id, today=world.TODAY)
            sums = status_sums(actor, found)
            assert [(one.count, one.gross_minor, one.open_minor) for one in sums] == [
                (1, listed.shown_gross_minor, invoice.gross_minor if listed.whole else 0)
            ]


def test_shows_the_payer_all_it_pays(shop):
    actor = shop.customer("Bob", "viewer", "S")
    with shop.seen():
        world.bill(shop, issue=False, run_date=date(2027, 1, 1))
        draft = Invoice.objects.get(bill_to=shop.accounts["B"], status="to_approve")
        Invoice.objects.filter(pk=draft.pk).update(payer=shop.accounts["S"])
        staff = shop.staff("Alice", "support")

        assert not invoices.invoices(actor, today=world.TODAY).filter(pk=draft.pk).exists()
        assert sees_whole(staff, draft)
        assert not sees_whole(actor, draft)
        assert invoice_parts.sections_of(actor, draft) == []


def test_shows_no_drafts_to_customers(shop):
    world.bill(shop, issue=False, run_date=date(2027, 1, 1))
    customer, staff = shop.customer("Bob", "admin", "G"), shop.staff("Alice", "auditor")
    with shop.seen():
        for actor, count in ((customer, 0), (staff, 3), (shop.actor, 3)):
            found_drafts = invoices.invoices(actor, status="to_approve", today=world.TODAY)
            assert found_drafts.count() == count
