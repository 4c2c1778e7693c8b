"""What the frame around every page needs."""

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, object]:
    """Return the values of the frame for templates."""
    return {}
