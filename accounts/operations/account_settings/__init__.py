"""Changing the settings of an account, at once or on a later day."""

from accounts.operations.account_settings.changing import (
    WantedSettings,
    cancel_planned_setting,
    change_settings,
)

__all__ = ["WantedSettings", "cancel_planned_setting", "change_settings"]
