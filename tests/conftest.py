"""The shared world: a vendor in a sandbox on 23 November 2026, and three people.

Alice keeps the vendor's finances, Bob may look at one customer, Charlie belongs to nobody here.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from tenancy.actor import Actor
from tests.world import Vendor, make_vendor


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Keep slow hashing to the tests that are about it."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
    ]


@pytest.fixture(autouse=True)
def _english() -> None:
    """Begin in the default language, whatever the last request of the test before asked for."""
    translation.deactivate()


@pytest.fixture
def vendor(db: None) -> Vendor:
    """A sandbox tenant whose clock stands at 2026-11-23; rolled back."""
    return make_vendor()


@pytest.fixture
def other_vendor(vendor: Vendor) -> Vendor:
    """Another tenant in the same database."""
    return make_vendor("rival")


@pytest.fixture
def live_vendor(db: None) -> Vendor:
    """A live tenant: its clock is the real one, its seller is a placeholder."""
    return make_vendor("live", sandbox=False)


@pytest.fixture
def committed_vendor(committed_database: str) -> Vendor:
    """A sandbox tenant in a database of the test's own, for threads and processes."""
    return make_vendor()


@pytest.fixture
def alice(vendor: Vendor) -> Actor:
    """Return the vendor's finance admin."""
    return vendor.staff("Alice", "finance_admin")


@pytest.fixture
def bob(vendor: Vendor) -> Callable[[str], Actor]:
    """Return a maker of a customer's viewer of one account."""
    return lambda key: vendor.customer("Bob", "viewer", key)


@pytest.fixture
def charlie(other_vendor: Vendor) -> Actor:
    """Return the finance admin of another vendor: a stranger."""
    return other_vendor.staff("Charlie", "finance_admin")
