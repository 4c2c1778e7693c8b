"""What can be done from the command palette: by the rights of whoever asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import access
from accounts.access import Action
from accounts.models import Account
from tenancy.actor import Actor
from tenancy.ids import parse_public_id, public_id

_ANY: Final = "acc_any"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do: what it is called, where it leads, and the right it takes.

    ``verb`` is the word with which it is typed in front of an account's name; without one it is
    about no account.
    """

    label: str | Promise
    icon: str
    url_name: str
    action: Action
    verb: str | Promise = ""
    query: str = ""

    def url(self, account_id: str = "") -> str:
        """Return where it leads, for an account if it is about one."""
        if self.query:
            return f"{reverse(self.url_name)}?{self.query.replace(_ANY, account_id)}"
        return reverse(self.url_name, args=[account_id] if account_id else [])


COMMANDS: Final = (
    Command(_("New customer"), "plus", "customers:new", Action.EDIT_ACCOUNT),
    Command(_("Create a billing run"), "calendar-check", "runs:new", Action.RUN_BILLING),
    Command(_("Import a file"), "upload", "imports:list", Action.EDIT_ACCOUNT),
    Command(
        _("Go to %(account)s"),
        "square-arrow-out-up-right",
        "customers:page",
        Action.VIEW_ACCOUNT,
        pgettext_lazy("typed before a name", "go to"),
    ),
    Command(
        _("New sub-accounts of %(account)s"),
        "plus",
        "customers:new_below",
        Action.EDIT_ACCOUNT,
        pgettext_lazy("typed before a name", "new sub-accounts"),
    ),
    Command(
        _("Move %(account)s to …"),
        "move",
        "plans:new",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "move"),
        f"kind=move&account={_ANY}",
    ),
    Command(
        _("Change payer of %(account)s …"),
        "wallet",
        "plans:new",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "change payer"),
        f"kind=payer&account={_ANY}",
    ),
    Command(
        _("Change invoice recipient of %(account)s …"),
        "file-output",
        "plans:new",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "change invoice recipient"),
        f"kind=bill_to&account={_ANY}",
    ),
    Command(
        _("Let %(account)s take the place above …"),
        "arrow-up",
        "plans:new",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "take the place above"),
        f"kind=promotion&account={_ANY}",
    ),
    Command(
        _("Align renewals of %(account)s …"),
        "calendar-check",
        "customers:align",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "align renewals"),
    ),
    Command(
        _("Merge %(account)s into …"),
        "merge",
        "plans:new",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "merge"),
        f"kind=merge&account={_ANY}",
    ),
    Command(
        _("Close %(account)s …"),
        "archive",
        "plans:new",
        Action.EDIT_SETTINGS,
        pgettext_lazy("typed before a name", "close"),
        f"kind=closing&account={_ANY}",
    ),
    Command(
        _("Org chart of %(account)s"),
        "network",
        "customers:chart",
        Action.VIEW_ACCOUNT,
        pgettext_lazy("typed before a name", "org chart"),
    ),
    Command(
        _("Billing settings of %(account)s"),
        "settings-2",
        "customers:settings",
        Action.VIEW_SETTINGS,
        pgettext_lazy("typed before a name", "settings"),
    ),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A command as it is offered."""

    label: str
    icon: str
    url: str


def allowed(actor: Actor) -> list[Command]:
    """Return the commands that somebody may give. No statement."""
    return [one for one in COMMANDS if access.allows_everywhere(actor, one.action)]


def called_by(commands: Sequence[Command], text: str) -> tuple[list[Command], str]:
    """Return the commands whose verb begins a text, and the name that follows it.

    The longest verb counts; of a verb that is still being typed two letters are enough.
    """
    words = text.casefold().split()
    for count in range(len(words) - 1, 0, -1):
        typed = " ".join(words[:count])
        found = [one for one in commands if _is_verb(str(one.verb).casefold(), typed)]
        if found:
            return found, " ".join(text.split()[count:])
    return [], ""


def _is_verb(verb: str, typed: str) -> bool:
    return len(typed) > 1 and verb.startswith(typed)


def general(commands: Sequence[Command], text: str) -> Iterator[Offer]:
    """Yield the commands that are about no account and contain a text."""
    for one in commands:
        if not one.verb and text.casefold() in str(one.label).casefold():
            yield Offer(str(one.label), one.icon, one.url())


def on_accounts(commands: Sequence[Command], accounts: Sequence[Account]) -> Iterator[Offer]:
    """Yield commands for each of some accounts; what changes one is not for archived ones."""
    for account in accounts:
        for one in commands:
            is_change = one.action == Action.EDIT_SETTINGS
            if one.verb and not (is_change and account.status == Account.Status.ARCHIVED):
                label = str(one.label) % {"account": account.name}
                yield Offer(label, one.icon, one.url(public_id("acc", account.pk)))


def account_looked_at(actor: Actor, url: str) -> list[Account]:
    """Return the account whose page somebody is at, none elsewhere. One statement at most."""
    try:
        place = resolve(urlsplit(url).path)
    except (Resolver404, ValueError):
        return []
    key = parse_public_id("acc", str(place.kwargs.get("account_id", "")))
    if place.namespace != "customers" or key is None:
        return []
    return list(access.reach(actor, Action.VIEW_ACCOUNT).filter(pk=key))
