"""One tree of 50,000 accounts in 12 levels: loaded, resolved, looked at, and partly moved."""

import statistics
import time
from collections.abc import Callable, Iterator

from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment

from accounts import tree
from accounts.models import Person, SettingName
from accounts.queries.settings import setting_history
from benchmarks.figures import Figure
from benchmarks.vendors import load_subscriptions, tree_rows, vendor_with_prices
from benchmarks.worker import peak_mib
from tenancy.ids import public_id
from tests.databases import clone
from tests.world import TODAY, Vendor

ACCOUNTS = 50_000
LEVELS = 12
WIDEST = 2_000
MOVED = 5_000
_LOOKS = 5


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield the figures of one tree, smaller by ten where it has to be quick."""
    share = 10 if is_quick else 1
    rows = tree_rows(ACCOUNTS // share, LEVELS, WIDEST // share, MOVED // share)
    size = f"{len(rows)} accounts, {LEVELS} levels"
    setup_test_environment()
    with clone():
        vendor = vendor_with_prices()
        start = time.monotonic()
        vendor.has("accounts", *rows)
        yield Figure("tree, imported", size, time.monotonic() - start, "s",
                     peak_mib=peak_mib(), bound="value <= 15")  # fmt: skip
        load_subscriptions(vendor, [str(row["external_id"]) for row in rows[::2]])
        yield Figure("tree, effective settings of all", size, _resolved(vendor, len(rows)), "s",
                     bound="value <= 1")  # fmt: skip
        yield from _pages(vendor, size, WIDEST // share)
        yield _moved(vendor)
        connection.close()


def _median(work: Callable[[], None]) -> float:
    """Return how long it takes once everything is warm, in seconds."""
    work()
    seconds = []
    for _ in range(_LOOKS):
        start = time.monotonic()
        work()
        seconds.append(time.monotonic() - start)
    return statistics.median(seconds)


def _resolved(vendor: Vendor, count: int) -> float:
    root_id = vendor.id_of("N0")

    def resolve() -> None:
        with vendor.seen():
            members = tree.families(vendor.tenant_id, [root_id])[root_id]
            history = setting_history(vendor.actor, members, families=[root_id])
            settings = history.on(TODAY)
            found = [settings.value(member, SettingName.BILLING_DAY) for member, _up in members]
        assert found == [1] * count

    return _median(resolve)


def _pages(vendor: Vendor, size: str, widest: int) -> Iterator[Figure]:
    client = Client()
    person = vendor.staff("Alice", "finance_admin").person_id
    client.force_login(Person.objects.get(pk=str(person)))
    for name, key, query, headers, bound in (
        ("tree page, first paint", "N0", "", {}, 0.3),
        (f"tree page, {widest} children opened", "N1", "?level=2", {"HX-Request": "true"}, 0.15),
    ):
        url = f"/customers/{public_id('acc', vendor.id_of(key))}/tree/{query}"

        def look(url: str = url, headers: dict[str, str] = headers) -> None:
            assert client.get(url, headers=headers).status_code == 200

        yield Figure(name, size, _median(look), "s", bound=f"value <= {bound}")

    def look_at_list() -> None:
        assert client.get("/customers/").status_code == 200

    yield Figure("list of customers", size, _median(look_at_list), "s")


def _moved(vendor: Vendor) -> Figure:
    with vendor.seen():
        below = len(tree.descendants_by_recursion(vendor.tenant_id, vendor.id_of("N2")))
    start = time.monotonic()
    with vendor.seen():
        tree.move(vendor.tenant_id, vendor.id_of("N2"), vendor.id_of("N3"))
    seconds = time.monotonic() - start
    assert vendor.faults() == []
    return Figure("subtree moved", f"{below} accounts", seconds, "s", bound="value <= 2")
