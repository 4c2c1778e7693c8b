"""``/api/v1/calendar``: what falls on which day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from reports.operations.forecasts import refresh_calendar
from reports.queries.calendar import IN_ORDER, calendar_entries
from reports.serializers.calendar import CalendarEntryOut, CalendarParameters, FreshnessOut
from tenancy.api.answering import ActorApiRequest, ActorView, many
from tenancy.api.paging import KeysetPagination
from tenancy.queries.paging import Order

_DAYS = 30
_FRESHNESS: Final = {
    "type": "object",
    "description": "Of when the calendar is.",
    "required": ["as_of", "complete_until", "is_being_made", "ready_until"],
    "properties": {
        "as_of": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When its oldest part was made; null: never.",
        },
        "complete_until": {
            "type": ["string", "null"],
            "format": "date",
            "description": "What is to come is complete up to this day.",
        },
        "is_being_made": {
            "type": "boolean",
            "description": "Something has happened since, which is worked in: ask again.",
        },
        "ready_until": {
            "type": ["string", "null"],
            "format": "date",
            "description": (
                "While it is being made: up to this day it is made anew already."
                " Null: nothing of it yet, or it is not being made."
            ),
        },
    },
}


class CalendarPages(KeysetPagination):
    """Pages that say of when the calendar is."""

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the envelope for the OpenAPI document."""
        envelope = super().get_paginated_response_schema(schema)
        return {
            **envelope,
            "required": [*envelope["required"], "calendar"],
            "properties": {**envelope["properties"], "calendar": _FRESHNESS},
        }


class CalendarList(ActorView):
    """``GET /api/v1/calendar``."""

    pagination_class = CalendarPages

    scopes: ClassVar = {"GET": Action.VIEW_INVOICE}
    keyset: ClassVar[Order] = IN_ORDER

    @extend_schema(
        operation_id="list_calendar",
        parameters=[CalendarParameters],
        responses=CalendarEntryOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List what falls on some days: invoices, due dates, renewals and more.

        A key sees the kinds that its scopes allow. The answer says in `calendar` of when it is.
        """
        actor, values = request.actor, self.parameters(request, CalendarParameters)
        within = referred(actor, values, "in", Action.VIEW_INVOICE)
        first = values.get("from", actor.today)
        found = calendar_entries(
            actor,
            within=within,
            first=first,
            last=values.get("to", first + min(timedelta(days=_DAYS), date.max - first)),
            kinds=values.get("kinds", ()),
        )
        freshness = refresh_calendar(
            actor, within, tenant=request.tenant, today=actor.today, now=timezone.now()
        )
        answer = self.listed(many(CalendarEntryOut, self.page(found, request)))
        described: Any = FreshnessOut(freshness).data
        answer.data["calendar"] = described
        return answer
