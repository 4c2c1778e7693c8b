"""Selling something no longer: what runs goes on, nothing new begins; and selling it again."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from subscriptions.models import Meter, Price, Product
from subscriptions.operations.catalogue.naming import said_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import FieldError, NotFound
from tenancy.events import Happening, record_event

Thing = TypeVar("Thing", Product, Price, Meter)


def _unseen() -> None:
    """Ask nothing: the caller has not said what was seen."""


@operation
def archive_product(
    actor: Actor,
    product_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Product:
    """Sell a product no longer, at any of its prices; one archived stays as it is.

    Args:
        actor: who archives it.
        product_id: the product.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant since when it is archived.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such product.
    """
    return _put(actor, Product, product_id, require_seen, "product.archived", now, now)


@operation
def reopen_product(
    actor: Actor,
    product_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Product:
    """Sell an archived product again; one that is sold stays as it is.

    Args and Raises as of ``archive_product``.
    """
    return _put(actor, Product, product_id, require_seen, "product.reopened", None, now)


@operation
def archive_price(
    actor: Actor,
    price_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Price:
    """Sell nothing new at a price; who has it keeps it. One archived stays as it is.

    Args and Raises as of ``archive_product``.
    """
    return _put(actor, Price, price_id, require_seen, "price.archived", now, now)


@operation
def reopen_price(
    actor: Actor,
    price_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Price:
    """Sell at an archived price again; one that is sold at stays as it is.

    Args and Raises as of ``archive_product``.
    """
    return _put(actor, Price, price_id, require_seen, "price.reopened", None, now)


@operation
def archive_meter(
    actor: Actor,
    meter_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Meter:
    """Let no new price be charged by a meter; what runs is measured as before.

    Args and Raises as of ``archive_product``.
    """
    return _put(actor, Meter, meter_id, require_seen, "meter.archived", now, now)


@operation
def reopen_meter(
    actor: Actor,
    meter_id: UUID,
    *,
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Meter:
    """Let new prices be charged by an archived meter again.

    Args and Raises as of ``archive_product``.
    """
    return _put(actor, Meter, meter_id, require_seen, "meter.reopened", None, now)


def hold_prices(actor: Actor, price_ids: Collection[UUID]) -> None:
    """Let nobody change or archive prices and their products until this transaction ends.

    Nobody gives them other versions meanwhile either: the first version is held with each. Others
    who sell at them may do so at the same time. One statement; whoever asks reads them after.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM subscriptions_price AS price JOIN subscriptions_product AS product"
            " ON product.tenant_id = price.tenant_id AND product.id = price.product_id"
            " WHERE price.tenant_id = %s AND (price.id = ANY(%s) OR price.id = ANY(ARRAY("
            " SELECT named.first_id FROM subscriptions_price AS named"
            " WHERE named.tenant_id = %s AND named.id = ANY(%s))))"
            " ORDER BY price.id FOR SHARE",
            [actor.tenant_id, list(price_ids)] * 2,
        )


def sale_fault(price: Price, at: str) -> FieldError | None:
    """Return why nothing new is sold at a price, None where it is; its product has been read.

    Args:
        price: with its product, under ``hold_prices``.
        at: where it is named, as a JSON pointer.
    """
    if price.archived_at is None and price.product.archived_at is None:
        return None
    detail = _("This price is archived; nothing new is sold at it.")
    return FieldError("price_archived", detail, at)


def _put(
    actor: Actor,
    kind: type[Thing],
    key: UUID,
    require_seen: Callable[[], object],
    action: str,
    since: datetime | None,
    now: datetime,
) -> Thing:
    """Archive a thing, or sell it again; what is so already is left alone."""
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    found = kind.objects.select_for_update(no_key=True).filter(tenant_id=actor.tenant_id)
    thing = found.filter(pk=key).order_by("pk").first()
    if thing is None:
        raise NotFound
    require_seen()
    is_archived = since is not None
    if (thing.archived_at is not None) == is_archived:
        return thing
    thing.archived_at = since
    thing.save(update_fields=["archived_at"])
    happening = Happening(
        action,
        thing.pk,
        before={"is_archived": not is_archived},
        after={"is_archived": is_archived},
        data={**said_of(thing.external_id), "name": thing.name},
    )
    record_event(actor, happening, now=now)
    return thing
