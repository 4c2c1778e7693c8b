"""Forms of the dashboard."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


def password_field() -> forms.CharField:
    """Return the field that asks for one's own password again."""
    return forms.CharField(
        label=_("Your password, if the bank account changes"),
        required=False,
        strip=False,
        max_length=1_000,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "current-password"}),
    )


def differences(
    form: forms.Form, labels: Mapping[str, Any], stored: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Return what a form would change of what is stored, by label: both values."""
    found = []
    for name, label in labels.items():
        mine = str(form[name].value() or "").strip() if name in form.fields else ""
        if name in form.fields and mine != str(stored[name]):
            found.append({"label": label, "stored": stored[name] or "–", "mine": mine or "–"})
    return found


class SignInForm(forms.Form):
    """E-mail and password."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"class": "input", "autocomplete": "username", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1_000,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "current-password"}),
    )
