"""Everything that billing some families needs, read in a constant number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts import tree
from accounts.models import Account, BankAccount, Seller, TaxRate
from accounts.queries.setting_history import SettingHistory
from accounts.queries.settings import setting_history
from billing_rules.tax import Category
from billing_rules.tax_rates import Rate, TaxClass
from invoicing.engine.families import Families, standing_of
from invoicing.models import Charge, DocumentKind, NumberSeries
from subscriptions.models import LateUsage, UsagePool
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared
from tenancy.models import Tenant


def read_families(
    actor: Actor,
    families: Mapping[UUID, Sequence[tuple[UUID, UUID | None]]],
    within: UUID | None,
    *,
    tenant: Tenant,
    also: Iterable[UUID] = (),
) -> Families:
    """Read the accounts, settings, sellers and rates of some trees.

    Five statements; two more where somebody pays who stands in none of them: how it is collected
    is read at the payer (R9).

    Args:
        actor: whose tenant.
        families: by root, all accounts with their parents, parents first.
        within: the subtree that matters, None for everything.
        tenant: the actor's.
        also: accounts of any tree that may come to pay.
    """
    members = [pair for family in families.values() for pair in family]
    history = setting_history(actor, members, families=families)
    return _read(actor, members, history, within, tenant=tenant, also=also)


def read_those_above(actor: Actor, account_ids: Iterable[UUID], *, tenant: Tenant) -> Families:
    """Read some accounts and all above them, and nobody beside: who is invoiced, when, by whom.

    Six statements; two more as of ``read_families``.
    """
    members = tree.with_those_above(actor.tenant_id, account_ids)
    return _read(actor, members, setting_history(actor, members), None, tenant=tenant)


def _read(
    actor: Actor,
    members: list[tuple[UUID, UUID | None]],
    history: SettingHistory,
    within: UUID | None,
    *,
    tenant: Tenant,
    also: Iterable[UUID] = (),
) -> Families:
    # Whoever agreed to pay may stand in another tree.
    inside = {account_id for account_id, _parent in members}
    wanted = inside | history.payers() | {*also}
    if outside := wanted - inside:
        history = history.beside(
            setting_history(actor, tree.with_those_above(actor.tenant_id, outside))
        )
    found = _ACCOUNTS.objects(tenant=actor.tenant_id, ids=list(wanted))
    accounts = {account.id: account for account in found}
    sellers = _sellers(actor)
    return Families(
        actor=actor,
        **standing_of(members, accounts, within),
        accounts=accounts,
        history=history,
        sellers={seller.id: seller for seller in sellers},
        bank_accounts=_bank_accounts(actor),
        rates=_rates(actor),
        last_issue_dates={
            seller.id: seller.last_issue_date for seller in sellers if seller.last_issue_date
        },
        is_sandbox=tenant.is_sandbox,
        tenant_name=tenant.name,
        within=within,
        owes_credits=any(seller.credits_wait for seller in sellers),
        has_pools=any(seller.has_pools for seller in sellers),
        has_late_usage=any(seller.has_late_usage for seller in sellers),
    )


_ACCOUNTS = Prepared(
    lambda: Account.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids"))
)


def _sellers(actor: Actor) -> list[Any]:
    """Return the sellers, each with the last date of issue in any of its series.

    Read along is what of the tenant there may be and mostly isn't: credits that wait and name
    whose they are, pools, and usage that came in late.
    """
    return [*_SELLERS.objects(tenant=actor.tenant_id)]


def _sellers_with_last_issue() -> QuerySet[Seller]:
    series = NumberSeries.objects.filter(
        tenant_id=Given("tenant"), seller=OuterRef("pk"), kind=DocumentKind.INVOICE
    )
    last = series.order_by("-last_issue_date").values("last_issue_date")
    return (
        Seller.objects.filter(tenant_id=Given("tenant"))
        .annotate(
            last_issue_date=Subquery(last.filter(last_issue_date__isnull=False)[:1]),
            credits_wait=Exists(
                Charge.objects.filter(
                    tenant_id=Given("tenant"),
                    status=Charge.Status.PENDING,
                    bill_to__isnull=False,
                )
            ),
            has_pools=Exists(UsagePool.objects.filter(tenant_id=Given("tenant"))),
            has_late_usage=Exists(LateUsage.objects.filter(tenant_id=Given("tenant"))),
        )
        .order_by("id")
    )


_SELLERS = Prepared(_sellers_with_last_issue)
_BANK_ACCOUNTS = Prepared(lambda: BankAccount.objects.filter(tenant_id=Given("tenant")))
_TAX_RATES = Prepared(lambda: TaxRate.objects.filter(tenant_id=Given("tenant")))


def _bank_accounts(actor: Actor) -> dict[tuple[UUID, str], BankAccount]:
    """Return the sellers' accounts for other currencies than their own."""
    found = _BANK_ACCOUNTS.objects(tenant=actor.tenant_id)
    return {(account.seller_id, account.currency): account for account in found}


def _rates(actor: Actor) -> dict[UUID, list[Rate]]:
    rates: dict[UUID, list[Rate]] = {}
    for row in _TAX_RATES.objects(tenant=actor.tenant_id):
        rates.setdefault(row.seller_id, []).append(
            Rate(
                country="",
                tax_class=TaxClass(row.tax_class),
                category=Category(row.category),
                percent=row.percent,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
        )
    return rates
