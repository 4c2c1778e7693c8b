"""What may happen to tenants, sellers, people and accounts."""

from django.utils.translation import gettext_lazy as _

from accounts import tree
from tenancy.events import Declared, Kind, Maybe, declare, read_paths_with

read_paths_with(tree.paths)

declare(
    Declared(
        "account.created",
        "account",
        _("An account was added to the tree."),
        {"external_id": Kind.TEXT, "name": Kind.TEXT},
        short=_("Account created"),
    ),
    Declared(
        "account.updated",
        "account",
        _("Particulars or settings of an account changed."),
        {"external_id": Kind.TEXT, "changed": Kind.NAMES},
        short=_("Account changed"),
    ),
    Declared(
        "account.settings_changed",
        "account",
        _("Billing settings of an account change, at once or on a later day."),
        {"external_id": Kind.TEXT, "changed": Kind.NAMES, "effective_date": Kind.DAY},
        short=_("Billing settings changed"),
    ),
    Declared(
        "account.moved",
        "account",
        _("An account stands below another one, with all below it."),
        {"parent": Maybe(Kind.ID), "since": Kind.DAY, "plan": Kind.ID},
        short=_("Account moved"),
    ),
    Declared(
        "account.closed",
        "account",
        _("An account was closed; it takes part in nothing new."),
        short=_("Account closed"),
    ),
    Declared(
        "account.archived",
        "account",
        _("An account was archived: nothing hangs on it, and nothing new may."),
        {"external_id": Kind.TEXT},
        short=_("Account archived"),
    ),
    Declared(
        "account.merged",
        "account",
        _("A duplicate account went up in another one, which has from now on what it had."),
        {"external_id": Kind.TEXT, "into": Kind.ID, "since": Kind.DAY},
        short=_("Merged into another account"),
    ),
    Declared(
        "account.reopened",
        "account",
        _("An archived account is in use again."),
        {"external_id": Maybe(Kind.TEXT)},
        short=_("Account opened again"),
    ),
    Declared(
        "contact.created",
        "contact",
        _("A contact was added to an account."),
        {"external_id": Kind.TEXT, "role": Kind.TEXT},
        short=_("Contact added"),
    ),
    Declared(
        "contact.updated",
        "contact",
        _("Particulars or the role of a contact changed."),
        {"external_id": Kind.TEXT, "role": Kind.TEXT},
        short=_("Contact changed"),
    ),
    Declared(
        "contact.removed",
        "contact",
        _("A contact was removed from an account; its roles ended with it."),
        {"external_id": Kind.TEXT},
        short=_("Contact removed"),
    ),
    Declared(
        "contact.login_given",
        "contact",
        _("A contact got a login and may sign in to the portal."),
        short=_("Contact got a login"),
    ),
    Declared(
        "grant.created",
        "grant",
        _("Somebody at a customer got a role on an account and all below it."),
        {
            "contact": Kind.ID,
            "role": Kind.TEXT,
            "starts_on": Maybe(Kind.DAY),
            "ends_on": Maybe(Kind.DAY),
        },
        short=_("Role given"),
    ),
    Declared(
        "grant.ended",
        "grant",
        _("A role of somebody at a customer ends."),
        {"contact": Kind.ID, "role": Kind.TEXT, "ends_on": Kind.DAY},
        short=_("Role ended"),
    ),
    Declared(
        "membership.created",
        "membership",
        _("Somebody became one of the vendor's own people."),
        {"role": Kind.TEXT},
    ),
    Declared(
        "person.signed_in",
        "person",
        _("Somebody signed in."),
        is_told=False,
    ),
    Declared(
        "person.sign_in_failed",
        "person",
        _("Somebody tried to sign in with a wrong password."),
        is_told=False,
    ),
    Declared(
        "seller.updated",
        "seller",
        _("Particulars of a seller changed, as they stand on its invoices."),
        {"changed": Kind.NAMES},
    ),
    Declared(
        "seller.bank_account_changed",
        "seller",
        _("A seller takes money of a currency on another bank account."),
        {"currency": Kind.CURRENCY},
    ),
    Declared(
        "tenant.created",
        "tenant",
        _("The vendor was set up."),
        {"slug": Kind.TEXT, "name": Kind.TEXT},
    ),
    Declared(
        "tenant.approval_changed",
        "tenant",
        _("It was decided anew whether drafts are approved before they are issued, and by whom."),
        {"approval_required": Kind.YES_NO, "four_eyes": Kind.YES_NO},
    ),
    Declared(
        "tenant.settings_changed",
        "tenant",
        _("The defaults that accounts inherit change, at once or on a later day."),
        {"changed": Kind.NAMES, "effective_date": Kind.DAY},
    ),
    Declared(
        "tenant.time_zone_changed",
        "tenant",
        _("The vendor's days begin in another time zone."),
        {"time_zone": Kind.TEXT},
    ),
    Declared(
        "tenant.operator_entered",
        "tenant",
        _("An operator of the platform entered the vendor's data, for the stated reason."),
        {"reason": Kind.TEXT},
    ),
)
