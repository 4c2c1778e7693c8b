"""How much of a plan's preview somebody may see."""

from collections.abc import Mapping
from typing import Any

from accounts import access
from accounts.access import Action
from invoicing.models import ChangePlan
from tenancy.actor import Actor
from tenancy.ids import parse_public_id


def preview_for(actor: Actor, plan: ChangePlan) -> dict[str, Any]:
    """Return the preview of a plan that was read, as far as the actor may see it.

    Whoever is asked to agree sees what would come to their own accounts, and nothing of others.
    One statement at most.
    """
    preview: dict[str, Any] = plan.preview
    if access.allows_everywhere(actor, Action.VIEW_SETTINGS):
        return preview
    rows = [one for one in preview["billing"] if _ids(one)]
    ids = {key for one in rows for key in _ids(one)}
    keys = {key: found for key in ids if (found := parse_public_id("acc", key))}
    reached = set(
        access.reach(actor, Action.VIEW_INVOICE)
        .filter(pk__in=keys.values())
        .order_by()
        .values_list("pk", flat=True)
    )
    seen = {text for text, key in keys.items() if key in reached}
    return {
        "accounts": preview["accounts"],
        "billing": [
            {**one, "sections": [], "more_sections": 0} for one in rows if seen & {*_ids(one)}
        ],
    }


def _ids(row: Mapping[str, Any]) -> list[str]:
    """Return the recipient, and who pays before and after."""
    sides = [side["payer"]["id"] for side in (row["before"], row["after"]) if side]
    return [row["bill_to"]["id"], *sides]
