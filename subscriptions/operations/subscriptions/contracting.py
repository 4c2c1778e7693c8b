"""The contract terms of a subscription: whether they can be, and how they get onto it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from billing_rules.contract_terms import refusal_of
from subscriptions.models import ContractSource, Plan, Subscription
from subscriptions.models.limits import MAX_NOTICE_DAYS, MAX_NOTICE_MONTHS, MAX_TERM_MONTHS
from subscriptions.queries.contracts import DefaultContract
from tenancy.errors import FieldError
from tenancy.files.cells import LATEST

CONTRACT: Final = "contract"
"""The member of a body that holds them."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Contract terms as somebody wants them; none of them binds nobody.

    ``minimum_term_months`` count from ``term_start``, None for the start of the subscription or
    the end of its trial. ``renewal_months`` None ends it with its term. Notice is given
    ``notice_months`` and ``notice_days`` before an end.
    """

    minimum_term_months: int | None = None
    renewal_months: int | None = None
    notice_months: int = 0
    notice_days: int = 0
    term_start: date | None = None

    @property
    def binds(self) -> bool:
        """Whether it says anything."""
        return bool(self.minimum_term_months or self.notice_months or self.notice_days)


def agreed(
    wanted: Contract | None, plan: Plan | None, default: DefaultContract, end_date: date | None
) -> tuple[Contract, str]:
    """Return the contract terms of something that begins, and where they come from.

    What is said goes first, then what the plan says, then the defaults of the account; an end that
    is said leaves no room for the defaults.

    Source: docs/billing-rules.md, Contract terms.
    """
    of_plan = Contract() if plan is None else _terms_of(plan)
    if wanted is None:
        if of_plan.binds:
            return of_plan, ContractSource.PLAN.value
        if end_date is None and default.binds:
            return _terms_of(default), ContractSource.DEFAULT.value
        return Contract(), ""
    if not wanted.binds:
        return wanted, ""
    is_of_plan = wanted == of_plan
    return wanted, (ContractSource.PLAN if is_of_plan else ContractSource.OWN).value


def _terms_of(one: Plan | DefaultContract) -> Contract:
    return Contract(one.minimum_term_months, one.renewal_months, one.notice_months, one.notice_days)


def contract_of(subscription: Subscription) -> Contract:
    """Return the contract terms of a subscription."""
    return Contract(
        subscription.minimum_term_months,
        subscription.renewal_months,
        subscription.notice_months,
        subscription.notice_days,
        subscription.term_start,
    )


def said_of(contract: Contract) -> dict[str, object]:
    """Return contract terms as the audit trail keeps them."""
    start = contract.term_start
    return {
        "minimum_term_months": contract.minimum_term_months,
        "renewal_months": contract.renewal_months,
        "notice_months": contract.notice_months,
        "notice_days": contract.notice_days,
        "term_start": start and start.isoformat(),
    }


def bound_by(subscription: Subscription) -> dict[str, object]:
    """Return what binds a subscription that begins, as the audit trail keeps it; may be nothing."""
    if subscription.contract_terms is None:
        return {}
    return {
        **said_of(contract_of(subscription)),
        "contract_source": subscription.contract_source,
    }


def set_contract(
    subscription: Subscription, contract: Contract, source: str = ContractSource.OWN.value
) -> None:
    """Give a subscription contract terms; it is not saved, and its end stays as it is."""
    subscription.contract_source = source if contract.binds else ""
    subscription.minimum_term_months = contract.minimum_term_months
    subscription.renewal_months = contract.renewal_months
    subscription.notice_months = contract.notice_months
    subscription.notice_days = contract.notice_days
    subscription.term_start = contract.term_start


def contract_faults(
    contract: Contract, start_date: date, *, within: str = f"/{CONTRACT}"
) -> Iterator[FieldError]:
    """Yield what is wrong with contract terms of something that begins on a day.

    Args:
        contract: as wanted.
        start_date: the first day of service.
        within: the pointer of the object that holds them.
    """
    lengths = (
        ("minimum_term_months", contract.minimum_term_months, 1, MAX_TERM_MONTHS),
        ("renewal_months", contract.renewal_months, 1, MAX_TERM_MONTHS),
        ("notice_months", contract.notice_months, 0, MAX_NOTICE_MONTHS),
        ("notice_days", contract.notice_days, 0, MAX_NOTICE_DAYS),
    )
    for name, length, least, most in lengths:
        if length is not None and not least <= length <= most:
            detail = _("%(least)s to %(most)s is expected.") % {"least": least, "most": most}
            yield FieldError("out_of_range", detail, f"{within}/{name}")
    if contract.renewal_months is not None and contract.minimum_term_months is None:
        detail = _("Without a minimum term nothing renews.")
        yield FieldError("renewal_without_term", detail, f"{within}/renewal_months")
    if contract.term_start is not None and not start_date <= contract.term_start < LATEST:
        detail = _("The term begins on or after the start, and before 2200.")
        yield FieldError("out_of_range", detail, f"{within}/term_start")
    elif contract.term_start is not None and contract.minimum_term_months is None:
        detail = _("Without a minimum term there is nothing that begins.")
        yield FieldError("start_without_term", detail, f"{within}/term_start")


def end_faults(subscription: Subscription) -> Iterator[FieldError]:
    """Yield why a new subscription can't end as it says: it ends with a term, or with none."""
    terms, end_date = subscription.contract_terms, subscription.end_date
    if terms is None or end_date is None or end_date == subscription.trial_end:
        return
    refusal = refusal_of(terms, end_date, date.min)
    if refusal is not None:
        detail = _("It can only end with one of its terms.")
        yield FieldError(refusal.value, detail, "/end_date")
