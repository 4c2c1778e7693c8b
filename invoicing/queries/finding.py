"""Invoices that somebody looks for by a few letters or by an amount."""

from collections.abc import Sequence
from datetime import date

from invoicing.models import Invoice
from invoicing.queries.invoices import invoices
from tenancy.actor import Actor


def found_invoices(actor: Actor, text: str, *, today: date, limit: int) -> Sequence[Invoice]:
    """Return the latest invoices in reach that a text names, as in the list. One statement.

    Args:
        actor: who asks.
        text: parts of number, recipient, customer number, order or product; or the gross amount.
        today: the tenant's date.
        limit: how many at most.
    """
    return list(invoices(actor, text=text, today=today)[:limit])
