"""The versions of one price, and what has been negotiated with an account."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from subscriptions.models import Price
from subscriptions.queries.price_lists import PriceLists, ends_of, grouped, price_lists
from tenancy.actor import Actor
from tenancy.models import Job


@dataclass(frozen=True, slots=True)
class VersionShown:
    """A version, the first day on which it holds no longer, and whether it ever holds.

    ``job`` carried out that it began, or that it ended; the last of them.
    """

    price: Price
    valid_until: date | None
    job: Job | None

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back as a whole."""
        return self.price.is_withdrawn

    def holds_on(self, day: date) -> bool:
        """Return whether it holds on a day."""
        begun = self.price.valid_from is None or self.price.valid_from <= day
        return begun and (self.valid_until is None or day < self.valid_until)


def versions_of(actor: Actor, price: Price) -> QuerySet[Price]:
    """Return all versions of what a price is a version of, the first ones first. One statement.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    family = Q(pk=price.family_id) | Q(first_id=price.family_id)
    found = Price.objects.filter(family, tenant_id=actor.tenant_id)
    return found.select_related("product", "account", "first").order_by("created_at", "id")


def versions_shown(actor: Actor, price: Price, rows: Iterable[Price]) -> list[VersionShown]:
    """Return some versions of one price with their ends and jobs. Two statements.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    shown = list(rows)
    places = {one.account_id for one in shown}
    beside = versions_of(actor, price).filter(
        Q(account_id__in=[key for key in places if key]) | Q(account=None)
    )
    ends: dict[UUID, date | None] = {}
    for some in grouped(beside).values():
        ends |= ends_of(some)
    jobs = jobs_of(actor, [one.pk for one in shown])
    return [VersionShown(one, ends[one.pk], jobs.get(one.pk)) for one in shown]


def jobs_of(actor: Actor, price_ids: Sequence[UUID]) -> dict[UUID, Job]:
    """Return the last job that carried out each version. One statement.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    rows = Job.objects.filter(
        tenant_id=actor.tenant_id,
        kind=Job.Kind.PRICES,
        params__price__in=[str(key) for key in price_ids],
    )
    return {UUID(job.params["price"]): job for job in rows.order_by("created_at", "id")}


def negotiated(actor: Actor, account: Account, *, on: date) -> QuerySet[Price]:
    """Return what has been negotiated with an account or one above it, now and later.

    One statement, and one for the way up. What is over by a day is left out. Where accounts on one
    way have a price for the same, the nearest decides.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    access.require(actor, Action.VIEW_SUBSCRIPTION, account)
    path = tree.path_ids(actor.tenant_id, account.pk)
    held = Price.objects.filter(
        Q(ends_on=None) | Q(ends_on__gt=F("valid_from")),
        tenant_id=actor.tenant_id,
        first_id=OuterRef("first_id"),
        valid_from__lte=on,
    ).order_by()
    follows = held.filter(account_id=OuterRef("account_id"), number__gt=OuterRef("number"))
    return (
        Price.objects.filter(
            ~Exists(follows),
            Q(ends_on=None) | Q(ends_on__gt=on) & Q(ends_on__gt=F("valid_from")),
            tenant_id=actor.tenant_id,
            account_id__in=path,
        )
        .select_related("product", "account", "first")
        .order_by("product__name", "name", "valid_from", "id")
    )


def lists_of(actor: Actor, account: Account, rows: Iterable[Price]) -> PriceLists:
    """Return all versions of some prices, as far as they concern an account. Three statements.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    return price_lists(actor, [one.pk for one in rows], [account.pk])


def owners_in_sight(actor: Actor, rows: Iterable[Price]) -> set[UUID]:
    """Return the accounts that have negotiated some prices, as far as the actor may see them.

    One statement. Whose price somebody inherits from beyond their reach they are not told.
    """
    keys = {one.account_id for one in rows if one.account_id is not None}
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=keys)
    return set(seen.order_by().values_list("pk", flat=True))
