"""Subscriptions: lists, one by one, and by the names that integrators give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Case, CharField, Count, Prefetch, Q, QuerySet, Sum, Value, When

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.queries.placements import lies_below
from accounts.queries.searching import has_words
from billing_rules.subscription_states import State, state_on
from subscriptions.models import Item, Subscription, Uncharged
from subscriptions.queries.owners import owners_on
from subscriptions.queries.terms import monthly_on, paused_on, with_items_on
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of

_MOST_WORDS: Final = 8


def subscriptions(
    actor: Actor,
    *,
    within: UUID | None = None,
    account: UUID | None = None,
    status: str | None = None,
    text: str = "",
    stood_on: date | None = None,
    today: date,
) -> QuerySet[Subscription]:
    """Return the subscriptions in reach, the latest start first, with accounts, items and prices.

    Two statements. The items are as agreed last: what they are on a day says ``with_items_on``.

    Args:
        actor: who asks.
        within: only those of this account and of what lies below it.
        account: only those of this account itself.
        status: only those in this state.
        text: only those of which account, price, product, order or external id have all its words.
        stood_on: the day whose tree is meant, None for that of now.
        today: the day whose states are meant.
    """
    found = _reached(actor)
    if within is not None and stood_on is not None:
        seen = access.reach(actor, Action.VIEW_SUBSCRIPTION)
        then = seen.filter(lies_below(actor, within, stood_on))
        found = found.filter(_belonged(actor, then, stood_on))
    if within is not None and stood_on is None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    if account is not None:
        found = found.filter(account_id=account)
    for word in text.replace("\x00", " ").split()[:_MOST_WORDS]:
        found = found.filter(_has(actor, word))
    if status is not None:
        found = found.filter(_is(actor, status, today))
    return (
        found.select_related("account", "override_bill_to")
        .prefetch_related(
            Prefetch("items", Item.objects.select_related("price__product", "discount"))
        )
        .order_by("-start_date", "-id")
    )


def state_of(subscription: Subscription, on: date) -> State:
    """Return the state of a subscription, of which the items of the day have been read."""
    items = subscription.items.all()
    return state_on(
        on,
        subscription.start_date,
        subscription.end_date,
        trial_end=subscription.trial_end,
        is_paused=any(item.uncharged == Uncharged.PAUSED for item in items),
        non_renewing_since=subscription.non_renewing_since,
    )


def state_counts(actor: Actor, *, within: UUID | None = None, today: date) -> dict[str, int]:
    """Return how many subscriptions are in each state. One statement.

    Args:
        actor: who asks.
        within: only those of this account and of what lies below it.
        today: the day whose states are meant.
    """
    found = subscriptions(actor, within=within, today=today).order_by()
    counts = {state.value: Count("pk", filter=_is(actor, state, today)) for state in State}
    return dict(found.aggregate(**counts))


@dataclass(frozen=True, slots=True)
class StateSum:
    """How many subscriptions are in a state, and what those that run bring in a month."""

    status: str
    currency: str
    count: int
    monthly_minor: int


def sums_by_state(
    actor: Actor,
    *,
    within: UUID | None = None,
    account: UUID | None = None,
    text: str = "",
    stood_on: date | None = None,
    today: date,
) -> Sequence[StateSum]:
    """Return subscriptions by state and currency, in minor units. One statement.

    All prices of a subscription are in one currency, so each is counted once.

    Args:
        actor: who asks.
        within: as for ``subscriptions``, like all that follows.
        account: only those of this account itself.
        text: words to look for.
        stood_on: the day whose tree is meant.
        today: the day whose states are meant.
    """
    found = subscriptions(
        actor, within=within, account=account, text=text, stood_on=stood_on, today=today
    )
    state = Case(
        *(When(_is(actor, one, today), then=Value(one.value)) for one in State),
        output_field=CharField(),
    )
    runs = (State.ACTIVE.value, State.NON_RENEWING.value)
    rows = (
        found.order_by()
        .annotate(state=state)
        .values("state", "items__price__currency")
        .annotate(
            count=Count("pk", distinct=True), sum=Sum(monthly_on(actor, today, item="items__"))
        )
        .values_list("state", "items__price__currency", "count", "sum")
    )
    return [
        StateSum(status, currency or "", count, int(net or 0) if status in runs else 0)
        for status, currency, count, net in rows
    ]


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
        found.filter(_is(actor, State.ACTIVE, today) | _is(actor, State.NON_RENEWING, today))
        .order_by()
        .values("items__price__currency")
        .annotate(sum=Sum(monthly_on(actor, today, item="items__")))
        .values_list("items__price__currency", "sum")
    )
    return {currency: int(amount) for currency, amount in rows if amount}


def get_subscription(actor: Actor, reference: str, *, today: date) -> Subscription:
    """Return the subscription that ``sub_…`` or ``ext:…`` names, with its items as of the day.

    Two statements, one more where their terms change later.

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
    return with_items_on(actor, [found], today)[0]


def _reached(actor: Actor) -> QuerySet[Subscription]:
    """Return the subscriptions of accounts in reach; who sees all is not asked for each."""
    found = Subscription.objects.filter(tenant_id=actor.tenant_id)
    if access.allows_everywhere(actor, Action.VIEW_SUBSCRIPTION):
        return found
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION)
    return found.filter(account__in=seen.order_by().values("pk"))


def _belonged(actor: Actor, accounts: QuerySet[Account], day: date) -> Q:
    """Return the condition that a subscription was one of some accounts on a day."""
    keys, others = accounts.order_by().values("pk"), owners_on(actor, day).order_by()
    since_given = others.values("subscription_id")
    had = others.filter(account__in=keys).values("subscription_id")
    return (Q(account__in=keys) & ~Q(pk__in=since_given)) | Q(pk__in=had)


def _has(actor: Actor, word: str) -> Q:
    """Return the condition that a word is found in what a subscription is known by."""
    sold = Item.objects.filter(
        Q(price__name__icontains=word) | Q(price__product__name__icontains=word),
        tenant_id=actor.tenant_id,
    )
    return (
        Q(external_id__icontains=word)
        | Q(po_number__icontains=word)
        | has_words(word, "account__search_key", otherwise="account__name")
        | Q(pk__in=sold.order_by().values("subscription_id"))
    )


def _is(actor: Actor, status: str, today: date) -> Q:
    """Return ``state_of`` as a condition."""
    has_not_ended = Q(end_date=None) | Q(end_date__gt=today)
    has_begun = Q(start_date__lte=today)
    is_tried = Q(trial_end__isnull=False, trial_end__gt=today)
    is_paused = paused_on(actor, today)
    is_news = Q(non_renewing_since=None) | Q(non_renewing_since__lte=today)
    goes_on = Q(end_date=None) | (Q(end_date__gt=today) & Q(non_renewing_since__gt=today))
    match status:
        case State.CANCELLED:
            return Q(end_date__isnull=False, end_date__lte=today)
        case State.FUTURE:
            return has_not_ended & Q(start_date__gt=today)
        case State.TRIALING:
            return has_not_ended & has_begun & is_tried
        case State.PAUSED:
            return has_not_ended & has_begun & ~is_tried & is_paused
        case State.NON_RENEWING:
            return Q(end_date__gt=today) & is_news & has_begun & ~is_tried & ~is_paused
        case State.ACTIVE:
            return goes_on & has_begun & ~is_tried & ~is_paused
        case _:
            # A state that nothing sets yet.
            return Q(pk__in=())
