"""What somebody wants of the items of a subscription, and whether it can be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from billing_rules.discounts import Given
from billing_rules.timelines import Stretch, altered
from invoicing.operations.subscriptions.opening import InvalidChange, Opened
from subscriptions.models import Discount, Item, Price, Uncharged
from subscriptions.models.limits import MAX_ITEMS, QUANTITY_DECIMALS, QUANTITY_DIGITS, fits
from subscriptions.operations.catalogue import exact_fault, hold_prices, sale_fault
from subscriptions.operations.discounts.resolving import given_to, in_order, resolved
from subscriptions.queries.price_lists import PriceLists, price_lists
from subscriptions.queries.terms import ItemTerms, terms_of
from tenancy.actor import Actor
from tenancy.errors import FieldError

Timeline = Sequence[Stretch[ItemTerms]]


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item at another price or in another quantity, or no longer; None is what it is.

    Any version of another price stands for those that the account has from the day on;
    ``is_exact`` takes the one that is named.
    """

    item_id: UUID
    price_id: UUID | None = None
    quantity: Decimal | None = None
    is_removed: bool = False
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class ItemAddition:
    """A price that the subscription did not have, and how much of it; as of ``ItemChange``."""

    price_id: UUID
    quantity: Decimal
    is_exact: bool = False


@dataclass(slots=True)
class Wanted:
    """What becomes of the items: new terms of those that change, and those that come in."""

    changed: dict[UUID, Timeline] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    added: dict[UUID, Timeline] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Offers:
    """The prices that are named, and their versions for the account of the subscription."""

    actor: Actor
    account_id: UUID
    prices: Mapping[UUID, Price]
    lists: PriceLists

    def named(self, change: ItemChange | ItemAddition, day: date) -> Price | None:
        """Return the version meant by a change on a day, None where there is none."""
        price = self.prices.get(change.price_id) if change.price_id else None
        if price is None or not self.lists.knows(price.pk):
            return None
        if change.is_exact:
            return price
        return self.lists.on(self.account_id, price.family_id, day)

    def from_day(self, price: Price, day: date, *, is_exact: bool) -> list[Stretch[Price]]:
        """Return a version and those that follow it; alone if it was chosen as it is."""
        if is_exact:
            return [Stretch(day, None, price)]
        versions = self.lists.at(self.account_id, price.family_id)
        return [
            Stretch(max(one.start, day), one.end, one.value)
            for one in versions
            if one.end is None or one.end > day
        ]


def timelines_after(
    actor: Actor, opened: Opened, changes: Sequence[ItemChange | ItemAddition], day: date
) -> Wanted:
    """Return the terms of the items that are others from a day on. Five statements.

    Raises:
        InvalidChange: an item, a price or a quantity can't be; all that is wrong is named.
    """
    offers = _offers(actor, opened, changes)
    wanted, errors = Wanted(), []
    named: set[UUID] = set()
    for place, change in enumerate(changes):
        at = f"/items/{place}"
        if isinstance(change, ItemAddition):
            errors += _added(actor, opened, change, offers, day, at, wanted)
        elif _held(opened, change.item_id, day) is None or change.item_id in named:
            detail = _("The subscription has no such item, or it is named twice.")
            errors.append(FieldError("unknown_item", detail, f"{at}/id"))
        else:
            named.add(change.item_id)
            errors += _changed(actor, opened, change, offers, day, at, wanted)
    if errors:
        raise InvalidChange(errors=errors)
    if fault := _count_fault(opened, wanted, day):
        raise InvalidChange(errors=[fault])
    return wanted


def with_discounts_of(
    actor: Actor, opened: Opened, wanted: Wanted, day: date
) -> dict[UUID, Sequence[Given[Discount]]]:
    """Give the changed and added items the discounts that hold; return what the added ones have.

    What comes in has what its subscription has for other items, up to the day on which it ends
    there. One statement, one more where an account above gives a discount.

    Source: docs/billing-rules.md, Discounts.
    """
    known = given_to(actor, [item.pk for item in opened.items])
    if not known:
        return {}
    owner = opened.subscription.account_id
    for key, timeline in wanted.changed.items():
        wanted.changed[key] = resolved(timeline, in_order(actor, owner, known.get(key, ())))
    ends: dict[Discount, date | None] = {}
    for one in (one for some in known.values() for one in some):
        before = ends.get(one.discount, one.end)
        ends[one.discount] = None if before is None or one.end is None else max(before, one.end)
    coming = [
        Given(discount, max(day, discount.starts), end)
        for discount, end in ends.items()
        if end is None or end > max(day, discount.starts)
    ]
    found: dict[UUID, Sequence[Given[Discount]]] = {}
    for key, timeline in wanted.added.items():
        price = timeline[-1].value.price
        if given := [one for one in coming if one.discount.applies_to(price)]:
            found[key] = given
            wanted.added[key] = resolved(timeline, in_order(actor, owner, given))
    return found


def _offers(actor: Actor, opened: Opened, changes: Sequence[ItemChange | ItemAddition]) -> _Offers:
    ids = [change.price_id for change in changes if change.price_id is not None]
    hold_prices(actor, ids)
    offered = Price.objects.filter(tenant_id=actor.tenant_id, pk__in=ids)
    prices = {price.pk: price for price in offered.select_related("product")}
    account_id = opened.subscription.account_id
    lists = price_lists(actor, prices.keys(), [account_id] if prices else [])
    return _Offers(actor, account_id, prices, lists)


def _held(opened: Opened, item_id: UUID, day: date) -> ItemTerms | None:
    """Return the terms of an item on a day, None where it is no part of the subscription."""
    timeline = opened.timelines.get(item_id, ())
    terms = next((one.value for one in timeline if one.holds_on(day)), None)
    return None if terms is None or terms.uncharged == Uncharged.ABSENT else terms


def _changed(
    actor: Actor,
    opened: Opened,
    change: ItemChange,
    offers: _Offers,
    day: date,
    at: str,
    wanted: Wanted,
) -> list[FieldError]:
    """Note what becomes of an item; return what is wrong with it."""
    before = opened.timelines[change.item_id]
    old = _held(opened, change.item_id, day)
    assert old is not None  # noqa: S101 - the caller has looked
    if change.is_removed:
        wanted.changed[change.item_id] = altered(before, day, None, _absent)
        return []
    is_kept = change.price_id in (None, old.price.pk)
    price = old.price if is_kept else offers.named(change, day)
    quantity = old.quantity if change.quantity is None else change.quantity
    faults = _faults(opened, price, quantity, at, is_sold=price != old.price)
    if not is_kept and change.is_exact and (fault := exact_fault(offers.actor, f"{at}/price")):
        faults.append(fault)
    if faults or price is None or (price, quantity) == (old.price, old.quantity):
        return faults
    if (price.cycle, price.timing) != (old.price.cycle, old.price.timing):
        # Its periods are others: this item ends, and one with the new price begins.
        wanted.changed[change.item_id] = altered(before, day, None, _absent)
        addition = ItemAddition(price.pk, quantity, change.is_exact)
        faults = _added(actor, opened, addition, offers, day, at, wanted)
        if not faults:
            wanted.items[-1].owes_setup = False
        return faults
    end = _next_change(before, day)
    after = altered(before, day, end, lambda one: _had_in(one, quantity))
    if price != old.price:
        for one in offers.from_day(price, day, is_exact=change.is_exact):
            if end is not None and one.start >= end:
                break
            after = altered(after, one.start, _earlier(one.end, end), _sold_at(one.value))
    wanted.changed[change.item_id] = after
    return []


def _earlier(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _had_in(terms: ItemTerms, quantity: Decimal) -> ItemTerms:
    return terms_of(terms.price, quantity, terms.uncharged, terms.discount)


def _next_change(timeline: Timeline, day: date) -> date | None:
    """Return the first day after a day on which price or quantity are others, or it is gone.

    A pause is no change of either: what holds when it begins holds when it is over. Another
    version of the price is none either.
    """
    held: ItemTerms | None = None
    for one in timeline:
        if one.holds_on(day):
            held = one.value
        elif held is not None and (
            (one.value.price.family_id, one.value.quantity) != (held.price.family_id, held.quantity)
            or one.value.uncharged == Uncharged.ABSENT
        ):
            return one.start
    return None


def _added(
    actor: Actor,
    opened: Opened,
    addition: ItemAddition,
    offers: _Offers,
    day: date,
    at: str,
    wanted: Wanted,
) -> list[FieldError]:
    """Note an item that comes in; return what is wrong with it."""
    price = offers.named(addition, day)
    faults = _faults(opened, price, addition.quantity, at, is_sold=True)
    if addition.is_exact and (fault := exact_fault(offers.actor, f"{at}/price")):
        faults.append(fault)
    if faults or price is None:
        return faults
    subscription = opened.subscription
    terms = terms_of(price, addition.quantity)
    item = Item(
        tenant_id=actor.tenant_id,
        subscription=subscription,
        account_id=subscription.account_id,
        price=price,
        quantity=addition.quantity,
        monthly_minor=Decimal(terms.monthly_minor),
    )
    timeline: Timeline = [Stretch(subscription.start_date, None, terms)]
    for one in offers.from_day(price, day, is_exact=addition.is_exact):
        timeline = altered(timeline, one.start, one.end, _sold_at(one.value))
    for start, end in _pauses(opened):
        timeline = altered(timeline, start, end, _paused)
    if day > subscription.start_date:
        timeline = altered(timeline, subscription.start_date, day, _absent)
    wanted.items.append(item)
    wanted.added[item.pk] = timeline
    return []


def _pauses(opened: Opened) -> list[tuple[date, date | None]]:
    """Return when the subscription is paused: all of its items are, as long as they are part."""
    found = {
        (one.start, one.end)
        for timeline in opened.timelines.values()
        for one in timeline
        if one.value.uncharged == Uncharged.PAUSED
    }
    return sorted(found, key=lambda pair: pair[0])


def _sold_at(price: Price) -> Callable[[ItemTerms], ItemTerms]:
    """Return what gives terms another price; a discount goes on if it is for that."""

    def put(terms: ItemTerms) -> ItemTerms:
        discount = terms.discount
        is_for = discount is not None and discount.applies_to(price)
        return terms_of(price, terms.quantity, terms.uncharged, discount if is_for else None)

    return put


def _absent(terms: ItemTerms) -> ItemTerms:
    return terms_of(terms.price, terms.quantity, Uncharged.ABSENT, terms.discount)


def _paused(terms: ItemTerms) -> ItemTerms:
    return terms_of(terms.price, terms.quantity, Uncharged.PAUSED, terms.discount)


def _faults(
    opened: Opened, price: Price | None, quantity: Decimal, at: str, *, is_sold: bool
) -> list[FieldError]:
    errors = []
    if price is None:
        errors.append(FieldError("unknown_price", _("There is no such price."), f"{at}/price"))
    elif any(item.price.currency != price.currency for item in opened.items):
        detail = _("All prices of a subscription are in one currency.")
        errors.append(FieldError("mixed_currencies", detail, f"{at}/price"))
    elif is_sold and (fault := sale_fault(price, f"{at}/price")):
        errors.append(fault)
    if not fits(quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS) or quantity < 0:
        detail = _(
            "A quantity of 0 or more is expected, with at most 12 digits before and 6 after"
            " the point."
        )
        errors.append(FieldError("out_of_range", detail, f"{at}/quantity"))
    return errors


def _count_fault(opened: Opened, wanted: Wanted, day: date) -> FieldError | None:
    """Return what is wrong with how many items there would be on a day, None where nothing is."""
    after = {**opened.timelines, **wanted.changed, **wanted.added}
    held = [
        key
        for key, timeline in after.items()
        if any(one.holds_on(day) and one.value.uncharged != Uncharged.ABSENT for one in timeline)
    ]
    if not held:
        detail = _("Nothing would be left. To end the subscription, cancel it.")
        return FieldError("no_item_left", detail, "/items")
    if len(after) > MAX_ITEMS:
        return FieldError("out_of_range", _("1 to 100 items are expected."), "/items")
    return None
