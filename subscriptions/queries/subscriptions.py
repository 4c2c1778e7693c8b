"""Subscriptions: lists, one by one, and by the names that integrators give them."""

from datetime import date
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from accounts import access, tree
from accounts.access import Action
from billing_rules.subscription_states import State
from subscriptions.models import Item, Subscription
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of


def subscriptions(
    actor: Actor,
    *,
    within: UUID | None = None,
    account: UUID | None = None,
    status: str | None = None,
    today: date,
) -> QuerySet[Subscription]:
    """Return the subscriptions in reach, the latest start first, with accounts, items and prices.

    Two statements.

    Args:
        actor: who asks.
        within: only those of this account and of what lies below it.
        account: only those of this account itself.
        status: only those in this state.
        today: the day whose states are meant.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION)
    found = Subscription.objects.filter(
        tenant_id=actor.tenant_id, account__in=seen.order_by().values("pk")
    )
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    if account is not None:
        found = found.filter(account_id=account)
    if status is not None:
        found = found.filter(_is(status, today))
    return (
        found.select_related("account", "override_bill_to")
        .prefetch_related(Prefetch("items", Item.objects.select_related("price__product")))
        .order_by("-start_date", "-id")
    )


def state_counts(actor: Actor, *, within: UUID | None = None, today: date) -> dict[str, int]:
    """Return how many subscriptions are in each state. One statement.

    Args:
        actor: who asks.
        within: only those of this account and of what lies below it.
        today: the day whose states are meant.
    """
    found = subscriptions(actor, within=within, today=today).order_by()
    counts = {state.value: Count("pk", filter=_is(state, today)) for state in State}
    return dict(found.aggregate(**counts))


def mrr_sums(
    actor: Actor, *, within: UUID | None = None, status: str | None = None, today: date
) -> dict[str, int]:
    """Return what running subscriptions bring in a month, by currency. One statement.

    Args:
        actor: who asks.
        within: only those of this account and of what lies below it.
        status: only those in this state.
        today: the day whose states are meant; in minor units.
    """
    found = subscriptions(actor, within=within, status=status, today=today)
    rows = (
        found.filter(_is(State.ACTIVE, today) | _is(State.NON_RENEWING, today))
        .order_by()
        .values("items__price__currency")
        .annotate(sum=Sum("items__monthly_minor"))
        .values_list("items__price__currency", "sum")
    )
    return {currency: int(amount) for currency, amount in rows if amount}


def get_subscription(actor: Actor, reference: str, *, today: date) -> Subscription:
    """Return the subscription that ``sub_…`` or ``ext:…`` names. Two statements.

    Raises:
        NotFound: none in reach is named so.
    """
    if "\x00" in reference:
        raise NotFound
    kind, _, external_id = reference.partition(":")
    named = Q(external_id=external_id) if kind == "ext" else Q(pk=key_of("sub", reference))
    found = subscriptions(actor, today=today).filter(named).first()
    if found is None:
        raise NotFound
    return found


def _is(status: str, today: date) -> Q:
    """Return ``billing_rules.subscription_states.state_on`` as a condition."""
    has_not_ended = Q(end_date=None) | Q(end_date__gt=today)
    match status:
        case State.CANCELLED:
            return Q(end_date__lte=today)
        case State.FUTURE:
            return has_not_ended & Q(start_date__gt=today)
        case State.NON_RENEWING:
            return Q(end_date__gt=today, start_date__lte=today)
        case State.ACTIVE:
            return Q(end_date=None, start_date__lte=today)
        case _:
            # A state that nothing sets yet.
            return Q(pk__in=())
