"""Adding to the catalogue: products, and their prices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from billing_rules.money import is_currency, plain_digits, withdrawal
from billing_rules.periods import Unit
from billing_rules.pricing import InvalidTerms, Model, PriceTerms, Tier
from billing_rules.tax import Category
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Price, Product
from subscriptions.models.limits import (
    MAX_TIERS,
    PRICE_DECIMALS,
    PRICE_DIGITS,
    QUANTITY_DECIMALS,
    QUANTITY_DIGITS,
    fits,
)
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event
from tenancy.formats import date_text

_LONGEST_NAME = 200
_LONGEST_UNIT = 20
_MOST_INTERVALS = 1_200
# Where the rules find fault with the terms as a whole, the member that is to blame.
_BLAMED = {"tiers": "tiers", "last": "tiers", "package": "package_size"}


class InvalidProduct(Invalid):
    """A product that can't be sold so; ``errors`` names each member."""

    code = "invalid_product"
    message = gettext_lazy("This product is not valid.")


class InvalidPrice(Invalid):
    """A price that contradicts itself; ``errors`` names each member."""

    code = "invalid_price"
    message = gettext_lazy("This price is not valid.")


class ExternalIdTaken(Conflict):
    """The integrator's own id names something else of this kind already."""

    code = "external_id_taken"
    message = gettext_lazy("The external id “%(external_id)s” is taken.")


class ProductNameTaken(Conflict):
    """Two products of one name could not be told apart."""

    code = "product_name_taken"
    message = gettext_lazy("There is a product “%(name)s” already.")


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price as somebody wants it.

    Amounts are in major units, for one full period. ``tax_category`` is ``S``, whose rate the
    ``tax_class`` names, or ``Z``.
    """

    name: str
    model: str
    currency: str
    interval: str
    unit_amount: Decimal | None = None
    tiers: Sequence[Tier] = ()
    package_size: Decimal | None = None
    interval_count: int = 1
    timing: str = Price.Timing.ADVANCE
    unit: str = ""
    tax_category: str = Category.S
    tax_class: str = TaxClass.STANDARD
    external_id: str | None = None
    errors: list[FieldError] = field(default_factory=list)

    def refuse(self, member: str, code: str, detail: str) -> None:
        """Note what is wrong with one member."""
        self.errors.append(FieldError(code, detail, f"/{member}"))


@operation
def create_product(
    actor: Actor, *, name: str, external_id: str | None = None, now: datetime
) -> Product:
    """Add a product to the catalogue.

    Args:
        actor: who adds it.
        name: up to 200 characters, of no other product of the tenant.
        external_id: the integrator's own id, if there is one.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        InvalidProduct: the name is empty or too long.
        ProductNameTaken, ExternalIdTaken: another product is called so.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        wrong = FieldError("invalid", _("A name of 1 to 200 characters is expected."), "/name")
        raise InvalidProduct(errors=[wrong])
    same = Product.objects.filter(Q(name=name), tenant_id=actor.tenant_id)
    if same.exists():
        raise ProductNameTaken(name=name)
    _require_free(actor, Product, external_id)
    product = Product.objects.create(
        tenant_id=actor.tenant_id, name=name, external_id=external_id, created_at=now
    )
    said = {"name": name, **_named(external_id)}
    record_event(actor, Happening("product.created", product.pk, after=said, data=said), now=now)
    return product


@operation
def create_price(
    actor: Actor, product_id: UUID, wanted: NewPrice, *, today: date, now: datetime
) -> Price:
    """Give a product a price. Once made it never changes.

    Args:
        actor: who adds it.
        product_id: what is sold at it.
        wanted: its terms.
        today: a currency that was withdrawn by then is refused.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not write the catalogue.
        NotFound: there is no such product.
        InvalidPrice: the terms contradict themselves or are beyond what can be stored.
        ExternalIdTaken: another price is called so.

    Source: docs/billing-rules.md, R14, R19.
    """
    access.require_everywhere(actor, Action.EDIT_CATALOGUE)
    product = Product.objects.filter(tenant_id=actor.tenant_id, pk=product_id).first()
    if product is None:
        raise NotFound
    _check(wanted, today)
    if wanted.errors:
        raise InvalidPrice(errors=wanted.errors)
    _require_free(actor, Price, wanted.external_id)
    price = Price.objects.create(
        tenant_id=actor.tenant_id, product=product, created_at=now, **_columns(wanted)
    )
    said = _named(price.external_id)
    record_event(actor, Happening("price.created", price.pk, after=said, data=said), now=now)
    return price


def _named(external_id: str | None) -> dict[str, str]:
    return {} if external_id is None else {"external_id": external_id}


def _require_free(actor: Actor, kind: type[Product] | type[Price], external_id: str | None) -> None:
    """Refuse an id that is taken; the constraint holds against one who comes at the same time."""
    if external_id is None:
        return
    named = Q(tenant_id=actor.tenant_id, external_id=external_id)
    if kind.objects.filter(named).exists():
        raise ExternalIdTaken(external_id=external_id)


def _columns(wanted: NewPrice) -> dict[str, Any]:
    is_zero = wanted.tax_category == Category.Z
    return {
        "external_id": wanted.external_id,
        "name": wanted.name.strip(),
        "model": wanted.model,
        "currency": wanted.currency,
        "unit": wanted.unit.strip(),
        "unit_amount": wanted.unit_amount,
        "tiers": [
            {
                "up_to": None if tier.up_to is None else plain_digits(tier.up_to),
                "unit_amount": plain_digits(tier.unit_amount),
                "flat_amount": plain_digits(tier.flat_amount),
            }
            for tier in wanted.tiers
        ],
        "package_size": wanted.package_size,
        "interval": wanted.interval,
        "interval_count": wanted.interval_count,
        "timing": wanted.timing,
        "tax_class": TaxClass.ZERO if is_zero else wanted.tax_class,
        "tax_category": Category.Z if is_zero else Category.S,
    }


def _check(wanted: NewPrice, today: date) -> None:
    """Note everything that is wrong with a price."""
    if not 0 < len(wanted.name.strip()) <= _LONGEST_NAME:
        wanted.refuse("name", "invalid", _("A name of 1 to 200 characters is expected."))
    if len(wanted.unit.strip()) > _LONGEST_UNIT:
        wanted.refuse("unit", "too_long", _("At most 20 characters are possible."))
    _check_currency(wanted, today)
    choices: dict[str, Sequence[str]] = {
        "interval": [unit.value for unit in Unit],
        "timing": Price.Timing.values,
        "tax_category": [Category.S.value, Category.Z.value],
        "tax_class": [tax_class.value for tax_class in TaxClass],
        "model": [model.value for model in Model],
    }
    for member, possible in choices.items():
        if getattr(wanted, member) not in possible:
            wanted.refuse(
                member,
                "invalid_choice",
                _("One of these is expected: %(choices)s.") % {"choices": ", ".join(possible)},
            )
    if not 1 <= wanted.interval_count <= _MOST_INTERVALS:
        wanted.refuse("interval_count", "out_of_range", _("1 to 1200 is expected."))
    if _fits_the_columns(wanted) and wanted.model in choices["model"]:
        _check_terms(wanted)


def _check_currency(wanted: NewPrice, today: date) -> None:
    if not is_currency(wanted.currency):
        wanted.refuse("currency", "invalid", _("A currency code such as EUR is expected."))
        return
    ended = withdrawal(wanted.currency, today)
    if ended is not None:
        wanted.refuse(
            "currency",
            "currency_withdrawn",
            _("%(currency)s was withdrawn on %(day)s. Use %(successor)s.")
            % {
                "currency": wanted.currency,
                "day": date_text(ended.day),
                "successor": ended.successor,
            },
        )


def _fits_the_columns(wanted: NewPrice) -> bool:
    """Note numbers that can't be stored as they are; they would be rounded without a word."""
    numbers = [
        ("unit_amount", wanted.unit_amount, PRICE_DIGITS, PRICE_DECIMALS),
        ("package_size", wanted.package_size, QUANTITY_DIGITS, QUANTITY_DECIMALS),
    ]
    for tier in wanted.tiers:
        numbers += [
            ("tiers", tier.up_to, QUANTITY_DIGITS, QUANTITY_DECIMALS),
            ("tiers", tier.unit_amount, PRICE_DIGITS, PRICE_DECIMALS),
            ("tiers", tier.flat_amount, PRICE_DIGITS, PRICE_DECIMALS),
        ]
    refused = False
    for member, number, digits, decimals in numbers:
        if number is not None and not fits(number, digits, decimals):
            refused = True
            wanted.refuse(
                member,
                "out_of_range",
                _("At most %(digits)d digits before and %(decimals)d after the point.")
                % {"digits": digits, "decimals": decimals},
            )
    if len(wanted.tiers) > MAX_TIERS:
        refused = True
        wanted.refuse("tiers", "too_many", _("At most 100 tiers are possible."))
    return not refused


def _check_terms(wanted: NewPrice) -> None:
    """Let the rules judge the terms as a whole."""
    try:
        PriceTerms(
            Model(wanted.model), wanted.unit_amount, tuple(wanted.tiers), wanted.package_size
        )
    except InvalidTerms as fault:
        wanted.refuse(
            _BLAMED.get(fault.code.partition("_")[0], "unit_amount"),
            fault.code,
            _("These terms do not fit the model “%(model)s”.") % {"model": wanted.model},
        )
