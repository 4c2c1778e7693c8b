"""Changing the settings of an account, at once or on a later day."""

from accounts.operations.account_settings.changing import (
    WantedSettings,
    cancel_planned_setting,
    change_settings,
)
from accounts.operations.account_settings.defaults import cancel_planned_default, change_defaults

__all__ = [
    "WantedSettings",
    "cancel_planned_default",
    "cancel_planned_setting",
    "change_defaults",
    "change_settings",
]
