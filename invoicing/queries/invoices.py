"""Invoices as lists, with filters, and one by one, as far as somebody may see them."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.queries.searching import has_words
from billing_rules.money import CURRENCIES, exponent
from billing_rules.searching import amount_in
from invoicing.models import DocumentKind, Invoice
from invoicing.queries import invoice_states
from invoicing.queries.visibility import sections_in_reach, visible_to, with_shown_amounts
from tenancy.actor import Actor
from tenancy.errors import NotFound

_LARGEST_MINOR: Final = 2**63 - 1
LATEST_FIRST: Final = ("-issue_date", "-series_number", "-id")
"""The order of a few invoices at a glance: within a day the highest number first."""


def invoices(
    actor: Actor,
    *,
    within: UUID | None = None,
    only: bool = False,
    bill_to: UUID | None = None,
    payer: UUID | None = None,
    status: str | None = None,
    kind: str | None = None,
    corrects: UUID | None = None,
    run: UUID | None = None,
    currency: str | None = None,
    text: str | None = None,
    due_from: date | None = None,
    due_to: date | None = None,
    is_unpaid: bool = False,
    today: date,
) -> QuerySet[Invoice]:
    """Return invoices, unissued first, then the latest first. One statement.

    Each carries ``whole`` (whether the actor sees all of it) and what may be shown of it, as
    ``with_shown_amounts`` says. What an extract withholds neither finds it nor orders it (R31):
    ``status``, ``payer``, ``run`` and the days it is due consider whole documents alone.

    Args:
        actor: who asks.
        within: only those whose bill-to, payer or a section's account is this one or below it.
        only: with ``within``: this account alone, not what lies below.
        bill_to: only those addressed to this account.
        payer: only those collected from this account.
        status: a state that can be asked for: stored, or ``overdue``, or ``due_soon``.
        kind: only invoices, or only credit notes.
        corrects: only credit notes that take back of this invoice.
        run: only those of this billing run.
        currency: only those in this currency.
        text: only those whose number or recipient's name, as frozen or as it is now, contains it,
            in any case.
        due_from: only those due on this day or later.
        due_to: only those due on this day or earlier.
        is_unpaid: only issued ones of which something is owed.
        today: the date by which overdue and due soon are told.
    """
    found = with_shown_amounts(actor, visible_to(actor))
    if within is not None:
        found = found.filter(_concerns(actor, within, only=only))
    exact = {
        "bill_to": bill_to,
        "shown_payer_id": payer,
        "shown_run_id": run,
        "kind": kind,
        "corrects": corrects,
        "currency": currency,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value is not None})
    if status is not None:
        found = found.filter(invoice_states.answers_to(status, today))
    if due_from is not None:
        found = found.filter(Q(shown_due_date__gte=due_from))
    if due_to is not None:
        found = found.filter(Q(shown_due_date__lte=due_to))
    if is_unpaid:
        found = found.filter(invoice_states.is_unpaid())
    if text:
        found = found.filter(names(actor, text))
    # In descending order PostgreSQL puts what has no issue date first.
    return found.order_by("-issue_date", "-id")


def names(actor: Actor, text: str) -> Q:
    """Return the condition on invoices that a text names.

    Every word of it is in the number, the recipient as frozen on the document or as called today,
    the customer number, an order number or the description of a line; or the text is the gross
    amount. An extract is found by its number and the frozen recipient alone (R31).

    Source: docs/billing-rules.md, Search.
    """
    shown = has_words(text, "search_names", otherwise="recipient_name")
    known = has_words(
        text, "search_names", "search_facts", "bill_to__search_key", otherwise="bill_to__name"
    )
    if (amount := amount_in(text)) is not None:
        known |= _has_amount(amount)
    everywhere = access.allows_everywhere(actor, Action.VIEW_INVOICE)
    return known if everywhere else shown | Q(known, whole=True)


def _has_amount(amount: Decimal) -> Q:
    by_digits: dict[int, list[str]] = defaultdict(list)
    for currency in CURRENCIES:
        by_digits[exponent(currency)].append(currency)
    condition = Q(pk=None)
    for digits, currencies in sorted(by_digits.items()):
        minor = amount.scaleb(digits)
        if minor == minor.to_integral_value() and minor <= _LARGEST_MINOR:
            condition |= Q(gross_minor=int(minor), currency__in=sorted(currencies))
    return condition


def get_invoice(actor: Actor, invoice_id: UUID, *, lock: bool = False) -> Invoice:
    """Return one invoice with bill-to, payer and seller, annotated as in a list. One statement.

    Args:
        actor: who asks.
        invoice_id: which one.
        lock: keep its row from being changed by others until the transaction ends.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    found = with_shown_amounts(actor, visible_to(actor) & Q(pk=invoice_id))
    if lock:
        found = found.select_for_update(of=("self",))
    invoice = found.order_by("pk").first()
    if invoice is None:
        raise NotFound
    return invoice


def is_correctable(invoice: Any) -> bool:
    """Return whether something of a document is left that a credit note could take back.

    Args:
        invoice: as ``get_invoice`` returned it.
    """
    return bool(
        invoice.whole
        and invoice.kind == DocumentKind.INVOICE
        and invoice.status not in Invoice.UNISSUED
        and invoice.corrected_minor != invoice.gross_minor
    )


def _concerns(actor: Actor, account_id: UUID, *, only: bool) -> Q:
    """Return the condition on invoices that concern an account: as R23, for its subtree.

    Of an account that is out of sight nothing is told.
    """
    accounts = access.reach(actor, Action.VIEW_INVOICE).filter(pk=account_id)
    if not only:
        tops = accounts.order_by().values("pk")
        accounts = Account.objects.filter(tree.lies_below(actor.tenant_id, tops))
    ids = accounts.order_by().values("pk")
    sections = sections_in_reach(actor).filter(account__in=ids)
    return Q(bill_to__in=ids) | Q(payer__in=ids) | Q(pk__in=sections.values("invoice_id"))
