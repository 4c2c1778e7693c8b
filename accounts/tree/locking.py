"""One lock for each tree, taken before anything of it is read."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountNode
from tenancy.database.prepared import Given, Prepared
from tenancy.errors import Conflict

_LOCK_NAMESPACE = 0x7EE  # the first half of the two-part advisory lock; the second is the tree
_LOCK_TRIES = 20


class TreeBusy(Conflict):
    """The tree changed again and again while it was waited for."""

    code = "tree_busy"
    message = _("This tree is being changed by others. Try again.")


def lock_families(tenant_id: UUID, account_ids: Iterable[UUID]) -> None:
    """Keep the trees of these accounts as they are until the transaction ends.

    Takes the lock of every tree concerned, in ascending order.

    A move by somebody else may carry an account into another tree while this waits, so the trees
    are read again under the locks. If there is a new one, all locks are given back, which rolling
    back to a savepoint does, and taken anew: out of order, two could wait for each other for ever.
    """
    ids = list(account_ids)
    wanted = trees_of(tenant_id, ids)
    for _attempt in range(_LOCK_TRIES):
        if not wanted:
            return
        before = transaction.savepoint()
        with connection.cursor() as cursor:
            # A function in FROM gives its rows in the order of the array, and each is locked then.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, tree_id) FROM unnest(%s::int[]) AS tree_id",
                [_LOCK_NAMESPACE, sorted(wanted)],
            )
        found = trees_of(tenant_id, ids)
        if found <= wanted:
            transaction.savepoint_commit(before)
            return
        transaction.savepoint_rollback(before)
        wanted = found
    raise TreeBusy


def trees_of(tenant_id: UUID, account_ids: Iterable[UUID]) -> set[int]:
    """Return the numbers of the trees in which these accounts stand now."""
    wanted = list(account_ids)
    return {tree_id for (tree_id,) in _TREES.rows(tenant=tenant_id, accounts=wanted)}


_TREES = Prepared(
    lambda: (
        AccountNode.objects.filter(tenant_id=Given("tenant"), account_id__among=Given("accounts"))
        .order_by()
        .values_list("tree_id")
    )
)
