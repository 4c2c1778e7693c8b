"""Each request gets an actor, in whose tenant's transaction it runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from accounts.models import ApiKey, Person
from accounts.queries import principals
from tenancy import clock, database
from tenancy.actor import Actor
from tenancy.errors import BillingError, Forbidden, NotFound
from tenancy.middleware import Next
from tenancy.models import Tenant

API_PREFIX = "/api/"
PORTAL_PREFIX = "/portal/"
TENANT_IN_SESSION = "tenant_id"
_BEARER = re.compile(r"Bearer +(sk_[!-~]{1,200})", re.IGNORECASE | re.ASCII)
_NOTED_EVERY = timedelta(minutes=1)

Call = Callable[[], HttpResponseBase]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class ActorRequest(HttpRequest):
    """A request that came in with an actor: what views behind a sign-in take.

    Attributes:
        actor: who acts.
        tenant: the tenant it acts for.
        tenants: the tenant, and for views marked by ``with_tenants`` all others of the person.
        has_more_tenants: whether the person belongs to others as well.
        request_id: ties answer, log lines and audit entries together.
    """

    actor: Actor
    tenant: Tenant
    tenants: Sequence[Tenant]
    has_more_tenants: bool
    request_id: str


class Later(HttpResponse):
    """An answer that takes long: made when the request's transaction has ended.

    ``make`` opens transactions of its own, and turns every refusal into an answer.
    """

    def __init__(self, make: Callable[[], HttpResponseBase]) -> None:
        """Keep how to make it."""
        super().__init__()
        self.make = make


def without_actor(view: View) -> View:
    """Mark a view that needs no actor, so that nothing is looked up before it is called."""
    view.without_actor = True  # type: ignore[attr-defined]
    return view


def with_tenants(view: View) -> View:
    """Mark a view that shows all tenants of the person; others are spared reading them."""
    view.with_tenants = True  # type: ignore[attr-defined]
    return view


class ActorMiddleware:
    """Find who acts, and run the view in one transaction of its tenant.

    Whoever is unknown gets ``request.actor = None`` and no tenant's transaction: row security
    then shows the view nothing. Template responses are rendered inside; a streaming response's
    body is read after the transaction and must not query. What takes long is left for ``Later``.
    """

    def __init__(self, get_response: Next) -> None:
        """Keep what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Begin without an actor."""
        seen = cast(ActorRequest, request)
        seen.actor, seen.tenant, seen.tenants = None, None, ()  # type: ignore[assignment]
        seen.has_more_tenants = False
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: View,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> HttpResponseBase | None:
        """Call the view inside its tenant's transaction; leave it to Django without an actor."""
        if getattr(view, "without_actor", False):
            return None
        call = partial(_answer, view, cast(ActorRequest, request), args, kwargs)
        if request.path.startswith(API_PREFIX):
            return _as_key(cast(ActorRequest, request), call)
        wants_others = getattr(view, "with_tenants", False)
        return _as_person(cast(ActorRequest, request), call, wants_others=wants_others)


def answer_as_person(request: HttpRequest, call: Callable[[], HttpResponse]) -> HttpResponse | None:
    """Answer as the person signed in where no view did, None if that is nobody of a tenant."""
    seen = cast(ActorRequest, request)
    if getattr(request, "user", None) is None or getattr(request, "actor", None) is not None:
        return None
    return cast("HttpResponse | None", _as_person(seen, call, wants_others=False))


def _as_key(request: ActorRequest, call: Call) -> HttpResponseBase | None:
    """Answer as the API key of the request, None when it has none that can be used."""
    bearer = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    principal = principals.find_key(bearer[1]) if bearer else None
    if principal is None:
        return None
    # Expiry is a matter of real time, also where the tenant's own clock stands still.
    now = datetime.now(UTC)
    with database.scope(principal.tenant_id):
        key = principals.usable_key(principal.id, principal.tenant_id, now=now)
        if key is None:
            return None
        tenant = Tenant.objects.get(pk=principal.tenant_id)
        _enter(request, tenant, (tenant,), _key_actor(request, key, tenant))
        response = call()
    _note_use(key, now)
    return _finished(response)


def _as_person(request: ActorRequest, call: Call, *, wants_others: bool) -> HttpResponseBase | None:
    """Answer as the person signed in, for the tenant of the session or else their first."""
    person = request.user
    if not isinstance(person, Person) or not person.is_authenticated:
        return None
    places = principals.find_places(person)
    if not places:
        return None
    wanted = request.session.get(TENANT_IN_SESSION)
    place = next((p for p in places if str(p.tenant_id) == wanted), places[0])
    others = [p for p in places if p is not place]
    request.has_more_tenants = bool(others)
    # Each tenant is read in a transaction of its own, so before this one's begins.
    shown = principals.tenants_of(others) if wants_others else []
    with database.scope(place.tenant_id):
        tenant, role = principals.tenant_and_role(place)
        _enter(request, tenant, (tenant, *shown), _person_actor(request, person, role, tenant))
        response = call()
    return _finished(response)


def _finished(response: HttpResponseBase) -> HttpResponseBase:
    """Return an answer, made now if it was left for after the transaction."""
    if not isinstance(response, Later):
        return response
    made = response.make()
    for name, value in response.headers.items():
        made.headers.setdefault(name, value)
    return made


def _enter(request: ActorRequest, tenant: Tenant, tenants: Sequence[Tenant], actor: Actor) -> None:
    request.tenant, request.actor = tenant, actor
    request.tenants = sorted(tenants, key=lambda one: (one.name, one.pk))


def _answer(
    view: View, request: ActorRequest, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> HttpResponseBase:
    """Call and render; a refusal that the view did not turn into an answer becomes Django's."""
    try:
        response = view(request, *args, **kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response
    except NotFound as error:
        raise Http404(str(error)) from error
    except Forbidden as error:
        raise PermissionDenied(str(error)) from error
    except BillingError as error:
        raise BadRequest(str(error)) from error


def _key_actor(request: ActorRequest, key: ApiKey, tenant: Tenant) -> Actor:
    return Actor(
        tenant_id=tenant.pk,
        kind="key",
        label=f"{key.name} ({key})",
        origin="api",
        scopes=frozenset(key.scopes),
        reach_id=key.reach_id,
        key_id=key.pk,
        today=clock.today_of(tenant),
        request_id=request.request_id,
    )


def _person_actor(request: ActorRequest, person: Person, role: str | None, tenant: Tenant) -> Actor:
    return Actor(
        tenant_id=tenant.pk,
        kind="person",
        label=person.name or person.email,
        origin="portal" if request.path.startswith(PORTAL_PREFIX) else "dashboard",
        person_id=person.pk,
        staff_role=role,
        today=clock.today_of(tenant),
        request_id=request.request_id,
    )


def _note_use(key: ApiKey, now: datetime) -> None:
    """Remember when a key was last used, in a transaction of its own.

    Inside the view's it would be lost with a refusal, and requests of one key would wait for each
    other's row lock.
    """
    if key.last_used_at is not None and now - key.last_used_at < _NOTED_EVERY:
        return
    with database.scope(key.tenant_id):
        ApiKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=now - _NOTED_EVERY),
            tenant_id=key.tenant_id,
            pk=key.pk,
        ).update(last_used_at=now)
