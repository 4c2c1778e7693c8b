"""Changing the contract terms of a subscription, which may change when it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from billing_rules.subscription_states import State, state_on
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.subscriptions.ending import (
    AlreadyCancelled,
    TooFarAhead,
    settled_end,
)
from invoicing.operations.subscriptions.opening import open_subscription
from invoicing.operations.subscriptions.settling import as_charge, store_charges
from subscriptions.models import Subscription
from subscriptions.operations.subscriptions.contracting import (
    Contract,
    contract_faults,
    contract_of,
    said_of,
    set_contract,
)
from subscriptions.operations.subscriptions.end import store_end
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid
from tenancy.events import Happening, record_event
from tenancy.files.cells import LATEST


class InvalidContract(Invalid):
    """Contract terms that say nothing sensible; ``errors`` names each member."""

    code = "invalid_contract"
    message = _("These contract terms are not valid.")


class TermIsOver(Invalid):
    """A term without renewal that ends in the past would end it unseen."""

    code = "term_is_over"
    message = _("This term would have ended on %(day)s already. End the subscription instead.")


class ContractUnchanged(Conflict):
    """These are the contract terms that it has."""

    code = "nothing_changes"
    message = _("These are the contract terms that it has already.")


@dataclass(frozen=True, slots=True)
class Bound:
    """A subscription with its new contract terms, and what its new end makes good."""

    subscription: Subscription
    charges: Sequence[Charge]


@operation
def change_contract(
    actor: Actor,
    subscription_id: UUID,
    wanted: Contract,
    *,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Bound:
    """Bind a subscription for another time, or change its notice period.

    One that does not renew any more ends with its term; one that does again goes on. An end that
    somebody has set stays. What was charged beyond the new end is credited, what had been credited
    before it is charged.

    Args:
        actor: who changes them.
        subscription_id: which.
        wanted: all of its new contract terms.
        is_billed_now: credits and charges do not wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        InvalidContract, TermIsOver, ContractUnchanged, AlreadyCancelled: see their texts.
        TooLongAgo: too many periods would have to be credited.

    Source: docs/billing-rules.md, Contract terms.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    subscription = opened.subscription
    before, end_before = contract_of(subscription), subscription.end_date
    if end_before is not None and _is_over(subscription, today):
        raise AlreadyCancelled(day=end_before)
    if errors := [*contract_faults(wanted, subscription.start_date, within="")]:
        raise InvalidContract(errors=errors)
    if wanted == before:
        raise ContractUnchanged
    was_fixed = subscription.ends_with_term
    set_contract(subscription, wanted)
    fixed = subscription.fixed_end
    end_date = fixed if end_before is None or was_fixed else end_before
    if fixed is not None and fixed <= today:
        raise TermIsOver(day=fixed)
    if fixed is not None and fixed > LATEST:
        raise TooFarAhead
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    days = [day for day in (end_before, end_date) if day is not None]
    charges = (
        settled_end(actor, settler, opened, end_date, since=min(days))
        if end_date != end_before
        else []
    )
    if not is_dry_run:
        subscription.save(
            update_fields=[
                "minimum_term_months", "renewal_months", "notice_months", "notice_days",
                "term_start", "contract_source",
            ]
        )  # fmt: skip
        store_end(actor, subscription, opened.items, end_date)
        store_charges(actor, charges, now)
        _record(actor, subscription, before, end_before, now)
    subscription.end_date = end_date
    subscription.note_when_it_is_news()
    return Bound(subscription, [as_charge(actor, subscription, row, now) for row in charges])


def _is_over(subscription: Subscription, today: date) -> bool:
    state = state_on(today, subscription.start_date, subscription.end_date)
    return state == State.CANCELLED


def _record(
    actor: Actor,
    subscription: Subscription,
    before: Contract,
    end_before: date | None,
    now: datetime,
) -> None:
    after, end = contract_of(subscription), subscription.end_date
    data = {"external_id": subscription.external_id} if subscription.external_id else {}
    if end is not None:
        data["end"] = end.isoformat()
    happening = Happening(
        "subscription.contract_changed",
        subscription.pk,
        subscription.account_id,
        before={**said_of(before), "end_date": end_before and end_before.isoformat()},
        after={**said_of(after), "end_date": end and end.isoformat()},
        data=data,
    )
    record_event(actor, happening, now=now)
