"""Changing what the catalogue says: names always, the terms of a price until somebody has it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from accounts.versions import require_version
from subscriptions.models import Price, Product
from subscriptions.operations.catalogue.checking import (
    columns_of,
    require_possible,
    require_product_name,
    wanted_of,
)
from subscriptions.operations.catalogue.meters import require_meter
from subscriptions.operations.catalogue.naming import named_once, said_of
from subscriptions.queries.catalogue import is_used, price_shown, product_shown
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event

ALWAYS_CHANGEABLE: Final = frozenset({"name", "external_id"})
"""What may be changed of a price that somebody has: how it is called."""


class PriceUsed(Conflict):
    """What somebody was promised never changes."""

    code = "price_used"
    message = gettext_lazy(
        "This price is used; only its name can be changed. Make a new price for new terms."
    )


def _unseen() -> None:
    """Ask nothing: the caller has not said what was seen."""


@operation
def edit_product(
    actor: Actor,
    product_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: str = "",
    require_seen: Callable[[], object] = _unseen,
    now: datetime,
) -> Product:
    """Call a product something else. Issued invoices keep what they were issued with.

    Args:
        actor: who changes it.
        product_id: the product.
        changes: ``name`` and ``external_id``; what is left out stays.
        version: of what was shown, ``version_of(product_shown(…))``; empty overwrites anyway.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such product.
        ChangedMeanwhile: it is not as shown any more.
        InvalidProduct, ProductNameTaken, ExternalIdTaken: see there.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    found = Product.objects.select_for_update(no_key=True).filter(tenant_id=actor.tenant_id)
    product = found.filter(pk=product_id).order_by("pk").first()
    if product is None:
        raise NotFound
    require_seen()
    stored = product_shown(product)
    wanted = {**stored, **changes}
    wanted["external_id"] = wanted["external_id"] or None
    require_version(version, stored, wanted)
    wanted["name"] = require_product_name(wanted["name"])
    changed = sorted(name for name in stored if stored[name] != wanted[name])
    if not changed:
        return product
    for name in changed:
        setattr(product, name, wanted[name])
    with named_once(actor, product):
        product.save(update_fields=changed)
    happening = Happening(
        "product.updated",
        product.pk,
        before={name: stored[name] for name in changed},
        after={name: wanted[name] for name in changed},
        data={**said_of(product.external_id), "name": product.name, "changed": changed},
    )
    record_event(actor, happening, now=now)
    return product


@operation
def edit_price(
    actor: Actor,
    price_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: str = "",
    require_seen: Callable[[], object] = _unseen,
    today: date,
    now: datetime,
) -> Price:
    """Change a price that nobody has, or the name of one that somebody has or had.

    Args:
        actor: who changes it.
        price_id: the price.
        changes: members of ``NewPrice``; what is left out stays.
        version: of what was shown, ``version_of(price_shown(…))``; empty overwrites anyway.
        require_seen: refuses if it is not as the caller has seen it; asked under the lock.
        today: another currency that was withdrawn by then is refused.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such price.
        ChangedMeanwhile: it is not as shown any more.
        PriceUsed: its terms would change, and it is used.
        InvalidPrice, ExternalIdTaken: see there.

    Source: docs/billing-rules.md, Catalogue.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    # The whole row, also against who is just subscribing somebody to it.
    found = Price.objects.select_for_update(of=("self",)).filter(tenant_id=actor.tenant_id)
    price = found.filter(pk=price_id).select_related("product").order_by("pk").first()
    if price is None:
        raise NotFound
    require_seen()
    stored = price_shown(price)
    wanted = replace(wanted_of(price), **changes, errors=[])
    is_other_currency = wanted.currency != price.currency
    if wanted.meter_id != price.meter_id:
        require_meter(actor, wanted.meter_id)
    require_possible(wanted, today=today if is_other_currency else None)
    for name, value in columns_of(wanted).items():
        setattr(price, name, value)
    after = price_shown(price)
    require_version(version, stored, after)
    changed = sorted(name for name in stored if stored[name] != after[name])
    if not changed:
        return price
    if not ALWAYS_CHANGEABLE.issuperset(changed) and is_used(actor, price.pk):
        raise PriceUsed
    with named_once(actor, price):
        price.save(update_fields=changed)
    happening = Happening(
        "price.updated",
        price.pk,
        before={name: stored[name] for name in changed},
        after={name: after[name] for name in changed},
        data={**said_of(price.external_id), "changed": changed},
    )
    record_event(actor, happening, now=now)
    return price
