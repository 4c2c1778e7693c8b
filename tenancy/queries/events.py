"""The event log in the order in which it was committed.

An event carries the number of the transaction that wrote it. Numbers are given when transactions
begin to write, so one that ends late brings events in among others that are out already. A reader
is therefore shown only what is older than every transaction that still runs: behind that line
nothing can appear any more, and a position once passed stays passed. The price is patience: a
long import holds the log back, for all tenants of the database, until it ends.

Transactions of other databases of the same server don't count, where they are known to be such.
Whoever ends meanwhile, or can't be looked up, counts: that shows less, never too much.
"""

from uuid import UUID

from django.db.models import Q
from django.db.models.expressions import RawSQL

from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import Event

# In the same statement as the rows: both belong to one snapshot.
_OLDEST_RUNNING = RawSQL(
    """(
    SELECT COALESCE(
        min(running.number), pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    )
    FROM (
        SELECT xid::text::bigint AS number FROM pg_snapshot_xip(pg_current_snapshot()) AS xip (xid)
    ) AS running
    WHERE NOT EXISTS (
        SELECT FROM pg_locks AS held JOIN pg_stat_activity AS session ON session.pid = held.pid
        JOIN pg_database AS elsewhere ON elsewhere.oid = session.datid
        WHERE held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' AND held.granted
            AND held.transactionid::text::bigint = running.number & 4294967295
            AND elsewhere.datname <> current_database()
    ))""",
    (),
)


def events_after(actor: Actor, after: UUID | None, *, limit: int) -> list[Event]:
    """Return the next events of the tenant that are settled, in their final order.

    Two statements. Whoever calls it has asked for the right.

    Args:
        actor: whose tenant it is.
        after: the event read last, None to begin with the first. An id names the place also
            after a backup was restored.
        limit: as many at most.

    Raises:
        NotFound: ``after`` is no event of the tenant.
    """
    events = Event.objects.filter(tenant_id=actor.tenant_id)
    following = events.filter(transaction__lt=_OLDEST_RUNNING)
    if after is not None:
        transaction = events.filter(pk=after).values_list("transaction", flat=True).first()
        if transaction is None:
            raise NotFound
        following = following.filter(
            Q(transaction__gt=transaction) | Q(pk__gt=after), transaction__gte=transaction
        )
    return list(following.order_by("transaction", "pk")[:limit])
