"""What a tree's calendar is made of: for each kind of entry the one function that finds it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Coalesce

from billing_rules.contract_terms import notice_deadline, term_ends
from billing_rules.invoice_states import UNPAID
from billing_rules.timelines import Stretch
from invoicing.models import ChangePlan, Charge, Invoice, InvoiceSection
from invoicing.queries.foreseeing import ForeseenInvoice
from reports.declarations import Kind
from subscriptions.models import Item, Subscription, Uncharged
from subscriptions.queries.terms import ItemTerms, timelines_of
from tenancy.actor import Actor
from tenancy.ids import uuid7

_PAUSED: Final = Uncharged.PAUSED.value
_CHARGED: Final = "charge"
"""How an invoice is collected whose amount the payer's bank is asked for."""

_RENEWED: Final = frozenset({Charge.Kind.RECURRING, Charge.Kind.CREDIT})
"""What a period costs that follows another, less what is taken back."""

_PLANS: Final = {ChangePlan.Kind.MOVE: "move", ChangePlan.Kind.ALIGNMENT: "alignment"}
"""Plans that integrators know by another prefix."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of ``CalendarEntry``, but for whose it is."""

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
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class TreeToTell:
    """A tree, and what its calendar is made from.

    Attributes:
        actor: the system.
        members: its accounts.
        first, last: the days of the calendar.
        today: the tenant's day.
        coming: the invoices to come, with their lines.
    """

    actor: Actor
    members: frozenset[UUID]
    first: date
    last: date
    today: date
    coming: tuple[ForeseenInvoice, ...] = ()


def entries_of(told: TreeToTell) -> list[Entry]:
    """Return all entries of a tree's calendar, each key once. Twelve statements at most.

    Args:
        told: the tree; the caller is an operation that has asked.
    """
    found: dict[str, Entry] = {}
    for source in SOURCES:
        for entry in source(told):
            if told.first <= entry.date <= told.last:
                found.setdefault(entry.key, entry)
    return list(found.values())


def _invoices(told: TreeToTell) -> Iterator[Entry]:
    """Issued invoices on their day, what is owed of them on the day it is due, and those to come.

    What was to come has the key of the invoice that is issued in its place.
    """
    counted: Counter[str] = Counter()
    issued = list(
        Invoice.objects.filter(
            tenant_id=told.actor.tenant_id,
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
        name = _name(counted, one.issue_date, one.bill_to_id, one.currency, one.service_owner_id)
        details = {"number": one.number or ""}
        shared = _Document(name, one.bill_to_id, one.payer_id, one.currency, one.pk, details)
        yield shared.entry(Kind.INVOICE, one.issue_date, one.gross_minor)
        for part in parts.get(one.pk, ()):
            yield shared.part(one.issue_date, part.account_id, part.gross_minor)
        if one.open_minor:
            yield shared.entry(_collected(one.collection), one.due_date, one.open_minor)
    for coming in told.coming:
        if coming.waits_for or coming.bill_to_id not in told.members:
            continue
        owner = coming.service_owner_id
        name = _name(counted, coming.day, coming.bill_to_id, coming.currency, owner)
        shared = _Document(name, coming.bill_to_id, coming.payer_id, coming.currency)
        yield shared.entry(Kind.INVOICE, coming.day, coming.gross_minor)
        for section in coming.sections:
            yield shared.part(coming.day, section.account_id, section.gross_minor)
        if coming.gross_minor:
            yield shared.entry(_collected(coming.collection), coming.due_date, coming.gross_minor)


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


def _renewals(told: TreeToTell) -> Iterator[Entry]:
    """Periods that follow another, on their first day, with what runs then charge for them."""
    begun = dict(
        Subscription.objects.filter(tenant_id=told.actor.tenant_id, account_id__in=told.members)
        .order_by()
        .values_list("pk", Coalesce("trial_end", "start_date"))
    )
    sums: dict[tuple[UUID, date], list[Any]] = {}
    for invoice in told.coming:
        for section in invoice.sections:
            if section.account_id not in told.members:
                continue
            for line in section.lines:
                if line.subscription_id is None or line.kind not in _RENEWED:
                    continue
                start = begun.get(line.subscription_id)
                if start is None or not max(start, told.today) < line.period_start:
                    continue
                key = (line.subscription_id, line.period_start)
                known = sums.setdefault(
                    key, [section.account_id, 0, invoice.currency, line.description]
                )
                known[1] += line.net_minor
    for (subscription_id, day), (account_id, amount, currency, name) in sums.items():
        yield Entry(
            day,
            Kind.RENEWAL.value,
            f"renewal:{subscription_id}:{day}",
            account_id,
            amount_minor=amount,
            currency=currency,
            subject_type="subscription",
            subject_id=subscription_id,
            details={"name": name},
        )


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


def _contract_terms(told: TreeToTell) -> Iterator[Entry]:
    """Terms that renew on their first day, and the last day of notice before that."""
    found = Subscription.objects.filter(
        tenant_id=told.actor.tenant_id,
        account_id__in=told.members,
        renewal_months__isnull=False,
        end_date__isnull=True,
    )
    for one in found.prefetch_related("items__price").order_by("pk"):
        terms = one.contract_terms
        if terms is None:  # pragma: no cover - what renews has a term
            continue
        names = ", ".join(sorted({item.price.name for item in one.items.all()}))
        for end in term_ends(terms, told.first):
            deadline = notice_deadline(terms, end)
            if min(deadline, end) > told.last:
                break
            if terms.has_notice:
                yield _of(one, Kind.NOTICE, deadline, end, names)
            yield _of(one, Kind.TERM, end, end, names)


def _of(subscription: Subscription, kind: Kind, day: date, end: date, name: str) -> Entry:
    """Return what is told of a term of a subscription, by its end."""
    return Entry(
        day,
        kind.value,
        f"{kind.value}:{subscription.pk}:{end}",
        subscription.account_id,
        subject_type="subscription",
        subject_id=subscription.pk,
        details={"name": name, "end": end.isoformat()},
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
    _renewals,
    _trial_ends,
    _ends,
    _contract_terms,
    _price_changes,
    _plans,
)
"""A new kind of entry is declared in ``reports.declarations`` and found by one of these."""
