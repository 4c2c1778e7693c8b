"""Adding to the catalogue: products, and their prices."""

from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from subscriptions.models import Price, Product
from subscriptions.operations.catalogue.checking import (
    NewPrice,
    columns_of,
    require_possible,
    require_product_name,
)
from subscriptions.operations.catalogue.meters import require_meter
from subscriptions.operations.catalogue.naming import named_once, said_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7


class ProductArchived(Conflict):
    """What is not sold any more gets no new price."""

    code = "product_archived"
    message = gettext_lazy("“%(name)s” is archived; nothing new is sold of it.")


class AlreadyAdded(Conflict):
    """It was added before: somebody has sent the same form twice."""

    code = "already_created"
    message = gettext_lazy("This has been created already. Nothing was created twice.")


@operation
def create_product(
    actor: Actor,
    *,
    name: str,
    external_id: str | None = None,
    key: UUID | None = None,
    now: datetime,
) -> Product:
    """Add a product to the catalogue.

    Args:
        actor: who adds it.
        name: up to 200 characters, of no other product of the tenant.
        external_id: the integrator's own id, if there is one.
        key: what the row is to be called, so that one form makes one.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        InvalidProduct: the name is empty or too long.
        ProductNameTaken, ExternalIdTaken: another product is called so.
        AlreadyAdded: there is one with this key.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    _require_new(actor, Product, key)
    product = Product(
        id=key or uuid7(),
        tenant_id=actor.tenant_id,
        name=require_product_name(name),
        external_id=external_id or None,
        created_at=now,
    )
    with named_once(actor, product):
        product.save(force_insert=True)
    said = {"name": product.name, **said_of(product.external_id)}
    record_event(actor, Happening("product.created", product.pk, after=said, data=said), now=now)
    return product


@operation
def create_price(
    actor: Actor,
    product_id: UUID,
    wanted: NewPrice,
    *,
    key: UUID | None = None,
    today: date,
    now: datetime,
) -> Price:
    """Give a product a price. Once somebody has it, it never changes.

    Args:
        actor: who adds it.
        product_id: what is sold at it.
        wanted: its terms.
        key: what the row is to be called, so that one form makes one.
        today: a currency that was withdrawn by then is refused.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such product.
        ProductArchived: it is not sold any more.
        InvalidPrice: the terms contradict themselves or are beyond what can be stored, or there
            is no such meter, or it is archived.
        ExternalIdTaken: another price is called so.
        AlreadyAdded: there is one with this key.

    Source: docs/billing-rules.md, R14, R19.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    found = Product.objects.select_for_update(no_key=True).filter(tenant_id=actor.tenant_id)
    product = found.filter(pk=product_id).order_by("pk").first()
    if product is None:
        raise NotFound
    _require_new(actor, Price, key)
    if product.archived_at is not None:
        raise ProductArchived(name=product.name)
    require_meter(actor, wanted.meter_id)
    require_possible(wanted, today=today)
    price = Price(
        id=key or uuid7(),
        tenant_id=actor.tenant_id,
        product=product,
        created_at=now,
        **columns_of(wanted),
    )
    with named_once(actor, price):
        price.save(force_insert=True)
    said = dict(said_of(price.external_id))
    record_event(actor, Happening("price.created", price.pk, after=said, data=said), now=now)
    return price


def _require_new(actor: Actor, kind: type[Product] | type[Price], key: UUID | None) -> None:
    if key is not None and kind.objects.filter(tenant_id=actor.tenant_id, pk=key).exists():
        raise AlreadyAdded
