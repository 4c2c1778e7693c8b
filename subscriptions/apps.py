"""Django's registration of the app."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """Registers ``subscriptions``."""

    name = "subscriptions"
