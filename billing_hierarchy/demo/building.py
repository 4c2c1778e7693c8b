"""Making a demo tenant, or completing one that was interrupted.

While the clock stands at the opening, customers and people are brought in; each step may be
repeated. Then the clock moves day by day, and at last drafts are made. So where the clock stands
says what is left to do, and nothing that was changed since is touched.
"""

from contextlib import suppress
from datetime import UTC, datetime

from accounts.models import Contact, Seller
from accounts.operations.people import add_staff, give_login
from accounts.operations.sellers import update_seller
from accounts.operations.tenants import SlugTaken, create_tenant
from billing_hierarchy.demo.plans import Plan
from invoicing.operations.clock import advance_clock
from invoicing.operations.runs import run_billing
from invoicing.queries.runs import runs
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.database.lookup import find_tenant_id
from tenancy.files.kinds import import_kinds
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Tenant

LABEL = "demo"
"""Who made it, in the audit trail."""


def is_complete(plan: Plan) -> bool:
    """Return whether nothing is left to be made."""
    tenant = _find(plan)
    if tenant is None:
        return False
    if not _is_demo(tenant):
        return True
    today = today_of(tenant)
    return today > plan.clock or (today == plan.clock and not _lacks_drafts(plan, _demo(tenant)))


def complete_tenant(plan: Plan, *, password: str) -> Tenant:
    """Make what is missing of a demo tenant.

    Args:
        plan: what it should be.
        password: of the logins that are made.

    Raises:
        SlugTaken: somebody else has made a tenant of this short name.
    """
    tenant = _find(plan) or _create(plan)
    if not _is_demo(tenant):
        raise SlugTaken(slug=plan.slug)
    if is_complete(plan):
        return tenant
    actor = _demo(tenant)
    if today_of(tenant) <= plan.opening:
        _fill_in_seller(plan, actor)
        _bring_in_customers(plan, actor)
        _let_people_in(plan, actor, password)
    if today_of(tenant) < plan.clock:
        advance_clock(actor, to_date=plan.clock, now=_now())
    if plan.drafts is not None and _lacks_drafts(plan, actor):
        run_billing(actor, run_date=plan.drafts, today=plan.clock, now=_now())
    with scope(tenant.id):
        tenant.refresh_from_db()
    return tenant


def _find(plan: Plan) -> Tenant | None:
    tenant_id = find_tenant_id(plan.slug)
    if tenant_id is None:
        return None
    with scope(tenant_id):
        return Tenant.objects.get(pk=tenant_id)


def _is_demo(tenant: Tenant) -> bool:
    """Return whether the demo made it: somebody may have taken the short name before."""
    made_here = AuditEntry.objects.filter(
        tenant_id=tenant.id, action="tenant.created", actor_label=LABEL
    )
    with scope(tenant.id):
        return tenant.is_sandbox and made_here.exists()


def _lacks_drafts(plan: Plan, actor: Actor) -> bool:
    if plan.drafts is None:
        return False
    with scope(actor.tenant_id):
        return not runs(actor).filter(date=plan.drafts, finished_at__isnull=False).exists()


def _create(plan: Plan) -> Tenant:
    with suppress(SlugTaken):  # by another process that makes the demo at the same time
        create_tenant(
            Actor.system(uuid7(), origin="command", label=LABEL),
            plan.name,
            slug=plan.slug,
            country="DE",
            currency="EUR",
            is_sandbox=True,
            clock=plan.opening,
            now=_now(),
        )
    tenant = _find(plan)
    assert tenant is not None  # noqa: S101 - it was there or has just been made
    return tenant


def _fill_in_seller(plan: Plan, actor: Actor) -> None:
    with scope(actor.tenant_id):
        sellers = list(Seller.objects.filter(tenant_id=actor.tenant_id, is_placeholder=True))
    for seller in sellers:
        update_seller(actor, seller.id, now=_now(), **plan.seller)


def _bring_in_customers(plan: Plan, actor: Actor) -> None:
    now = _now()
    for name, kind in import_kinds().items():
        if content := plan.file(name):
            report = kind.run(actor, content, is_dry_run=False, today=plan.opening, now=now)
            if report.errors:
                raise ValueError(f"{plan.slug}/{name}.csv: {report.errors[0]}")


def _let_people_in(plan: Plan, actor: Actor, password: str) -> None:
    with scope(actor.tenant_id):
        contacts = dict(
            Contact.objects.filter(tenant_id=actor.tenant_id).values_list("external_id", "id")
        )
    for login in plan.logins:
        if login.contact:
            give_login(
                actor,
                contacts[login.contact],
                password=password,
                now=_now(),
                joins_login=True,
            )
        else:
            add_staff(
                actor,
                login.email,
                login.name,
                login.role,
                password=password,
                language="de",
                now=_now(),
                joins_login=True,
            )


def _demo(tenant: Tenant) -> Actor:
    return Actor.system(tenant.id, origin="command", label=LABEL)


def _now() -> datetime:
    return datetime.now(UTC)
