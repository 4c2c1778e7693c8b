"""The data behind the registry of pages, and the people who look at them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import Contact, Person
from accounts.operations.accounts.editing_jobs import request_edit, work_on_edit
from accounts.operations.accounts.editing_many import WantedOfMany
from accounts.operations.bank_accounts import set_bank_account
from invoicing.models import ChangePlan, Charge, Invoice, InvoiceLine
from invoicing.operations.account_discounts.giving import discount_account
from invoicing.operations.account_discounts.working import work_on_discount
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.wanting import NewCharge
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.pools.beginning import NewPool, begin_pool
from invoicing.operations.prices.beginning import begin_version
from invoicing.operations.subscriptions.discounting import discount_subscription
from invoicing.queries.plans.wanted import Wanted
from reports.declarations import Kind
from reports.models import CalendarFeed
from reports.operations.feeds import NewFeed, create_feed
from reports.operations.forecasts import refresh_calendar
from subscriptions.models import Discount, Meter, Plan, Price, UsagePool
from subscriptions.operations.catalogue import NewVersion
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.discounts.checking import NewCoupon, WantedDiscount
from subscriptions.operations.discounts.coupons import create_coupon
from subscriptions.operations.plans import keeping
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.subscriptions.contracting import Contract
from tenancy.actor import Actor
from tenancy.ids import public_id
from tenancy.models import Job, Tenant
from tests.world import NOW, TODAY, Vendor, account, make_vendor, price, subscription


@dataclass
class Stage:
    """What pages of the registry show, and who can look at it."""

    vendor: Vendor
    invoice: Invoice
    line: InvoiceLine
    people: dict[str, UUID]
    waiting_run_id: UUID
    price_id: UUID
    product_id: UUID
    meter: Meter
    plan: ChangePlan
    contact_id: UUID
    request: ChangePlan
    edit: Job
    version: Price
    repricing: Job
    feed: CalendarFeed
    bundle: Plan
    discount: Discount
    charge: Charge
    given: Discount
    pool: UsagePool
    _cookies: dict[str, str] = field(default_factory=dict)

    def path(self, template: str) -> str:
        """Return the path of a page of the registry."""
        return template.format(
            invoice=self.invoice.public_id,
            line=self.line.public_id,
            account=public_id("acc", self.invoice.bill_to_id),
            account_key=self.invoice.bill_to_id,
            invoice_key=self.invoice.pk,
            run=public_id("run", self.invoice.run_id),
            waiting_run=public_id("run", self.waiting_run_id),
            seller=public_id("sel", self.invoice.seller_id),
            subscription=public_id("sub", self.line.subscription_id),
            item=public_id("itm", self.line.charge.item_id),
            price=public_id("prc", self.price_id),
            product=public_id("prd", self.product_id),
            meter=self.meter.public_id,
            firm=public_id("acc", self.vendor.id_of("firm")),
            branch=public_id("acc", self.vendor.id_of("branch")),
            empty=public_id("acc", self.vendor.id_of("empty")),
            contact=public_id("con", self.contact_id),
            plan=self.plan.public_id,
            request=self.request.public_id,
            edit=self.edit.public_id,
            version=self.version.public_id,
            repricing=self.repricing.public_id,
            feed=self.feed.public_id,
            coupon=public_id("cpn", self.discount.coupon_id),
            bundle=self.bundle.public_id,
            discount=self.discount.public_id,
            charge=self.charge.public_id,
            given=self.given.public_id,
            pool=self.pool.public_id,
        )

    def session_of(self, who: str) -> str:
        """Return the key of a session of somebody, made on first use."""
        if who not in self._cookies:
            person = Person.objects.get(pk=self.people[who])
            session: Any = SessionStore()
            session[SESSION_KEY] = str(person.pk)
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = person.get_session_auth_hash()
            if who == "operator":
                session["operator_tenant"] = str(self.vendor.tenant_id)
                session["operator_tenant_name"] = "Acme"
                until = datetime.now(UTC) + timedelta(minutes=30)
                session["operator_until"] = until.timestamp()
            session.save()
            self._cookies[who] = str(session.session_key)
        return self._cookies[who]


def set_stage() -> Stage:
    """Make a vendor with one consolidated invoice and a run to approve, and one without any."""
    vendor, newcomer = make_vendor(), make_vendor("newcomer")
    _bill(vendor)
    with vendor.seen():
        invoice = Invoice.objects.get(bill_to_id=vendor.id_of("group"))
        line = (
            InvoiceLine.objects.select_related("charge")
            .filter(invoice=invoice)
            .order_by("position")[0]
        )
    actors = {
        "staff": vendor.staff("Alice", "finance_admin"),
        "customer": vendor.customer("Bob", "viewer", "group"),
        "department": vendor.customer("Dora", "viewer", "branch"),
        "payer": vendor.customer("Rita", "finance", "firm"),
        "newcomer": newcomer.staff("Nora", "owner"),
        "owner": vendor.staff("Olga", "owner"),
    }
    people = {who: UUID(str(actor.person_id)) for who, actor in actors.items()}
    operator = Person.objects.create(
        email="ops@platform.example", name="Otto Operator", is_operator=True
    )
    set_bank_account(vendor.actor, invoice.seller_id, "USD", iban="DE89370400440532013000", now=NOW)
    waiting = vendor.run("2027-01-01", issue=False)
    with vendor.seen():
        seats, meter = Price.objects.get(external_id="seats"), Meter.objects.get()
        contact_id = Contact.objects.get(account_id=vendor.id_of("branch")).pk
    plan = _plan(vendor, actors["staff"])
    everybody = {**people, "operator": operator.pk}
    asked = _request(vendor, actors["staff"])
    edit = _edit(vendor, actors["staff"])
    discount, charge = _redeemed(vendor.actor, line.subscription_id), _charge(vendor)
    given, pool = _given(vendor), _pool(vendor)
    negotiated = _negotiated(vendor)
    bundle = _bundle(vendor.actor, seats)
    _keep_calendar(vendor)
    return Stage(
        vendor,
        invoice,
        line,
        everybody,
        waiting.run.pk,
        seats.pk,
        seats.product_id,
        meter,
        plan,
        contact_id,
        asked,
        edit,
        *negotiated,
        _feed(actors["staff"]),
        bundle,
        discount,
        charge,
        given,
        pool,
    )


def _bundle(actor: Actor, seats: Price) -> Plan:
    """Sell seats as a plan, with a term and a trial."""
    items = [NewPlanItem(seats.pk, Decimal(5), minimum=Decimal(2), maximum=Decimal(50))]
    terms = Contract(12, 12, notice_months=3)
    wanted = NewPlan("Seats and more", items, external_id="P-1", trial_days=14, contract=terms)
    return keeping.create_plan(actor, wanted, now=NOW)


def _redeemed(actor: Actor, subscription_id: UUID) -> Discount:
    """Redeem a coupon for a subscription from a day on that no invoice has reached."""
    wanted = NewCoupon("SPRING", "Spring offer", percent=Decimal(10), max_redemptions=100)
    create_coupon(actor, wanted, today=TODAY, now=NOW)
    return discount_subscription(
        actor,
        subscription_id,
        WantedDiscount(coupon="spring"),
        day=date(2027, 3, 1),
        today=TODAY,
        now=NOW,
    ).discount


def _charge(vendor: Vendor) -> Charge:
    """Charge a branch once for what the next run invoices."""
    wanted = NewCharge(
        date(2027, 1, 20), description="Training", unit_amount=Decimal(400), currency="EUR"
    )
    return add_charge(vendor.actor, vendor.id_of("branch"), wanted, today=TODAY, now=NOW).charge


def _given(vendor: Vendor) -> Discount:
    """Give the group, and all below it, a discount from a day on that no invoice has reached."""
    wanted = WantedDiscount(name="Goodwill", percent=Decimal(5), reason="A long outage")
    result = discount_account(
        vendor.actor,
        vendor.id_of("group"),
        wanted,
        day=date(2027, 6, 1),
        today=TODAY,
        now=NOW,
    )
    assert result.job is not None
    assert not work_on_discount(vendor.actor, result.job.pk, now=NOW)
    return result.discount


def _pool(vendor: Vendor) -> UsagePool:
    """Let the group, and all below it, be charged together for what is used from a day on."""
    with vendor.seen():
        price = Price.objects.get(meter__isnull=False)
    wanted = NewPool(price.pk, date(2027, 6, 1))
    key = vendor.id_of("group")
    return begin_pool(vendor.actor, key, wanted, today=TODAY, now=NOW).pool


def _negotiated(vendor: Vendor) -> tuple[Price, Job]:
    """Negotiate a price with an account that has nothing yet."""
    with vendor.seen():
        key = Price.objects.get(external_id="platform").pk
    wanted = NewVersion(date(2027, 2, 1), {"unit_amount": Decimal(80)}, vendor.id_of("empty"))
    return begin_version(vendor.actor, key, wanted, today=TODAY, now=NOW)


def _feed(actor: Actor) -> CalendarFeed:
    """Give somebody a secret address of their calendar."""
    wanted = NewFeed(None, [Kind.INVOICE, Kind.DUE], shows_amounts=True, language="de")
    return create_feed(actor, wanted, now=NOW)[0]


def _keep_calendar(vendor: Vendor) -> None:
    """Make the calendar, as whoever looked at it first had it made."""
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
    refresh_calendar(vendor.actor, None, tenant=tenant, today=TODAY, now=NOW)


def _plan(vendor: Vendor, actor: Actor) -> ChangePlan:
    """Plan that the branch becomes a customer of its own."""
    wanted = Wanted("move", vendor.id_of("branch"), date(2027, 2, 1))
    return create_plan(actor, wanted, today=TODAY, now=NOW)


def _edit(vendor: Vendor, actor: Actor) -> Job:
    """Look at what another cost centre of some accounts would do, as a job does."""
    keys = ("group", "firm", "empty")
    wanted = WantedOfMany(TODAY, settings={"cost_centre": "K-900"})
    ids = [vendor.id_of(key) for key in keys]
    job = request_edit(actor, ids, wanted, today=TODAY, now=NOW)
    assert not work_on_edit(vendor.actor, job.pk, now=NOW)
    return job


def _request(vendor: Vendor, actor: Actor) -> ChangePlan:
    """Ask a firm to pay for another customer, which it has not answered yet."""
    firm = vendor.id_of("firm")
    wanted = Wanted("payer", vendor.id_of("empty"), date(2027, 2, 1), target_id=firm)
    plan = create_plan(actor, wanted, today=TODAY, now=NOW)
    return submit_plan(actor, plan.pk, today=TODAY, now=NOW)


def _used() -> Iterator[dict[str, object]]:
    for day in range(10, 24):
        for hour in (9, 15):
            yield {
                "event_id": f"u{day}-{hour}",
                "subscription_external_id": "calls-1",
                "meter": "calls",
                "quantity": day * day % 37 * 113 + hour,
                "at": f"2026-11-{day}T{hour:02}:30:00Z",
            }


def _bill(vendor: Vendor) -> None:
    long_name = "Gemeinnützige Gesellschaft für Qualitätssicherungsdienstleistungen mbH & Co. KG"
    vendor.has(
        "accounts",
        account("group", name="Gruppe Nord", cost_centre="HQ-1000", billing_day=1),
        account("branch", "group", name=long_name, po_number="4500-7711", cost_centre="K-200"),
        account("firm", name="Firma Allein"),
        account("empty", name="Ohne Vertrag"),
    )
    vendor.has(
        "prices",
        price("platform", "100.00", tax_rate=19),
        price("seats", "", model="graduated", tiers="10:9:0|inf:7.5:0", tax_rate=19),
    )
    create_meter(vendor.actor, NewMeter("calls", "API-Aufrufe", "sum", "Aufrufe"), now=NOW)
    vendor.has(
        "prices",
        price("calls", "0.02", model="per_unit", timing="arrears", meter="calls", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("s1", "group", "platform", "2026-11-01"),
        subscription("s2", "branch", "seats", "2026-11-15", quantity=24),
        subscription("s3", "firm", "platform", "2026-11-01"),
        subscription("calls-1", "firm", "calls", "2026-11-10"),
    )
    vendor.has("usage", *_used())
    vendor.run("2026-12-01")
