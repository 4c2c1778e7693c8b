"""The form of what is said of an account: a field for each particular that is declared."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.declarations import PARTICULARS, SETTINGS, SettingName
from accounts.declarations.values import Text
from accounts.queries.particulars import OWN_SETTINGS
from tenancy.errors import FieldError
from web import kept_forms
from web.setting_form import widget_of

_OWN_DATA: Final[Mapping[str, Promise]] = {
    "external_id": gettext_lazy("External ID"),
    "tags": gettext_lazy("Tags"),
    "metadata": gettext_lazy("Own data"),
}
LABELS: Final[Mapping[str, Promise]] = {
    **{name: one.label for name, one in PARTICULARS.items()},
    **{name: SETTINGS[SettingName(name)].label for name in OWN_SETTINGS},
    **_OWN_DATA,
}
kept_forms.LABELS.update(LABELS)
_HELP: Final[Mapping[str, Promise]] = {
    "vat_id": gettext_lazy(
        "Such as DE136695976. Form and check digits are checked; the EU's register (VIES) is not"
        " asked."
    ),
    "currency": gettext_lazy("Three letters, such as CHF. Empty: inherited."),
    "cost_centre": gettext_lazy("Empty: inherited."),
    "external_id": gettext_lazy("Your own number for it; no other account has the same."),
    "tags": gettext_lazy("Up to 20, with commas between them."),
    "metadata": gettext_lazy('An object in JSON, such as {"crm": "4711"}.'),
}
_NOTHING: Final = gettext_lazy("none")
_INHERITED: Final = gettext_lazy("inherited")
_LONGEST: Final = 20_000
_INPUT: Final = {"class": "input", "autocomplete": "off"}


@dataclass(frozen=True, slots=True)
class Group:
    """Some fields under a heading, with a sentence on them."""

    title: str | Promise
    names: tuple[str, ...]
    text: str | Promise = ""


_NEEDED: Final = gettext_lazy(
    "An account that gets invoices needs legal name, street, city and country."
)
GROUPS: Final = (
    Group(gettext_lazy("Account"), ("name", "kind")),
    Group(
        gettext_lazy("On invoices"),
        tuple(name for name in PARTICULARS if name not in {"name", "kind"}),
        _NEEDED,
    ),
    Group(gettext_lazy("Billing"), OWN_SETTINGS),
    Group(gettext_lazy("Own records"), tuple(_OWN_DATA)),
)
"""All fields, as the form that changes an account has them."""


class ParticularsForm(forms.Form):
    """What can be said of an account, as plain text: the operation judges it.

    Only fields that were sent are values: one that a page leaves out stays as it is.
    """

    def __init__(self, *args: Any, with_settings: bool, **kwargs: Any) -> None:
        """Make a field of each; settings only for who may change them."""
        super().__init__(*args, **kwargs)
        for name, label in LABELS.items():
            if name in OWN_SETTINGS and not with_settings:
                continue
            self.fields[name] = forms.CharField(
                label=str(label),
                help_text=str(_HELP.get(name, "")),
                required=False,
                max_length=_LONGEST,
                widget=_widget(name),
            )

    def values(self) -> dict[str, Any]:
        """Return what was sent, as ``AccountFields``; refused own data stands at its field."""
        found: dict[str, Any] = {
            name: self.cleaned_data[name]
            for name in LABELS
            if name in self.cleaned_data and name in self.data
        }
        if "tags" in found:
            found["tags"] = found["tags"].split(",")
        if "metadata" in found:
            found["metadata"] = self._own_data(found["metadata"])
        return found

    def refuse(self, errors: Sequence[FieldError]) -> None:
        """Put what is wrong to the fields that it is about."""
        for error in errors:
            name = error.pointer.rpartition("/")[2]
            self.add_error(name if name in self.fields else None, error.detail)

    def grouped(self, groups: Sequence[Group] = GROUPS) -> Iterator[dict[str, Any]]:
        """Yield the fields under their headings."""
        for group in groups:
            fields = [self[name] for name in group.names if name in self.fields]
            if fields:
                yield {"title": group.title, "text": group.text, "fields": fields}

    def _own_data(self, text: str) -> Any:
        try:
            return json.loads(text) if text else {}
        except (ValueError, RecursionError):
            self.add_error("metadata", _('This is no object in JSON, such as {"crm": "4711"}.'))
            return {}


def typed_particulars(stored: Mapping[str, Any]) -> dict[str, str]:
    """Return what is stored as the fields hold it."""
    found = {name: stored[name] or "" for name in LABELS if name not in {"tags", "metadata"}}
    own_data = stored["metadata"]
    text = json.dumps(own_data, ensure_ascii=False, indent=2) if own_data else ""
    return {**found, "tags": ", ".join(stored["tags"]), "metadata": text}


def particulars_differing(form: ParticularsForm, stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a form would change of what is stored, by label: both, as people read them."""
    held = typed_particulars(stored)
    found = []
    for name in form.fields:
        mine = str(form[name].value() or "").replace("\r\n", "\n").strip()
        if name in form.data and name in held and mine != held[name]:
            texts = [_shown(form, name, text) for text in (mine, held[name])]
            found.append({"label": LABELS[name], "mine": texts[0], "stored": texts[1]})
    return found


def _shown(form: ParticularsForm, name: str, text: str) -> str:
    choices = dict(getattr(form.fields[name].widget, "choices", ()))
    return str(choices.get(text, text)) or "–"


def _widget(name: str) -> forms.Widget:
    if name == "metadata":
        return forms.Textarea(attrs={**_INPUT, "rows": 4, "spellcheck": "false"})
    if name in PARTICULARS:
        one = PARTICULARS[name]
        return widget_of(one.kind, empty=None if one.empty is None else _NOTHING)
    if name in OWN_SETTINGS:
        return widget_of(SETTINGS[SettingName(name)].kind, empty=_INHERITED)
    return widget_of(Text(200) if name == "external_id" else Text(1_000))
