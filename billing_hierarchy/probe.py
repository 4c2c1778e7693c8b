"""Asks this container's web server whether it can serve (``python -m billing_hierarchy.probe``).

Nothing but the standard library: it is run every half minute.
"""

import http.client
import os
import sys

_PATIENCE_SECONDS = 4


def is_ready(port: int, host_name: str) -> bool:
    """Return whether ``/readyz`` answers 200, asked as a proxy with TLS would."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request(
            "GET", "/readyz", headers={"Host": host_name, "X-Forwarded-Proto": "https"}
        )
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """Return 0 if it is ready, else 1."""
    host_names = os.environ.get("ALLOWED_HOSTS") or "localhost"
    # A pattern such as “.example.com” stands for the name, too.
    host_name = host_names.split(",")[0].strip().lstrip(".*") or "localhost"
    return 0 if is_ready(int(os.environ.get("PORT") or "8000"), host_name) else 1


if __name__ == "__main__":
    sys.exit(main())
