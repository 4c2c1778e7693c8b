"""Some families as they stand, or as they would: what billing asks of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias, TypedDict
from uuid import UUID

from accounts import tree
from accounts.models import Account, BankAccount, Seller, SettingName
from accounts.queries.setting_history import FamilySettings, SettingHistory
from billing_rules.tax import TaxDecision, decide, vat_id_valid
from billing_rules.tax_rates import Rate, rate_on
from billing_rules.territories import tax_area, vat_id_country
from invoicing.engine.measuring import Usage
from invoicing.engine.pools import Pools
from invoicing.engine.what_if import WhatIf
from tenancy.actor import Actor
from tenancy.ids import public_id

Parties: TypeAlias = tuple[UUID, UUID]
"""Who is invoiced, and who pays."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a run that somebody has to look at; a warning keeps nothing from being billed.

    ``params`` are what the sentence for ``code`` names.
    """

    code: str
    account_id: UUID
    subscription_id: UUID | None = None
    is_warning: bool = False
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Families:
    """Some families as they are under their locks.

    Attributes:
        members: every account with its parent, parents first.
        accounts: the accounts themselves.
        position: each account's place depth first, over all families.
        in_scope: the accounts that the run is about.
        problems: what has been noted about them.
        judged: the accounts whose charges were placed, so that all warnings of them are noted.
        usage: what was read of their meters.
        pools: what is charged together there; None until somebody asks.
        owes_credits: whether any credit of the tenant waits that names whose it is.
        has_pools: whether the tenant has any pool.
        has_late_usage: whether any usage of the tenant came in late.
    """

    actor: Actor
    members: list[tuple[UUID, UUID | None]]
    accounts: dict[UUID, Account]
    position: dict[UUID, int]
    root_of: dict[UUID, UUID]
    in_scope: set[UUID]
    history: SettingHistory
    sellers: dict[UUID, Seller]
    bank_accounts: dict[tuple[UUID, str], BankAccount]
    rates: dict[UUID, list[Rate]]
    last_issue_dates: dict[UUID, date]
    is_sandbox: bool
    tenant_name: str
    within: UUID | None = None
    owes_credits: bool = False
    has_pools: bool = True
    has_late_usage: bool = True
    problems: list[Problem] = field(default_factory=list)
    judged: set[UUID] = field(default_factory=set)
    usage: Usage = field(default_factory=Usage)
    pools: Pools | None = None
    # What follows from accounts, sellers and rates holds in every world: it is told once for all.
    _decisions: dict[tuple[UUID, UUID], TaxDecision] = field(default_factory=dict)
    _references: dict[UUID, dict[str, str]] = field(default_factory=dict)
    _rates_on: dict[tuple[UUID, str, date], Rate | None] = field(default_factory=dict)

    def as_if(self, what_if: WhatIf, day: date) -> "Families":
        """Return these families as they would be on a day in another world; reads nothing.

        What moves later than ``day`` stands where it stood: a run of that day finds it there.

        Raises:
            TreeCycle: an account would stand below itself.
        """
        moves = what_if.moves_until(day)
        members = self.members
        if moves:
            parents = dict(members)
            for move in moves:
                parents[move.account_id] = move.parent_id
            members = self._parents_first(parents)
        history = self.history
        if moves or what_if.settings:
            history = history.as_if(
                members,
                moves=[(move.account_id, move.parent_id, move.day) for move in moves],
                settings=[(one.account_id, one.name, one.value, one.day)
                          for one in what_if.settings],
            )  # fmt: skip
        return replace(
            self,
            **standing_of(members, self.accounts, self.within),
            history=history,
            problems=[],
            judged=set(),
        )

    def _parents_first(self, parents: Mapping[UUID, UUID | None]) -> list[tuple[UUID, UUID | None]]:
        """Return accounts with their parents, level by level in their order."""
        below: dict[UUID | None, list[UUID]] = defaultdict(list)
        for account_id in sorted(parents, key=lambda one: (self.accounts[one].sort_key, one)):
            below[parents[account_id]].append(account_id)
        ordered: list[tuple[UUID, UUID | None]] = []
        level: list[UUID | None] = [None]
        while level:
            rows = [(child, parent) for parent in level for child in below[parent]]
            ordered += rows
            level = [child for child, _parent in rows]
        if len(ordered) < len(parents):
            raise tree.TreeCycle
        return ordered

    @cached_property
    def parents(self) -> dict[UUID, UUID | None]:
        """Each account's parent."""
        return dict(self.members)

    def on(self, day: date) -> FamilySettings:
        """Return the settings that hold on ``day``."""
        return self.history.on(day)

    def bill_to(
        self, owner_id: UUID, override_id: UUID | None, day: date
    ) -> tuple[UUID, UUID | None]:
        """Return the bill-to of a service owner on ``day``, and the account that decided it.

        An override counts within the family, whichever others are billed beside it.
        """
        if override_id is not None and self.root_of.get(override_id) == self.root_of[owner_id]:
            return override_id, owner_id
        return self.on(day).bill_tos[owner_id]

    def parties(self, owner_id: UUID, override_id: UUID | None, day: date) -> Parties:
        """Return the bill-to and the payer of a service owner on ``day``."""
        bill_to_id, _by = self.bill_to(owner_id, override_id, day)
        return bill_to_id, self.on(day).payers[bill_to_id][0]

    def path(self, top_id: UUID, account_id: UUID) -> list[str]:
        """Return the names from below ``top_id`` down to the account; its own if it is the top.

        Of an account that stands elsewhere its own: its new family is nobody else's business.
        """
        return [self.accounts[key].name for key in self._way(top_id, account_id)]

    def lineage(self, top_id: UUID, account_id: UUID) -> list[dict[str, str | None]]:
        """Return ids and customer numbers of the accounts that ``path`` names."""
        return [
            {"id": public_id("acc", key), "number": self.accounts[key].external_id}
            for key in self._way(top_id, account_id)
        ]

    def _way(self, top_id: UUID, account_id: UUID) -> list[UUID]:
        """Return the accounts from below ``top_id`` down; the account alone if it is not above."""
        way: list[UUID] = []
        up: UUID | None = account_id
        while up is not None and up != top_id:
            way.append(up)
            up = self.parents[up]
        return way[::-1] if way and up is not None else [account_id]

    def reference(self, account_id: UUID | None) -> dict[str, str] | None:
        """Return an account as an explanation names it."""
        if account_id is None:
            return None
        if account_id not in self._references:
            name = self.accounts[account_id].name
            self._references[account_id] = {"id": public_id("acc", account_id), "name": name}
        return self._references[account_id]

    def tax_decision(self, seller_id: UUID, bill_to_id: UUID) -> TaxDecision:
        """Return the tax regime between a seller and a bill-to (R14, R32)."""
        key = (seller_id, bill_to_id)
        if key not in self._decisions:
            buyer, seller = self.accounts[bill_to_id], self.sellers[seller_id]
            country = vat_id_country(buyer.country, buyer.postal_code)
            self._decisions[key] = decide(
                tax_area(seller.country, seller.postal_code).code,
                tax_area(buyer.country, buyer.postal_code).code,
                bool(buyer.vat_id) and vat_id_valid(country, buyer.vat_id),
            )
        return self._decisions[key]

    def can_number(self, seller_id: UUID, day: date) -> bool:
        """Return whether the seller's series has not gone beyond ``day`` (R6)."""
        last = self.last_issue_dates.get(seller_id)
        return last is None or last <= day

    def can_issue(self, seller_id: UUID) -> bool:
        """Return whether the seller's details are real, or nobody takes them for real."""
        return self.is_sandbox or not self.sellers[seller_id].is_placeholder

    def rate(self, seller_id: UUID, tax_class: str, day: date) -> Rate | None:
        """Return the seller's rate of a class on the last day of service."""
        key = (seller_id, tax_class, day)
        if key not in self._rates_on:
            self._rates_on[key] = rate_on(self.rates[seller_id], tax_class, day)
        return self._rates_on[key]

    def seller_of(self, settings: FamilySettings, bill_to_id: UUID) -> UUID:
        """Return the seller that the bill-to's settings name."""
        value: Any = settings.value(bill_to_id, SettingName.SELLER)
        return value if isinstance(value, UUID) else UUID(str(value))


class Standing(TypedDict):
    """What follows from where accounts stand; the names are those of ``Families``."""

    members: list[tuple[UUID, UUID | None]]
    position: dict[UUID, int]
    root_of: dict[UUID, UUID]
    in_scope: set[UUID]


def standing_of(
    members: list[tuple[UUID, UUID | None]],
    accounts: Mapping[UUID, Account],
    within: UUID | None,
) -> Standing:
    """Return what follows from where accounts stand; parents come first in ``members``."""
    root_of: dict[UUID, UUID] = {}
    families: dict[UUID, list[tuple[UUID, UUID | None]]] = defaultdict(list)
    for account_id, parent_id in members:
        root = account_id if parent_id is None else root_of[parent_id]
        root_of[account_id] = root
        families[root].append((account_id, parent_id))
    ordered = sorted(families, key=lambda root: (accounts[root].sort_key, root))
    order = [account_id for root in ordered for account_id in tree.depth_first(families[root])]
    return Standing(
        members=members,
        position={account_id: place for place, account_id in enumerate(order)},
        root_of=root_of,
        in_scope=set(order) if within is None else _below(members, within),
    )


def _below(members: Iterable[tuple[UUID, UUID | None]], top: UUID) -> set[UUID]:
    below = {top}
    for account_id, parent_id in members:
        if parent_id in below:
            below.add(account_id)
    return below
