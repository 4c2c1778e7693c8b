"""When a subscription is invoiced next, and for how much: by the runs' own rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.engine.foreseeing import ForeseenDays
from invoicing.engine.what_if import AS_STORED
from invoicing.queries.foreseeing import TreesTooLarge, seen_families, stored_of
from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.models import Tenant

MOST_ACCOUNTS: Final = 500
"""Trees beyond are not computed while somebody waits for a page."""
_MOST_CHARGES: Final = 5_000
_FARTHEST: Final = timedelta(days=1_100)


@dataclass(frozen=True, slots=True)
class NextInvoice:
    """What a subscription contributes to an invoice to come.

    Attributes:
        day: the date of the run that makes it.
        bill_to: to whom it is addressed.
        lines: how many of its lines are the subscription's.
        net_minor: their sum, in minor units of ``currency``; less than 0 where more is credited.
        currency: of the document.
    """

    day: date
    bill_to: Account
    lines: int
    net_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class NextInvoices:
    """The next invoices of a subscription; ``is_too_large`` says that the tree was not computed."""

    invoices: Sequence[NextInvoice] = ()
    is_too_large: bool = False


def next_invoices(
    actor: Actor, subscription: Subscription, *, most: int, tenant: Tenant
) -> NextInvoices:
    """Return the next invoices on which a subscription has lines, the first one first.

    Credits and charges that wait are on them, and so is what stands on drafts. The whole tree is
    computed, run by run, for at most three years and 5,000 charges. At most sixteen statements.

    Args:
        actor: who asks.
        subscription: which, as the actor has read it.
        most: how many.
        tenant: the actor's.

    Raises:
        NotFound: the subscription is out of the actor's sight.
        Forbidden, NotFound: the actor may not see the invoices of its whole tree.

    Source: docs/billing-rules.md, R3 to R5, R9 to R16, R20, R21, R27.
    """
    access.require(actor, Action.VIEW_SUBSCRIPTION, subscription.account)
    try:
        families = seen_families(
            actor, [subscription.account_id], AS_STORED, tenant=tenant, most=MOST_ACCOUNTS
        )
    except TreesTooLarge:
        return NextInvoices(is_too_large=True)
    days = ForeseenDays(stored_of(families), AS_STORED, first=actor.today)
    found: list[NextInvoice] = []
    charges = 0
    for run in days.runs(actor.today + _FARTHEST):
        for document, draft in run.documents:
            charges += len(document.placed)
            placed = (one.charge for one in document.placed)
            own = [charge for charge in placed if charge.subscription_id == subscription.pk]
            if draft is not None and own:
                bill_to = run.families.accounts[document.bill_to_id]
                net_minor = sum(charge.net_minor for charge in own)
                found.append(NextInvoice(run.day, bill_to, len(own), net_minor, own[0].currency))
        if len(found) >= most or charges > _MOST_CHARGES:
            break
    return NextInvoices(found[:most])
