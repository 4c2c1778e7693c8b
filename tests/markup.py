"""Pages as tests compare them."""

import re


def tight(page: str) -> str:
    """Return a page without the white space that its templates' lines put beside its tags."""
    return re.sub(r"\s*\n\s*(?=<)|(?<=>)\s*\n\s*", "", page)


def squeezed(page: str) -> str:
    """Return a page with one blank wherever its templates' lines put white space."""
    return " ".join(page.split())
