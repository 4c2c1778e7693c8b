"""The table of invoices: its columns, its rows, its sums."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoicing.models import Invoice
from invoicing.queries.invoice_sums import InvoiceSum
from tenancy.formats import period_text
from web.accounts import account_url
from web.badges import invoice_badge
from web.naming import linked
from web.tables import Amounts, Column, Kind, Label, Link, Mark, Table, Totals


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice of a list; an extract has no more than the query left of it (R31).

    ``main`` is the currency that the heads name; ``url`` makes the address of a page about it.
    Accounts are opened by the staff alone: customers have no pages of them.
    """

    invoice: Any
    today: date
    main: str
    url: Callable[[str, str], str]
    opens_accounts: bool = False

    def account_url(self, key: UUID | None) -> str:
        """Return the address of an account, empty where the reader has no pages of accounts."""
        return account_url(key) if key and self.opens_accounts else ""

    @property
    def label(self) -> str:
        """The number, or that it has none yet."""
        return self.invoice.number or _("Draft")

    @property
    def recipient(self) -> str:
        """The recipient's name as it stands on the document."""
        return str(self.invoice.recipient_name)

    def amounts(self, minor: int | None) -> Amounts | None:
        """Return an amount of it for a cell."""
        if minor is None:
            return None
        # Nothing is an amount too; only what a draft has open is none.
        is_amount = minor or self.invoice.number is not None
        return Amounts({self.invoice.currency: minor} if is_amount else {}, self.main)

    @property
    def customer_number(self) -> str:
        """The recipient's customer number as on the document; an extract does not tell."""
        frozen = self.invoice.snapshot.get("bill_to") if self.invoice.whole else None
        return str(frozen.get("external_id") or "") if isinstance(frozen, dict) else ""


def frozen_name(invoice: Any, part: str) -> str:
    """Return the name as it was when the document was made, else as it is now.

    It is empty where an extract withholds whose it is.
    """
    if getattr(invoice, f"{part}_id") is None:
        return ""
    frozen = invoice.snapshot.get(part)
    name = frozen.get("name") if isinstance(frozen, dict) else None
    return str(name or getattr(invoice, part).name)


def present_name(invoice: Any) -> str:
    """Return what the recipient is called now, empty where that is its name on the document."""
    name = invoice.bill_to.name
    return "" if name == invoice.recipient_name else str(name)


def named_on(invoice: Any) -> str:
    """Return the recipient as on the document, and beside it its present name if it has another."""
    now = present_name(invoice)
    if not now:
        return str(invoice.recipient_name)
    return _("%(recipient)s (now: %(name)s)") % {"recipient": invoice.recipient_name, "name": now}


def _number(row: InvoiceRow) -> Link:
    return Link(row.label, row.url("invoices:page", row.invoice.public_id))


def _recipient(row: InvoiceRow) -> Link:
    notes = [] if row.invoice.whole else [_("Extract")]
    if now := present_name(row.invoice):
        notes.append(_("now: %(name)s") % {"name": now})
    if row.invoice.whole and row.invoice.payer_id != row.invoice.bill_to_id:
        payer = frozen_name(row.invoice, "payer")
        url = row.account_url(row.invoice.payer_id)
        text = _("paid by %(payer)s") % {"payer": payer}
        notes.append(linked(text, {payer: url} if url else {}))
    second = format_html_join(" · ", "{}", ((note,) for note in notes))
    return Link(row.recipient, row.account_url(row.invoice.bill_to_id), second)


def _payer(row: InvoiceRow) -> Link:
    return Link(frozen_name(row.invoice, "payer"), row.account_url(row.invoice.payer_id))


def _accounts(row: InvoiceRow) -> int | None:
    """Return how many accounts it is for; an extract does not tell."""
    count: int | None = row.invoice.section_count
    return count


def _status(row: InvoiceRow) -> Label:
    badge = invoice_badge(row.invoice, row.today)
    return Label(badge.label, badge.tone)


def _mark(row: InvoiceRow) -> Mark:
    name = f"{row.label}, {row.recipient}"
    return Mark(row.invoice.public_id, name, row.invoice.shown_gross_minor, row.invoice.currency)


def _glance(row: InvoiceRow) -> str:
    return row.url("invoices:glance", row.invoice.public_id)


def _money(name: str, label: Promise, *, is_default: bool = True) -> Column[InvoiceRow]:
    """Return the column of one of the amounts that an invoice is shown with."""
    field = f"shown_{name}_minor"
    return Column(
        name,
        label,
        Kind.MONEY,
        lambda row: row.amounts(getattr(row.invoice, field)),
        sort=f"currency {field}",
        is_default=is_default,
        is_summed=True,
    )


TABLE: Final[Table[InvoiceRow]] = Table(
    name="invoices",
    title=gettext_lazy("Invoices"),
    # Within a date by seller, then by its numbers.
    default_sort="-number",
    columns=(
        Column(
            "number",
            gettext_lazy("Number"),
            Kind.LINK,
            _number,
            sort="issue_date seller_id series_number",
        ),
        Column(
            "recipient",
            gettext_lazy("Recipient"),
            Kind.LINK,
            _recipient,
            sort="recipient_key",
        ),
        Column(
            "customer",
            gettext_lazy("Customer number"),
            Kind.TEXT,
            lambda row: row.customer_number,
            is_default=False,
        ),
        Column(
            "payer",
            gettext_lazy("Payer"),
            Kind.LINK,
            _payer,
            is_default=False,
        ),
        Column(
            "seller",
            gettext_lazy("Seller"),
            Kind.TEXT,
            lambda row: frozen_name(row.invoice, "seller"),
            is_default=False,
        ),
        Column("accounts", gettext_lazy("Accounts"), Kind.NUMBER, _accounts),
        Column(
            "period",
            gettext_lazy("Period"),
            Kind.PERIOD,
            lambda row: period_text(row.invoice.period_start, row.invoice.period_end),
            sort="shown_period_start shown_period_end",
        ),
        Column(
            "issued",
            gettext_lazy("Issued"),
            Kind.DATE,
            lambda row: row.invoice.issue_date,
            sort="issue_date",
            is_default=False,
        ),
        Column(
            "po_number",
            gettext_lazy("PO number"),
            Kind.TEXT,
            lambda row: row.invoice.po_number,
            is_default=False,
        ),
        _money("net", gettext_lazy("Net")),
        _money("tax", gettext_lazy("VAT amount"), is_default=False),
        _money("gross", gettext_lazy("Gross")),
        _money("open", gettext_lazy("Open")),
        Column(
            "due",
            gettext_lazy("Due"),
            Kind.DATE,
            lambda row: row.invoice.due_date,
            sort="shown_due_date",
        ),
        Column("status", gettext_lazy("Status"), Kind.LABEL, _status),
    ),
    mark=_mark,
    glance=_glance,
)


def rows_of(
    found: Iterable[Invoice], *, today: date, main: str, namespace: str
) -> list[InvoiceRow]:
    """Return invoices as rows; ``namespace`` is that of the frame in which they are shown."""
    url = partial(_url, namespace)
    is_staff = namespace == "invoices"
    return [InvoiceRow(invoice, today, main, url, is_staff) for invoice in found]


def _url(namespace: str, name: str, invoice_id: str) -> str:
    return reverse(name, args=[invoice_id], current_app=namespace)


def totals_of(sums: Iterable[InvoiceSum], main: str) -> Totals:
    """Return the sums of the columns; currencies are never added."""
    net: dict[str, int] = defaultdict(int)
    gross: dict[str, int] = defaultdict(int)
    owed: dict[str, int] = defaultdict(int)
    for one in sums:
        net[one.currency] += one.net_minor
        gross[one.currency] += one.gross_minor
        if one.open_minor:
            owed[one.currency] += one.open_minor
    tax = {code: gross[code] - net[code] for code in gross}
    return {
        "net": Amounts(net, main),
        "tax": Amounts(tax, main),
        "gross": Amounts(gross, main),
        "open": Amounts(owed, main),
    }
