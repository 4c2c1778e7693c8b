"""``/api/v1/meters`` and ``/api/v1/usage``: what is measured, and what was used."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.serializers.parts import DryRunParameters, NoParameters, PageParameters
from subscriptions.models import Meter
from subscriptions.operations.catalogue import (
    archive_meter,
    create_meter,
    edit_meter,
    reopen_meter,
)
from subscriptions.operations.catalogue.meters import NewMeter
from subscriptions.operations.usage import MOST_EVENTS, NewUsage, report_usage
from subscriptions.queries.meters import get_meter, meters
from subscriptions.queries.subscriptions import get_subscription
from subscriptions.queries.usage import usage_days, with_quantities
from subscriptions.serializers.metering import (
    MeterIn,
    MeterOut,
    MeterPatchIn,
    ReportedOut,
    UsageIn,
    UsageOut,
    UsageParameters,
)
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, created, many, tagged, tried
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, InvalidParameters, pointer, read_body, read_parameters
from tenancy.errors import FieldError, NotFound
from tenancy.queries.paging import Order

_DIGITS: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_LONGEST: Final = {"event_id": 200, "subscription": 250, "meter": 250, "unique_key": 200}
_NEEDED: Final = frozenset({"event_id", "subscription", "meter", "quantity", "at"})
_A_TEXT: Final = gettext_lazy("A text is expected.")
_A_NUMBER: Final = gettext_lazy("A decimal number as a text is expected, such as “2.5”.")
_AN_INSTANT: Final = gettext_lazy(
    "An instant with its offset from UTC is expected, such as 2026-11-05T14:30:00Z."
)


class MeterList(ActorView):
    """``/api/v1/meters``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.EDIT_CATALOGUE}
    keyset: ClassVar = Order("name")

    @extend_schema(
        operation_id="list_meters", parameters=[PageParameters], responses=MeterOut(many=True)
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List meters by name."""
        self.parameters(request, PageParameters)
        return self.listed(many(MeterOut, self.page(meters(request.actor), request)))

    @extend_schema(
        operation_id="create_meter",
        parameters=[DryRunParameters],
        request=MeterIn,
        responses={200: MeterOut, 201: MeterOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Add something that is measured."""
        is_dry_run = _is_dry_run(request)
        wanted = NewMeter(**read_body(request, MeterIn))
        with tried(is_dry_run=is_dry_run):
            meter = create_meter(request.actor, wanted, now=timezone.now())
        return created(request, MeterOut(meter).data, meter.public_id, is_new=not is_dry_run)


class MeterDetail(ActorView):
    """``/api/v1/meters/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "PATCH": Action.EDIT_CATALOGUE}

    @extend_schema(operation_id="get_meter", responses=MeterOut)
    def get(self, request: ActorApiRequest, meter: str) -> HttpResponseBase:
        """Show a meter."""
        self.parameters(request, NoParameters)
        return tagged(request, MeterOut(get_meter(request.actor, meter)).data)

    @extend_schema(
        operation_id="edit_meter",
        parameters=[DryRunParameters],
        request=MeterPatchIn,
        responses=MeterOut,
    )
    def patch(self, request: ActorApiRequest, meter: str) -> HttpResponseBase:
        """Call a meter something else, or let it measure otherwise before a price names it."""
        is_dry_run = _is_dry_run(request)
        values = read_body(request, MeterPatchIn)
        found = get_meter(request.actor, meter)
        with tried(is_dry_run=is_dry_run):
            changed = edit_meter(
                request.actor,
                found.pk,
                values,
                require_seen=_seen(request, found),
                now=timezone.now(),
            )
        return tagged(request, MeterOut(changed).data)


class MeterArchival(ActorView):
    """``POST /api/v1/meters/{id}/archival``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="archive_meter",
        parameters=[DryRunParameters],
        request=None,
        responses=MeterOut,
    )
    def post(self, request: ActorApiRequest, meter: str) -> HttpResponseBase:
        """Let no new price be charged by a meter; what runs is measured as before."""
        return _put(request, meter, archive_meter)


class MeterReopening(ActorView):
    """``POST /api/v1/meters/{id}/reopening``."""

    scopes: ClassVar = {"POST": Action.EDIT_CATALOGUE}

    @extend_schema(
        operation_id="reopen_meter",
        parameters=[DryRunParameters],
        request=None,
        responses=MeterOut,
    )
    def post(self, request: ActorApiRequest, meter: str) -> HttpResponseBase:
        """Let new prices be charged by an archived meter again."""
        return _put(request, meter, reopen_meter)


class UsageList(ActorView):
    """``/api/v1/usage``."""

    scopes: ClassVar = {"GET": Action.VIEW_SUBSCRIPTION, "POST": Action.REPORT_USAGE}
    keyset: ClassVar = Order("day", is_falling=True)

    @extend_schema(
        operation_id="list_usage", parameters=[UsageParameters], responses=UsageOut(many=True)
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List what was used, subscription by subscription and day by day, the latest first."""
        actor, values = request.actor, self.parameters(request, UsageParameters)
        found = usage_days(
            actor,
            within=referred(actor, values, "in", Action.VIEW_SUBSCRIPTION),
            subscription=_subscription(actor, values),
            meter=_meter(actor, values),
            since=values.get("from"),
            until=values.get("to"),
        )
        return self.listed(many(UsageOut, with_quantities(actor, self.page(found, request))))

    @extend_schema(
        operation_id="report_usage",
        description="Report what was used: one event, or a list of up to 1,000. All are stored, or"
        " none where something is wrong. An `event_id` that is known is ignored and counted.",
        parameters=[DryRunParameters],
        request=PolymorphicProxySerializer(
            component_name="Usage",
            serializers=[UsageIn, UsageIn(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses=ReportedOut,
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Report what was used."""
        is_dry_run = _is_dry_run(request)
        events = list(_events(request.data))
        with tried(is_dry_run=is_dry_run):
            reported = report_usage(
                request.actor, events, today=request.actor.today, now=timezone.now()
            )
        return Response(ReportedOut(reported).data)


def _is_dry_run(request: ActorApiRequest) -> bool:
    return bool(read_parameters(request, DryRunParameters)["dry_run"] == "true")


def _put(request: ActorApiRequest, reference: str, put: Callable[..., Meter]) -> HttpResponseBase:
    """Archive a meter, or take it up again."""
    is_dry_run = _is_dry_run(request)
    found = get_meter(request.actor, reference)
    with tried(is_dry_run=is_dry_run):
        meter = put(request.actor, found.pk, require_seen=_seen(request, found), now=timezone.now())
    return tagged(request, MeterOut(meter).data)


def _seen(request: ActorApiRequest, found: Meter) -> Callable[[], object]:
    def shown() -> Mapping[str, Any]:
        return MeterOut(get_meter(request.actor, found.public_id)).data

    return lambda: require_match(request, shown)


def _subscription(actor: Actor, values: Mapping[str, Any]) -> Any:
    if "subscription" not in values:
        return None
    try:
        return get_subscription(actor, values["subscription"], today=actor.today).pk
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such subscription."), "/subscription")
        raise InvalidParameters(errors=[wrong]) from error


def _meter(actor: Actor, values: Mapping[str, Any]) -> Any:
    if "meter" not in values:
        return None
    try:
        return get_meter(actor, values["meter"]).pk
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such meter."), "/meter")
        raise InvalidParameters(errors=[wrong]) from error


def _events(data: Any) -> list[NewUsage]:
    """Return the events of a body: one, or a list of them.

    Read without the framework's fields, which take twenty times as long for a thousand.

    Raises:
        InvalidBody: all that is wrong is named.
    """
    is_list = isinstance(data, list)
    given = data if is_list else [data]
    if not 1 <= len(given) <= MOST_EVENTS:
        detail = _("1 to %(most)s events are expected.") % {"most": f"{MOST_EVENTS}"}
        raise InvalidBody(errors=[FieldError("out_of_range", detail)])
    errors: list[FieldError] = []
    events: list[NewUsage] = []
    for place, one in enumerate(given):
        at = f"/{place}" if is_list else ""
        known = len(errors)
        errors += _faults(one, at)
        if len(errors) == known:
            events.append(
                NewUsage(
                    one["event_id"],
                    one["subscription"],
                    one["meter"],
                    Decimal(one["quantity"]),
                    datetime.fromisoformat(one["at"]),
                    one.get("unique_key", ""),
                )
            )
    if errors:
        raise InvalidBody(errors=errors)
    return events


def _faults(one: Any, at: str) -> Iterator[FieldError]:
    """Yield what is wrong with the form of an event."""
    if not isinstance(one, Mapping):
        yield FieldError("not_an_object", _("An object is expected."), at)
        return
    for name in one.keys() - _NEEDED - {"unique_key"}:
        detail = _("There is nothing of this name.")
        yield FieldError("unknown_name", detail, at + pointer(str(name)))
    for name in sorted(_NEEDED - one.keys()):
        yield FieldError("required", _("This field is required."), f"{at}/{name}")
    for name, longest in _LONGEST.items():
        text = one.get(name)
        if name not in one:
            continue
        if not isinstance(text, str):
            yield FieldError("invalid", str(_A_TEXT), f"{at}/{name}")
        elif not text or len(text) > longest or "\x00" in text:
            detail = _("1 to %(longest)s characters are expected.") % {"longest": longest}
            yield FieldError("invalid", detail, f"{at}/{name}")
    yield from _fault_of(one, "quantity", _is_number, _A_NUMBER, at)
    yield from _fault_of(one, "at", _is_instant, _AN_INSTANT, at)


def _fault_of(
    one: Mapping[str, Any], name: str, fits: Callable[[Any], bool], said: Promise, at: str
) -> Iterator[FieldError]:
    if name in one and not fits(one[name]):
        yield FieldError("invalid", str(said), f"{at}/{name}")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return abs(value) < 10**30 if isinstance(value, int) else bool(_DIGITS.fullmatch(value))


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
