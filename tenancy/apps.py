"""App configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class TenancyConfig(AppConfig):
    """The ground of the product."""

    name = "tenancy"
    verbose_name = _("Tenants")

    def ready(self) -> None:
        """Let each app declare what may happen in it, and ids be read quickly."""
        from tenancy.database.identifiers import read_ids_quickly  # noqa: PLC0415 - needs the apps

        autodiscover_modules("events")
        read_ids_quickly()
