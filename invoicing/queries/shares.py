"""What part of documents addressed to others is for some accounts: their own share, as sections."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q, Sum

from accounts import access, tree
from accounts.access import Action
from billing_rules.invoice_states import UNPAID, State, owed_minor, urgency
from billing_rules.money import half_up
from invoicing.models import InvoiceSection
from tenancy.actor import Actor


@dataclass(slots=True)
class Share:
    """What of invoices is for an account and those below it, gross in minor units.

    ``open`` and ``overdue`` are of what is open with recipients above it, by currency;
    ``by_invoice`` is its part of single documents.
    """

    open: dict[str, int] = field(default_factory=dict)
    overdue: dict[str, int] = field(default_factory=dict)
    by_invoice: dict[UUID, int] = field(default_factory=dict)


def share_of(actor: Actor, account_id: UUID, invoice_ids: Iterable[UUID], *, today: date) -> Share:
    """Return an account's part, with all below it, of invoices. One statement.

    Of an invoice that is partly paid each account's part is open by the same share, rounded once.

    Args:
        actor: who asks.
        account_id: the top of the subtree.
        invoice_ids: documents whose parts are wanted one by one.
        today: the day by which overdue is told.

    Raises:
        Forbidden: the actor may not see all invoices of the tenant.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    ids = set(invoice_ids)
    rows = (
        InvoiceSection.objects.filter(
            tree.lies_below(actor.tenant_id, [account_id], "account_id"),
            Q(invoice__status__in=UNPAID) | Q(invoice__in=ids),
            tenant_id=actor.tenant_id,
        )
        .annotate(
            is_own=ExpressionWrapper(
                tree.lies_below(actor.tenant_id, [account_id], "invoice__bill_to_id"),
                output_field=BooleanField(),
            )
        )
        .order_by("invoice_id")
        .values_list(
            "invoice_id",
            "is_own",
            "invoice__status",
            "invoice__currency",
            "invoice__due_date",
            "invoice__gross_minor",
            "invoice__paid_minor",
            "invoice__credited_minor",
        )
        .annotate(Sum("gross_minor"))
    )
    share = Share()
    for invoice_id, is_own, status, currency, due_date, gross, paid, credited, part in rows:
        if invoice_id in ids:
            share.by_invoice[invoice_id] = part
        if is_own or status not in UNPAID or not gross:
            continue
        left = half_up(Fraction(part * owed_minor(status, gross, paid, credited), gross))
        share.open[currency] = share.open.get(currency, 0) + left
        if urgency(status, due_date, today) is State.OVERDUE:
            share.overdue[currency] = share.overdue.get(currency, 0) + left
    return share
