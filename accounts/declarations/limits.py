"""How much can be said of one account."""

from typing import Final

MOST_TAGS: Final = 20
MOST_MEMBERS: Final = 50
"""So many members its own data has."""
LONGEST_METADATA: Final = 16_000
"""So many characters its own data has, written as JSON."""
