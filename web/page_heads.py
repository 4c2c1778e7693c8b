"""What pages say at their head and beside it: where they lie, what else there is, plain facts."""

from dataclasses import dataclass

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of a breadcrumb; the last has no address."""

    label: str
    url: str = ""


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
