"""What may happen to prices and subscriptions."""

from django.utils.translation import gettext_lazy as _

from tenancy.events import Declared, Kind, declare

declare(
    Declared(
        "price.created",
        "price",
        _("A product got a price."),
        {"external_id": Kind.TEXT},
    ),
    Declared(
        "subscription.created",
        "subscription",
        _("An account subscribed to something."),
        {"external_id": Kind.TEXT, "start": Kind.DAY},
    ),
)
