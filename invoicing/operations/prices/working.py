"""Carrying out what another version of a price changes: piece by piece, each exactly once."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from accounts import access, tree
from accounts.access import Action
from accounts.operations.job_steps import Step, work_step
from billing_rules.pricing import InvalidQuantity
from billing_rules.schedule import MAX_STEPS
from invoicing.engine.rating import MAX_AMOUNT_MINOR
from invoicing.engine.reading import periods_since, subscription_rows
from invoicing.engine.reading_charges import charges_since
from invoicing.engine.rows import ChargeRow
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.prices.beginning import PIECE, unpacked
from invoicing.operations.prices.pools import reprice_pools
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.settling import (
    fallen_due,
    item_row,
    pending,
    store_charges,
)
from invoicing.queries.repricing import Beside, Outcome, Repricing, Way, Why, outcomes
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from subscriptions.operations.subscriptions.terms import write_all_terms
from tenancy.actor import Actor
from tenancy.events import Happening, record_events
from tenancy.models import Job
from tenancy.operations.jobs import ids_of, piece_of

SHOWN: Final = 100
"""So many of those that stay as they are, are named for each reason."""


def work_on_repricing(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Change the next piece of a job's subscriptions.

    Returns:
        Whether there is a next one.
    """
    # While an alignment is being carried out it waits.
    return work_step(
        actor,
        job_id,
        lambda editor, job: _change(editor, job, now=now),
        waits_for=(SubscriptionHeld,),
        now=now,
    )


def _change(editor: Actor, job: Job, *, now: datetime) -> Step:
    access.require_everywhere(editor, Action.EDIT_CATALOGUE)
    access.require_everywhere(editor, Action.EDIT_SUBSCRIPTION)
    number, is_of_pools = _next_piece(job)
    ids = ids_of(editor, job.pk, number)
    price = Price.objects.select_related("product").get(
        tenant_id=editor.tenant_id, pk=UUID(job.params["price"])
    )
    beside: list[Beside] = []
    if job.params.get("beside"):
        beside = unpacked(piece_of(editor, job.pk, _pieces_before(job, job.total)))
    repricing = Repricing(price, Way(job.params["way"]), beside)
    today = date.fromisoformat(job.params["today"])
    if is_of_pools:
        changed = reprice_pools(editor, repricing, ids, now=now)
        result = {**job.result, "pools": job.result.get("pools", 0) + changed}
    else:
        result = _added(job.result, _reprice(editor, repricing, ids, today=today, now=now))
    return Step(job.done + len(ids), result)


def _next_piece(job: Job) -> tuple[int, bool]:
    """Return the number of the next piece, and whether it is of pools: they come last."""
    return _pieces_before(job, job.done), job.done >= job.params.get("subscriptions", job.total)


def _pieces_before(job: Job, done: int) -> int:
    """Return how many pieces there are once so much is done: of subscriptions, then of pools."""
    subscriptions = min(done, int(job.params.get("subscriptions", job.total)))
    return -(-subscriptions // PIECE) + -(-(done - subscriptions) // PIECE)


def _reprice(
    actor: Actor,
    repricing: Repricing,
    subscription_ids: Sequence[UUID],
    *,
    today: date,
    now: datetime,
) -> dict[str, Any]:
    """Write the terms of some subscriptions, and make good what was charged; return the tally.

    Raises:
        SubscriptionHeld: another job is about to change one of them.

    Some thirty statements, and one for each tree's lock, whatever their number.
    """
    some = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=subscription_ids)
    owners = set(some.values_list("account_id", flat=True))
    was_charged = Item.objects.filter(
        tenant_id=actor.tenant_id,
        subscription_id__in=subscription_ids,
        chain_end__gt=repricing.since,
    ).exists()
    families = None
    if was_charged:
        roots = {path[0] for path in tree.paths(actor.tenant_id, owners).values()}
        families = load_families(actor, sorted(roots), None)
    else:
        tree.lock_families(actor.tenant_id, owners)
    if any(one.is_held for one in some.order_by("pk").select_for_update(of=("self",))):
        raise SubscriptionHeld
    items = list(
        Item.objects.filter(
            Q(subscription__end_date=None) | Q(subscription__end_date__gt=repricing.since),
            tenant_id=actor.tenant_id,
            subscription_id__in=subscription_ids,
        )
        .select_related("price", "discount", "subscription", "account")
        .order_by("id")
        .select_for_update(of=("self",))
    )
    lists = repricing.lists(actor, {item.account_id for item in items})
    found = outcomes(actor, repricing, items, lists)
    changed = [one for one in found if one.is_changed]
    begun = [one for one in changed if (one.item.chain_end or date.min) > one.since]
    refused: dict[UUID, str] = {}
    charges: list[ChargeRow] = []
    if begun:
        if families is None:  # pragma: no cover - a run has charged it since we looked
            roots = {path[0] for path in tree.paths(actor.tenant_id, owners).values()}
            families = load_families(actor, sorted(roots), None)
        settler = Settler(families, today=today, is_billed_now=False)
        for since in sorted({one.since for one in begun}):
            since_then = [one for one in begun if one.since == since]
            charges += _made_good(actor, settler, since_then, since, refused)
    written = [one for one in changed if one.item.pk not in refused]
    write_all_terms(actor, [(one.item, one.after) for one in written])
    store_charges(actor, charges, now)
    record_events(actor, _happenings(written), now=now)
    return _tally(subscription_ids, repricing, found, written, refused, charges)


def _made_good(
    actor: Actor,
    settler: Settler,
    changed: Sequence[Outcome],
    since: date,
    refused: dict[UUID, str],
) -> list[ChargeRow]:
    """Return what makes good what was charged for days since; note why items can't be changed."""
    periods = periods_since(actor, [one.item.pk for one in changed], since)
    stored = charges_since(actor, [one for some in periods.values() for one in some])
    rows = subscription_rows(actor, {one.item.subscription_id for one in changed})
    made: list[ChargeRow] = []
    for one in changed:
        item, some = one.item, periods.get(one.item.pk, ())
        if len(some) > MAX_STEPS:
            refused[item.pk] = "too_many_periods"
            continue
        row = item_row(item, rows[item.subscription_id], one.after)
        try:
            found = settler.settle(row, fallen_due(item, some), stored.get(item.pk, ()))
        except InvalidQuantity:
            found = None
        if found is None or any(abs(one.net_minor) > MAX_AMOUNT_MINOR for one in found):
            refused[item.pk] = "amount_out_of_range"
            continue
        made += [pending(charge) for charge in found]
    return made


def _happenings(written: Sequence[Outcome]) -> list[Happening]:
    found = []
    for one in written:
        subscription = one.item.subscription
        day = max(one.since, subscription.start_date)
        said = {"since": day.isoformat()}
        if subscription.external_id is not None:
            said["external_id"] = subscription.external_id
        before, after = (
            {"items": [{"price": terms.price.public_id, "quantity": f"{terms.quantity:f}"}]}
            for timeline in (one.before, one.after)
            for terms in [next(held.value for held in timeline if held.holds_on(day))]
        )
        found.append(
            Happening(
                "subscription.changed",
                subscription.pk,
                subscription.account_id,
                before=before,
                after={**after, "since": said["since"]},
                data=said,
            )
        )
    return found


def _tally(
    ids: Sequence[UUID],
    repricing: Repricing,
    found: Sequence[Outcome],
    written: Sequence[Outcome],
    refused: Mapping[UUID, str],
    charges: Sequence[ChargeRow],
) -> dict[str, Any]:
    """Return what became of the subscriptions of a piece; each counts once."""
    changed = {one.item.subscription_id for one in written}
    reasons: dict[UUID, tuple[str, Outcome | None]] = {}
    for one in found:
        key = one.item.subscription_id
        if one.item.pk in refused:
            reasons[key] = refused[one.item.pk], one
        elif one.why == Why.OWN_CHOICE:
            reasons.setdefault(key, (one.why.value, one))
        else:
            had = {terms.value.price.family_id for terms in one.before}
            if repricing.price.family_id in had:
                reasons.setdefault(key, ("as_it_was", one))
    skipped: dict[str, list[Any]] = {}
    for key in ids:
        if key in changed:
            continue
        code, outcome = reasons.get(key, ("no_longer_had", None))
        entry = skipped.setdefault(code, [0, []])
        entry[0] += 1
        if len(entry[1]) < SHOWN:
            entry[1].append(_named(key, outcome))
    return {
        "changed": len(changed),
        "skipped": skipped,
        "credited_minor": -sum(c.net_minor for c in charges if c.kind == Charge.Kind.CREDIT),
        "charged_minor": sum(c.net_minor for c in charges if c.kind != Charge.Kind.CREDIT),
        "currency": repricing.price.currency,
    }


def _named(key: UUID, outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return [str(key), "", ""]
    subscription = outcome.item.subscription
    return [str(key), subscription.external_id or "", outcome.item.account.name]


def _added(result: Mapping[str, Any], piece: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tally with that of one more piece."""
    skipped = {code: [count, [*first]] for code, (count, first) in
               result.get("skipped", {}).items()}  # fmt: skip
    for code, (count, first) in piece["skipped"].items():
        known = skipped.setdefault(code, [0, []])
        known[0] += count
        known[1] += first[: SHOWN - len(known[1])]
    sums = {
        name: result.get(name, 0) + piece[name]
        for name in ("changed", "credited_minor", "charged_minor")
    }
    return {**result, **sums, "skipped": skipped, "currency": piece["currency"]}
