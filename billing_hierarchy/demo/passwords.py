"""The password of all demo people: the same at every start, another on every machine."""

import base64
import hashlib
import hmac

from django.conf import settings

_PURPOSE = b"billing_hierarchy.demo.password"


def demo_password() -> str:
    """Return twelve letters and digits in three groups, derived from the machine's secret key."""
    digest = hmac.new(settings.SECRET_KEY.encode(), _PURPOSE, hashlib.sha256).digest()
    # Base 32 knows neither 0 nor 1, which look like letters.
    text = base64.b32encode(digest).decode().lower()
    return "-".join((text[:4], text[4:8], text[8:12]))
