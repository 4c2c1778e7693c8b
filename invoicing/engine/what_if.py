"""What if: accounts, settings, items and prices other than those stored, from a day on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from uuid import UUID

from accounts.models import SettingName
from billing_rules.periods import Period
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow, SubscriptionRow
from invoicing.models import Charge
from subscriptions.models import Price, Uncharged
from tenancy.errors import NotFound
from tenancy.ids import uuid7


@dataclass(frozen=True, slots=True)
class Move:
    """An account stands below another parent from ``day`` on; None: it is the root of a tree."""

    account_id: UUID
    parent_id: UUID | None
    day: date


@dataclass(frozen=True, slots=True)
class Setting:
    """An account sets something from ``day`` on, up to the next change stored for a later day.

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
class NewItem:
    """An account subscribes to something; the price may be one that is not stored."""

    account_id: UUID
    price: Price
    quantity: Decimal
    start_date: date
    end_date: date | None = None
    billing_day: int | None = None
    override_bill_to_id: UUID | None = None
    po_number: str = ""
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item in another quantity or at another price from ``day`` on, up to the next change.

    None is what it was. What has been charged stays as it is.
    """

    item_id: UUID
    day: date
    quantity: Decimal | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """An item is served no longer from ``day`` on; a period that has begun by now runs out."""

    item_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Whatever is had at a price is had at another from ``day`` on."""

    price_id: UUID
    price: Price
    day: date


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscription is invoiced to somebody else from ``day`` on; None: as its account is."""

    subscription_id: UUID
    bill_to_id: UUID | None
    day: date


@dataclass(frozen=True, slots=True)
class HandOver:
    """What an account subscribes to, and is charged from ``day`` on, is another's from then on.

    What is not charged yet by then is the other's too.
    """

    account_id: UUID
    to_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class Realignment:
    """How an item differs once its periods begin on other days.

    Attributes:
        item_id: which.
        day: since when.
        own_day_until: its subscription's own billing day holds for periods that begin before, None
            for all.
        begins: when the first period begins that is other than it was.
        waits_from: the part that begins then is charged with the period after it.
        free: these days are not charged; what was to be free from ``begins`` on before is.
        ends: the period that runs ends then, earlier than it did; None where it does not.
        credits: what is credited of that period.
        invoiced_on: when that is invoiced, and whatever waited for a later end of the period.
    """

    item_id: UUID
    day: date
    own_day_until: date | None = None
    begins: date | None = None
    waits_from: date | None = None
    free: Period | None = None
    ends: date | None = None
    credits: tuple[ChargeRow, ...] = ()
    invoiced_on: date | None = None

    def moved_up(self, charge: ChargeRow) -> ChargeRow:
        """Return a charge of the item, due no later than the period ends now.

        A part that is too short for an invoice of its own is due with the period after it.
        """
        if self.ends is None or self.invoiced_on is None:
            return charge
        is_due = min(charge.due_date, self.ends) == charge.due_date
        if is_due or charge.status == Charge.Status.INVOICED:
            return charge
        return replace(charge, due_date=self.ends, invoice_on=self.invoiced_on)

    def of(self, item: ItemRow) -> ItemRow:
        """Return the item as it is then."""
        until = self.own_day_until if item.subscription.billing_day is not None else None
        one, subscription = item, item.subscription
        if subscription.billing_day_until != until:
            one = replace(one, subscription=replace(subscription, billing_day_until=until))
        if one.waits_from != self.waits_from:
            one = replace(one, waits_from=self.waits_from)
        if self.ends is not None:
            one = replace(one, chain_end=self.ends, next_action_date=self.ends)
        if self.begins is None or not self.changes_terms(item):
            return one
        return one.freed(self.begins, self.free)

    def changes_terms(self, item: ItemRow) -> bool:
        """Return whether other days of the item are free than were."""
        known = {item.uncharged, *(terms.uncharged for terms in item.later)}
        return self.free is not None or Uncharged.FREE in known


@dataclass(frozen=True, slots=True)
class Crediting:
    """What was charged for ``day`` and later goes back to who was charged, if another is invoiced.

    Attributes:
        day: since when another is.
        account_ids: whose items it is about.
        subscription_id: the one subscription that it is about, None for all of the accounts.
        takes_drafts: what stands on drafts goes over to the other as a whole.
    """

    day: date
    account_ids: frozenset[UUID]
    subscription_id: UUID | None = None
    takes_drafts: bool = False

    def concerns(self, charge: ChargeRow) -> bool:
        """Return whether a charge that is still to come is for such days."""
        return (
            charge.period_id is not None
            and charge.period_end > self.day
            and charge.account_id in self.account_ids
            and self.subscription_id in (None, charge.subscription_id)
        )


class _OfSubscription(Protocol):
    """An item or a charge."""

    @property
    def subscription(self) -> SubscriptionRow | None:
        """Whose it is; a charge may be for none."""


_Row = TypeVar("_Row", bound=_OfSubscription)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """How a world differs from the one that is stored. Without anything it is that one."""

    moves: tuple[Move, ...] = ()
    settings: tuple[Setting, ...] = ()
    new_items: tuple[NewItem, ...] = ()
    item_changes: tuple[ItemChange, ...] = ()
    ends: tuple[ItemEnd, ...] = ()
    prices: tuple[PriceChange, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()
    realignments: tuple[Realignment, ...] = ()
    crediting: Crediting | None = None
    new_charges: tuple[ChargeRow, ...] = ()

    def moves_until(self, day: date) -> tuple[Move, ...]:
        """Return what has moved up to a day, in the order in which it does."""
        return tuple(sorted((m for m in self.moves if m.day <= day), key=lambda move: move.day))

    @property
    def since(self) -> date | None:
        """The first day on which anything is other than stored, None if days before may be too.

        An item that ends, or another price, also decides about periods that begin before; what is
        charged once beside them may be due before anything else.
        """
        if self.new_items or self.item_changes or self.ends or self.prices or self.new_charges:
            return None
        days = [*(move.day for move in self.moves), *(one.day for one in self.settings),
                *(one.day for one in self.recipients),
                *(one.day for one in self.hand_overs),
                *(one.day for one in self.realignments)]  # fmt: skip
        return min(days, default=None)

    def standing(self) -> Iterator[UUID]:
        """Yield the accounts whose trees it takes to tell what comes of it."""
        for move in self.moves:
            yield move.account_id
            if move.parent_id is not None:
                yield move.parent_id
        for item in self.new_items:
            yield item.account_id
            if item.override_bill_to_id is not None:
                yield item.override_bill_to_id
        for recipient in self.recipients:
            if recipient.bill_to_id is not None:
                yield recipient.bill_to_id
        for one in self.hand_overs:
            yield from (one.account_id, one.to_id)
        for charge in self.new_charges:
            yield charge.account_id
        for setting in self.settings:
            if setting.account_id is not None:
                yield setting.account_id
            if setting.name == SettingName.BILL_TO and setting.value is not None:
                yield setting.value

    def items(self, stored: Iterable[ItemRow]) -> list[ItemRow]:
        """Return the items that would be due some day, in the order of their ids.

        Raises:
            NotFound: an item that changes or ends is not among them.
        """
        items = {item.id: item for item in stored}
        for new in self.new_items:
            items[new.id] = _begun(new)
        for end in self.ends:
            _ended(items, end)
        changes = [
            *self.item_changes,
            *(ItemChange(item.id, one.day, price=one.price)
              for one in self.prices for item in items.values() if item.price.id == one.price_id),
        ]  # fmt: skip
        for change in sorted(changes, key=lambda one: one.day):
            _changed(items, change)
        return self.owned(items[key] for key in sorted(items))

    def owned(self, items: Iterable[ItemRow]) -> list[ItemRow]:
        """Return items as they would be from the first day on which anything is other."""
        owners = {one.account_id: one.to_id for one in self.hand_overs}
        owned = (
            replace(item, account_id=owners[item.account_id]) if item.account_id in owners else item
            for item in self.readdressed(items)
        )
        others = {one.item_id: one for one in self.realignments}
        return [others[item.id].of(item) if item.id in others else item for item in owned]

    def begun(self, periods: Mapping[UUID, PeriodRow]) -> dict[UUID, PeriodRow]:
        """Return the periods that run as they would be: one that ends early is shorter."""
        found = dict(periods)
        for one in self.realignments:
            if one.ends is not None and one.item_id in found:
                found[one.item_id] = replace(found[one.item_id], ends=one.ends)
        return found

    def credited(self) -> list[ChargeRow]:
        """Return what is credited of periods that end early."""
        return [replace(charge) for one in self.realignments for charge in one.credits]

    def owed(self, charges: Iterable[ChargeRow]) -> list[ChargeRow]:
        """Return charges as they would be; those of days before are whose they were."""
        given = {one.account_id: one for one in self.hand_overs}
        early = {one.item_id: one for one in self.realignments if one.ends is not None}
        return [
            early[charge.item_id].moved_up(charge) if charge.item_id in early else charge
            for charge in (_owed(one, given) if given else one for one in self.readdressed(charges))
        ]

    def readdressed(self, rows: Iterable[_Row]) -> list[_Row]:
        """Return items or charges whose subscriptions name the recipients that they would."""
        others = {one.subscription_id: one for one in self.recipients}
        return [
            self._to(row, others.get(row.subscription.id)) if others and row.subscription else row
            for row in rows
        ]

    @staticmethod
    def _to(row: _Row, other: Recipient | None) -> _Row:
        if other is None or row.subscription is None:
            return row
        subscription = row.subscription.readdressed(other.bill_to_id, other.day)
        return replace(row, subscription=subscription)  # type: ignore[type-var]

    def paying(self) -> Iterator[UUID]:
        """Yield the accounts that would pay for others: they may stand in any tree."""
        for setting in self.settings:
            if setting.name == SettingName.PAYER and setting.value is not None:
                yield setting.value


AS_STORED = WhatIf()
"""The world as it is."""


def _owed(charge: ChargeRow, given: Mapping[UUID, HandOver]) -> ChargeRow:
    """Return a charge, or a credit for a certain recipient, of those who have it then."""
    own, bill_to = given.get(charge.account_id), given.get(charge.bill_to_id or charge.account_id)
    if own is not None and charge.invoice_on >= own.day:
        charge = replace(charge, account_id=own.to_id)
    if charge.bill_to_id and bill_to is not None and charge.invoice_on >= bill_to.day:
        charge = replace(charge, bill_to_id=bill_to.to_id)
    return charge


def _begun(new: NewItem) -> ItemRow:
    subscription = SubscriptionRow(
        id=new.id,
        external_id=None,
        start_date=new.start_date,
        end_date=new.end_date,
        billed_until=None,
        billing_day=new.billing_day,
        override_bill_to_id=new.override_bill_to_id,
        po_number=new.po_number,
    )
    return ItemRow(new.id, new.account_id, new.quantity, None, new.start_date, subscription,
                   new.price)  # fmt: skip


def _ended(items: dict[UUID, ItemRow], end: ItemEnd) -> None:
    """End an item among others; one that never begins is gone."""
    item = _of(items, end.item_id)
    day = max(end.day, item.chain_end or end.day)
    known = item.subscription.end_date
    if known is not None and known <= day:
        return
    if item.chain_end is None and day <= item.subscription.start_date:
        del items[item.id]
        return
    items[item.id] = replace(item, subscription=replace(item.subscription, end_date=day))


def _changed(items: dict[UUID, ItemRow], change: ItemChange) -> None:
    """Let an item have other terms from a day on, up to the next change; a pause is none."""
    item = _of(items, change.item_id)
    held = item.terms_on(change.day)
    quantity = held.quantity if change.quantity is None else change.quantity
    price = held.price if change.price is None else change.price
    later = [one for one in item.later if one.day < change.day]
    later.append(replace(held, day=change.day, quantity=quantity, price=price))
    is_same = True
    for one in sorted(item.later, key=lambda one: one.day):
        if one.day <= change.day:
            continue
        # Another version of its price is no change of what somebody has.
        is_same = is_same and (one.price.family_id, one.quantity) == (
            held.price.family_id,
            held.quantity,
        )
        kept = one.price if change.price is None else price
        later.append(replace(one, quantity=quantity, price=kept) if is_same else one)
    items[item.id] = replace(item, later=tuple(later))


def _of(items: Mapping[UUID, ItemRow], item_id: UUID) -> ItemRow:
    if item_id not in items:
        raise NotFound
    return items[item_id]
