"""The form of one setting: its value by the kind that is declared, since when, and its lock."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.declarations import Setting, ValueKind, ValueRefused
from accounts.declarations.values import (
    COUNTRY,
    CURRENCY,
    TIME_ZONE,
    Choice,
    Emails,
    Whole,
    YesNo,
)
from billing_rules.countries import COUNTRIES
from billing_rules.ordering import sort_key
from tenancy.files.cells import time_zones
from tenancy.formats import reader
from tenancy.ids import parse_public_id

OWN: Final = "own"
INHERIT: Final = "inherit"
_INPUT: Final = {"class": "input"}
Choices = Sequence[tuple[str, str]]


class SettingForm(forms.Form):
    """A new value of one setting.

    ``references`` are what an account or seller may be chosen from, by public id.
    """

    way = forms.ChoiceField(
        label=gettext_lazy("Value"),
        choices=[
            (OWN, gettext_lazy("Set here")),
            (INHERIT, gettext_lazy("Inherit from above")),
        ],
        widget=forms.RadioSelect,
    )
    value = forms.CharField(required=False, strip=False)
    day = forms.DateField(
        label=gettext_lazy("From when"),
        help_text=gettext_lazy("Days before stay as they were."),
        widget=forms.DateInput(attrs={**_INPUT, "type": "date"}, format="%Y-%m-%d"),
    )
    lock = forms.BooleanField(
        label=gettext_lazy("Sub-accounts may not set their own value"),
        help_text=gettext_lazy("Those that have one keep it until they inherit again."),
        required=False,
    )

    def __init__(
        self, *args: Any, setting: Setting, today: date, references: Choices = (), **kwargs: Any
    ) -> None:
        """Ask for a value of this setting."""
        super().__init__(*args, **kwargs)
        self.setting = setting
        field = self.fields["value"]
        field.label = str(setting.label)
        is_listed = _listed(setting.kind, references) is not None
        field.help_text = "" if is_listed else str(setting.kind.forms)
        field.widget = widget_of(setting.kind, references)
        self.fields["day"].widget.attrs["min"] = today.isoformat()
        if not setting.can_be_scheduled:
            del self.fields["day"]
        if not setting.can_be_locked:
            del self.fields["lock"]

    def is_of_company(self, *, is_needed: bool) -> None:
        """Ask for a default: nothing is above to inherit from, and often there must be one."""
        way = self.fields["way"]
        assert isinstance(way, forms.ChoiceField)  # noqa: S101 - for the checker of types
        if is_needed:
            way.choices = [(OWN, _("Set here"))]
        else:
            way.choices = [(OWN, _("Set here")), (INHERIT, _("No default"))]

    def clean(self) -> dict[str, Any]:
        """Read the value as the setting's kind does."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("way") != OWN:
            cleaned["value"] = None
            return cleaned
        try:
            cleaned["value"] = parsed(self.setting, cleaned.get("value") or "")
        except ValueRefused as refused:
            self.add_error("value", refused.detail)
        return cleaned


def parsed(setting: Setting, text: str) -> Any:
    """Return what was typed or chosen as it is stored.

    Raises:
        ValueRefused: it can't be.
    """
    kind = setting.kind
    if kind.id_prefix:
        key = parse_public_id(kind.id_prefix, text)
        if key is None:
            raise ValueRefused("required", _("Choose one."))
        return key
    if isinstance(kind, Emails):
        text = "|".join(text.replace(",", " ").replace(";", " ").split())
    return kind.parse(text)


def typed(setting: Setting, value: Any) -> str:
    """Return a stored value as its field holds it; an id as it is chosen."""
    if value is None:
        return ""
    if isinstance(setting.kind, Emails):
        return "\n".join(value)
    return setting.kind.write(value)


def widget_of(
    kind: ValueKind, references: Choices = (), empty: str | Promise | None = None
) -> forms.Widget:
    """Return what a value of some kind is typed into or chosen with.

    Args:
        kind: as declared.
        references: what an account or seller is chosen from.
        empty: what it means to choose nothing, None where something has to be chosen.
    """
    listed = _listed(kind, references)
    if listed is not None:
        nothing = [] if empty is None else [("", str(empty))]
        return forms.Select(attrs=_INPUT, choices=[*nothing, *listed])
    match kind:
        case Whole():
            bounds = {"min": kind.lowest, "max": kind.highest}
            return forms.NumberInput(attrs={**_INPUT, **bounds})
        case Emails():
            return forms.Textarea(attrs={**_INPUT, "rows": 4})
    longest = 3 if kind == CURRENCY else getattr(kind, "longest", 200)
    return forms.TextInput(attrs={**_INPUT, "maxlength": longest, "autocomplete": "off"})


def _listed(kind: ValueKind, references: Choices) -> Choices | None:
    """Return what is chosen from a list, None for what is typed."""
    if kind.id_prefix:
        return references
    if kind == TIME_ZONE:
        return _zones()
    if kind == COUNTRY:
        return _countries()
    match kind:
        case Choice():
            return _words(kind.words)
        case YesNo():
            return [("true", _("Yes")), ("false", _("No"))]
    return None


def _words(words: Mapping[str, Any]) -> Choices:
    return [(value, str(word)) for value, word in words.items()]


def _zones() -> Choices:
    places = sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc"))
    return [(name, name.replace("_", " ")) for name in ["UTC", *places]]


def _countries() -> Choices:
    """Return the countries by name, in the order of their names."""
    write = reader().country
    return sorted(((code, write(code)) for code in COUNTRIES), key=lambda one: sort_key(one[1]))
