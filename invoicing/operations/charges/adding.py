"""Charging an account for something once."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from invoicing.engine.rating import MAX_AMOUNT_MINOR, invoice_day
from invoicing.engine.reading import subscription_rows
from invoicing.engine.rows import ChargeRow, SubscriptionRow
from invoicing.models import Charge
from invoicing.operations.charges.wanting import (
    InvalidCharge,
    NewCharge,
    charge_differences,
    charge_faults,
    charge_row,
)
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.settling import AmountTooLarge, pending
from subscriptions.models import Price, Subscription
from subscriptions.operations.catalogue import hold_prices
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event


class AccountArchived(Conflict):
    """Nothing new is charged to an account that is archived."""

    code = "account_archived"
    message = gettext_lazy("This account is archived.")


class ChargeExists(Conflict):
    """The integrator's own id names another charge already."""

    code = "external_id_taken"
    message = gettext_lazy("There is another charge with the external id “%(external_id)s”.")


class AlreadyCharged(Conflict):
    """It was added before: somebody has sent the same form twice."""

    code = "already_created"
    message = gettext_lazy("This has been charged already. Nothing was charged twice.")


@dataclass(frozen=True, slots=True)
class Added:
    """A charge, whether it is new, and as billing takes it.

    ``row`` is None where the charge was there before.
    """

    charge: Charge
    is_new: bool
    row: ChargeRow | None


@operation
def add_charge(
    actor: Actor,
    account_id: UUID,
    wanted: NewCharge,
    *,
    is_dry_run: bool = False,
    today: date,
    now: datetime,
) -> Added:
    """Charge an account for something once.

    It falls due on its first day, today at the earliest, and is invoiced on the next billing day
    of whoever is invoiced, or at once. A run takes it with what else is due, or alone. Made again
    with the external id of a charge that is just so, it is that charge.

    Args:
        actor: who adds it.
        account_id: whose it is.
        wanted: what, for which days, and how it is invoiced.
        is_dry_run: check everything, store nothing.
        today: nothing falls due before.
        now: the instant, for the audit trail.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not charge it.
        AccountArchived, AlreadyCharged, AmountTooLarge: see their texts.
        ChargeExists: another charge has its external id.
        InvalidCharge: something of it can't be so.

    Source: docs/billing-rules.md, R5, R13, Charged once, for no item.
    """
    account = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_CHARGE, account)
    # The lock of the tree comes first; then what was read is read again.
    families = load_families(actor, [tree.path_ids(actor.tenant_id, account_id)[0]], None)
    account = families.accounts[account_id]
    found = _known(actor, account, wanted)
    if found is not None:
        return Added(found, is_new=False, row=None)
    if account.status == Account.Status.ARCHIVED:
        raise AccountArchived
    price, subscription = _price(actor, wanted), _subscription(actor, account_id, wanted)
    if errors := list(charge_faults(wanted, price, subscription)):
        raise InvalidCharge(errors=errors)
    row = charge_row(account_id, wanted, price, subscription, today)
    if row.net_minor > MAX_AMOUNT_MINOR:
        raise AmountTooLarge
    if not wanted.is_billed_now:
        row.invoice_on = invoice_day(families, row, row.due_date)
    pending(row)
    charge = as_stored(actor, account, row, now)
    if not is_dry_run:
        try:
            with transaction.atomic():
                charge.save(force_insert=True)
        except IntegrityError:
            # Another account's charge took the external id or the key a moment ago.
            found = _known(actor, account, wanted)
            if found is None:
                raise
            return Added(found, is_new=False, row=None)
        record_event(actor, added(charge), now=now)
    return Added(charge, is_new=True, row=row)


def _known(actor: Actor, account: Account, wanted: NewCharge) -> Charge | None:
    """Return the charge that has the wanted external id and is just so, None if there is none.

    Raises:
        AlreadyCharged: there is one with the key.
        ChargeExists: the one with the external id is another.
    """
    mine = Charge.objects.filter(tenant_id=actor.tenant_id)
    if wanted.key is not None and mine.filter(pk=wanted.key).exists():
        raise AlreadyCharged
    if wanted.external_id is None:
        return None
    found = mine.filter(external_id=wanted.external_id).select_related("account").first()
    if found is not None and any(charge_differences(found, account.pk, wanted)):
        raise ChargeExists(external_id=wanted.external_id)
    return found


def _price(actor: Actor, wanted: NewCharge) -> Price | None:
    if wanted.price_id is None:
        return None
    hold_prices(actor, [wanted.price_id])
    found = Price.objects.filter(tenant_id=actor.tenant_id, pk=wanted.price_id)
    return found.select_related("product").first()


def _subscription(actor: Actor, account_id: UUID, wanted: NewCharge) -> SubscriptionRow | None:
    """Return the subscription that a charge names, None where the account has no such one."""
    if wanted.subscription_id is None:
        return None
    own = Subscription.objects.filter(tenant_id=actor.tenant_id, account_id=account_id)
    if not own.filter(pk=wanted.subscription_id).exists():
        return None
    return subscription_rows(actor, [wanted.subscription_id])[wanted.subscription_id]


def as_stored(actor: Actor, account: Account, row: ChargeRow, now: datetime) -> Charge:
    """Return a charge as its row of the table."""
    return Charge(
        id=row.id,
        tenant_id=actor.tenant_id,
        subscription_id=row.subscription_id,
        account=account,
        kind=row.kind,
        period_start=row.period_start,
        period_end=row.period_end,
        due_date=row.due_date,
        invoice_on=row.invoice_on,
        currency=row.currency,
        net_minor=row.net_minor,
        status=row.status,
        po_number=row.po_number,
        external_id=row.external_id,
        calculation=row.calculation,
        reason=row.reason,
        created_at=now,
    )


def added(charge: Charge) -> Happening:
    """Return that something is charged, for the log."""
    return Happening(
        "charge.added",
        charge.pk,
        charge.account_id,
        after={**said_of(charge), "quantity": charge.calculation["quantity"]},
        data=said_of(charge),
    )


def said_of(charge: Charge) -> dict[str, Any]:
    """Return what events say of a charge."""
    said = {
        "description": charge.calculation["price"]["name"],
        "net_minor": charge.net_minor,
        "currency": charge.currency,
        "invoice_on": charge.invoice_on.isoformat(),
    }
    return said if charge.external_id is None else {**said, "external_id": charge.external_id}
