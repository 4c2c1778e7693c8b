"""A process that writes to and reads from trees at random, as one of many at once.

    python -m tests.storms.writer TENANT_SLUG SEED TIMES [--without-lock]

Answers JSON: how often each thing was done, which refusals it met, what it saw that can't be.
"""

import json
import os
import random
import sys
from collections import Counter
from typing import Any
from uuid import UUID

import django

_DECK = 3 * ["insert"] + 4 * ["move"] + 2 * ["plan"] + ["archive", "load"] + 3 * ["read"]
"""What is done how often: dealt from a shuffled deck, so that each comes in any few dozen acts."""

_TRIES = 8
"""A plan at random is mostly refused: for another family, or because the tree has just changed."""


def main() -> None:
    """Write and read."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
    django.setup()

    from accounts import tree
    from accounts.models import Account
    from accounts.tree import locking
    from tenancy.actor import Actor
    from tenancy.database.lookup import find_tenant_id
    from tests.integration.accounts.forests import Forest
    from tests.world import Vendor

    slug, seed, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tenant_id = find_tenant_id(slug)
    assert tenant_id is not None
    vendor = Vendor(tenant_id, slug, Actor.system(tenant_id, origin="storm"))
    if "--without-lock" in sys.argv:
        locking.lock_families = lambda tenant_id, account_ids: None
    numbers, done, seen = random.Random(seed), Counter[str](), []
    deck: list[str] = []
    for number in range(times):
        deck = deck or numbers.sample(_DECK, len(_DECK))
        with vendor.seen():
            ids: dict[str, UUID] = {
                key or "": pk for key, pk in Account.objects.values_list("external_id", "id")
            }
        keys = sorted(ids)
        what = deck.pop()
        name = f"w{seed}-{number}"
        try:
            if what == "plan":
                outcome = ""
                for _try in range(_TRIES):
                    a, b = numbers.choice(keys), numbers.choice(keys)
                    outcome = _planned(vendor, ids[a], ids[b])
                    if outcome == "plan applied":
                        break
                done[outcome] += 1
                continue
            with vendor.seen():
                forest = Forest(vendor, ids)
                match what:
                    case "insert":
                        forest.insert(name, numbers.choice(keys))
                    case "move":
                        forest.move(numbers.choice(keys), numbers.choice([None, *keys]))
                    case "archive":
                        Account.objects.filter(pk=ids[numbers.choice(keys)]).update(
                            status=Account.Status.ARCHIVED
                        )
                    case "load":
                        top = f"{name}-0"
                        below = {f"{name}-{n}": f"{name}-{n // 3}" for n in range(1, 12)}
                        forest.load({top: numbers.choice(keys), **below})
                    case "read":
                        seen += _contradictions(tenant_id, ids[numbers.choice(keys)])
            done[what] += 1
        except (tree.TreeCycle, tree.TreeTooDeep, tree.TreeBusy) as refusal:
            done[type(refusal).__name__] += 1
    sys.stdout.write(json.dumps({"done": done, "seen": seen}))


def _planned(vendor: Any, account_id: UUID, parent_id: UUID) -> str:
    """Move an account by a plan that is carried out at once; return what became of it."""
    from django.utils import timezone

    from invoicing.operations.plans.deciding import submit_plan
    from invoicing.operations.plans.planning import create_plan
    from invoicing.queries.plans.wanted import Wanted
    from tenancy.errors import BillingError
    from tests.world import TODAY

    now = timezone.now()
    wanted = Wanted("move", account_id, TODAY, target_id=parent_id)
    try:
        plan = create_plan(vendor.actor, wanted, today=TODAY, now=now)
        done = submit_plan(vendor.actor, plan.pk, today=TODAY, now=now)
    except BillingError as refusal:
        return type(refusal).__name__
    return f"plan {done.status}"


def _contradictions(tenant_id: UUID, account_id: UUID) -> list[str]:
    """Compare intervals with references in one statement, so in one state of the tree."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE below AS (
                SELECT account_id FROM accounts_accountnode
                WHERE tenant_id = %(tenant)s AND account_id = %(top)s
                UNION ALL
                SELECT node.account_id FROM accounts_accountnode AS node
                JOIN below ON node.parent_id = below.account_id
            ), inside AS (
                SELECT node.account_id FROM accounts_accountnode AS top
                JOIN accounts_accountnode AS node ON node.tree_id = top.tree_id
                    AND node.lft >= top.lft AND node.rght <= top.rght
                WHERE top.tenant_id = %(tenant)s AND top.account_id = %(top)s
            )
            SELECT count(*) FROM below FULL JOIN inside USING (account_id)
            WHERE below.account_id IS NULL OR inside.account_id IS NULL
            """,
            {"tenant": tenant_id, "top": account_id},
        )
        [(count,)] = cursor.fetchall()
    return [f"{count} accounts below {account_id} differ"] if count else []


if __name__ == "__main__":
    main()
