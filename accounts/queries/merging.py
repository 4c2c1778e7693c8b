"""What of a duplicate account comes to the one that is kept: people, tags, own data, keys."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.declarations.limits import LONGEST_METADATA, MOST_MEMBERS, MOST_TAGS
from accounts.models import Account, AccountTag, ApiKey, Contact, Grant
from tenancy.actor import Actor
from tenancy.errors import FieldError

MOST_PEOPLE: Final = 1_000
"""So many contacts and roles come along in one go."""
_Place = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class Role:
    """A role that comes to the kept account.

    Attributes:
        grant: as it is stored.
        contact: who has it then.
        account_id: where.
        starts_on: the first day, None for ever since.
        ends_on: the first day on which it is over, None for no end.
        into: the grant of the same role there, which it widens; None where there is none.
    """

    grant: Grant
    contact: Contact
    account_id: UUID
    starts_on: date | None
    ends_on: date | None
    into: Grant | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """Everything that comes along.

    Attributes:
        contacts: who comes along.
        doubles: who goes up in a contact of the kept account with the same address.
        roles: the roles that come along, in the order in which they do.
        apart: roles that both have for days with a gap between them.
        tags: all that the kept account has then; ``new_tags`` are those it did not have.
        metadata: its own data then; ``new_metadata`` names what it did not have.
        clashes: by name, what it has and what the duplicate had.
        keys: of programs that reach the duplicate.
    """

    contacts: Sequence[Contact]
    doubles: Sequence[tuple[Contact, Contact]]
    roles: Sequence[Role]
    apart: Sequence[Grant]
    tags: Sequence[str]
    new_tags: Sequence[str]
    metadata: Mapping[str, Any]
    new_metadata: Sequence[str]
    clashes: Mapping[str, tuple[Any, Any]]
    keys: Sequence[ApiKey]

    def faults(self) -> Iterator[FieldError]:
        """Yield what keeps it from being carried along."""
        if len(self.tags) > MOST_TAGS:
            yield FieldError("invalid_tags", _("Together they have more than 20 tags."))
        text = json.dumps(self.metadata, ensure_ascii=False)
        if len(self.metadata) > MOST_MEMBERS or len(text) > LONGEST_METADATA:
            sentence = _("Together they have more own data than one account can have.")
            yield FieldError("invalid_metadata", sentence)
        if len(self.contacts) + len(self.doubles) + len(self.roles) > MOST_PEOPLE:
            sentence = _("More than %(most)s contacts and roles would come along.")
            yield FieldError("too_many_people", sentence % {"most": MOST_PEOPLE})
        for grant in self.apart:
            sentence = _("%(name)s has the same role on both, with a gap between the days.")
            yield FieldError("roles_apart", sentence % {"name": grant.contact.name})


def carried_along(
    actor: Actor, duplicate: Account, kept: Account, *, day: date, for_update: bool = False
) -> Carried:
    """Return what of a duplicate comes to the account that is kept. Five statements.

    Args:
        actor: who asks.
        duplicate: the account that goes up in the other.
        kept: the other.
        day: since when: of two equal roles one that is over by then does not count.
        for_update: whether contacts and roles are locked.

    Raises:
        Forbidden: the actor may not change people everywhere.
    """
    access.require_everywhere(actor, Action.EDIT_PEOPLE)
    theirs = Contact.objects.filter(tenant_id=actor.tenant_id, account_id=duplicate.pk)
    if for_update:
        theirs = theirs.select_for_update(of=("self",))
    ours: dict[str, list[Contact]] = {}
    for one in Contact.objects.filter(tenant_id=actor.tenant_id, account_id=kept.pk).order_by("id"):
        ours.setdefault(one.email.casefold(), []).append(one)
    contacts, doubles = [], []
    for one in theirs.order_by("id"):
        same = next((c for c in ours.get(one.email.casefold(), ()) if _is_same(one, c)), None)
        if same is None:
            contacts.append(one)
        else:
            doubles.append((one, same))
    roles, apart = _roles(actor, duplicate, kept, dict(_ids(doubles)), day, for_update)
    tags = _tags(actor, [duplicate.pk, kept.pk])
    had = {name.casefold() for name in tags.get(kept.pk, ())}
    new_tags = [name for name in tags.get(duplicate.pk, ()) if name.casefold() not in had]
    own, other = kept.metadata, duplicate.metadata
    return Carried(
        contacts=contacts,
        doubles=doubles,
        roles=roles,
        apart=apart,
        tags=sorted([*tags.get(kept.pk, ()), *new_tags], key=str.casefold),
        new_tags=new_tags,
        metadata={**other, **own},
        new_metadata=sorted(other.keys() - own.keys()),
        clashes={
            name: (own[name], other[name])
            for name in sorted(own.keys() & other.keys())
            if own[name] != other[name]
        },
        keys=list(
            ApiKey.objects.filter(tenant_id=actor.tenant_id, reach_id=duplicate.pk).order_by("id")
        ),
    )


def _is_same(one: Contact, other: Contact) -> bool:
    """Return whether two contacts with one address are one person: no two logins."""
    return one.person_id is None or other.person_id in (None, one.person_id)


def _ids(doubles: Sequence[tuple[Contact, Contact]]) -> Iterator[tuple[UUID, Contact]]:
    for one, other in doubles:
        yield one.pk, other


def _roles(
    actor: Actor,
    duplicate: Account,
    kept: Account,
    doubles: Mapping[UUID, Contact],
    day: date,
    for_update: bool,
) -> tuple[list[Role], list[Grant]]:
    """Return the roles that come along, and those that cannot become one."""
    rows = Grant.objects.filter(
        Q(account_id__in=[duplicate.pk, kept.pk])
        | Q(contact_id__in=[*doubles, *(one.pk for one in doubles.values())]),
        tenant_id=actor.tenant_id,
    )
    if for_update:
        rows = rows.select_for_update(of=("self",))
    held: dict[_Place, Role] = {}
    coming = []
    for grant in rows.select_related("contact").order_by("id"):
        if grant.account_id == duplicate.pk or grant.contact_id in doubles:
            coming.append(grant)
        else:
            place = (grant.contact_id, grant.account_id, grant.role)
            held[place] = _role(grant, grant.contact, grant.account_id)
    roles, apart = [], []
    for grant in coming:
        contact = doubles.get(grant.contact_id, grant.contact)
        account_id = kept.pk if grant.account_id == duplicate.pk else grant.account_id
        place = (contact.pk, account_id, grant.role)
        known = held.get(place)
        if known is None:
            role = _role(grant, contact, account_id)
        else:
            days = _together(known, grant, day)
            if days is None:
                apart.append(grant)
                continue
            role = Role(grant, contact, account_id, *days, into=known.into or known.grant)
        held[place] = role
        roles.append(role)
    return roles, apart


def _role(grant: Grant, contact: Contact, account_id: UUID) -> Role:
    return Role(grant, contact, account_id, grant.starts_on, grant.ends_on)


def _together(one: Role, other: Grant, day: date) -> tuple[date | None, date | None] | None:
    """Return the days of two roles as one; None where days between them belong to neither."""
    spans = [
        (starts or date.min, ends or date.max)
        for starts, ends in ((one.starts_on, one.ends_on), (other.starts_on, other.ends_on))
    ]
    running = [span for span in spans if span[1] > day] or spans[:1]
    if len(running) > 1 and max(s for s, _e in running) > min(e for _s, e in running):
        return None
    starts, ends = min(s for s, _e in running), max(e for _s, e in running)
    return (None if starts == date.min else starts, None if ends == date.max else ends)


def _tags(actor: Actor, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    rows = AccountTag.objects.filter(tenant_id=actor.tenant_id, account_id__in=ids).order_by("id")
    for account_id, name in rows.values_list("account_id", "name"):
        found.setdefault(account_id, []).append(name)
    return found


def merged_into_of(actor: Actor, account: Account) -> Account | None:
    """Return the account in reach that one was merged into, None where there is none.

    No statement where it was not merged, else one.
    """
    if account.merged_into_id is None:
        return None
    return access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=account.merged_into_id).first()
