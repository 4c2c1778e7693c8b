"""How a subscription is bound on a day: its term, and when it can end."""

from dataclasses import dataclass
from datetime import date

from billing_rules.contract_terms import (
    ContractTerms,
    earliest_end,
    notice_deadline,
    term_on,
)
from billing_rules.periods import Period
from subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class ContractStanding:
    """How a subscription is bound on a day.

    Attributes:
        terms: what was agreed.
        term: the one that runs, or the first where it lies ahead; None where it has none.
        renews_on: the first day of the next term, None where it does not renew or has an end.
        earliest_end: the first day on which it may end by itself or by notice given that day; None
            where somebody has set its end.
        notice_deadline: the last day of notice to that end, None where no notice is needed.
    """

    terms: ContractTerms
    term: Period | None
    renews_on: date | None
    earliest_end: date | None
    notice_deadline: date | None


def standing_of(subscription: Subscription, on: date) -> ContractStanding | None:
    """Return how a subscription is bound on a day, None where it may end on any. No statement."""
    terms = subscription.contract_terms
    if terms is None:
        return None
    term = term_on(terms, on)
    is_open = subscription.end_date is None
    renews = is_open and terms.renewal_months is not None and term is not None
    earliest = earliest_end(terms, on) if is_open or subscription.ends_with_term else None
    by = notice_deadline(terms, earliest) if earliest is not None and is_open else None
    return ContractStanding(terms, term, term.end if renews and term else None, earliest, by)
