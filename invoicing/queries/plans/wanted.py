"""What a plan wants, as values; and as the world it would make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from accounts.models import SettingName
from invoicing.engine.what_if import (
    Crediting,
    HandOver,
    Move,
    Realignment,
    Recipient,
    Setting,
    WhatIf,
)
from invoicing.models import ChangePlan
from tenancy.ids import parse_public_id, public_id

REFERENCES: Final = (SettingName.BILL_TO, SettingName.PAYER)
KEEP, REROUTE = "keep", "reroute"
STAY, CREDIT = "stay", "credit"
TAKES_CREDIT: Final = frozenset(
    {
        ChangePlan.Kind.MOVE,
        ChangePlan.Kind.PAYER,
        ChangePlan.Kind.BILL_TO,
        ChangePlan.Kind.PROMOTION,
        ChangePlan.Kind.SUBSCRIPTION,
    }
)
"""The kinds that may make others be invoiced or pay for what was charged already.

A consolidation leaves both as they are; a merge is of one party with itself; nothing is charged of
an account that is closed; an alignment settles its days by itself.
"""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Periods that are to begin on one day.

    Attributes:
        billing_day: the day of the month, 1 to 31.
        billing_month: the month in which longer periods begin, None for no certain one.
        method: what becomes of the days up to it: ``short``, ``long``, ``free`` or
            ``rebill``.
        include_subtree: whether the accounts below follow.
        is_for_payer: all follow, in any tree, whose invoices the account pays; what lies below it
            is not asked.
        excluded: accounts below that stay as they are, with all below them.
        is_back: it brings back what was before another one; settings say what.
        own_days: subscriptions whose own billing day ends with it, or holds again.
    """

    billing_day: int
    billing_month: int | None = None
    method: str = "short"
    include_subtree: bool = True
    excluded: tuple[UUID, ...] = ()
    is_back: bool = False
    own_days: tuple[UUID, ...] = ()
    is_for_payer: bool = False

    def stored(self) -> dict[str, Any]:
        """Return it as plain JSON, with ids as integrators see them."""
        found: dict[str, Any] = {
            "billing_day": self.billing_day,
            "billing_month": self.billing_month,
            "method": self.method,
            "include_subtree": self.include_subtree,
            "except": [public_id("acc", key) for key in self.excluded],
        }
        if self.is_for_payer:
            found["scope"] = "payer"
        if self.is_back:
            found["is_back"] = True
            found["own_days"] = [public_id("sub", key) for key in self.own_days]
        return found

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Alignment":
        """Return what was stored."""
        return cls(
            billing_day=stored["billing_day"],
            billing_month=stored["billing_month"],
            method=stored["method"],
            include_subtree=stored["include_subtree"],
            excluded=tuple(_known("acc", key) for key in stored["except"]),
            is_back=stored.get("is_back", False),
            own_days=tuple(_known("sub", key) for key in stored.get("own_days", ())),
            is_for_payer=stored.get("scope") == "payer",
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """One change and the answers to what it leaves open.

    Attributes:
        kind: of ``ChangePlan.Kind``.
        account_id: the account it is about; for a promotion the child that rises, for a
            subscription whose it is.
        day: since when.
        target_id: the new parent, payer or bill-to, or to whom the children of a closed account
            go, or into which a duplicate is merged; None for none: the top of a tree, or
            inheriting.
        value: the consolidation; None to inherit.
        open_drafts: ``keep`` or ``reroute``.
        prepaid: ``stay`` or ``credit``.
        settings: by account, settings with the value they get; None to inherit.
        overrides: by subscription, to whom it is invoiced; None for whoever the account says.
        places: accounts with their parents, where several move back; in the order in which they do.
        reopens: the account is closed and opens again.
        alignment: on which day periods are to begin, None for other kinds.
    """

    kind: str
    account_id: UUID
    day: date
    target_id: UUID | None = None
    value: Any = None
    open_drafts: str = KEEP
    prepaid: str = STAY
    settings: Mapping[UUID, Mapping[str, Any]] = field(default_factory=dict)
    overrides: Mapping[UUID, UUID | None] = field(default_factory=dict)
    places: tuple[tuple[UUID, UUID | None], ...] = ()
    reopens: bool = False
    alignment: Alignment | None = None

    def stored(self) -> dict[str, Any]:
        """Return it as plain JSON, with ids as integrators see them."""
        found: dict[str, Any] = {}
        if self.kind in _TARGETS:
            found[_TARGETS[self.kind]] = _reference("acc", self.target_id)
        elif self.kind == ChangePlan.Kind.CONSOLIDATION:
            found["consolidation"] = self.value
        found |= {"open_drafts": self.open_drafts, "prepaid": self.prepaid}
        answers: dict[str, Any] = {
            public_id("acc", account_id): {
                name: _reference("acc", value) if name in REFERENCES else value
                for name, value in values.items()
            }
            for account_id, values in self.settings.items()
        }
        answers |= {
            public_id("sub", key): {"bill_to": _reference("acc", target)}
            for key, target in self.overrides.items()
        }
        if self.places:
            found["places"] = [
                [public_id("acc", key), _reference("acc", up)] for key, up in self.places
            ]
        if self.reopens:
            found["reopens"] = True
        if self.alignment is not None:
            found["alignment"] = self.alignment.stored()
        return {**found, "settings": answers}

    @classmethod
    def of(cls, plan: ChangePlan) -> "Wanted":
        """Return what a stored plan wants."""
        stored: Mapping[str, Any] = plan.parameters
        settings: dict[UUID, dict[str, Any]] = {}
        overrides: dict[UUID, UUID | None] = {}
        for key, values in stored["settings"].items():
            account_id = parse_public_id("acc", key)
            if account_id is None:
                overrides[_known("sub", key)] = _read("acc", values["bill_to"])
            else:
                settings[account_id] = {
                    name: _read("acc", value) if name in REFERENCES else value
                    for name, value in values.items()
                }
        return cls(
            kind=plan.kind,
            account_id=plan.account_id,
            day=plan.effective_date,
            target_id=_read("acc", stored.get(_TARGETS.get(plan.kind, ""))),
            value=stored.get("consolidation"),
            open_drafts=stored["open_drafts"],
            prepaid=stored["prepaid"],
            settings=settings,
            overrides=overrides,
            places=tuple(
                (_known("acc", key), _read("acc", up)) for key, up in stored.get("places", ())
            ),
            reopens=stored.get("reopens", False),
            alignment=Alignment.of(stored["alignment"]) if "alignment" in stored else None,
        )

    @property
    def own_settings(self) -> dict[UUID, dict[str, Any]]:
        """Return all settings that change, the plan's own subject among them."""
        found = {account_id: dict(values) for account_id, values in self.settings.items()}
        if self.setting is not None:
            value = self.target_id if self.setting in REFERENCES else self.value
            found.setdefault(self.account_id, {})[self.setting] = value
        return found

    @property
    def subscription_id(self) -> UUID | None:
        """The one subscription that the plan is about, None where it is about accounts."""
        is_one = self.kind == ChangePlan.Kind.SUBSCRIPTION
        return next(iter(self.overrides), None) if is_one else None

    @property
    def setting(self) -> SettingName | None:
        """The setting that the plan is about, None where it is about places."""
        return _SETTING_OF.get(self.kind)


_TARGETS: Final[dict[str, str]] = {
    ChangePlan.Kind.MOVE: "parent",
    ChangePlan.Kind.PAYER: "payer",
    ChangePlan.Kind.BILL_TO: "bill_to",
    ChangePlan.Kind.CLOSING: "children_to",
    ChangePlan.Kind.SUBSCRIPTION: "bill_to",
    ChangePlan.Kind.MERGE: "into",
}
"""Of the kinds that name an account."""
_SETTING_OF: Final[dict[str, SettingName]] = {
    ChangePlan.Kind.PAYER: SettingName.PAYER,
    ChangePlan.Kind.BILL_TO: SettingName.BILL_TO,
    ChangePlan.Kind.CONSOLIDATION: SettingName.CONSOLIDATION,
}


def moves_of(
    wanted: Wanted, parents: Mapping[UUID, UUID | None]
) -> tuple[tuple[UUID, UUID | None], ...]:
    """Return who gets which parent, in the order in which it is done.

    Args:
        wanted: the plan.
        parents: of the accounts as they stand; of a promotion, a closing and a merge those around
            the subject are needed.
    """
    subject = wanted.account_id
    if wanted.places:
        return wanted.places
    if wanted.kind == ChangePlan.Kind.MOVE:
        return ((subject, wanted.target_id),)
    if wanted.kind == ChangePlan.Kind.CLOSING and wanted.target_id is not None:
        return tuple((key, wanted.target_id) for key, up in parents.items() if up == subject)
    if wanted.kind == ChangePlan.Kind.MERGE:
        below = [key for key, up in parents.items() if up == subject]
        # The duplicate goes along, so that whoever reaches the kept one reaches its documents.
        return tuple(
            (key, wanted.target_id) for key in (subject, *below) if parents[key] != wanted.target_id
        )
    if wanted.kind == ChangePlan.Kind.PROMOTION:
        above = parents[subject]
        siblings = [key for key, up in parents.items() if up == above and key != subject]
        # The child rises first, so that nobody stands below itself for a moment.
        top = None if above is None else parents[above]
        rest = [*siblings, *([] if above is None else [above])]
        return ((subject, top), *((key, subject) for key in rest))
    return ()


def world_of(
    wanted: Wanted,
    moves: tuple[tuple[UUID, UUID | None], ...],
    realignments: tuple[Realignment, ...] = (),
    *,
    scope: Iterable[UUID] = (),
) -> WhatIf:
    """Return how the world would differ from the stored one.

    Args:
        wanted: the plan.
        moves: who gets which parent.
        realignments: how items are aligned.
        scope: the accounts that the plan is about: what is charged of theirs may be credited.
    """
    return WhatIf(
        crediting=Crediting(
            wanted.day,
            frozenset(scope),
            wanted.subscription_id,
            takes_drafts=wanted.open_drafts == REROUTE,
        )
        if wanted.prepaid == CREDIT
        else None,
        realignments=realignments,
        moves=tuple(Move(key, parent_id, wanted.day) for key, parent_id in moves),
        settings=tuple(
            Setting(account_id, SettingName(name), value, wanted.day)
            for account_id, values in wanted.own_settings.items()
            for name, value in values.items()
        ),
        recipients=tuple(
            Recipient(key, target, wanted.day) for key, target in wanted.overrides.items()
        ),
        hand_overs=(
            (HandOver(wanted.account_id, wanted.target_id, wanted.day),)
            if wanted.kind == ChangePlan.Kind.MERGE and wanted.target_id is not None
            else ()
        ),
    )


def _reference(prefix: str, key: UUID | None) -> str | None:
    return None if key is None else public_id(prefix, key)


def _read(prefix: str, text: str | None) -> UUID | None:
    return None if text is None else _known(prefix, text)


def _known(prefix: str, text: str) -> UUID:
    key = parse_public_id(prefix, text)
    if key is None:  # pragma: no cover - only this module writes them
        raise ValueError(text)
    return key
