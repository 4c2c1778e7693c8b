"""Pages as tests compare them."""

import re


def tight(page: str) -> str:
    """Return a page without the white space that its templates' lines put beside its tags."""
    return re.sub(r"\s*\n\s*(?=<)|(?<=>)\s*\n\s*", "", page)
