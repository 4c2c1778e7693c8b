"""Forms of the dashboard."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.versions import version_of

_NONE_NAMED: Final = "none"


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


def version_seen(request: HttpRequest) -> str:
    """Return the version that a form was shown with; that of nothing where it carries none.

    So a form without one overwrites nothing: it is answered as an old one is.
    """
    return request.POST.get("version") or _NONE_NAMED


def version_to_carry(
    request: HttpRequest, stored: Mapping[str, object], *, status: HTTPStatus
) -> str:
    """Return the version that a form carries.

    Refused for its values it keeps the one it came with: what was stored meanwhile has not been
    seen yet, and must not be overwritten by the next try. A conflict has shown it.
    """
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return request.POST.get("version", "")
    return version_of(stored)


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
