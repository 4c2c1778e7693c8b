"""A duplicate that goes up in another account: what points to it, and what stands against it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import tree
from accounts.models import Account, SettingInterval
from accounts.queries.dated import holding_on
from invoicing.models import ChangePlan
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import REFERENCES, Wanted
from subscriptions.models import Subscription
from subscriptions.queries.owners import still_billed
from tenancy.actor import Actor
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.formats import date_text
from tenancy.ids import public_id

MOST_CHILDREN: Final = 200
MOST_SUBSCRIPTIONS: Final = 1_000
MOST_POINTING: Final = 200
"""So many accounts that are invoiced to it or paid for by it follow in one transaction."""


class MergeWithItself(Invalid):
    """There is nothing to merge."""

    code = "same_account"
    message = gettext_lazy("An account cannot be merged into itself. Choose the one to keep.")


class MergeBelow(Conflict):
    """The kept account stands below the duplicate."""

    code = "kept_account_below"
    message = gettext_lazy(
        "%(into)s stands below %(account)s. Move it out of there first, or merge it into"
        " %(account)s."
    )


class AccountMerged(Conflict):
    """It went up in another one."""

    code = "account_merged"
    message = gettext_lazy("%(account)s was merged into %(into)s already.")


class CannotMerge(Conflict):
    """Something stands against it; ``errors`` list it."""

    code = "cannot_merge"
    message = gettext_lazy("%(account)s cannot be merged into %(into)s. Nothing was changed.")


def require_two(actor: Actor, wanted: Wanted) -> None:
    """Return if a merge is about two accounts of which neither is gone. At most four statements.

    Raises:
        NotFound, MergeWithItself, AccountMerged, MergeBelow: see their texts.
    """
    if wanted.kind != ChangePlan.Kind.MERGE:
        return
    if wanted.target_id == wanted.account_id:
        raise MergeWithItself
    if wanted.target_id is None:
        raise NotFound
    both = [wanted.account_id, wanted.target_id]
    found = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=both).select_related(
        "merged_into"
    )
    accounts = {account.pk: account for account in found}
    if len(accounts) < len(both):
        raise NotFound
    for account in accounts.values():
        if account.merged_into is not None:
            raise AccountMerged(account=account.name, into=account.merged_into.name)
    if wanted.account_id in tree.path_ids(actor.tenant_id, wanted.target_id):
        raise MergeBelow(
            account=accounts[wanted.account_id].name, into=accounts[wanted.target_id].name
        )


def redirected(actor: Actor, wanted: Wanted) -> Wanted:
    """Return a merge that takes along whatever points to the duplicate. Two statements.

    Whoever it is invoiced for or pays for has the kept account instead, and itself it inherits.
    """
    subject, into = wanted.account_id, wanted.target_id
    if wanted.kind != ChangePlan.Kind.MERGE or into is None:
        return wanted
    settings: dict[UUID, dict[str, Any]] = {k: dict(v) for k, v in wanted.settings.items()}
    rows = SettingInterval.objects.filter(
        holding_on(actor, wanted.day),
        Q(target_id=subject) | Q(account_id=subject),
        name__in=REFERENCES,
        account__isnull=False,
    ).order_by("account_id", "name")
    for account_id, name in rows.values_list("account_id", "name"):
        values = settings.setdefault(account_id, {})
        values[name] = None if account_id == subject else into
    overrides = dict(wanted.overrides)
    named = Subscription.objects.filter(
        still_billed(actor, wanted.day), tenant_id=actor.tenant_id, override_bill_to_id=subject
    )
    overrides |= dict.fromkeys(named.order_by("id").values_list("pk", flat=True), into)
    return replace(wanted, settings=settings, overrides=overrides)


def require_mergeable(standing: Standing) -> None:
    """Return if nothing stands against a merge. At most eleven statements.

    Raises:
        CannotMerge: see its text.
    """
    wanted = standing.wanted
    carried = standing.carried
    if carried is None or wanted.target_id is None:
        return
    duplicate, kept = standing.accounts[wanted.account_id], standing.accounts[wanted.target_id]
    errors = [*_open_plans(standing), *_later(standing), *_too_many(standing), *carried.faults()]
    if errors:
        raise CannotMerge(account=duplicate.name, into=kept.name, errors=errors)


def _open_plans(standing: Standing) -> Iterator[FieldError]:
    """Yield every other change that is planned and names the duplicate."""
    subject = standing.wanted.account_id
    named = Q(account_id=subject) | Q(receiver_id=subject)
    named |= Q(parameters__icontains=public_id("acc", subject))
    plans = ChangePlan.objects.filter(
        named, tenant_id=standing.actor.tenant_id, status__in=ChangePlan.OPEN
    ).exclude(kind=ChangePlan.Kind.MERGE, account_id=subject, effective_date=standing.wanted.day)
    sentence = _("A change of %(account)s is planned for %(day)s. Withdraw it first.")
    for plan in plans.select_related("account").order_by("effective_date", "id")[:20]:
        values = {"account": plan.account.name, "day": date_text(plan.effective_date)}
        yield FieldError("open_plan", sentence % values, plan.public_id)


def _later(standing: Standing) -> Iterator[FieldError]:
    """Yield whoever is to be invoiced to it or paid for by it from a later day on."""
    wanted = standing.wanted
    rows = SettingInterval.objects.filter(
        tenant_id=standing.actor.tenant_id,
        target_id=wanted.account_id,
        name__in=REFERENCES,
        valid_from__gt=wanted.day,
    ).exclude(account_id=wanted.account_id)
    sentence = _("A setting of %(account)s is to name it from %(day)s on. Take that back first.")
    for row in rows.select_related("account").order_by("valid_from", "id")[:20]:
        values = {
            "account": row.account.name if row.account else "",
            "day": date_text(row.valid_from),
        }
        yield FieldError("setting_later", sentence % values)


def _too_many(standing: Standing) -> Iterator[FieldError]:
    wanted, actor = standing.wanted, standing.actor
    children = sum(1 for up in standing.parents.values() if up == wanted.account_id)
    if children > MOST_CHILDREN:
        sentence = _("%(count)s accounts stand directly below it; at most %(most)s can follow.")
        yield _beyond("too_many_children", sentence, children, MOST_CHILDREN)
    sold = Subscription.objects.filter(
        still_billed(actor, wanted.day), tenant_id=actor.tenant_id, account_id=wanted.account_id
    ).count()
    if sold > MOST_SUBSCRIPTIONS:
        sentence = _("It has %(count)s subscriptions; at most %(most)s can follow.")
        yield _beyond("too_many_subscriptions", sentence, sold, MOST_SUBSCRIPTIONS)
    pointing = len(wanted.settings) + len(wanted.overrides)
    if _is_too_deep(standing):
        sentence = _("A tree has at most %(limit)s levels.") % {"limit": tree.MAX_DEPTH}
        yield FieldError("tree_too_deep", sentence)
    if pointing > MOST_POINTING:
        sentence = _("%(count)s others are invoiced to it or paid by it; at most %(most)s follow.")
        yield _beyond("too_many_pointing", sentence, pointing, MOST_POINTING)


def _is_too_deep(standing: Standing) -> bool:
    """Return whether the duplicate has no room below the kept account with all that it has.

    Before its children are put beside it, they stand one level lower than they will.
    """
    into = standing.wanted.target_id
    if into is None or standing.parents[standing.wanted.account_id] == into:
        return False
    depths = {standing.wanted.account_id: 1}
    for key, up in standing.members:
        if up in depths and key not in depths:
            depths[key] = depths[up] + 1
    return len(standing.path(into)) + max(depths.values()) > tree.MAX_DEPTH


def _beyond(code: str, sentence: str, count: int, most: int) -> FieldError:
    return FieldError(code, sentence % {"count": count, "most": most})
