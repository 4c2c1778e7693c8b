"""The form that changes many accounts: their tags, and one setting of all of them."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.declarations import SETTINGS, ValueRefused
from accounts.operations.accounts.editing_many import WantedOfMany
from web.setting_form import INHERIT, OWN, Choices, parsed, widget_of

_INPUT: Final = {"class": "input", "autocomplete": "off"}
CHANGEABLE: Final = tuple(name for name, one in SETTINGS.items() if not one.is_account)
"""Who is invoiced and who pays is planned account by account, with what it does."""


class ManyForm(forms.Form):
    """What is to change; the value of a setting is asked for once the setting is chosen."""

    tags_way = forms.ChoiceField(
        label=gettext_lazy("Tags"),
        required=False,
        choices=[
            ("", gettext_lazy("leave as they are")),
            ("add", gettext_lazy("add these")),
            ("remove", gettext_lazy("take these away")),
            ("replace", gettext_lazy("only these")),
        ],
        widget=forms.Select(attrs=_INPUT),
    )
    tags = forms.CharField(
        label=gettext_lazy("Which tags"),
        help_text=gettext_lazy("With commas between them."),
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs=_INPUT),
    )
    setting = forms.ChoiceField(
        label=gettext_lazy("Billing setting"), required=False, widget=forms.Select(attrs=_INPUT)
    )

    def __init__(
        self, data: Any, *, today: date, sellers: Choices, with_settings: bool, **kwargs: Any
    ) -> None:
        """Offer settings only to who may change them."""
        if data is not None:
            data = data.copy()
            for key, value in {"way": OWN, "day": today.isoformat()}.items():
                data.setdefault(key, value)
        super().__init__(data, **kwargs)
        name = data.get("setting", "") if data is not None else ""
        if not with_settings:
            del self.fields["setting"]
            return
        field = self.fields["setting"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the reader's types
        labels = [(one, str(SETTINGS[one].label)) for one in CHANGEABLE]
        field.choices = [("", _("leave as they are")), *labels]
        if name in CHANGEABLE:
            self._ask_for(name, today, sellers)

    def _ask_for(self, name: str, today: date, sellers: Choices) -> None:
        setting = SETTINGS[name]
        ways = [(OWN, _("Set here")), (INHERIT, _("Inherit from above"))]
        self.fields["way"] = forms.ChoiceField(
            label=str(setting.label),
            choices=ways,
            initial=OWN,
            widget=forms.Select(attrs=_INPUT),
        )
        self.fields["value"] = forms.CharField(
            label=_("Value"),
            help_text="" if setting.kind.id_prefix else str(setting.kind.forms),
            required=False,
            strip=False,
            widget=widget_of(setting.kind, sellers),
        )
        if setting.can_be_scheduled:
            self.fields["day"] = forms.DateField(
                label=_("From when"),
                initial=today,
                widget=forms.DateInput(
                    attrs={**_INPUT, "type": "date", "min": today.isoformat()}, format="%Y-%m-%d"
                ),
            )

    def clean(self) -> dict[str, Any]:
        """Read the value as the setting's kind does."""
        cleaned = super().clean() or self.cleaned_data
        name = cleaned.get("setting") or ""
        if name and "value" in self.fields and cleaned.get("way") == OWN:
            try:
                cleaned["value"] = parsed(SETTINGS[name], cleaned.get("value") or "")
            except ValueRefused as refused:
                self.add_error("value", refused.detail)
        elif name:
            cleaned["value"] = None
        return cleaned

    def wanted(self, today: date) -> WantedOfMany:
        """Return what a form without faults asks for."""
        said, name = self.cleaned_data, self.cleaned_data.get("setting") or ""
        return WantedOfMany(
            day=said.get("day") or today,
            tags_way=said["tags_way"],
            tags=said["tags"].split(","),
            settings={name: said["value"]} if name else {},
        )
