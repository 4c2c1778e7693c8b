"""Rows that hold from a day to a day: settings and placements."""

from datetime import date

from django.db.models import Q

from tenancy.actor import Actor


def holding_on(actor: Actor, day: date) -> Q:
    """Return the condition on the tenant's dated rows: they hold on a day."""
    return Q(Q(valid_to=None) | Q(valid_to__gt=day), tenant_id=actor.tenant_id, valid_from__lte=day)
