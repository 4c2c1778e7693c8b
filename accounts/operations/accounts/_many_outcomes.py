"""What one change would do to each of many accounts, found in a handful of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from accounts import tree
from accounts.declarations.limits import MOST_TAGS
from accounts.models import Account, AccountTag, SettingInterval
from accounts.operations.account_settings.changing import (
    WantedSettings,
    plain,
    wanted_changes,
)
from accounts.operations.accounts._keepers import Below, below_changed
from accounts.operations.settings import Change, stored_intervals
from accounts.queries.dated import holding_on
from accounts.versions import version_of
from tenancy.actor import Actor

ADD, REMOVE, REPLACE = "add", "remove", "replace"
ARCHIVED, LOCKED, TOO_MANY_TAGS = "account_archived", "setting_locked", "invalid_tags"


@dataclass(frozen=True, slots=True)
class WantedOfMany:
    """What is to hold of many accounts.

    Attributes:
        day: since when the settings hold; tags change at once.
        tags_way: ``add``, ``remove`` or ``replace``; empty leaves the tags alone.
        tags: the words that are added, taken away, or all that are left.
        settings: by their names, None to inherit; plain values and sellers only, for who is
            invoiced and who pays is planned.
    """

    day: date
    tags_way: str = ""
    tags: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one account: what changes, or why nothing of it may."""

    account: Account
    old_tags: Sequence[str]
    tags: Sequence[str]
    changes: Sequence[Change]
    refusal: str = ""
    by: str = ""

    @property
    def has_other_tags(self) -> bool:
        """Whether its tags change."""
        return list(self.tags) != list(self.old_tags)

    @property
    def is_change(self) -> bool:
        """Whether anything changes."""
        return not self.refusal and bool(self.has_other_tags or self.changes)

    def said(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what holds and what then holds, for the audit trail."""
        before = {one.name: plain(one.name, one.old) for one in self.changes}
        after = {one.name: plain(one.name, one.new) for one in self.changes}
        if self.has_other_tags:
            before["tags"], after["tags"] = list(self.old_tags), list(self.tags)
        return before, after


@dataclass(frozen=True, slots=True)
class ManyReport:
    """What becomes of all of them, by name, and of those below them."""

    outcomes: Sequence[Outcome]
    below: Below

    @property
    def changing(self) -> list[Outcome]:
        """Those of which something changes."""
        return [one for one in self.outcomes if one.is_change]

    @property
    def refused(self) -> list[Outcome]:
        """Those that stay as they are because they have to."""
        return [one for one in self.outcomes if one.refusal]

    @property
    def digest(self) -> str:
        """A text that differs as soon as anything else would become of any of them."""
        said = {
            str(one.account.pk): [one.refusal, *one.said()]
            for one in self.outcomes
            if one.refusal or one.is_change
        }
        return version_of(said)


def look_at(
    actor: Actor,
    accounts: Sequence[Account],
    wanted: WantedOfMany,
    *,
    for_update: bool = False,
    is_piece: bool = False,
) -> ManyReport:
    """Return what would become of accounts. At most nine statements, however many they are.

    Of a piece of more accounts it is not looked for what stands below it.
    """
    ids = [account.pk for account in accounts]
    tags = _tags(actor, ids) if wanted.tags_way else {}
    places = [(key, name) for key in ids for name in wanted.settings]
    stored = stored_intervals(actor, places, for_update=for_update) if places else {}
    paths = tree.paths(actor.tenant_id, ids) if wanted.settings else {}
    locks = _locks(actor, wanted)
    outcomes = []
    for account in accounts:
        old = tags.get(account.pk, [])
        new = _wanted_tags(old, wanted)
        settings = WantedSettings(wanted.settings, wanted.day)
        changes = wanted_changes(actor, account.pk, wanted.settings, settings, stored)
        refusal, by = "", ""
        if account.status == Account.Status.ARCHIVED:
            refusal = ARCHIVED
        elif len(new) > MOST_TAGS:
            refusal = TOO_MANY_TAGS
        elif changes and locks:
            by = next((locks[key] for key in _above(paths, account.pk) if key in locks), "")
            refusal = LOCKED if by else ""
        outcomes.append(Outcome(account, old, new, changes, refusal, by))
    names = () if is_piece else wanted.settings
    refused = [one.account.pk for one in outcomes if one.refusal]
    below = below_changed(actor, ids, names, wanted.day, refused=refused)
    return ManyReport(outcomes, below)


def _above(paths: Mapping[UUID, Sequence[UUID]], account_id: UUID) -> Iterable[UUID | None]:
    """Yield what may lock a setting of an account: the company, and the accounts above it."""
    return (None, *paths.get(account_id, ())[:-1])


def _tags(actor: Actor, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    rows = AccountTag.objects.filter(tenant_id=actor.tenant_id, account_id__in=ids).order_by("id")
    for account_id, name in rows.values_list("account_id", "name"):
        found.setdefault(account_id, []).append(name)
    return {key: sorted(names, key=str.casefold) for key, names in found.items()}


def _wanted_tags(old: Sequence[str], wanted: WantedOfMany) -> list[str]:
    """Return the tags of an account then; one that is there already keeps its capitals."""
    if not wanted.tags_way:
        return [*old]
    named = {name.casefold(): name for name in wanted.tags}
    held = {name.casefold(): name for name in old}
    match wanted.tags_way:
        case "add":
            found = {**named, **held}
        case "remove":
            found = {key: name for key, name in held.items() if key not in named}
        case _:
            found = {key: held.get(key, name) for key, name in named.items()}
    return sorted(found.values(), key=str.casefold)


def _locks(actor: Actor, wanted: WantedOfMany) -> dict[UUID | None, str]:
    """Return who keeps those below from setting one of the values, by name; the company is None."""
    set_here = [name for name, value in wanted.settings.items() if value is not None]
    if not set_here:
        return {}
    rows = SettingInterval.objects.filter(
        holding_on(actor, wanted.day), name__in=set_here, is_locked=True
    ).order_by("id")
    return {
        key: name or actor.label for key, name in rows.values_list("account_id", "account__name")
    }
