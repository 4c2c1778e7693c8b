"""In which currency accounts expect to be invoiced."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import tree
from accounts.models import SettingInterval, SettingName
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class AccountCurrencies:
    """The currency of accounts, day by day.

    ``parents`` are those of today; ``dated`` what an account, or the tenant, sets since a day and
    until one.
    """

    parents: Mapping[UUID, UUID | None]
    dated: Mapping[UUID | None, Sequence[tuple[Any, date, date | None]]]

    def on(self, account_id: UUID, day: date) -> str | None:
        """Return what an account sets or inherits on a day, None where nobody sets one."""
        here: UUID | None = account_id
        while here is not None:
            if found := self._own(here, day):
                return found
            here = self.parents.get(here)
        return self._own(None, day)

    def _own(self, account_id: UUID | None, day: date) -> str | None:
        for value, start, end in self.dated.get(account_id, ()):
            if start <= day and (end is None or day < end):
                return str(value)
        return None


def account_currencies(actor: Actor, account_ids: Iterable[UUID]) -> AccountCurrencies:
    """Return the currency that accounts, and those above, set or inherit. Two statements.

    What is planned for later counts from its day on.

    Source: docs/billing-rules.md, “An account's currency”.
    """
    parents = dict(tree.with_those_above(actor.tenant_id, account_ids))
    dated: dict[UUID | None, list[tuple[Any, date, date | None]]] = defaultdict(list)
    rows = SettingInterval.objects.filter(
        Q(account_id__in=list(parents)) | Q(account=None),
        tenant_id=actor.tenant_id,
        name=SettingName.CURRENCY,
    ).values_list("account_id", "value", "valid_from", "valid_to")
    for account_id, value, start, end in rows:
        dated[account_id].append((value, start, end))
    return AccountCurrencies(parents, dated)
