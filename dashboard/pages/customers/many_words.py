"""What becomes of accounts that are changed together, in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.operations.accounts.editing_many import ARCHIVED, LOCKED, TOO_MANY_TAGS, Outcome
from web.accounts import account_url
from web.setting_words import value_text
from web.templatetags.figures import quantity

SHOWN: Final = 10
WHY: Final[Mapping[str, Promise]] = {
    ARCHIVED: gettext_lazy("It is archived."),
    TOO_MANY_TAGS: gettext_lazy("It would have more than 20 tags."),
    LOCKED: gettext_lazy("The setting is locked above it."),
}


@dataclass(frozen=True, slots=True)
class Named:
    """An account and where it leads."""

    name: str
    url: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Accounts that stay as they are for one reason: the first by name, how many more."""

    why: str
    accounts: list[Named]
    more: int


def by_reason(refused: Iterable[Outcome]) -> list[Refused]:
    """Return accounts that must not change, by why, the most frequent reason first."""
    counts = Counter(one.refusal for one in refused)
    found = []
    for code, count in counts.most_common():
        first = [one.account for one in refused if one.refusal == code][:SHOWN]
        named = [Named(one.name, account_url(one.pk)) for one in first]
        found.append(Refused(str(WHY[code]), named, count - len(named)))
    return found


def shown_change(outcome: Outcome) -> Named:
    """Return what changes of an account."""
    account, (before, after) = outcome.account, outcome.said()
    return Named(account.name, account_url(account.pk), _values_text(before), _values_text(after))


def said_change(said: Mapping[str, Any]) -> Named:
    """Return what changes of an account, as a job has noted it."""
    url = account_url(UUID(said["id"]))
    return Named(said["name"], url, _values_text(said["before"]), _values_text(said["after"]))


def _values_text(values: Mapping[str, Any]) -> str:
    """Return tags and settings as one line, the tags first."""
    words = []
    if "tags" in values:
        words.append(", ".join(values["tags"]) or _("no tags"))
    settings = (one for one in values.items() if one[0] != "tags")
    words += [value_text(name, value) or _("inherited") for name, value in settings]
    return " · ".join(words)


def done_text(count: int) -> str:
    """Return what was done."""
    if not count:
        return _("Nothing had to change: everything is so already.")
    text = ngettext("%(count)s account is changed.", "%(count)s accounts are changed.", count)
    return text % {"count": quantity(count)}


def apply_label(count: int) -> str:
    """Return what the button says."""
    text = ngettext("Change %(count)s account", "Change %(count)s accounts", count)
    return text % {"count": quantity(count)}
