"""Answers kept for 30 days: who asks the same once more is told the same, and nothing is done."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid
from tenancy.models import KeptAnswer

KEPT: Final = timedelta(days=30)
LONGEST_KEY: Final = 255


class KeyReused(Invalid):
    """The key came with another request before."""

    code = "idempotency_key_reused"
    message = _("This Idempotency-Key was sent with another request before. Use a new one.")


class KeyInFlight(Conflict):
    """The first request with the key is still being worked on."""

    code = "idempotency_key_in_flight"
    message = _("A request with this Idempotency-Key is being worked on. Ask again in a moment.")


class InvalidKey(Invalid):
    """A key that can't be one."""

    code = "invalid_idempotency_key"
    message = _("An Idempotency-Key has 1 to %(longest)s visible characters of ASCII.")


def claim_key(
    actor: Actor, key: str, digest: str, *, now: datetime, waits: bool = False
) -> KeptAnswer | None:
    """Take a caller's key until the transaction ends; return the answer it stands for already.

    Whoever comes with the key meanwhile is refused at once instead of waiting. If the transaction
    is rolled back, the key is free again: then nothing has been done under it. Two statements.

    Args:
        actor: who asks; keys of different callers have nothing to do with each other.
        key: the caller's key.
        digest: of all that is asked.
        now: the real time; an answer older than ``KEPT`` is forgotten.
        waits: wait for whoever has the key, as a page does whose button was pressed twice.

    Raises:
        InvalidKey, KeyInFlight, KeyReused: see their texts.
    """
    if not (0 < len(key) <= LONGEST_KEY and all("!" <= letter <= "~" for letter in key)):
        raise InvalidKey(longest=LONGEST_KEY)
    if not _lock(actor, key, waits=waits):
        raise KeyInFlight
    kept = KeptAnswer.objects.filter(
        tenant_id=actor.tenant_id, caller_id=_caller(actor), key=key
    ).first()
    if kept is None:
        return None
    if kept.created_at <= now - KEPT:
        kept.delete()
        return None
    if kept.digest != digest:
        raise KeyReused
    return kept


def keep_answer(
    actor: Actor,
    key: str,
    digest: str,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Keep what was answered, in the transaction that did it. One statement."""
    KeptAnswer.objects.create(
        tenant_id=actor.tenant_id,
        caller_id=_caller(actor),
        key=key,
        digest=digest,
        status=status,
        headers=dict(headers),
        body=body,
        created_at=now,
    )


@operation
def forget_answers(actor: Actor, *, now: datetime) -> int:
    """Forget the answers of a tenant that were kept long enough; return how many. One statement."""
    old = KeptAnswer.objects.filter(tenant_id=actor.tenant_id, created_at__lte=now - KEPT)
    return old.delete()[0]


def _caller(actor: Actor) -> UUID:
    return actor.actor_id or actor.tenant_id


def _lock(actor: Actor, key: str, *, waits: bool) -> bool:
    """Return whether the caller's key was free; it is this transaction's then."""
    named = hashlib.sha256(f"{actor.tenant_id} {_caller(actor)} {key}".encode()).digest()
    number = int.from_bytes(named[:8], "big", signed=True)
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (is_free,) = cursor.fetchone()
    return bool(is_free)
