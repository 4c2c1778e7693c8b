"""What happens to jobs, which every app may ask for."""

from django.utils.translation import gettext_lazy as _

from tenancy.events.catalogue import Declared, declare

declare(
    Declared(
        "job.requested",
        "job",
        _("Somebody asked for work that is done in the background."),
        is_told=False,
        short=_("Asked for"),
    ),
    Declared(
        "job.joined",
        "job",
        _("Somebody asked for work that was under way already."),
        is_told=False,
        short=_("Joined"),
    ),
    Declared(
        "job.stopped",
        "job",
        _("Somebody stopped work that was under way; what was done by then stays."),
        is_told=False,
        short=_("Stopped"),
    ),
)
