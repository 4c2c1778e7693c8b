"""Effective settings of accounts, and where each comes from, in a constant number of statements."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import JSONField, Q, QuerySet, UUIDField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from accounts import access, tree
from accounts.access import Action
from accounts.declarations import SETTINGS, OfTenant, SettingName
from accounts.models import Placement, SettingInterval
from accounts.queries.dated import holding_on
from billing_rules import inheritance
from billing_rules.inheritance import Resolved
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class FamilySettings:
    """What holds on every account of some families, for one stretch of time."""

    resolved: Mapping[UUID, Resolved[UUID]]
    bill_tos: Mapping[UUID, tuple[UUID, UUID | None]]
    payers: Mapping[UUID, tuple[UUID, UUID | None]]

    def value(self, account_id: UUID, name: str) -> Any:
        """Return the effective value of a plain setting, None where nobody sets it."""
        try:
            return self.resolved[account_id].value(name)
        except KeyError:
            return None


_DEFAULTS = {
    name: setting.default
    for name, setting in SETTINGS.items()
    if setting.default is not None and not isinstance(setting.default, OfTenant)
}
"""Hold for tenants made before a setting was declared; later ones have stored them."""


class SettingHistory:
    """The settings of some families over time, resolved per stretch in which nothing changes."""

    def __init__(
        self,
        members: Sequence[tuple[UUID, UUID | None]],
        intervals: Iterable[tuple[UUID | None, str, Any, UUID | None, UUID | None, date, Any]],
        placements: Mapping[UUID, Sequence[tuple[UUID | None, date, date | None]]],
    ) -> None:
        """Take accounts (parents first), their setting rows, and placements that have changed."""
        self._members = members
        self._intervals = list(intervals)
        self._placements = placements
        self._changes = sorted(
            {row[5] for row in self._intervals}
            | {row[6] for row in self._intervals if row[6] is not None}
            | {start for rows in placements.values() for _parent, start, _end in rows}
        )
        self._known: dict[int, FamilySettings] = {}
        self._days: dict[date, FamilySettings] = {}

    def on(self, day: date) -> FamilySettings:
        """Return what holds on ``day``."""
        if day not in self._days:
            stretch = bisect_right(self._changes, day)
            if stretch not in self._known:
                self._known[stretch] = self._resolve(day)
            self._days[day] = self._known[stretch]
        return self._days[day]

    @property
    def changes(self) -> Sequence[date]:
        """The days on which a setting or a place begins or ends, in order."""
        return self._changes

    @property
    def has_moved(self) -> bool:
        """Whether any account stood elsewhere on another day."""
        return bool(self._placements)

    def payers(self) -> set[UUID]:
        """Return the accounts that pay for others, of these families or not."""
        return {row[3] for row in self._intervals if row[1] == SettingName.PAYER and row[3]}

    def as_if(
        self,
        members: Sequence[tuple[UUID, UUID | None]],
        *,
        moves: Iterable[tuple[UUID, UUID | None, date]],
        settings: Iterable[tuple[UUID | None, str, Any, date]],
    ) -> "SettingHistory":
        """Return the history that would be if accounts moved and set something else.

        Args:
            members: the accounts with the parents they would have in the end, parents first.
            moves: accounts, each with its new parent and the day since when, in order of days.
            settings: accounts (None for the tenant), each with a setting, its value (None to
                inherit) and the day since when; later rows of that setting give way.
        """
        intervals, placements = self._intervals, dict(self._placements)
        for account_id, name, value, day in settings:
            intervals = [*_ended(intervals, lambda row: row[:2], (account_id, name), 5, day)]
            if value is not None:
                is_target = name in (SettingName.BILL_TO, SettingName.PAYER)
                is_seller = name == SettingName.SELLER
                intervals.append(
                    (account_id, name, None if is_target or is_seller else value,
                     value if is_target else None, value if is_seller else None, day, None)
                )  # fmt: skip
        stored = dict(self._members)
        for account_id, parent_id, day in moves:
            rows = placements.get(account_id) or [(stored[account_id], date.min, None)]
            placements[account_id] = [*_ended(rows, lambda _row: 0, 0, 1, day),
                                      (parent_id, day, None)]  # fmt: skip
        return SettingHistory(members, intervals, placements)

    def _resolve(self, day: date) -> FamilySettings:
        defaults: dict[str, Any] = dict(_DEFAULTS)
        own: dict[UUID, dict[str, Any]] = defaultdict(dict)
        own_bill_to: dict[UUID, UUID] = {}
        own_payer: dict[UUID, UUID] = {}
        for account_id, name, value, target_id, seller_id, valid_from, valid_to in self._intervals:
            if valid_from > day or (valid_to is not None and valid_to <= day):
                continue
            if account_id is None:
                defaults[name] = seller_id or value
            elif name == SettingName.BILL_TO and target_id is not None:
                own_bill_to[account_id] = target_id
            elif name == SettingName.PAYER and target_id is not None:
                own_payer[account_id] = target_id
            else:
                own[account_id][name] = seller_id or value
        order = self._order(day)
        return FamilySettings(
            resolved=inheritance.resolve(order, own, defaults),
            bill_tos=inheritance.bill_tos(order, own_bill_to),
            payers=inheritance.payers(order, own_payer),
        )

    def _order(self, day: date) -> Sequence[tuple[UUID, UUID | None]]:
        """Return accounts with the parents they had on ``day``, parents first."""
        if not self._placements:
            return self._members
        parents = dict(self._members)
        for account_id, rows in self._placements.items():
            for parent_id, valid_from, valid_to in rows:
                if valid_from <= day and (valid_to is None or day < valid_to):
                    # Who bills a day reads the trees that mattered on it together; where one is
                    # missing, nothing depends on its accounts.
                    parents[account_id] = parent_id if parent_id in parents else None
        ordered: list[tuple[UUID, UUID | None]] = []
        placed: set[UUID | None] = {None}
        waiting = list(parents.items())
        while waiting:
            later = []
            for account_id, parent_id in waiting:
                if parent_id in placed:
                    placed.add(account_id)
                    ordered.append((account_id, parent_id))
                else:
                    later.append((account_id, parent_id))
            if len(later) == len(waiting):  # pragma: no cover - history has no circles
                raise RuntimeError("the placements of one day form a circle")
            waiting = later
        return ordered


def _ended(
    rows: Iterable[Any], key_of: Callable[[Any], Any], key: Any, place: int, day: date
) -> Iterator[Any]:
    """Yield dated rows, those of a key ended on a day; from and to stand at ``place`` and after."""
    for row in rows:
        if key_of(row) != key:
            yield row
        elif row[place] < day:
            ends = row[place + 1]
            yield (*row[: place + 1], day if ends is None or ends > day else ends)


def setting_history(
    actor: Actor,
    members: Sequence[tuple[UUID, UUID | None]],
    *,
    families: Iterable[UUID] | None = None,
) -> SettingHistory:
    """Return the settings of accounts over time. One statement.

    Args:
        actor: whose tenant.
        members: the accounts with their parents, parents first.
        families: the roots of which these are all accounts, where they are; the database then
            finds the accounts by itself instead of reading a name for each.
    """
    if families is None:
        # One parameter, however many accounts: thousands of them are slow to write and parse.
        ids = [str(account_id) for account_id, _parent in members]
        wanted = Q(account_id__in=RawSQL("SELECT unnest(%s::uuid[])", (ids,)))
    else:
        wanted = tree.lies_below(actor.tenant_id, families, "account_id")
    intervals: list[Any] = []
    placements: dict[UUID, list[tuple[UUID | None, date, date | None]]] = defaultdict(list)
    for row in _intervals_and_placements(actor, wanted):
        account_id, name, _value, parent_id, _seller_id, valid_from, valid_to = row
        if name == _PLACEMENT:
            placements[account_id].append((parent_id, valid_from, valid_to))
        else:
            intervals.append(row)
    return SettingHistory(members, intervals, dict(placements))


_PLACEMENT = "-"
"""Stands where rows of settings have the name of one."""


def _intervals_and_placements(actor: Actor, wanted: Q) -> QuerySet[Any, Any]:
    """Return all setting rows, and the placements of accounts that stood in more than one place."""
    intervals = SettingInterval.objects.filter(
        wanted | Q(account=None), tenant_id=actor.tenant_id
    ).values_list("account_id", "name", "value", "target_id", "seller_id", "valid_from", "valid_to")
    moved = Placement.objects.filter(tenant_id=actor.tenant_id, valid_to__isnull=False)
    placements = (
        Placement.objects.filter(
            tenant_id=actor.tenant_id,
            account_id__in=moved.filter(wanted).order_by().values("account_id"),
        )
        .annotate(
            name=Value(_PLACEMENT),
            value=Value(None, JSONField()),
            seller_id=Cast(Value(None), UUIDField()),
        )
        .values_list(
            "account_id", "name", "value", "parent_id", "seller_id", "valid_from", "valid_to"
        )
    )
    return intervals.order_by().union(placements.order_by(), all=True)


# Up from an account by the parents of one day, which may stand in another family now.
_PATH_THEN = """
    WITH RECURSIVE up AS (
        SELECT account_id, parent_id, 1 AS steps FROM accounts_placement
        WHERE tenant_id = %(tenant)s AND account_id = %(account)s
        AND valid_from <= %(day)s AND (valid_to IS NULL OR valid_to > %(day)s)
        UNION ALL
        SELECT above.account_id, above.parent_id, steps + 1 FROM up
        JOIN accounts_placement AS above
            ON above.tenant_id = %(tenant)s AND above.account_id = up.parent_id
            AND above.valid_from <= %(day)s AND (above.valid_to IS NULL OR above.valid_to > %(day)s)
        WHERE steps < %(limit)s
    ) SELECT account_id FROM up ORDER BY steps DESC
"""


def path_ids_then(actor: Actor, account_id: UUID, day: date) -> list[UUID]:
    """Return the accounts from the root down to this one as they stood on a day. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PATH_THEN,
            {
                "tenant": actor.tenant_id,
                "account": account_id,
                "day": day,
                "limit": tree.MAX_DEPTH,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def own_values(
    actor: Actor,
    account_ids: Iterable[UUID],
    names: Iterable[str],
    *,
    as_of: date,
) -> dict[UUID, dict[str, Any]]:
    """Return the plain settings that accounts in sight set themselves. One statement."""
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=list(account_ids))
    rows = (
        SettingInterval.objects.filter(
            holding_on(actor, as_of),
            account__in=seen.order_by().values("pk"),
            name__in=list(names),
        )
        .order_by("account_id", "name", "id")
        .values_list("account_id", "name", "value")
    )
    found: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for account_id, name, value in rows:
        if account_id is not None:
            found[account_id][name] = value
    return dict(found)
