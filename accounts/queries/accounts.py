"""Accounts: lists, one by one, and by the names that integrators give them."""

from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import access
from accounts.access import Action
from accounts.models import Account
from accounts.queries.placements import is_child, lies_below, placements_on
from accounts.queries.searching import has_words
from accounts.queries.tags import has_tag
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of


def accounts(
    actor: Actor,
    *,
    within: UUID | None = None,
    parent: UUID | None = None,
    tops: bool = False,
    kind: str | None = None,
    status: str | None = None,
    text: str | None = None,
    tag: str | None = None,
    as_of: date | None = None,
) -> QuerySet[Account]:
    """Return the accounts in reach by name. One statement, whatever the depth of the tree.

    Args:
        actor: who asks.
        within: only this account and what lies below it.
        parent: only the children of this account.
        tops: only those with nothing above them that the actor may see: roots, for staff.
        kind: only this kind.
        status: only this status.
        text: only those whose name, external id or e-mail contains it, in any case.
        tag: only those that have this tag.
        as_of: read the tree as it stood on this day; accounts without a place then are left out.
    """
    found = access.reach(actor, Action.VIEW_ACCOUNT)
    if as_of is not None:
        placed = placements_on(actor, as_of).values("account_id")
        found = found.filter(pk__in=placed)
    if within is not None:
        # Of a top that is out of sight nothing is told, not even what of it is in sight.
        seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=within)
        found = found.filter(Exists(seen), lies_below(actor, within, as_of))
    if parent is not None:
        found = found.filter(is_child(actor, [parent], as_of))
    if tops:
        found = found.filter(_is_top(actor))
    if kind is not None:
        found = found.filter(kind=kind)
    if status is not None:
        found = found.filter(status=status)
    if text:
        found = found.filter(has_words(text, "search_key", otherwise="name"))
    if tag is not None:
        found = found.filter(has_tag(actor, tag))
    return found.order_by("sort_key", "id")


def get_account(actor: Actor, account_id: UUID) -> Account:
    """Return one account. One statement.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    account = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    return account


def resolve_reference(actor: Actor, text: str, *, action: Action = Action.VIEW_ACCOUNT) -> UUID:
    """Return the id of the account that ``acc_…`` or ``ext:…`` names. One statement.

    Args:
        actor: who asks.
        text: what the integrator wrote.
        action: what the account is to be read for; it is looked for where that is allowed.

    Raises:
        NotFound: no account in reach is named so.
    """
    kind, _, external_id = text.partition(":")
    if "\x00" in text:
        raise NotFound
    named = Q(external_id=external_id) if kind == "ext" else Q(pk=key_of("acc", text))
    found = access.reach(actor, action).filter(named).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound
    return found


def _is_top(actor: Actor) -> Q:
    if access.allows_everywhere(actor, Action.VIEW_ACCOUNT):
        return Q(node__parent=None)
    above = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=OuterRef("node__parent_id"))
    return Q(~Exists(above.order_by()))
