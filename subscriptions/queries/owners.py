"""Whose subscriptions are, and were on earlier days."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from subscriptions.models import EarlierOwner, Item
from tenancy.actor import Actor


def still_billed(actor: Actor, day: date) -> Q:
    """Return the condition that a subscription runs after a day, or something of it is not charged.

    No statement by itself.
    """
    waiting = Item.objects.filter(
        tenant_id=actor.tenant_id,
        subscription_id=OuterRef("pk"),
        next_action_date__isnull=False,
    )
    return Q(end_date=None) | Q(end_date__gt=day) | Q(Exists(waiting))


def owners_on(actor: Actor, day: date) -> QuerySet[EarlierOwner]:
    """Return whose subscriptions were on a day that are somebody else's since.

    No statement by itself. Each of them once; all others are whose they were.
    """
    earlier = EarlierOwner.objects.filter(
        tenant_id=actor.tenant_id, subscription_id=OuterRef("subscription_id"),
        until__gt=day, until__lt=OuterRef("until"),
    )  # fmt: skip
    return EarlierOwner.objects.filter(~Exists(earlier), tenant_id=actor.tenant_id, until__gt=day)
