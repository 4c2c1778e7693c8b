"""Letting people in: the tenant's own staff, and the contacts of its customers."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.models import Account, Contact, Grant, Membership, Person
from accounts.models.people import StaffRole
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event

LANGUAGES = ("de", "en")


class InvalidPerson(Invalid):
    """An e-mail address, name, role or language that can't be one."""

    code = "invalid_person"
    message = _("%(what)s “%(value)s” is not valid.")


class PasswordTooWeak(Invalid):
    """A password that is too short, or known to everybody."""

    code = "password_too_weak"
    message = _("The password is too weak: %(why)s")


class OtherStaffRole(Conflict):
    """They are staff already, in another role."""

    code = "other_staff_role"
    message = _("%(name)s belongs to the staff already, as “%(role)s”.")


class LoginElsewhere(Conflict):
    """The address signs in with another tenant, whose people may know its password."""

    code = "login_elsewhere"
    message = _("This e-mail address cannot be given a login here. Please use another one.")


@operation
def add_staff(
    actor: Actor,
    email: str,
    name: str,
    role: str,
    *,
    password: str,
    language: str,
    now: datetime,
    joins_login: bool = False,
) -> Membership:
    """Let a person work for the tenant; doing it again changes nothing.

    There is one login per e-mail address over all tenants. Whoever made it may know its password,
    so a login of another tenant is not let in here before its owner can be invited and agrees.

    Args:
        actor: who lets them in.
        email: what they sign in with; capitals don't matter.
        name: shown to people.
        role: one of ``StaffRole``.
        password: of a new login.
        language: ``de`` or ``en``, of a new login.
        now: the instant, for the audit trail.
        joins_login: let in a login of another tenant; for the system alone, where an operator
            knows that they are one person.

    Raises:
        Forbidden: the actor may not manage the tenant.
        InvalidPerson, PasswordTooWeak: see their texts.
        LoginElsewhere: the address signs in with another tenant.
        OtherStaffRole: they belong to the staff already, in another role.
    """
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    if role not in StaffRole.values:
        raise InvalidPerson(what=_("The role"), value=role[:40])
    person = _login(
        actor, email, name, password=password, language=language, joins_login=joins_login
    )
    membership, is_new = Membership.objects.get_or_create(
        tenant_id=actor.tenant_id, person=person, defaults={"role": role}
    )
    if membership.role != role:
        raise OtherStaffRole(name=person.name, role=membership.role)
    if is_new:
        after = {"person": str(person.id), "email": person.email, "role": role}
        happening = Happening("membership.created", membership.id, after=after, data={"role": role})
        record_event(actor, happening, now=now)
    return membership


@operation
def give_login(
    actor: Actor,
    contact_id: UUID,
    *,
    password: str,
    now: datetime,
    joins_login: bool = False,
) -> Person:
    """Let a customer's contact sign in; doing it again changes nothing.

    What they may do is what their grants say, so the actor must be allowed to manage people on
    every account of these. There is one login per e-mail address over all tenants: who has one
    here keeps their password, and one of another tenant is not let in (see ``add_staff``).

    Args:
        actor: who lets them in.
        contact_id: the contact.
        password: of a new login.
        now: the instant, for the audit trail.
        joins_login: let in a login of another tenant; for the system alone.

    Raises:
        LoginElsewhere: the address signs in with another tenant.
        NotFound: there is no such contact, or it is out of the actor's sight.
        Forbidden: the actor may not manage people there.
        InvalidPerson, PasswordTooWeak: see their texts.
    """
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("person")
        .filter(tenant_id=actor.tenant_id, pk=contact_id)
        .first()
    )
    if contact is None:
        raise NotFound
    for account in _accounts_of(actor, contact):
        access.require(actor, Action.EDIT_PEOPLE, account)
    if contact.person is not None:
        return contact.person
    person = _login(
        actor,
        contact.email,
        contact.name,
        password=password,
        language=contact.language,
        joins_login=joins_login,
    )
    contact.person = person
    contact.save(update_fields=["person"])
    record_event(
        actor,
        Happening(
            "contact.login_given",
            contact.id,
            contact.account_id,
            before={"person": None},
            after={"person": str(person.id), "email": person.email},
        ),
        now=now,
    )
    return person


def _accounts_of(actor: Actor, contact: Contact) -> list[Account]:
    """Return the account a contact belongs to and those it has a role on."""
    granted = Grant.objects.filter(tenant_id=actor.tenant_id, contact=contact)
    ids = {contact.account_id, *granted.values_list("account_id", flat=True)}
    return list(Account.objects.filter(tenant_id=actor.tenant_id, pk__in=ids).order_by("pk"))


def _login(
    actor: Actor, email: str, name: str, *, password: str, language: str, joins_login: bool
) -> Person:
    """Return the login with this e-mail address, made if there is none.

    All is checked and the password hashed before it is looked for, so that neither another
    refusal nor the time it takes says whether somebody signs in with the address.
    """
    email = _valid_email(email)
    person = Person(email=email, name=name.strip(), language=language)
    _require_valid(person, password)
    person.set_password(password)
    # Whoever makes the same login at the same instant in another tenant: one of the two is kept.
    kept, is_new = Person.objects.get_or_create(
        email=email,
        defaults={"name": person.name, "language": language, "password": person.password},
    )
    may_join = joins_login and actor.is_system
    if not (is_new or may_join or _signs_in_here(actor, kept)):
        raise LoginElsewhere
    return kept


def _signs_in_here(actor: Actor, person: Person) -> bool:
    return (
        Membership.objects.filter(tenant_id=actor.tenant_id, person=person).exists()
        or Contact.objects.filter(tenant_id=actor.tenant_id, person=person).exists()
    )


def _valid_email(text: str) -> str:
    """Return an e-mail address as logins have it: without capitals."""
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise _invalid(_("The e-mail address"), email) from error
    return email


def _require_valid(person: Person, password: str) -> None:
    if not person.name or len(person.name) > 200 or "\x00" in person.name:
        raise _invalid(_("The name"), person.name)
    if person.language and person.language not in LANGUAGES:
        raise _invalid(_("The language"), person.language)
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise PasswordTooWeak(
            why=" ".join(error.messages),
            errors=[
                FieldError("password_too_weak", message, pointer="/password")
                for message in error.messages
            ],
        ) from error


def _invalid(what: Promise, value: str) -> InvalidPerson:
    return InvalidPerson(what=what, value=value[:40].replace("\x00", "?"))
