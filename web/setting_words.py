"""Values of settings in words, as pages write them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.declarations import SETTINGS, SettingName
from accounts.declarations.values import Choice, Emails, YesNo


def value_text(name: str, value: Any, target_name: str = "") -> str:
    """Return the value of a setting in words; empty where nothing is set."""
    if target_name:
        return target_name
    if value is None or value == "":
        return ""
    write, kind = _WRITERS.get(name), SETTINGS[name].kind
    if write is not None:
        return write(value)
    if kind.id_prefix:
        return str(kind.unnamed)
    match kind:
        case Choice():
            return str(kind.words.get(value, value))
        case YesNo():
            return _("Yes") if value else _("No")
        case Emails():
            return ", ".join(value)
    return str(value)


def _terms(days: int) -> str:
    if not days:
        return _("Due at once")
    return ngettext("%(days)s day net", "%(days)s days net", days) % {"days": days}


def _days(days: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def _billing_day(day: int) -> str:
    if not day:
        return _("Each subscription its own")
    return _("Day %(day)s of the month") % {"day": day}


def _minimum_term(months: int) -> str:
    return _months(months) if months else _("None: may end on any day")


def _renewal(months: int) -> str:
    return _("By %(length)s each") % {"length": _months(months)} if months else _("None: ends")


def _months(months: int) -> str:
    return ngettext("%(count)s month", "%(count)s months", months) % {"count": months}


_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    SettingName.PAYMENT_TERMS_DAYS: _terms,
    SettingName.BILLING_DAY: _billing_day,
    SettingName.PRORATION_CUTOFF_DAYS: _days,
    SettingName.USAGE_GRACE_DAYS: _days,
    SettingName.MINIMUM_TERM_MONTHS: _minimum_term,
    SettingName.RENEWAL_MONTHS: _renewal,
    SettingName.NOTICE_MONTHS: _months,
    SettingName.NOTICE_DAYS: _days,
}
