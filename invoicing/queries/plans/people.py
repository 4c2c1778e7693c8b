"""Who comes to see more or less of the moved accounts, and whose mail changes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q

from accounts.models import Grant
from invoicing.models import ChangePlan
from invoicing.queries.plans.standing import Standing
from tenancy.actor import Actor

Roles = frozenset[str]
_Way = tuple[list[UUID], list[UUID]]


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Somebody whose reach over the plan's accounts changes.

    ``because_of`` are the accounts on which the roles are granted.
    """

    contact_id: UUID
    name: str
    email: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]
    because_of: tuple[UUID, ...]


def access_changes(standing: Standing) -> list[PersonChange]:
    """Return whose roles over the moved accounts change, by name. One statement.

    Grants reach down the tree, so what is granted above the old place goes, and what is granted
    above the new one comes. A login that several contacts share is one person.
    """
    moved = [key for key, parent in standing.moves if standing.parents[key] != parent]
    if not moved:
        return []
    ways = {key: (standing.path(key), standing.path_after(key)) for key in moved}
    if standing.wanted.kind == ChangePlan.Kind.MERGE:
        ways = _merged(standing, ways)
    above = {account_id for pair in ways.values() for path in pair for account_id in path}
    grants = _grants(standing.actor, above, standing.wanted.day)
    found: dict[UUID, PersonChange] = {}
    for before, after in ways.values():
        for change in _changes(grants, before, after):
            known = found.get(change.contact_id, change)
            found[change.contact_id] = PersonChange(
                known.contact_id,
                known.name,
                known.email,
                tuple(sorted({*known.gains, *change.gains})),
                tuple(sorted({*known.loses, *change.loses})),
                tuple(dict.fromkeys((*known.because_of, *change.because_of))),
            )
    return sorted(found.values(), key=lambda one: (one.name.casefold(), one.contact_id))


def _merged(standing: Standing, ways: Mapping[UUID, _Way]) -> dict[UUID, _Way]:
    """Return the ways if what is granted on the duplicate is granted on the kept account then."""
    subject, kept = standing.wanted.account_id, standing.wanted.target_id
    if kept is None:
        return dict(ways)
    found = {kept: (standing.path(kept), [*standing.path_after(kept), subject])}
    for key, (before, after) in ways.items():
        found[key] = before, [*(one for one in after if one != subject), subject]
    return found


def _grants(actor: Actor, account_ids: Iterable[UUID], day: date) -> Mapping[UUID, list[Grant]]:
    rows = (
        Grant.objects.filter(
            Q(starts_on=None) | Q(starts_on__lte=day),
            Q(ends_on=None) | Q(ends_on__gt=day),
            tenant_id=actor.tenant_id,
            account_id__in=account_ids,
        )
        .select_related("contact")
        .order_by("id")
    )
    found: dict[UUID, list[Grant]] = defaultdict(list)
    for grant in rows:
        found[grant.account_id].append(grant)
    return found


def _changes(
    grants: Mapping[UUID, list[Grant]], before: Iterable[UUID], after: Iterable[UUID]
) -> Iterable[PersonChange]:
    old, new = _by_person(grants, before), _by_person(grants, after)
    for person in old.keys() | new.keys():
        had, has = old.get(person, []), new.get(person, [])
        roles_before = {grant.role for grant in had}
        roles_after = {grant.role for grant in has}
        if roles_before == roles_after:
            continue
        different = roles_before ^ roles_after
        contact = (had or has)[0].contact
        yield PersonChange(
            contact.pk,
            contact.name,
            contact.email,
            tuple(sorted(roles_after - roles_before)),
            tuple(sorted(roles_before - roles_after)),
            tuple(dict.fromkeys(g.account_id for g in (*had, *has) if g.role in different)),
        )


def _by_person(grants: Mapping[UUID, list[Grant]], path: Iterable[UUID]) -> dict[UUID, list[Grant]]:
    found: dict[UUID, list[Grant]] = defaultdict(list)
    for account_id in path:
        for grant in grants.get(account_id, ()):
            found[grant.contact.person_id or grant.contact_id].append(grant)
    return found


def addresses_of(standing: Standing, *, planned: bool) -> dict[str, set[UUID]]:
    """Return to which addresses invoices of the plan's accounts go, each with its recipients.

    Args:
        standing: the accounts.
        planned: as planned, else as it is.
    """
    settings = standing.after if planned else standing.before
    invoiced = standing.invoiced_after if planned else standing.invoiced_before
    found: dict[str, set[UUID]] = defaultdict(set)
    for account_id in standing.scope:
        bill_to_id = invoiced[account_id]
        bill_to = standing.accounts.get(bill_to_id)
        written: list[str] = list(settings.value(bill_to_id, "invoice_recipients") or ())
        for address in written or ([bill_to.email] if bill_to and bill_to.email else []):
            found[address].add(bill_to_id)
    return dict(found)


def recipient_changes(standing: Standing) -> tuple[list[str], list[str]]:
    """Return the addresses whose mail stops and those that begin to get it, in order."""
    before = addresses_of(standing, planned=False)
    after = addresses_of(standing, planned=True)
    return sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
