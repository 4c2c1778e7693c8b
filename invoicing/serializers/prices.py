"""Shapes of versions of prices, of what they come to, and of the jobs that carry them out."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.parts import DayField, DecimalIn, PageParameters
from billing_rules.pricing import Model
from billing_rules.tax import Category
from billing_rules.tax_rates import TaxClass
from subscriptions.models import Price
from subscriptions.serializers.catalogue import PriceOut, TierIn

_NAME = 200
_REFERENCE = 250


class VersionIn(serializers.Serializer[Any]):
    """What a price costs from a day on; what is left out is as in the version before."""

    valid_from = DayField(help_text="The first day, past days too: what was charged is made good.")
    external_id = serializers.CharField(required=False, max_length=_NAME, allow_null=True)
    name = serializers.CharField(required=False, max_length=_NAME)
    model = serializers.ChoiceField([model.value for model in Model], required=False)
    currency = serializers.CharField(
        required=False, max_length=3, min_length=3, help_text="That of the price, if at all."
    )
    unit = serializers.CharField(required=False, max_length=20, allow_blank=True)
    unit_amount = DecimalIn(required=False, allow_null=True)
    tiers = TierIn(many=True, required=False)
    package_size = DecimalIn(required=False, allow_null=True)
    interval = serializers.CharField(required=False, max_length=10, help_text="That of the price.")
    interval_count = serializers.IntegerField(required=False, help_text="That of the price.")
    timing = serializers.ChoiceField(
        Price.Timing.choices, required=False, help_text="That of the price."
    )
    tax_category = serializers.ChoiceField([Category.S.value, Category.Z.value], required=False)
    tax_class = serializers.ChoiceField([tax_class.value for tax_class in TaxClass], required=False)


class NegotiatedIn(VersionIn):
    """What a price costs an account and all below it from a day on."""

    price = serializers.CharField(max_length=_REFERENCE, help_text="Any version of the price.")


class EndingIn(serializers.Serializer[Any]):
    """When a version ends."""

    ends_on = DayField(
        required=False,
        allow_null=True,
        help_text="The first day on which a negotiated price holds no longer. Left out or null:"
        " the version is taken back as a whole.",
    )


class VersionParameters(PageParameters):
    """Which versions."""

    account = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="Only those negotiated with this account."
    )


class PoolsEffectOut(serializers.Serializer[Any]):
    """What another version comes to for pools; they are no part of MRR."""

    pools = serializers.IntegerField(help_text="That charge by the price from that day on.")
    changed = serializers.IntegerField(help_text="That follow.")
    own_choice = serializers.IntegerField(
        help_text="That charge by a version that was chosen for them: they stay."
    )
    elsewhere = serializers.IntegerField(
        help_text="Whose account has a version that stays as it is."
    )
    already_charged = serializers.IntegerField(
        source="charged", help_text="Charged for days since: the next run makes it good."
    )


class PriceEffectOut(serializers.Serializer[Any]):
    """What another version comes to; amounts are MRR."""

    day = serializers.DateField(help_text="On which MRR is looked at.")
    currency = serializers.CharField()
    before_minor = serializers.IntegerField()
    after_minor = serializers.IntegerField()
    difference_minor = serializers.IntegerField()
    items = serializers.IntegerField(help_text="Had at the price from that day on.")
    changed = serializers.IntegerField()
    own_choice = serializers.IntegerField(
        help_text="Had at a version that was chosen for them: they stay."
    )
    elsewhere = serializers.IntegerField(
        help_text="Whose account has a version that stays as it is."
    )
    already_charged = serializers.IntegerField(
        source="begun", help_text="Charged for days since: credited and charged anew."
    )
    subscriptions = serializers.SerializerMethodField()
    accounts = serializers.SerializerMethodField()
    bill_tos = serializers.SerializerMethodField()
    addresses = serializers.SerializerMethodField(help_text="E-mail addresses of their invoices.")
    without_address = serializers.IntegerField(help_text="Bill-tos that no notice can be sent to.")
    is_complete = serializers.BooleanField()

    def get_subscriptions(self, effect: Any) -> int:
        """Return how many change."""
        return len(effect.subscriptions)

    def get_accounts(self, effect: Any) -> int:
        """Return to how many accounts they belong."""
        return len(effect.accounts)

    def get_bill_tos(self, effect: Any) -> int:
        """Return how many accounts are invoiced for them."""
        return len(effect.bill_tos)

    def get_addresses(self, effect: Any) -> int:
        """Return to how many addresses their invoices go."""
        return len(effect.addresses)


class SkippedOut(serializers.Serializer[Any]):
    """Subscriptions that stay as they are, and why."""

    code = serializers.CharField()
    count = serializers.IntegerField()
    first = serializers.ListField(
        child=serializers.CharField(), help_text="The first hundred of them."
    )


class RepricingResultOut(serializers.Serializer[Any]):
    """What a job has done so far."""

    changed = serializers.IntegerField()
    pools = serializers.IntegerField(help_text="How many pools follow.")
    credited_minor = serializers.IntegerField()
    charged_minor = serializers.IntegerField()
    currency = serializers.CharField(allow_null=True)
    skipped = SkippedOut(many=True)


class RepricingProgressOut(serializers.Serializer[Any]):
    """How far it is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class RepricingProblemOut(serializers.Serializer[Any]):
    """Why it can't be done."""

    row = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class RepricingJobOut(serializers.Serializer[Any]):
    """A job that carries out what another version changes."""

    id = serializers.CharField()
    status = serializers.CharField()
    progress = RepricingProgressOut()
    result = RepricingResultOut()
    problems = RepricingProblemOut(many=True)


class VersionOut(serializers.Serializer[Any]):
    """A version of a price, until when it holds, and how far it is carried out."""

    version = PriceOut()
    valid_until = serializers.DateField(
        allow_null=True, help_text="The first day on which it holds no longer."
    )
    job = RepricingJobOut(allow_null=True)


class PlannedVersionOut(serializers.Serializer[Any]):
    """A version that begins or ends: what it would come to, or the job that carries it out."""

    version = PriceOut()
    effect = PriceEffectOut(allow_null=True, help_text="Of a dry run.")
    pools = PoolsEffectOut(allow_null=True, help_text="Of a dry run.")
    job = RepricingJobOut(allow_null=True)


class NegotiatedOut(serializers.Serializer[Any]):
    """A negotiated price that an account has, and whose it is."""

    version = PriceOut()
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="`own` or `inherited`."
    )
