"""Pages that only the portal has."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest


@require_safe
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Welcome a customer; the vendor's own people have the dashboard."""
    actor = cast(ActorRequest, request).actor
    if actor is None:
        raise PermissionDenied(_("You do not belong to any company here yet."))
    if actor.staff_role is not None:
        return redirect("home")
    return render(request, "portal/overview.html")
