"""App configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class TenancyConfig(AppConfig):
    """The ground of the product."""

    name = "tenancy"
    verbose_name = _("Tenants")

    def ready(self) -> None:
        """Let each app declare what may happen in it."""
        autodiscover_modules("events")
