"""Redis at a Unix socket is spelt in two ways."""

import pytest

from billing_hierarchy.embedded.addresses import celery_url, postgresql_socket_url, redis_url

FOR_REDIS = "unix:///run/billing/redis.sock?db=3"
FOR_CELERY = "redis+socket:///run/billing/redis.sock?virtual_host=3"


@pytest.mark.parametrize("given", [FOR_REDIS, FOR_CELERY])
def test_accepts_either_spelling(given):
    assert redis_url(given) == FOR_REDIS
    assert celery_url(given) == FOR_CELERY


@pytest.mark.parametrize(
    "given", ["redis://localhost:6379/1", "rediss://:secret@cache/0?timeout=5"]
)
def test_leaves_addresses_over_tcp_alone(given):
    assert redis_url(given) == given
    assert celery_url(given) == given


def test_keeps_login_and_options():
    assert celery_url("unix://me:pass@/redis.sock?db=1&timeout=5") == (
        "redis+socket://me:pass@/redis.sock?virtual_host=1&timeout=5"
    )


def test_needs_no_option():
    assert celery_url("unix:///redis.sock") == "redis+socket:///redis.sock"


def test_writes_the_folder_of_a_socket_as_a_host(tmp_path):
    folder = tmp_path / "a b"

    url = postgresql_socket_url(folder, "billing_app", "billing")

    assert url.startswith("postgresql://billing_app@%2F")
    assert url.endswith("%2Fa%20b:5432/billing")
