"""Discounts of accounts, for all that is subscribed to below them: carried out by a job, in pieces.

What is subscribed to later takes them when it begins (``subscriptions.operations.discounts``).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Sum
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.operations.job_actors import actor_of
from billing_rules.discounts import Duration
from invoicing.engine.families import Families
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.discounting import (
    AlreadyGiven,
    DiscountOver,
    applied,
    ended_for,
    record_given,
    shorten,
    spans_of,
)
from invoicing.operations.subscriptions.opening import Opened
from invoicing.operations.subscriptions.settling import AmountTooLarge, TooLongAgo
from subscriptions.models import Discount, DiscountedItem, Price, Subscription, Uncharged
from subscriptions.operations.discounts.checking import InvalidDiscount, WantedDiscount
from subscriptions.operations.discounts.redeeming import DiscountHeld, new_discount
from subscriptions.operations.discounts.resolving import (
    given_to,
    in_order,
    resolved,
    store_given,
)
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from subscriptions.operations.subscriptions.locking import locked_subscription
from subscriptions.queries.catalogue import running_items
from subscriptions.queries.terms import (
    discount_on,
    monthly_on,
    price_on,
    quantity_on,
    timelines_of,
    uncharged_on,
)
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError, Conflict, FieldError, NotFound
from tenancy.events import Happening, record_event
from tenancy.files.cells import EARLIEST, LATEST
from tenancy.models import Job
from tenancy.operations.jobs import (
    claim_job,
    drop_input,
    fail_job,
    finish_job,
    give_back,
    hold_job,
    keep_input,
    piece_of,
)
from tenancy.operations.jobs import request_job as put_into_queue

PIECE: Final = 100
"""So many subscriptions get a discount, or lose it, in one transaction."""
GIVE, END = "give", "end"
_ID_BYTES: Final = 16


class DiscountOfSubscription(Conflict):
    """It is ended where it was given."""

    code = "discount_of_subscription"
    message = gettext_lazy("This discount is given to one subscription; it is ended there.")


class AccountArchived(Conflict):
    """Nothing is subscribed to there any more."""

    code = "account_archived"
    message = gettext_lazy("This account is archived.")


@dataclass(frozen=True, slots=True)
class DiscountedAccount:
    """What a discount of an account, or its end, comes to on its first day.

    Attributes:
        discount: what is given, or ended.
        day: since when.
        items: how many items below the account cost something else from then on.
        before: what everything below brings in a month without it, in minor units by currency.
        after: what it brings with it.
        job: carries it out; None for a dry run.
    """

    discount: Discount
    day: date
    items: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    job: Job | None


@operation
def discount_account(
    actor: Actor,
    account_id: UUID,
    wanted: WantedDiscount,
    *,
    day: date,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> DiscountedAccount:
    """Redeem a coupon for an account and all below it, or give them a discount, from a day on.

    A job gives it to what is subscribed to; what begins later takes it as long as it is given, and
    a coupon as long as it is redeemed.

    Args:
        actor: who gives it.
        account_id: the top of the subtree.
        wanted: the coupon, or what is taken off.
        day: since when, past days too: what was charged for them is made good.
        is_dry_run: compute what it comes to, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        AccountArchived, AlreadyGiven, DiscountHeld: see their texts.
        UnknownCoupon and others: see ``new_discount``.
        InvalidDiscount: what is to be taken off, or the day, can't be.

    Source: docs/billing-rules.md, Discounts.
    """
    account = _locked(actor, account_id)
    if require_seen is not None:
        require_seen()
    if account.status == Account.Status.ARCHIVED:
        raise AccountArchived
    if wanted.key is not None and _of(actor).filter(pk=wanted.key).exists():
        raise AlreadyGiven
    if not EARLIEST <= day < LATEST:
        detail = _("A date between 1970 and 2200 is expected.")
        raise InvalidDiscount(errors=[FieldError("out_of_range", detail, "/effective")])
    path = tree.path_ids(actor.tenant_id, account.pk)
    discount = new_discount(
        actor, wanted, root_id=path[0], account_id=account.pk, day=day, today=today, now=now
    )
    _require_room(actor, discount)
    items, before, after = _effect(actor, discount, path, day)
    job = None
    if not is_dry_run:
        discount.save(force_insert=True)
        job = _request(actor, discount, GIVE, day, _below(actor, account.pk), now)
        _record(actor, "account.discounted", account, discount, day, now)
    return DiscountedAccount(discount, day, items, before, after, job)


@operation
def end_account_discount(
    actor: Actor,
    discount_id: UUID,
    *,
    day: date,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> DiscountedAccount:
    """End the discount of an account from a day on, for all that has it.

    From now on nothing that begins takes it; a job ends it for what has it, and makes good what was
    charged with it for days since.

    Args:
        actor: who ends it.
        discount_id: which.
        day: the first day without it, past days too.
        is_dry_run: compute what it comes to, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        DiscountOfSubscription, DiscountOver: see their texts.

    Source: docs/billing-rules.md, Discounts.
    """
    found = _of(actor).filter(pk=discount_id)
    account_id = found.values_list("account_id", flat=True).first()
    if account_id is None:
        raise (DiscountOfSubscription if found.exists() else NotFound)
    account = _locked(actor, account_id)
    discount = found.select_for_update(of=("self",)).get()
    if require_seen is not None:
        require_seen()
    since = max(day, discount.starts)
    if discount.ends is not None and discount.ends <= since:
        raise DiscountOver
    held = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, discount=discount)
    holding = held.exclude(ends__lte=since)
    ids = list(
        Subscription.objects.filter(
            tenant_id=actor.tenant_id,
            pk__in=holding.order_by().values("item__subscription_id"),
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    before = _brings(actor, account.pk, since)
    job, items = None, holding.count()
    if not is_dry_run:
        discount.ends = since
        discount.save(update_fields=["ends"])
        job = _request(actor, discount, END, since, ids, now)
        _record(actor, "account.discount_ended", account, discount, since, now)
    # Without it everything brings in what it did, and what is off now besides.
    after = Counter(before)
    after.update(_off_now(actor, discount, since))
    return DiscountedAccount(discount, since, items, before, dict(after), job)


def work_on_discount(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Give a discount to the next piece of subscriptions, or end it for them.

    Returns:
        Whether there is a next one.
    """
    job = claim_job(actor, job_id, now=now)
    if job is None:
        return False
    giver = actor_of(actor, job)
    with translation.override(job.params["language"]):
        try:
            return _work(actor, giver, job_id, now=now)
        except SubscriptionHeld:
            # An alignment is being carried out: it waits, and the timetable comes by again.
            give_back(actor, job_id, done=job.done, result=job.result, now=now)
            return False
        except BillingError as refusal:
            fail_job(actor, job_id, code=refusal.code, detail=refusal.detail, now=now)
            return False


@operation
def _work(actor: Actor, giver: Actor, job_id: UUID, *, now: datetime) -> bool:
    job = hold_job(actor, job_id)
    if job is None:
        return False
    discount = _of(actor).get(pk=UUID(job.params["discount"]))
    content = piece_of(actor, job_id, job.done // PIECE) if job.total else b""
    ids = [
        UUID(bytes=content[start : start + _ID_BYTES])
        for start in range(0, len(content), _ID_BYTES)
    ]
    counts = Counter(job.result)
    families = load_families(giver, [discount.root_id], None) if ids else None
    for key in ids:
        assert families is not None  # noqa: S101 - read where there are any
        counts[_put(giver, families, discount, key, job, now=now)] += 1
    done = job.done + len(ids)
    if done < job.total:
        give_back(actor, job_id, done=done, result=dict(counts), now=now)
        return True
    drop_input(actor, job_id)
    finish_job(actor, job_id, result=dict(counts), changes={"done": done}, now=now)
    return False


def _put(
    actor: Actor,
    families: Families,
    discount: Discount,
    subscription_id: UUID,
    job: Job,
    *,
    now: datetime,
) -> str:
    """Give a subscription the discount, or end it for it; return what came of it, in a word."""
    try:
        subscription, items = locked_subscription(actor, subscription_id)
    except NotFound:
        return "gone"
    timelines = timelines_of(actor, items, subscription.start_date)
    opened = Opened(families, subscription, items, timelines)
    known = given_to(actor, [item.pk for item in items])
    today = date.fromisoformat(job.params["today"])
    since = date.fromisoformat(job.params["day"])
    owner = subscription.account_id
    try:
        if job.params["way"] == GIVE:
            new = {
                key: one
                for key, one in spans_of(actor, opened, discount).items()
                if all(held.discount != discount for held in known.get(key, ()))
            }
            after = {
                key: resolved(timelines[key], in_order(actor, owner, [one, *known.get(key, ())]))
                for key, one in new.items()
            }
            shortened: dict[UUID, date] = {}
            since = max(since, subscription.start_date)
        else:
            new = {}
            ended, shortened = ended_for(actor, opened, known, discount, since)
            after = {key: list(line) for key, line in ended.items()}
        if not new and not shortened:
            return "same"
        result, store = applied(
            actor, opened, discount, after, since, today=today, is_billed_now=False, now=now
        )
    except (TooLongAgo, AmountTooLarge, InvalidDiscount) as refusal:
        return refusal.code
    store_given(actor, {key: [one] for key, one in new.items()})
    shorten(actor, discount, shortened)
    if not result.after:
        return "behind"
    store()
    is_given = job.params["way"] == GIVE
    name = "subscription.discounted" if is_given else "subscription.discount_ended"
    record_given(actor, name, result, now)
    return "changed"


def _locked(actor: Actor, account_id: UUID) -> Account:
    """Lock the tree of an account; the actor may change subscriptions there.

    Raises:
        NotFound, Forbidden: out of sight, or not to be changed.
    """
    tree.lock_families(actor.tenant_id, [account_id])
    account = access.reach(actor, Action.VIEW_SUBSCRIPTION).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    # What is given to a whole company is the vendor's to give.
    access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    return account


def _of(actor: Actor) -> Any:
    return Discount.objects.filter(tenant_id=actor.tenant_id)


def _require_room(actor: Actor, new: Discount) -> None:
    """Return if the account itself gives no other discount on any of the days.

    Raises:
        DiscountHeld: see its text.
    """
    others = _of(actor).filter(account_id=new.account_id).exclude(ends__lte=new.starts)
    if new.ends is not None:
        others = others.filter(starts__lt=new.ends)
    for one in others.order_by("starts", "pk"):
        if one.ends is not None and one.ends <= one.starts:
            continue
        if one.duration != Duration.FOREVER and one.ends is None and _is_past(actor, one, new):
            continue
        raise DiscountHeld(name=one.name, day=one.starts)


def _is_past(actor: Actor, one: Discount, new: Discount) -> bool:
    """Return whether nobody has a discount any more, nor takes it, once another begins."""
    until = None if one.coupon is None else one.coupon.redeem_until
    held = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, discount=one)
    nobody: bool = not held.exclude(ends__lte=new.starts).exists()
    return nobody and until is not None and until < new.starts


def _below(actor: Actor, account_id: UUID) -> Sequence[UUID]:
    """Return the subscriptions of an account and of all below it, in a stable order."""
    return list(
        Subscription.objects.filter(
            tree.lies_below(actor.tenant_id, [account_id], "account_id"), tenant_id=actor.tenant_id
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _effect(
    actor: Actor, discount: Discount, path: Sequence[UUID], day: date
) -> tuple[int, dict[str, int], dict[str, int]]:
    """Return how many items cost something else on a day, and what is brought in in a month.

    Three statements, and one step of arithmetic for each price, quantity and discount.
    """
    rows = list(
        running_items(actor, day)
        .filter(tree.lies_below(actor.tenant_id, [path[-1]], "account_id"))
        .annotate(
            at=price_on(actor, day),
            had=quantity_on(actor, day),
            why=uncharged_on(actor, day),
            less=discount_on(actor, day),
        )
        .order_by()
        .values("at", "had", "why", "less")
        .annotate(count=Count("pk"), monthly=Sum(monthly_on(actor, day)))
        .values_list("at", "had", "why", "less", "count", "monthly")
    )
    prices = Price.objects.filter(tenant_id=actor.tenant_id).in_bulk({row[0] for row in rows})
    held = _of(actor).in_bulk({row[3] for row in rows if row[3] is not None})
    farther = set(path[:-1])
    items, before, after = 0, Counter[str](), Counter[str]()
    for price_id, had, why, less, count, monthly in rows:
        price = prices[price_id]
        before[price.currency] += int(monthly)
        goes_behind = less is not None and held[less].account_id not in farther
        if why == Uncharged.PAUSED or goes_behind or not discount.applies_to(price):
            after[price.currency] += int(monthly)
            continue
        items += count
        after[price.currency] += count * price.monthly_minor(had, discount.off)
    return items, dict(before), dict(after)


def _brings(actor: Actor, account_id: UUID, day: date) -> dict[str, int]:
    rows = (
        running_items(actor, day)
        .filter(tree.lies_below(actor.tenant_id, [account_id], "account_id"))
        .order_by()
        .values_list("price__currency")
        .annotate(monthly=Sum(monthly_on(actor, day)))
    )
    return {currency: int(monthly or 0) for currency, monthly in rows}


def _off_now(actor: Actor, discount: Discount, day: date) -> dict[str, int]:
    """Return what a discount takes off in a month on a day."""
    rows = (
        running_items(actor, day)
        .annotate(less=discount_on(actor, day))
        .filter(less=discount.pk)
        .annotate(
            at=price_on(actor, day), had=quantity_on(actor, day), why=uncharged_on(actor, day)
        )
        .exclude(why=Uncharged.PAUSED)
        .order_by()
        .values("at", "had")
        .annotate(count=Count("pk"), monthly=Sum(monthly_on(actor, day)))
        .values_list("at", "had", "count", "monthly")
    )
    found = list(rows)
    prices = Price.objects.filter(tenant_id=actor.tenant_id).in_bulk({row[0] for row in found})
    off = Counter[str]()
    for price_id, had, count, monthly in found:
        price = prices[price_id]
        off[price.currency] += count * price.monthly_minor(had) - int(monthly)
    return dict(off)


def _request(
    actor: Actor, discount: Discount, way: str, day: date, ids: Sequence[UUID], now: datetime
) -> Job:
    params = {
        "discount": str(discount.pk),
        "way": way,
        "day": day.isoformat(),
        "today": actor.today.isoformat(),
        "language": translation.get_language() or "en",
    }
    job = put_into_queue(actor, Job.Kind.DISCOUNT, params=params, total=len(ids), now=now)
    for number, start in enumerate(range(0, len(ids), PIECE)):
        keep_input(actor, job.pk, number, b"".join(one.bytes for one in ids[start : start + PIECE]))
    return job


def _record(
    actor: Actor, name: str, account: Account, discount: Discount, day: date, now: datetime
) -> None:
    said = {"since": day.isoformat(), "discount": discount.public_id}
    if account.external_id is not None:
        said["external_id"] = account.external_id
    happening = Happening(
        name, account.pk, account.pk, after={**said, "name": discount.name}, data=said
    )
    record_event(actor, happening, now=now)
