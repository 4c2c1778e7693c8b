"""Where a charge would go that nobody has added yet: by a run's own rules, storing nothing."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from accounts.models import Account
from billing_rules.money import half_up
from invoicing.engine.foreseeing import ForeseenDays, ForeseenRun
from invoicing.engine.rows import ChargeRow
from invoicing.engine.what_if import WhatIf
from invoicing.queries.foreseeing import TreesTooLarge, seen_families, stored_of
from tenancy.actor import Actor
from tenancy.models import Tenant

MOST_ACCOUNTS: Final = 500
"""Trees beyond are not computed while somebody waits for a page."""
_FARTHEST: Final = timedelta(days=1_100)


@dataclass(frozen=True, slots=True)
class ChargeOutlook:
    """The document on which a charge comes, in minor units of its currency.

    Attributes:
        day: the date of the run that makes it.
        bill_to: to whom it is addressed.
        payer: who pays it.
        tax_minor: the tax on the charge's own net.
        document_gross_minor: what the whole document comes to.
        line_count: how many lines it has with this one.
        waits_for: why no run makes it: the code of a problem; then it has no sums.
    """

    day: date
    bill_to: Account | None = None
    payer: Account | None = None
    tax_minor: int = 0
    document_gross_minor: int = 0
    line_count: int = 0
    waits_for: str = ""


def charge_outlook(actor: Actor, charge: ChargeRow, *, tenant: Tenant) -> ChargeOutlook | None:
    """Return where a charge that is not stored comes with what else is due then.

    At most sixteen statements.

    Args:
        actor: who asks.
        charge: as ``add_charge`` would store it.
        tenant: the actor's.

    Returns:
        None where the tree is too large to be computed on the spot, or the day is more than three
        years ahead.

    Raises:
        Forbidden, NotFound: the actor may not see the invoices of the whole tree.

    Source: docs/billing-rules.md, R3 to R5, R9 to R16, R21, R27.
    """
    if charge.invoice_on > actor.today + _FARTHEST:
        return None
    world = WhatIf(new_charges=(charge,))
    try:
        families = seen_families(
            actor, [charge.account_id], world, tenant=tenant, most=MOST_ACCOUNTS
        )
    except TreesTooLarge:
        return None
    days = ForeseenDays(stored_of(families), world, first=actor.today)
    for run in days.runs(actor.today + _FARTHEST):
        if run.day >= charge.invoice_on:
            return _outlook(run, charge)
    return None


def _outlook(run: ForeseenRun, charge: ChargeRow) -> ChargeOutlook:
    accounts = run.families.accounts
    for document, draft in run.documents:
        placed = next((one for one in document.placed if one.charge.id == charge.id), None)
        if placed is None:
            continue
        bill_to, payer = accounts[document.bill_to_id], accounts[document.key.payer]
        if draft is None:
            problem = str(placed.charge.reason.get("problem") or "out_of_bounds")
            return ChargeOutlook(run.day, bill_to, payer, waits_for=problem)
        return ChargeOutlook(
            run.day,
            bill_to,
            payer,
            tax_minor=half_up(Fraction(placed.tax.rate) * charge.net_minor / 100),
            document_gross_minor=draft.gross_minor,
            line_count=len(document.placed),
        )
    return ChargeOutlook(run.day, waits_for="tax_rate_unknown")
