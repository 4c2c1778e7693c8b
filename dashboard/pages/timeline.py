"""What happened to one object, as sentences: who did it, when, from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.models import AuditEntry
from accounts.queries.audit import entries_about
from dashboard.frame import is_staff

_SENTENCES: Final[Mapping[str, Promise]] = {
    "invoice.drafted": gettext_lazy("Draft made"),
    "invoice.redrafted": gettext_lazy("Draft made anew"),
    "invoice.issued": gettext_lazy("Finalised, number assigned"),
    "invoice.rendered": gettext_lazy("PDF stored"),
    "account.created": gettext_lazy("Account created"),
    "account.updated": gettext_lazy("Account changed"),
    "subscription.created": gettext_lazy("Subscription begun"),
}
_ORIGINS: Final[Mapping[str, Promise]] = {
    "api": gettext_lazy("by API key"),
    "command": gettext_lazy("from the command line"),
    "task": gettext_lazy("by the timetable"),
    "portal": gettext_lazy("in the portal"),
}
_LONGEST: Final = 50


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of a timeline."""

    sentence: str
    at: datetime
    by: str


def timeline_of(actor: Actor, *object_ids: UUID) -> list[Happened]:
    """Return what happened to objects that the actor may see, the latest first. One statement.

    Customers are not told who of the staff did it.
    """
    return [
        Happened(
            sentence=str(_SENTENCES.get(entry.action, entry.action)),
            at=entry.at,
            by=_by(entry) if is_staff(actor) else "",
        )
        for entry in entries_about(actor, object_ids, limit=_LONGEST)
    ]


def _by(entry: AuditEntry) -> str:
    origin = _ORIGINS.get(entry.origin)
    if entry.actor_kind == "system":
        return str(origin or _("by the system"))
    if origin is None:
        return entry.actor_label
    return _("%(name)s, %(origin)s") % {"name": entry.actor_label, "origin": origin}
