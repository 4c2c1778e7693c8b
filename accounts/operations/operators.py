"""Operators of the platform: making one, and letting one look at a tenant for a reason."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Forbidden, Invalid
from tenancy.events import Happening, record_event

SHORTEST_REASON = 10


class ReasonMissing(Invalid):
    """Nobody looks at a tenant's data without saying why."""

    code = "reason_missing"
    message = _("Please give a reason of at least %(count)s letters.")


class InvalidOperator(Invalid):
    """An e-mail address or password that can't be one."""

    code = "invalid_operator"
    message = _("This cannot be an operator's login: %(why)s")


@operation
def enter_tenant(actor: Actor, *, reason: str, now: datetime) -> None:
    """Write down that an operator of the platform looks at a tenant's data, and why.

    Args:
        actor: the operator, for the tenant they look at.
        reason: what the tenant's audit trail says.
        now: the instant.

    Raises:
        Forbidden: the person is no operator.
        ReasonMissing: see its text.
    """
    operators = Person.objects.filter(is_operator=True, is_active=True)
    if actor.person_id is None or not operators.filter(pk=actor.person_id).exists():
        raise Forbidden
    reason = " ".join(reason.replace("\x00", " ").split())
    if len(reason) < SHORTEST_REASON:
        raise ReasonMissing(count=SHORTEST_REASON)
    said = {"reason": reason[:500]}
    happening = Happening("tenant.operator_entered", actor.tenant_id, after=said, data=said)
    record_event(actor, happening, now=now)


def create_operator(actor: Actor, email: str, *, password: str) -> tuple[Person, bool]:
    """Make a login of the platform's operators, or make an existing login one.

    Args:
        actor: the system, for no tenant in particular.
        email: of the login; one that exists keeps its password.
        password: of a new login.

    Returns:
        The person, and whether the login is new.

    Raises:
        Forbidden: it is not the system that asks.
        InvalidOperator: see its text.
    """
    if not actor.is_system:
        raise Forbidden
    email = email.strip().lower()
    person = Person(email=email, name=email.partition("@")[0], is_operator=True)
    try:
        validate_email(email)
        validate_password(password, person)
    except ValidationError as error:
        raise InvalidOperator(why=" ".join(error.messages)) from error
    person.set_password(password)
    kept, is_new = Person.objects.get_or_create(
        email=email,
        defaults={"name": person.name, "password": person.password, "is_operator": True},
    )
    Person.objects.filter(pk=kept.pk).update(is_operator=True)
    return kept, is_new
