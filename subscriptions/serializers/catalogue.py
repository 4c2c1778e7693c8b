"""Shapes of products and prices."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DecimalIn,
    DecimalTextField,
    IdField,
    InstantField,
    PageParameters,
)
from billing_rules.periods import Unit
from billing_rules.pricing import Model
from billing_rules.tax import Category
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Price, Product
from tenancy.ids import public_id

_NAME = 200
_REFERENCE = 250


class DryRunParameters(serializers.Serializer[Any]):
    """Whether it is only tried out."""

    dry_run = serializers.BooleanField(
        default=False, help_text="Answers what would happen, and stores nothing."
    )


class ProductIn(serializers.Serializer[Any]):
    """A product to add."""

    external_id = serializers.CharField(required=False, max_length=_NAME, allow_null=True)
    name = serializers.CharField(max_length=_NAME)


class ProductPatchIn(serializers.Serializer[Any]):
    """What is to be changed of a product; what is left out stays."""

    external_id = serializers.CharField(required=False, max_length=_NAME, allow_null=True)
    name = serializers.CharField(required=False, max_length=_NAME)


class ProductOut(serializers.Serializer[Product]):
    """Something that is sold."""

    id = IdField("prd")
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    archived_at = InstantField(allow_null=True, help_text="Since when nothing new is sold of it.")
    created_at = InstantField()


class PriceParameters(PageParameters):
    """Which prices."""

    product = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="Only those of this product."
    )
    currency = serializers.CharField(required=False, max_length=3, min_length=3)


class TierIn(serializers.Serializer[Any]):
    """A range of quantities: above the tier before, up to and including ``up_to``."""

    up_to = DecimalIn(allow_null=True, help_text="null: the last tier, without end.")
    unit_amount = DecimalIn()
    flat_amount = DecimalIn(required=False)


class PriceIn(serializers.Serializer[Any]):
    """A price to add; amounts in major units, for one full period."""

    external_id = serializers.CharField(required=False, max_length=_NAME, allow_null=True)
    product = serializers.CharField(max_length=_REFERENCE)
    name = serializers.CharField(
        required=False, max_length=_NAME, help_text="As invoices print it; else the product's."
    )
    model = serializers.ChoiceField([model.value for model in Model])
    currency = serializers.CharField(max_length=3, min_length=3)
    unit = serializers.CharField(required=False, max_length=20, allow_blank=True)
    unit_amount = DecimalIn(required=False, allow_null=True)
    tiers = TierIn(many=True, required=False)
    package_size = DecimalIn(required=False, allow_null=True)
    setup_fee = DecimalIn(
        required=False, allow_null=True, help_text="Charged once when an item begins; null: none."
    )
    minimum_amount = DecimalIn(
        required=False,
        allow_null=True,
        help_text="What a full period costs at least, in any quantity; null: nothing.",
    )
    interval = serializers.ChoiceField([unit.value for unit in Unit])
    interval_count = serializers.IntegerField(required=False, min_value=1, max_value=1_200)
    timing = serializers.ChoiceField(Price.Timing.choices, required=False)
    tax_category = serializers.ChoiceField(
        [Category.S.value, Category.Z.value],
        required=False,
        help_text="At home; the recipient's country decides what becomes of it.",
    )
    tax_class = serializers.ChoiceField(
        [tax_class.value for tax_class in TaxClass],
        required=False,
        help_text="Which of the seller's rates; `standard` if left out.",
    )
    meter = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="`mtr_…` or `ext:…`: charged by what it measured, in arrears.",
    )


class PricePatchIn(serializers.Serializer[Any]):
    """What is to be changed of a price; of one that is used only how it is called."""

    external_id = serializers.CharField(required=False, max_length=_NAME, allow_null=True)
    name = serializers.CharField(required=False, max_length=_NAME)
    model = serializers.ChoiceField([model.value for model in Model], required=False)
    currency = serializers.CharField(required=False, max_length=3, min_length=3)
    unit = serializers.CharField(required=False, max_length=20, allow_blank=True)
    unit_amount = DecimalIn(required=False, allow_null=True)
    tiers = TierIn(many=True, required=False)
    package_size = DecimalIn(required=False, allow_null=True)
    setup_fee = DecimalIn(
        required=False, allow_null=True, help_text="Charged once when an item begins; null: none."
    )
    minimum_amount = DecimalIn(
        required=False,
        allow_null=True,
        help_text="What a full period costs at least, in any quantity; null: nothing.",
    )
    interval = serializers.ChoiceField([unit.value for unit in Unit], required=False)
    interval_count = serializers.IntegerField(required=False, min_value=1, max_value=1_200)
    timing = serializers.ChoiceField(Price.Timing.choices, required=False)
    tax_category = serializers.ChoiceField([Category.S.value, Category.Z.value], required=False)
    tax_class = serializers.ChoiceField([tax_class.value for tax_class in TaxClass], required=False)
    meter = serializers.CharField(required=False, allow_null=True, max_length=_REFERENCE)


class TierOut(serializers.Serializer[Any]):
    """A range of quantities with its amounts."""

    up_to = serializers.CharField(allow_null=True)
    unit_amount = serializers.CharField()
    flat_amount = serializers.CharField()


class PriceOut(serializers.Serializer[Price]):
    """A price: its terms never change once somebody has it."""

    id = IdField("prc")
    external_id = serializers.CharField(allow_null=True)
    product = IdField("prd", source="product_id")
    name = serializers.CharField()
    model = serializers.CharField()
    currency = serializers.CharField()
    unit = serializers.CharField()
    unit_amount = DecimalTextField(allow_null=True)
    tiers = TierOut(many=True)
    package_size = DecimalTextField(allow_null=True)
    setup_fee = DecimalTextField(allow_null=True)
    minimum_amount = DecimalTextField(allow_null=True)
    interval = serializers.CharField()
    interval_count = serializers.IntegerField()
    timing = serializers.CharField()
    tax_category = serializers.CharField()
    tax_class = serializers.CharField()
    first = IdField(
        "prc", source="family_id", help_text="The first version of the price; itself if it is that."
    )
    account = AccountReferenceOut(
        allow_null=True,
        help_text="With whom it is negotiated, for it and all below it; null: for everybody.",
    )
    number = serializers.IntegerField(help_text="Which version it is, of those for the same.")
    valid_from = serializers.DateField(
        allow_null=True, help_text="The first day; null: since ever."
    )
    ends_on = serializers.DateField(
        allow_null=True,
        help_text="The first day on which it holds no longer; its first day if it was taken back."
        " null: until the next version.",
    )
    meter = serializers.SerializerMethodField(
        help_text="What it measured is the quantity; null: the quantity is agreed."
    )
    archived_at = InstantField(allow_null=True, help_text="Since when nothing new is sold at it.")
    created_at = InstantField()

    def get_meter(self, price: Price) -> str | None:
        """Return what measures its quantity."""
        return None if price.meter_id is None else public_id("mtr", price.meter_id)
