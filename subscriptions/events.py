"""What may happen to prices and subscriptions."""

from django.utils.translation import gettext_lazy as _

from tenancy.events import Declared, Kind, Maybe, declare

declare(
    Declared(
        "product.created",
        "product",
        _("The catalogue got a product."),
        {"external_id": Maybe(Kind.TEXT), "name": Kind.TEXT},
        short=_("Product added"),
    ),
    Declared(
        "price.created",
        "price",
        _("A product got a price."),
        {"external_id": Maybe(Kind.TEXT)},
        short=_("Price added"),
    ),
    Declared(
        "product.updated",
        "product",
        _("A product is called something else."),
        {"external_id": Maybe(Kind.TEXT), "name": Kind.TEXT, "changed": Kind.NAMES},
        short=_("Product changed"),
    ),
    Declared(
        "product.archived",
        "product",
        _("A product is not sold any more; what runs goes on."),
        {"external_id": Maybe(Kind.TEXT), "name": Kind.TEXT},
        short=_("Archived"),
    ),
    Declared(
        "product.reopened",
        "product",
        _("An archived product is sold again."),
        {"external_id": Maybe(Kind.TEXT), "name": Kind.TEXT},
        short=_("Sold again"),
    ),
    Declared(
        "price.updated",
        "price",
        _("A price is called something else, or has other terms before anybody had it."),
        {"external_id": Maybe(Kind.TEXT), "changed": Kind.NAMES},
        short=_("Price changed"),
    ),
    Declared(
        "price.archived",
        "price",
        _("Nothing new is sold at a price; what runs goes on."),
        {"external_id": Maybe(Kind.TEXT), "name": Kind.TEXT},
        short=_("Archived"),
    ),
    Declared(
        "price.reopened",
        "price",
        _("An archived price is sold at again."),
        {"external_id": Maybe(Kind.TEXT), "name": Kind.TEXT},
        short=_("Sold again"),
    ),
    Declared(
        "subscription.created",
        "subscription",
        _("An account subscribed to something."),
        {"external_id": Maybe(Kind.TEXT), "start": Kind.DAY},
        short=_("Subscription begun"),
    ),
    Declared(
        "subscription.changed",
        "subscription",
        _("A subscription costs something else from a day on."),
        {"external_id": Maybe(Kind.TEXT), "since": Kind.DAY},
        short=_("Price or quantity changed"),
    ),
    Declared(
        "subscription.cancelled",
        "subscription",
        _("A subscription got an end."),
        {"external_id": Maybe(Kind.TEXT), "end": Kind.DAY},
        short=_("End set"),
    ),
    Declared(
        "subscription.reactivated",
        "subscription",
        _("The end of a subscription was taken back before it came."),
        {"external_id": Maybe(Kind.TEXT)},
        short=_("End taken back"),
    ),
    Declared(
        "subscription.aligned",
        "subscription",
        _("The periods of a subscription begin on another day once the one that runs has ended."),
        {"external_id": Maybe(Kind.TEXT), "since": Kind.DAY, "renews": Kind.DAY},
        short=_("Renewal aligned"),
    ),
    Declared(
        "subscription.paused",
        "subscription",
        _("Nothing is charged for a subscription from a day on, for a while."),
        {"external_id": Maybe(Kind.TEXT), "since": Kind.DAY, "until": Maybe(Kind.DAY)},
        short=_("Paused"),
    ),
    Declared(
        "subscription.resumed",
        "subscription",
        _("A subscription that was paused goes on from a day on."),
        {"external_id": Maybe(Kind.TEXT), "since": Kind.DAY},
        short=_("Resumed"),
    ),
    Declared(
        "subscription.readdressed",
        "subscription",
        _("A subscription is invoiced to another account from a day on."),
        {"external_id": Maybe(Kind.TEXT), "bill_to": Maybe(Kind.ID), "since": Kind.DAY},
        short=_("Recipient changed"),
    ),
    Declared(
        "subscription.handed_over",
        "subscription",
        _("A subscription belongs to another account from a day on."),
        {"external_id": Maybe(Kind.TEXT), "account": Kind.ID, "since": Kind.DAY},
        short=_("Belongs to another account"),
    ),
)
