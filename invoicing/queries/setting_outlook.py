"""How the next invoices of a customer would change with settings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS, SettingName
from accounts.models import Account
from invoicing.engine.what_if import Setting, WhatIf
from invoicing.queries.foreseeing import (
    DatesTooFar,
    ForeseenInvoice,
    Foresight,
    TreesTooLarge,
    foresee_invoices,
)
from tenancy.actor import Actor
from tenancy.models import Tenant

DAYS_AHEAD: Final = 62
SHOWN: Final = 12
_Key = tuple[date, UUID, str]


@dataclass(frozen=True, slots=True)
class ComingInvoice:
    """What a recipient is invoiced on a day in a currency; None: nothing."""

    day: date
    bill_to: Account
    currency: str
    before_minor: int | None
    after_minor: int | None
    count_before: int
    count_after: int


@dataclass(frozen=True, slots=True)
class ComingChanges:
    """The invoices that differ up to a day; None: nothing reads the settings.

    ``refused`` says why they could not be computed. ``more`` counts those beyond ``SHOWN``.
    """

    until: date | None = None
    invoices: tuple[ComingInvoice, ...] = ()
    more: int = 0
    refused: TreesTooLarge | DatesTooFar | None = None


def coming_changes(
    actor: Actor, account_id: UUID, values: Mapping[str, Any], *, day: date, tenant: Tenant
) -> ComingChanges | None:
    """Return which of the next invoices would be others. At most nineteen statements.

    Args:
        actor: who asks.
        account_id: whose settings are to change.
        values: by the names of settings; ids for accounts and sellers, None to inherit.
        day: since when.
        tenant: the actor's.

    Returns:
        The changes; None for an actor who does not see everybody's invoices.
    """
    if not access.allows_everywhere(actor, Action.VIEW_INVOICE):
        return None
    read = [
        Setting(account_id, SettingName(name), value, day)
        for name, value in values.items()
        if SETTINGS[name].is_used
    ]
    if not read:
        return ComingChanges()
    try:
        foresight = foresee_invoices(
            actor,
            [account_id],
            first=actor.today,
            last=day + timedelta(days=DAYS_AHEAD),
            what_if=WhatIf(settings=tuple(read)),
            tenant=tenant,
        )
    except (TreesTooLarge, DatesTooFar) as refused:
        return ComingChanges(refused=refused)
    found = _differing(foresight)
    return ComingChanges(foresight.until, tuple(found[:SHOWN]), max(0, len(found) - SHOWN))


def _differing(foresight: Foresight) -> list[ComingInvoice]:
    before, after = _sums(foresight.stored), _sums(foresight.changed)
    names = foresight.accounts
    return [
        ComingInvoice(
            key[0],
            names[key[1]],
            key[2],
            before[key][0] if key in before else None,
            after[key][0] if key in after else None,
            before[key][1] if key in before else 0,
            after[key][1] if key in after else 0,
        )
        for key in sorted({*before, *after}, key=lambda key: (key[0], names[key[1]].sort_key, key))
        if before.get(key) != after.get(key)
    ]


def _sums(invoices: Iterable[ForeseenInvoice]) -> dict[_Key, tuple[int, int, tuple[str, ...]]]:
    """Return sum, number and due dates of the invoices by day, recipient and currency."""
    found: dict[_Key, list[ForeseenInvoice]] = defaultdict(list)
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
