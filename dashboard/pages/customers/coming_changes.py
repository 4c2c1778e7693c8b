"""How the next invoices of a customer would change with a setting."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS, SettingName
from accounts.middleware import ActorRequest
from invoicing.engine.what_if import Setting, WhatIf
from invoicing.queries.foreseeing import Foresight, TreesTooLarge, foresee_invoices

DAYS_AHEAD: Final = 62
SHOWN: Final = 12
_Key = tuple[date, UUID, str]


@dataclass(frozen=True, slots=True)
class ComingInvoice:
    """What a recipient is invoiced on a day in a currency; None: nothing."""

    day: date
    recipient: str
    currency: str
    before_minor: int | None
    after_minor: int | None
    count_before: int
    count_after: int


@dataclass(frozen=True, slots=True)
class ComingChanges:
    """The invoices that differ up to a day.

    ``refusal`` says why they could not be computed. ``more`` counts those beyond ``SHOWN``.
    """

    until: date | None = None
    invoices: tuple[ComingInvoice, ...] = ()
    more: int = 0
    refusal: str = ""


def coming_changes(
    request: ActorRequest, account_id: UUID, name: str, value: Any, day: date
) -> ComingChanges | None:
    """Return which of the next invoices would be others; None where nothing reads the setting."""
    if not SETTINGS[name].is_used or not access.allows_everywhere(
        request.actor, Action.VIEW_INVOICE
    ):
        return None
    last = day + timedelta(days=DAYS_AHEAD)
    try:
        foresight = foresee_invoices(
            request.actor,
            [account_id],
            first=request.actor.today,
            last=last,
            what_if=WhatIf(settings=(Setting(account_id, SettingName(name), value, day),)),
            tenant=request.tenant,
        )
    except TreesTooLarge as refusal:
        return ComingChanges(refusal=refusal.detail)
    found = _differing(foresight)
    return ComingChanges(foresight.until, tuple(found[:SHOWN]), max(0, len(found) - SHOWN))


def _differing(foresight: Foresight) -> list[ComingInvoice]:
    before, after = _sums(foresight.stored), _sums(foresight.changed)
    names = foresight.accounts
    return [
        ComingInvoice(
            key[0],
            names[key[1]].name,
            key[2],
            before[key][0] if key in before else None,
            after[key][0] if key in after else None,
            before[key][1] if key in before else 0,
            after[key][1] if key in after else 0,
        )
        for key in sorted({*before, *after}, key=lambda key: (key[0], names[key[1]].sort_key))
        if before.get(key) != after.get(key)
    ]


def _sums(invoices: Any) -> dict[_Key, tuple[int, int, tuple[str, ...]]]:
    """Return sum, number and due dates of the invoices by day, recipient and currency."""
    found: dict[_Key, list[Any]] = defaultdict(list)
    for one in invoices:
        if not one.waits_for:
            found[one.day, one.bill_to_id, one.currency].append(one)
    return {
        key: (
            sum(one.gross_minor for one in ones),
            len(ones),
            tuple(sorted(f"{one.due_date} {one.payer_id} {one.collection}" for one in ones)),
        )
        for key, ones in found.items()
    }
