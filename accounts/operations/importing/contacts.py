"""Importing contacts, and granting each the role its row names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from accounts.models import Account, Contact, Grant
from accounts.models.people import CustomerRole
from accounts.operations.importing._bounds import Bound, bound_of, refuse_outside
from accounts.operations.importing.columns import CONTACT_COLUMNS
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events import Happening, record_events
from tenancy.files import FileRow, RowFile, Source
from tenancy.files.reports import (
    CHANGES_SHOWN,
    ImportReport,
    RowChange,
    all_or_nothing,
    one_at_a_time,
)


@dataclass(slots=True)
class _Tally:
    """How many contacts are new and changed, and what changes in the first of them."""

    created: int = 0
    updated: int = 0
    changes: list[RowChange] = field(default_factory=list)


@operation
def import_contacts(
    actor: Actor,
    content: Source,
    *,
    is_dry_run: bool,
    within: UUID | None = None,
    now: datetime,
) -> ImportReport:
    """Create and update the contacts of a file, and grant each the role it names.

    Args:
        actor: whose tenant.
        content: the file's bytes, or where it is.
        is_dry_run: check everything, store nothing.
        within: only those of this account and of those below it; a row of any other is an
            error, ``outside_import``.
        now: for the audit trail.

    Raises:
        Forbidden: the actor may not manage people everywhere.
        NotFound: there is no account ``within``.
    """
    access.require_everywhere(actor, Action.EDIT_PEOPLE)
    bound = bound_of(actor, within)
    file = RowFile(content, CONTACT_COLUMNS)
    one_at_a_time(actor)
    tally = _Tally()
    with all_or_nothing(file):
        for rows in file.slices():
            _import_slice(actor, file, rows, bound, tally, is_dry_run=is_dry_run, now=now)
    return ImportReport.of(
        "contacts",
        file,
        is_dry_run=is_dry_run,
        created=tally.created,
        updated=tally.updated,
        changes=tally.changes,
    )


def _import_slice(
    actor: Actor,
    file: RowFile,
    rows: Sequence[FileRow],
    bound: Bound | None,
    tally: _Tally,
    *,
    is_dry_run: bool,
    now: datetime,
) -> None:
    """Check some rows, and store them unless something of the file is wrong."""
    accounts = dict(
        Account.objects.filter(
            tenant_id=actor.tenant_id,
            external_id__in={row.cells.get("account_external_id") for row in rows},
            # The number of a duplicate that was merged leads to the account that was kept.
        ).values_list("external_id", Coalesce("merged_into_id", "id"))
    )
    refuse_outside(actor, rows, bound, accounts)
    contacts = {
        contact.external_id: contact
        # Locked, so that none is removed before its row is written.
        for contact in Contact.objects.select_for_update(no_key=True)
        .filter(
            tenant_id=actor.tenant_id,
            external_id__in={row.cells["external_id"] for row in rows if not row.is_again},
        )
        .order_by("pk")
    }
    granted = set(
        Grant.objects.filter(
            tenant_id=actor.tenant_id, contact_id__in=[c.id for c in contacts.values()]
        ).values_list("contact_id", "account_id", "role")
    )
    created, updated, new_grants, happenings = [], [], [], []
    for row in rows:
        key, account_key = row.required("external_id"), row.required("account_external_id")
        values: dict[str, Any] = {
            "name": row.required("name"),
            "email": row.email("email") if row.required("email", longest=254) else "",
            "language": row.choice("language", ("de", "en")),
        }
        role = row.choice("role", CustomerRole.values)
        account_id = accounts.get(account_key)
        if account_key and account_id is None:
            row.refuse("account_external_id", "unknown_account", _("There is no such account."))
        if account_id is None:
            continue
        contact = contacts.get(key)
        if contact is None:
            contact = Contact(tenant_id=actor.tenant_id, external_id=key)
            contact.account_id = account_id
            created.append(contact)
        elif contact.account_id != account_id:
            row.refuse(
                "account_external_id",
                "structural_change",
                _("An import does not move a contact that exists."),
            )
        is_known = contact.external_id in contacts
        if is_known:
            # A column that is not there leaves alone what is stored (R29).
            values = {name: value for name, value in values.items() if row.has(name)}
        before = {name: getattr(contact, name) for name in values}
        gains_role = bool(role) and (contact.id, account_id, role) not in granted
        is_changed = is_known and (before != values or gains_role)
        if is_changed:
            updated.append(contact)
            differing = {n: (before[n], values[n]) for n in values if before[n] != values[n]}
            if gains_role:
                differing["role"] = (None, role)
            if len(tally.changes) < CHANGES_SHOWN:
                tally.changes.append(RowChange(row.number, key, differing))
        for name, value in values.items():
            setattr(contact, name, value)
        if gains_role:
            new_grants.append(
                Grant(tenant_id=actor.tenant_id, contact=contact, account_id=account_id, role=role)
            )
        if not is_known or is_changed:
            action = "contact.updated" if is_known else "contact.created"
            happenings.append(
                Happening(
                    action,
                    contact.id,
                    account_id,
                    before=before if is_known else None,
                    after={**values, "role": role},
                    data={"external_id": key, "role": role or ""},
                )
            )
    tally.created += len(created)
    tally.updated += len(updated)
    if not is_dry_run and not file.problems.count:
        Contact.objects.bulk_create(created)
        Contact.objects.bulk_update(updated, ["name", "email", "language"], batch_size=500)
        Grant.objects.bulk_create(new_grants)
        record_events(actor, happenings, now=now)
