"""Who may use the API: the bearer of a key, for what the key's scopes say."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenancy.actor import Actor
from tenancy.errors import Forbidden


class ScopeMissing(Forbidden):
    """The key was not given the scope that this needs."""

    code = "scope_missing"
    message = _("This key lacks the scope %(scope)s.")


@dataclass(frozen=True, slots=True)
class Bearer:
    """What Django REST framework calls a user: somebody with an actor."""

    actor: Actor

    @property
    def is_authenticated(self) -> bool:
        """Always: without an actor there is no bearer."""
        return True


class ApiKeyAuthentication(BaseAuthentication):
    """Accepts whom the actor middleware has found; everybody else is told how to sign in."""

    def authenticate(self, request: Request) -> tuple[Bearer, None] | None:
        """Return the bearer, None without a key.

        Raises:
            AuthenticationFailed: there is a key, but it is unknown, expired or revoked.
        """
        actor: Actor | None = getattr(request, "actor", None)
        if actor is not None:
            return Bearer(actor), None
        if request.headers.get("Authorization"):
            raise AuthenticationFailed(_("This API key cannot be used."), "invalid_key")
        return None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="api"'


class ScopedKey(BasePermission):
    """Requires the scope that a view names for the method.

    A courtesy to integrators, who would otherwise wonder about empty lists: what may be read or
    done is decided by ``accounts.access`` in every query and operation.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the request has an actor.

        Raises:
            ScopeMissing: it has one, whose key lacks the scope.
        """
        if not isinstance(request.user, Bearer):
            return False
        scope = getattr(view, "scopes", {}).get(request.method)
        actor = request.user.actor
        if scope is not None and actor.kind == "key" and scope not in actor.scopes:
            raise ScopeMissing(scope=str(scope))
        return True


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the key in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key as `sk_live_…` or `sk_test_…`.",
        }
