"""The kinds of entries of the billing calendar: what each is called, and who may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import Action


class Kind(StrEnum):
    """What can fall on a day."""

    RUN = "run"
    INVOICE = "invoice"
    DUE = "due"
    DEBIT = "debit"
    RENEWAL = "renewal"
    TRIAL_END = "trial_end"
    END = "end"
    NOTICE = "notice"
    TERM = "term"
    PAUSE = "pause"
    PRICE_CHANGE = "price_change"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class DeclaredKind:
    """A kind of entry.

    Attributes:
        label: one of them.
        plural: several of them, as a filter calls them.
        action: who may do this where the entry belongs sees it.
        icon, tone: how it is drawn.
        is_document: it belongs to whoever reaches recipient or payer, and in part to others (R23).
        is_tenants: it is of the tenant, not of an account: told once to its own people, in the
            calendar of all accounts.
    """

    label: Promise
    plural: Promise
    action: Action
    icon: str
    tone: str
    is_document: bool = False
    is_tenants: bool = False


KINDS: Final[Mapping[Kind, DeclaredKind]] = {
    Kind.RUN: DeclaredKind(
        _("Billing run"), _("Billing runs"), Action.VIEW_RUNS, "play", "neutral", is_tenants=True
    ),
    Kind.INVOICE: DeclaredKind(
        _("Invoice"), _("Invoices"), Action.VIEW_INVOICE, "file-text", "info", is_document=True
    ),
    Kind.DUE: DeclaredKind(
        _("Due"), _("Due dates"), Action.VIEW_INVOICE, "clock", "warn", is_document=True
    ),
    Kind.DEBIT: DeclaredKind(
        _("Direct debit"), _("Debits"), Action.VIEW_INVOICE, "landmark", "ok", is_document=True
    ),
    Kind.RENEWAL: DeclaredKind(
        _("Renewal"), _("Renewals"), Action.VIEW_SUBSCRIPTION, "repeat", "plum"
    ),
    Kind.TRIAL_END: DeclaredKind(
        _("Trial end"), _("Trial ends"), Action.VIEW_SUBSCRIPTION, "hourglass", "info"
    ),
    Kind.END: DeclaredKind(
        _("End"), _("Ends of subscriptions"), Action.VIEW_SUBSCRIPTION, "circle-stop", "bad"
    ),
    Kind.NOTICE: DeclaredKind(
        _("Notice deadline"), _("Notice deadlines"), Action.VIEW_SUBSCRIPTION, "bell", "warn"
    ),
    Kind.TERM: DeclaredKind(
        _("Term renewal"), _("Term renewals"), Action.VIEW_SUBSCRIPTION, "repeat", "info"
    ),
    Kind.PAUSE: DeclaredKind(_("Pause"), _("Pauses"), Action.VIEW_SUBSCRIPTION, "pause", "neutral"),
    Kind.PRICE_CHANGE: DeclaredKind(
        _("New terms"), _("New terms"), Action.VIEW_SUBSCRIPTION, "tag", "neutral"
    ),
    Kind.PLAN: DeclaredKind(
        _("Change plan"), _("Change plans"), Action.VIEW_SETTINGS, "milestone", "plum"
    ),
}
"""All kinds, in the order in which filters name them."""
