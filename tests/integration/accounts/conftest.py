"""Trees without customers."""

from collections.abc import Iterator

import pytest

from tests.integration.accounts.forests import Forest
from tests.world import Vendor


@pytest.fixture
def forest(vendor: Vendor) -> Iterator[Forest]:
    """The trees of a tenant, empty, inside a transaction of it."""
    with vendor.seen():
        yield Forest(vendor)


@pytest.fixture
def family(forest: Forest) -> Forest:
    """Return two trees: A over B (over D, E over F) and C; X over Y."""
    for key, parent in [
        ("A", None), ("B", "A"), ("C", "A"), ("D", "B"), ("E", "B"), ("F", "E"),
        ("X", None), ("Y", "X"),
    ]:  # fmt: skip
        forest.insert(key, parent)
    return forest
