"""What may happen to the secret addresses of calendars: it stands in the audit trail alone."""

from django.utils.translation import gettext_lazy as _

from tenancy.events import Declared, declare

declare(
    Declared(
        "feed.created",
        "feed",
        _("Somebody made a secret address of a calendar for themselves."),
        is_told=False,
    ),
    Declared(
        "feed.rotated",
        "feed",
        _("Somebody gave a calendar of theirs another secret address."),
        is_told=False,
    ),
    Declared(
        "feed.revoked",
        "feed",
        _("Somebody ended the secret address of a calendar."),
        is_told=False,
    ),
)
