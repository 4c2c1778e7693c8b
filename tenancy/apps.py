"""App configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TenancyConfig(AppConfig):
    """The ground of the product."""

    name = "tenancy"

    def ready(self) -> None:
        """Let each app declare what may happen in it."""
        autodiscover_modules("events")
