"""Keys that a form carries for what it will make: sent twice, it makes it once.

They are signed for the tenant, so nobody can choose one.
"""

from uuid import UUID

from django.core import signing

from tenancy.actor import Actor
from tenancy.ids import uuid7


def fresh_key(actor: Actor) -> str:
    """Return a new key, as a form carries it."""
    return _signer(actor).sign(str(uuid7()))


def key_in(actor: Actor, carried: str) -> UUID | None:
    """Return the key that a form carries, None if it is none of ours."""
    try:
        return UUID(_signer(actor).unsign(carried))
    except (signing.BadSignature, ValueError):
        return None


def _signer(actor: Actor) -> signing.Signer:
    return signing.Signer(salt=f"form-key:{actor.tenant_id}")
