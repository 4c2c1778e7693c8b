"""What stood above accounts on another day."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db import connection

from tenancy.actor import Actor

# History keeps parents only; of one day they form no circle.
_ABOVE_THEN = """
    WITH RECURSIVE up AS (
        SELECT account_id, parent_id FROM accounts_placement
        WHERE tenant_id = %(tenant)s AND account_id = ANY(%(lowest)s::uuid[])
            AND valid_from <= %(day)s AND (valid_to IS NULL OR valid_to > %(day)s)
        UNION
        SELECT above.account_id, above.parent_id FROM up
        JOIN accounts_placement AS above
            ON above.tenant_id = %(tenant)s AND above.account_id = up.parent_id
            AND above.valid_from <= %(day)s AND (above.valid_to IS NULL OR above.valid_to > %(day)s)
    ) SELECT account_id, parent_id FROM up
"""


def members_above(
    actor: Actor, account_ids: Iterable[UUID], day: date
) -> list[tuple[UUID, UUID | None]]:
    """Return accounts and all that stood above them on a day, each after its parent.

    One statement. Whoever asks has to be allowed to read the settings of the whole tenant.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _ABOVE_THEN,
            {"tenant": actor.tenant_id, "lowest": [str(key) for key in account_ids], "day": day},
        )
        parents: dict[UUID, UUID | None] = dict(cursor.fetchall())
    ordered: dict[UUID, UUID | None] = {}
    for key in parents:
        way: list[UUID] = []
        up: UUID | None = key
        while up is not None and up not in ordered:
            way.append(up)
            up = parents.get(up)
        ordered.update((one, parents[one]) for one in reversed(way) if one in parents)
    return list(ordered.items())
