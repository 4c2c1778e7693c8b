"""What somebody should look at before a plan is carried out."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from accounts.models import Account, SettingName
from invoicing.models import ChangePlan
from invoicing.queries.plans.discounts import discounts_that_stay
from invoicing.queries.plans.money import Outlook
from invoicing.queries.plans.others import stopped_by
from invoicing.queries.plans.prices import prices_that_stay
from invoicing.queries.plans.standing import Standing
from tenancy.ids import public_id

_NAMED: Final = 100
"""So many subscriptions are named that keep their price."""


def warnings_of(
    standing: Standing, outlook: Outlook, reference: Callable[[UUID], Any]
) -> Iterator[dict[str, Any]]:
    """Yield warnings: codes with what their sentences name; ``reference`` names an account.

    Source: docs/billing-rules.md, R1, R2, R10, Negotiated prices.
    """
    before, after = standing.invoiced_before, standing.invoiced_after
    crossing: dict[UUID, list[UUID]] = defaultdict(list)
    wanted = standing.wanted
    # What was signed with a duplicate was signed with the account that is kept.
    signed: dict[UUID | None, UUID | None] = {}
    if wanted.kind == ChangePlan.Kind.MERGE:
        signed = {wanted.account_id: wanted.target_id}
    for key in standing.scope:
        own = standing.accounts[key].contract_party_id
        party_id = signed.get(own, own)
        if before[key] != after[key] and party_id not in (None, after[key]):
            crossing[after[key]].append(key)
    for bill_to_id, accounts in crossing.items():
        yield {
            "code": "not_contract_party",
            "account": reference(bill_to_id),
            "accounts": len(accounts),
            "example": reference(accounts[0]),
        }
    for bill_to_id in dict.fromkeys(after.values()):
        known = standing.accounts.get(bill_to_id)
        if bill_to_id not in before.values() and known and not _can_be_invoiced(known):
            yield {"code": "recipient_incomplete", "account": reference(bill_to_id)}
    for account_id, values in wanted.own_settings.items():
        pays = values.get(SettingName.PAYER)
        if pays is not None and standing.after.bill_tos[account_id][0] != account_id:
            yield {"code": "payer_without_effect", "account": reference(account_id)}
    given = discounts_that_stay(standing)
    for code, staying in (
        ("prices_stay", prices_that_stay(standing)),
        ("discounts_stay", given.kept),
        ("discounts_not_taken", given.not_taken),
    ):
        if staying:
            keys = [*dict.fromkeys(item.subscription_id for item in staying)]
            yield {
                "code": code,
                "account": reference(staying[0].account_id),
                "count": len(keys),
                "subscriptions": [public_id("sub", key) for key in keys[:_NAMED]],
            }
    for plan in stopped_by(standing):
        yield {
            "code": "other_plan_stops",
            "account": {
                "id": plan.account.public_id,
                "external_id": plan.account.external_id,
                "name": plan.account.name,
            },
            "plan": plan.public_id,
            "effective_date": plan.effective_date.isoformat(),
        }
    waiting = dict.fromkeys(
        made.before[0]
        for made in outlook.made_over
        if (made.before[0], made.credit.currency) in outlook.waiting
    )
    for bill_to_id in waiting:
        yield {"code": "credit_waits", "account": reference(bill_to_id)}
    if outlook.is_too_large:
        yield {"code": "invoices_unknown", "account": None}


def _can_be_invoiced(account: Account) -> bool:
    """Return whether a document could be addressed to it (R2)."""
    return bool(account.legal_name and account.line1 and account.city and account.country)
