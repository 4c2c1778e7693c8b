"""How the amount of a period came about, as it is stored with its charge for good."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from accounts.models import SettingName
from billing_rules.money import plain_digits, to_minor
from billing_rules.periods import Interval, Period, Unit
from billing_rules.pricing import InvalidQuantity, Model, Priced, PriceTerms, price_of
from billing_rules.proration import prorate
from invoicing.engine.chains import billing_day_of
from invoicing.engine.families import Families
from invoicing.engine.measuring import window_of
from invoicing.engine.pooling import Part, Pooling, major
from invoicing.engine.pools import PoolPeriod
from invoicing.engine.rows import ItemRow, PeriodRow
from subscriptions.models import Discount, Price
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS, fits
from subscriptions.queries.measured import Measured
from tenancy.database.inserting import Joined


class Calculations:
    """Computes amounts; what holds for the next one too is not computed again."""

    def __init__(self, families: Families, pooling: Pooling) -> None:
        """Take the families whose settings decide the anchors, and what is charged together."""
        self._families = families
        self._pooling = pooling
        self._pools: dict[tuple[object, ...], dict[str, Any]] = {}
        self._priced: dict[tuple[int, Decimal, int | None], _PriceOfQuantity] = {}
        self._terms: dict[UUID, PriceTerms] = {}
        self._amounts: dict[tuple[object, ...], dict[str, Any]] = {}
        self._days: dict[tuple[object, ...], dict[str, Any]] = {}
        self._shared_anchors: dict[tuple[object, ...], dict[str, Any]] = {}
        self._anchors: dict[tuple[object, ...], dict[str, Any]] = {}

    def amount(self, price: Price, quantity: Decimal, discount: Discount | None = None) -> Fraction:
        """Return the unrounded price of a full period less a discount, in major units."""
        return self._price(price, quantity, discount).amount

    def usage(self, item: ItemRow, price: Price, period: Period) -> Measured:
        """Return what the meter of a price measured of an item's subscription in some days.

        Raises:
            InvalidQuantity: more than a line can say.
        """
        window = window_of(item.subscription, price, period)
        if window is None:
            raise ValueError(f"{price.id} is not metered")
        used = self._families.usage.of(self._families.actor, window)
        if not fits(used.quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS):
            raise InvalidQuantity("quantity_out_of_range")
        return used

    def of(
        self,
        item: ItemRow,
        price: Price,
        period: PeriodRow,
        discount: Discount | None = None,
        days: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return how the amount of a period came about: ``net_minor``, and what led to it.

        Equal ones are one object, which is computed once and travels to the database once. What is
        metered costs what was used in these days, however many they are.

        Args:
            item: what is charged.
            price: at which it is had then.
            period: the days, and the quantity that is had.
            discount: what is taken off.
            days: as ``days_of`` says, where that is known.

        Raises:
            InvalidQuantity: more was measured than can be priced.
        """
        if days is None:
            days = self.days_of(item, price, period)
        if price.is_metered:
            start, end = period.starts, period.ends
            used = self.usage(item, price, Period(start, end))
            cost = self._price(price, used.quantity, discount).costing(start, end, start, end)
            return Joined(cost, {**days, "usage": {"meter": used.meter, "events": used.events}})
        cost = self._price(price, period.quantity, discount).costing(*period.days)
        key = id(cost), id(days)
        found = self._amounts.get(key)
        if found is None:
            found = self._amounts[key] = Joined(cost, days)
        return found

    def days_of(self, item: ItemRow, price: Price, period: PeriodRow) -> dict[str, Any]:
        """Return the part of an explanation that is about days, but of usage; equal ones once.

        What is metered is charged by what was used, so its days are all of those that count.
        """
        anchor = self._anchor_facts(item, price, period.starts)
        start, end, full_start, full_end = period.days
        if price.is_metered:
            full_start, full_end = start, end
        key = (start, end, full_start, full_end, id(anchor))
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = {
                "period": {"start": start.isoformat(), "end": end.isoformat()},
                "full_period": {"start": full_start.isoformat(), "end": full_end.isoformat()},
                "days": (end - start).days,
                "full_days": (full_end - full_start).days,
                "anchor": anchor,
            }
        return found

    def pooled(self, item: ItemRow, part: Part) -> tuple[Decimal, int, Fraction]:
        """Return what an item used in days that are charged with others, and its share.

        Returns:
            The quantity; the share in minor units; and the share less its discount, unrounded, in
            major units.

        Raises:
            InvalidQuantity: more was measured than can be priced.
        """
        if part.pooled is None:
            raise ValueError("these days are in no pool")
        shares = self._pooling.shares(part.pooled, item)
        quantity, share_minor = shares.of[item.id, part.start]
        amount, discount = major(share_minor, part.pooled.price.currency), part.terms.discount
        return quantity, share_minor, amount if discount is None else discount.off.left_of(amount)

    def of_pool(self, item: ItemRow, part: Part, period: PeriodRow) -> dict[str, Any]:
        """Return how the share of an item in what several have used together came about.

        The price is that of the pool, and its steps are those of what all have used.

        Raises:
            InvalidQuantity: more was measured than can be priced.

        Source: docs/billing-rules.md, Pools.
        """
        one = part.pooled
        if one is None:
            raise ValueError("these days are in no pool")
        quantity, share_minor, amount = self.pooled(item, part)
        used = self.usage(item, part.terms.price, part.period)
        price, days = one.price, {"start": period.starts.isoformat(),
                                  "end": period.ends.isoformat()}  # fmt: skip
        said = {
            **_price_facts(price),
            "quantity": _plain(quantity),
            "steps": [],
            "full_amount": _exact(amount),
        }
        if discount := part.terms.discount:
            before = major(share_minor, price.currency)
            said["discount"] = _discount_facts(discount, before, amount)
        return {
            **said,
            "period": days,
            "full_period": days,
            "days": part.period.days,
            "full_days": part.period.days,
            "anchor": self._anchor_facts(item, price, period.starts),
            "usage": {"meter": used.meter, "events": used.events},
            "pool": {**self._pool_facts(one, item), "share_minor": share_minor},
            "net_minor": to_minor(amount, price.currency),
        }

    def _pool_facts(self, one: PoolPeriod, item: ItemRow) -> dict[str, Any]:
        """Return what is said of a period of a pool to each who is in it."""
        shares, pool = self._pooling.shares(one, item), one.pool
        key = (*one.key, shares.quantity, shares.net_minor, len(shares.of))
        if key not in self._pools:
            priced = price_of(one.price.terms, shares.quantity)
            self._pools[key] = {
                "id": pool.public_id,
                "account": self._families.reference(pool.account_id),
                "period": {
                    "start": one.period.start.isoformat(),
                    "end": one.period.end.isoformat(),
                },
                "members": len(shares.of),
                "net_minor": shares.net_minor,
                "minimum": _plain(one.price.minimum_amount),
                **_steps_of(priced, shares.quantity, priced.amount),
            }
        return self._pools[key]

    def _anchor_facts(self, item: ItemRow, price: Price, day: date) -> dict[str, Any]:
        """Return which rule set the bounds of a period that starts on ``day``, and who said so."""
        subscription = item.subscription
        own = subscription.own_billing_day(day)
        key = (item.account_id, own, subscription.anchor_date,
               price.interval, day)  # fmt: skip
        if key not in self._anchors:
            billing_day, billing_month = billing_day_of(self._families, item, day)
            is_calendar = Interval(Unit(price.interval)).months is not None
            rule = (
                "interval" if not is_calendar else "billing_day" if billing_day else "anniversary"
            )
            is_own, decided_by = own is not None, None
            if rule == "billing_day" and not is_own:
                settings = self._families.on(day).resolved[item.account_id]
                decided_by = self._families.reference(settings.origin(SettingName.BILLING_DAY))
            facts = {
                "rule": rule,
                "day": billing_day if rule == "billing_day" else None,
                "month": billing_month if rule == "billing_day" else None,
                "decided_by": decided_by,
                "start": None if rule == "billing_day" else subscription.anchor_date.isoformat(),
            }
            # Accounts below one that decided share what it decided.
            shared = (rule, facts["day"], facts["month"], facts["start"], str(decided_by))
            self._anchors[key] = self._shared_anchors.setdefault(shared, facts)
        return self._anchors[key]

    def _price(
        self, price: Price, quantity: Decimal, discount: Discount | None
    ) -> "_PriceOfQuantity":
        # Each keeps price and discount alive, so that their addresses name them.
        key = (id(price), quantity, None if discount is None else id(discount))
        found = self._priced.get(key)
        if found is None:
            terms = self._terms.get(price.id)
            if terms is None:
                terms = self._terms[price.id] = price.terms
            found = self._priced[key] = _PriceOfQuantity(
                price, quantity, price_of(terms, quantity), discount
            )
        return found


class _PriceOfQuantity:
    """A price applied to a quantity, less a discount, and its part of the explanation."""

    def __init__(
        self, price: Price, quantity: Decimal, priced: Priced, discount: Discount | None
    ) -> None:
        self.amount = priced.amount if discount is None else discount.off.left_of(priced.amount)
        self.explanation: dict[str, Any] = {
            **_price_facts(price),
            **_steps_of(priced, quantity, self.amount),
        }
        if priced.before is not None:
            self.explanation["minimum"] = {
                "amount": _plain(price.minimum_amount),
                "before": _exact(priced.before),
            }
        if discount is not None:
            facts = _discount_facts(discount, priced.amount, self.amount)
            self.explanation["discount"] = facts
        self._costing: dict[tuple[int, int], dict[str, Any]] = {}
        self._of = price, discount

    def costing(self, start: date, end: date, first: date, last: date) -> dict[str, Any]:
        """Return the part of an explanation that is about the price, and what a period comes to.

        It hangs on how many days are charged of how many: one object for those with the same.
        """
        days = (end - start).days, (last - first).days
        found = self._costing.get(days) if first <= start and end <= last else None
        if found is None:
            net_minor = prorate(
                self.amount, Period(start, end), Period(first, last), self._of[0].currency
            )
            found = self._costing[days] = {**self.explanation, "net_minor": net_minor}
        return found


def _price_facts(price: Price) -> dict[str, Any]:
    return {
        "price": {
            "id": price.public_id,
            "name": price.name,
            "model": price.model,
            "currency": price.currency,
            "unit": price.unit,
            "unit_amount": _plain(price.unit_amount),
            "interval": price.interval,
            "interval_count": price.interval_count,
            "timing": price.timing,
            "tax_class": price.tax_class,
        }
    }


def _discount_facts(discount: Discount, before: Fraction, after: Fraction) -> dict[str, Any]:
    return {
        "id": discount.public_id,
        "name": discount.name,
        "percent": _plain(discount.percent),
        "amount": _plain(discount.amount),
        "before": _exact(before),
        "after": _exact(after),
    }


def calculated_once(
    *, price: Mapping[str, Any], quantity: Decimal, currency: str, start: date, end: date
) -> dict[str, Any]:
    """Return how the amount came about of what is charged once and whole, whatever its days.

    Args:
        price: ``id`` or None, ``name``, ``model`` (flat or per unit), ``unit``, ``unit_amount`` in
            major units and ``tax_class``.
        quantity: how much of it.
        currency: ISO 4217.
        start: the first day that it is for.
        end: the first day that it is not for any more.

    Source: docs/billing-rules.md, R3, R19, Charged once, for no item.
    """
    priced = price_of(PriceTerms(Model(price["model"]), price["unit_amount"]), quantity)
    return {
        "price": {
            **price,
            "unit_amount": _plain(price["unit_amount"]),
            "currency": currency,
            "interval": None,
            "interval_count": None,
            "timing": None,
        },
        **_steps_of(priced, quantity, priced.amount),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "net_minor": to_minor(priced.amount, currency),
    }


def setup_fee_of(price: Price, day: date) -> dict[str, Any]:
    """Return how the setup fee of a price came about that is charged with a first period.

    Source: docs/billing-rules.md, Setup fees.
    """
    said = {
        "id": price.public_id,
        "name": price.name,
        "model": Model.FLAT.value,
        "unit": "",
        "unit_amount": price.setup_fee,
        "tax_class": price.tax_class,
    }
    return calculated_once(
        price=said,
        quantity=Decimal(1),
        currency=price.currency,
        start=day,
        end=day + timedelta(days=1),
    )


def _steps_of(priced: Priced, quantity: Decimal, amount: Fraction) -> dict[str, Any]:
    return {
        "quantity": _plain(quantity),
        "steps": [
            {
                "up_to": _plain(step.tier.up_to) if step.tier else None,
                "quantity": _plain(step.quantity),
                "unit_amount": _plain(step.unit_amount),
                "flat_amount": _plain(step.flat_amount),
                "amount": _exact(step.amount),
            }
            for step in priced.steps
        ],
        "full_amount": _exact(amount),
    }


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else plain_digits(number)


def _exact(amount: Fraction) -> str:
    """Return a sum of products of decimals as text: it always ends."""
    decimals = 0
    while 10**decimals % amount.denominator:
        decimals += 1
    digits = str(amount.numerator * 10**decimals // amount.denominator).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
