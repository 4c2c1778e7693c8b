"""In which currency accounts expect to be invoiced."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import SettingName
from accounts.queries.account_values import AccountValues, account_values
from tenancy.actor import Actor


def account_currencies(actor: Actor, account_ids: Iterable[UUID]) -> AccountValues:
    """Return the currency that accounts, and those above, set or inherit. Two statements.

    What is planned for later counts from its day on.

    Source: docs/billing-rules.md, “An account's currency”.
    """
    return account_values(actor, account_ids, [SettingName.CURRENCY])[SettingName.CURRENCY]
