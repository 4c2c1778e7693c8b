"""Accounts that integrators refer to."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access import Action
from accounts.queries.accounts import resolve_reference
from tenancy.actor import Actor
from tenancy.api.reading import InvalidParameters, pointer
from tenancy.errors import FieldError, Invalid, NotFound


def referred(
    actor: Actor,
    values: Mapping[str, Any],
    name: str,
    action: Action = Action.VIEW_ACCOUNT,
    refusal: type[Invalid] = InvalidParameters,
) -> UUID | None:
    """Return the account that a parameter or member refers to, None where it is left out.

    Raises:
        Invalid: it refers to no account in reach; ``refusal`` says of what it is a part.
    """
    text = values.get(name)
    if text is None:
        return None
    try:
        return resolve_reference(actor, text, action=action)
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such account."), pointer(name))
        raise refusal(errors=[wrong]) from error
