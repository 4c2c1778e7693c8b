"""Changing many accounts at once: tags, cost centre and one billing setting."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AccountTag
from accounts.operations.accounts._many_outcomes import (
    ARCHIVED,
    LOCKED,
    TOO_MANY_TAGS,
    ManyReport,
    Outcome,
    WantedOfMany,
    look_at,
)
from accounts.operations.accounts._many_wanted import NothingWanted, checked_wanted
from accounts.operations.accounts._storing import write_tags
from accounts.operations.settings import write_changes
from accounts.versions import ChangedMeanwhile
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation
from tenancy.errors import Invalid, NotFound
from tenancy.events import Happening, record_events

__all__ = [
    "ARCHIVED",
    "LOCKED",
    "MOST_AT_ONCE",
    "TOO_MANY_TAGS",
    "ManyReport",
    "NothingWanted",
    "Outcome",
    "TooManyToEdit",
    "WantedOfMany",
    "edit_many",
]

MOST_AT_ONCE: Final = 2_000


class TooManyToEdit(Invalid):
    """More accounts than are changed in one transaction."""

    code = "too_many_accounts"
    message = _("At most %(most)s accounts are changed at once.")


@operation
@collecting_afterwards()
def edit_many(
    actor: Actor,
    account_ids: Iterable[UUID],
    wanted: WantedOfMany,
    *,
    seen: str = "",
    today: date,
    is_dry_run: bool = False,
    is_piece: bool = False,
    now: datetime,
) -> ManyReport:
    """Change many accounts in one transaction; those that must not change stay and are named.

    Nobody is kept from moving meanwhile: what is read of the tree are locks of settings, and a
    move below a lock lets an account keep its own value as well.

    Args:
        actor: who changes them, allowed to do so everywhere.
        account_ids: which; each once.
        wanted: see there.
        seen: the digest of the report that was shown; empty changes them whatever was shown.
        today: the tenant's day.
        is_dry_run: say what would become of them, store nothing.
        is_piece: there are more of them; who keeps a value below is not looked for.
        now: for the audit trail.

    Raises:
        NotFound, Forbidden: an account is not there, or they are not the actor's to change.
        NothingWanted, TooManyToEdit, InvalidAccount, InvalidSettings, EffectiveDatePassed,
        NotSchedulable: see their texts.
        ChangedMeanwhile: something else would become of them than was shown; nothing did.
    """
    wanted = checked_wanted(actor, wanted, today)
    accounts = _accounts(actor, account_ids, for_update=not is_dry_run)
    report = look_at(actor, accounts, wanted, for_update=not is_dry_run, is_piece=is_piece)
    changing = report.changing
    # Who presses the button twice finds everything done already.
    if is_dry_run or not changing:
        return report
    if seen and seen != report.digest:
        raise ChangedMeanwhile
    _write(actor, changing, wanted, now)
    return report


def _accounts(actor: Actor, account_ids: Iterable[UUID], *, for_update: bool) -> list[Account]:
    """Return all accounts that are named, by name; locked in the order of their keys."""
    ids = {*account_ids}
    if len(ids) > MOST_AT_ONCE:
        raise TooManyToEdit(most=MOST_AT_ONCE)
    found = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=ids).order_by("pk")
    if for_update:
        found = found.select_for_update(no_key=True)
    accounts = list(found)
    if not ids or len(accounts) < len(ids):
        raise NotFound
    return sorted(accounts, key=lambda one: (one.sort_key, one.pk))


def _write(actor: Actor, changing: Sequence[Outcome], wanted: WantedOfMany, now: datetime) -> None:
    retagged = {one.account.pk: one.tags for one in changing if one.has_other_tags}
    tags = AccountTag.objects.filter(tenant_id=actor.tenant_id, account_id__in=[*retagged])
    tags.delete()
    write_tags(actor, retagged)
    accounts = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=[*retagged])
    accounts.update(version=F("version") + 1)
    write_changes(actor, [one for each in changing for one in each.changes], today=wanted.day)
    record_events(actor, [one for each in changing for one in _said(each, wanted.day)], now=now)


def _said(outcome: Outcome, day: date) -> Iterable[Happening]:
    """Yield what happened to one account: other tags, other settings."""
    account, (before, after) = outcome.account, outcome.said()
    external_id = account.external_id or ""
    if "tags" in after:
        yield Happening(
            "account.updated",
            account.pk,
            account.pk,
            before={"tags": before.pop("tags")},
            after={"tags": after.pop("tags")},
            data={"external_id": external_id, "changed": ["tags"]},
        )
    if after:
        since = day.isoformat()
        yield Happening(
            "account.settings_changed",
            account.pk,
            account.pk,
            before=before,
            after={**after, "effective_date": since},
            data={
                "external_id": external_id,
                "changed": sorted(after),
                "effective_date": since,
            },
        )
