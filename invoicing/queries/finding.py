"""Invoices that somebody looks for by a few letters or by an amount."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db.models import Q

from accounts.actor import Actor
from billing_rules.money import CURRENCIES, exponent
from invoicing.models import Invoice
from invoicing.queries.invoices import invoices, names


def found_invoices(
    actor: Actor, text: str, amount: Decimal | None, *, today: date, limit: int
) -> Sequence[Invoice]:
    """Return the latest invoices in reach that match. One statement.

    Args:
        actor: who asks.
        text: a part of the number or of the recipient's name.
        amount: the gross amount in major units, None where the text is no number. Only
            invoices that are seen whole are found by it.
        today: the tenant's date.
        limit: how many at most.
    """
    matches = names(actor, text)
    if amount is not None:
        matches |= Q(_has_amount(amount), whole=True)
    found = invoices(actor, today=today).filter(matches)
    return list(found[:limit])


def _has_amount(amount: Decimal) -> Q:
    by_digits: dict[int, list[str]] = defaultdict(list)
    for currency in CURRENCIES:
        by_digits[exponent(currency)].append(currency)
    condition = Q(pk=None)
    for digits, currencies in sorted(by_digits.items()):
        minor = amount.scaleb(digits)
        if minor == minor.to_integral_value():
            condition |= Q(gross_minor=int(minor), currency__in=sorted(currencies))
    return condition
