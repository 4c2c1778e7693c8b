"""The preview of a merge: what comes to the kept account, and what does not."""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from accounts.declarations import PARTICULARS
from accounts.models import Account, SettingName
from invoicing.models import Charge
from invoicing.queries.plans.standing import Standing
from subscriptions.models import Subscription
from subscriptions.queries.owners import still_billed

_PLAIN: Final = [
    name for name in SettingName.values if name not in (SettingName.BILL_TO, SettingName.PAYER)
]
_MOST_ROWS: Final = 100
Reference = Callable[[UUID | None], Any]


def merge_shown(standing: Standing, reference: Reference) -> dict[str, Any] | None:
    """Return what comes of a merge as plain JSON, None for other plans. Four statements.

    Args:
        standing: the accounts concerned.
        reference: names an account.
    """
    wanted, found = standing.wanted, standing.carried
    if found is None or wanted.target_id is None:
        return None
    duplicate, kept = standing.accounts[wanted.account_id], standing.accounts[wanted.target_id]
    children = [key for key, up in standing.parents.items() if up == duplicate.pk]
    doubles = [{"name": one.name, "email": one.email} for one, _other in found.doubles]
    return {
        "account": reference(duplicate.pk),
        "into": reference(kept.pk),
        "external_id": duplicate.external_id,
        "children": [reference(key) for key in children[:_MOST_ROWS]],
        "more_children": max(0, len(children) - _MOST_ROWS),
        **_counts(standing),
        "contacts": [{"name": c.name, "email": c.email} for c in found.contacts[:_MOST_ROWS]],
        "more_contacts": max(0, len(found.contacts) - _MOST_ROWS),
        "same_contacts": doubles[:_MOST_ROWS],
        "roles": [
            {"name": one.contact.name, "role": one.grant.role, "both": one.into is not None}
            for one in found.roles[:_MOST_ROWS]
        ],
        "more_roles": max(0, len(found.roles) - _MOST_ROWS),
        "tags": list(found.new_tags),
        "metadata": list(found.new_metadata),
        "metadata_kept": [
            {"name": name, "kept": pair[0], "dropped": pair[1]}
            for name, pair in found.clashes.items()
        ],
        "api_keys": [key.name for key in found.keys][:_MOST_ROWS],
        "redirected": [*_redirected(standing, reference)][:_MOST_ROWS],
        "settings": [*_settings(standing)],
        "particulars": [*_particulars(duplicate, kept)],
    }


def _counts(standing: Standing) -> dict[str, int]:
    """Return how many subscriptions and charges come along, and how many stay."""
    actor, day, subject = standing.actor, standing.wanted.day, standing.wanted.account_id
    sold = Subscription.objects.filter(tenant_id=actor.tenant_id, account_id=subject)
    moving = sold.filter(still_billed(actor, day)).count()
    charges = Charge.objects.filter(
        tenant_id=actor.tenant_id, account_id=subject, status=Charge.Status.PENDING
    )
    coming = charges.filter(invoice_on__gte=day).count()
    return {
        "subscriptions": moving,
        "ended_subscriptions": sold.count() - moving,
        "charges": coming,
        "earlier_charges": charges.filter(~Q(invoice_on__gte=day)).count(),
    }


def _redirected(standing: Standing, reference: Reference) -> Iterator[dict[str, Any]]:
    """Yield who is invoiced to the kept account, or paid for by it, instead of the duplicate."""
    wanted = standing.wanted
    for account_id, values in wanted.settings.items():
        for name, value in values.items():
            if value == wanted.target_id and account_id != wanted.account_id:
                yield {"account": reference(account_id), "setting": str(name)}


def _settings(standing: Standing) -> Iterator[dict[str, Any]]:
    """Yield the settings that are other on the kept account: its own hold, and go on."""
    before, wanted = standing.before, standing.wanted
    for name in _PLAIN:
        if wanted.target_id is None:
            continue
        old, new = before.value(wanted.account_id, name), before.value(wanted.target_id, name)
        if old != new:
            yield {"setting": name, "old": old, "new": new}


def _particulars(duplicate: Account, kept: Account) -> Iterator[dict[str, str]]:
    """Yield what is said of the two in different words; the kept account's stays."""
    for name in PARTICULARS:
        old, new = getattr(duplicate, name), getattr(kept, name)
        if old and old != new:
            yield {"name": name, "dropped": old, "kept": new}
