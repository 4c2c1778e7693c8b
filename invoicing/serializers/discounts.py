"""What a discount comes to."""

from accounts.serializers.parts import DayField
from invoicing.serializers.charges import SubscriptionChangeOut
from subscriptions.serializers.discounts import DiscountOut


class SubscriptionDiscountOut(SubscriptionChangeOut):
    """What a discount of a subscription, or its end, comes to."""

    until = DayField(allow_null=True, help_text="The first day on which no item has it.")
    discount = DiscountOut()
