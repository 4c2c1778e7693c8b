"""Every successful change, by whatever way, stands in the audit trail with whoever made it.

The operations are read from the code, pages and endpoints from the resolver: a new one fails here
until it has an entry, which does it and says what is written, or says why nothing is.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver

from accounts.models import Contact, Grant, Person, Seller
from accounts.operations import (
    account_settings,
    approval,
    bank_accounts,
    operators,
    people,
    sellers,
    sign_ins,
    tenants,
    time_zones,
)
from accounts.operations import accounts as account_operations
from accounts.operations.accounts import (
    contacts,
    editing_jobs,
    editing_many,
    grants,
    removing_contacts,
)
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import BillingRun, ChangePlan, Invoice, Rendering
from invoicing.operations import (
    checking_books,
    clock,
    clock_jobs,
    correcting,
    rendering,
    runs,
)
from invoicing.operations.account_discounts import giving
from invoicing.operations.account_discounts.working import work_on_discount
from invoicing.operations.accounts import archiving
from invoicing.operations.charges import adding, cancelling
from invoicing.operations.charges.wanting import NewCharge
from invoicing.operations.plans import (
    aligning,
    aligning_jobs,
    applying,
    deciding,
    duplicates,
    planning,
    readdressing,
    renewals,
    reversing,
)
from invoicing.operations.pools import beginning as pools
from invoicing.operations.prices import beginning, working
from invoicing.operations.runs import approving, changed, discarding
from invoicing.operations.subscriptions import (
    binding,
    changing,
    discounting,
    ending,
    pausing,
    replanning,
    wanting,
)
from invoicing.operations.wanting_corrections import NewCorrection
from invoicing.queries.plans.wanted import Alignment, Wanted
from invoicing.queries.run_figures import digest_of, drafts_seen
from reports.declarations import Kind
from reports.models import CalendarFeed
from reports.operations import feeds
from subscriptions.models import Coupon, Discount, Item, Plan, Price, Subscription
from subscriptions.operations import catalogue, import_jobs
from subscriptions.operations.catalogue import meters
from subscriptions.operations.discounts import checking, coupons
from subscriptions.operations.plans import checking as plan_checking
from subscriptions.operations.plans import keeping
from subscriptions.operations.plans import starting as plan_starting
from subscriptions.operations.subscriptions import contracting, creating
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.actor import Actor
from tenancy.api.answering import ActorView
from tenancy.database import scope
from tenancy.files.kinds import import_kinds
from tenancy.ids import public_id, uuid7
from tenancy.models import AuditEntry, Job
from tenancy.operations import jobs
from tests.http.test_foreign_ids import PREFIXES, addresses, filled
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, csv_of, price, subscription

DAY = date(2026, 12, 1)
LATER = date(2027, 1, 1)
PASSWORD = "correct horse battery"
IBAN = "DE89370400440532013000"
RETRIED = "invoice.pdf_retried"
BANK = "seller.bank_account_changed"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: Any) -> None:
    """Let nobody be nudged: what is asked for waits in its table."""
    for task in ("invoicing.tasks.work_on_run", "invoicing.tasks.work_on_clock_move",
                 "subscriptions.tasks.work_on_import",
                 "invoicing.tasks.work_on_repricing", "invoicing.tasks.work_on_books_check",
                 "invoicing.tasks.work_on_alignment"):  # fmt: skip
        monkeypatch.setattr(f"{task}.delay", lambda **values: None)


@scene
def shop(vendor: Vendor) -> Vendor:
    vendor.has("accounts", account("A", billing_day=1))
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S", "A", "ten", "2026-12-01"))
    return vendor


@pytest.fixture
def olga(shop: Vendor) -> Actor:
    """The vendor's owner, who may do everything."""
    return shop.staff("Olga", "owner")


@dataclass(frozen=True)
class Change:
    """How something is done, and the action that stands in the audit trail afterwards."""

    do: Callable[..., Any]
    action: str


def written(vendor: Vendor) -> set[Any]:
    with vendor.seen():
        return {*AuditEntry.objects.values_list("id", "action", "actor_kind", "actor_label")}


def names_after(vendor: Vendor, before: set[Any]) -> set[tuple[str, str, str]]:
    return {entry[1:] for entry in written(vendor) - before}


# -- operations --------------------------------------------------------------------------------


@cache
def operations() -> frozenset[str]:
    """Return every public function of the operations, by module and name."""
    found = set()
    for app in ("tenancy", "accounts", "subscriptions", "invoicing", "reports", "notifications"):
        folder = project_folder() / app / "operations"
        for path in folder.rglob("*.py"):
            module = ".".join(path.relative_to(folder).with_suffix("").parts)
            if any(part.startswith("_") and part != "__init__" for part in module.split(".")):
                continue
            found |= {
                f"{module}.{node.name}"
                for node in ast.parse(Path(path).read_text()).body
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            }
    return frozenset(found)


def first_seller(actor: Actor) -> Seller:
    with scope(actor.tenant_id):
        return Seller.objects.get()


def contact_of(actor: Actor) -> Contact:
    with scope(actor.tenant_id):
        return Contact.objects.get()


def load_contact(shop: Vendor, _actor: Actor) -> None:
    row = {"external_id": "c", "account_external_id": "A", "name": "Kim", "email": "k@kim.example"}
    shop.has("contacts", {**row, "language": "de", "role": "viewer"})


def checked(shop: Vendor, actor: Actor) -> Job:
    job = import_jobs.request_import(
        actor, "accounts", [csv_of([account("B")])], file_name="b.csv", today=TODAY, now=NOW
    )
    import_jobs.work_on_import(shop.actor, job.pk, now=NOW)
    return job


def edit_asked(shop: Vendor, actor: Actor) -> Job:
    wanted = editing_many.WantedOfMany(TODAY, "add", ["north"])
    return editing_jobs.request_edit(actor, [shop.id_of("A")], wanted, today=TODAY, now=NOW)


def edit_looked_at(shop: Vendor, actor: Actor) -> Job:
    job = edit_asked(shop, actor)
    editing_jobs.work_on_edit(Actor.system(shop.tenant_id), job.pk, now=NOW)
    return job


def edit_worked(shop: Vendor, actor: Actor) -> None:
    job = edit_looked_at(shop, actor)
    editing_jobs.apply_edit(actor, job.pk, today=TODAY, now=NOW)
    editing_jobs.work_on_edit(Actor.system(shop.tenant_id), job.pk, now=NOW)


def drafted(shop: Vendor) -> BillingRun:
    return shop.run(DAY, issue=False).run


def ask_for_run(actor: Actor) -> BillingRun:
    return runs.request_run(actor, run_date=DAY, within=None, issue=True, today=TODAY, now=NOW)


def worked(shop: Vendor, actor: Actor) -> None:
    run = ask_for_run(actor)
    runs.work_on_run(Actor.system(shop.tenant_id), run.pk, today=TODAY, now=NOW)


def clock_worked(shop: Vendor, actor: Actor) -> None:
    job_id = clock_jobs.request_clock_move(actor, to_date=DAY, now=NOW)
    while clock_jobs.work_on_clock_move(Actor.system(shop.tenant_id), job_id, now=NOW):
        pass


def import_worked(shop: Vendor, actor: Actor) -> None:
    import_jobs.apply_import(actor, checked(shop, actor).pk, now=NOW)
    import_jobs.work_on_import(shop.actor, shop_job(shop).pk, now=NOW)


def shop_job(shop: Vendor) -> Job:
    with shop.seen():
        return Job.objects.get()


def approve(shop: Vendor, actor: Actor) -> None:
    run = drafted(shop)
    with shop.seen():
        seen = dict(Invoice.objects.values_list("id", "content_hash"))
    runs.approve_drafts(actor, run.pk, seen, today=TODAY, now=NOW)


def only_draft(shop: Vendor) -> Invoice:
    drafted(shop)
    with shop.seen():
        return Invoice.objects.get()


def issued(shop: Vendor) -> Invoice:
    shop.run(DAY)
    with shop.seen():
        return Invoice.objects.get(kind="invoice")


def approve_all(shop: Vendor, actor: Actor) -> None:
    run = drafted(shop)
    with shop.seen():
        seen = digest_of(drafts_seen(actor, run.pk))
    runs.approve_run(actor, run.pk, seen, now=NOW)


def take_back(shop: Vendor, actor: Actor) -> None:
    ids = [only_draft(shop).pk]
    discarding.discard_drafts(actor, ids, reason="Why", hold=True, today=TODAY, now=NOW)


def reject(shop: Vendor, actor: Actor) -> None:
    run = drafted(shop)
    with shop.seen():
        seen = digest_of(drafts_seen(actor, run.pk))
    discarding.reject_run(actor, run.pk, reason="Why", seen=seen, now=NOW)


def release(shop: Vendor, actor: Actor) -> None:
    take_back(shop, shop.actor)
    discarding.release_charges(actor, shop.id_of("A"), now=NOW)


def moved_house(shop: Vendor) -> BillingRun:
    run = drafted(shop)
    shop.has("accounts", account("A", billing_day=1, line1="Neue Straße 7"))
    return run


def subscribed(actor: Actor) -> CalendarFeed:
    wanted = feeds.NewFeed(None, [Kind.INVOICE], shows_amounts=True, language="en")
    return feeds.create_feed(actor, wanted, now=NOW)[0]


def feed_made(browser: "Browser") -> None:
    answer = browser.client.post("/calendar/feeds/", {"kinds": "invoice", "language": "en"})
    assert answer.status_code == 200


def feed_ended(browser: "Browser") -> None:
    feed_made(browser)
    with browser.shop.seen():
        key = CalendarFeed.objects.get().public_id
    answer = browser.client.post(f"/calendar/feeds/{key}/", {"do": "revoke"})
    assert answer.status_code == 302


def redraft(shop: Vendor, actor: Actor) -> None:
    moved_house(shop)
    changed.refresh_drafts(actor, now=NOW)


def bank(actor: Actor) -> None:
    bank_accounts.set_bank_account(actor, first_seller(actor).pk, "CHF", iban=IBAN, now=NOW)


def unbank(_shop: Vendor, actor: Actor) -> None:
    bank(actor)
    bank_accounts.remove_bank_account(actor, first_seller(actor).pk, "CHF", now=NOW)


def log_in(shop: Vendor, actor: Actor) -> None:
    load_contact(shop, actor)
    people.give_login(actor, contact_of(actor).pk, password=PASSWORD, now=NOW)


def enter(_shop: Vendor, actor: Actor) -> None:
    Person.objects.filter(pk=str(actor.person_id)).update(is_operator=True)
    operators.enter_tenant(actor, reason="Asked for help by mail", now=NOW)


def staff(_shop: Vendor, actor: Actor) -> None:
    people.add_staff(
        actor, "new@staff.example", "Nora", "support", password=PASSWORD, language="de", now=NOW
    )


def load(kind: str, rows: list[Any]) -> Callable[[Vendor, Actor], None]:
    def do(_shop: Vendor, actor: Actor) -> None:
        importer = import_kinds()[kind].run
        report = importer(actor, csv_of(rows), is_dry_run=False, today=TODAY, now=NOW)
        assert report.errors == ()

    return do


def given_up(shop: Vendor) -> Invoice:
    """Return an issued invoice whose file nobody tries to make any more."""
    shop.run(DAY)
    with shop.seen():
        invoice = Invoice.objects.get()
        Rendering.objects.create(
            tenant_id=shop.tenant_id,
            invoice=invoice,
            blocked_until=NOW,
            token=uuid7(),
            given_up_at=NOW,
        )
    return invoice


def retry(shop: Vendor, actor: Actor) -> None:
    rendering.retry_document(actor, given_up(shop).pk, now=NOW)


def subscribe(_shop: Vendor, actor: Actor) -> Any:
    with scope(actor.tenant_id):
        price_id, account_id = Price.objects.get().pk, Subscription.objects.get().account_id
    wanted = creating.NewSubscription([creating.NewItem(price_id, Decimal(2))], DAY)
    return creating.create_subscription(actor, account_id, wanted, now=NOW)


def charge(shop: Vendor, actor: Actor) -> Any:
    wanted = NewCharge(DAY, description="Training", unit_amount=Decimal(90), currency="EUR")
    return adding.add_charge(actor, shop.id_of("A"), wanted, today=TODAY, now=NOW).charge


def end(shop: Vendor, actor: Actor) -> Any:
    made = subscribe(shop, actor)
    return ending.cancel_subscription(actor, made.pk, end_date=None, today=TODAY, now=NOW)


def change_item(shop: Vendor, actor: Actor) -> Any:
    made = subscribe(shop, actor)
    with scope(actor.tenant_id):
        item_id = Item.objects.get(subscription=made).pk
    wanted = [wanting.ItemChange(item_id, quantity=Decimal(3))]
    return changing.change_subscription(actor, made.pk, wanted, day=DAY, today=TODAY, now=NOW)


def make_coupon(actor: Actor, code: str = "SPRING") -> Coupon:
    wanted = checking.NewCoupon(code=code, name="Spring", percent=Decimal(10))
    return coupons.create_coupon(actor, wanted, today=TODAY, now=NOW)


def rename_coupon(_shop: Vendor, actor: Actor) -> None:
    coupons.edit_coupon(actor, make_coupon(actor).pk, {"name": "Summer"}, now=NOW)


def archive_coupon(_shop: Vendor, actor: Actor) -> Coupon:
    return coupons.archive_coupon(actor, make_coupon(actor).pk, now=NOW)


def reopen_coupon(shop: Vendor, actor: Actor) -> None:
    coupons.reopen_coupon(actor, archive_coupon(shop, actor).pk, now=NOW)


def make_bundle(_shop: Vendor, actor: Actor, name: str = "Small") -> Plan:
    with scope(actor.tenant_id):
        price_id = Price.objects.get().pk
    wanted = plan_checking.NewPlan(name, [plan_checking.NewPlanItem(price_id, Decimal(4))])
    return keeping.create_plan(actor, wanted, now=NOW)


def edit_bundle(shop: Vendor, actor: Actor) -> None:
    made = make_bundle(shop, actor)
    with scope(actor.tenant_id):
        item = plan_checking.NewPlanItem(Price.objects.get().pk)
    keeping.edit_plan(actor, made.pk, plan_checking.NewPlan("Large", [item]), now=NOW)


def archive_bundle(shop: Vendor, actor: Actor) -> Plan:
    return keeping.archive_plan(actor, make_bundle(shop, actor).pk, now=NOW)


def reopen_bundle(shop: Vendor, actor: Actor) -> None:
    keeping.reopen_plan(actor, archive_bundle(shop, actor).pk, now=NOW)


def give_bundle(shop: Vendor, actor: Actor) -> Any:
    choice = plan_starting.PlanChoice(make_bundle(shop, shop.actor).pk)
    made = subscribe(shop, actor)
    return replanning.change_plan(actor, made.pk, choice, day=DAY, today=TODAY, now=NOW)


def redeem(shop: Vendor, actor: Actor) -> Any:
    make_coupon(shop.actor)
    made = subscribe(shop, actor)
    wanted = checking.WantedDiscount(coupon="SPRING")
    return discounting.discount_subscription(actor, made.pk, wanted, day=DAY, today=TODAY, now=NOW)


def redeem_and_end(shop: Vendor, actor: Actor) -> None:
    given = redeem(shop, actor).discount
    discounting.end_discount(actor, given.pk, day=DAY, today=TODAY, now=NOW)


def bind(shop: Vendor, actor: Actor) -> Any:
    made = subscribe(shop, actor)
    wanted = contracting.Contract(12, 12, notice_months=3)
    return binding.change_contract(actor, made.pk, wanted, today=TODAY, now=NOW)


def discount_below(shop: Vendor, actor: Actor) -> Any:
    wanted = checking.WantedDiscount(name="Goodwill", percent=Decimal(10), reason="An outage")
    return giving.discount_account(actor, shop.id_of("A"), wanted, day=DAY, today=TODAY, now=NOW)


def discount_below_worked(shop: Vendor, actor: Actor) -> None:
    job = discount_below(shop, actor).job
    work_on_discount(Actor.system(shop.tenant_id), job.pk, now=NOW)


def discount_below_and_end(shop: Vendor, actor: Actor) -> None:
    given = discount_below(shop, actor).discount
    giving.end_account_discount(actor, given.pk, day=DAY, today=TODAY, now=NOW)


def pool(shop: Vendor, actor: Actor) -> Any:
    metered(shop, actor)
    with shop.seen():
        key = Price.objects.get(external_id="used").pk
    wanted = pools.NewPool(key, DAY)
    return pools.begin_pool(actor, shop.id_of("A"), wanted, today=TODAY, now=NOW).pool


def pool_and_end(shop: Vendor, actor: Actor) -> Any:
    return pools.end_pool(actor, pool(shop, actor).pk, day=None, today=TODAY, now=NOW)


def end_and_go_on(shop: Vendor, actor: Actor) -> None:
    ending.reactivate_subscription(actor, end(shop, actor).subscription.pk, today=TODAY, now=NOW)


def pause(shop: Vendor, actor: Actor) -> Any:
    made = subscribe(shop, actor)
    return pausing.pause_subscription(actor, made.pk, day=LATER, today=TODAY, now=NOW)


def pause_and_resume(shop: Vendor, actor: Actor) -> Any:
    key = pause(shop, actor).subscription.pk
    return pausing.resume_subscription(actor, key, day=DAY, today=TODAY, now=NOW)


def give_price(actor: Actor) -> None:
    product = catalogue.create_product(actor, name="New", now=NOW)
    wanted = catalogue.NewPrice("New", "flat", "EUR", "month", unit_amount=Decimal(5))
    catalogue.create_price(actor, product.pk, wanted, today=TODAY, now=NOW)


def price_of(actor: Actor) -> Price:
    with scope(actor.tenant_id):
        return Price.objects.select_related("product").get()


def put_away(shop: Vendor, actor: Actor, *, is_product: bool = False) -> Price:
    """Archive the only price, or its product."""
    found = price_of(actor)
    if is_product:
        catalogue.archive_product(actor, found.product_id, now=NOW)
    else:
        catalogue.archive_price(actor, found.pk, now=NOW)
    return found


def reopen_price(shop: Vendor, actor: Actor) -> None:
    catalogue.reopen_price(actor, put_away(shop, actor).pk, now=NOW)


def reopen_product(shop: Vendor, actor: Actor) -> None:
    key = put_away(shop, actor, is_product=True).product_id
    catalogue.reopen_product(actor, key, now=NOW)


def make_version(shop: Vendor, actor: Actor, *, at: str | None = None) -> tuple[Price, Job]:
    """Let the only price cost something else."""
    with scope(actor.tenant_id):
        key = Price.objects.get(first=None).pk
    wanted = catalogue.NewVersion(
        LATER, {"unit_amount": Decimal(12)}, shop.id_of(at) if at else None
    )
    return beginning.begin_version(actor, key, wanted, today=TODAY, now=NOW)


def end_of_version(shop: Vendor, actor: Actor) -> Any:
    version, job = make_version(shop, shop.actor, at="A")
    working.work_on_repricing(Actor.system(shop.tenant_id), job.pk, now=NOW)
    return beginning.end_version(actor, version.pk, None, today=TODAY, now=NOW)


def stopped_version(shop: Vendor, actor: Actor) -> Job:
    _version, job = make_version(shop, shop.actor)
    return beginning.stop_repricing(actor, job.pk, now=NOW)


def resumed_version(shop: Vendor, actor: Actor) -> Job:
    job = stopped_version(shop, shop.actor)
    return beginning.resume_repricing(actor, job.pk, today=TODAY, now=NOW)


def work_on_version(shop: Vendor, actor: Actor) -> None:
    _version, job = make_version(shop, actor)
    working.work_on_repricing(Actor.system(shop.tenant_id), job.pk, now=NOW)


def rename_price(_shop: Vendor, actor: Actor) -> None:
    key = price_of(actor).pk
    catalogue.edit_price(actor, key, {"name": "Eleven"}, today=TODAY, now=NOW)


def metered(shop: Vendor, actor: Actor) -> Any:
    """Make a meter that the subscription is charged by."""
    made = meters.create_meter(actor, meters.NewMeter("calls", "Calls", "sum"), now=NOW)
    terms = {"model": "per_unit", "timing": "arrears", "meter": "calls", "tax_rate": 19}
    shop.has("prices", price("used", "1", **terms))
    shop.has("subscriptions", subscription("U", "A", "used", "2026-11-01"))
    return made


def used(_shop: Vendor, actor: Actor) -> Any:
    metered(_shop, actor)
    event = NewUsage("e1", "ext:U", "ext:calls", Decimal(3), NOW)
    return report_usage(actor, [event], today=TODAY, now=NOW)


def import_used(shop: Vendor, actor: Actor) -> Any:
    metered(shop, actor)
    row = {"event_id": "e1", "subscription_external_id": "U", "meter": "calls", "quantity": 3,
           "at": "2026-11-05"}  # fmt: skip
    return load("usage", [row])(shop, actor)


def rename_meter(_shop: Vendor, actor: Actor) -> Any:
    made = meters.create_meter(actor, meters.NewMeter("calls", "Calls", "sum"), now=NOW)
    return meters.edit_meter(actor, made.pk, {"name": "Requests"}, now=NOW)


def meter_away(_shop: Vendor, actor: Actor) -> Any:
    made = meters.create_meter(actor, meters.NewMeter("calls", "Calls", "sum"), now=NOW)
    return catalogue.archive_meter(actor, made.pk, now=NOW)


def rename_product(_shop: Vendor, actor: Actor) -> None:
    catalogue.edit_product(actor, price_of(actor).product_id, {"name": "Eleven"}, now=NOW)


def plan_day(shop: Vendor, actor: Actor) -> None:
    wanted = account_settings.WantedSettings({"billing_day": 20}, LATER)
    account_settings.change_settings(actor, shop.id_of("A"), wanted, today=TODAY, now=NOW)


def plan_default(_shop: Vendor, actor: Actor) -> None:
    wanted = account_settings.WantedSettings({"payment_terms_days": 21}, LATER)
    account_settings.change_defaults(actor, wanted, today=TODAY, now=NOW)


def recall_default(shop: Vendor, actor: Actor) -> None:
    plan_default(shop, shop.actor)
    account_settings.cancel_planned_default(
        actor, "payment_terms_days", LATER, today=TODAY, now=NOW
    )


def recall_day(shop: Vendor, actor: Actor) -> None:
    plan_day(shop, shop.actor)
    account_settings.cancel_planned_setting(
        actor, shop.id_of("A"), "billing_day", LATER, today=TODAY, now=NOW
    )


def planned(shop: Vendor, actor: Actor) -> ChangePlan:
    wanted = Wanted("consolidation", shop.id_of("A"), TODAY, value="per_account")
    return planning.create_plan(actor, wanted, today=TODAY, now=NOW)


def planned_together(shop: Vendor, actor: Actor) -> None:
    wanted = Wanted("consolidation", shop.id_of("A"), TODAY, value="per_account")
    planning.create_plans(actor, [wanted], today=TODAY, now=NOW)


def submitted(shop: Vendor, actor: Actor, *, ask_approval: bool = False) -> ChangePlan:
    plan = planned(shop, actor)
    return deciding.submit_plan(actor, plan.pk, ask_approval=ask_approval, today=TODAY, now=NOW)


def handed_over(shop: Vendor, actor: Actor) -> ChangePlan:
    """Return a plan that waits for the acceptance of another customer."""
    shop.has("accounts", account("P"))
    wanted = Wanted("move", shop.id_of("A"), TODAY, target_id=shop.id_of("P"))
    plan = planning.create_plan(actor, wanted, today=TODAY, now=NOW)
    return deciding.submit_plan(actor, plan.pk, today=TODAY, now=NOW)


def approve_planned(shop: Vendor, actor: Actor) -> None:
    plan = submitted(shop, actor, ask_approval=True)
    deciding.approve_plan(actor, plan.pk, today=TODAY, now=NOW)


def accept(shop: Vendor, actor: Actor) -> None:
    plan = handed_over(shop, actor)
    deciding.answer_plan(actor, plan.pk, accepts=True, reason="Why", today=TODAY, now=NOW)


def carry_out(shop: Vendor, actor: Actor) -> None:
    wanted = Wanted("consolidation", shop.id_of("A"), DAY, value="per_account")
    plan = planning.create_plan(actor, wanted, today=TODAY, now=NOW)
    deciding.submit_plan(actor, plan.pk, today=TODAY, now=NOW)
    applying.carry_out_due_plans(actor, day=DAY, now=NOW)


def readdressed(shop: Vendor, actor: Actor) -> None:
    new = readdressing.NewRecipient(shop.id_of("A"), TODAY)
    with scope(actor.tenant_id):
        key = Subscription.objects.get().pk
    readdressing.readdress_subscription(actor, key, new, today=TODAY, now=NOW)


def merge(shop: Vendor, actor: Actor) -> None:
    shop.has("accounts", account("P"))
    wanted = Wanted("merge", shop.id_of("A"), TODAY, target_id=shop.id_of("P"))
    duplicates.merge_account(actor, wanted, today=TODAY, now=NOW)


def aligned(shop: Vendor, actor: Actor) -> None:
    wanted = Wanted("alignment", shop.id_of("A"), TODAY, alignment=Alignment(15))
    renewals.align_renewals(actor, wanted, today=TODAY, now=NOW)


def aligning_large(shop: Vendor, actor: Actor) -> ChangePlan:
    """Return an alignment that a job carries out, as one of thousands of subscriptions."""
    wanted = Wanted("alignment", shop.id_of("A"), TODAY, alignment=Alignment(15))
    with patch.object(aligning, "AT_ONCE", 0):
        plan, _rows = renewals.align_renewals(actor, wanted, today=TODAY, now=NOW)
    return plan


def align_piece(shop: Vendor, actor: Actor) -> None:
    plan = aligning_large(shop, actor)
    aligning_jobs.work_on_alignment(Actor.system(shop.tenant_id), plan.job_id, now=NOW)


def align_to_the_end(shop: Vendor, actor: Actor) -> None:
    wanted = Wanted("alignment", shop.id_of("A"), LATER, alignment=Alignment(15))
    renewals.align_renewals(actor, wanted, today=TODAY, now=NOW)
    with patch.object(aligning, "AT_ONCE", 0):
        applying.carry_out_due_plans(Actor.system(shop.tenant_id), day=LATER, now=NOW)


def aligning_stopped(shop: Vendor, actor: Actor) -> ChangePlan:
    return aligning_jobs.stop_alignment(actor, aligning_large(shop, actor).pk, now=NOW)


def aligning_resumed(shop: Vendor, actor: Actor) -> ChangePlan:
    plan = aligning_stopped(shop, shop.actor)
    return aligning_jobs.resume_alignment(actor, plan.pk, now=NOW)


def reverse(shop: Vendor, actor: Actor) -> None:
    plan = submitted(shop, actor)
    reversing.reverse_plan(actor, plan.pk, effective_date=TODAY, today=TODAY, now=NOW)


def make(_shop: Vendor, actor: Actor) -> Any:
    new = {"external_id": "Z", "name": "Z", "kind": "company"}
    return account_operations.create_account(actor, None, today=TODAY, now=NOW, **new)[0]


def archive(shop: Vendor, actor: Actor) -> Any:
    account = make(shop, actor)
    archiving.archive_account(actor, account.pk, today=TODAY, now=NOW)
    return account


def meet(shop: Vendor, actor: Actor) -> Contact:
    values = {"external_id": "kim", "name": "Kim", "email": "kim@kim.example"}
    return contacts.create_contact(actor, shop.id_of("A"), now=NOW, **values)[0]


def grant(shop: Vendor, actor: Actor) -> Grant:
    contact = meet(shop, actor)
    when = {"today": TODAY, "now": NOW}
    return grants.grant_role(actor, contact.pk, shop.id_of("A"), "viewer", **when)[0]


CONTACT = {"external_id": "c", "account_external_id": "A", "name": "Kim", "email": "k@k.example"}
VERSION = {"price_external_id": "ten", "valid_from": "2027-01-01", "unit_amount": "12"}
DISCOUNT = {"account_external_id": "A", "valid_from": "2027-01-01", "name": "Less", "percent": "5",
            "reason": "Agreed"}  # fmt: skip
CHARGE = {"external_id": "n", "account_external_id": "A", "first_day": DAY, "unit_amount": 9,
          "description": "Training", "currency": "EUR"}  # fmt: skip
OPERATIONS: dict[str, Change] = {
    "account_settings.changing.change_settings": Change(plan_day, "account.settings_changed"),
    "account_settings.defaults.change_defaults": Change(plan_default, "tenant.settings_changed"),
    "account_settings.defaults.cancel_planned_default": Change(
        recall_default, "tenant.settings_changed"
    ),
    "account_settings.changing.cancel_planned_setting": Change(
        recall_day, "account.settings_changed"
    ),
    "sellers.update_seller": Change(
        lambda _s, a: sellers.update_seller(a, first_seller(a).pk, bank_name="New bank", now=NOW),
        "seller.updated",
    ),
    "accounts.creating.create_account": Change(make, "account.created"),
    "accounts.creating.create_accounts": Change(
        lambda _s, a: account_operations.create_accounts(
            a, [account_operations.NewAccount({"name": "Z"})], None, today=TODAY, now=NOW
        ),
        "account.created",
    ),
    "accounts.editing.edit_account": Change(
        lambda s, a: account_operations.edit_account(
            a, s.id_of("A"), today=TODAY, now=NOW, name="Anna"
        ),
        "account.updated",
    ),
    "accounts.archiving.archive_account": Change(archive, "account.archived"),
    "accounts.reopening.reopen_account": Change(
        lambda s, a: account_operations.reopen_account(a, archive(s, a).pk, now=NOW),
        "account.reopened",
    ),
    "accounts.contacts.create_contact": Change(meet, "contact.created"),
    "accounts.contacts.edit_contact": Change(
        lambda s, a: contacts.edit_contact(a, meet(s, a).pk, now=NOW, name="Kai"),
        "contact.updated",
    ),
    "accounts.editing_many.edit_many": Change(
        lambda s, a: editing_many.edit_many(
            a,
            [s.id_of("A")],
            editing_many.WantedOfMany(TODAY, "add", ["north"]),
            today=TODAY,
            now=NOW,
        ),
        "account.updated",
    ),
    "accounts.editing_jobs.request_edit": Change(edit_asked, "job.requested"),
    "accounts.editing_jobs.apply_edit": Change(edit_worked, "job.requested"),
    "accounts.editing_jobs.work_on_edit": Change(edit_worked, "account.updated"),
    "accounts.editing_jobs.stop_edit": Change(
        lambda s, a: editing_jobs.stop_edit(a, edit_asked(s, a).pk, now=NOW), "job.stopped"
    ),
    "accounts.removing_contacts.remove_contact": Change(
        lambda s, a: removing_contacts.remove_contact(a, meet(s, a).pk, today=TODAY, now=NOW),
        "contact.removed",
    ),
    "accounts.grants.grant_role": Change(grant, "grant.created"),
    "accounts.grants.end_grant": Change(
        lambda s, a: grants.end_grant(a, grant(s, a).pk, ends_on=TODAY, today=TODAY, now=NOW),
        "grant.ended",
    ),
    "bank_accounts.set_bank_account": Change(lambda _s, a: bank(a), BANK),
    "bank_accounts.remove_bank_account": Change(unbank, BANK),
    "sign_ins.note_sign_in": Change(
        lambda _s, a: sign_ins.note_sign_in(
            a, a.person_id, succeeded=True, client="192.0.2.1", now=NOW
        ),
        "person.signed_in",
    ),
    "people.add_staff": Change(staff, "membership.created"),
    "people.give_login": Change(log_in, "contact.login_given"),
    "operators.enter_tenant": Change(enter, "tenant.operator_entered"),
    "importing.accounts.import_accounts": Change(
        load("accounts", [account("N")]), "account.created"
    ),
    "importing.contacts.import_contacts": Change(load("contacts", [CONTACT]), "contact.created"),
    "importing.prices.import_prices": Change(load("prices", [price("new", "5")]), "price.created"),
    "importing.subscriptions.import_subscriptions": Change(
        load("subscriptions", [subscription("N", "A", "ten", "2026-12-01")]),
        "subscription.created",
    ),
    "importing.versions.import_price_versions": Change(
        load("price_versions", [VERSION]), "price.version_created"
    ),
    "importing.versions.import_negotiated_prices": Change(
        load("negotiated_prices", [{**VERSION, "account_external_id": "A"}]),
        "price.version_created",
    ),
    "importing.discounts.import_discounts": Change(
        load("discounts", [DISCOUNT]), "account.discounted"
    ),
    "importing.charges.import_charges": Change(load("charges", [CHARGE]), "charge.added"),
    "catalogue.editing.edit_product": Change(rename_product, "product.updated"),
    "catalogue.editing.edit_price": Change(rename_price, "price.updated"),
    "catalogue.archiving.archive_product": Change(
        lambda shop, actor: put_away(shop, actor, is_product=True), "product.archived"
    ),
    "catalogue.archiving.reopen_product": Change(reopen_product, "product.reopened"),
    "prices.beginning.begin_version": Change(make_version, "price.version_created"),
    "prices.beginning.end_version": Change(end_of_version, "price.version_ended"),
    "prices.beginning.stop_repricing": Change(stopped_version, "job.stopped"),
    "prices.beginning.resume_repricing": Change(resumed_version, "job.requested"),
    "prices.working.work_on_repricing": Change(work_on_version, "subscription.changed"),
    "catalogue.archiving.archive_price": Change(put_away, "price.archived"),
    "catalogue.archiving.reopen_price": Change(reopen_price, "price.reopened"),
    "catalogue.adding.create_product": Change(
        lambda _s, a: catalogue.create_product(a, name="New", now=NOW), "product.created"
    ),
    "catalogue.adding.create_price": Change(lambda _s, a: give_price(a), "price.created"),
    "catalogue.meters.create_meter": Change(metered, "meter.created"),
    "catalogue.meters.edit_meter": Change(rename_meter, "meter.updated"),
    "catalogue.archiving.archive_meter": Change(meter_away, "meter.archived"),
    "catalogue.archiving.reopen_meter": Change(
        lambda s, a: catalogue.reopen_meter(a, meter_away(s, a).pk, now=NOW), "meter.reopened"
    ),
    "usage.reporting.report_usage": Change(used, "usage.reported"),
    "importing.usage.import_usage": Change(import_used, "usage.reported"),
    "subscriptions.creating.create_subscription": Change(subscribe, "subscription.created"),
    "subscriptions.changing.change_subscription": Change(change_item, "subscription.changed"),
    "subscriptions.pausing.pause_subscription": Change(pause, "subscription.paused"),
    "subscriptions.pausing.resume_subscription": Change(pause_and_resume, "subscription.resumed"),
    "subscriptions.binding.change_contract": Change(bind, "subscription.contract_changed"),
    "subscriptions.ending.cancel_subscription": Change(end, "subscription.cancelled"),
    "subscriptions.ending.reactivate_subscription": Change(
        end_and_go_on, "subscription.reactivated"
    ),
    "plans.keeping.create_plan": Change(make_bundle, "bundle.created"),
    "plans.keeping.edit_plan": Change(edit_bundle, "bundle.updated"),
    "plans.keeping.archive_plan": Change(archive_bundle, "bundle.archived"),
    "plans.keeping.reopen_plan": Change(reopen_bundle, "bundle.reopened"),
    "subscriptions.replanning.change_plan": Change(give_bundle, "subscription.plan_changed"),
    "discounts.coupons.create_coupon": Change(lambda _s, a: make_coupon(a), "coupon.created"),
    "discounts.coupons.edit_coupon": Change(rename_coupon, "coupon.updated"),
    "discounts.coupons.archive_coupon": Change(archive_coupon, "coupon.archived"),
    "discounts.coupons.reopen_coupon": Change(reopen_coupon, "coupon.reopened"),
    "subscriptions.discounting.discount_subscription": Change(redeem, "subscription.discounted"),
    "subscriptions.discounting.end_discount": Change(redeem_and_end, "subscription.discount_ended"),
    "pools.beginning.begin_pool": Change(pool, "account.pool_begun"),
    "pools.beginning.end_pool": Change(pool_and_end, "account.pool_ended"),
    "account_discounts.giving.discount_account": Change(discount_below, "account.discounted"),
    "account_discounts.working.work_on_discount": Change(
        discount_below_worked, "subscription.discounted"
    ),
    "account_discounts.giving.end_account_discount": Change(
        discount_below_and_end, "account.discount_ended"
    ),
    "import_jobs.request_import": Change(checked, "job.requested"),
    "import_jobs.apply_import": Change(import_worked, "job.requested"),
    "import_jobs.work_on_import": Change(import_worked, "account.created"),
    "clock.advance_clock": Change(
        lambda _s, a: clock.advance_clock(a, to_date=DAY, now=NOW), "tenant.clock_moved"
    ),
    "clock_jobs.request_clock_move": Change(
        lambda _s, a: clock_jobs.request_clock_move(a, to_date=DAY, now=NOW), "job.requested"
    ),
    "clock_jobs.work_on_clock_move": Change(clock_worked, "invoice.issued"),
    "checking_books.request_books_check": Change(
        lambda _s, a: checking_books.request_books_check(a, now=NOW), "job.requested"
    ),
    "jobs.request_job": Change(
        lambda _s, a: jobs.request_job(a, Job.Kind.IMPORT, params={}, now=NOW), "job.requested"
    ),
    "rendering.retry_document": Change(retry, RETRIED),
    "feeds.create_feed": Change(lambda _s, a: subscribed(a), "feed.created"),
    "feeds.rotate_feed": Change(
        lambda _s, a: feeds.rotate_feed(a, subscribed(a).pk, now=NOW), "feed.rotated"
    ),
    "feeds.revoke_feed": Change(
        lambda _s, a: feeds.revoke_feed(a, subscribed(a).pk, now=NOW), "feed.revoked"
    ),
    "runs.opening.request_run": Change(lambda _s, a: ask_for_run(a), "run.requested"),
    "runs.working.run_billing": Change(
        lambda _s, a: runs.run_billing(a, run_date=DAY, issue=True, today=TODAY, now=NOW),
        "invoice.issued",
    ),
    "runs.working.work_on_run": Change(worked, "invoice.issued"),
    "runs.approving.approve_drafts": Change(approve, "invoice.issued"),
    "runs.approving.issue_invoice": Change(
        lambda s, a: approving.issue_invoice(
            a, only_draft(s).pk, content_hash=None, today=TODAY, now=NOW
        ),
        "invoice.issued",
    ),
    "runs.approving.approve_run": Change(approve_all, "run.approved"),
    "correcting.correct_invoice": Change(
        lambda s, a: correcting.correct_invoice(
            a, issued(s).pk, NewCorrection("Why"), today=TODAY, now=NOW
        ),
        "credit_note.issued",
    ),
    "runs.discarding.discard_drafts": Change(take_back, "invoice.held_back"),
    "runs.discarding.release_charges": Change(release, "charges.released"),
    "charges.adding.add_charge": Change(charge, "charge.added"),
    "charges.cancelling.cancel_charge": Change(
        lambda s, a: cancelling.cancel_charge(a, charge(s, a).pk, now=NOW), "charge.cancelled"
    ),
    "runs.discarding.reject_run": Change(reject, "run.rejected"),
    "runs.changed.refresh_drafts": Change(redraft, "invoice.redrafted"),
    "plans.planning.create_plan": Change(planned, "plan.created"),
    "plans.planning.create_plans": Change(planned_together, "plan.created"),
    "plans.planning.withdraw_plan": Change(
        lambda s, a: planning.withdraw_plan(a, planned(s, a).pk, now=NOW), "plan.withdrawn"
    ),
    "plans.planning.comment_on_plan": Change(
        lambda s, a: planning.comment_on_plan(a, planned(s, a).pk, text="Why?", now=NOW),
        "plan.commented",
    ),
    "plans.deciding.submit_plan": Change(submitted, "plan.scheduled"),
    "plans.deciding.approve_plan": Change(approve_planned, "plan.approved"),
    "plans.deciding.answer_plan": Change(accept, "plan.accepted"),
    "plans.applying.carry_out_due_plans": Change(carry_out, "plan.applied"),
    "plans.reversing.reverse_plan": Change(reverse, "plan.created"),
    "plans.readdressing.readdress_subscription": Change(readdressed, "plan.scheduled"),
    "plans.duplicates.merge_account": Change(merge, "account.merged"),
    "plans.renewals.align_renewals": Change(aligned, "plan.applied"),
    "plans.aligning_jobs.work_on_alignment": Change(align_piece, "plan.applied"),
    "plans.aligning_jobs.finish_alignment": Change(align_to_the_end, "plan.applied"),
    "plans.aligning_jobs.stop_alignment": Change(aligning_stopped, "job.stopped"),
    "plans.aligning_jobs.resume_alignment": Change(aligning_resumed, "job.requested"),
    "approval.set_approval": Change(
        lambda _s, a: approval.set_approval(a, approval_required=True, four_eyes=True, now=NOW),
        "tenant.approval_changed",
    ),
    "time_zones.set_time_zone": Change(
        lambda _s, a: time_zones.set_time_zone(a, time_zone="Asia/Tokyo", today=TODAY, now=NOW),
        "tenant.time_zone_changed",
    ),
}
READS = "It stores nothing."
STEP = "It is a step of an operation above, which writes the entries for what it does."
QUEUE = "It keeps a queue's books; who asked is written when it is asked, what is done when done."
WITHOUT_ENTRY: dict[str, str] = {
    **dict.fromkeys(
        (
            "forecasts.refresh_calendar", "making.make_wanted_forecast",
            "making.write_forecast", "forecasts.want_forecasts", "feeds.tell_feed",
        ),
        "It keeps what is computed from what is stored already, and changes nothing.",
    ),
    "tenants.create_tenant": "test_a_new_tenant_begins_with_its_entry is about it.",
    "operators.create_operator": "An operator stands outside of every tenant and its trail.",
    "runs.scheduling.run_scheduled_day": "The timetable's run; test_on_behalf.py is about it.",
    "days.do_scheduled_day": "It carries out plans and makes the timetable's run, as above.",
    **dict.fromkeys(
        (
            "plans.planning.previewed", "plans.readdressing.wanted_recipient",
            "plans.locking.take_plan", "subscriptions.locking.locked_subscription",
            "plans.locking.lock_trees", "plans.crediting.made_over_by",
            "plans.merging.require_unchanged", "plans.aligning.undone",
            "plans.applying.require_free", "discounts.starting.begin_many",
            "subscriptions.settling.settled", "subscriptions.settling.as_charge",
            "subscriptions.settling.root_of", "subscriptions.settling.item_row",
            "subscriptions.settling.pending", "subscriptions.opening.open_subscription",
            "subscriptions.opening.natural_day", "subscriptions.opening.require_possible",
            "subscriptions.wanting.timelines_after", "subscriptions.wanting.with_discounts_of",
            "subscriptions.discounting.spans_of", "subscriptions.discounting.ended_for",
            "subscriptions.discounting.applied",
            "plans.checking.require_plan", "plans.checking.bounds_fault", "plans.starting.bundled",
            "plans.checking.plan_as_wanted", "plans.checking.plan_said",
            "plans.keeping.plan_shown",
            "discounts.checking.require_coupon", "discounts.checking.require_discount",
            "discounts.checking.off_faults", "discounts.checking.code_key",
            "discounts.redeeming.new_discount", "discounts.resolving.given_to",
            "discounts.resolving.in_order", "discounts.resolving.resolved",
            "discounts.starting.begin_with",
            "subscriptions.ending.settled_end",
            "subscriptions.contracting.contract_of", "subscriptions.contracting.said_of",
            "subscriptions.contracting.contract_faults", "subscriptions.contracting.end_faults",
            "job_actors.actor_of", "settings.own_settings", "settings.differences",
            "settings.stored_intervals", "settings.timeline_of", "settings.after_change",
            "account_settings.refusals.require_right", "account_settings.refusals.require_day",
            "account_settings.refusals.checked_values", "account_settings.refusals.locked_account",
            "account_settings.refusals.require_unlocked",
            "account_settings.refusals.require_targets", "account_settings.refusals.require_seller",
            "account_settings.refusals.fault", "account_settings.changing.plain",
            "account_settings.changing.wanted_changes",
            "tenants.slug_of", "importing.preview.tree_preview", "importing.preview.tree_outlook",
            "importing.subtree_rows.subtree_rows",
            "importing.rows.refuse_difference", "importing.rows.warn_of_currency",
            "importing.rows.stored_tiers", "importing.rows.tiers_of",
            "importing.version_rows.version_said", "importing.version_rows.model_of",
            "importing.version_rows.changes_of", "importing.version_rows.plain_member",
            "importing.version_rows.shown_member", "importing.version_rows.refuse_version",
            "catalogue.versions.version_after", "catalogue.versions.set_end",
            "catalogue.versions.version_created", "catalogue.versions.version_ended",
            "catalogue.versions.prices_under_way", "prices.beginning.packed",
            "prices.beginning.unpacked",
            "clock.require_movable", "clock.month_after", "clock.month_end_after",
            "clock_preview.preview_clock_move", "issuing.issue_dates",
            "issuing.require_sellers",
            "runs.loading.load_families", "making.first_day", "making.last_day",
            "feeds.tenant_in", "feeds.digest_of",
            "runs.scheduling.missed_days",
            "runs.draft_changes.change_of",
            "runs.four_eyes.require_four_eyes", "runs.opening.require_startable",
            "runs.earlier_drafts.drafted_otherwise", "runs.earlier_drafts.drafts_to_take_up",
            "runs.earlier_drafts.with_those_beside",
            "runs.changed.compare_drafts", "runs.changed.count_drafts",
            "catalogue.archiving.sale_fault", "catalogue.archiving.hold_prices",
            "catalogue.versions.exact_fault", "catalogue.versions.hold_price",
            "catalogue.versions.planned_version", "catalogue.versions.planned_end",
            "prices.beginning.preview_version", "prices.beginning.preview_end",
            "account_discounts.outcomes.outcomes", "account_discounts.outcomes.foreseen",
            "account_discounts.monthly.effect_of", "account_discounts.monthly.brings",
            "account_discounts.giving.given_beside", "account_discounts.giving.require_room",
            "account_discounts.giving.below", "account_discounts.giving.holding",
            "account_discounts.giving.one_of_many", "account_discounts.giving.discounted",
            "account_discounts.monthly.off_now",
            "subscriptions.contracting.agreed", "subscriptions.contracting.bound_by",
            "subscriptions.settling.fallen_due",
            "catalogue.checking.columns_of", "catalogue.checking.wanted_of",
            "catalogue.checking.require_product_name", "catalogue.checking.require_possible",
            "catalogue.naming.named_once", "catalogue.naming.require_free",
            "catalogue.naming.said_of", "catalogue.meters.require_meter",
            "charges.adding.said_of", "charges.adding.as_stored", "charges.adding.added",
            "charges.wanting.charge_faults", "charges.wanting.charge_row",
            "charges.wanting.charge_differences",
            "usage.reporting.key_faults", "usage.reporting.meters_named",
            "runs.late_usage.hold_late_periods",
            "runs.changed.concerned", "runs.noting.by_cause", "runs.noting.problem_row",
        ),
        READS,
    ),
    **dict.fromkeys(
        (
            "moving.place_account", "moving.place_children_beside", "plans.merging.place_merged",
             "plans.applying.carry_out_if_due", "plans.planning.store_plan",
            "plans.crediting.store_made_over",
            "plans.locking.keep_plan", "plans.locking.record_step",
            "subscriptions.readdressing.readdress", "subscriptions.terms.write_terms",
            "runs.closing.close_run_if_empty",
            "subscriptions.handing_over.hand_over",
            "merging.absorb", "plans.merging.merge",
            "plans.aligning.align", "subscriptions.aligning.let_begin",
            "plans.aligning_jobs.write_aligned", "plans.aligning_jobs.begin_aligning",
            "subscriptions.holding.hold", "subscriptions.holding.release",
            "subscriptions.terms.write_all_terms", "discounts.resolving.store_given",
            "discounts.starting.store_begun", "subscriptions.discounting.shorten",
            "catalogue.versions.store_version", "catalogue.versions.store_end",
            "prices.beginning.request_repricing", "account_discounts.giving.request_many",
            "subscriptions.discounting.record_given", "pools.sharing.note_shares",
            "pools.sharing.note_late", "pools.sharing.note_mates",
            "pools.sharing.note_charged_since", "prices.pools.write_pool_prices",
            "prices.pools.reprice_pools", "plans.pooled.note_moved",
            "subscriptions.end.write_end", "subscriptions.end.plan_next",
            "subscriptions.changing.carry_out", "subscriptions.end.store_end",
            "subscriptions.contracting.set_contract",
            "subscriptions.settling.store_charges",
            "sellers.create_placeholder", "settings.write_new", "settings.write_changes",
            "settings.write_timelines",
            "jobs.note_request", "jobs.stop_job", "jobs.go_on",
            "issuing.issue_drafts", "issuing.mark_invoiced",
            "issuing.take_numbers", "issuing.freeze_documents",
            "runs.drafting.draft_documents", "runs.drafting.draft_again",
            "runs.earlier_drafts.delete_drafts", "runs.earlier_drafts.let_go",
            "runs.issuing_approved.issue_approved", "runs.issuing_approved.issue_as_seen",
            "runs.issuing_approved.drafted_again",
            "checking.check_some_files", "checking_books.check_one",
            "checking_books.check_books", "checking_books.work_on_books_check",
            "runs.noting.note_drafted_again", "runs.rating.rate_due_items",
            "runs.late_usage.settle_late_usage", "usage.storing.store_usage",
            "usage.storing.note_reported",
            "runs.billing.bill_families", "runs.closing.close_run",
        ),
        STEP,
    ),
    **dict.fromkeys(
        (
            "jobs.keep_input", "jobs.drop_input", "jobs.claim_job", "jobs.hold_job",
            "jobs.input_of", "jobs.piece_of", "jobs.keep_ids", "jobs.ids_of",
            "job_steps.work_step",
            "jobs.give_back", "jobs.finish_job", "jobs.fail_job",
            "runs.billing.set_aside", "rendering.render_waiting",
            "answers.claim_key", "answers.keep_answer", "answers.forget_answers",
            "outbox.claim_events", "outbox.finish_events", "outbox.postpone_event",
        ),
        QUEUE,
    ),
}  # fmt: skip


def test_every_operation_has_an_entry_here():
    assert operations() - OPERATIONS.keys() - WITHOUT_ENTRY.keys() == set(), (
        "say in OPERATIONS of this file how it is done and which event it writes, or in"
        " WITHOUT_ENTRY why it writes none"
    )
    assert (OPERATIONS.keys() | WITHOUT_ENTRY.keys()) - operations() == set(), (
        "no such operation any more: take it out of OPERATIONS or WITHOUT_ENTRY of this file"
    )
    assert OPERATIONS.keys() & WITHOUT_ENTRY.keys() == set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_names_whoever_did_it(shop: Vendor, olga: Actor, name: str):
    before, change = written(shop), OPERATIONS[name]
    change.do(shop, olga)

    assert (change.action, "person", "Olga") in names_after(shop, before)


def test_a_new_tenant_begins_with_its_entry(vendor: Vendor):
    with vendor.seen():
        entry = AuditEntry.objects.order_by("id")[0]

    assert (entry.action, entry.actor_kind, entry.actor_label) == (
        "tenant.created", "system", "system",
    )  # fmt: skip
    assert tenants.slug_of("Acme") == vendor.slug


# -- pages -------------------------------------------------------------------------------------


@dataclass
class Browser:
    """Somebody's browser, and what the forms of a page hold."""

    client: Client
    shop: Vendor

    def send(self, url: str, **values: Any) -> None:
        """Send the form of a page with everything that it holds already."""
        page = self.client.get(url).content.decode()
        held = {
            unescape(name): unescape(value)
            for field in re.findall(r"<input[^>]*>", page)
            for name in re.findall(r'\bname="([^"]+)"', field)
            for value in re.findall(r'\bvalue="([^"]*)"', field) or [""]
            if name != "ids" and 'type="checkbox"' not in field
        }
        answer = self.client.post(url, {**held, **values})
        assert answer.status_code == 302, (url, answer.status_code, answer.content[:4000])


def start_run(browser: Browser) -> None:
    browser.send("/runs/new/", date=DAY.isoformat())


def approve_page(browser: Browser) -> None:
    run = drafted(browser.shop)
    browser.send(f"/runs/{run.public_id}/approve/")


def edit_seller(browser: Browser) -> None:
    seller = first_seller(browser.shop.actor)
    values = {"name": "Acme AG", "line1": "Weg 1", "city": "Kiel", "country": "DE", "iban": IBAN}
    url = f"/settings/sellers/{seller.public_id}/edit/"
    browser.send(url, **values, vat_id="DE136695976", password=PASSWORD)


def bank_page(browser: Browser) -> None:
    seller = first_seller(browser.shop.actor)
    url = f"/settings/sellers/{seller.public_id}/bank-accounts/"
    browser.send(url, currency="CHF", iban=IBAN, password=PASSWORD)


def bank_edit(browser: Browser) -> None:
    seller = first_seller(browser.shop.actor)
    bank(browser.shop.actor)
    url = f"/settings/sellers/{seller.public_id}/bank-accounts/CHF/"
    browser.send(url, bank_name="Another", password=PASSWORD)


def move_clock(browser: Browser) -> None:
    browser.send("/settings/test-clock/", to=DAY.isoformat(), confirmed=DAY.isoformat())


def send_file(browser: Browser) -> None:
    file = SimpleUploadedFile("b.csv", csv_of([account("B")]), content_type="text/csv")
    browser.send("/import/", kind="accounts", file=file)


def send_file_below(browser: Browser) -> None:
    rows = csv_of([account("B", "A")])
    file = SimpleUploadedFile("b.csv", rows, content_type="text/csv")
    key = public_id("acc", browser.shop.id_of("A"))
    browser.send(f"/customers/{key}/import/", kind="accounts", file=file)


def apply_page(browser: Browser) -> None:
    job = checked(browser.shop, browser.shop.staff("Sent", "owner"))
    browser.send(f"/import/{job.public_id}/")


def retry_page(browser: Browser) -> None:
    invoice = given_up(browser.shop)
    answer = browser.client.post(f"/invoices/{invoice.public_id}/pdf/retry/")
    assert answer.status_code == 302


def take_back_page(browser: Browser) -> None:
    run = drafted(browser.shop)
    browser.send(f"/runs/{run.public_id}/take-back/", reason="Why")


def changed_page(browser: Browser) -> None:
    run = moved_house(browser.shop)
    browser.send(f"/runs/{run.public_id}/changed/")


def release_page(browser: Browser) -> None:
    take_back(browser.shop, browser.shop.actor)
    browser.send("/runs/held/")


def setting_page(browser: Browser) -> None:
    account = public_id("acc", browser.shop.id_of("A"))
    values = {"way": "own", "value": "15", "day": TODAY.isoformat(), "step": "save"}
    browser.send(f"/customers/{account}/settings/billing_day/", **values)


def recall_page(browser: Browser) -> None:
    plan_day(browser.shop, browser.shop.actor)
    account = public_id("acc", browser.shop.id_of("A"))
    url = f"/customers/{account}/settings/billing_day/recall/"
    assert browser.client.post(url, {"day": LATER.isoformat()}).status_code == 302


def new_customer_page(browser: Browser) -> None:
    browser.send("/customers/new/", name="New", kind="company", step="save")


def new_below_page(browser: Browser) -> None:
    url = f"/customers/{public_id('acc', browser.shop.id_of('A'))}/new/"
    written_list = {"accounts": "HR\n  Payroll"}
    shown = browser.client.post(url, written_list).content.decode()
    seen = shown.partition('name="seen" value="')[2].partition('"')[0]
    browser.send(url, **written_list, seen=seen, step="save")


def edit_account_page(browser: Browser) -> None:
    account = public_id("acc", browser.shop.id_of("A"))
    browser.send(f"/customers/{account}/edit/", name="Another")


def archive_page(browser: Browser) -> None:
    browser.send(f"/customers/{make(browser.shop, browser.shop.actor).public_id}/archive/")


def reopen_page(browser: Browser) -> None:
    key = archive(browser.shop, browser.shop.actor).public_id
    assert browser.client.post(f"/customers/{key}/reopen/").status_code == 302


def people_url(browser: Browser) -> str:
    return f"/customers/{public_id('acc', browser.shop.id_of('A'))}/people/"


def new_contact_page(browser: Browser) -> None:
    browser.send(f"{people_url(browser)}new/", name="Kim", email="kim@kim.example")


def contact_page(browser: Browser) -> None:
    contact = meet(browser.shop, browser.shop.actor)
    browser.send(f"{people_url(browser)}{contact.public_id}/", name="Kai")


def edit_selected_page(browser: Browser) -> None:
    account = public_id("acc", browser.shop.id_of("A"))
    wanted = {"account": account, "tags_way": "add", "tags": "north"}
    shown = browser.client.post("/customers/change/", {**wanted, "step": "preview"})
    wanted["seen"] = shown.context["seen"]
    answer = browser.client.post("/customers/change/", {**wanted, "step": "save"})
    assert answer.status_code == 302


def edit_job_page(browser: Browser) -> None:
    job = edit_looked_at(browser.shop, browser.shop.staff("Asked", "owner"))
    browser.send(f"/customers/change/jobs/{job.public_id}/", do="apply")


def remove_contact_page(browser: Browser) -> None:
    contact = meet(browser.shop, browser.shop.actor)
    browser.send(f"{people_url(browser)}{contact.public_id}/remove/")


def give_role_page(browser: Browser) -> None:
    contact = meet(browser.shop, browser.shop.actor).public_id
    answer = browser.client.post(f"{people_url(browser)}{contact}/roles/", {"role": "viewer"})
    assert answer.status_code == 302


def end_role_page(browser: Browser) -> None:
    given = grant(browser.shop, browser.shop.actor).public_id
    answer = browser.client.post(f"{people_url(browser)}roles/{given}/end/")
    assert answer.status_code == 302


def put_bundle_page(way: str) -> Callable[[Browser], None]:
    def put(browser: Browser) -> None:
        made = (make_bundle if way == "archive" else archive_bundle)(
            browser.shop, browser.shop.actor
        )
        browser.send(f"/catalogue/plans/{made.public_id}/{way}/")

    return put


def only_subscription(shop: Vendor) -> Subscription:
    with shop.seen():
        return Subscription.objects.get()


def charge_page(browser: Browser) -> None:
    url = f"/customers/{public_id('acc', browser.shop.id_of('A'))}/charges/new/"
    browser.send(
        url,
        description="Training",
        quantity="2",
        unit_amount="90",
        currency="EUR",
        tax_class="standard",
        first_day=DAY.isoformat(),
    )


def correct_page(browser: Browser) -> None:
    browser.send(f"/invoices/{issued(browser.shop).public_id}/correction/", reason="Agreed")


def cancel_charge_page(browser: Browser) -> None:
    made = charge(browser.shop, browser.shop.actor)
    account_id = public_id("acc", browser.shop.id_of("A"))
    browser.send(f"/customers/{account_id}/charges/{made.public_id}/cancel/")


def subscribe_page(browser: Browser) -> None:
    with browser.shop.seen():
        price_id = Price.objects.get().public_id
    browser.send(
        "/subscriptions/new/",
        account="ext:A",
        price=price_id,
        quantity="2",
        start_date=DAY.isoformat(),
    )


def end_page(browser: Browser) -> None:
    found = only_subscription(browser.shop)
    send_seen(browser, f"/subscriptions/{found.public_id}/end/", when="period_end")


def written_bundle(browser: Browser, name: str) -> dict[str, Any]:
    with browser.shop.seen():
        price_id = Price.objects.get().public_id
    row = {"item_part": "always", "item_quantity": "3", "item_minimum": "", "item_maximum": ""}
    return {"name": name, "item_price": price_id, **row}


def new_bundle_page(browser: Browser) -> None:
    browser.send("/catalogue/plans/new/", **written_bundle(browser, "Small"))


def edit_bundle_page(browser: Browser) -> None:
    made = make_bundle(browser.shop, browser.shop.actor)
    browser.send(f"/catalogue/plans/{made.public_id}/edit/", **written_bundle(browser, "Large"))


def contract_page(browser: Browser) -> None:
    found = only_subscription(browser.shop)
    url = f"/subscriptions/{found.public_id}/contract/"
    send_seen(browser, url, minimum_term_months="12", renewal_months="12", notice_months="3")


def bundle_page(browser: Browser) -> None:
    made, found = make_bundle(browser.shop, browser.shop.actor), only_subscription(browser.shop)
    url = f"/subscriptions/{found.public_id}/plan/?plan={made.public_id}.1"
    chosen = {"plan": f"{made.public_id}.1", "item_0": "9"}
    send_seen(browser, url, **chosen, when="day", day=LATER.isoformat())


def change_page(browser: Browser) -> None:
    found = only_subscription(browser.shop)
    with browser.shop.seen():
        item = Item.objects.select_related("price").get(subscription=found)
    browser.send(
        f"/subscriptions/{found.public_id}/items/{item.public_id}/",
        price=item.price.public_id,
        quantity="7",
        when="day",
        day=DAY.isoformat(),
    )


def send_seen(browser: Browser, url: str, **values: str) -> None:
    page = browser.client.get(url).content.decode()
    [version] = re.findall(r'name="version" value="([^"]*)"', page)
    browser.send(url, version=version, **values)


def add_item_page(browser: Browser) -> None:
    found = only_subscription(browser.shop)
    with browser.shop.seen():
        price = Item.objects.select_related("price").get(subscription=found).price
    send_seen(
        browser,
        f"/subscriptions/{found.public_id}/items/new/",
        price=price.public_id,
        quantity="2",
        when="now",
    )


def remove_item_page(browser: Browser) -> None:
    add_item_page(browser)
    found = only_subscription(browser.shop)
    with browser.shop.seen():
        item = Item.objects.filter(subscription=found).order_by("pk").last()
    assert item is not None
    url = f"/subscriptions/{found.public_id}/items/{item.public_id}/remove/"
    send_seen(browser, url, when="day", day=LATER.isoformat())


def pause_page(browser: Browser) -> None:
    found = only_subscription(browser.shop)
    send_seen(
        browser, f"/subscriptions/{found.public_id}/pause/", when="day", day=LATER.isoformat()
    )


def resume_page(browser: Browser) -> None:
    pause_page(browser)
    found = only_subscription(browser.shop)
    send_seen(browser, f"/subscriptions/{found.public_id}/resume/", when="now")


def new_product_page(browser: Browser) -> None:
    browser.send("/catalogue/products/new/", name="New")


def new_coupon_page(browser: Browser) -> None:
    browser.send(
        "/catalogue/coupons/new/", code="SUMMER", name="Summer", percent="10", duration="once"
    )


def coupon_page(way: str) -> Callable[[Browser], None]:
    def do(browser: Browser) -> None:
        shop = browser.shop
        is_away = way == "reopen"
        made = archive_coupon(shop, shop.actor) if is_away else make_coupon(shop.actor)
        url = f"/catalogue/coupons/{made.public_id}/{way}/"
        if way == "edit":
            browser.send(url, name="Another")
        else:
            assert browser.client.post(url).status_code == 302

    return do


def redeem_page(browser: Browser) -> None:
    make_coupon(browser.shop.actor)
    found = only_subscription(browser.shop)
    url = f"/subscriptions/{found.public_id}/coupon/"
    send_seen(browser, url, coupon="spring", when="period_end")


def discount_page(browser: Browser) -> None:
    found = only_subscription(browser.shop)
    url = f"/subscriptions/{found.public_id}/discount/"
    send_seen(browser, url, name="Goodwill", percent="10", reason="An outage", when="period_end")


def discount_below_page(browser: Browser) -> None:
    key = public_id("acc", browser.shop.id_of("A"))
    browser.send(
        f"/customers/{key}/discounts/new/", name="Goodwill", percent="10", reason="An outage"
    )


def end_discount_below_page(browser: Browser) -> None:
    given = discount_below(browser.shop, browser.shop.actor).discount
    key = public_id("acc", browser.shop.id_of("A"))
    url = f"/customers/{key}/discounts/{given.public_id}/end/"
    browser.send(url, day=DAY.isoformat())


def pool_page(browser: Browser) -> None:
    metered(browser.shop, browser.shop.actor)
    with browser.shop.seen():
        price_id = Price.objects.get(external_id="used").public_id
    key = public_id("acc", browser.shop.id_of("A"))
    browser.send(f"/customers/{key}/pools/new/", price=price_id, starts=DAY.isoformat())


def end_pool_page(browser: Browser) -> None:
    made = pool(browser.shop, browser.shop.actor)
    key = public_id("acc", browser.shop.id_of("A"))
    browser.send(f"/customers/{key}/pools/{made.public_id}/end/", ends="")


def end_discount_page(browser: Browser) -> None:
    discount_page(browser)
    found = only_subscription(browser.shop)
    with browser.shop.seen():
        given = Discount.objects.get().public_id
    url = f"/subscriptions/{found.public_id}/discounts/{given}/end/"
    send_seen(browser, url, when="period_end")


def product_page(way: str, *, is_away: bool = False) -> Callable[[Browser], None]:
    def do(browser: Browser) -> None:
        shop = browser.shop
        found = (
            put_away(shop, shop.actor, is_product=True) if is_away else price_of(shop.actor)
        ).product
        url = f"/catalogue/products/{found.public_id}/{way}/"
        if way == "edit":
            browser.send(url, name="Another")
        elif way == "prices/new":
            browser.send(url, **FLAT)
        else:
            assert browser.client.post(url).status_code == 302

    return do


def new_meter_page(browser: Browser) -> None:
    browser.send("/catalogue/meters/new/", name="Calls", external_id="m", aggregation="sum")


def meter_page(way: str, *, is_away: bool = False) -> Callable[[Browser], None]:
    def do(browser: Browser) -> None:
        actor = browser.shop.actor
        made = meters.create_meter(actor, meters.NewMeter("calls", "Calls", "sum"), now=NOW)
        if is_away:
            catalogue.archive_meter(actor, made.pk, now=NOW)
        url = f"/catalogue/meters/{made.public_id}/{way}/"
        if way == "edit":
            browser.send(url, name="Another", aggregation="sum")
        else:
            assert browser.client.post(url).status_code == 302

    return do


def price_page(way: str, *, is_away: bool = False) -> Callable[[Browser], None]:
    def do(browser: Browser) -> None:
        shop = browser.shop
        found = put_away(shop, shop.actor) if is_away else price_of(shop.actor)
        url = f"/catalogue/prices/{found.public_id}/{way}/"
        if way == "edit":
            browser.send(url, name="Another")
        else:
            assert browser.client.post(url).status_code == 302

    return do


def version_page(browser: Browser) -> None:
    url = f"/catalogue/prices/{price_of(browser.shop.actor).public_id}/versions/new/"
    terms = "name=Ten&model=flat&unit_amount=12&tax_class=standard&valid_from=2027-01-01"
    browser.send(f"{url}?step=preview&{terms}", step="begin")


def end_version_page(browser: Browser) -> None:
    shop = browser.shop
    version, job = make_version(shop, shop.actor, at="A")
    working.work_on_repricing(Actor.system(shop.tenant_id), job.pk, now=NOW)
    browser.send(f"/catalogue/prices/{version.public_id}/end/", step="begin", ends_on="2027-05-01")


def stop_version_page(browser: Browser) -> None:
    _version, job = make_version(browser.shop, browser.shop.actor)
    browser.send(f"/catalogue/price-changes/{job.public_id}/", do="stop")


FLAT = {
    "name": "Desk", "model": "flat", "currency": "EUR", "unit_amount": "5", "interval": "month",
    "timing": "advance", "tax_class": "standard",
}  # fmt: skip


def go_on_page(browser: Browser) -> None:
    end_page(browser)
    found = only_subscription(browser.shop)
    answer = browser.client.post(f"/subscriptions/{found.public_id}/go-on/")
    assert answer.status_code == 302


def plan_new_page(browser: Browser) -> None:
    shop = browser.shop
    browser.send(
        f"/plans/new/?kind=consolidation&account={public_id('acc', shop.id_of('A'))}",
        choice="per_account",
        effective_date=DAY.isoformat(),
    )


def align_page(browser: Browser) -> None:
    key = public_id("acc", browser.shop.id_of("A"))
    browser.send(f"/customers/{key}/align/preview/", on="15-0")


def move_page(browser: Browser) -> None:
    shop = browser.shop
    shop.has("accounts", account("C1"), account("C2"))
    keys = "&".join(f"account={public_id('acc', shop.id_of(key))}" for key in ("C1", "C2"))
    target = public_id("acc", shop.id_of("A"))
    browser.send(f"/plans/move/?{keys}", target=target, effective_date=DAY.isoformat())


def plan_page(browser: Browser) -> None:
    plan = planned(browser.shop, browser.shop.staff("Paul", "owner"))
    browser.send(f"/plans/{plan.public_id}/", do="schedule")


def default_page(browser: Browser) -> None:
    values = {"way": "own", "value": "21", "day": TODAY.isoformat(), "step": "save"}
    browser.send("/settings/defaults/payment_terms_days/", **values)


def recall_default_page(browser: Browser) -> None:
    plan_default(browser.shop, browser.shop.actor)
    url = "/settings/defaults/payment_terms_days/recall/"
    assert browser.client.post(url, {"day": LATER.isoformat()}).status_code == 302


DEFAULTS = "tenant.settings_changed"
PRODUCT = "catalogue/products/<str:product_id>"
PRICE = "catalogue/prices/<str:price_id>"
COUPON = "catalogue/coupons/<str:coupon_id>"
METER = "catalogue/meters/<str:meter_id>"
PAGES: dict[str, Change] = {
    "settings/defaults/<str:setting>/": Change(default_page, DEFAULTS),
    "settings/defaults/<str:setting>/recall/": Change(recall_default_page, DEFAULTS),
    "catalogue/products/new/": Change(new_product_page, "product.created"),
    "catalogue/plans/new/": Change(new_bundle_page, "bundle.created"),
    "catalogue/plans/<str:bundle_id>/edit/": Change(edit_bundle_page, "bundle.updated"),
    "catalogue/plans/<str:bundle_id>/archive/": Change(
        put_bundle_page("archive"), "bundle.archived"
    ),
    "catalogue/plans/<str:bundle_id>/reopen/": Change(put_bundle_page("reopen"), "bundle.reopened"),
    "catalogue/coupons/new/": Change(new_coupon_page, "coupon.created"),
    f"{COUPON}/edit/": Change(coupon_page("edit"), "coupon.updated"),
    f"{COUPON}/archive/": Change(coupon_page("archive"), "coupon.archived"),
    f"{COUPON}/reopen/": Change(coupon_page("reopen"), "coupon.reopened"),
    "catalogue/meters/new/": Change(new_meter_page, "meter.created"),
    f"{METER}/edit/": Change(meter_page("edit"), "meter.updated"),
    f"{METER}/archive/": Change(meter_page("archive"), "meter.archived"),
    f"{METER}/reopen/": Change(meter_page("reopen", is_away=True), "meter.reopened"),
    f"{PRODUCT}/edit/": Change(product_page("edit"), "product.updated"),
    f"{PRODUCT}/archive/": Change(product_page("archive"), "product.archived"),
    f"{PRODUCT}/reopen/": Change(product_page("reopen", is_away=True), "product.reopened"),
    f"{PRODUCT}/prices/new/": Change(product_page("prices/new"), "price.created"),
    f"{PRICE}/versions/new/": Change(version_page, "price.version_created"),
    f"{PRICE}/end/": Change(end_version_page, "price.version_ended"),
    "catalogue/price-changes/<str:job_id>/": Change(stop_version_page, "job.stopped"),
    f"{PRICE}/edit/": Change(price_page("edit"), "price.updated"),
    f"{PRICE}/archive/": Change(price_page("archive"), "price.archived"),
    f"{PRICE}/reopen/": Change(price_page("reopen", is_away=True), "price.reopened"),
    "customers/new/": Change(new_customer_page, "account.created"),
    "customers/<str:account_id>/new/": Change(new_below_page, "account.created"),
    "customers/<str:account_id>/edit/": Change(edit_account_page, "account.updated"),
    "customers/change/jobs/<str:job_id>/": Change(edit_job_page, "job.requested"),
    "customers/change/": Change(edit_selected_page, "account.updated"),
    "customers/<str:account_id>/people/new/": Change(new_contact_page, "contact.created"),
    "customers/<str:account_id>/people/<str:contact_id>/": Change(contact_page, "contact.updated"),
    "customers/<str:account_id>/people/<str:contact_id>/remove/": Change(
        remove_contact_page, "contact.removed"
    ),
    "customers/<str:account_id>/people/<str:contact_id>/roles/": Change(
        give_role_page, "grant.created"
    ),
    "customers/<str:account_id>/people/roles/<str:grant_id>/end/": Change(
        end_role_page, "grant.ended"
    ),
    "customers/<str:account_id>/charges/new/": Change(charge_page, "charge.added"),
    "invoices/<str:invoice_id>/correction/": Change(correct_page, "credit_note.issued"),
    "customers/<str:account_id>/charges/<str:charge_id>/cancel/": Change(
        cancel_charge_page, "charge.cancelled"
    ),
    "customers/<str:account_id>/archive/": Change(archive_page, "account.archived"),
    "customers/<str:account_id>/reopen/": Change(reopen_page, "account.reopened"),
    "customers/<str:account_id>/settings/<str:setting>/": Change(
        setting_page, "account.settings_changed"
    ),
    "customers/<str:account_id>/settings/<str:setting>/recall/": Change(
        recall_page, "account.settings_changed"
    ),
    "subscriptions/new/": Change(subscribe_page, "subscription.created"),
    "subscriptions/<str:subscription_id>/items/<str:item_id>/": Change(
        change_page, "subscription.changed"
    ),
    "subscriptions/<str:subscription_id>/plan/": Change(bundle_page, "subscription.plan_changed"),
    "subscriptions/<str:subscription_id>/contract/": Change(
        contract_page, "subscription.contract_changed"
    ),
    "subscriptions/<str:subscription_id>/end/": Change(end_page, "subscription.cancelled"),
    "subscriptions/<str:subscription_id>/items/new/": Change(add_item_page, "subscription.changed"),
    "subscriptions/<str:subscription_id>/items/<str:item_id>/remove/": Change(
        remove_item_page, "subscription.changed"
    ),
    "customers/<str:account_id>/pools/new/": Change(pool_page, "account.pool_begun"),
    "customers/<str:account_id>/pools/<str:pool_id>/end/": Change(
        end_pool_page, "account.pool_ended"
    ),
    "customers/<str:account_id>/discounts/new/": Change(discount_below_page, "account.discounted"),
    "customers/<str:account_id>/discounts/<str:discount_id>/end/": Change(
        end_discount_below_page, "account.discount_ended"
    ),
    "subscriptions/<str:subscription_id>/coupon/": Change(redeem_page, "subscription.discounted"),
    "subscriptions/<str:subscription_id>/discount/": Change(
        discount_page, "subscription.discounted"
    ),
    "subscriptions/<str:subscription_id>/discounts/<str:discount_id>/end/": Change(
        end_discount_page, "subscription.discount_ended"
    ),
    "subscriptions/<str:subscription_id>/pause/": Change(pause_page, "subscription.paused"),
    "subscriptions/<str:subscription_id>/resume/": Change(resume_page, "subscription.resumed"),
    "subscriptions/<str:subscription_id>/go-on/": Change(go_on_page, "subscription.reactivated"),
    "customers/<str:account_id>/align/preview/": Change(align_page, "plan.created"),
    "plans/new/": Change(plan_new_page, "plan.created"),
    "plans/move/": Change(move_page, "plan.created"),
    "plans/<str:plan_id>/": Change(plan_page, "plan.scheduled"),
    "runs/<str:run_id>/take-back/": Change(take_back_page, "run.rejected"),
    "runs/<str:run_id>/changed/": Change(changed_page, "invoice.redrafted"),
    "runs/held/": Change(release_page, "charges.released"),
    "settings/approval/": Change(
        lambda b: b.send("/settings/approval/", approval_required="on", four_eyes="on"),
        "tenant.approval_changed",
    ),
    "settings/books/": Change(lambda b: b.send("/settings/books/"), "job.requested"),
    "settings/time-zone/": Change(
        lambda b: b.send("/settings/time-zone/", time_zone="Asia/Tokyo"),
        "tenant.time_zone_changed",
    ),
    "invoices/<str:invoice_id>/pdf/retry/": Change(retry_page, RETRIED),
    "calendar/feeds/": Change(feed_made, "feed.created"),
    "calendar/feeds/<str:feed_id>/": Change(feed_ended, "feed.revoked"),
    "runs/new/": Change(start_run, "run.requested"),
    "runs/<str:run_id>/approve/": Change(approve_page, "run."),
    "settings/sellers/<str:seller_id>/edit/": Change(edit_seller, "seller.updated"),
    "settings/sellers/<str:seller_id>/bank-accounts/": Change(bank_page, BANK),
    "settings/sellers/<str:seller_id>/bank-accounts/<str:currency>/": Change(bank_edit, BANK),
    "settings/test-clock/": Change(move_clock, "job.requested"),
    "import/": Change(send_file, "job.requested"),
    "customers/<str:account_id>/import/": Change(send_file_below, "job.requested"),
    "import/<str:job_id>/": Change(apply_page, "job.requested"),
}
ONES_OWN = "It is about the person's own screen and changes nothing of the tenant."
PAGES_WITHOUT_ENTRY: dict[str, str] = {
    "sign-in/": "Signing in has an entry and tests of its own.",
    "sign-out/": "Signing out has an entry and tests of its own, if any.",
    "": "It leads on to the page that a person begins with.",
    "companies/": ONES_OWN,
    "columns/": ONES_OWN,
    "appearance/": ONES_OWN,
    "language/setlang/": ONES_OWN,
    "portal/invoices/<str:invoice_id>/pdf/retry/": "The page is the same one.",
    "portal/calendar/feeds/": "The page is the same one.",
    "portal/calendar/feeds/<str:feed_id>/": "The page is the same one.",
    "portal/requests/<str:plan_id>/": "It is for customers: test_portal_requests.py answers there.",
}
METHOD_NOT_ALLOWED = 405


def ids_of(shop: Vendor) -> dict[str, Any]:
    return {
        "account": shop.id_of("A"),
        **dict.fromkeys(PREFIXES.keys() - {"account"}, shop.id_of("A")),
    }


def posting(shop: Vendor, client: Client) -> Iterator[str]:
    """Yield the addresses of pages that take a POST: the others answer 405."""
    for route in sorted({*addresses(get_resolver())}):
        if route.startswith(("admin/", "api/", "^", "static/")) or "^" in route:
            continue
        if client.post(filled(route, ids_of(shop))).status_code != METHOD_NOT_ALLOWED:
            yield route


def browser_of(shop: Vendor, actor: Actor) -> Browser:
    client = Client()
    person = Person.objects.get(pk=str(actor.person_id))
    person.set_password(PASSWORD)
    person.save()
    client.force_login(person)
    return Browser(client, shop)


def test_every_page_that_takes_a_post_has_an_entry_here(shop: Vendor, olga: Actor):
    client = browser_of(shop, olga).client
    client.raise_request_exception = False
    found = {
        route
        for route in posting(shop, client)
        if not route.startswith(("healthz", "readyz", "developers"))
    }

    assert found - PAGES.keys() - PAGES_WITHOUT_ENTRY.keys() == set(), (
        "say in PAGES of this file how its form is sent and which event that writes, or in"
        " PAGES_WITHOUT_ENTRY why none"
    )
    assert PAGES.keys() <= found


@pytest.mark.parametrize("route", PAGES)
def test_a_page_names_whoever_sent_it(shop: Vendor, olga: Actor, route: str):
    browser, change = browser_of(shop, olga), PAGES[route]
    before = written(shop)
    change.do(browser)

    found = {
        (kind, label)
        for action, kind, label in names_after(shop, before)
        if action.startswith(change.action)
    }
    assert ("person", "Olga") in found


# -- the API -----------------------------------------------------------------------------------


def endpoints() -> dict[str, type[ActorView]]:
    """Return the views of the API by method and address, those that only read left out."""
    found = {}

    def walk(resolver: Any, before: str = "") -> None:
        for entry in resolver.url_patterns:
            route = before + str(entry.pattern)
            if hasattr(entry, "url_patterns"):
                walk(entry, route)
            elif route.startswith("api/v1/"):
                view = getattr(entry.callback, "cls", None) or getattr(
                    entry.callback, "view_class", None
                )
                for method in ("post", "put", "patch", "delete"):
                    if view is not None and hasattr(view, method):
                        found[f"{method.upper()} {route}"] = view

    walk(get_resolver())
    return found


def api_run(client: Client, _shop: Vendor) -> Any:
    body = json.dumps({"date": DAY.isoformat(), "issue": False})
    return client.post("/api/v1/billing-runs", body, content_type="application/json")


def api_clock(client: Client, _shop: Vendor) -> Any:
    body = json.dumps({"now": DAY.isoformat()})
    return client.post("/api/v1/test-clock", body, content_type="application/json")


def api_retry(client: Client, shop: Vendor) -> Any:
    return client.post(f"/api/v1/invoices/{given_up(shop).public_id}/pdf")


def api_post(client: Client, url: str, **values: Any) -> Any:
    return client.post(f"/api/v1/{url}", json.dumps(values), content_type="application/json")


def api_issue(client: Client, shop: Vendor) -> Any:
    return api_post(client, f"invoices/{only_draft(shop).public_id}/issuance")


def api_take_back(client: Client, shop: Vendor) -> Any:
    url = f"invoices/{only_draft(shop).public_id}/withdrawal"
    return api_post(client, url, reason="Why", hold=True)


def api_correct(client: Client, shop: Vendor) -> Any:
    url = f"invoices/{issued(shop).public_id}/corrections"
    return api_post(client, url, all=True, reason="Why")


def api_release(client: Client, shop: Vendor) -> Any:
    take_back(shop, shop.actor)
    return api_post(client, "accounts/ext:A/release")


def api_approve(client: Client, shop: Vendor) -> Any:
    url = f"billing-runs/{drafted(shop).public_id}"
    digest = client.get(f"/api/v1/{url}").json()["drafts_digest"]
    return api_post(client, f"{url}/approval", drafts_digest=digest)


def api_reject(client: Client, shop: Vendor) -> Any:
    url = f"billing-runs/{drafted(shop).public_id}"
    digest = client.get(f"/api/v1/{url}").json()["drafts_digest"]
    return api_post(client, f"{url}/rejection", reason="Why", drafts_digest=digest)


def api_price(client: Client, _shop: Vendor) -> Any:
    terms = {"model": "flat", "currency": "EUR", "unit_amount": "5", "interval": "month"}
    product = client.get("/api/v1/products").json()["data"][0]["id"]
    return api_post(client, "prices", product=product, **terms)


def api_version(client: Client, shop: Vendor) -> Any:
    url = f"prices/{price_of(shop.actor).public_id}/versions"
    return api_post(client, url, valid_from="2027-01-01", unit_amount="12")


def api_negotiate(client: Client, _shop: Vendor) -> Any:
    body = {"price": "ext:ten", "valid_from": "2027-01-01", "unit_amount": "8"}
    return api_post(client, "accounts/ext:A/prices", **body)


def api_end_version(client: Client, shop: Vendor) -> Any:
    version, job = make_version(shop, shop.actor, at="A")
    working.work_on_repricing(Actor.system(shop.tenant_id), job.pk, now=NOW)
    return api_post(client, f"prices/{version.public_id}/ending", ends_on="2027-03-01")


def api_meter(client: Client, _shop: Vendor) -> Any:
    return api_post(client, "meters", external_id="m", name="Calls", aggregation="sum")


def api_meter_way(do: Callable[[Client, str], Any]) -> Callable[[Client, Vendor], Any]:
    def way(client: Client, shop: Vendor) -> Any:
        api_meter(client, shop)
        return do(client, "meters/ext:m")

    return way


def api_meter_again(client: Client, shop: Vendor) -> Any:
    api_meter(client, shop)
    api_post(client, "meters/ext:m/archival")
    return api_post(client, "meters/ext:m/reopening")


def api_usage(client: Client, shop: Vendor) -> Any:
    metered(shop, shop.actor)
    return api_post(client, "usage", event_id="e1", subscription="ext:U", meter="ext:calls",
                    quantity="3", at="2026-11-05T10:00:00Z")  # fmt: skip


def api_rename_price(client: Client, shop: Vendor) -> Any:
    url = f"/api/v1/prices/{price_of(shop.actor).public_id}"
    headers = {"if-match": client.get(url).headers["ETag"]}
    body = json.dumps({"name": "Eleven"})
    return client.patch(url, body, content_type="application/json", headers=headers)


def api_rename_product(client: Client, shop: Vendor) -> Any:
    key = price_of(shop.actor).product.public_id
    return api_patch(client, f"products/{key}", name="Eleven")


def api_put(kind: str, way: str, *, is_away: bool = False) -> Callable[[Client, Vendor], Any]:
    def do(client: Client, shop: Vendor) -> Any:
        is_product = kind == "products"
        found = price_of(shop.actor)
        if is_away:
            put_away(shop, shop.actor, is_product=is_product)
        key = (found.product if is_product else found).public_id
        return api_post(client, f"{kind}/{key}/{way}")

    return do


def api_subscribe(client: Client, _shop: Vendor) -> Any:
    items = [{"price": "ext:ten"}]
    return api_post(
        client,
        "subscriptions",
        account="ext:A",
        external_id="new",
        items=items,
        start_date="2026-12-01",
    )


def api_charge(client: Client, _shop: Vendor) -> Any:
    return api_post(
        client,
        "charges",
        account="ext:A",
        description="Training",
        unit_amount="90",
        currency="EUR",
        first_day="2026-12-01",
    )


def api_cancel_charge(client: Client, shop: Vendor) -> Any:
    made = charge(shop, shop.actor)
    return api_post(client, f"charges/{made.public_id}/cancellation")


def api_end(client: Client, shop: Vendor) -> Any:
    api_subscribe(client, shop)
    return api_post(client, "subscriptions/ext:new/cancellation")


def api_bind(client: Client, shop: Vendor) -> Any:
    api_subscribe(client, shop)
    return api_post(client, "subscriptions/ext:new/contract", minimum_term_months=12)


def api_change(client: Client, shop: Vendor) -> Any:
    api_subscribe(client, shop)
    return api_post(client, "subscriptions/ext:new/changes", items=[{"quantity": "3"}])


def api_bundle(client: Client, **values: Any) -> Any:
    items = [{"price": "ext:ten", "quantity": "4", "maximum": "9"}]
    return api_post(client, "plans", name="Small", items=items, external_id="small", **values)


def api_edit_bundle(client: Client, _shop: Vendor) -> Any:
    api_bundle(client)
    return api_patch(client, "plans/ext:small", name="Large")


def api_put_bundle(way: str) -> Callable[[Client, Vendor], Any]:
    def put(client: Client, shop: Vendor) -> Any:
        made = (make_bundle if way == "archival" else archive_bundle)(shop, shop.actor)
        return api_post(client, f"plans/{made.public_id}/{way}")

    return put


def api_give_bundle(client: Client, shop: Vendor) -> Any:
    api_subscribe(client, shop)
    make_bundle(shop, shop.actor)
    with shop.seen():
        key = Plan.objects.get().public_id
    return api_post(client, "subscriptions/ext:new/plan", plan=key)


def api_coupon(client: Client, code: str = "SPRING") -> Any:
    return api_post(client, "coupons", code=code, name="Spring", percent="10", duration="forever")


def api_rename_coupon(client: Client, _shop: Vendor) -> Any:
    key = api_coupon(client).json()["id"]
    return api_patch(client, f"coupons/{key}", name="Summer")


def api_put_coupon(way: str) -> Callable[[Client, Vendor], Any]:
    def do(client: Client, shop: Vendor) -> Any:
        made = make_coupon(shop.actor) if way == "archival" else archive_coupon(shop, shop.actor)
        return api_post(client, f"coupons/{made.public_id}/{way}")

    return do


def api_discount(client: Client, shop: Vendor) -> Any:
    make_coupon(shop.actor)
    api_subscribe(client, shop)
    return api_post(client, "subscriptions/ext:new/discounts", coupon="spring")


def api_discount_below(client: Client, _shop: Vendor) -> Any:
    return api_post(
        client, "accounts/ext:A/discounts", name="Goodwill", percent="10", reason="An outage"
    )


def api_pool(client: Client, shop: Vendor) -> Any:
    metered(shop, shop.actor)
    return api_post(client, "accounts/ext:A/pools", price="ext:used", starts=DAY.isoformat())


def api_end_pool(client: Client, shop: Vendor) -> Any:
    return api_post(client, f"pools/{pool(shop, shop.actor).public_id}/ending")


def api_end_discount(client: Client, shop: Vendor) -> Any:
    redeem(shop, shop.actor)
    with shop.seen():
        key = Discount.objects.get().public_id
    return api_post(client, f"discounts/{key}/ending", effective=DAY.isoformat())


def api_pause(client: Client, shop: Vendor) -> Any:
    api_subscribe(client, shop)
    return api_post(client, "subscriptions/ext:new/pause")


def api_resume(client: Client, shop: Vendor) -> Any:
    api_pause(client, shop)
    return api_post(client, "subscriptions/ext:new/resumption", effective="2026-12-15")


def api_go_on(client: Client, shop: Vendor) -> Any:
    api_end(client, shop)
    return client.post("/api/v1/subscriptions/ext:new/reactivation")


def api_readdress(client: Client, shop: Vendor) -> Any:
    api_subscribe(client, shop)
    return api_patch(client, "subscriptions/ext:new", bill_to="ext:A")


def api_patch(client: Client, url: str, **values: Any) -> Any:
    return client.patch(f"/api/v1/{url}", json.dumps(values), content_type="application/json")


def api_archive(client: Client, shop: Vendor) -> Any:
    return api_post(client, f"accounts/{make(shop, shop.actor).public_id}/archival")


def api_reopen(client: Client, shop: Vendor) -> Any:
    return api_post(client, f"accounts/{archive(shop, shop.actor).public_id}/reopening")


def api_rename_contact(client: Client, shop: Vendor) -> Any:
    return api_patch(client, f"contacts/{meet(shop, shop.actor).public_id}", name="Kai")


def api_grant(client: Client, shop: Vendor) -> Any:
    contact = meet(shop, shop.actor).public_id
    return api_post(client, "grants", contact=contact, account="ext:A", role="viewer")


def api_end_grant(client: Client, shop: Vendor) -> Any:
    return api_post(client, f"grants/{grant(shop, shop.actor).public_id}/ending")


def api_set(client: Client, _shop: Vendor) -> Any:
    body = json.dumps({"billing_day": 15})
    url = "/api/v1/accounts/ext:A/settings"
    return client.patch(url, body, content_type="application/json")


def api_recall(client: Client, shop: Vendor) -> Any:
    plan_day(shop, shop.actor)
    values = {"setting": "billing_day", "effective_date": LATER.isoformat()}
    return api_post(client, "accounts/ext:A/settings/recall", **values)


SET = "account.settings_changed"


def api_move(client: Client, shop: Vendor) -> Any:
    shop.has("accounts", account("P"))
    return api_post(client, "accounts/ext:A/moves", parent="ext:P")


def api_merge(client: Client, shop: Vendor) -> Any:
    shop.has("accounts", account("P"))
    return api_post(client, "accounts/ext:A/merge", into="ext:P")


def api_align(client: Client, _shop: Vendor) -> Any:
    return api_post(client, "alignments", account="ext:A", billing_day=15)


def api_plan(client: Client, _shop: Vendor) -> Any:
    values = {"kind": "consolidation", "account": "ext:A", "consolidation": "per_account"}
    return api_post(client, "change-plans", **values)


def api_step(
    make: Callable[[Vendor, Actor], ChangePlan], step: str, **values: Any
) -> Callable[[Client, Vendor], Any]:
    def do(client: Client, shop: Vendor) -> Any:
        plan = make(shop, shop.staff("Paula", "owner"))
        return api_post(client, f"change-plans/{plan.public_id}/{step}", **values)

    return do


def waiting(shop: Vendor, actor: Actor) -> ChangePlan:
    return submitted(shop, actor, ask_approval=True)


_SUBSCRIPTION = "POST api/v1/subscriptions/<reference:subscription>"
PLAN = "POST api/v1/change-plans/<str:plan>"


def api_default(client: Client, _shop: Vendor) -> Any:
    tag = client.get("/api/v1/tenant").headers["ETag"]
    body = json.dumps({"settings": {"payment_terms_days": 21}})
    headers = {"if-match": tag}
    return client.patch("/api/v1/tenant", body, content_type="application/json", headers=headers)


ENDPOINTS: dict[str, Change] = {
    "PATCH api/v1/tenant": Change(api_default, DEFAULTS),
    "POST api/v1/products": Change(
        lambda client, _shop: api_post(client, "products", name="New"), "product.created"
    ),
    "PATCH api/v1/products/<reference:product>": Change(api_rename_product, "product.updated"),
    "POST api/v1/products/<reference:product>/archival": Change(
        api_put("products", "archival"), "product.archived"
    ),
    "POST api/v1/products/<reference:product>/reopening": Change(
        api_put("products", "reopening", is_away=True), "product.reopened"
    ),
    "PATCH api/v1/prices/<reference:price>": Change(api_rename_price, "price.updated"),
    "POST api/v1/prices/<reference:price>/archival": Change(
        api_put("prices", "archival"), "price.archived"
    ),
    "POST api/v1/prices/<reference:price>/reopening": Change(
        api_put("prices", "reopening", is_away=True), "price.reopened"
    ),
    "POST api/v1/prices/<reference:price>/versions": Change(api_version, "price.version_created"),
    "POST api/v1/prices/<reference:price>/ending": Change(api_end_version, "price.version_ended"),
    "POST api/v1/accounts/<reference:account>/prices": Change(
        api_negotiate, "price.version_created"
    ),
    "POST api/v1/prices": Change(api_price, "price.created"),
    "POST api/v1/plans": Change(lambda client, _shop: api_bundle(client), "bundle.created"),
    "PATCH api/v1/plans/<reference:bundle>": Change(api_edit_bundle, "bundle.updated"),
    "POST api/v1/plans/<reference:bundle>/archival": Change(
        api_put_bundle("archival"), "bundle.archived"
    ),
    "POST api/v1/plans/<reference:bundle>/reopening": Change(
        api_put_bundle("reopening"), "bundle.reopened"
    ),
    f"{_SUBSCRIPTION}/plan": Change(api_give_bundle, "subscription.plan_changed"),
    "POST api/v1/coupons": Change(lambda client, _shop: api_coupon(client), "coupon.created"),
    "PATCH api/v1/coupons/<str:coupon>": Change(api_rename_coupon, "coupon.updated"),
    "POST api/v1/coupons/<str:coupon>/archival": Change(
        api_put_coupon("archival"), "coupon.archived"
    ),
    "POST api/v1/coupons/<str:coupon>/reopening": Change(
        api_put_coupon("reopening"), "coupon.reopened"
    ),
    f"{_SUBSCRIPTION}/discounts": Change(api_discount, "subscription.discounted"),
    "POST api/v1/accounts/<reference:account>/pools": Change(api_pool, "account.pool_begun"),
    "POST api/v1/pools/<str:pool>/ending": Change(api_end_pool, "account.pool_ended"),
    "POST api/v1/discounts/<str:discount>/ending": Change(
        api_end_discount, "subscription.discount_ended"
    ),
    "POST api/v1/charges": Change(api_charge, "charge.added"),
    "POST api/v1/charges/<str:charge>/cancellation": Change(api_cancel_charge, "charge.cancelled"),
    "POST api/v1/meters": Change(api_meter, "meter.created"),
    "PATCH api/v1/meters/<reference:meter>": Change(
        api_meter_way(lambda c, key: api_patch(c, key, name="Requests")), "meter.updated"
    ),
    "POST api/v1/meters/<reference:meter>/archival": Change(
        api_meter_way(lambda c, key: api_post(c, f"{key}/archival")), "meter.archived"
    ),
    "POST api/v1/meters/<reference:meter>/reopening": Change(api_meter_again, "meter.reopened"),
    "POST api/v1/usage": Change(api_usage, "usage.reported"),
    "POST api/v1/accounts/<reference:account>/discounts": Change(
        api_discount_below, "account.discounted"
    ),
    "POST api/v1/subscriptions": Change(api_subscribe, "subscription.created"),
    "PATCH api/v1/subscriptions/<reference:subscription>": Change(
        api_readdress, "subscription.readdressed"
    ),
    f"{_SUBSCRIPTION}/changes": Change(api_change, "subscription.changed"),
    f"{_SUBSCRIPTION}/contract": Change(api_bind, "subscription.contract_changed"),
    f"{_SUBSCRIPTION}/cancellation": Change(api_end, "subscription.cancelled"),
    f"{_SUBSCRIPTION}/pause": Change(api_pause, "subscription.paused"),
    f"{_SUBSCRIPTION}/resumption": Change(api_resume, "subscription.resumed"),
    f"{_SUBSCRIPTION}/reactivation": Change(api_go_on, "subscription.reactivated"),
    "PATCH api/v1/accounts/<reference:account>/settings": Change(api_set, SET),
    "POST api/v1/accounts/<reference:account>/settings/recall": Change(api_recall, SET),
    "POST api/v1/accounts/<reference:account>/moves": Change(api_move, "plan.created"),
    "POST api/v1/accounts/<reference:account>/merge": Change(api_merge, "account.merged"),
    "POST api/v1/alignments": Change(api_align, "plan.created"),
    "POST api/v1/change-plans": Change(api_plan, "plan.created"),
    f"{PLAN}/submission": Change(api_step(planned, "submission"), "plan.scheduled"),
    f"{PLAN}/approval": Change(api_step(waiting, "approval"), "plan.approved"),
    f"{PLAN}/acceptance": Change(
        api_step(handed_over, "acceptance", decision="accept", reason="Why"), "plan.accepted"
    ),
    f"{PLAN}/withdrawal": Change(api_step(planned, "withdrawal"), "plan.withdrawn"),
    f"{PLAN}/interruption": Change(api_step(aligning_large, "interruption"), "job.stopped"),
    f"{PLAN}/resumption": Change(api_step(aligning_stopped, "resumption"), "job.requested"),
    f"{PLAN}/reversal": Change(api_step(submitted, "reversal"), "plan.created"),
    f"{PLAN}/comments": Change(api_step(planned, "comments", text="Why?"), "plan.commented"),
    "POST api/v1/accounts": Change(
        lambda c, _s: api_post(c, "accounts", name="Z", kind="company"), "account.created"
    ),
    "PATCH api/v1/accounts/<reference:account>": Change(
        lambda c, _s: api_patch(c, "accounts/ext:A", name="Anna"), "account.updated"
    ),
    "POST api/v1/accounts/<reference:account>/archival": Change(api_archive, "account.archived"),
    "POST api/v1/accounts/<reference:account>/reopening": Change(api_reopen, "account.reopened"),
    "POST api/v1/contacts": Change(
        lambda c, _s: api_post(c, "contacts", account="ext:A", name="Kim", email="kim@kim.example"),
        "contact.created",
    ),
    "PATCH api/v1/contacts/<reference:contact>": Change(api_rename_contact, "contact.updated"),
    "POST api/v1/grants": Change(api_grant, "grant.created"),
    "POST api/v1/grants/<str:grant>/ending": Change(api_end_grant, "grant.ended"),
    "POST api/v1/invoices/<str:invoice>/issuance": Change(api_issue, "invoice.issued"),
    "POST api/v1/invoices/<str:invoice>/withdrawal": Change(api_take_back, "invoice.held_back"),
    "POST api/v1/invoices/<str:invoice>/corrections": Change(api_correct, "credit_note.issued"),
    "POST api/v1/accounts/<reference:account>/release": Change(api_release, "charges.released"),
    "POST api/v1/billing-runs/<str:run>/approval": Change(api_approve, "run.approved"),
    "POST api/v1/billing-runs/<str:run>/rejection": Change(api_reject, "run.rejected"),
    "POST api/v1/billing-runs": Change(api_run, "run.requested"),
    "POST api/v1/test-clock": Change(api_clock, "job.requested"),
    "POST api/v1/invoices/<str:invoice>/pdf": Change(api_retry, RETRIED),
}


def test_every_endpoint_that_changes_something_has_an_entry_here():
    assert endpoints().keys() - ENDPOINTS.keys() == set(), (
        "say in ENDPOINTS of this file how it is called and which event that writes"
    )
    assert "POST api/v1/billing-runs" in endpoints()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_names_the_key(shop: Vendor, name: str):
    client = Client(headers={"authorization": f"Bearer {shop.api_key}"})
    before, change = written(shop), ENDPOINTS[name]
    answer = change.do(client, shop)

    assert answer.status_code < 300, answer.content
    found = {(action, kind) for action, kind, _label in names_after(shop, before)}
    assert (change.action, "key") in found
