"""Which discount holds for an item on each day, of those that were given."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from accounts import tree
from billing_rules.discounts import Given, with_discounts
from billing_rules.timelines import Stretch
from subscriptions.models import Discount, DiscountedItem
from subscriptions.queries.terms import ItemTerms, terms_of
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows

Timeline = Sequence[Stretch[ItemTerms]]
GivenTo = Mapping[UUID, Sequence[Given[Discount]]]


def given_to(actor: Actor, item_ids: Collection[UUID]) -> dict[UUID, list[Given[Discount]]]:
    """Return the discounts that items were given, by item. One statement, none without items."""
    found: dict[UUID, list[Given[Discount]]] = defaultdict(list)
    if item_ids:
        rows = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, item_id__in=item_ids)
        for row in rows.select_related("discount").order_by("pk"):
            found[row.item_id].append(Given(row.discount, row.starts, row.ends))
    return found


def in_order(
    actor: Actor,
    owner_id: UUID,
    given: Sequence[Given[Discount]],
    path: Sequence[UUID] | None = None,
) -> list[Given[Discount]]:
    """Return the discounts of an item, the one that goes before the others first.

    The subscription's own goes before those of accounts, and a nearer account's before a farther
    one's; what an account gave that is not above any more comes last. One statement where accounts
    gave any, none where ``path``, from the root down to the owner, is known.

    Source: docs/billing-rules.md, Discounts.
    """
    if path is None and any(one.discount.account_id for one in given):
        path = tree.path_ids(actor.tenant_id, owner_id)
    place: dict[UUID | None, int] = {key: depth for depth, key in enumerate(path or ())}

    def rank(one: Given[Discount]) -> tuple[bool, int]:
        account_id = one.discount.account_id
        return account_id is not None, -place.get(account_id, -1)

    return sorted(given, key=rank)


def resolved(timeline: Timeline, given: Sequence[Given[Discount]]) -> list[Stretch[ItemTerms]]:
    """Return the terms of an item with the discounts that hold, which come as ``in_order`` says.

    Source: docs/billing-rules.md, Discounts.
    """
    return with_discounts(
        timeline,
        given,
        lambda terms, one: terms_of(terms.price, terms.quantity, terms.uncharged, one),
        applies=lambda terms, one: one.applies_to(terms.price),
    )


def store_given(actor: Actor, given: Mapping[UUID, Sequence[Given[Discount]]]) -> None:
    """Store what items are given; the discounts are stored already. One statement."""
    insert_rows(
        [
            DiscountedItem(
                tenant_id=actor.tenant_id,
                discount=one.discount,
                item_id=item_id,
                starts=one.start,
                ends=one.end,
            )
            for item_id, some in given.items()
            for one in some
        ]
    )
