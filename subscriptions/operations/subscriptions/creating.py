"""Subscribing an account to something."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, SettingName
from accounts.queries.effective_settings import is_locked_above
from billing_rules.timelines import Stretch
from subscriptions.models import Item, Plan, Price, Subscription
from subscriptions.models.limits import (
    MAX_ITEMS,
    MAX_TRIAL_DAYS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
    fits,
)
from subscriptions.operations.catalogue import exact_fault, hold_prices, sale_fault
from subscriptions.operations.discounts.starting import begin_with, store_begun
from subscriptions.operations.plans.starting import PlanChoice, bundled
from subscriptions.operations.subscriptions.contracting import (
    Contract,
    agreed,
    bound_by,
    contract_faults,
    end_faults,
    set_contract,
)
from subscriptions.operations.subscriptions.terms import write_all_terms
from subscriptions.queries.contracts import default_contracts
from subscriptions.queries.price_lists import PriceLists, price_lists
from subscriptions.queries.terms import ItemTerms, terms_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.files.cells import EARLIEST, LATEST

_LONGEST_PO_NUMBER = 100


class InvalidSubscription(Invalid):
    """A subscription that can't be billed as it is wanted; ``errors`` names each member."""

    code = "invalid_subscription"
    message = gettext_lazy("This subscription is not valid.")


class AccountArchived(Conflict):
    """Nothing new is sold to an account that is archived."""

    code = "account_archived"
    message = gettext_lazy("This account is archived.")


class SubscriptionExists(Conflict):
    """The integrator's own id names another subscription already."""

    code = "external_id_taken"
    message = gettext_lazy("The external id “%(external_id)s” is taken.")


class AlreadySubscribed(Conflict):
    """It was begun before: somebody has sent the same form twice."""

    code = "already_created"
    message = gettext_lazy("This has been created already. Nothing was created twice.")


@dataclass(frozen=True, slots=True)
class NewItem:
    """A price and how much of it.

    Any version of a price stands for the one that the account has on the day, and then for those
    that follow; ``is_exact`` takes the one that is named.
    """

    price_id: UUID
    quantity: Decimal
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription as somebody wants it.

    ``end_date`` is the first day no longer served; nothing before ``billed_until`` is charged
    (R24), and the first ``trial_days`` are not charged. ``contract`` says how long it is
    bound, None for what its plan says, else for the defaults of its account; with one that does not
    renew it ends by itself. ``bill_to_id`` sends
    this subscription alone to an account above its own. With a ``plan`` the items are those of the
    plan, and so are trial and contract terms that are not said. ``coupon`` is the code of one that
    it redeems, from its first charged day on. ``key`` is what the row is to be called, so that one
    form makes one.
    """

    items: Sequence[NewItem]
    start_date: date
    end_date: date | None = None
    billed_until: date | None = None
    trial_days: int | None = None
    billing_day: int | None = None
    bill_to_id: UUID | None = None
    po_number: str = ""
    external_id: str | None = None
    coupon: str = ""
    plan: PlanChoice | None = None
    contract: Contract | None = None
    key: UUID | None = None

    @property
    def trial_end(self) -> date | None:
        """The first day after the trial; the calendar may not go that far."""
        return self.start_date + timedelta(self.trial_days) if self.trial_days else None


@operation
def create_subscription(
    actor: Actor,
    account_id: UUID,
    wanted: NewSubscription,
    *,
    is_dry_run: bool = False,
    now: datetime,
) -> Subscription:
    """Subscribe an account to one or more prices of one currency.

    Of each price it has the version that its account has when it begins, and then those that
    follow. It is billed from its start by the next run: what has fallen due already waits for the
    bill-to's next billing day (R5, R33).

    Args:
        actor: who subscribes it.
        account_id: the service owner.
        wanted: what, from when, and to whom it is invoiced.
        is_dry_run: check everything, store nothing; the subscription returned has no row then.
        now: the instant, for the audit trail.

    Raises:
        NotFound: the account is out of the actor's sight.
        Forbidden: the actor may not change its subscriptions.
        AccountArchived: the account is archived.
        InvalidSubscription: a date, price, quantity or bill-to can't be.
        SubscriptionExists: another subscription has its external id.
        AlreadySubscribed: there is one with this key.
        UnknownCoupon, CouponUsedUp and others: see ``new_discount``.

    Source: docs/billing-rules.md, R5, R20, R24, R33, Versions of a price, Discounts.
    """
    tree.lock_families(actor.tenant_id, [account_id])
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=account_id)
    account = seen.select_for_update(of=("self",)).first()
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_SUBSCRIPTION, account)
    if account.status == Account.Status.ARCHIVED:
        raise AccountArchived
    _require_new(actor, wanted.key)
    plan = None
    if wanted.plan is not None:
        plan, wanted = _begun_with(actor, wanted, wanted.plan)
    prices = _prices(actor, wanted)
    lists = price_lists(actor, prices.keys(), [account.pk])
    timelines = [_terms(account, one, wanted, prices, lists) for one in wanted.items]
    if errors := [
        *_faults(actor, wanted, timelines, lists),
        *_bill_to_faults(actor, account, wanted),
    ]:
        raise InvalidSubscription(errors=errors)
    _require_free(actor, wanted.external_id)
    default = default_contracts(actor, [account.pk]).on(account.pk, wanted.start_date)
    terms = agreed(wanted.contract, plan, default, wanted.end_date)
    subscription = Subscription(
        tenant_id=actor.tenant_id,
        external_id=wanted.external_id,
        account=account,
        start_date=wanted.start_date,
        end_date=wanted.end_date,
        billed_until=wanted.billed_until,
        trial_end=wanted.trial_end,
        billing_day=wanted.billing_day,
        override_bill_to_id=wanted.bill_to_id,
        po_number=wanted.po_number.strip(),
        plan=plan,
        created_at=now,
    )
    _bind(subscription, *terms)
    if wanted.key is not None:
        subscription.pk = wanted.key
    items = [_item(actor, subscription, one[0].value) for one in timelines]
    plain = {item.pk: timeline for item, timeline in zip(items, timelines, strict=True)}
    begun = begin_with(
        actor, subscription, items, plain, wanted.coupon.strip(), today=actor.today, now=now
    )
    subscription._prefetched_objects_cache = {"items": items}  # type: ignore[attr-defined]
    if not is_dry_run:
        subscription.save(force_insert=True)
        if begun.own is not None:
            begun.own.save(force_insert=True)
        Item.objects.bulk_create(items)
        store_begun(actor, items, begun)
        # What is returned is as it begins.
        stepped = [
            (copy(item), plain[item.pk])
            for item in items
            if len(plain[item.pk]) > 1 and item.pk not in begun.timelines
        ]
        if stepped:
            write_all_terms(actor, stepped)
        _record(actor, subscription, items, now)
    return subscription


def _begun_with(
    actor: Actor, wanted: NewSubscription, choice: PlanChoice
) -> tuple[Plan | None, NewSubscription]:
    """Return a plan, and what is wanted with its items and its trial.

    Raises:
        InvalidSubscription: the plan, its variant or a quantity can't be.
    """
    had = bundled(actor, choice)
    if had.errors or had.plan is None:
        raise InvalidSubscription(errors=had.errors)
    plan = had.plan
    return plan, replace(
        wanted,
        items=[NewItem(key, quantity) for key, quantity in had.items.items()],
        trial_days=plan.trial_days if wanted.trial_days is None else wanted.trial_days,
    )


def _bind(subscription: Subscription, contract: Contract, source: str) -> None:
    """Bind a subscription for its terms, and end one that does not renew with its term.

    Raises:
        InvalidSubscription: its end is none of its terms, or its term is too long.
    """
    set_contract(subscription, contract, source)
    if subscription.end_date is None:
        subscription.end_date = subscription.fixed_end
        if subscription.end_date is not None and subscription.end_date > LATEST:
            detail = _("A date between 1970 and 2200 is expected.")
            pointer = "/contract/minimum_term_months"
            raise InvalidSubscription(errors=[FieldError("out_of_range", detail, pointer)])
    if errors := [*end_faults(subscription)]:
        raise InvalidSubscription(errors=errors)
    subscription.note_when_it_is_news()


def _terms(
    account: Account,
    item: NewItem,
    wanted: NewSubscription,
    prices: dict[UUID, Price],
    lists: PriceLists,
) -> list[Stretch[ItemTerms]]:
    """Return what an item costs day by day; nothing where there is no such price."""
    price = prices.get(item.price_id)
    is_possible = fits(item.quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS) and item.quantity >= 0
    if price is None or not is_possible:
        return []
    if item.is_exact:
        return [Stretch(wanted.start_date, None, terms_of(price, item.quantity))]
    return lists.terms(account.pk, price.family_id, wanted.start_date, item.quantity)


def _item(actor: Actor, subscription: Subscription, terms: ItemTerms) -> Item:
    first = subscription.first_charged_day
    is_over = subscription.end_date is not None and first >= subscription.end_date
    return Item(
        tenant_id=actor.tenant_id,
        subscription=subscription,
        account_id=subscription.account_id,
        price=terms.price,
        quantity=terms.quantity,
        monthly_minor=Decimal(terms.monthly_minor),
        next_action_date=None if is_over else first,
    )


def _record(actor: Actor, subscription: Subscription, items: Sequence[Item], now: datetime) -> None:
    said = {"start": subscription.start_date.isoformat()}
    if subscription.external_id is not None:
        said["external_id"] = subscription.external_id
    sold = [{"price": item.price.public_id, "quantity": f"{item.quantity:f}"} for item in items]
    plan = subscription.plan
    of_plan = {} if plan is None else {"plan": plan.public_id}
    happening = Happening(
        "subscription.created",
        subscription.pk,
        subscription.account_id,
        after={**said, "items": sold, **bound_by(subscription), **of_plan},
        data=said,
    )
    record_event(actor, happening, now=now)


def _require_new(actor: Actor, key: UUID | None) -> None:
    if key is None:
        return
    if Subscription.objects.filter(tenant_id=actor.tenant_id, pk=key).exists():
        raise AlreadySubscribed


def _require_free(actor: Actor, external_id: str | None) -> None:
    named = Subscription.objects.filter(tenant_id=actor.tenant_id, external_id=external_id)
    if external_id is not None and named.exists():
        raise SubscriptionExists(external_id=external_id)


def _prices(actor: Actor, wanted: NewSubscription) -> dict[UUID, Price]:
    ids = {item.price_id for item in wanted.items}
    hold_prices(actor, ids)
    found = Price.objects.filter(tenant_id=actor.tenant_id, pk__in=ids).select_related("product")
    return {price.pk: price for price in found}


def _faults(
    actor: Actor,
    wanted: NewSubscription,
    timelines: Sequence[Sequence[Stretch[ItemTerms]]],
    lists: PriceLists,
) -> list[FieldError]:
    """Return what is wrong with the subscription itself."""
    prices = {place: one[0].value.price for place, one in enumerate(timelines) if one}
    errors = []
    if not 1 <= len(wanted.items) <= MAX_ITEMS:
        errors.append(FieldError("out_of_range", _("1 to 100 items are expected."), "/items"))
    for place, item in enumerate(wanted.items):
        at = f"/items/{place}/price"
        if not lists.knows(item.price_id):
            errors.append(FieldError("unknown_price", _("There is no such price."), at))
        elif place in prices and (fault := sale_fault(prices[place], at)):
            errors.append(fault)
        elif item.is_exact and (wrong := exact_fault(actor, at)):
            errors.append(wrong)
        if not fits(item.quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS) or item.quantity < 0:
            detail = _(
                "A quantity of 0 or more is expected, with at most 12 digits before and 6 after"
                " the point."
            )
            errors.append(FieldError("out_of_range", detail, f"/items/{place}/quantity"))
    currencies = {price.currency for price in prices.values()}
    if len(currencies) > 1:
        detail = _("All prices of a subscription are in one currency.")
        errors.append(FieldError("mixed_currencies", detail, "/items"))
    if len(wanted.po_number.strip()) > _LONGEST_PO_NUMBER:
        detail = _("At most 100 characters are possible.")
        errors.append(FieldError("too_long", detail, "/po_number"))
    if wanted.billing_day is not None and not 1 <= wanted.billing_day <= 31:
        errors.append(FieldError("out_of_range", _("1 to 31 is expected."), "/billing_day"))
    if wanted.contract is not None:
        errors += contract_faults(wanted.contract, wanted.start_date)
    return [*errors, *_date_faults(wanted)]


def _date_faults(wanted: NewSubscription) -> list[FieldError]:
    errors = []
    days = (
        ("start_date", wanted.start_date),
        ("end_date", wanted.end_date),
        ("billed_until", wanted.billed_until),
    )
    for member, day in days:
        if day is not None and not EARLIEST <= day <= LATEST:
            detail = _("A date between 1970 and 2200 is expected.")
            errors.append(FieldError("out_of_range", detail, f"/{member}"))
    if wanted.end_date is not None and wanted.end_date <= wanted.start_date:
        detail = _("It ends on or before its start.")
        errors.append(FieldError("end_before_start", detail, "/end_date"))
    if wanted.trial_days is not None and not 1 <= wanted.trial_days <= MAX_TRIAL_DAYS:
        errors.append(FieldError("out_of_range", _("1 to 3650 days are expected."), "/trial_days"))
    if wanted.billed_until is not None and wanted.billed_until < wanted.start_date:
        detail = _("It cannot be billed before its start.")
        errors.append(FieldError("billed_before_start", detail, "/billed_until"))
    return errors


def _bill_to_faults(actor: Actor, account: Account, wanted: NewSubscription) -> list[FieldError]:
    """A subscription is invoiced to its account or to one above, as an account is."""
    if wanted.bill_to_id is None:
        return []
    path = tree.path_ids(actor.tenant_id, account.pk)
    if wanted.bill_to_id not in path:
        detail = _("An invoice goes to the account itself or to one above it.")
        return [FieldError("bill_to_outside_path", detail, "/bill_to")]
    # Where accounts can only inherit, so can what they subscribe to.
    day = max(wanted.start_date, actor.today)
    if is_locked_above(actor, path, SettingName.BILL_TO, day):
        detail = _("An account above has locked the recipient; it can only be inherited.")
        return [FieldError("setting_locked", detail, "/bill_to")]
    named = Account.objects.filter(tenant_id=actor.tenant_id, pk=wanted.bill_to_id)
    if named.filter(status=Account.Status.ARCHIVED).exists():
        return [FieldError("account_archived", _("This account is archived."), "/bill_to")]
    return []
