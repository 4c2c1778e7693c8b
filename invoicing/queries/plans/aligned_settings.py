"""Which accounts an alignment is about, and the settings that make it."""

from collections import defaultdict
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import SettingInterval, SettingName
from accounts.queries.dated import holding_on
from invoicing.engine.aligning import Method
from invoicing.queries.plans.standing import Standing, one_of
from invoicing.queries.plans.wanted import Alignment
from tenancy.errors import FieldError, Invalid

MOST_EXCEPTIONS: Final = 2_000
"""So many settings keep accounts from following, or follow, in one transaction."""
TIMING: Final = (SettingName.BILLING_DAY, SettingName.BILLING_MONTH)


class InvalidAlignment(Invalid):
    """Nothing can be aligned so; ``errors`` say why."""

    code = "invalid_alignment"
    message = gettext_lazy("Subscriptions cannot be aligned like this.")


class AlignmentTooLarge(Invalid):
    """More than is done in one go."""

    code = "alignment_too_large"
    message = gettext_lazy(
        "This concerns %(count)s subscriptions or accounts with days of their own; at most"
        " %(most)s can be aligned at once. Align parts of the tree one by one."
    )


def with_settings(standing: Standing) -> Standing:
    """Return an alignment with the settings that make it; other plans as they are. One statement.

    The account sets the day. Those below that set one themselves inherit again; those that are
    to stay as they are set what they have.

    Raises:
        InvalidAlignment, AlignmentTooLarge: see their texts.
    """
    wanted = standing.wanted
    alignment = wanted.alignment
    if alignment is None or alignment.is_back:
        return standing
    _require_possible(standing, alignment)
    make = _paid_settings if alignment.is_for_payer else _settings
    settings = make(standing, alignment)
    if len(settings) > MOST_EXCEPTIONS:
        raise AlignmentTooLarge(count=len(settings), most=MOST_EXCEPTIONS)
    return replace(standing, wanted=replace(wanted, settings=settings))


def _require_possible(standing: Standing, alignment: Alignment) -> None:
    errors = []
    if not 1 <= alignment.billing_day <= 31:
        errors.append(FieldError("out_of_range", _("1 to 31 is expected."), "/billing_day"))
    if alignment.billing_month is not None and not 1 <= alignment.billing_month <= 12:
        errors.append(FieldError("out_of_range", _("1 to 12 is expected."), "/billing_month"))
    if alignment.method not in set(Method):
        errors.append(FieldError("unknown_method", _("There is no such method."), "/method"))
    if not standing.scope:
        detail = _("This account pays for no account's invoices.")
        errors.append(FieldError("nothing_paid", detail, "/scope"))
    below = {*standing.scope}
    if not alignment.is_for_payer:
        below -= {standing.wanted.account_id}
    for place, key in enumerate(alignment.excluded):
        if key not in below:
            detail = (
                _("The payer does not pay for this account.")
                if alignment.is_for_payer
                else _("This account does not stand below the one that is aligned.")
            )
            errors.append(FieldError("not_below", detail, f"/except/{place}"))
    if errors:
        raise InvalidAlignment(errors=errors)


def _settings(standing: Standing, alignment: Alignment) -> dict[UUID, dict[str, Any]]:
    subject, before = standing.wanted.account_id, standing.before
    own = _own_timing(standing)
    above = standing.parents[subject]
    inherited = None if above is None else before.value(above, SettingName.BILLING_MONTH)
    day: dict[str, Any] = {
        SettingName.BILLING_DAY: alignment.billing_day,
        SettingName.BILLING_MONTH: alignment.billing_month or (0 if inherited else None),
    }
    found: dict[UUID, dict[str, Any]] = {subject: day}
    tops = _excluded_tops(standing, alignment)
    for key in reached(standing, alignment):
        if key != subject and own.get(key):
            found[key] = dict.fromkeys(own[key])
    for key in tops:
        pins: dict[str, Any] = {
            name: before.value(key, name) or 0
            for name in TIMING
            if name not in own.get(key, ()) and before.value(key, name) != (day[name] or None)
        }
        if pins:
            found[key] = pins
    return found


def _own_timing(standing: Standing) -> dict[UUID, list[str]]:
    rows = SettingInterval.objects.filter(
        holding_on(standing.actor, standing.wanted.day),
        account_id__in=one_of(key for key, _up in standing.members),
        name__in=TIMING,
    ).order_by("account_id", "name")
    found: dict[UUID, list[str]] = defaultdict(list)
    for account_id, name in rows.values_list("account_id", "name"):
        if account_id is not None:
            found[account_id].append(name)
    return found


def _excluded_tops(standing: Standing, alignment: Alignment) -> list[UUID]:
    """Return the accounts that keep what they have, with all below."""
    if alignment.include_subtree:
        return list(alignment.excluded)
    subject = standing.wanted.account_id
    return [key for key in standing.scope if standing.parents[key] == subject]


def reached(standing: Standing, alignment: Alignment) -> list[UUID]:
    """Return the accounts whose subscriptions follow, in the order of the tree."""
    if alignment.is_for_payer:
        return _paid_and_not_left_out(standing, alignment)
    if not alignment.include_subtree:
        return [standing.wanted.account_id]
    out = {*alignment.excluded}
    found = []
    for key in standing.scope:
        if standing.parents[key] in out:
            out.add(key)
        if key not in out:
            found.append(key)
    return found


def _paid_and_not_left_out(standing: Standing, alignment: Alignment) -> list[UUID]:
    out = {*alignment.excluded}
    for key, up in standing.members:
        if up in out:
            out.add(key)
    return [key for key in standing.scope if key not in out]


def _paid_settings(standing: Standing, alignment: Alignment) -> dict[UUID, dict[str, Any]]:
    """Return the settings that let just those follow who are paid for, wherever they stand.

    The first on each way down sets the day, those below inherit it, and who is not paid for there
    keeps what it has.
    """
    before, own, follow = standing.before, _own_timing(standing), {*reached(standing, alignment)}
    new = {
        SettingName.BILLING_DAY: alignment.billing_day,
        SettingName.BILLING_MONTH: alignment.billing_month,
    }
    after: dict[UUID, dict[str, int | None]] = {}
    found: dict[UUID, dict[str, Any]] = {}
    for key, up in standing.members:
        values: dict[str, int | None] = {}
        for name in TIMING:
            had, sets = before.value(key, name), name in own.get(key, ())
            values[name] = new[name] if key in follow else had
            inherited = after[up][name] if up is not None else None if sets else had
            change: Any = _KEEP
            if key in follow and up in follow:
                change = None if sets else _KEEP
            elif key in follow and (sets or inherited != new[name]):
                change = new[name] or (0 if inherited else None)
            elif key not in follow and not sets and inherited != had:
                change = had or 0
            if change is not _KEEP:
                found.setdefault(key, {})[name] = change
        after[key] = values
    return found


_KEEP: Final = object()
