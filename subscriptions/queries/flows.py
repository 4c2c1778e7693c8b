"""What accounts of a subtree bring in a month, apart by the recipient that overrides name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from accounts.access import Action
from accounts.queries.sums import all_below
from subscriptions.queries.terms import MONTHLY_ON
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class Use:
    """What an account uses: net a month in minor units, of how many subscriptions.

    ``override_bill_to_id`` is whom those name as their recipient themselves, None where they
    follow the account.
    """

    account_id: UUID
    override_bill_to_id: UUID | None
    currency: str
    net_minor: int
    subscriptions: int


def monthly_uses(actor: Actor, top_id: UUID, on: date) -> Sequence[Use]:
    """Return what an account in reach and all below it bring in a month. One statement.

    Args:
        actor: who asks.
        top_id: the top of the subtree.
        on: the day; subscriptions that have not begun or have ended by then bring nothing.
    """
    parts = all_below(actor, Action.VIEW_SUBSCRIPTION, [top_id])
    with connection.cursor() as cursor:
        cursor.execute(parts.sql + _USES, [*parts.params, on, on, actor.tenant_id, on, on])
        return [
            Use(account_id, override_id, currency, int(net), count)
            for account_id, override_id, currency, net, count in cursor.fetchall()
        ]


_USES = f"""
    SELECT part.account_id, subscription.override_bill_to_id, price.currency,
        sum({MONTHLY_ON}), count(DISTINCT subscription.id)
    FROM part
    JOIN subscriptions_item AS item ON item.tenant_id = %s AND item.account_id = part.account_id
    JOIN subscriptions_subscription AS subscription
        ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
        AND GREATEST(subscription.start_date, subscription.trial_end) <= %s
        AND (subscription.end_date IS NULL OR subscription.end_date > %s)
    JOIN subscriptions_price AS price
        ON price.tenant_id = item.tenant_id AND price.id = item.price_id
    GROUP BY part.account_id, subscription.override_bill_to_id, price.currency
    ORDER BY part.account_id, subscription.override_bill_to_id, price.currency
"""  # noqa: S608 - what is put in is constant
