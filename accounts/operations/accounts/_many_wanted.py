"""What is wanted of many accounts, checked before any of them is looked at."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.operations.account_settings.refusals import (
    checked_values,
    require_day,
    require_right,
    require_seller,
)
from accounts.operations.accounts._many_outcomes import ADD, REMOVE, REPLACE, WantedOfMany
from accounts.operations.accounts._particulars import plain, require_valid
from tenancy.actor import Actor
from tenancy.errors import Invalid

_WAYS: Final = ("", ADD, REMOVE, REPLACE)


class NothingWanted(Invalid):
    """No change was named, or one that many accounts cannot have at once."""

    code = "nothing_wanted"
    message = _("Say what is to change: tags, the cost centre or a billing setting.")


def checked_wanted(actor: Actor, wanted: WantedOfMany, today: date) -> WantedOfMany:
    """Return what is wanted as it is stored, if the actor may want it at all."""
    names = [*wanted.settings]
    if wanted.tags_way:
        access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    if names or not wanted.tags_way:
        access.require_everywhere(actor, Action.EDIT_SETTINGS)
    is_routed = any(name in SETTINGS and SETTINGS[name].is_account for name in names)
    if wanted.tags_way not in _WAYS or is_routed or not (wanted.tags_way or names):
        raise NothingWanted
    tags: Sequence[str] = plain({"tags": wanted.tags})["tags"]
    if wanted.tags_way in (ADD, REMOVE) and not tags:
        raise NothingWanted
    require_valid({"tags": tags})
    require_right(actor, names)
    require_day(actor, wanted.day, names, today=today)
    values = checked_values(actor, wanted.settings)
    for name, value in values.items():
        if SETTINGS[name].is_seller and value is not None:
            require_seller(actor, value)
    return WantedOfMany(wanted.day, wanted.tags_way, tags, values)
