"""Django's registration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubscriptionsConfig(AppConfig):
    """Registers ``subscriptions``."""

    name = "subscriptions"
    verbose_name = _("Subscriptions")
