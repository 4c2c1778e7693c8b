"""Settling what was charged of a subscription, once its terms or its end are others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from billing_rules.pricing import InvalidQuantity
from billing_rules.schedule import MAX_STEPS
from billing_rules.timelines import Stretch
from invoicing.engine.rating import MAX_AMOUNT_MINOR
from invoicing.engine.reading import periods_since, subscription_rows
from invoicing.engine.reading_charges import charges_since
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow, SubscriptionRow, Terms
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.pools.sharing import note_mates, note_shares
from subscriptions.models import Item, Price, Subscription
from subscriptions.queries.terms import ItemTerms, had_between
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.errors import Invalid, NotFound


class TooLongAgo(Invalid):
    """More periods would be charged anew than anybody looks through."""

    code = "too_many_periods"
    message = gettext_lazy("At most %(count)s periods can be changed at once.")


class AmountTooLarge(Invalid):
    """More than any document can hold."""

    code = "amount_out_of_range"
    message = gettext_lazy("The amount is too large.")


def root_of(actor: Actor, subscription_id: UUID) -> UUID:
    """Return the root of the tree in which a subscription is used. Two statements.

    Raises:
        NotFound: it is out of the actor's sight.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    visible = Subscription.objects.filter(
        tenant_id=actor.tenant_id, pk=subscription_id, account__in=seen
    )
    account_id = visible.values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound
    return tree.path_ids(actor.tenant_id, account_id)[0]


def settled(
    actor: Actor,
    settler: Settler,
    subscription: Subscription,
    items: Sequence[Item],
    terms: Mapping[UUID, Sequence[Stretch[ItemTerms]]],
    since: date,
) -> list[ChargeRow]:
    """Return what makes good what was charged for days since a change; nothing is stored.

    Four statements. The caller has asked, and locked tree and subscription.

    Args:
        actor: who changes it.
        settler: of the families of the subscription.
        subscription: with the end that it is to have.
        items: those that may cost something else.
        terms: what each of them is to cost.
        since: the first day that may cost something else.

    Raises:
        TooLongAgo, AmountTooLarge: see their texts.
    """
    periods = periods_since(actor, [item.pk for item in items], since)
    if sum(map(len, periods.values())) > MAX_STEPS:
        raise TooLongAgo(count=MAX_STEPS)
    charges = charges_since(actor, [one for some in periods.values() for one in some])
    stored = subscription_rows(actor, [subscription.pk])[subscription.pk]
    row = replace(stored, end_date=subscription.end_date)
    made: list[ChargeRow] = []
    for item in items:
        due = fallen_due(item, periods.get(item.pk, ()))
        settled_row = item_row(item, row, terms[item.pk])
        try:
            made += settler.settle(settled_row, due, charges.get(item.pk, ()))
        except InvalidQuantity:
            raise AmountTooLarge from None
    if any(abs(charge.net_minor) > MAX_AMOUNT_MINOR for charge in made):
        raise AmountTooLarge
    return [pending(charge) for charge in made]


def item_row(
    item: Item, subscription: SubscriptionRow, timeline: Sequence[Stretch[ItemTerms]]
) -> ItemRow:
    """Return an item as billing takes it, with the terms that it is to have."""
    first, *later = timeline
    begins, ends = had_between(timeline)
    return ItemRow(
        item.pk,
        item.account_id,
        first.value.quantity,
        item.chain_end,
        item.next_action_date or date.max,
        subscription.while_had(begins, ends),
        first.value.price,
        tuple(
            Terms(
                one.start,
                one.value.quantity,
                one.value.price,
                one.value.uncharged,
                one.value.discount,
            )
            for one in later
        ),
        first.value.uncharged,
        discount=first.value.discount,
        owes_setup=item.owes_setup,
    )


def pending(charge: ChargeRow) -> ChargeRow:
    """Return a charge that says itself that it waits, and for which day."""
    charge.reason = {
        "code": "pending",
        "due_date": charge.due_date.isoformat(),
        "invoice_on": charge.invoice_on.isoformat(),
    }
    return charge


def store_charges(actor: Actor, charges: Sequence[ChargeRow], now: datetime) -> None:
    """Store credits and charges; the caller has asked, and locked tree and subscription.

    What others of a pool were charged is made good by the next run.
    """
    insert_rows(
        charges,
        into=Charge,
        tenant_id=actor.tenant_id,
        created_at=now,
        is_held=False,
        held_until=None,
        external_id=None,
    )
    note_shares(actor, charges)
    note_mates(actor, charges)


def as_charge(actor: Actor, subscription: Subscription, row: ChargeRow, now: datetime) -> Charge:
    """Return a charge as a row of its table, stored or not."""
    return Charge(
        id=row.id,
        tenant_id=actor.tenant_id,
        item_id=row.item_id,
        period_id=row.period_id,
        subscription=subscription,
        account=subscription.account,
        kind=row.kind,
        credited_id=row.credited_id,
        po_number=row.po_number,
        period_start=row.period_start,
        period_end=row.period_end,
        revision=row.revision,
        due_date=row.due_date,
        invoice_on=row.invoice_on,
        currency=row.currency,
        net_minor=row.net_minor,
        status=row.status,
        calculation=row.calculation,
        reason=row.reason,
        created_at=now,
    )


def fallen_due(item: Item, periods: Sequence[PeriodRow]) -> Sequence[PeriodRow]:
    """Return the periods that have been charged: one in arrears falls due when it ends."""
    runs = item.price.timing == Price.Timing.ARREARS and item.next_action_date is not None
    return [one for one in periods if not (runs and one.ends == item.chain_end)]
