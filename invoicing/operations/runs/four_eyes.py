"""Two people for one run: who asked for it does not issue what it made."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _

from tenancy.actor import Actor
from tenancy.errors import Forbidden
from tenancy.models import Tenant


class FourEyes(Forbidden):
    """Somebody would approve what they asked for themselves."""

    code = "four_eyes"
    message = _("You asked for this run yourself. Somebody else has to approve it.")


def require_four_eyes(actor: Actor, tenant: Tenant, askers: Iterable[Mapping[str, object]]) -> None:
    """Return if ``actor`` may issue what these asked for.

    People and keys are meant. What the timetable, a command or the test clock does on its own
    has nobody to ask again.

    Raises:
        FourEyes: the tenant wants two people, and the actor is one who asked.

    Source: docs/billing-rules.md, R8.
    """
    if not tenant.four_eyes or actor.actor_id is None:
        return
    if any(asker.get("id") == str(actor.actor_id) for asker in askers):
        raise FourEyes
