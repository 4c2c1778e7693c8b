"""Items of plans in words, the same on every page."""

from django.utils.translation import gettext as _

from subscriptions.models import PlanItem
from web.templatetags.figures import quantity


def bounds_text(item: PlanItem) -> str:
    """Return between which quantities an item of a plan is had."""
    if item.minimum is None and item.maximum is None:
        return "–"
    values = {
        "least": "" if item.minimum is None else quantity(item.minimum),
        "most": "" if item.maximum is None else quantity(item.maximum),
    }
    if item.maximum is None:
        return _("from %(least)s") % values
    if item.minimum is None:
        return _("up to %(most)s") % values
    return _("%(least)s to %(most)s") % values
