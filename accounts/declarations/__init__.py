"""What can be said of an account: its particulars and its settings, each declared once.

Files, API, pages, defaults, checks and documents read the declarations; see docs/settings.md.
"""

from accounts.declarations.particulars import PARTICULARS, Particular
from accounts.declarations.setting_terms import (
    ChangedBy,
    OfTenant,
    ReadAt,
    Setting,
    SettingGroup,
)
from accounts.declarations.settings import SETTINGS, SettingName
from accounts.declarations.values import ValueKind, ValueRefused

__all__ = [
    "PARTICULARS",
    "SETTINGS",
    "ChangedBy",
    "OfTenant",
    "Particular",
    "ReadAt",
    "Setting",
    "SettingGroup",
    "SettingName",
    "ValueKind",
    "ValueRefused",
]
