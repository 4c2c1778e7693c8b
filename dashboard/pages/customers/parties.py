"""Who answers for something, and who says so: a name, where it leads, and where it comes from."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.declarations import SettingName
from accounts.models import Account
from accounts.queries.answering import Answering
from web.accounts import account_url
from web.naming import linked
from web.templatetags.components import icon

_ICONS: Final = {
    "override": "map-pin",
    "own": "map-pin",
    "inherited": "arrow-up",
    "default": "settings-2",
}


@dataclass(frozen=True, slots=True)
class Party:
    """An account that answers for something, and who says so.

    ``origin`` is ``own``, ``inherited``, ``override`` or ``default``; ``origin_name`` and
    ``origin_url`` lead to the account that something is inherited from.
    """

    name: str
    url: str = ""
    origin: str = ""
    origin_name: str = ""
    origin_url: str = ""

    @property
    def because(self) -> str:
        """Who says so, in plain words."""
        words = {
            "override": _("set on the subscription"),
            "own": _("set on the account itself"),
            "inherited": _("inherited from %(name)s") % {"name": self.origin_name},
            "default": _("default"),
        }
        return words[self.origin]

    @property
    def note(self) -> SafeString:
        """Who says so, with the sign for it, and where to change it."""
        text = linked(self.because, {self.origin_name: self.origin_url} if self.origin_url else {})
        tone = " own" if self.origin in {"override", "own"} else ""
        return format_html(
            '<span class="provenance{}">{}{}</span>', tone, icon(_ICONS[self.origin], 14), text
        )


def invoiced_to(owner_id: UUID, override_id: UUID | None, answers: Answering) -> Party:
    """Return who is invoiced for what an account uses, or for what names a recipient itself."""
    bill_to = answers.named[answers.bill_to(owner_id, override_id)]
    if answers.is_overridden(owner_id, override_id):
        return Party(bill_to.name, account_url(bill_to.pk), "override")
    return _named(bill_to, owner_id, answers.settings.bill_tos[owner_id][1], answers)


def paid_by(bill_to_id: UUID, answers: Answering) -> Party:
    """Return who pays what is addressed to an account."""
    payer_id, origin_id = answers.settings.payers.get(bill_to_id, (bill_to_id, None))
    return _named(answers.named[payer_id], bill_to_id, origin_id, answers)


def cost_centre_of(owner_id: UUID, answers: Answering) -> Party:
    """Return the cost centre of an account, which nobody opens."""
    value = answers.settings.value(owner_id, SettingName.COST_CENTRE)
    if not value:
        return Party("")
    origin_id = answers.settings.resolved[owner_id].origin(SettingName.COST_CENTRE)
    return _with_origin(str(value), "", owner_id, origin_id, answers)


def _named(account: Account, read_at: UUID, origin_id: UUID | None, answers: Answering) -> Party:
    return _with_origin(account.name, account_url(account.pk), read_at, origin_id, answers)


def _with_origin(
    name: str, url: str, read_at: UUID, origin_id: UUID | None, answers: Answering
) -> Party:
    if origin_id is None:
        return Party(name, url, "default")
    if origin_id == read_at:
        return Party(name, url, "own", answers.named[origin_id].name)
    origin = answers.named[origin_id]
    return Party(name, url, "inherited", origin.name, account_url(origin_id, "settings"))
