"""Taking back what was to be charged once."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from invoicing.models import Charge, InvoiceLine
from invoicing.operations.charges.adding import said_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event


class ChargeInvoiced(Conflict):
    """It stands on an issued document, which never changes."""

    code = "charge_invoiced"
    message = gettext_lazy("This has been invoiced. It can only be corrected.")


class ChargeOnDraft(Conflict):
    """It stands on a draft, which somebody may be looking at."""

    code = "charge_on_draft"
    message = gettext_lazy(
        "This stands on a draft that waits for approval. Take that draft back first."
    )


class NotOnce(Conflict):
    """It follows from a subscription: what that is changed to decides about it."""

    code = "charge_not_one_off"
    message = gettext_lazy("This follows from a subscription. Change the subscription instead.")


@operation
def cancel_charge(
    actor: Actor,
    charge_id: UUID,
    *,
    require_seen: Callable[[], object] | None = None,
    now: datetime,
) -> Charge:
    """Take back what was to be charged once, while it stands on no document.

    It is gone: its external id is free again, the audit trail keeps what it was.

    Args:
        actor: who takes it back.
        charge_id: which.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        now: the instant, for the audit trail.

    Returns:
        The charge as it was.

    Raises:
        NotFound: it is out of the actor's sight, or was taken back before.
        Forbidden: the actor may not charge its account.
        ChargeInvoiced, ChargeOnDraft, NotOnce: see their texts.

    Source: docs/billing-rules.md, Charged once, for no item.
    """
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    seen = Charge.objects.filter(tenant_id=actor.tenant_id, pk=charge_id, account__in=reached)
    account_id = seen.values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound
    # A run drafts under the lock of the tree, and so does whatever moves charges.
    tree.lock_families(actor.tenant_id, [account_id])
    charge = seen.select_for_update(of=("self",)).select_related("account").order_by("pk").first()
    if charge is None:
        raise NotFound
    access.require(actor, Action.EDIT_CHARGE, charge.account)
    if require_seen is not None:
        require_seen()
    if charge.kind != Charge.Kind.ONE_OFF:
        raise NotOnce
    if charge.status == Charge.Status.INVOICED:
        raise ChargeInvoiced
    if InvoiceLine.objects.filter(tenant_id=actor.tenant_id, charge=charge).exists():
        raise ChargeOnDraft
    said = said_of(charge)
    happening = Happening("charge.cancelled", charge.pk, charge.account_id, before=said, data=said)
    record_event(actor, happening, now=now)
    Charge.objects.filter(tenant_id=actor.tenant_id, pk=charge.pk).delete()
    return charge
