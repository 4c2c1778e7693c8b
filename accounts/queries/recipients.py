"""Where a contact's e-mail address is named as one that documents are sent to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q, TextField
from django.db.models.functions import Cast, Lower

from accounts import access
from accounts.access import Action
from accounts.declarations import SettingName
from accounts.models import Account, Contact, SettingInterval
from accounts.queries.setting_history import FamilySettings
from tenancy.actor import Actor

_RECIPIENTS = (SettingName.INVOICE_RECIPIENTS, SettingName.PARTIAL_RECIPIENTS)


def addresses_for_invoices(settings: FamilySettings, account: Account) -> tuple[str, ...]:
    """Return to whom invoices of an account would be sent: as its setting says, else to itself.

    No statement: both were read.
    """
    written: Sequence[str] = settings.value(account.pk, SettingName.INVOICE_RECIPIENTS) or ()
    return tuple(written) or ((account.email,) if account.email else ())


@dataclass(frozen=True, slots=True)
class Named:
    """A setting that names the address; without an account it is the tenant's default."""

    setting: str
    account_id: UUID | None
    account_name: str


def needed_for(
    actor: Actor, contact: Contact, *, today: date, limit: int = 20
) -> tuple[list[Named], int]:
    """Return settings in force or planned that name a contact's address, and how many.

    None where another contact of the same account has the address, as a shared mailbox: somebody
    still answers for it. At most three statements; they look through the recipients that accounts
    set of their own, which few do.
    """
    others = Contact.objects.filter(
        tenant_id=actor.tenant_id, account_id=contact.account_id, email__iexact=contact.email
    ).exclude(pk=contact.pk)
    if others.exists():
        return [], 0
    seen = access.reach(actor, Action.VIEW_SETTINGS).order_by().values("pk")
    # Text of JSON has the address between quotation marks, so no part of a longer one is found.
    quoted = json.dumps(contact.email.lower(), ensure_ascii=False)
    found = (
        SettingInterval.objects.filter(
            Q(account=None) | Q(account__in=seen),
            Q(valid_to=None) | Q(valid_to__gt=today),
            tenant_id=actor.tenant_id,
            name__in=[name.value for name in _RECIPIENTS],
        )
        .annotate(addresses=Lower(Cast("value", TextField())))
        .filter(addresses__contains=quoted)
        .order_by("account__sort_key", "account_id", "name")
        .values_list("name", "account_id", "account__name")
        .distinct()
    )
    first = [Named(name, key, account or "") for name, key, account in found[:limit]]
    return first, len(first) if len(first) < limit else found.count()
