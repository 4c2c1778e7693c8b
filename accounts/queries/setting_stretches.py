"""What an account sets itself, day by day: what held, what holds, what is planned."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import access
from accounts.access import Action
from accounts.models import SettingInterval
from accounts.models.nodes import BEGINNING
from tenancy.actor import Actor
from tenancy.errors import NotFound


@dataclass(frozen=True, slots=True)
class SettingStretch:
    """An own value from a day to a day; None: it inherits, or nothing is set.

    ``target_name`` is that of the account or seller that it refers to. ``start`` is None where it
    has always held. ``is_planned`` says that it has not begun.
    """

    name: str
    value: Any
    target_name: str
    is_locked: bool
    start: date | None
    end: date | None
    is_planned: bool


def own_intervals(
    actor: Actor, account_id: UUID | None, *, name: str | None = None
) -> QuerySet[SettingInterval]:
    """Return what an account, or the tenant for None, sets itself, over all time. One statement.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not see the tenant's settings.
    """
    if account_id is None:
        access.require_everywhere(actor, Action.VIEW_SETTINGS)
    elif not access.reach(actor, Action.VIEW_SETTINGS).filter(pk=account_id).exists():
        raise NotFound
    whose = Q(account=None) if account_id is None else Q(account_id=account_id)
    rows = SettingInterval.objects.filter(whose, tenant_id=actor.tenant_id)
    if name is not None:
        rows = rows.filter(name=name)
    return rows.select_related("target", "seller").order_by("name", "valid_from", "id")


def own_stretches(actor: Actor, account_id: UUID | None, *, today: date) -> list[SettingStretch]:
    """Return what an account sets itself over all time, and that it will inherit. Two statements.

    Of each setting the stretches are in order. One without a value stands only where it is
    planned that the account inherits again.

    Raises:
        NotFound, Forbidden: as for ``own_intervals``.
    """
    rows = list(own_intervals(actor, account_id))
    seen = _in_sight(actor, [row.target_id for row in rows if row.target_id is not None])
    return stretches_of(rows, {*seen, account_id}, today=today)


def stretches_of(
    rows: Sequence[SettingInterval], told: Container[UUID | None], *, today: date
) -> list[SettingStretch]:
    """Return what the intervals of one account say, in their order.

    Args:
        rows: by name and day, with the account or seller that they refer to.
        told: the accounts whose names may be told.
        today: what begins later is planned.
    """
    found = []
    for row, following in zip_longest(rows, rows[1:]):
        named = row.seller or (row.target if row.target_id in told else None)
        found.append(
            SettingStretch(
                name=row.name,
                value=row.target_id or row.seller_id or row.value,
                target_name=named.name if named is not None else "",
                is_locked=row.is_locked,
                start=None if row.valid_from == BEGINNING else row.valid_from,
                end=row.valid_to,
                is_planned=row.valid_from > today,
            )
        )
        goes_on = (
            following is not None
            and following.name == row.name
            and following.valid_from == row.valid_to
        )
        if row.valid_to is not None and row.valid_to > today and not goes_on:
            found.append(
                SettingStretch(row.name, None, "", False, row.valid_to, None, is_planned=True)
            )
    return found


def _in_sight(actor: Actor, ids: Iterable[UUID]) -> set[UUID]:
    wanted = set(ids)
    if not wanted:
        return set()
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=wanted)
    return set(seen.order_by().values_list("pk", flat=True))
