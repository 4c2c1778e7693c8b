"""Whether the process lives, and whether it can serve."""

import logging

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.middleware import without_actor
from billing_hierarchy.schema_check import pending_migrations

logger = logging.getLogger(__name__)


@without_actor
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process lives; asks nobody."""
    return JsonResponse({"status": "ok"})


@without_actor
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers and has this version's tables, else 503."""
    try:
        pending = pending_migrations()
    except Error:
        logger.exception("The database does not answer.")
        return JsonResponse({"status": "unavailable", "database": "unavailable"}, status=503)
    if pending:
        logger.error("The database lacks migrations: %s.", ", ".join(pending))
        return JsonResponse({"status": "unavailable", "database": "not migrated"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})
