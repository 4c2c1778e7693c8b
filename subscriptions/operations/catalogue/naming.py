"""Names in the catalogue: one name, and one external id, for one thing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy

from subscriptions.models import Meter, Price, Product
from tenancy.actor import Actor
from tenancy.errors import Conflict


class ExternalIdTaken(Conflict):
    """The integrator's own id names something else of this kind already."""

    code = "external_id_taken"
    message = gettext_lazy("The external id “%(external_id)s” is taken.")


class ProductNameTaken(Conflict):
    """Two products of one name could not be told apart."""

    code = "product_name_taken"
    message = gettext_lazy("There is a product “%(name)s” already.")


@contextmanager
def named_once(actor: Actor, thing: Product | Price | Meter) -> Iterator[None]:
    """Store a thing within; refuse names that are taken, also by who came at the same time.

    Raises:
        ProductNameTaken, ExternalIdTaken: something else is called so.
    """
    require_free(actor, thing)
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        require_free(actor, thing)
        raise


def require_free(actor: Actor, thing: Product | Price | Meter) -> None:
    """Return if nothing else of its kind has a thing's names.

    Raises:
        ProductNameTaken, ExternalIdTaken: something else is called so.
    """
    others = type(thing).objects.filter(tenant_id=actor.tenant_id).exclude(pk=thing.pk)
    if isinstance(thing, Product) and others.filter(name=thing.name).exists():
        raise ProductNameTaken(name=thing.name)
    if thing.external_id and others.filter(external_id=thing.external_id).exists():
        raise ExternalIdTaken(external_id=thing.external_id)


def said_of(external_id: str | None) -> Mapping[str, Any]:
    """Return what every event says of a thing."""
    return {} if external_id is None else {"external_id": external_id}
