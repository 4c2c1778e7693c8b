"""Previewing: what comes next for a recipient, by a run's own rules and storing nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from billing_rules.drafting import DocumentDraft, SectionDraft
from invoicing.engine.families import Families
from invoicing.engine.numbering import numbered
from invoicing.engine.placing import PlacedDocument, place_charges
from invoicing.engine.rating import Rated, rate, read_usage_so_far
from invoicing.engine.reading import coming_items, open_periods
from invoicing.engine.reading_charges import waiting_charges
from invoicing.engine.reading_families import read_families
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.queries.joined import joined_with
from invoicing.words.charges import named_as
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import Tenant

MOST_ACCOUNTS: Final = 500
"""Families beyond are not computed while somebody waits for a page."""

_MOST_ROUNDS: Final = 24
_FARTHEST: Final = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class UpcomingLine:
    """A line to come; ``net_minor`` in minor units of the document's currency."""

    description: str
    quantity: Decimal
    period_start: date
    period_end: date
    net_minor: int


@dataclass(frozen=True, slots=True)
class UpcomingSection:
    """The part of one account; ``path`` are the names from below the recipient down to it."""

    account_id: UUID
    path: tuple[str, ...]
    net_minor: int
    lines: tuple[UpcomingLine, ...]


@dataclass(frozen=True, slots=True)
class UpcomingDocument:
    """An invoice to come, in minor units of its currency.

    ``waits_for`` says why a run would not make it: the code of a problem, or ``negative_total``;
    then it has no tax. Empty where a run would.
    """

    payer: Account
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    line_count: int
    sections: tuple[UpcomingSection, ...]
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What the next run that concerns an account's recipient bills to it.

    Attributes:
        account: whose page it is.
        above: the accounts above it, the root first.
        bill_to: to whom the account is invoiced today; None where ``is_too_large``.
        day: the date of that run, None where nothing is to come.
        is_too_large: the family is too large to compute this on the spot.
    """

    account: Account
    above: tuple[Account, ...]
    bill_to: Account | None = None
    day: date | None = None
    documents: tuple[UpcomingDocument, ...] = ()
    is_too_large: bool = False


def upcoming_invoices(
    actor: Actor, account_id: UUID, *, tenant: Tenant, today: date, now: datetime
) -> Upcoming:
    """Return what the next run bills to the recipient of an account if nothing changes until then.

    The day is the first, from today on, on which a run makes a document for the recipient. What is
    on drafts already is not repeated. At most ten statements; nothing is locked or stored.

    Args:
        actor: who asks.
        account_id: whose recipient.
        tenant: the actor's.
        today: the tenant's date.
        now: the instant.

    Raises:
        Forbidden: the actor may not see billing runs.
        NotFound: there is no such account.

    Source: docs/billing-rules.md, R1, R3 to R5, R9 to R16.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    found = tree.families(actor.tenant_id, [account_id])
    if not found:
        raise NotFound
    ((root_id, members),) = found.items()
    if len(members) > MOST_ACCOUNTS:
        return _too_large(actor, account_id)
    families = read_families(actor, found, None, tenant=tenant)
    is_joined = families.history.has_moved or families.owes_credits
    if is_joined and (others := joined_with(actor, [root_id])):
        found = tree.families(actor.tenant_id, [account_id, *others])
        families = read_families(actor, found, None, tenant=tenant)
    bill_to_id, _by = families.on(today).bill_tos[account_id]
    outlook = _Outlook(families, bill_to_id, today)
    day, documents = outlook.first()
    return Upcoming(
        families.accounts[account_id],
        _above(families.accounts, families.parents, account_id),
        families.accounts[bill_to_id],
        day,
        tuple(documents),
    )


def _too_large(actor: Actor, account_id: UUID) -> Upcoming:
    path = tree.path_ids(actor.tenant_id, account_id)
    accounts = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=path).in_bulk()
    above = tuple(accounts[key] for key in path[:-1])
    return Upcoming(accounts[account_id], above, is_too_large=True)


def _above(
    accounts: Mapping[UUID, Account], parents: Mapping[UUID, UUID | None], account_id: UUID
) -> tuple[Account, ...]:
    above: list[Account] = []
    up = parents[account_id]
    while up is not None:
        above.append(accounts[up])
        up = parents[up]
    return tuple(reversed(above))


class _Outlook:
    """Looks ahead, day by day on which something falls due, until a document comes of it."""

    def __init__(self, families: Families, bill_to_id: UUID, today: date) -> None:
        self._families, self._bill_to_id = families, bill_to_id
        self._today = today
        actor = families.actor
        self._items: Sequence[ItemRow] = coming_items(actor, families.in_scope)
        self._periods: Mapping[UUID, PeriodRow] = open_periods(actor, self._items)
        self._waiting = self._own(waiting_charges(families, run_date=date.max))
        read_usage_so_far(families, self._items, self._periods, today)

    def first(self) -> tuple[date | None, list[UpcomingDocument]]:
        """Return the day of the first document, and all of that day.

        Where nothing can be made, that is the first day on which something is held back.
        """
        held_back: tuple[date | None, list[UpcomingDocument]] = (None, [])
        for day, charges in self._days():
            documents = list(self._documents(day, charges))
            if any(not document.waits_for for document in documents):
                return day, documents
            if documents and held_back[0] is None:
                held_back = day, documents
        return held_back

    def _own(self, charges: Sequence[ChargeRow]) -> list[ChargeRow]:
        """Return the charges that the recipient is billed."""
        return [
            charge
            for charge in charges
            if self._families.bill_to(
                charge.account_id, charge.override_on(charge.invoice_on), charge.invoice_on
            )[0]
            == self._bill_to_id
        ]

    def _rate(self, until: date) -> Rated:
        """Rate what is due until a day, in memory."""
        self._families.problems = []
        due = [item for item in self._items if item.next_action_date <= until]
        return rate(self._families, due, self._periods, until=until)

    def _days(self) -> Iterator[tuple[date, list[ChargeRow]]]:
        """Yield the days on which a run has something for the recipient, in order, with it.

        What is due on a day is invoiced on it or later; so nothing that is due after ``until``
        can come before what was found up to then.
        """
        until, last = self._today, self._today - timedelta(days=1)
        for _round in range(_MOST_ROUNDS):
            rated = self._rate(until)
            charges = [*self._waiting, *self._own(rated.charges)]
            ahead = {max(self._today, charge.invoice_on) for charge in charges}
            for day in sorted(day for day in ahead if last < day <= until):
                last = day
                yield day, [charge for charge in charges if charge.invoice_on <= day]
            until = min([*(day for day in ahead if day > until), *self._actions(rated, until)],
                        default=date.max)  # fmt: skip
            if until > self._today + _FARTHEST:
                return

    def _actions(self, rated: Rated, until: date) -> list[date]:
        """Return the days after ``until`` on which something goes on.

        Those of the recipient's own items, so that no round is spent on others; of all where it
        has none, for a bill-to may change.
        """
        nexts = {item.id: item.next_action_date for item in self._items}
        nexts |= {item_id: done.next_action for item_id, done in rated.moved if done.next_action}
        later = {key: day for key, day in nexts.items() if day > until}
        own = [
            later[item.id]
            for item in self._items
            if item.id in later and self._is_own(item, later[item.id])
        ]
        ends: list[date] = []
        if self._families.pools and len(later) < len(nexts):
            ends = self._families.pools.ends_after(until)  # what waits for others goes on then
        return [*(own or later.values()), *ends]

    def _is_own(self, item: ItemRow, day: date) -> bool:
        override_id = item.subscription.override_on(day)
        return self._families.bill_to(item.account_id, override_id, day)[0] == self._bill_to_id

    def _documents(self, day: date, charges: Sequence[ChargeRow]) -> Iterator[UpcomingDocument]:
        """Yield what a run on a day bills to the recipient, or holds back."""
        documents = place_charges(self._families, charges, run_date=day)
        made = {
            document.key: numbers
            for document, numbers in numbered(self._families, documents, run_date=day)
        }
        for document in documents:
            yield self._upcoming(document, made.get(document.key))

    def _upcoming(
        self, document: PlacedDocument, numbers: DocumentDraft | None
    ) -> UpcomingDocument:
        charges = {placed.charge.id: placed.charge for placed in document.placed}
        net_minor = sum(charge.net_minor for charge in charges.values())
        waits_for = "" if numbers else str(document.placed[0].charge.reason.get("problem"))
        return UpcomingDocument(
            payer=self._families.accounts[document.key.payer],
            currency=document.key.currency,
            net_minor=net_minor,
            tax_minor=numbers.tax_minor if numbers else 0,
            gross_minor=numbers.gross_minor if numbers else net_minor,
            line_count=len(charges),
            sections=tuple(
                self._section(section, charges) for section in (numbers.sections if numbers else ())
            ),
            waits_for=waits_for,
        )

    def _section(self, section: SectionDraft, charges: Mapping[UUID, ChargeRow]) -> UpcomingSection:
        return UpcomingSection(
            section.account_id,
            tuple(self._families.path(self._bill_to_id, section.account_id)),
            section.net_minor,
            tuple(_line(charges[charge_id]) for charge_id in section.charges),
        )


def _line(charge: ChargeRow) -> UpcomingLine:
    return UpcomingLine(
        description=named_as(charge.kind, charge.calculation),
        quantity=Decimal(charge.calculation["quantity"]),
        period_start=charge.period_start,
        period_end=charge.period_end,
        net_minor=charge.net_minor,
    )
