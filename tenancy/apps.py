"""App configuration."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """The ground of the product."""

    name = "tenancy"
