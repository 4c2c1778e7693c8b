"""What many accounts set or inherit of a few settings, day by day."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import tree
from accounts.models import SettingInterval, SettingName
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class AccountValues:
    """The values of one setting, day by day.

    ``parents`` are those of today; ``dated`` what an account, or the tenant, sets since a day and
    until one.
    """

    parents: Mapping[UUID, UUID | None]
    dated: Mapping[UUID | None, Sequence[tuple[Any, date, date | None]]]

    def on(self, account_id: UUID, day: date) -> Any:
        """Return what an account sets or inherits on a day, None where nobody sets one."""
        return self.found(account_id, day)[0]

    def found(self, account_id: UUID, day: date) -> tuple[Any, UUID | None]:
        """Return what an account sets or inherits on a day, and which account sets it.

        None for the account where the tenant's default holds.
        """
        here: UUID | None = account_id
        while here is not None:
            found = self._own(here, day)
            if found not in (None, ""):
                return found, here
            here = self.parents.get(here)
        return self._own(None, day), None

    def _own(self, account_id: UUID | None, day: date) -> Any:
        for value, start, end in self.dated.get(account_id, ()):
            if start <= day and (end is None or day < end):
                return value
        return None


def account_values(
    actor: Actor, account_ids: Iterable[UUID], names: Collection[SettingName]
) -> dict[SettingName, AccountValues]:
    """Return what accounts, and those above, set or inherit of some settings. Two statements.

    What is planned for later counts from its day on.
    """
    parents = dict(tree.with_those_above(actor.tenant_id, account_ids))
    dated: dict[SettingName, dict[UUID | None, list[tuple[Any, date, date | None]]]] = {
        name: defaultdict(list) for name in names
    }
    rows = SettingInterval.objects.filter(
        Q(account_id__in=list(parents)) | Q(account=None),
        tenant_id=actor.tenant_id,
        name__in=list(names),
    ).values_list("name", "account_id", "value", "valid_from", "valid_to")
    for name, account_id, value, start, end in rows:
        dated[SettingName(name)][account_id].append((value, start, end))
    return {name: AccountValues(parents, dated[name]) for name in names}
