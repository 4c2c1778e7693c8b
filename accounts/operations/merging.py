"""Giving an account what a duplicate of it has: people, roles, tags, own data, keys."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from accounts.models import Account, AccountTag, ApiKey, Contact, Grant
from accounts.operations.accounts._storing import write_tags
from accounts.queries.merging import Carried, Role, carried_along
from accounts.versions import contact_shown
from tenancy.actor import Actor
from tenancy.events import Happening, record_events
from tenancy.ids import public_id


def absorb(actor: Actor, duplicate: Account, kept: Account, *, day: date, now: datetime) -> Carried:
    """Bring what a duplicate has to the account that is kept, and archive it.

    Args:
        actor: whose tenant; the caller has asked for the right and locked the trees.
        duplicate: the account that goes up in the other.
        kept: the other.
        day: since when.
        now: for the audit trail.

    Returns:
        What came along.

    Source: docs/billing-rules.md, Merging duplicates.
    """
    found = carried_along(actor, duplicate, kept, day=day, for_update=True)
    happenings = [*_people(actor, found, kept), *_described(actor, found, kept)]
    ApiKey.objects.filter(tenant_id=actor.tenant_id, reach_id=duplicate.pk).update(reach=kept)
    accounts = Account.objects.filter(tenant_id=actor.tenant_id)
    # Whoever asks for an account that was merged finds in one step where it went.
    accounts.filter(merged_into_id=duplicate.pk).update(merged_into=kept)
    accounts.filter(pk=duplicate.pk).update(
        status=Account.Status.ARCHIVED, merged_into=kept, version=duplicate.version + 1
    )
    happenings.append(_merged(found, duplicate, kept, day))
    record_events(actor, happenings, now=now)
    return found


def _people(actor: Actor, found: Carried, kept: Account) -> Iterator[Happening]:
    for one in found.contacts:
        yield Happening(
            "contact.updated",
            one.pk,
            kept.pk,
            before={"account": str(one.account_id)},
            after={"account": str(kept.pk)},
            data={"external_id": one.external_id or "", "role": ""},
        )
    ids = [one.pk for one in found.contacts]
    Contact.objects.filter(tenant_id=actor.tenant_id, pk__in=ids).update(account=kept)
    for role in found.roles:
        yield _given(actor, role)
    for one, other in found.doubles:
        if one.person_id is not None and other.person_id is None:
            contacts = Contact.objects.filter(tenant_id=actor.tenant_id, pk=other.pk)
            contacts.update(person_id=one.person_id)
        yield Happening(
            "contact.removed",
            one.pk,
            one.account_id,
            before={**contact_shown(one), "same_as": str(other.pk)},
            data={"external_id": one.external_id or ""},
        )
    gone = [one.pk for one, _other in found.doubles]
    Contact.objects.filter(tenant_id=actor.tenant_id, pk__in=gone).delete()


def _given(actor: Actor, role: Role) -> Happening:
    """Write one role, in the order in which they were found: a later one may widen it."""
    grants = Grant.objects.filter(tenant_id=actor.tenant_id)
    days = {"starts_on": role.starts_on, "ends_on": role.ends_on}
    if role.into is None:
        key = role.grant.pk
        grants.filter(pk=key).update(contact=role.contact, account_id=role.account_id, **days)
    else:
        key = role.into.pk
        grants.filter(pk=role.grant.pk).delete()
        grants.filter(pk=key).update(**days)
    said = {name: day.isoformat() for name, day in days.items() if day is not None}
    return Happening(
        "grant.created",
        key,
        role.account_id,
        before={"account": str(role.grant.account_id), "contact": str(role.grant.contact_id)},
        after={"contact": str(role.contact.pk), "role": role.grant.role, **said},
        data={"contact": role.contact.public_id, "role": role.grant.role, **said},
    )


def _described(actor: Actor, found: Carried, kept: Account) -> Iterator[Happening]:
    """Write tags and own data, and say of the kept account that it has others."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if found.new_tags:
        before["tags"] = [name for name in found.tags if name not in found.new_tags]
        after["tags"] = list(found.tags)
        tags = AccountTag.objects.filter(tenant_id=actor.tenant_id, account=kept)
        tags.delete()
        write_tags(actor, {kept.pk: found.tags})
    if found.new_metadata:
        before["metadata"], after["metadata"] = kept.metadata, dict(found.metadata)
    accounts = Account.objects.filter(tenant_id=actor.tenant_id, pk=kept.pk)
    accounts.update(metadata=dict(found.metadata), version=kept.version + 1)
    if after:
        data = {"external_id": kept.external_id or "", "changed": sorted(after)}
        yield Happening("account.updated", kept.pk, kept.pk, before=before, after=after, data=data)


def _merged(found: Carried, duplicate: Account, kept: Account, day: date) -> Happening:
    since = day.isoformat()
    return Happening(
        "account.merged",
        duplicate.pk,
        duplicate.pk,
        before={"status": duplicate.status},
        after={
            "status": Account.Status.ARCHIVED.value,
            "into": public_id("acc", kept.pk),
            "since": since,
            "contacts": len(found.contacts) + len(found.doubles),
            "roles": len(found.roles),
            "tags": list(found.new_tags),
            "metadata": list(found.new_metadata),
            "keys": [key.prefix for key in found.keys],
        },
        data={
            "external_id": duplicate.external_id or "",
            "into": public_id("acc", kept.pk),
            "since": since,
        },
    )
