"""What hangs on an account: why it can't be archived or given up yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import CharField, Count, F, Q, QuerySet, Window
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from accounts import access
from accounts.access import Action
from accounts.models import Account, SettingInterval, SettingName
from accounts.queries.accounts import get_account
from invoicing.models import Charge, Invoice, InvoiceSection
from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.ids import public_id

LISTED: Final = 20
CHILD, SUBSCRIPTION, CHARGE, DRAFT = "child", "active_subscription", "open_charge", "draft"
INVOICED_HERE, PAID_HERE = "invoiced_to_it", "paid_by_it"


@dataclass(frozen=True, slots=True)
class Hanging:
    """One kind of thing that hangs on an account: how many, and the first of them.

    Each of ``things`` is its public id and what it is called.
    """

    kind: str
    count: int
    things: tuple[tuple[str, str], ...]


def hanging_on(actor: Actor, account_id: UUID, *, today: date) -> list[Hanging]:
    """Return what hangs on an account: accounts below it, subscriptions, charges, drafts, routes.

    Seven statements. All of it is counted, whether or not the actor may see each thing: else an
    account could be archived that is needed.

    Args:
        actor: who asks.
        account_id: the account.
        today: subscriptions that have ended by then are none any more.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    get_account(actor, account_id)
    return list(_found(actor, account_id, today))


def _found(actor: Actor, account_id: UUID, today: date) -> Iterator[Hanging]:
    mine = Q(tenant_id=actor.tenant_id)
    active = Account.objects.filter(mine, status=Account.Status.ACTIVE)
    yield from _listed(CHILD, "acc", active.filter(node__parent_id=account_id), "name")
    running = Subscription.objects.filter(mine, Q(end_date=None) | Q(end_date__gt=today))
    yield from _listed(SUBSCRIPTION, "sub", running.filter(account_id=account_id), "external_id")
    owed = Q(account_id=account_id) | Q(bill_to_id=account_id) | Q(payer_id=account_id)
    charges = Charge.objects.filter(mine, owed, status=Charge.Status.PENDING)
    named = charges.annotate(
        name=Coalesce(
            "subscription__external_id", KT("calculation__price__name"), output_field=CharField()
        )
    )
    yield from _listed(CHARGE, "chg", named, "name")
    sections = InvoiceSection.objects.filter(mine, account_id=account_id).order_by()
    drafts = Invoice.objects.filter(
        Q(bill_to_id=account_id)
        | Q(payer_id=account_id)
        | Q(service_owner_id=account_id)
        | Q(pk__in=sections.values("invoice_id")),
        mine,
        status__in=Invoice.UNISSUED,
    )
    yield from _listed(DRAFT, "inv", drafts, "bill_to__name")
    for kind, name in ((INVOICED_HERE, SettingName.BILL_TO), (PAID_HERE, SettingName.PAYER)):
        led_here = Q(pk__in=_led_here(actor, name, account_id, today))
        if name == SettingName.BILL_TO:
            overridden = running.filter(override_bill_to_id=account_id).order_by()
            led_here |= Q(pk__in=overridden.values("account_id"))
        others = active.filter(led_here).exclude(pk=account_id)
        yield from _listed(kind, "acc", others, "name")


def _led_here(actor: Actor, name: SettingName, account_id: UUID, today: date) -> QuerySet[Any, Any]:
    """Return the accounts whose own setting names this account, now or from a later day on."""
    return (
        SettingInterval.objects.filter(
            Q(valid_to=None) | Q(valid_to__gt=today),
            tenant_id=actor.tenant_id,
            name=name,
            target_id=account_id,
        )
        .order_by()
        .values("account_id")
    )


def _listed(kind: str, prefix: str, found: QuerySet[Any], called: str) -> Iterator[Hanging]:
    rows = list(
        found.annotate(of=Window(Count("pk")), called=F(called))
        .order_by("pk")
        .values_list("pk", "called", "of")[:LISTED]
    )
    if rows:
        things = tuple((public_id(prefix, key), text or "") for key, text, _of in rows)
        yield Hanging(kind, rows[0][2], things)


def may_archive(actor: Actor, account_id: UUID) -> bool:
    """Return whether the actor may archive an account. One statement."""
    return access.reach(actor, Action.EDIT_ACCOUNT).filter(pk=account_id).exists()
