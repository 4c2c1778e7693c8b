"""What is held back: charges that stay off every document until a day, or until released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import access
from accounts.access import Action
from invoicing.models import Charge
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What is held back of drafts for one recipient in one currency, in minor units.

    ``until`` is the first day that ends it for a part; None: nothing ends by itself.
    """

    account_id: UUID
    name: str
    currency: str
    charges: int
    net_minor: int
    until: date | None
    by: str
    reason: str


_HELD = """
    SELECT account.id, account.name, held.currency, held.charges, held.net, held.until, held.by,
        held.reason
    FROM (
        SELECT (charge.reason->'held'->>'bill_to')::uuid AS bill_to, charge.currency,
            count(*) AS charges, sum(charge.net_minor)::bigint AS net,
            min(charge.held_until) AS until,
            (array_agg(charge.reason->'held'->>'by' ORDER BY charge.id DESC))[1] AS by,
            (array_agg(charge.reason->'held'->>'reason' ORDER BY charge.id DESC))[1] AS reason
        FROM invoicing_charge AS charge
        WHERE charge.tenant_id = %(tenant)s AND charge.is_held
        GROUP BY 1, 2
    ) AS held
    JOIN accounts_account AS account
        ON account.tenant_id = %(tenant)s AND account.id = held.bill_to
    WHERE (%(after)s::uuid IS NULL OR account.id > %(after)s::uuid)
    ORDER BY account.id, held.currency LIMIT %(limit)s
"""


def held_back(actor: Actor, *, after: UUID | None = None, limit: int) -> Sequence[HeldBack]:
    """Return what is held back by recipient and currency. One statement.

    Args:
        actor: who asks.
        after: go on behind this recipient.
        limit: the most rows.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    values: dict[str, Any] = {"tenant": actor.tenant_id, "after": after, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_HELD, values)
        return [HeldBack(*row) for row in cursor.fetchall()]


def is_anything_held(actor: Actor) -> bool:
    """Return whether anything is held back. One statement, the first entry of an index.

    Raises:
        Forbidden: the actor may not see runs.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    return Charge.objects.filter(tenant_id=actor.tenant_id, is_held=True).exists()
