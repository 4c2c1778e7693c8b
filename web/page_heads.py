"""What pages say at their head and beside it: where they lie, what else there is, plain facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

_MOST_STEPS: Final = 8
_FIRST: Final = 2
_LAST: Final = 4


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of a breadcrumb; the last has no address, and one may hold ``folded`` steps."""

    label: str
    url: str = ""
    folded: tuple["Crumb", ...] = ()


def folded(steps: Sequence[Crumb]) -> list[Crumb]:
    """Return a breadcrumb of which the middle is folded into one step where it is long."""
    if len(steps) <= _MOST_STEPS:
        return list(steps)
    inner = tuple(steps[_FIRST:-_LAST])
    label = _("%(count)s levels between") % {"count": len(inner)}
    return [*steps[:_FIRST], Crumb(label, folded=inner), *steps[-_LAST:]]


@dataclass(frozen=True, slots=True)
class Tab:
    """One of a few views: how many rows it has, and below it what they add up to."""

    label: str
    url: str
    is_current: bool
    count: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, what it says, and where that leads."""

    label: str
    value: str | SafeString
    url: str = ""
