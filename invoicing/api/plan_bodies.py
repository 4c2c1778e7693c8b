"""Reading what integrators want of a change plan, as values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access import Action
from accounts.api.references import referred
from accounts.models import SettingName
from accounts.queries.accounts import resolve_reference
from invoicing.models import ChangePlan
from invoicing.queries.plans.wanted import REFERENCES, STAY, Alignment, Wanted
from subscriptions.queries.subscriptions import get_subscription
from tenancy.actor import Actor
from tenancy.api.reading import InvalidBody, pointer
from tenancy.errors import FieldError, NotFound
from tenancy.ids import parse_public_id

_NAMES: Final = (*REFERENCES, SettingName.CONSOLIDATION)
_CONSOLIDATIONS: Final = ("one_invoice", "per_account")
_TARGETS: Final[dict[str, str]] = {
    ChangePlan.Kind.MOVE: "parent",
    ChangePlan.Kind.PAYER: "payer",
    ChangePlan.Kind.BILL_TO: "bill_to",
    ChangePlan.Kind.CONSOLIDATION: "consolidation",
    ChangePlan.Kind.CLOSING: "children_to",
    ChangePlan.Kind.SUBSCRIPTION: "bill_to",
    ChangePlan.Kind.MERGE: "into",
}

_SUBJECTS: Final[dict[str, str]] = {ChangePlan.Kind.SUBSCRIPTION: "subscription"}


@dataclass
class _Answers:
    settings: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    overrides: dict[UUID, UUID | None] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)


def wanted_move(actor: Actor, account_id: UUID, values: Mapping[str, Any]) -> Wanted:
    """Return what the body of a move wants.

    Raises:
        InvalidBody: it names something that is not there.
    """
    return _wanted(actor, ChangePlan.Kind.MOVE, account_id, values)


def wanted_merge(actor: Actor, account_id: UUID, values: Mapping[str, Any]) -> Wanted:
    """Return what the body of a merge wants.

    Raises:
        InvalidBody: it names something that is not there.
    """
    return _wanted(actor, ChangePlan.Kind.MERGE, account_id, values)


def wanted_alignment(actor: Actor, values: Mapping[str, Any]) -> Wanted:
    """Return what the body of an alignment wants.

    Raises:
        InvalidBody: it names something that is not there.
    """
    account_id = referred(actor, values, "account", Action.VIEW_SETTINGS, InvalidBody)
    if account_id is None:  # pragma: no cover - the shape demands it
        raise NotFound
    excluded, errors = [], []
    for place, text in enumerate(values.get("except", ())):
        try:
            excluded.append(resolve_reference(actor, text))
        except NotFound:
            detail = _("There is no such account.")
            errors.append(FieldError("not_found", detail, f"/except/{place}"))
    if errors:
        raise InvalidBody(errors=errors)
    return Wanted(
        kind=ChangePlan.Kind.ALIGNMENT,
        account_id=account_id,
        day=values.get("effective_date", actor.today),
        alignment=Alignment(
            billing_day=values["billing_day"],
            billing_month=values.get("billing_month"),
            method=values["method"],
            include_subtree=values["include_subtree"],
            excluded=tuple(dict.fromkeys(excluded)),
            is_for_payer=values["scope"] == "payer",
        ),
    )


def wanted_plan(actor: Actor, values: Mapping[str, Any]) -> Wanted:
    """Return what the body of a plan wants.

    Raises:
        InvalidBody: it names something that is not there, lacks the member of its kind or has one
            of another.
    """
    kind = values["kind"]
    own = _TARGETS.get(kind)
    errors = [
        FieldError("unknown_name", _("This belongs to another kind of change."), pointer(name))
        for name in {**dict.fromkeys(_TARGETS.values()), "subscription": None}
        if name in values and name not in (own, _SUBJECTS.get(kind))
    ]
    if own is not None and own not in values and kind != ChangePlan.Kind.CLOSING:
        errors.append(FieldError("required", _("This is needed."), pointer(own)))
    subject = _SUBJECTS.get(kind)
    if subject is not None and subject not in values:
        errors.append(FieldError("required", _("This is needed."), pointer(subject)))
    if errors:
        raise InvalidBody(errors=errors)
    account_id = referred(actor, values, "account", Action.VIEW_SETTINGS, InvalidBody)
    if account_id is None:  # pragma: no cover - the shape demands it
        raise NotFound
    return _wanted(actor, kind, account_id, values)


def _wanted(actor: Actor, kind: str, account_id: UUID, values: Mapping[str, Any]) -> Wanted:
    target = _TARGETS.get(kind)
    is_account = target is not None and kind != ChangePlan.Kind.CONSOLIDATION
    target_id = (
        referred(actor, values, target, refusal=InvalidBody) if target and is_account else None
    )
    answers = _answers(actor, account_id, values.get("settings", {}))
    if answers.errors:
        raise InvalidBody(errors=answers.errors)
    day: date = values.get("effective_date", actor.today)
    return Wanted(
        kind=kind,
        account_id=account_id,
        day=day,
        target_id=target_id,
        value=values.get("consolidation") if kind == ChangePlan.Kind.CONSOLIDATION else None,
        open_drafts=values["open_drafts"],
        prepaid=values.get("prepaid", STAY),
        settings=answers.settings,
        overrides=(
            {_subscription(actor, values): target_id}
            if kind == ChangePlan.Kind.SUBSCRIPTION
            else answers.overrides
        ),
    )


def _subscription(actor: Actor, values: Mapping[str, Any]) -> UUID:
    try:
        return get_subscription(actor, values["subscription"], today=actor.today).pk
    except NotFound:
        detail = _("There is no such subscription.")
        raise InvalidBody(
            errors=[FieldError("not_found", detail, pointer("subscription"))]
        ) from None


def _answers(actor: Actor, account_id: UUID, given: Mapping[str, Any]) -> _Answers:
    found = _Answers()
    own = {name: value for name, value in given.items() if name in _NAMES}
    if own:
        found.settings[account_id] = dict(_values(actor, own, "/settings", found.errors))
    for key, values in given.items():
        if key in _NAMES:
            continue
        at = f"/settings{pointer(key)}"
        subscription_id = parse_public_id("sub", key)
        if not isinstance(values, Mapping):
            found.errors.append(FieldError("unknown_name", _("There is nothing of this name."), at))
        elif subscription_id is not None:
            read = dict(_values(actor, values, at, found.errors, names=("bill_to",)))
            found.overrides[subscription_id] = read.get("bill_to")
        else:
            try:
                other = resolve_reference(actor, key)
            except NotFound:
                found.errors.append(FieldError("not_found", _("There is no such account."), at))
                continue
            read = dict(_values(actor, values, at, found.errors))
            found.settings.setdefault(other, {}).update(read)
    return found


def _values(
    actor: Actor,
    given: Mapping[str, Any],
    at: str,
    errors: list[FieldError],
    names: tuple[str, ...] = _NAMES,
) -> Iterator[tuple[str, Any]]:
    """Yield settings as values, and note what means nothing."""
    for name, value in given.items():
        place = f"{at}{pointer(name)}"
        if name not in names:
            errors.append(FieldError("unknown_name", _("There is nothing of this name."), place))
        elif value is None:
            yield name, None
        elif not isinstance(value, str):
            errors.append(FieldError("invalid", _("A text is expected."), place))
        elif name == SettingName.CONSOLIDATION:
            if value in _CONSOLIDATIONS:
                yield name, value
            else:
                errors.append(FieldError("invalid_choice", _("This is no choice."), place))
        else:
            try:
                yield name, resolve_reference(actor, value)
            except NotFound:
                errors.append(FieldError("not_found", _("There is no such account."), place))
