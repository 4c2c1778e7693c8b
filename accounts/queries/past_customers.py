"""Customers as they stood on another day, by dated placements."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.queries.placements import members_above, placements_on
from accounts.queries.searching import has_words
from accounts.queries.setting_history import FamilySettings
from accounts.queries.settings import setting_history
from accounts.queries.tags import has_tag
from tenancy.actor import Actor


def customers_then(
    actor: Actor,
    day: date,
    *,
    flat: bool = False,
    kind: str | None = None,
    text: str | None = None,
    tag: str | None = None,
) -> QuerySet[Account]:
    """Return the roots of a day, or all accounts that had a place then. Not ordered; one statement.

    Each carries ``above`` and ``above_id``, the name and key of its parent of that day, and
    ``found``, how many there are in all. Names, types and tags are those of today.

    Args:
        actor: who asks.
        day: the day.
        flat: all accounts, not the roots alone.
        kind: only this kind.
        text: only those that have its words in name, customer number, VAT id or e-mail.
        tag: only those that have this tag.
    """
    placed = placements_on(actor, day)
    if not flat:
        placed = placed.filter(parent=None)
    found = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=placed.values("account_id"))
    if kind is not None:
        found = found.filter(kind=kind)
    if text:
        found = found.filter(has_words(text, "search_key", otherwise="name"))
    if tag is not None:
        found = found.filter(has_tag(actor, tag))
    seen = access.reach(actor, Action.VIEW_ACCOUNT).order_by()
    above = placements_on(actor, day).filter(account_id=OuterRef("pk"), parent__in=seen)
    counted = found.order_by().annotate(one=Value(1)).values("one").annotate(count=Count("pk"))
    return found.annotate(
        above=Subquery(above.values("parent__name")[:1]),
        above_id=Subquery(above.values("parent_id")[:1]),
        found=Subquery(counted.values("count")),
    )


def settings_of_each(actor: Actor, account_ids: Iterable[UUID], day: date) -> FamilySettings:
    """Return the settings that held on accounts in reach on a day. Two statements."""
    seen = access.reach(actor, Action.VIEW_SETTINGS).filter(pk__in=list(account_ids))
    members = members_above(actor, seen.values("pk"), day)
    return setting_history(actor, members).on(day)
