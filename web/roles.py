"""Roles of a customer's people in words."""

from django.utils.translation import gettext as _


def role_name(role: str) -> str:
    """Return the word for a customer's role."""
    words = {
        "viewer": _("Viewer"),
        "subscription_manager": _("Subscription manager"),
        "buyer": _("Buyer"),
        "approver": _("Approver"),
        "finance": _("Finance"),
        "admin": _("Administrator"),
    }
    return words.get(role, role)
