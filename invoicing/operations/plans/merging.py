"""Merging a duplicate into another account: one act, which a plan carries out on its day."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.operations.merging import absorb
from accounts.operations.moving import place_account, place_children_beside
from invoicing.models import ChangePlan, Charge, InvoiceLine
from invoicing.operations.plans.locking import WorldChanged
from invoicing.operations.runs.discarding import discard_drafts
from invoicing.queries.plans.documents import drafts_with
from invoicing.queries.plans.merging import redirected, require_mergeable
from invoicing.queries.plans.standing import Standing
from subscriptions.operations.subscriptions.handing_over import hand_over
from tenancy.actor import Actor


def require_unchanged(standing: Standing) -> None:
    """Return if a merge is as it was previewed; of other plans this says nothing.

    Raises:
        WorldChanged: something else points to the duplicate.
        CannotMerge: see its text.
    """
    wanted = standing.wanted
    if wanted.kind != ChangePlan.Kind.MERGE:
        return
    fresh = redirected(standing.actor, wanted)
    if (fresh.settings, fresh.overrides) != (wanted.settings, wanted.overrides):
        raise WorldChanged(parts=["settings"])
    require_mergeable(standing)


def place_merged(actor: Actor, standing: Standing) -> None:
    """Put a duplicate below the account that is kept, and beside it what stood below it.

    One after another, hundreds would write the rows of a tree as often.
    """
    wanted = standing.wanted
    if standing.parents[wanted.account_id] != wanted.target_id:
        place_account(actor, wanted.account_id, wanted.target_id, day=wanted.day)
    place_children_beside(actor, wanted.account_id, day=wanted.day)


def merge(actor: Actor, standing: Standing, *, now: datetime) -> dict[str, Any]:
    """Bring all that a duplicate has to the account that is kept, and archive it.

    The caller has asked for the right, locked the trees and moved what stood below it.

    Returns:
        How much came along.

    Source: docs/billing-rules.md, Merging duplicates.
    """
    wanted = standing.wanted
    duplicate = standing.accounts[wanted.account_id]
    kept = standing.accounts[wanted.target_id or wanted.account_id]
    charges = _charges(actor, standing, kept, now=now)
    sold = hand_over(actor, duplicate.pk, kept.pk, day=wanted.day, now=now)
    found = absorb(actor, duplicate, kept, day=wanted.day, now=now)
    # What was signed with the duplicate was signed with the kept account (R1).
    accounts = Account.objects.filter(tenant_id=actor.tenant_id, contract_party=duplicate)
    accounts.filter(pk__in=standing.scope).exclude(pk=duplicate.pk).update(contract_party=kept)
    return {
        "charges": charges,
        "subscriptions": len(sold),
        "contacts": len(found.contacts),
        "roles": len(found.roles),
    }


def _charges(actor: Actor, standing: Standing, kept: Account, *, now: datetime) -> int:
    """Give what is charged for the day and later to the kept account; drafts of it are made anew.

    What is charged for earlier days stays with the duplicate, and so do its drafts.
    """
    day, duplicate_id = standing.wanted.day, standing.wanted.account_id
    charges = Charge.objects.filter(
        tenant_id=actor.tenant_id,
        account_id=duplicate_id,
        status=Charge.Status.PENDING,
        invoice_on__gte=day,
    )
    lines = InvoiceLine.objects.filter(
        tenant_id=actor.tenant_id, charge_id__in=charges.order_by().values("pk")
    )
    drafts = drafts_with(standing, only=[duplicate_id]).filter(
        pk__in=lines.order_by().values("invoice_id")
    )
    ids = list(drafts.order_by("id").values_list("id", flat=True))
    if ids:
        reason = str(_("%(account)s is merged into %(into)s and takes its charges along.")) % {
            "account": standing.accounts[duplicate_id].name,
            "into": kept.name,
        }
        discard_drafts(actor, ids, reason=reason, hold=False, today=day, now=now)
    # A credit that names the duplicate is the kept account's.
    credits_of = Charge.objects.filter(tenant_id=actor.tenant_id, bill_to_id=duplicate_id)
    credits_of.filter(status=Charge.Status.PENDING, invoice_on__gte=day).update(bill_to=kept)
    return charges.update(account=kept)
