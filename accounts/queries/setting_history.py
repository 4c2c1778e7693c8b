"""The settings of families over time, resolved in memory."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.declarations import SETTINGS, OfTenant, SettingName
from billing_rules import inheritance
from billing_rules.inheritance import Resolved


@dataclass(frozen=True, slots=True)
class FamilySettings:
    """What holds on every account of some families, for one stretch of time."""

    resolved: Mapping[UUID, Resolved[UUID]]
    bill_tos: Mapping[UUID, tuple[UUID, UUID | None]]
    payers: Mapping[UUID, tuple[UUID, UUID | None]]

    def value(self, account_id: UUID, name: str) -> Any:
        """Return the effective value of a plain setting, None where nobody sets it.

        A billing day or month of 0 is set to keep one from being inherited: there is none.
        """
        found = self.said(account_id, name)
        return found if found or name not in _NONE_IS_ZERO else None

    def said(self, account_id: UUID, name: str) -> Any:
        """Return it as it was set, also where that says that there is none."""
        try:
            return self.resolved[account_id].value(name)
        except KeyError:
            return None


_NONE_IS_ZERO = frozenset({SettingName.BILLING_DAY, SettingName.BILLING_MONTH})
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

    def parents(self, day: date) -> Mapping[UUID, UUID | None]:
        """Return the parent that each account had on a day."""
        return dict(self._order(day))

    @property
    def has_moved(self) -> bool:
        """Whether any account stood elsewhere on another day."""
        return bool(self._placements)

    def payers(self) -> set[UUID]:
        """Return the accounts that pay for others, of these families or not."""
        return {row[3] for row in self._intervals if row[1] == SettingName.PAYER and row[3]}

    def beside(self, other: "SettingHistory") -> "SettingHistory":
        """Return both histories in one: the other one is of other accounts of the same tenant."""
        return SettingHistory(
            [*self._members, *other._members],
            [*self._intervals, *(row for row in other._intervals if row[0] is not None)],
            {**self._placements, **other._placements},
        )

    def as_if(
        self,
        members: Sequence[tuple[UUID, UUID | None]],
        *,
        moves: Iterable[tuple[UUID, UUID | None, date]],
        settings: Iterable[tuple[UUID | None, str, Any, date]],
    ) -> "SettingHistory":
        """Return the history that would be if accounts moved and set something else.

        Args:
            members: the accounts with the parents they would have in the end, parents first;
                those that are ``beside`` stay where they are.
            moves: accounts, each with its new parent and the day since when, in order of days.
            settings: accounts (None for the tenant), each with a setting, its value (None to
                inherit) and the day since when. It holds up to the next change that is planned
                after it, as one that is written does (``billing_rules.timelines.changed``).
        """
        placements = dict(self._placements)
        settings = list(settings)
        concerned: dict[tuple[UUID | None, str], list[Any]] = {row[:2]: [] for row in settings}
        intervals: list[Any] = []
        for row in self._intervals:
            concerned.get(row[:2], intervals).append(row)
        for account_id, name, value, day in settings:
            own = concerned[account_id, name]
            intervals_of = [*_ended(own, 5, day), *(row for row in own if row[5] > day)]
            if value is not None:
                is_target = name in (SettingName.BILL_TO, SettingName.PAYER)
                is_seller = name == SettingName.SELLER
                until = min((end for row in own for end in row[5:7] if end and end > day),
                            default=None)  # fmt: skip
                intervals_of.append(
                    (account_id, name, None if is_target or is_seller else value,
                     value if is_target else None, value if is_seller else None, day, until)
                )  # fmt: skip
            concerned[account_id, name] = intervals_of
        intervals += [row for rows in concerned.values() for row in rows]
        stored = dict(self._members)
        known = {account_id for account_id, _parent in members}
        members = [*members, *(pair for pair in self._members if pair[0] not in known)]
        for account_id, parent_id, day in moves:
            rows = placements.get(account_id) or [(stored[account_id], date.min, None)]
            placements[account_id] = [*_ended(rows, 1, day), (parent_id, day, None)]
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


def _ended(rows: Iterable[Any], place: int, day: date) -> Iterator[Any]:
    """Yield dated rows as they are before a day; from and to stand at ``place`` and after."""
    for row in rows:
        if row[place] < day:
            ends = row[place + 1]
            yield (*row[: place + 1], day if ends is None or ends > day else ends)
