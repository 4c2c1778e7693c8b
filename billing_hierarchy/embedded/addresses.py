"""The one place where addresses of Redis and PostgreSQL are spelt.

redis-py calls a Unix socket ``unix:///path?db=0``, kombu ``redis+socket:///path?virtual_host=0``.
``REDIS_URL`` may be written either way; addresses over TCP pass unchanged.
"""

from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

DATABASE = "billing"
"""The embedded cluster's database."""

_FOR_REDIS = ("unix", "db")
_FOR_CELERY = ("redis+socket", "virtual_host")


def redis_url(url: str) -> str:
    """Return ``url`` as redis-py and Django's cache want it."""
    return _respell(url, *_FOR_REDIS)


def celery_url(url: str) -> str:
    """Return ``url`` as Celery's broker (kombu) and result backend want it."""
    return _respell(url, *_FOR_CELERY)


def redis_socket_url(socket: Path) -> str:
    """Return the address of the Redis that listens at ``socket``, as redis-py wants it."""
    return f"unix://{quote(str(socket))}?db=0"


def postgresql_socket_url(folder: Path, role: str, database: str) -> str:
    """Return the address of ``database`` for ``role`` at the socket in ``folder``."""
    return f"postgresql://{role}@{quote(str(folder), safe='')}:5432/{database}"


def _respell(url: str, scheme: str, database_option: str) -> str:
    """Give the address of a Unix socket another scheme and another name for its database number."""
    parts = urlsplit(url)
    if parts.scheme not in {"unix", "redis+socket", "socket"}:
        return url
    options = [
        (database_option if name in {"db", "virtual_host"} else name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    # Not geturl(): it drops the empty host of a scheme that it does not know.
    query = f"?{urlencode(options)}" if options else ""
    return f"{scheme}://{parts.netloc}{parts.path}{query}"
