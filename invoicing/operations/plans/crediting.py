"""Crediting what was charged for days on which another is invoiced, with a plan on its day."""

from collections import defaultdict
from datetime import date, datetime
from uuid import UUID

from accounts import tree
from invoicing.engine.crediting import MadeOver, made_over
from invoicing.engine.reading_charges import billed_since
from invoicing.engine.reading_families import read_families
from invoicing.models import Charge
from invoicing.operations.subscriptions.settling import pending, store_charges
from invoicing.queries.joined import joined_with
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import world_of
from tenancy.actor import Actor
from tenancy.queries.tenants import own_tenant


def made_over_by(actor: Actor, standing: Standing, *, today: date) -> MadeOver:
    """Return what a plan credits and charges; the engine of its preview says it.

    At most fifteen statements, none where it credits nothing. The caller has locked the trees, and
    nothing of the plan is done but what it does to drafts.

    Args:
        actor: who carries it out.
        standing: the accounts concerned.
        today: nothing falls due before.

    Source: docs/billing-rules.md, Change plans.
    """
    what_if = world_of(standing.wanted, standing.moves, scope=standing.scope)
    if what_if.crediting is None:
        return MadeOver()
    billed = billed_since(actor, what_if.crediting)
    parties = {key for one in billed if one.parties is not None for key in one.parties}
    asked = {standing.wanted.account_id, *what_if.standing(), *parties}
    trees = tree.families(actor.tenant_id, {*asked, *joined_with(actor, asked)})
    payers = {*what_if.paying()}
    families = read_families(actor, trees, None, tenant=own_tenant(actor), also=payers)
    changed = families.as_if(what_if, standing.wanted.day)
    return made_over(families, changed, what_if, billed, today=today)


def store_made_over(actor: Actor, made: MadeOver, *, now: datetime) -> None:
    """Store credits and charges; each waits for the run of its day.

    One statement, and one for each who keeps credits that wait already.
    """
    rows = [row for one in made.transfers for row in (one.credit, one.charge)]
    if rows:
        store_charges(actor, [pending(row) for row in rows], now)
    kept: dict[tuple[UUID | None, UUID | None], list[UUID]] = defaultdict(list)
    for credit in made.kept:
        kept[credit.bill_to_id, credit.payer_id].append(credit.id)
    for (bill_to_id, payer_id), ids in kept.items():
        Charge.objects.filter(
            tenant_id=actor.tenant_id, pk__in=ids, status=Charge.Status.PENDING
        ).update(bill_to_id=bill_to_id, payer_id=payer_id)
