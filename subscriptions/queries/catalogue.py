"""The catalogue: what is sold, and at which prices."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from accounts import access, tree
from accounts.access import Action
from billing_rules.money import plain_digits
from subscriptions.models import EarlierTerms, Item, Price, Product, Uncharged
from subscriptions.queries.terms import monthly_on, price_on, quantity_on
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of

_SHOWN: Final = (
    "external_id", "name", "model", "currency", "unit", "unit_amount", "tiers", "package_size",
    "setup_fee", "minimum_amount",
    "interval", "interval_count", "timing", "tax_class", "tax_category", "meter_id",
)  # fmt: skip


def products(actor: Actor) -> QuerySet[Product]:
    """Return all products by name. One statement.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere; the catalogue is the vendor's.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    return Product.objects.filter(tenant_id=actor.tenant_id).order_by("name", "id")


def get_product(actor: Actor, reference: str) -> Product:
    """Return the product that ``prd_…`` or ``ext:…`` names. One statement.

    Raises:
        Forbidden: as of ``products``.
        NotFound: nothing is named so.
    """
    found = products(actor).filter(_named("prd", reference)).first()
    if found is None:
        raise NotFound
    return found


def prices(
    actor: Actor,
    *,
    product_id: UUID | None = None,
    currency: str | None = None,
    text: str = "",
    is_sold: bool = False,
    held: UUID | None = None,
) -> QuerySet[Price]:
    """Return all prices with their products, the latest first. One statement.

    Args:
        actor: who asks.
        product_id: only those of this product.
        currency: only those in this currency.
        text: only those whose name, product or external id contains it, in any case.
        is_sold: only those at which something new is sold to everybody today.
        held: beside those this one too, though it is archived or negotiated.

    Raises:
        Forbidden: as of ``products``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Price.objects.filter(tenant_id=actor.tenant_id)
    if product_id is not None:
        found = found.filter(product_id=product_id)
    if currency is not None:
        found = found.filter(currency=currency)
    if text:
        found = found.filter(
            Q(name__icontains=text)
            | Q(product__name__icontains=text)
            | Q(external_id__icontains=text)
        )
    if is_sold:
        is_offered = _sold_to_everybody(actor)
        found = found.filter(is_offered if held is None else is_offered | Q(pk=held))
    return found.select_related("product", "meter", "account").order_by("-created_at", "-id")


def metered_prices(actor: Actor) -> QuerySet[Price]:
    """Return the prices sold today that are charged by a meter, the latest first. One statement.

    Raises:
        Forbidden: as of ``products``.
    """
    return prices(actor, is_sold=True).filter(meter__isnull=False)


def _sold_to_everybody(actor: Actor) -> Q:
    """Return the condition that something new is sold at a price to everybody today.

    Of its versions that is the one that holds.
    """
    day = actor.today
    taken_back = Q(ends_on__isnull=False, ends_on=F("valid_from"))
    later = Price.objects.filter(
        ~taken_back, Q(valid_from__lte=day), tenant_id=actor.tenant_id, account=None
    )
    is_replaced = Exists(
        later.filter(
            Q(first_id=OuterRef("first_id")) | Q(first_id=OuterRef("pk")),
            number__gt=OuterRef("number"),
        )
    )
    begun = Q(valid_from=None) | Q(valid_from__lte=day)
    held = Q(archived_at=None, product__archived_at=None, account=None) & begun & ~taken_back
    return held & Q(~is_replaced)


def other_versions(
    actor: Actor, *, currency: str | None = None, account_id: UUID | None = None
) -> QuerySet[Price]:
    """Return the versions of prices that are not what is sold to everybody today. One statement.

    Earlier and later ones, and with an account what was negotiated with it or above it; there it
    takes one statement more. What was archived or taken back is left out.

    Raises:
        Forbidden: as of ``products``.
    """
    path = tree.path_ids(actor.tenant_id, account_id) if account_id is not None else ()
    versions = Price.objects.filter(tenant_id=actor.tenant_id, first_id=OuterRef("pk")).order_by()
    return prices(actor, currency=currency).filter(
        ~_sold_to_everybody(actor),
        ~Q(ends_on__isnull=False, ends_on=F("valid_from")),
        Q(first__isnull=False) | Exists(versions),
        Q(account=None) | Q(account_id__in=path),
        archived_at=None,
        product__archived_at=None,
    )


def get_price(actor: Actor, reference: str) -> Price:
    """Return the price that ``prc_…`` or ``ext:…`` names, with its product. One statement.

    Raises:
        Forbidden: as of ``products``.
        NotFound: nothing is named so.
    """
    found = prices(actor).filter(_named("prc", reference)).first()
    if found is None:
        raise NotFound
    return found


def is_used(actor: Actor, price_id: UUID) -> bool:
    """Return whether anybody has or had a price, or will have it. At most three statements.

    One that has versions, or is one, counts as used: what it costs is written down.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    had = (kind.objects.filter(tenant_id=actor.tenant_id) for kind in (Item, EarlierTerms))
    versions = Price.objects.filter(tenant_id=actor.tenant_id)
    is_version = versions.filter(Q(first_id=price_id) | Q(pk=price_id, first__isnull=False))
    return is_version.exists() or any(rows.filter(price_id=price_id).exists() for rows in had)


def product_shown(product: Product) -> dict[str, Any]:
    """Return all that a form shows of a product."""
    return {"name": product.name, "external_id": product.external_id}


def price_shown(price: Price) -> dict[str, Any]:
    """Return all that a form shows of a price."""
    shown = {name: getattr(price, name) for name in _SHOWN}
    for name in ("unit_amount", "package_size", "setup_fee", "minimum_amount"):
        number = shown[name]
        shown[name] = None if number is None else plain_digits(number)
    shown["meter_id"] = None if price.meter_id is None else str(price.meter_id)
    return shown


def price_key(actor: Actor, reference: str) -> UUID:
    """Return the key of the price that ``prc_…`` or ``ext:…`` names. One statement.

    Who may subscribe an account may name prices without reading the whole catalogue.

    Raises:
        NotFound: nothing is named so, or the actor may change subscriptions nowhere.
    """
    found = (
        Price.objects.filter(_named("prc", reference), tenant_id=actor.tenant_id)
        .filter(Exists(access.reach(actor, Action.EDIT_SUBSCRIPTION).order_by()))
        .values_list("pk", flat=True)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def _named(prefix: str, reference: str) -> Q:
    """Return the condition that a reference of an integrator stands for.

    Raises:
        NotFound: it is no reference of this kind.
    """
    if "\x00" in reference:
        raise NotFound
    kind, _, external_id = reference.partition(":")
    return Q(external_id=external_id) if kind == "ext" else Q(pk=key_of(prefix, reference))


@dataclass(frozen=True, slots=True)
class Use:
    """How much a price is used: running items, and what they bring in a month in minor units.

    ``accounts`` is to how many accounts those items belong.
    """

    items: int = 0
    monthly_minor: int = 0
    accounts: int = 0


@dataclass(frozen=True, slots=True)
class User:
    """An account that uses a price: how much it has, and what that brings in a month."""

    account_id: UUID
    name: str
    quantity: Decimal
    monthly_minor: int


def uses_of(actor: Actor, price_ids: Iterable[UUID], on: date) -> dict[UUID, Use]:
    """Return how much each price is used by subscriptions that run. One statement.

    Args:
        actor: who asks.
        price_ids: which prices; those that nobody uses are left out.
        on: the day; subscriptions that have not begun or have ended by then don't count.

    Raises:
        Forbidden: as of ``products``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    rows = (
        running_items(actor, on)
        .annotate(at=price_on(actor, on))
        .filter(at__in=list(price_ids))
        .order_by()
        .values("at")
        .annotate(
            items=Count("pk"),
            monthly=Sum(monthly_on(actor, on)),
            accounts=Count("account_id", distinct=True),
        )
        .values_list("at", "items", "monthly", "accounts")
    )
    return {
        price_id: Use(items, int(monthly), accounts) for price_id, items, monthly, accounts in rows
    }


def largest_users(actor: Actor, price_id: UUID, *, on: date, limit: int) -> list[User]:
    """Return the accounts to which a price brings in most, the largest first. One statement.

    Args:
        actor: who asks.
        price_id: the price.
        on: the day, as of ``uses_of``.
        limit: how many accounts at most.

    Raises:
        Forbidden: as of ``products``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    rows = (
        running_items(actor, on)
        .annotate(at=price_on(actor, on))
        .filter(at=price_id)
        .order_by()
        .values("account_id", "account__name")
        .annotate(monthly=Sum(monthly_on(actor, on)), had=Sum(quantity_on(actor, on)))
        .order_by("-monthly", "account__name", "account_id")
        .values_list("account_id", "account__name", "had", "monthly")
    )
    return [User(key, name, had, int(monthly)) for key, name, had, monthly in rows[:limit]]


@dataclass(frozen=True, slots=True)
class ProductUse:
    """How many prices a product has, and how much it is used: in minor units by currency."""

    prices: int = 0
    items: int = 0
    monthly_minor: Mapping[str, int] = field(default_factory=dict)


def product_uses(actor: Actor, product_ids: Collection[UUID], on: date) -> dict[UUID, ProductUse]:
    """Return how much each product is used by subscriptions that run. Two statements.

    Args:
        actor: who asks.
        product_ids: which products; those without a price are left out.
        on: the day, as of ``uses_of``.

    Raises:
        Forbidden: as of ``products``.
    """
    found = prices(actor).filter(product_id__in=product_ids).order_by()
    known = list(found.values_list("pk", "product_id", "currency"))
    uses = uses_of(actor, [price_id for price_id, _product, _currency in known], on)
    counts: dict[UUID, int] = defaultdict(int)
    items: dict[UUID, int] = defaultdict(int)
    monthly: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for price_id, product_id, currency in known:
        use = uses.get(price_id, Use())
        counts[product_id] += 1
        items[product_id] += use.items
        if use.monthly_minor:
            monthly[product_id][currency] += use.monthly_minor
    return {key: ProductUse(counts[key], items[key], monthly[key]) for key in counts}


def mrr_of_prices(actor: Actor, *, text: str = "", on: date) -> dict[str, int]:
    """Return what the prices of a search bring in a month, by currency. One statement.

    Raises:
        Forbidden: as of ``products``.
    """
    found = prices(actor, text=text).order_by()
    rows = (
        running_items(actor, on)
        .annotate(at=price_on(actor, on))
        .filter(at__in=found.values("pk"))
        .order_by()
        .values("price__currency")
        .annotate(sum=Sum(monthly_on(actor, on)))
        .values_list("price__currency", "sum")
    )
    return {currency: int(amount) for currency, amount in rows if amount}


def running_items(actor: Actor, on: date) -> QuerySet[Item]:
    """Return the items that run on a day and are not in a trial. One statement.

    Raises:
        Forbidden: as of ``products``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    removed = Q(uncharged=Uncharged.ABSENT) & (Q(terms_since=None) | Q(terms_since__lte=on))
    return Item.objects.filter(
        ~removed,
        Q(subscription__end_date=None) | Q(subscription__end_date__gt=on),
        Q(subscription__trial_end=None) | Q(subscription__trial_end__lte=on),
        tenant_id=actor.tenant_id,
        subscription__tenant_id=actor.tenant_id,
        subscription__start_date__lte=on,
    )
