"""The invoices to come of some trees, as the world is and as it would be."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from billing_rules.consolidation import ConsolidationKey
from billing_rules.drafting import DocumentDraft, SectionDraft
from invoicing.engine.crediting import Transfer
from invoicing.engine.families import Families
from invoicing.engine.foreseeing import ForeseenDays, ForeseenRun, Stored
from invoicing.engine.late_usage import late_periods, read_late
from invoicing.engine.placing import PlacedDocument
from invoicing.engine.reading import coming_items, open_periods
from invoicing.engine.reading_charges import billed_since, charges_of, open_drafts, waiting_charges
from invoicing.engine.reading_families import read_families
from invoicing.engine.reading_moves import concerned_by_moves
from invoicing.engine.rows import ChargeRow
from invoicing.engine.what_if import AS_STORED, WhatIf
from invoicing.models import Charge
from invoicing.queries.joined import joined_with
from invoicing.words.charges import named_as
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.errors import Forbidden, Invalid, NotFound
from tenancy.models import Tenant

MOST_ACCOUNTS: Final = 5_000
"""Trees beyond are not computed while somebody waits."""
MOST_LINES: Final = 50_000
"""So many lines are computed for one answer."""
MOST_DAYS: Final = 1_100
"""So many days can be asked for: three years."""


class TreesTooLarge(Invalid):
    """The trees have more accounts than are computed while somebody waits."""

    code = "trees_too_large"
    message = _(
        "These customers have %(accounts)s accounts; what comes next is computed for at most"
        " %(most)s at once."
    )


class DatesTooFar(Invalid):
    """The range ends before it begins, or is longer than is computed at once."""

    code = "dates_too_far"
    message = _("Invoices are foreseen for one day to %(most)s days.")


@dataclass(frozen=True, slots=True)
class ForeseenLine:
    """A line to come; ``net_minor`` in minor units of the document's currency.

    What is charged once may be for no subscription; ``kind`` is that of its charge.
    """

    subscription_id: UUID | None
    description: str
    quantity: Decimal
    period_start: date
    period_end: date
    net_minor: int
    kind: str = Charge.Kind.RECURRING.value


@dataclass(frozen=True, slots=True)
class ForeseenSection:
    """The part of one account; ``path`` are the names from below the recipient down to it.

    ``lines`` are empty unless they were asked for.
    """

    account_id: UUID
    path: tuple[str, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int
    line_count: int
    lines: tuple[ForeseenLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeseenInvoice:
    """A document that a run would make, in minor units of its currency.

    Attributes:
        day: the date of the run, and of issue.
        due_date: when it is to be paid.
        service_owner_id: the one account it is about, where that account has invoices of its own.
        tax_reason: what decided the tax: the code of the regime's reason.
        waits_for: why no run has made it by the last day: the code of a problem, or
            ``negative_total``; then it has no tax and no sections, and ``day`` is the first on
            which it was tried. Empty where a run does.
    """

    day: date
    bill_to_id: UUID
    payer_id: UUID
    seller_id: UUID
    service_owner_id: UUID | None
    currency: str
    collection: str
    po_number: str
    due_date: date
    net_minor: int
    tax_minor: int
    gross_minor: int
    line_count: int
    tax_reason: str
    sections: tuple[ForeseenSection, ...] = ()
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Foresight:
    """Invoices to come, by day and then as a run orders them; what waits comes last.

    Attributes:
        stored: what comes if nothing changes.
        changed: what comes in the other world; the same where there is none.
        accounts: everybody named, by id.
        until: up to this day it is complete.
        made_over: what a change credits and charges to others, where it is to.
        is_cut: so much comes before the change that what it credits is not known.
    """

    stored: tuple[ForeseenInvoice, ...]
    changed: tuple[ForeseenInvoice, ...]
    accounts: Mapping[UUID, Account]
    until: date
    made_over: Sequence[Transfer] = ()
    is_cut: bool = False


@collecting_afterwards()
def foresee_invoices(
    actor: Actor,
    account_ids: Collection[UUID],
    *,
    first: date,
    last: date,
    what_if: WhatIf = AS_STORED,
    tenant: Tenant,
    with_lines: bool = False,
) -> Foresight:
    """Return what the runs from one day to another bill to whole trees, with and without a change.

    The engine of the runs computes it: what is foreseen is what a run makes on that day, to the
    cent, if nothing else changes. What stands on drafts is placed again by the first run, as an
    issuing run does (R27). At most eighteen statements, however many accounts and days, and five
    more where a change credits what was charged.

    Args:
        actor: who asks.
        account_ids: accounts; their trees are computed, and those of accounts that ``what_if``
            moves or bills elsewhere.
        first: the day of the first run; it takes what is overdue.
        last: the last day, within ``MOST_DAYS``.
        what_if: how the world would differ.
        tenant: the actor's.
        with_lines: whether sections have their lines.

    Raises:
        NotFound, Forbidden: an account is not there, or the actor may not see the invoices of
            one of the trees.
        TreesTooLarge, DatesTooFar: see their texts.
        TreeCycle: an account would stand below itself.

    Source: docs/billing-rules.md, R3 to R5, R9 to R16, R20, R21, R27.
    """
    if not first <= last <= first + timedelta(days=MOST_DAYS):
        raise DatesTooFar(most=MOST_DAYS)
    asked = {*account_ids, *what_if.standing()}
    crediting = what_if.crediting
    billed = [] if crediting is None else billed_since(actor, crediting)
    asked |= {key for one in billed if one.parties is not None for key in one.parties}
    families = seen_families(actor, asked, what_if, tenant=tenant)
    stored = _with_moves(replace(stored_of(families), billed=billed), what_if)
    before = _Foreseen(first, last, with_lines)
    days = ForeseenDays(stored, AS_STORED, first=first, crediting=crediting)
    if what_if == AS_STORED:
        invoices = before.up_to(last, days).invoices
        return Foresight(invoices, invoices, families.accounts, before.until)
    is_cut = False
    if what_if.since is None:
        after, otherwise = before.another(), ForeseenDays(stored, what_if, first=first)
    else:
        # Up to the day of the change both worlds are one.
        before.up_to(min(what_if.since - timedelta(days=1), last), days)
        is_cut = before.is_full
        after, otherwise = before.another(), days.otherwise(what_if)
    invoices = before.up_to(last, days).invoices
    changed = after.up_to(last, otherwise).invoices
    until = min(before.until, after.until)
    made_over = otherwise.made_over.transfers
    return Foresight(invoices, changed, families.accounts, until, made_over, is_cut)


def foreseen_days(
    actor: Actor, account_ids: Collection[UUID], *, first: date, last: date, tenant: Tenant
) -> Iterator[tuple[date, tuple[ForeseenInvoice, ...]]]:
    """Return the runs from one day to another with what each bills, computed as they are taken.

    They are those of ``foresee_invoices``, with their lines, of trees of any size and as many lines
    as there are: no more than one run is in memory. What a run holds back is left out. All is read
    before this returns, in at most eighteen statements; taking the runs makes none.

    Args:
        actor: who asks.
        account_ids: accounts; their trees are computed.
        first: the day of the first run; it takes what is overdue.
        last: the last day.
        tenant: the actor's.

    Raises:
        NotFound, Forbidden: an account is not there, or the actor may not see the invoices of
            one of the trees.

    Source: docs/billing-rules.md, R3 to R5, R9 to R16, R20, R21, R27.
    """
    families = seen_families(actor, account_ids, AS_STORED, tenant=tenant, most=sys.maxsize)
    days = ForeseenDays(stored_of(families), AS_STORED, first=first)
    return (
        (
            run.day,
            tuple(
                _invoice(run, document, numbers, with_lines=True)
                for document, numbers in run.documents
                if numbers
            ),
        )
        for run in days.runs(last)
    )


def seen_families(
    actor: Actor,
    account_ids: Collection[UUID],
    what_if: WhatIf,
    *,
    tenant: Tenant,
    most: int | None = None,
) -> Families:
    """Read the trees of some accounts, if the actor may see what is billed to them.

    Args:
        actor: who asks.
        account_ids: accounts of these trees.
        what_if: others may pay in that world.
        tenant: the actor's.
        most: how many accounts the trees may have together; ``MOST_ACCOUNTS`` if not said.

    Raises:
        NotFound, Forbidden: an account is not there, or the actor may not see the invoices of
            one of the trees.
        TreesTooLarge: see its text.
    """
    asked = {*account_ids, *joined_with(actor, account_ids)}
    trees = tree.families(actor.tenant_id, asked)
    members = {account_id for family in trees.values() for account_id, _parent in family}
    if not members.issuperset(account_ids):
        raise NotFound
    payers = {*what_if.paying()}
    _require(actor, Action.VIEW_INVOICE, trees.keys())
    _require(actor, Action.VIEW_ACCOUNT, payers - members)
    most = most or MOST_ACCOUNTS
    if len(members) > most:
        raise TreesTooLarge(accounts=len(members), most=most)
    return read_families(actor, trees, None, tenant=tenant, also=payers)


def _require(actor: Actor, action: Action, account_ids: Collection[UUID]) -> None:
    """Return if an actor may do something on all of these accounts. One statement."""
    if not account_ids:
        return
    reached = access.reach(actor, action).filter(pk__in=account_ids).count()
    if reached < len(account_ids):
        seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=account_ids).count()
        raise Forbidden if seen == len(account_ids) else NotFound


def stored_of(families: Families) -> Stored:
    """Return what families have and owe. The caller has asked.

    At most seven statements, seven more where usage came in late.
    """
    actor = families.actor
    items = coming_items(actor, families.in_scope)
    drafts = open_drafts(families, date.max)
    late = late_periods(actor, families.in_scope) if families.has_late_usage else {}
    return Stored(
        families,
        items,
        open_periods(actor, items),
        [
            *waiting_charges(families, run_date=date.max),
            *charges_of(actor, [draft.id for draft in drafts]),
        ],
        late=read_late(actor, late),
    )


def _with_moves(stored: Stored, what_if: WhatIf) -> Stored:
    """Return it with what pools share otherwise once somebody has moved.

    No statement without moves or pools, else one, and six where something was charged by then.
    """
    families = stored.families
    if not (what_if.moves and families.has_pools):
        return replace(stored, moved=stored.late)
    late = {key: list(found) for key, found in stored.late.periods.items()}
    concerned = concerned_by_moves(families.actor, families.parents, what_if.moves)
    for item_id, periods in concerned.items():
        known = {one.id for one in late.setdefault(item_id, [])}
        late[item_id] += [one for one in periods if one.id not in known]
    return replace(stored, moved=read_late(families.actor, late))


class _Foreseen:
    """The invoices of one world, and up to which day they are complete.

    What waits is tried by every run; it is told once, with what it has come to in the end.
    """

    def __init__(self, first: date, last: date, with_lines: bool) -> None:
        self._first, self.until = first, last
        self._with_lines = with_lines
        self._found: list[ForeseenInvoice] = []
        self._waiting: dict[ConsolidationKey, ForeseenInvoice] = {}
        self._lines = 0
        self.is_full = False

    @property
    def invoices(self) -> tuple[ForeseenInvoice, ...]:
        """What runs make, in their order, and then what waits."""
        return (*self._found, *self._waiting.values())

    def another(self) -> "_Foreseen":
        """Return one that goes on by itself from here."""
        other = copy(self)
        other._found, other._waiting = list(self._found), dict(self._waiting)
        return other

    def up_to(self, day: date, days: ForeseenDays) -> "_Foreseen":
        """Take the runs up to a day, as far as lines are counted."""
        for run in () if self.is_full else days.runs(day):
            self._lines += sum(len(one.placed) for one, numbers in run.documents if numbers)
            self.is_full = self._lines > MOST_LINES
            if self.is_full:
                self.until = max(self._first, run.day - timedelta(days=1))
                break
            self._take(run)
        return self

    def _take(self, run: ForeseenRun) -> None:
        since, self._waiting = self._waiting, {}
        for document, numbers in run.documents:
            one = _invoice(run, document, numbers, with_lines=self._with_lines)
            if numbers:
                self._found.append(one)
            else:
                known = since.get(document.key, one)
                self._waiting[document.key] = replace(one, day=known.day, due_date=known.due_date)


def _invoice(
    run: ForeseenRun, document: PlacedDocument, numbers: DocumentDraft | None, *, with_lines: bool
) -> ForeseenInvoice:
    charges = {placed.charge.id: placed.charge for placed in document.placed}
    net_minor = sum(charge.net_minor for charge in charges.values())
    key = document.key
    return ForeseenInvoice(
        day=run.day,
        bill_to_id=key.bill_to,
        payer_id=key.payer,
        seller_id=key.seller,
        service_owner_id=key.service_owner,
        currency=key.currency,
        collection=key.collection,
        po_number=key.po_number or "",
        due_date=run.day + timedelta(days=key.payment_terms_days),
        net_minor=net_minor,
        tax_minor=numbers.tax_minor if numbers else 0,
        gross_minor=numbers.gross_minor if numbers else net_minor,
        line_count=len(charges),
        tax_reason=document.decision.reason,
        sections=tuple(
            _section(run.families, document, section, charges if with_lines else {})
            for section in (numbers.sections if numbers else ())
        ),
        waits_for="" if numbers else str(document.placed[0].charge.reason.get("problem")),
    )


def _section(
    families: Families,
    document: PlacedDocument,
    section: SectionDraft,
    charges: Mapping[UUID, ChargeRow],
) -> ForeseenSection:
    return ForeseenSection(
        account_id=section.account_id,
        path=tuple(families.path(document.bill_to_id, section.account_id)),
        net_minor=section.net_minor,
        tax_minor=section.tax_minor,
        gross_minor=section.gross_minor,
        line_count=len(section.charges),
        lines=tuple(_line(charges[key]) for key in section.charges if key in charges),
    )


def _line(charge: ChargeRow) -> ForeseenLine:
    return ForeseenLine(
        subscription_id=charge.subscription_id,
        description=named_as(charge.kind, charge.calculation),
        quantity=Decimal(charge.calculation["quantity"]),
        period_start=charge.period_start,
        period_end=charge.period_end,
        net_minor=charge.net_minor,
        kind=charge.kind,
    )
