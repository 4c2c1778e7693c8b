"""People in a customer's company: who they are, and where they belong."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.declarations import ValueKind, ValueRefused
from accounts.declarations.values import EMAIL, LANGUAGES, Choice, Text
from accounts.models import Account, Contact
from accounts.operations.accounts._particulars import EXTERNAL_ID
from accounts.operations.accounts.creating import AccountArchived, ExternalIdTaken
from accounts.versions import require_version
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7

_KINDS: Final[Mapping[str, ValueKind]] = {
    "external_id": EXTERNAL_ID,
    "name": Text(200),
    "email": EMAIL,
    "language": Choice(LANGUAGES),
}
_NEEDED: Final = ("name", "email")
FIELDS: Final = tuple(_KINDS)


class ContactFields(TypedDict, total=False):
    """What can be said of a contact; what is left out stays, or is empty at first."""

    external_id: str | None
    name: str
    email: str
    language: str


class InvalidContact(Invalid):
    """Particulars that can't be those of a person; ``errors`` names each field."""

    code = "invalid_contact"
    message = _("These particulars of the contact are not valid: %(fields)s.")


@operation
def create_contact(
    actor: Actor,
    account_id: UUID,
    *,
    now: datetime,
    key: UUID | None = None,
    **fields: Unpack[ContactFields],
) -> tuple[Contact, bool]:
    """Add a contact to an account; made again with its external id or key it is that contact.

    Args:
        actor: who adds it.
        account_id: where the person belongs.
        now: for the audit trail.
        key: of the contact, where whoever asks has chosen it, to ask twice without harm.
        fields: who it is.

    Returns:
        The contact, and whether it is new.

    Raises:
        NotFound, Forbidden: the account is out of sight, or its people not the actor's to change.
        AccountArchived, ExternalIdTaken, InvalidContact: see there.
    """
    account = _account(actor, account_id)
    wanted = {"external_id": None, "name": "", "email": "", "language": "", **_plain(fields)}
    _require_valid(wanted)
    found = _same(actor, account_id, wanted) or _made_before(actor, account_id, key)
    if found is not None:
        return found, False
    if account.status == Account.Status.ARCHIVED:
        raise AccountArchived(name=account.name)
    contact = Contact(id=key or uuid7(), tenant_id=actor.tenant_id, account_id=account_id, **wanted)
    try:
        with transaction.atomic():
            contact.save(force_insert=True)
    except IntegrityError as error:
        # Somebody else made it in the meantime.
        found = _same(actor, account_id, wanted) or _made_before(actor, account_id, key)
        if found is None:
            raise ExternalIdTaken(external_id=wanted["external_id"], errors=[_taken()]) from error
        return found, False
    _record(actor, "contact.created", contact, None, wanted, now)
    return contact, True


@operation
def edit_contact(
    actor: Actor,
    contact_id: UUID,
    *,
    now: datetime,
    version: str = "",
    require_seen: Callable[[], object] = lambda: None,
    **fields: Unpack[ContactFields],
) -> Contact:
    """Change what is said of a contact; what is left out stays. A login keeps its own address.

    Args:
        actor: who changes it.
        contact_id: the contact.
        now: for the audit trail.
        version: of what was shown, ``version_of(contact_shown(…))``; empty overwrites anyway.
        require_seen: called under the lock; raises where the caller has seen another state.
        fields: the new values.

    Raises:
        NotFound, Forbidden: the account is out of sight, or its people not the actor's to change.
        ExternalIdTaken, InvalidContact: see there.
        ChangedMeanwhile: it is not as shown any more.
    """
    contact = (
        Contact.objects.select_for_update(no_key=True)
        .filter(tenant_id=actor.tenant_id, pk=contact_id)
        .order_by("pk")
        .first()
    )
    if contact is None:
        raise NotFound
    _account(actor, contact.account_id)
    wanted = _plain(fields)
    require_seen()
    stored = {name: getattr(contact, name) for name in FIELDS}
    require_version(version, stored, {**stored, **wanted})
    _require_valid(wanted)
    new = {name: value for name, value in wanted.items() if stored[name] != value}
    if not new:
        return contact
    for name, value in new.items():
        setattr(contact, name, value)
    try:
        with transaction.atomic():
            contact.save(update_fields=list(new))
    except IntegrityError as error:
        raise ExternalIdTaken(external_id=contact.external_id, errors=[_taken()]) from error
    before = {name: stored[name] for name in new}
    _record(actor, "contact.updated", contact, before, new, now)
    return contact


def _account(actor: Actor, account_id: UUID) -> Account:
    """Return an account whose people the actor may change."""
    account = Account.objects.filter(tenant_id=actor.tenant_id, pk=account_id).first()
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_PEOPLE, account)
    return account


def _same(actor: Actor, account_id: UUID, wanted: Mapping[str, Any]) -> Contact | None:
    """Return the contact that has the wanted external id, None where there is none.

    Raises:
        ExternalIdTaken: it differs in something that is wanted, or belongs elsewhere.
    """
    if wanted["external_id"] is None:
        return None
    contact = Contact.objects.filter(
        tenant_id=actor.tenant_id, external_id=wanted["external_id"]
    ).first()
    if contact is None:
        return None
    is_so = all(getattr(contact, name) == value for name, value in wanted.items())
    if contact.account_id != account_id or not is_so:
        raise ExternalIdTaken(external_id=wanted["external_id"], errors=[_taken()])
    return contact


def _taken() -> FieldError:
    return FieldError("external_id_taken", _now("It is taken."), "/external_id")


def _made_before(actor: Actor, account_id: UUID, key: UUID | None) -> Contact | None:
    """Return the contact of an account that was made with a key."""
    if key is None:
        return None
    made = Contact.objects.filter(tenant_id=actor.tenant_id, account_id=account_id, pk=key)
    return made.order_by("pk").first()


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = {n: v.strip() if isinstance(v, str) else v for n, v in fields.items()}
    if "external_id" in found:
        found["external_id"] = found["external_id"] or None
    return found


def _require_valid(fields: Mapping[str, Any]) -> None:
    errors = list(_faults(fields))
    if errors:
        names = ", ".join(error.pointer.removeprefix("/") for error in errors)
        raise InvalidContact(fields=names, errors=errors)


def _faults(fields: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, value in fields.items():
        if value in ("", None) and name not in _NEEDED:
            continue
        try:
            _KINDS[name].check(value)
        except ValueRefused as refused:
            yield FieldError(refused.code, refused.detail, pointer=f"/{name}")


def _record(
    actor: Actor,
    action: str,
    contact: Contact,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    now: datetime,
) -> None:
    happening = Happening(
        action,
        contact.pk,
        contact.account_id,
        before=before,
        after=after,
        data={"external_id": contact.external_id or "", "role": ""},
    )
    record_event(actor, happening, now=now)
