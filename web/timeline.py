"""What happened to one object, as sentences: who did it, when, from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.queries.audit import entries_about
from tenancy.actor import Actor
from tenancy.events import short_of
from tenancy.formats import date_text
from tenancy.models import AuditEntry
from web.frame import is_staff
from web.naming import linked

_BY: Final[Mapping[str, Promise]] = {
    "person": gettext_lazy("by %(name)s"),
    "key": gettext_lazy("by the API key %(name)s"),
    "command": gettext_lazy("from the command line"),
    "task": gettext_lazy("by the timetable"),
    "system": gettext_lazy("by the system"),
}
_BY_FOR_RUN: Final[Mapping[str, Promise]] = {
    "person": gettext_lazy("by %(name)s on behalf of the billing run of %(date)s"),
    "key": gettext_lazy("by the API key %(name)s on behalf of the billing run of %(date)s"),
    "command": gettext_lazy("from the command line on behalf of the billing run of %(date)s"),
    "task": gettext_lazy("by the timetable on behalf of the billing run of %(date)s"),
    "system": gettext_lazy("by the system on behalf of the billing run of %(date)s"),
}
_LONGEST: Final = 50


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of a timeline."""

    sentence: str
    at: datetime
    by: str | SafeString


def timeline_of(actor: Actor, *object_ids: UUID, people_of: UUID | None = None) -> list[Happened]:
    """Return what happened to objects that the actor may see, the latest first. One statement.

    Customers are not told who of the staff did it. With ``people_of`` what happened to the
    contacts of that account is there as well.
    """
    return [
        Happened(
            sentence=short_of(entry.action),
            at=entry.at,
            by=_with_run(entry) if is_staff(actor) else "",
        )
        for entry in entries_about(actor, object_ids, people_of=people_of, limit=_LONGEST)
    ]


def _with_run(entry: AuditEntry) -> str | SafeString:
    """Return who did it; the run on whose behalf it was leads there."""
    after = entry.after or {}
    sentence, run_id, run_date = by_whom(entry), after.get("run"), after.get("run_date")
    if not (run_id and run_date):
        return sentence
    address = reverse("runs:page", args=[run_id])
    return linked(sentence, {date_text(date.fromisoformat(run_date)): address})


def by_whom(entry: AuditEntry) -> str:
    """Return who did something and from where, and for which run, in one sentence."""
    origin = entry.origin if entry.actor_kind == "system" else entry.actor_kind
    run_date = (entry.after or {}).get("run_date")
    known = _BY_FOR_RUN if run_date else _BY
    sentence = str(known.get(origin) or known["system"])
    return sentence % {
        "name": entry.actor_label,
        "date": date_text(date.fromisoformat(run_date)) if run_date else "",
    }
