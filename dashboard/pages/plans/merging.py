"""What a merge brings along, as a page shows it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.declarations import PARTICULARS, SETTINGS, SettingName
from tenancy.formats import reader
from tenancy.ids import key_of
from web.accounts import account_url, kind_name
from web.naming import Marks, linked
from web.roles import role_name
from web.setting_words import value_text
from web.templatetags.figures import quantity


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the two accounts say in different words: what goes and what holds."""

    label: str
    dropped: SafeString
    kept: SafeString


@dataclass(frozen=True, slots=True)
class Merging:
    """What comes to the kept account, what stays with the duplicate, and what is other."""

    comes: Sequence[tuple[str, SafeString]]
    stays: Sequence[SafeString]
    differs: Sequence[Difference]


def merging_of(preview: Mapping[str, Any]) -> Merging | None:
    """Return what a page says of the merge in a preview, None where there is none."""
    merge = preview.get("merge")
    if not merge:
        return None
    marks = Marks()
    return Merging(
        comes=[(label, marks.linked(text)) for label, text in _comes(merge, marks)],
        stays=[marks.linked(text) for text in _stays(merge, marks)],
        differs=[_linked(merge, *row) for row in _differs(merge)],
    )


def _comes(merge: Mapping[str, Any], marks: Marks) -> Iterator[tuple[str, str]]:
    """Yield what comes along, each with its label."""
    children = [marks.of(one) for one in merge["children"]]
    yield from _named(_("Sub-accounts"), children, merge["more_children"])
    if count := merge["subscriptions"]:
        text = ngettext("%(count)s subscription", "%(count)s subscriptions", count)
        yield _("Subscriptions"), text % {"count": quantity(count)}
    if count := merge["charges"]:
        text = ngettext("%(count)s charge", "%(count)s charges", count)
        yield _("Not invoiced yet"), text % {"count": quantity(count)}
    people = [_("%(name)s (%(email)s)") % one for one in merge["contacts"]]
    yield from _named(_("Contacts"), people, merge["more_contacts"])
    same = [_("%(name)s (%(email)s)") % one for one in merge["same_contacts"]]
    yield from _named(_("Contacts that are there already"), same, 0)
    roles = [
        _("%(name)s: %(role)s") % {"name": one["name"], "role": role_name(one["role"])}
        for one in merge["roles"]
    ]
    yield from _named(_("Roles"), roles, merge["more_roles"])
    yield from _named(_("Tags"), merge["tags"], 0)
    yield from _named(_("Own data"), merge["metadata"], 0)
    yield from _named(_("API keys that reach it"), merge["api_keys"], 0)
    for setting, label in (
        (SettingName.BILL_TO, _("Invoiced to the kept account from now on")),
        (SettingName.PAYER, _("Paid for by the kept account from now on")),
    ):
        rows = [one for one in merge["redirected"] if one["setting"] == setting]
        yield from _named(label, [marks.of(one["account"]) for one in rows], 0)


def _named(label: str, names: Sequence[str], more: int) -> Iterator[tuple[str, str]]:
    """Yield names with their label, if there are any, and how many there are besides."""
    if not names:
        return
    text = ", ".join(names)
    if more:
        others = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", more)
        text = others % {"names": text, "count": quantity(more)}
    yield label, text


def _stays(merge: Mapping[str, Any], marks: Marks) -> Iterator[str]:
    """Yield what stays with the duplicate."""
    into = {"into": marks.of(merge["into"])}
    yield (
        _(
            "The duplicate is archived below %(into)s. Issued invoices stay as they were issued"
            " to it."
        )
        % into
    )
    if number := merge["external_id"]:
        yield _(
            "Its external ID %(number)s leads to %(into)s when subscriptions and contacts are"
            " imported."
        ) % {"number": number, **into}
    if count := merge["ended_subscriptions"]:
        text = ngettext(
            "%(count)s ended subscription stays with the duplicate.",
            "%(count)s ended subscriptions stay with the duplicate.",
            count,
        )
        yield text % {"count": quantity(count)}
    if count := merge["earlier_charges"]:
        text = ngettext(
            "%(count)s charge of earlier days is still invoiced as before.",
            "%(count)s charges of earlier days are still invoiced as before.",
            count,
        )
        yield text % {"count": quantity(count)}


def _linked(merge: Mapping[str, Any], label: str, dropped: str, kept: str) -> Difference:
    """Return a difference in which the names of the two accounts lead to them.

    A legal name that begins with such a name is no account's, and stays as it is.
    """
    return Difference(label, _whole(dropped, merge["account"]), _whole(kept, merge["into"]))


def _whole(text: str, account: Mapping[str, Any]) -> SafeString:
    return linked(text, {text: _url(account)} if text == account["name"] else {})


def _url(account: Mapping[str, Any]) -> str:
    return account_url(key_of("acc", account["id"]))


def _differs(merge: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what is other on the two: particulars, settings, own data."""
    writers: Mapping[str, Callable[[str], str]] = {"kind": kind_name, "country": reader().country}
    for row in merge["particulars"]:
        write = writers.get(row["name"], str)
        label = str(PARTICULARS[row["name"]].label)
        yield label, write(row["dropped"]), write(row["kept"]) or _("not set")
    for row in merge["settings"]:
        name = row["setting"]
        old, new = (_setting(name, row[one]) or _("not set") for one in ("old", "new"))
        yield str(SETTINGS[SettingName(name)].label), old, new
    for row in merge["metadata_kept"]:
        label = _("Own data: %(name)s") % {"name": row["name"]}
        yield label, _plain(row["dropped"]), _plain(row["kept"])


def _setting(name: str, value: Any) -> str:
    # A seller stands in a preview by its name.
    return value_text(name, value, str(value or "") if name == SettingName.SELLER else "")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return _list(value)
    return str(value)


def _list(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))
