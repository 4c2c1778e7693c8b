"""What accounts have as credit: taken back of what they paid, and not used yet (R17)."""

from django.db.models import Sum

from accounts import access
from accounts.access import Action
from accounts.models import Account
from invoicing.models import LedgerPosting
from tenancy.actor import Actor
from tenancy.errors import NotFound


def credits_of(actor: Actor, account: Account) -> dict[str, int]:
    """Return the credit of an account by currency, in minor units above 0; none is left out.

    The ledger tells it: what credit notes took back beyond what was open of their invoices. One
    statement, one more for those who don't see the whole tenant.

    Raises:
        NotFound: the actor may not see the account's invoices.

    Source: docs/billing-rules.md, R17.
    """
    if not access.allows_everywhere(actor, Action.VIEW_INVOICE):
        reached = access.reach(actor, Action.VIEW_INVOICE)
        if not reached.filter(pk=account.pk).exists():
            raise NotFound
    rows = (
        LedgerPosting.objects.filter(
            tenant_id=actor.tenant_id,
            ledger=LedgerPosting.Ledger.CUSTOMER_CREDIT,
            account=account,
        )
        .order_by("entry__currency")
        .values_list("entry__currency")
        .annotate(total=Sum("amount_minor"))
    )
    return {currency: -total for currency, total in rows if total}
