"""Ids as the driver hands them over: a run reads six for each item that it bills."""

from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection

from tenancy.ids import uuid_of

_UUID: Final = 2950
_UUIDS: Final = 2951


def read_ids_quickly() -> None:
    """Have the driver make ids by ``uuid_of``, on every connection of this process.

    Its own way checks what the database has checked already, and makes an id that stands in many
    rows anew for each.
    """
    # The driver's module, as Django knows it; its types don't tell of it.
    wrapper: Any = connection
    driver = wrapper.Database.extensions
    one = driver.new_type((_UUID,), "UUID", _read)
    driver.register_type(one)
    driver.register_type(driver.new_array_type((_UUIDS,), "UUID[]", one))


def _read(text: str | None, _cursor: object) -> UUID | None:
    return None if text is None else _known(text)


# As many as a batch of a run has items, subscriptions and accounts.
_known = lru_cache(maxsize=8_192)(uuid_of)
