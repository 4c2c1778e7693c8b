"""How a subscription is bound on a day, and by which terms one is that begins without its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.models import Account, SettingName
from accounts.queries.account_values import AccountValues, account_values
from billing_rules.contract_terms import (
    ContractTerms,
    earliest_end,
    notice_deadline,
    term_on,
)
from billing_rules.periods import Period
from subscriptions.models import Subscription
from tenancy.actor import Actor

_RENEWAL: Final = SettingName.RENEWAL_MONTHS
_DEFAULTS: Final = (
    SettingName.MINIMUM_TERM_MONTHS,
    _RENEWAL,
    SettingName.NOTICE_MONTHS,
    SettingName.NOTICE_DAYS,
)


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
        source: where the terms come from.
    """

    terms: ContractTerms
    term: Period | None
    renews_on: date | None
    earliest_end: date | None
    notice_deadline: date | None
    source: str


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
    next_term = term.end if renews and term else None
    return ContractStanding(terms, term, next_term, earliest, by, subscription.contract_source)


@dataclass(frozen=True, slots=True)
class DefaultContract:
    """The contract terms of what begins without terms of its own.

    Attributes:
        minimum_term_months: None for no term.
        renewal_months: None where it ends with its term.
        notice_months, notice_days: how long before an end notice is given.
        origins: which account sets what of it, None for the tenant's default; only what counts.
    """

    minimum_term_months: int | None
    renewal_months: int | None
    notice_months: int
    notice_days: int
    origins: Mapping[SettingName, UUID | None]

    @property
    def binds(self) -> bool:
        """Whether it says anything."""
        return bool(self.minimum_term_months or self.notice_months or self.notice_days)


@dataclass(frozen=True, slots=True)
class DefaultContracts:
    """The default contract terms of some accounts, day by day."""

    values: Mapping[SettingName, AccountValues]

    def on(self, account_id: UUID, day: date) -> DefaultContract:
        """Return the contract terms of what begins on an account on a day.

        Source: docs/billing-rules.md, Contract terms.
        """
        found = {name: self.values[name].found(account_id, day) for name in _DEFAULTS}
        months = {
            name: int(SETTINGS[name].default if value is None else value)
            for name, (value, _origin) in found.items()
        }
        term = months[SettingName.MINIMUM_TERM_MONTHS] or None
        # Without a term nothing renews, whatever is set for those that have one.
        renewal = (months[_RENEWAL] or None) if term else None
        counts = [name for name in _DEFAULTS if months[name] and (term or name != _RENEWAL)]
        return DefaultContract(
            term,
            renewal,
            months[SettingName.NOTICE_MONTHS],
            months[SettingName.NOTICE_DAYS],
            {name: found[name][1] for name in counts},
        )


def default_contract_of(actor: Actor, account: Account, day: date) -> DefaultContract:
    """Return by which terms is bound what begins on an account on a day. Three statements.

    Raises:
        NotFound: the account is out of sight.
        Forbidden: its subscriptions are.
    """
    access.require(actor, Action.VIEW_SUBSCRIPTION, account)
    return default_contracts(actor, [account.pk]).on(account.pk, day)


def default_contracts(actor: Actor, account_ids: Iterable[UUID]) -> DefaultContracts:
    """Return by which terms is bound what begins on accounts. Two statements."""
    return DefaultContracts(account_values(actor, account_ids, _DEFAULTS))
