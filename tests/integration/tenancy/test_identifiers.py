"""Ids that the database hands over are those that Python's own reading of them gives."""

import pickle
from uuid import UUID

import pytest
from django.db import connection

from tenancy.ids import uuid_of

pytestmark = pytest.mark.django_db

TEXTS = [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "01a2262b-1a44-7f03-8ca5-55c67081a98b",
]


@pytest.mark.parametrize("text", TEXTS)
def test_an_id_is_what_python_reads(text):
    one = uuid_of(text)

    assert (one, hash(one), str(one), repr(one)) == (
        UUID(text), hash(UUID(text)), text, repr(UUID(text)),
    )  # fmt: skip
    assert one.is_safe is UUID(text).is_safe
    assert pickle.loads(pickle.dumps(one)) == one


def test_the_driver_hands_over_ids_lists_and_nothing():
    with connection.cursor() as cursor:
        for _twice in range(2):
            cursor.execute(
                "SELECT %s::uuid, NULL::uuid, %s::uuid[], ARRAY[NULL]::uuid[], '{}'::uuid[]",
                [TEXTS[2], TEXTS],
            )
            assert cursor.fetchone() == (
                UUID(TEXTS[2]), None, [UUID(text) for text in TEXTS], [None], [],
            )  # fmt: skip
