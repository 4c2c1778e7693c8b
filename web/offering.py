"""What a form offers to choose from: so many at most, and it says where there are more."""

from typing import TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from web.templatetags.figures import quantity

M = TypeVar("M", bound=Model)


def offered(field: forms.Field, found: QuerySet[M], most: int) -> list[M]:
    """Return what a field offers of some rows; where there are more, its help says so.

    One statement.
    """
    rows = list(found[: most + 1])
    if len(rows) > most:
        parts = (str(field.help_text), cut_text(most))
        field.help_text = " ".join(part for part in parts if part)
    return rows[:most]


def cut_text(most: int) -> str:
    """Return that only the first rows are offered, and what makes room for others."""
    text = _("Only the first %(count)s are offered here; what is archived makes room for others.")
    return text % {"count": quantity(most)}
