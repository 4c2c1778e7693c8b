"""A vendor of any size, made through the imports that customers use."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from accounts.actor import Actor
from accounts.ids import uuid7
from accounts.operations.importing import import_accounts
from accounts.operations.tenants import create_tenant
from accounts.tenancy.lookup import find_tenant_id
from subscriptions.operations.importing import import_prices, import_subscriptions

TODAY = date(2026, 11, 23)
RUN_DATE = date(2026, 12, 1)
_BRANCHES = 10
_PRICES = (
    ("desk", "per_unit", "9.00", ""),
    ("mail", "flat", "19.90", ""),
    ("watch", "graduated", "", "10:2.5:0|inf:2.255:0"),
)


def make_vendor(slug: str = "bench") -> Actor:
    """Return who acts for a new sandbox tenant."""
    actor = Actor.system(uuid7(), origin="benchmark")
    create_tenant(
        actor,
        slug.capitalize(),
        slug=slug,
        country="DE",
        currency="EUR",
        is_sandbox=True,
        clock=TODAY,
        now=datetime.now(UTC),
    )
    return actor


def load_accounts(actor: Actor, rows: Iterable[Sequence[object]]) -> None:
    """Import accounts: external id, parent, name, kind, legal name, street, city, country, day."""
    head = "external_id,parent_external_id,name,kind,legal_name,line1,city,country,billing_day"
    report = import_accounts(
        actor, _csv(head, rows), is_dry_run=False, today=TODAY, now=datetime.now(UTC)
    )
    assert not report.errors, report.errors[:3]


def load_prices(actor: Actor) -> None:
    """Import three monthly prices in advance, of three models."""
    head = "external_id,product,name,model,currency,unit_amount,tiers,interval,timing,tax_rate"
    rows = [
        (key, key.capitalize(), key.capitalize(), model, "EUR", amount, tiers, "month", "advance",
         19)
        for key, model, amount, tiers in _PRICES
    ]  # fmt: skip
    report = import_prices(
        actor, _csv(head, rows), is_dry_run=False, today=TODAY, now=datetime.now(UTC)
    )
    assert not report.errors, report.errors[:3]


def load_subscriptions(actor: Actor, rows: Iterable[tuple[str, str, int]]) -> None:
    """Import subscriptions: external id, account, and a number that price and quantity follow."""
    head = "external_id,account_external_id,price_external_id,quantity,start_date"
    full = (
        (key, owner, _PRICES[number % 3][0], 1 + number * 7 % 60, RUN_DATE)
        for key, owner, number in rows
    )
    report = import_subscriptions(actor, _csv(head, full), is_dry_run=False, now=datetime.now(UTC))
    assert not report.errors, report.errors[:3]


def load_families(actor: Actor, families: int, subscriptions: int) -> None:
    """Import families of a company and ten branches, and subscriptions spread over them evenly."""
    load_accounts(actor, _family_rows(families))
    load_prices(actor)
    each = subscriptions // families
    load_subscriptions(
        actor,
        (
            (f"S{family}-{number}", f"F{family}-{number % _BRANCHES}", family + number)
            for family in range(families)
            for number in range(each)
        ),
    )


def _family_rows(families: int) -> Iterator[Sequence[object]]:
    for family in range(families):
        key = f"F{family}"
        yield (
            key,
            "",
            f"Family {family}",
            "company",
            f"Family {family} GmbH",
            "Weg 1",
            "Kiel",
            "DE",
            1,
        )
        for branch in range(_BRANCHES):
            yield f"{key}-{branch}", key, f"Branch {branch}", "branch", "", "", "", "", ""


def _csv(head: str, rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    text.write(f"{head}\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def tenant_of(slug: str = "bench") -> UUID:
    """Return the id of a vendor that was made in this database."""
    found = find_tenant_id(slug)
    assert found is not None
    return found
