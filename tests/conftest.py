"""The shared world: a vendor in a sandbox on 23 November 2026, and three people.

Alice keeps the vendor's finances, Bob may look at one customer, Charlie belongs to nobody here.
"""

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings
from django.utils import translation

from tenancy.actor import Actor
from tests.scenes import scene
from tests.world import Vendor, make_vendor


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Keep slow hashing to the tests that are about it."""
    quick = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
    ]
    with override_settings(PASSWORD_HASHERS=quick):
        yield


@pytest.fixture(autouse=True)
def _english() -> None:
    """Begin in the default language, whatever the last request of the test before asked for."""
    translation.deactivate()


@scene
def vendor() -> Vendor:
    """A sandbox tenant whose clock stands at 2026-11-23; rolled back."""
    return make_vendor()


@scene
def other_vendor(vendor: Vendor) -> Vendor:
    """Another tenant in the same database."""
    return make_vendor("rival")


@scene
def live_vendor() -> Vendor:
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
