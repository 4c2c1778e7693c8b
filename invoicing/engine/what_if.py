"""What if: accounts, settings, items and prices other than those stored, from a day on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from accounts.models import SettingName


@dataclass(frozen=True, slots=True)
class Move:
    """An account stands below another parent from ``day`` on; None: it is the root of a tree."""

    account_id: UUID
    parent_id: UUID | None
    day: date


@dataclass(frozen=True, slots=True)
class Setting:
    """An account sets something from ``day`` on, whatever is stored for later days.

    Attributes:
        account_id: who sets it; None for the default of the tenant.
        name: which setting.
        value: as it is stored: an account's id for bill-to and payer, a seller's for the seller.
            None goes back to inheriting.
        day: since when.
    """

    account_id: UUID | None
    name: SettingName
    value: Any
    day: date


@dataclass(frozen=True, slots=True)
class WhatIf:
    """How a world differs from the one that is stored. Without anything it is that one."""

    moves: tuple[Move, ...] = field(default=())
    settings: tuple[Setting, ...] = field(default=())

    def moves_until(self, day: date) -> tuple[Move, ...]:
        """Return what has moved up to a day, in the order in which it does."""
        return tuple(sorted((m for m in self.moves if m.day <= day), key=lambda move: move.day))

    def standing(self) -> Iterator[UUID]:
        """Yield the accounts whose trees it takes to tell what comes of it."""
        for move in self.moves:
            yield move.account_id
            if move.parent_id is not None:
                yield move.parent_id
        for setting in self.settings:
            if setting.account_id is not None:
                yield setting.account_id
            if setting.name == SettingName.BILL_TO and setting.value is not None:
                yield setting.value

    def paying(self) -> Iterator[UUID]:
        """Yield the accounts that would pay for others: they may stand in any tree."""
        for setting in self.settings:
            if setting.name == SettingName.PAYER and setting.value is not None:
                yield setting.value


AS_STORED = WhatIf()
"""The world as it is."""
