"""Questions that a plan leaves open: settings that would point outside of the path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import SettingName
from tenancy.ids import parse_public_id

_PREFIX: Final = "answer:"


@dataclass(frozen=True, slots=True)
class Question:
    """One setting: what it is of, where it points, and the answers."""

    name: str
    sentence: str
    choices: Sequence[tuple[str, str, bool]]


def questions_of(preview: Mapping[str, Any], values: QueryDict) -> list[Question]:
    """Return the questions of a preview, with what was answered already."""
    return [_question(row, values) for row in preview["to_answer"]]


def _question(row: Mapping[str, Any], values: QueryDict) -> Question:
    name = f"{_PREFIX}{row['key']}:{row['setting']}"
    names = {"account": row["account"]["name"], "target": row["points_to"]["name"]}
    if row["subscription"]:
        sentence = _("A subscription of %(account)s is invoiced to %(target)s.")
    elif row["setting"] == SettingName.PAYER:
        sentence = _("%(target)s pays for %(account)s.")
    else:
        sentence = _("%(account)s is invoiced to %(target)s.")
    own = row["account"]["id"]
    chosen = values.get(name, "")
    choices = [
        ("", _("Please choose"), not chosen),
        ("inherit", _("Like the account above (inherit)"), chosen == "inherit"),
        (own, _("%(account)s itself") % names, chosen == own),
    ]
    return Question(name, sentence % names, choices)


def answers_in(
    values: QueryDict, account_id: UUID
) -> tuple[dict[UUID, dict[str, Any]], dict[UUID, UUID | None]]:
    """Return what was answered: settings by account, recipients by subscription."""
    settings: dict[UUID, dict[str, Any]] = {}
    overrides: dict[UUID, UUID | None] = {}
    for name, answer in values.items():
        if not name.startswith(_PREFIX) or not answer:
            continue
        key, _colon, setting = name.removeprefix(_PREFIX).partition(":")
        chosen = parse_public_id("acc", str(answer))
        if subscription_id := parse_public_id("sub", key):
            overrides[subscription_id] = chosen
        elif setting in (SettingName.BILL_TO, SettingName.PAYER):
            owner = parse_public_id("acc", key) or account_id
            settings.setdefault(owner, {})[setting] = chosen
    return settings, overrides
