"""What a tree's calendar is made of: for each kind of entry the one function that finds it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Coalesce

from billing_rules.contract_terms import ContractTerms, notice_deadline, term_ends
from billing_rules.invoice_states import UNPAID
from billing_rules.timelines import Stretch
from invoicing.models import ChangePlan, Charge, DocumentKind, Invoice, InvoiceSection
from invoicing.queries.foreseeing import ForeseenInvoice
from reports.declarations import Kind
from subscriptions.models import Item, Subscription, Uncharged
from subscriptions.queries.terms import ItemTerms, timelines_of
from tenancy.actor import Actor

_PAUSED: Final = Uncharged.PAUSED.value
_CHARGED: Final = "charge"
"""How an invoice is collected whose amount the payer's bank is asked for."""

_RENEWED: Final = frozenset({Charge.Kind.RECURRING, Charge.Kind.CREDIT})
"""What a period costs that follows another, less what is taken back."""

_PLANS: Final = {ChangePlan.Kind.MOVE: "move", ChangePlan.Kind.ALIGNMENT: "alignment"}
"""Plans that integrators know by another prefix."""

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(slots=True)
class Entry:
    """A row of ``CalendarEntry``, but for its id and whose it is."""

    date: date
    kind: str
    key: str
    account_id: UUID
    bill_to_id: UUID | None = None
    payer_id: UUID | None = None
    is_part: bool = False
    amount_minor: int | None = None
    currency: str = ""
    subject_type: str = ""
    subject_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TreeToTell:
    """A tree, and what its calendar is made from.

    Attributes:
        actor: the system.
        root_id: the account at its top.
        members: its accounts.
        first, last: the days of the calendar.
        today: the tenant's day.
        named: how many invoices are called alike, so that each has a name of its own.
    """

    actor: Actor
    root_id: UUID
    members: frozenset[UUID]
    first: date
    last: date
    today: date
    named: Counter[str] = field(default_factory=Counter)

    def run(self, day: date, run_id: UUID | None = None) -> Entry:
        """Return what is told of a run of the tenant that bills something of the tree."""
        return Entry(
            day,
            Kind.RUN.value,
            f"run:{day}",
            self.root_id,
            subject_type="run" if run_id else "",
            subject_id=run_id,
            details=_NOTHING,
        )

    def kept(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the entries that fall on days of the calendar, each key once."""
        found: dict[str, Entry] = {}
        for entry in entries:
            if self.first <= entry.date <= self.last:
                found.setdefault(entry.key, entry)
        return list(found.values())


def stored_entries(told: TreeToTell) -> list[Entry]:
    """Return the entries of what is stored, but for the terms of contracts. Ten statements at most.

    Args:
        told: the tree; the caller is an operation that has asked.
    """
    return told.kept(entry for source in SOURCES for entry in source(told))


class EntriesToCome:
    """The entries of invoices to come, run by run: of a large tree they are not all in memory.

    Source: docs/billing-rules.md, Calendar.
    """

    def __init__(self, told: TreeToTell) -> None:
        """Take the tree, of which ``stored_entries`` were asked before. One statement."""
        self._told = told
        self._begun = dict(
            Subscription.objects.filter(tenant_id=told.actor.tenant_id, account_id__in=told.members)
            .order_by()
            .values_list("pk", Coalesce("trial_end", "start_date"))
        )

    def of(self, invoices: Iterable[ForeseenInvoice]) -> list[Entry]:
        """Return what is told of the invoices of one or several runs, in their order.

        A renewal is told with what these runs charge for its period; another run may add to it.
        """
        found = list(invoices)
        return self._told.kept([*self._invoices(found), *self._renewals(found)])

    def _invoices(self, invoices: Iterable[ForeseenInvoice]) -> Iterator[Entry]:
        told = self._told
        for coming in invoices:
            if coming.waits_for or coming.bill_to_id not in told.members:
                continue
            owner = coming.service_owner_id
            name = _name(told.named, coming.day, coming.bill_to_id, coming.currency, owner)
            shared = _Document(name, coming.bill_to_id, coming.payer_id, coming.currency)
            yield shared.entry(Kind.INVOICE, coming.day, coming.gross_minor)
            for section in coming.sections:
                yield shared.part(coming.day, section.account_id, section.gross_minor)
            yield told.run(coming.day)
            if coming.gross_minor:
                kind = _collected(coming.collection)
                yield shared.entry(kind, coming.due_date, coming.gross_minor)

    def _renewals(self, invoices: Iterable[ForeseenInvoice]) -> Iterator[Entry]:
        """Periods that follow another, on their first day, with what runs then charge for them."""
        told, sums = self._told, dict[tuple[UUID, date], Entry]()
        for invoice in invoices:
            for section in invoice.sections:
                if section.account_id not in told.members:
                    continue
                for line in section.lines:
                    if line.subscription_id is None or line.kind not in _RENEWED:
                        continue
                    start = self._begun.get(line.subscription_id)
                    if start is None or not max(start, told.today) < line.period_start:
                        continue
                    key = (line.subscription_id, line.period_start)
                    known = sums.get(key)
                    if known is None:
                        known = sums[key] = Entry(
                            line.period_start,
                            Kind.RENEWAL.value,
                            f"renewal:{line.subscription_id}:{line.period_start}",
                            section.account_id,
                            amount_minor=0,
                            currency=invoice.currency,
                            subject_type="subscription",
                            subject_id=line.subscription_id,
                            details=_named(line.description),
                        )
                    known.amount_minor = (known.amount_minor or 0) + line.net_minor
        yield from sums.values()


@lru_cache(maxsize=10_000)
def _named(name: str) -> Mapping[str, Any]:
    """Return the details that say a name alone: one object, so that it is written once."""
    return {"name": name}


def _invoices(told: TreeToTell) -> Iterator[Entry]:
    """Issued invoices and their runs on their day, and what is owed on the day it is due.

    What was to come has the key of the invoice that is issued in its place.
    """
    issued = list(
        Invoice.objects.filter(
            tenant_id=told.actor.tenant_id,
            kind=DocumentKind.INVOICE,
            bill_to_id__in=told.members,
        )
        .filter(Q(issue_date__gte=told.first) | Q(status__in=UNPAID, due_date__gte=told.first))
        .order_by("issue_date", "series_year", "series_number", "id")
        .defer("snapshot", "search_names", "search_facts", "approved_by")
    )
    parts = _sections(told, issued)
    for one in issued:
        if one.issue_date is None or one.due_date is None:  # pragma: no cover - it is issued
            continue
        name = _name(told.named, one.issue_date, one.bill_to_id, one.currency, one.service_owner_id)
        details = {"number": one.number or ""}
        shared = _Document(name, one.bill_to_id, one.payer_id, one.currency, one.pk, details)
        yield shared.entry(Kind.INVOICE, one.issue_date, one.gross_minor)
        for part in parts.get(one.pk, ()):
            yield shared.part(one.issue_date, part.account_id, part.gross_minor)
        if one.run_id is not None:
            yield told.run(one.issue_date, one.run_id)
        if one.open_minor:
            yield shared.entry(_collected(one.collection), one.due_date, one.open_minor)


@dataclass(frozen=True, slots=True)
class _Document:
    """An invoice, issued or to come, of which several entries tell."""

    name: str
    bill_to_id: UUID
    payer_id: UUID
    currency: str
    invoice_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def entry(self, kind: Kind, day: date, amount_minor: int) -> Entry:
        return Entry(
            day,
            kind.value,
            # The day on which money moves may change by another way of collecting alone.
            f"{'invoice' if kind is Kind.INVOICE else 'pay'}:{self.name}",
            self.bill_to_id,
            self.bill_to_id,
            self.payer_id,
            amount_minor=amount_minor,
            currency=self.currency,
            subject_type="invoice" if self.invoice_id else "",
            subject_id=self.invoice_id,
            details=self.details,
        )

    def part(self, day: date, account_id: UUID, amount_minor: int) -> Entry:
        return Entry(
            day,
            Kind.INVOICE.value,
            f"part:{self.name}:{account_id}",
            account_id,
            self.bill_to_id,
            self.payer_id,
            is_part=True,
            amount_minor=amount_minor,
            currency=self.currency,
            subject_type="invoice" if self.invoice_id else "",
            subject_id=self.invoice_id,
            details=self.details,
        )


def _name(
    counted: Counter[str], day: date, bill_to_id: UUID, currency: str, owner_id: UUID | None
) -> str:
    """Return what stays the same of an invoice from when it is foreseen until it is paid."""
    name = f"{day}:{bill_to_id}:{owner_id or ''}:{currency}"
    counted[name] += 1
    return f"{name}:{counted[name]}"


def _sections(told: TreeToTell, issued: Iterable[Invoice]) -> dict[UUID, list[InvoiceSection]]:
    found: dict[UUID, list[InvoiceSection]] = {}
    rows = InvoiceSection.objects.filter(
        tenant_id=told.actor.tenant_id, invoice_id__in=[one.pk for one in issued]
    )
    for row in rows.only("invoice_id", "account_id", "gross_minor").order_by("position"):
        found.setdefault(row.invoice_id, []).append(row)
    return found


def _collected(collection: str) -> Kind:
    return Kind.DEBIT if collection == _CHARGED else Kind.DUE


def _trial_ends(told: TreeToTell) -> Iterator[Entry]:
    """Trials that end, on the first day that is charged."""
    found = Subscription.objects.filter(
        tenant_id=told.actor.tenant_id,
        account_id__in=told.members,
        trial_end__range=(told.first, told.last),
    )
    for one in found.prefetch_related("items__price").order_by("trial_end", "pk"):
        # One that ends within its trial is never charged.
        if one.trial_end is not None and (one.end_date is None or one.trial_end < one.end_date):
            names = sorted({item.price.name for item in one.items.all()})
            yield Entry(
                one.trial_end,
                Kind.TRIAL_END.value,
                f"trial:{one.pk}",
                one.account_id,
                subject_type="subscription",
                subject_id=one.pk,
                details={"name": ", ".join(names)},
            )


def _ends(told: TreeToTell) -> Iterator[Entry]:
    """Subscriptions that end, on the first day no longer served."""
    found = Subscription.objects.filter(
        tenant_id=told.actor.tenant_id,
        account_id__in=told.members,
        end_date__range=(told.first, told.last),
    )
    for one in found.prefetch_related("items__price").order_by("end_date", "pk"):
        if one.end_date is not None:
            names = sorted({item.price.name for item in one.items.all()})
            yield Entry(
                one.end_date,
                Kind.END.value,
                f"end:{one.pk}",
                one.account_id,
                subject_type="subscription",
                subject_id=one.pk,
                details={"name": ", ".join(names)},
            )


class ContractDays:
    """Terms that renew on their first day, and the last day of notice before that.

    Of thousands of monthly contracts they are too many to be in memory for a year: they are
    asked for some days at a time.
    """

    def __init__(self, told: TreeToTell) -> None:
        """Read what renews in a tree. Three statements at most."""
        self._told = told
        self._known: dict[ContractTerms, list[tuple[Subscription, str]]] = {}
        found = Subscription.objects.filter(
            tenant_id=told.actor.tenant_id,
            account_id__in=told.members,
            renewal_months__isnull=False,
            end_date__isnull=True,
        )
        for one in found.prefetch_related("items__price").order_by("pk"):
            terms = one.contract_terms
            if terms is not None:
                name = ", ".join(sorted({item.price.name for item in one.items.all()}))
                self._known.setdefault(terms, []).append((one, name))
        # Thousands of subscriptions have the same few terms.
        self._days = {terms: list(_term_days(terms, told)) for terms in self._known}
        self._names = {terms: {name for _one, name in some} for terms, some in self._known.items()}

    def __len__(self) -> int:
        """Return how many subscriptions renew."""
        return sum(map(len, self._known.values()))

    def within(self, first: date, last: date) -> Iterator[Entry]:
        """Yield what falls on some days of the calendar. No statement."""
        first, last = max(first, self._told.first), min(last, self._told.last)
        for terms, found in self._known.items():
            for deadline, end in self._days[terms]:
                kinds = [Kind.NOTICE] if terms.has_notice and first <= deadline <= last else []
                if first <= end <= last:
                    kinds.append(Kind.TERM)
                if not kinds:
                    continue
                # The same few names: each object is written once.
                said = end.isoformat()
                details = {name: {"name": name, "end": said} for name in self._names[terms]}
                for kind in kinds:
                    day = end if kind is Kind.TERM else deadline
                    for one, name in found:
                        yield _of(one, kind, day, details[name])


def _term_days(terms: ContractTerms, told: TreeToTell) -> Iterator[tuple[date, date]]:
    """Yield the last day of notice and the end of each term, as far as the calendar goes."""
    for end in term_ends(terms, told.first):
        deadline = notice_deadline(terms, end)
        if min(deadline, end) > told.last:
            return
        yield deadline, end


def _of(subscription: Subscription, kind: Kind, day: date, details: Mapping[str, Any]) -> Entry:
    """Return what is told of a term of a subscription, by its end."""
    return Entry(
        day,
        kind.value,
        f"{kind.value}:{subscription.pk}:{details['end']}",
        subscription.account_id,
        subject_type="subscription",
        subject_id=subscription.pk,
        details=details,
    )


def _price_changes(told: TreeToTell) -> Iterator[Entry]:
    """Items that cost something else, or are had in another quantity, from a day on."""
    found = Item.objects.filter(
        tenant_id=told.actor.tenant_id,
        account_id__in=told.members,
        terms_since__gte=told.first,
    ).select_related("price__product", "discount", "subscription")
    items = list(found.order_by("pk"))
    timelines = timelines_of(told.actor, items, date.min)
    for item in items:
        for day, before, after in _steps(timelines[item.pk]):
            if _PAUSED in (before.uncharged, after.uncharged):
                yield _pause(item, day, after)
                continue
            yield Entry(
                day,
                Kind.PRICE_CHANGE.value,
                f"terms:{item.pk}:{day}",
                item.account_id,
                subject_type="subscription",
                subject_id=item.subscription_id,
                details={
                    "name": after.price.name,
                    "old_name": before.price.name,
                    "quantity": f"{after.quantity.normalize():f}",
                    "old_quantity": f"{before.quantity.normalize():f}",
                },
            )


def _pause(item: Item, day: date, after: ItemTerms) -> Entry:
    """Return what is told once of a subscription that is paused, or goes on."""
    goes_on = after.uncharged != _PAUSED
    details = {"name": after.price.name, **({"goes_on": "yes"} if goes_on else {})}
    return Entry(
        day,
        Kind.PAUSE.value,
        f"pause:{item.subscription_id}:{day}",
        item.account_id,
        subject_type="subscription",
        subject_id=item.subscription_id,
        details=details,
    )


def _steps(timeline: list[Stretch[ItemTerms]]) -> Iterator[tuple[date, ItemTerms, ItemTerms]]:
    for before, after in pairwise(timeline):
        yield after.start, before.value, after.value


def _plans(told: TreeToTell) -> Iterator[Entry]:
    """Change plans that will be carried out if nobody stops them."""
    found = ChangePlan.objects.filter(
        tenant_id=told.actor.tenant_id,
        account_id__in=told.members,
        status__in=ChangePlan.OPEN,
    )
    for one in found.order_by("effective_date", "pk"):
        yield Entry(
            one.effective_date,
            Kind.PLAN.value,
            f"plan:{one.pk}",
            one.account_id,
            subject_type=_PLANS.get(ChangePlan.Kind(one.kind), "plan"),
            subject_id=one.pk,
            details={"plan": one.kind, "status": one.status},
        )


SOURCES: Final[tuple[Callable[[TreeToTell], Iterable[Entry]], ...]] = (
    _invoices,
    _trial_ends,
    _ends,
    _price_changes,
    _plans,
)
"""A new kind of entry is declared in ``reports.declarations`` and found by one of these."""
