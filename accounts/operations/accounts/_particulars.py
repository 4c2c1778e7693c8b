"""What can be said of an account: read strictly, and all that is wrong told at once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypedDict
from unicodedata import normalize

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.declarations import PARTICULARS, SETTINGS, ValueKind, ValueRefused
from accounts.declarations.limits import LONGEST_METADATA, MOST_MEMBERS, MOST_TAGS
from accounts.declarations.values import Text
from accounts.models import Account
from accounts.queries.particulars import OWN_SETTINGS
from billing_rules.searching import search_key
from billing_rules.tax import vat_id_state
from tenancy.errors import FieldError, Invalid


class AccountFields(TypedDict, total=False):
    """What can be said of an account; what is left out stays, or is empty at first.

    The last four are settings: None goes back to inheriting.
    """

    external_id: str | None
    name: str
    kind: str
    legal_name: str
    email: str
    line1: str
    line2: str
    postal_code: str
    city: str
    region: str
    country: str
    vat_id: str
    metadata: Mapping[str, Any]
    tags: Iterable[str]
    currency: str | None
    language: str | None
    time_zone: str | None
    cost_centre: str | None


class InvalidAccount(Invalid):
    """Particulars that can't be those of an account; ``errors`` names each field."""

    code = "invalid_account"
    message = _("These particulars of the account are not valid: %(fields)s.")


EXTERNAL_ID: Final = Text(200)
_SEARCHED: Final = tuple(name for name, one in PARTICULARS.items() if one.is_searched)
_LONGEST_TAG: Final = 40
_LONGEST_NAME: Final = 40
_DEEPEST: Final = 5


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as they are stored: without spaces around, codes in capitals, tags once."""
    return {name: _plain(name, value) for name, value in fields.items()}


def _plain(name: str, value: Any) -> Any:
    if name == "tags":
        return sorted(_tags(value), key=str.casefold)
    if not isinstance(value, str):
        return value
    # Spaces that do not break come along when names are pasted.
    text = normalize("NFC", value.replace("\u00a0", " ").replace("\u202f", " ").strip())
    if name in {"country", "currency"}:
        text = text.upper()
    is_nothing = not text and (name in OWN_SETTINGS or name == "external_id")
    return None if is_nothing else text


def _tags(names: Iterable[str]) -> Iterator[str]:
    seen = set()
    for name in names:
        word = " ".join(name.split())
        if word and word.casefold() not in seen:
            seen.add(word.casefold())
            yield word


def faults(fields: Mapping[str, Any], stored: Account | None = None) -> Iterator[FieldError]:
    """Yield what is wrong with fields that ``plain`` has returned, each with its pointer.

    A VAT id is checked by the form of its country and its check digits. One that was stored
    before is not checked again unless it, the country or the postal code changes.
    """
    for name, value in fields.items():
        fault = _fault(name, value)
        if fault is not None:
            yield FieldError(fault.code, fault.detail, pointer=f"/{name}")
    decides = {name for name in ("vat_id", "country", "postal_code") if name in fields}
    if stored is not None:
        decides = {name for name in decides if fields[name] != getattr(stored, name)}
    if decides:
        vat_id, country, code = (
            fields.get(name, "" if stored is None else getattr(stored, name))
            for name in ("vat_id", "country", "postal_code")
        )
        if vat_id and vat_id_state(country, code, vat_id) == "invalid":
            text = _("This is no VAT ID of the account's country: form or check digits are wrong.")
            yield FieldError("invalid_vat_id", str(text), pointer="/vat_id")


def require_valid(fields: Mapping[str, Any], stored: Account | None = None) -> None:
    """Return if nothing is wrong with fields.

    Raises:
        InvalidAccount: something is.
    """
    errors = list(faults(fields, stored))
    if errors:
        names = dict.fromkeys(error.pointer.removeprefix("/") for error in errors)
        raise InvalidAccount(fields=", ".join(names), errors=errors)


def _fault(name: str, value: Any) -> ValueRefused | None:
    match name:
        case "metadata":
            return _refused("invalid_metadata", _metadata_fault(value))
        case "tags":
            return _refused("invalid_tags", _tags_fault(value))
    is_needed = name in PARTICULARS and PARTICULARS[name].empty is None
    if value in ("", None) and not is_needed:
        return None
    try:
        _kind(name).check(value)
    except ValueRefused as refused:
        return refused
    return None


def _kind(name: str) -> ValueKind:
    if name in PARTICULARS:
        return PARTICULARS[name].kind
    return SETTINGS[name].kind if name in SETTINGS else EXTERNAL_ID


def _refused(code: str, fault: Promise | None) -> ValueRefused | None:
    return None if fault is None else ValueRefused(code, str(fault))


def _tags_fault(names: list[str]) -> Promise | None:
    if len(names) > MOST_TAGS:
        return _("An account has at most 20 tags.")
    if any(len(name) > _LONGEST_TAG or not name.isprintable() or "," in name for name in names):
        return _("A tag has at most 40 characters, no comma and no control character.")
    return None


def _metadata_fault(value: Any) -> Promise | None:
    if not isinstance(value, Mapping):
        return _("An object is expected.")
    if len(value) > MOST_MEMBERS or any(len(name) > _LONGEST_NAME for name in value):
        return _("Own data has at most 50 members, whose names have at most 40 characters.")
    if not _is_shallow(value, _DEEPEST):
        return _("Own data is at most 5 levels deep.")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return _("Own data holds a number that cannot be kept.")
    if len(text) > LONGEST_METADATA:
        return _("Own data has at most 16,000 characters.")
    # The database keeps neither; a lone surrogate is no character at all.
    if "\\u0000" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return _("Own data holds a character that cannot be kept.")
    return None


def _is_shallow(value: Any, levels: int) -> bool:
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return True
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inner)


def searched(account: Any) -> str:
    """Return what the search for accounts looks into."""
    names = ("name", "external_id", *(name for name in _SEARCHED if name != "name"))
    return search_key([getattr(account, name) for name in names])
