"""Who reaches only a section learns of its invoice what R31 names, at every address and by no way.

Facts that an extract withholds are planted as canaries: names, amounts and days that stand nowhere
else. Then every address of the resolver is asked for, with every filter that it reads and every
order that it offers, by a person and by a key that reach one account at the bottom. The addresses,
filters and orders are read from the product, so that a new one is swept, or asks for an entry here.
"""

import hashlib
import io
import itertools
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import F
from django.http import QueryDict
from django.test import Client
from django.urls import get_resolver
from pypdf import PdfReader

from accounts.access import Action
from accounts.models import ApiKey, Contact, Grant, Person, Seller
from billing_rules.invoice_states import State
from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from invoicing.operations.correcting import correct_invoice
from invoicing.operations.wanting_corrections import (
    NewCorrection,
)
from invoicing.queries import visibility
from subscriptions.models import Item, Meter, Price, Product, Subscription
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.actor import Actor
from tenancy.ids import public_id, uuid7
from tenancy.models import Job
from tests.http.test_foreign_ids import addresses
from tests.scenes import scene
from tests.world import NOW, account, price, subscription
from web.invoices.filters import DUE_WINDOWS
from web.invoices.table import TABLE

IBAN = "DE02120300000000202051"
CANARIES = {
    "an account above, which pays": "Kanaroot",
    "an account between": "Kanamid",
    "an account beside": "Kananext",
    "the purchase order": "KANA-PO",
    "the address": "Kanagasse",
    "the IBAN": IBAN,
    "the neighbour's product": "Kanaproduct",
    "the neighbour's usage": "7654321",
    "the reason": "Kanareason",
}
# Days and amounts in the ways they are written: pages, files, API. On none of these days a period
# of the reader's own begins or ends.
DUE = (date(2027, 3, 3), date(2027, 1, 15))


def written_amount(minor):
    whole, cents = divmod(minor, 100)
    english = f"{whole:,}.{cents:02}"
    german = english.translate(str.maketrans(",.", ".,"))
    return {str(minor), f"{whole}.{cents:02}", f"{whole},{cents:02}", english, german}


def written_day(day):
    return {
        day.isoformat(),
        f"{day:%d.%m.%Y}",
        f"{day.day} {day:%b %Y}",
        f"{day.day} {day:%B %Y}",
    }


@dataclass
class Swept:
    """Two invoices that for the reader are alike, and in all that is withheld the opposite."""

    vendor: object
    december: Invoice
    january: Invoice
    names: dict
    canaries: list
    reader: Actor
    secret: str
    client_of: dict = field(default_factory=dict)

    @property
    def numbers(self):
        return (self.december.number, self.january.number)


def bill(vendor):
    """The first has the higher total, the later due date, another order and more lines."""
    with vendor.seen():
        Seller.objects.update(iban=IBAN)
    top = {"name": "Recipient", "legal_name": "Recipient", "line1": "Kanagasse 1"}
    top |= {"bill_to": "top", "payer": "root"}
    before = account("top", "root", **top, po_number="KANA-PO-1", payment_terms_days=92)
    after = account("top", "root", **top, po_number="KANA-PO-0", payment_terms_days=14)
    vendor.has(
        "accounts",
        account("root", name="Kanaroot", legal_name="Kanaroot", billing_day=1),
        before,
        account("mid", "top", name="Kanamid", legal_name="Kanamid"),
        account("leaf", "mid", name="Leaf", legal_name="Leaf", cost_centre="CC-1"),
        account("next", "mid", name="Kananext", legal_name="Kananext"),
    )
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    metered = {"model": "per_unit", "timing": "arrears", "meter": "calls", "tax_rate": 19}
    vendor.has(
        "prices",
        price("own", "10.00", tax_rate=19),
        price("other", "7777.77", name="Kanaproduct", tax_rate=19),
        price("yearly", "333.33", name="Kanaproduct", interval="year", tax_rate=19),
        price("calls", "0.01", name="Kanaproduct", **metered, interval="year"),
    )
    vendor.has(
        "subscriptions",
        subscription("S1", "leaf", "own", "2026-12-01"),
        subscription("S2", "next", "other", "2026-12-01"),
        subscription("S3", "next", "yearly", "2026-12-01"),
        subscription("S4", "next", "calls", "2026-12-01"),
    )
    at = datetime(2026, 12, 5, 12, tzinfo=UTC)
    report_usage(
        vendor.actor,
        [NewUsage("e1", "ext:S4", "ext:calls", Decimal(CANARIES["the neighbour's usage"]), at)],
        today=date(2026, 12, 31),
        now=NOW,
    )
    vendor.run("2026-12-01")
    vendor.has("accounts", after, today=date(2026, 12, 15))
    vendor.run("2027-01-01")
    vendor.change_tenant(test_clock_at=datetime(2027, 2, 1, 12, tzinfo=UTC))
    _take_back_of_the_neighbour(vendor)


def _take_back_of_the_neighbour(vendor):
    """The first invoice is corrected, in what it asks of another account alone."""
    with vendor.seen():
        invoice = Invoice.objects.get(issue_date=date(2026, 12, 1))
    wanted = NewCorrection(CANARIES["the reason"], account_id=vendor.id_of("next"))
    correct_invoice(vendor.actor, invoice.pk, wanted, today=date(2027, 2, 1), now=NOW)


@scene
def planted(vendor):
    bill(vendor)
    reader = vendor.customer("Lena", "admin", "leaf")
    secret = f"sk_test_{uuid7().hex}"
    with vendor.seen():
        digest = hashlib.sha256(secret.encode()).hexdigest()
        ApiKey.objects.create(
            tenant_id=vendor.tenant_id,
            name="Key",
            prefix=secret[:16],
            digest=digest,
            scopes=[str(action) for action in Action],
            reach_id=vendor.id_of("leaf"),
        )
        december, january = Invoice.objects.filter(kind="invoice").order_by("issue_date")
        job = Job.objects.create(
            tenant_id=vendor.tenant_id, kind="import", created_by_label="test", created_at=NOW
        )
        names = {
            "account": [public_id("acc", vendor.id_of(key)) for key in ("leaf", "next", "mid")],
            "invoice": [december.public_id, january.public_id],
            "line": [one.public_id for one in InvoiceLine.objects.order_by("id")],
            "run": [public_id("run", one.pk) for one in BillingRun.objects.order_by("id")],
            "seller": [public_id("sel", one.pk) for one in Seller.objects.all()],
            "job": [public_id("job", job.pk)],
            "contact": [public_id("con", one.pk) for one in Contact.objects.order_by("id")],
            "grant": [public_id("grt", one.pk) for one in Grant.objects.order_by("id")],
            "product": [public_id("prd", one.pk) for one in Product.objects.all()],
            "price": [public_id("prc", one.pk) for one in Price.objects.all()],
            "subscription": [one.public_id for one in Subscription.objects.order_by("id")],
            "item": [one.public_id for one in Item.objects.order_by("id")],
            "plan": [public_id("chp", uuid7())],
            "bundle": [public_id("pln", uuid7())],
            "meter": [one.public_id for one in Meter.objects.all()],
            "setting": ["billing_day", "payment_terms_days"],
            "position": ["1", "2", "3"],
            "kind": ["accounts"],
            "currency": ["EUR"],
            "feed": [public_id("fed", uuid7())],
            "coupon": [public_id("cpn", uuid7())],
            "charge": [one.public_id for one in Charge.objects.order_by("id")],
            "discount": [public_id("dsc", uuid7())],
            "pool": [public_id("pol", uuid7())],
            "token": ["0" * 75],
        }
        own = vendor.id_of("leaf")
        totals = [
            amount
            for rows in (
                Invoice.objects.all(),
                InvoiceSection.objects.exclude(account=own),
                InvoiceTax.objects.annotate(net_minor=F("base_minor"), gross_minor=F("base_minor")),
            )
            for row in rows
            for amount in (row.net_minor, row.tax_minor, row.gross_minor)
        ]
    assert (december.due_date, january.due_date) == DUE
    assert december.gross_minor > january.gross_minor
    canaries = {*CANARIES.values(), "92 days", "14 days"}
    canaries |= {"7,654,321", "7.654.321"}
    canaries |= {text for amount in totals for text in written_amount(amount)}
    canaries |= {text for day in DUE for text in written_day(day)}
    return Swept(vendor, december, january, names, sorted(canaries), reader, secret)


@pytest.fixture
def swept(planted):
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    person = Client(raise_request_exception=True)
    person.force_login(Person.objects.get(pk=str(planted.reader.person_id)))
    bearer = {"authorization": f"Bearer {planted.secret}"}
    key = Client(headers=bearer, raise_request_exception=True)
    planted.client_of = {"person": person, "key": key}
    return planted


def probes(swept):
    """For each filter values that tell withheld facts apart: all must find what the first finds."""
    days = ["1900-01-01", "2027-01-20", "2027-02-02", "2027-02-25", "2999-01-01"]
    accounts = swept.names["account"]
    missing = public_id("acc", uuid7())
    return {
        "status": ["void", *State, "pending", "invoiced", "active", "archived"],
        "due": [None, *DUE_WINDOWS],
        "from": days,
        "to": days[::-1],
        "payer": [missing, public_id("acc", swept.vendor.id_of("root"))],
        "bill_to": [missing, public_id("acc", swept.vendor.id_of("top"))],
        "run": [public_id("run", uuid7()), *swept.names["run"]],
        "corrects": [swept.january.public_id, swept.december.public_id],
        "q": ["Zzzz", *CANARIES.values(), "KANA-PO-1", f"{swept.december.gross_minor / 100:.2f}"],
        "in": [missing, *accounts[1:], "ext:next", "ext:top"],
        "parent": [missing, *accounts[1:]],
        "account": [missing, *accounts[1:], "ext:next"],
        "contact": [public_id("con", uuid7())],
        "subscription": [public_id("sub", uuid7()), *swept.names["subscription"], "ext:S4"],
        "tag": ["none-has-it", *CANARIES.values()],
    }


# What tells nothing of one invoice against another; only canaries are looked for.
HARMLESS = {
    "currency": ["EUR"],
    "kinds": ["invoice,due,debit,plan"],
    "only": ["1"],
    "kind": ["company"],
    "product": ["prd_of_nobody"],
    "meter": ["ext:calls"],
    "as_of": ["2026-12-05"],
    "depth": ["3"],
    "limit": ["1"],
    "expand": ["sections", "lines"],
    "view": ["subtotals", "month", "agenda", "year"],
    "month": ["2026-12"],
    "day": ["2026-12-01"],
    "year": ["2027"],
    "by": ["amount"],
    "least": ["1", "9999"],
    "sections": ["1", "2"],
    "everything": ["1"],
    "for": ["/portal/invoices/"],
    "next": ["/portal/"],
    "kept": ["no form that was kept"],
    "date": ["2027-02-01"],
}
# Not filters: what the frame, the page or the form reads, and what is swept below by itself.
# "version" and "lang" are the description's own, "None" is a library asking for nothing.
ELSEWHERE = {
    "None",
    "version",
    "lang",
    "sort",
    "columns",
    "format",
    "after",
    "before",
    "cursor",
    "ids",
    "do",
}
# A calendar has every day in it: those on which nothing falls tell nothing.
EMPTY_DAYS = re.compile(
    r'<a class="heat step-0"[^>]*></a>|<a href="[^"]*#day"[^>]*>\s*<time[^>]*>\d+</time>\s*</a>'
)
SKIPPED = ("admin/", "static/", "media/", "developers/", "language/", "sign-out/")


def filled(route, names):
    """Yield every address that a route makes with the things there are."""
    found = [
        name.rpartition(":")[2].removesuffix("_id") for name in re.findall(r"<([^>]+)>", route)
    ]
    for values in itertools.product(*(names[name] for name in found)):
        parts = iter(values)
        yield "/" + re.sub(r"<[^>]+>", lambda _found: next(parts), route)  # noqa: B023


ROUTES = sorted(
    route
    for route in addresses(get_resolver())
    if not route.startswith(SKIPPED) and "^" not in route
)


def texts(response):
    """Return what can be read of an answer, unpacked where it is packed."""
    content = b"".join(response) if response.streaming else response.content
    kind = response.headers.get("Content-Type", "")
    if kind == "application/pdf":
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return " ".join(
                packed.read(name).decode(errors="replace") for name in packed.namelist()
            )
    return EMPTY_DAYS.sub("", content.decode(errors="replace"))


def check(swept, text, asked, where):
    """Say where a canary is; what somebody asked for is only repeated."""
    text = text.replace(asked, "") if asked else text
    for canary in (one for one in swept.canaries if one in text):
        found = re.search(rf"(?<![\w.,-]){re.escape(canary)}(?![\w])", text)
        assert not found, (where, found and text[max(0, found.start() - 80) : found.end() + 40])


@pytest.fixture
def reads(monkeypatch):
    """Note which parameters of an address are read."""
    read = set()
    for method in ("get", "getlist", "__getitem__", "__contains__"):
        plain = getattr(QueryDict, method)

        def noting(self, name, *args, _plain=plain, **kwargs):
            read.add(name)
            return _plain(self, name, *args, **kwargs)

        monkeypatch.setattr(QueryDict, method, noting)
    return read


def members(swept, text):
    return [number for number in swept.numbers if number in text]


def sweep(swept, who, reads, routes=ROUTES):
    """Ask for every address and, where there is an answer, with every filter and every order.

    An address that leads on to another one has its filters asked there.
    """
    client, wanted = swept.client_of[who], probes(swept)
    answered = []
    for url in itertools.chain.from_iterable(filled(route, swept.names) for route in routes):
        reads.clear()
        response = client.get(url, follow=True)
        check(swept, texts(response), "", url)
        if response.status_code == HTTPStatus.OK:
            answered.append(url)
            if response.redirect_chain:
                continue
            names = {str(name) for name in reads} - ELSEWHERE
            for name in sorted(names & (wanted.keys() | HARMLESS.keys())):
                ask_with(swept, client, url, name, wanted)
            unknown = names - wanted.keys() - HARMLESS.keys()
            assert not unknown, f"{url} reads {unknown}: say in probes() what tells facts apart"
    return answered


def ask_with(swept, client, url, name, wanted):
    found = {}
    for value in wanted.get(name, HARMLESS.get(name)):
        data = {} if value is None else {name: value}
        text = texts(client.get(url, data, follow=True))
        check(swept, text, str(value), (url, name, value))
        found[value] = members(swept, text)
    if name in wanted and "/inv_" not in url:
        control = None if name == "due" else next(iter(found))
        for value, shown in found.items():
            if value is not None and name != "due":
                assert shown == found[control], (url, name, value)
            elif value is not None:
                assert shown == [], (url, name, value)


@pytest.mark.parametrize("who", ["person", "key"])
def test_no_address_and_no_filter_tells_what_is_withheld(swept, who, reads):
    answered = sweep(swept, who, reads)

    expected = {"person": "/portal/invoices/", "key": "/api/v1/invoices"}[who]
    assert expected in answered
    assert any(swept.december.public_id in url for url in answered)


COLUMNS = [column.key for column in TABLE.columns]
SORTS = [column.key for column in TABLE.columns if column.sort]


@pytest.mark.parametrize("sort", SORTS)
def test_no_order_tells_what_is_withheld(swept, sort):
    """What is alike for the reader stands in the order of the documents, however it is sorted."""
    client = swept.client_of["person"]
    for sign, expected in (("", [*swept.numbers]), ("-", [*swept.numbers][::-1])):
        for extra in ({}, {"format": "csv"}, {"format": "xlsx"}):
            query = {"sort": f"{sign}{sort}", "columns": COLUMNS, **extra}
            text = texts(client.get("/portal/invoices/", query))
            check(swept, text, "", query)
            shown = sorted(swept.numbers, key=text.index)
            assert shown == expected, query


@pytest.mark.parametrize("do", ["csv", "xlsx", "pdf", ""])
def test_no_file_of_selected_invoices_tells_what_is_withheld(swept, do):
    client = swept.client_of["person"]
    query = {"do": do, "everything": "1", "columns": COLUMNS}
    check(swept, texts(client.get("/portal/invoices/selection/", query, follow=True)), "", query)


def test_orders_by_shown_fields_alone():
    """The table of invoices sorts by what is no secret, or by what an extract leaves out."""
    plain = {"issue_date", "seller_id", "series_number", "currency", "recipient_key"}
    fields = {name for column in TABLE.columns for name in column.sort.split()}
    assert {name for name in fields if not name.startswith("shown_")} <= plain


def sweep_all(swept, reads):
    sweep(swept, "person", reads, [one for one in ROUTES if one.startswith("portal/invoices/")])
    for sort in SORTS:
        test_no_order_tells_what_is_withheld(swept, sort)


@pytest.mark.parametrize("fault", ["rows", "status", "due"])
def test_the_sweep_finds_planted_faults(swept, reads, monkeypatch, fault):
    if fault == "rows":
        monkeypatch.setattr(visibility, "_withhold", lambda invoice: None)
    else:
        name = {"status": "status", "due": "due_date"}[fault]
        plain = visibility._extract_fields

        def leaking(actor):
            return {**plain(actor), f"shown_{name}": F(name)}

        monkeypatch.setattr(visibility, "_extract_fields", leaking)
    with pytest.raises(AssertionError):
        sweep_all(swept, reads)
