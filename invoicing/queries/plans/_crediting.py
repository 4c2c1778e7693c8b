"""The preview of what a plan credits and charges instead."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from invoicing.engine.crediting import Transfer
from tenancy.ids import public_id

Reference = Callable[[UUID | None], Any]


def named_in(transfers: Sequence[Transfer]) -> set[UUID]:
    """Return the accounts that are named."""
    return {key for one in transfers for key in (*one.before, *one.after, one.charge.account_id)}


def credit_shown(made: Transfer, reference: Reference) -> dict[str, Any]:
    """Return one credit as plain JSON; ``amount_minor`` is what is credited, before tax."""
    charge = made.charge
    return {
        **_parties(made, reference),
        "account": reference(charge.account_id),
        "subscription": charge.subscription_id and public_id("sub", charge.subscription_id),
        "name": charge.calculation["price"]["name"],
        "document": made.document
        and {"id": public_id("inv", made.document[0]), "number": made.document[1]},
        "period_start": charge.period_start.isoformat(),
        "period_end": charge.period_end.isoformat(),
        "days": (charge.period_end - charge.period_start).days,
        "currency": charge.currency,
        "amount_minor": charge.net_minor,
        "invoice_on": made.credit.invoice_on.isoformat(),
        "charge_invoice_on": charge.invoice_on.isoformat(),
    }


def credit_sums(transfers: Sequence[Transfer], reference: Reference) -> Iterator[dict[str, Any]]:
    """Yield what is credited to each and charged to whom, in all."""
    sums: dict[tuple[Any, ...], list[Transfer]] = {}
    for made in transfers:
        sums.setdefault((made.before, made.after, made.charge.currency), []).append(made)
    for some in sums.values():
        yield {
            **_parties(some[0], reference),
            "currency": some[0].charge.currency,
            "amount_minor": sum(made.charge.net_minor for made in some),
            "credits": len(some),
        }


def _parties(made: Transfer, reference: Reference) -> dict[str, Any]:
    return {
        "to": reference(made.before[0]),
        "to_payer": reference(made.before[1]),
        "charged_to": reference(made.after[0]),
        "charged_payer": reference(made.after[1]),
    }
