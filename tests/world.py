"""A vendor and its customers, made the way customers make them: by import files."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from accounts import tree
from accounts.models import Account, Contact, Grant, Membership, Person
from accounts.operations.importing import ImportReport
from accounts.operations.tenants import create_tenant
from invoicing.models import BillingRun, Invoice, RunProblem
from invoicing.operations.runs import RunReport, run_billing, work_on_run
from invoicing.queries.books import verify_books
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.files.kinds import import_kinds
from tenancy.ids import uuid7
from tenancy.models import Tenant

DATA = Path(__file__).parent / "data"
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)

Row = Mapping[str, object]


def csv_of(rows: Sequence[Row]) -> bytes:
    """Return rows as an import file; a column that one row names is empty in the others."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def account(key: str, parent: str = "", **cells: object) -> dict[str, object]:
    """Return the row of an account that may be billed; a German company unless said otherwise."""
    address = {"legal_name": f"{key} GmbH", "line1": "Hof 3", "city": "Bremen", "country": "DE"}
    plain = {"external_id": key, "parent_external_id": parent, "name": key, "kind": "company"}
    return {**plain, **address, **cells}


def price(key: str, amount: object = "", **cells: object) -> dict[str, object]:
    """Return the row of a price: flat, monthly, in advance, in euros unless said otherwise."""
    return {
        "external_id": key,
        "product": "Product",
        "name": key.capitalize(),
        "model": "flat",
        "currency": "EUR",
        "unit_amount": amount,
        "interval": "month",
        "timing": "advance",
        **cells,
    }


def subscription(
    key: str, owner: str, price_key: str, start: str, quantity: object = 1, **cells: object
) -> dict[str, object]:
    """Return the row of a subscription."""
    return {
        "external_id": key,
        "account_external_id": owner,
        "price_external_id": price_key,
        "quantity": quantity,
        "start_date": start,
        **cells,
    }


@dataclass
class Vendor:
    """A tenant, and who acts for it."""

    tenant_id: UUID
    slug: str
    actor: Actor
    api_key: str = ""
    owner_email: str = ""
    _ids: dict[str, UUID] = field(default_factory=dict)

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Let plain queries see this tenant's rows."""
        with scope(self.tenant_id):
            yield

    # -- what is there ---------------------------------------------------------------------

    def load(self, kind: str, rows: Any, *, today: date = TODAY, dry: bool = False) -> ImportReport:
        """Import rows, or the bytes of a file."""
        content = rows if isinstance(rows, bytes) else csv_of(rows)
        run = import_kinds()[kind].run
        return run(self.actor, content, is_dry_run=dry, today=today, now=NOW)

    def has(self, kind: str, *rows: Row, today: date = TODAY) -> None:
        """Import rows that nothing is wrong with."""
        report = self.load(kind, list(rows), today=today)
        assert report.errors == ()

    def has_files(self, customer: str) -> None:
        """Import one of the customers of ``tests/data``."""
        for kind in ("accounts", "prices", "subscriptions"):
            report = self.load(kind, (DATA / customer / f"{kind}.csv").read_bytes())
            assert report.errors == ()

    def id_of(self, key: str) -> UUID:
        """Return an account's id."""
        if key not in self._ids:
            with self.seen():
                self._ids[key] = Account.objects.get(external_id=key).id
        return self._ids[key]

    def change_tenant(self, **values: object) -> None:
        """Write fields of the tenant."""
        with self.seen():
            Tenant.objects.filter(pk=self.tenant_id).update(**values)

    # -- what is done ----------------------------------------------------------------------

    def run(
        self,
        day: str | date,
        *,
        issue: bool = True,
        within: str | None = None,
        today: date = TODAY,
    ) -> RunReport:
        """Bill everything due up to a day."""
        return run_billing(
            self.actor,
            run_date=date.fromisoformat(day) if isinstance(day, str) else day,
            within=None if within is None else self.id_of(within),
            issue=issue,
            today=today,
            now=NOW,
        )

    def work(self, run: BillingRun) -> RunReport:
        """Do what a worker does who finds a run in the queue."""
        return work_on_run(self.actor, run.pk, today=TODAY, now=NOW)

    def bills(self, day: str | date, **options: Any) -> list[dict[str, Any]]:
        """Run, and return the documents that this made or issued."""
        report = self.run(day, **options)
        return self.documents(report.invoice_ids)

    # -- what came of it -------------------------------------------------------------------

    def documents(self, ids: Sequence[UUID] | None = None) -> list[dict[str, Any]]:
        """Return invoices as plain data, in the order of ids given, else of their numbers."""
        with self.seen():
            found = Invoice.objects.all() if ids is None else Invoice.objects.filter(pk__in=ids)
            rows = list(found.select_related("bill_to", "payer"))
            if ids is None:
                rows.sort(key=lambda invoice: (invoice.series_year or 9999, invoice.number or "~"))
            else:
                rows.sort(key=lambda invoice: ids.index(invoice.id))
            return [plain_document(invoice) for invoice in rows]

    def problems(self, day: str | None = None) -> list[tuple[str, str, str]]:
        """Return severity, code and account of what has to be looked at."""
        with self.seen():
            found = RunProblem.objects.all()
            if day is not None:
                found = found.filter(run__date=day)
            rows = found.values_list("severity", "code", "account__external_id")
            return sorted((severity, code, key or "") for severity, code, key in rows)

    def violations(self) -> list[tuple[str, str]]:
        """Return the invariants that are broken, with a sentence each."""
        with self.seen():
            _checked, found = verify_books(self.actor)
        return [(violation.invariant, violation.detail) for violation in found]

    def faults(self) -> list[tree.Fault]:
        """Return the faults of the account trees."""
        with self.seen():
            return tree.check(self.tenant_id)[2]

    # -- who else acts ---------------------------------------------------------------------

    def staff(self, name: str, role: str) -> Actor:
        """Return somebody of the vendor's own people."""
        person = _person(name)
        with self.seen():
            Membership.objects.create(tenant_id=self.tenant_id, person=person, role=role)
        return replace(_acts_as(self.actor, person), staff_role=role)

    def customer(self, name: str, role: str, key: str) -> Actor:
        """Return somebody in a customer's company, with a role on an account."""
        person = _person(name)
        with self.seen():
            contact = Contact.objects.create(
                tenant_id=self.tenant_id,
                account_id=self.id_of(key),
                person=person,
                name=name,
                email=person.email,
            )
            Grant.objects.create(
                tenant_id=self.tenant_id, contact=contact, account_id=self.id_of(key), role=role
            )
        return _acts_as(self.actor, person)


def make_vendor(
    slug: str = "acme",
    *,
    sandbox: bool = True,
    clock: date = TODAY,
    country: str = "DE",
    currency: str = "EUR",
) -> Vendor:
    """Make a tenant whose first seller is its own, and return it with the system as actor."""
    new = create_tenant(
        Actor.system(uuid7(), origin="test"),
        slug.capitalize(),
        slug=slug,
        country=country,
        currency=currency,
        is_sandbox=sandbox,
        clock=clock if sandbox else None,
        now=NOW,
    )
    actor = replace(Actor.system(new.tenant.id, origin="test"), today=clock)
    return Vendor(new.tenant.id, slug, actor, new.api_key, new.owner_email)


def _person(name: str) -> Person:
    return Person.objects.create(email=f"{name.lower()}-{uuid7()}@people.example", name=name)


def _acts_as(system: Actor, person: Person) -> Actor:
    return replace(
        system, kind="person", label=person.name, origin="dashboard", person_id=person.id
    )


def plain_document(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice with its sections, lines and tax as plain data."""
    sections = list(invoice.sections.select_related("account").order_by("position"))
    lines = list(invoice.lines.select_related("charge", "subscription").order_by("position"))
    return {
        "number": invoice.number,
        "status": invoice.status,
        "bill_to": invoice.bill_to.external_id,
        "payer": invoice.payer.external_id,
        "currency": invoice.currency,
        "issue_date": invoice.issue_date and invoice.issue_date.isoformat(),
        "due_date": invoice.due_date and invoice.due_date.isoformat(),
        "po_number": invoice.po_number,
        "regime": invoice.regime,
        "net_minor": invoice.net_minor,
        "tax_minor": invoice.tax_minor,
        "gross_minor": invoice.gross_minor,
        "tax": [
            (tax.category, f"{tax.rate.normalize():f}", tax.base_minor, tax.tax_minor)
            for tax in invoice.taxes.order_by("category", "-rate")
        ],
        "sections": [
            {
                "account": section.account.external_id,
                "path": section.path,
                "po_number": section.po_number,
                "cost_centre": section.cost_centre,
                "net_minor": section.net_minor,
                "tax_minor": section.tax_minor,
                "gross_minor": section.gross_minor,
                "lines": [_plain_line(line) for line in lines if line.section_id == section.id],
            }
            for section in sections
        ],
    }


def _plain_line(line: Any) -> dict[str, Any]:
    return {
        "subscription": line.subscription and line.subscription.external_id,
        "start": line.period_start.isoformat(),
        "end": line.period_end.isoformat(),
        "days": line.charge and line.charge.calculation.get("days"),
        "full_days": line.charge and line.charge.calculation.get("full_days"),
        "due_on": line.charge and line.charge.due_date.isoformat(),
        "invoice_on": line.charge and line.charge.invoice_on.isoformat(),
        "net_minor": line.net_minor,
        "tax": f"{line.tax_category} {line.tax_rate.normalize():f}",
    }


def lines_of(document: Mapping[str, Any]) -> list[tuple[str, str, str, int]]:
    """Return the lines of a document: subscription, start, end and net, in order."""
    return [
        (line["subscription"], line["start"], line["end"], line["net_minor"])
        for section in document["sections"]
        for line in section["lines"]
    ]
