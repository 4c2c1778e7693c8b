"""Which version of a price an account has, day by day: negotiated above it, or everybody's."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Coalesce

from accounts import tree
from billing_rules.price_lists import Version, in_force, nearest, repriced
from billing_rules.timelines import Stretch
from subscriptions.models import Item, Price, Uncharged
from subscriptions.queries.terms import ItemTerms, terms_of
from tenancy.actor import Actor

Prices = Sequence[Stretch[Price]]


@dataclass(frozen=True)
class PriceLists:
    """All versions of some prices, for some accounts.

    ``paths`` are the accounts from the root down to each; ``versions`` are by the first version
    and by the account that has negotiated them, None for everybody's.
    """

    paths: Mapping[UUID, Sequence[UUID]]
    versions: Mapping[UUID, Mapping[UUID | None, Sequence[Price]]]
    _known: dict[tuple[UUID, tuple[UUID, ...]], Prices] = field(default_factory=dict)
    _terms: dict[tuple[UUID, Decimal], ItemTerms] = field(default_factory=dict)

    def at(self, account_id: UUID, family_id: UUID) -> Prices:
        """Return what a price costs an account, day by day, since ever and for ever."""
        versions = self.versions[family_id]
        path = self.paths.get(account_id, ())
        places = tuple(key for key in reversed(path) if key in versions)
        if (family_id, places) not in self._known:
            levels = [in_force(map(_version, versions[key])) for key in (*places, None)]
            self._known[family_id, places] = nearest(levels)
        return self._known[family_id, places]

    def knows(self, price_id: UUID) -> bool:
        """Return whether a version is of one of these prices, and may be had in these places."""
        return price_id in self._by_key

    @cached_property
    def _by_key(self) -> dict[UUID, Price]:
        return {
            one.pk: one
            for places in self.versions.values()
            for some in places.values()
            for one in some
        }

    def on(self, account_id: UUID, family_id: UUID, day: date) -> Price:
        """Return the version that an account has on a day."""
        return next(one.value for one in self.at(account_id, family_id) if one.holds_on(day))

    def for_everybody(self, family_id: UUID, day: date) -> Price:
        """Return the version that whoever has negotiated nothing has on a day."""
        found = in_force(map(_version, self.versions[family_id][None]))
        return next(one.value for one in found if one.holds_on(day))

    def ends(self, family_id: UUID) -> dict[UUID, date | None]:
        """Return until when each version of a price holds, in its place."""
        found: dict[UUID, date | None] = {}
        for versions in self.versions[family_id].values():
            found |= ends_of(versions)
        return found

    def terms(
        self, account_id: UUID, family_id: UUID, start: date, quantity: Decimal
    ) -> list[Stretch[ItemTerms]]:
        """Return what somebody has who begins with a price on a day: its versions, one by one."""
        found = []
        for one in self.at(account_id, family_id):
            if one.end is not None and one.end <= start:
                continue
            if (one.value.pk, quantity) not in self._terms:
                self._terms[one.value.pk, quantity] = terms_of(one.value, quantity)
            terms = self._terms[one.value.pk, quantity]
            found.append(Stretch(max(one.start, start), one.end, terms))
        return found

    def having(self, price: Price) -> "PriceLists":
        """Return the lists in which a version is as given, whatever is stored of it."""
        return self._with(price, [price])

    def without(self, price: Price) -> "PriceLists":
        """Return the lists in which there is no such version."""
        return self._with(price, [])

    def _with(self, price: Price, instead: Sequence[Price]) -> "PriceLists":
        places = dict(self.versions[price.family_id])
        kept = [one for one in places.get(price.account_id, ()) if one.pk != price.pk]
        places[price.account_id] = [*kept, *instead]
        versions = {**self.versions, price.family_id: places}
        return replace(self, versions=versions, _known={}, _terms={})


def price_lists(
    actor: Actor, price_ids: Collection[UUID], account_ids: Iterable[UUID]
) -> PriceLists:
    """Return all versions of what some prices are versions of. Two or three statements.

    A step of whoever has asked for the right: what is negotiated elsewhere is not read.

    Args:
        actor: who asks.
        price_ids: any versions.
        account_ids: for whom; where they stand today decides.
    """
    named = Price.objects.filter(tenant_id=actor.tenant_id, pk__in=price_ids)
    # By its own key, where it is the first.
    families = set(
        named.annotate(family=Coalesce("first_id", "id")).values_list("family", flat=True)
    )
    paths = tree.paths(actor.tenant_id, account_ids)
    above = {key for path in paths.values() for key in path}
    rows = Price.objects.filter(
        Q(pk__in=families) | Q(first_id__in=families), tenant_id=actor.tenant_id
    ).select_related("product")
    found: dict[UUID, dict[UUID | None, list[Price]]] = {key: {None: []} for key in families}
    for row in rows.order_by("number", "id"):
        if row.account_id is None or row.account_id in above:
            found[row.family_id].setdefault(row.account_id, []).append(row)
    return PriceLists(paths, found)


def repriced_terms(
    lists: tuple[PriceLists, PriceLists],
    item: Item,
    family_id: UUID,
    timeline: Sequence[Stretch[ItemTerms]],
) -> list[Stretch[ItemTerms]]:
    """Return the terms of an item once its price has other versions.

    Args:
        lists: the versions before, and after.
        item: whose account decides.
        family_id: the first version.
        timeline: its terms.

    Source: docs/billing-rules.md, Versions of a price.
    """
    before, after = (one.at(item.account_id, family_id) for one in lists)
    return repriced(timeline, before, after, key=_sold_at, put=_at)


def before_the_end(price: Price) -> Price:
    """Return a version as it was before it got an end; it is not stored."""
    stored = copy(price)
    stored.ends_on = None
    return stored


def ends_of(versions: Iterable[Price]) -> dict[UUID, date | None]:
    """Return until when each version of one price in one place holds; its start if never."""
    known = list(versions)
    held = {one.value.pk: one.end for one in in_force(map(_version, known))}
    return {one.pk: held.get(one.pk, one.valid_from) for one in known}


def grouped(prices: Iterable[Price]) -> dict[UUID | None, list[Price]]:
    """Return versions by the account that has negotiated them."""
    found: dict[UUID | None, list[Price]] = defaultdict(list)
    for one in prices:
        found[one.account_id].append(one)
    return dict(found)


def _version(price: Price) -> Version[Price]:
    return Version(price, price.valid_from or date.min, price.ends_on)


def _sold_at(terms: ItemTerms) -> Price | None:
    """Return the version that terms are of; what is no part of a subscription is of none."""
    return None if terms.uncharged == Uncharged.ABSENT else terms.price


def _at(terms: ItemTerms, price: Price) -> ItemTerms:
    return terms_of(price, terms.quantity, terms.uncharged, terms.discount)
