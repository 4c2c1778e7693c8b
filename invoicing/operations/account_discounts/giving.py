"""Giving a discount to an account and all below it, and ending it: stored, then queued."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from billing_rules.discounts import Duration
from invoicing.operations.account_discounts.monthly import brings, effect_of, off_now
from invoicing.operations.account_discounts.outcomes import Giving, Way
from invoicing.operations.subscriptions.discounting import AlreadyGiven, DiscountOver
from subscriptions.models import Discount, DiscountedItem, Subscription
from subscriptions.operations.discounts.checking import InvalidDiscount, WantedDiscount
from subscriptions.operations.discounts.redeeming import DiscountHeld, new_discount
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, NotFound
from tenancy.events import Happening, record_event
from tenancy.files.cells import EARLIEST, LATEST
from tenancy.models import Job
from tenancy.operations.jobs import keep_ids, keep_input
from tenancy.operations.jobs import request_job as put_into_queue

PIECE: Final = 500
"""So many subscriptions get a discount, or lose it, in one transaction."""
MANY: Final = 10_000
"""So many of the discounts of a job for many stand in one piece."""
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
        subscriptions: those that the job goes through, in its order.
    """

    discount: Discount
    day: date
    items: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    job: Job | None
    subscriptions: Sequence[UUID]
    way: Way

    @property
    def giving(self) -> Giving:
        """What happens to each of them."""
        return Giving(self.discount, self.way, self.day)


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
    require_room(actor, discount, given_beside(actor, [account.pk]))
    items, before, after = effect_of(actor, discount, path, day)
    job, ids = None, list(below(actor, account.pk).values_list("pk", flat=True))
    if not is_dry_run:
        discount.save(force_insert=True)
        job = _request(actor, discount, Way.GIVE, day, ids, now)
        record_event(actor, discounted(account, discount, day, Way.GIVE), now=now)
    return DiscountedAccount(discount, day, items, before, after, job, ids, Way.GIVE)


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
    ids = list(holding(actor, discount, since).values_list("pk", flat=True))
    before = brings(actor, account.pk, since)
    job, items = None, held.exclude(ends__lte=since).count()
    if not is_dry_run:
        discount.ends = since
        discount.save(update_fields=["ends"])
        job = _request(actor, discount, Way.END, since, ids, now)
        record_event(actor, discounted(account, discount, since, Way.END), now=now)
    # Without it everything brings in what it did, and what is off now besides.
    after = Counter(before)
    after.update(off_now(actor, discount, since))
    return DiscountedAccount(discount, since, items, before, dict(after), job, ids, Way.END)


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


def _of(actor: Actor) -> QuerySet[Discount]:
    return Discount.objects.filter(tenant_id=actor.tenant_id)


def given_beside(actor: Actor, account_ids: Collection[UUID]) -> QuerySet[Discount]:
    """Return the discounts of some accounts by their first days; nobody gives others meanwhile.

    Until the transaction ends. Two statements. A step of whoever may give them.
    """
    held = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=account_ids).order_by("pk")
    list(held.select_for_update(no_key=True).values_list("pk", flat=True))
    found = _of(actor).filter(account_id__in=account_ids).select_related("coupon")
    return found.order_by("starts", "pk")


def require_room(actor: Actor, new: Discount, others: Iterable[Discount]) -> None:
    """Return if the account itself gives no other discount on any of the days.

    Args:
        actor: who gives it.
        new: it is not stored yet.
        others: those that the account gives, with their coupons, by their first days.

    Raises:
        DiscountHeld: see its text.
    """
    for one in others:
        ends, begins = one.ends, new.ends is None or one.starts < new.ends
        if not begins or (ends is not None and (ends <= new.starts or ends <= one.starts)):
            continue
        if one.duration != Duration.FOREVER and ends is None and _is_past(actor, one, new):
            continue
        raise DiscountHeld(name=one.name, day=one.starts)


def _is_past(actor: Actor, one: Discount, new: Discount) -> bool:
    """Return whether nobody has a discount any more, nor takes it, once another begins."""
    until = None if one.coupon is None else one.coupon.redeem_until
    held = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, discount=one)
    nobody: bool = not held.exclude(ends__lte=new.starts).exists()
    return nobody and until is not None and until < new.starts


def below(actor: Actor, account_id: UUID) -> QuerySet[Subscription]:
    """Return the subscriptions of an account and of all below it, in a stable order.

    A step of whoever may change them everywhere.
    """
    found = Subscription.objects.filter(tenant_id=actor.tenant_id)
    return found.filter(tree.lies_below(actor.tenant_id, [account_id], "account_id")).order_by("pk")


def holding(actor: Actor, discount: Discount, since: date) -> QuerySet[Subscription]:
    """Return the subscriptions that have a discount on a day or later, in a stable order.

    A step as ``below``.
    """
    held = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, discount=discount)
    keys = held.exclude(ends__lte=since).order_by().values("item__subscription_id")
    return Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=keys).order_by("pk")


def _request(
    actor: Actor, discount: Discount, way: Way, day: date, ids: Sequence[UUID], now: datetime
) -> Job:
    params = {
        "discount": str(discount.pk),
        "way": way.value,
        "piece": PIECE,
        "day": day.isoformat(),
        "today": actor.today.isoformat(),
        "language": translation.get_language() or "en",
    }
    job = put_into_queue(actor, Job.Kind.DISCOUNT, params=params, total=len(ids), now=now)
    keep_ids(actor, job.pk, (ids[start : start + PIECE] for start in range(0, len(ids), PIECE)))
    return job


def request_many(actor: Actor, changes: Sequence[tuple[UUID, Way]], *, now: datetime) -> Job:
    """Have many discounts carried out, one after the other, that are stored in this transaction.

    For whom each is, is looked up when it is its turn: what begins from then on takes it by itself.
    A step of whoever has stored them.

    Args:
        actor: who gives and ends them.
        changes: the discounts, and what happens to each.
        now: the instant, for the audit trail.
    """
    params = {
        "many": True,
        "way": Way.GIVE.value,
        "today": actor.today.isoformat(),
        "language": translation.get_language() or "en",
    }
    job = put_into_queue(actor, Job.Kind.DISCOUNT, params=params, total=len(changes), now=now)
    for number, start in enumerate(range(0, len(changes), MANY)):
        some = changes[start : start + MANY]
        content = b"".join(key.bytes + _WAYS[way] for key, way in some)
        keep_input(actor, job.pk, number, content)
    return job


_WAYS: Final = {Way.GIVE: b"+", Way.END: b"-"}


def one_of_many(content: bytes, place: int) -> tuple[UUID, Way]:
    """Return the discount at a place of a piece that ``request_many`` kept, and what happens."""
    start = place * (_ID_BYTES + 1)
    key, way = content[start : start + _ID_BYTES], content[start + _ID_BYTES :][:1]
    return UUID(bytes=key), next(one for one, sign in _WAYS.items() if sign == way)


def discounted(account: Account, discount: Discount, day: date, way: Way) -> Happening:
    """Return that an account gives a discount, or gives it no longer, for the log."""
    said = {"since": day.isoformat(), "discount": discount.public_id}
    if account.external_id is not None:
        said["external_id"] = account.external_id
    name = "account.discounted" if way == Way.GIVE else "account.discount_ended"
    after = {**said, "name": discount.name}
    return Happening(name, account.pk, account.pk, after=after, data=said)
