"""Reading what was charged and what waits, as plain rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import DateField, Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from invoicing.engine.commitments import is_beside
from invoicing.engine.crediting import Billed
from invoicing.engine.families import Families
from invoicing.engine.offsetting import with_held
from invoicing.engine.reading import subscription_rows
from invoicing.engine.rows import ChargeRow, PeriodRow, SubscriptionRow
from invoicing.engine.what_if import Crediting
from invoicing.models import Charge, Invoice, InvoiceLine
from subscriptions.models import Item, Period, Price
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared
from tenancy.ids import parse_public_id, public_id

_CHARGE = (
    "account_id",
    "period_start",
    "period_end",
    "due_date",
    "invoice_on",
    "currency",
    "net_minor",
    "calculation",
    "kind",
    "revision",
    "status",
    "reason",
    "held_until",
    "po_number",
    "credited_id",
    "bill_to_id",
    "payer_id",
)


ON_NO_DOCUMENT: Final = """
    NOT EXISTS (
        SELECT FROM invoicing_invoiceline AS line WHERE line.tenant_id = invoicing_charge.tenant_id
        AND line.charge_id = invoicing_charge.id OFFSET 0)
"""
"""Says of a charge that no line has it. ``OFFSET`` keeps the planner from making a join of it,
which goes line by line where it knows nothing of a tenant: each charge is looked up by key.
"""

_CALCULATION = 4 + _CHARGE.index("calculation")


def _in_order(charges: "QuerySet[Charge]") -> "QuerySet[Charge, Any]":
    return charges.order_by("id").values_list(
        "id", "item_id", "period_id", "subscription_id", *_CHARGE
    )


def _charge_rows(actor: Actor, rows: Sequence[tuple[Any, ...]]) -> list[ChargeRow]:
    """Return stored charges with subscriptions and tax classes. Two statements."""
    subscriptions = subscription_rows(actor, (row[3] for row in rows if row[3] is not None))
    tax_classes = _tax_classes(actor, rows)
    return list(_charges(rows, subscriptions, tax_classes))


def _tax_classes(actor: Actor, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """Return the present tax class of every price that a charge was computed with, by its id."""
    ids = {row[_CALCULATION]["price"]["id"] for row in rows} - {None}
    if not ids:
        return {}
    wanted = [parse_public_id("prc", text) for text in ids]
    found = _TAX_CLASSES.rows(tenant=actor.tenant_id, ids=wanted)
    return {public_id("prc", price_id): tax_class for price_id, tax_class in found}


_TAX_CLASSES = Prepared(
    lambda: Price.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids")).values_list(
        "id", "tax_class"
    )
)


def _charges(
    rows: Iterable[tuple[Any, ...]],
    subscriptions: Mapping[UUID, SubscriptionRow],
    tax_classes: Mapping[str, str],
) -> Iterator[ChargeRow]:
    for charge_id, item_id, period_id, subscription_id, *rest in rows:
        *values, po_number, credited_id, bill_to_id, payer_id = rest
        subscription = None if subscription_id is None else subscriptions[subscription_id]
        charge = ChargeRow(charge_id, item_id, period_id, subscription, *values)
        price = charge.calculation["price"]
        charge.tax_class = price["tax_class"] if price["id"] is None else tax_classes[price["id"]]
        charge.po_number, charge.credited_id = po_number, credited_id
        charge.bill_to_id, charge.payer_id = bill_to_id, payer_id
        yield charge


def charges_since(actor: Actor, periods: Collection[PeriodRow]) -> dict[UUID, list[ChargeRow]]:
    """Return all charges and credits of some periods, by item. Three statements.

    Among them is what makes up differences to minimums: it is for the days of a period.
    """
    wanted = [period.id for period in periods]
    items = {period.item_id for period in periods}
    beside = Q(
        period__isnull=True,
        period_start__in={period.starts for period in periods},
        calculation__has_key="commitment",
    )
    rows = _in_order(
        Charge.objects.filter(
            Q(period_id__in=wanted) | beside, tenant_id=actor.tenant_id, item_id__in=items
        )
    )
    found: dict[UUID, list[ChargeRow]] = defaultdict(list)
    for row in _charge_rows(actor, list(rows)):
        if row.item_id is not None:
            found[row.item_id].append(row)
    return dict(found)


def billed_since(actor: Actor, crediting: Crediting) -> list[Billed]:
    """Return what was charged and credited of periods that end after a day. Five statements.

    Args:
        actor: whose tenant.
        crediting: of which accounts, since when, and whether drafts are taken back.
    """
    items = Item.objects.filter(
        tenant_id=actor.tenant_id, account_id__in=_one_of(crediting.account_ids)
    )
    if crediting.subscription_id is not None:
        items = items.filter(subscription_id=crediting.subscription_id)
    owners = dict(items.order_by().values_list("id", "account_id"))
    ending = Period.objects.filter(
        tenant_id=actor.tenant_id, item_id__in=_one_of(owners), ends__gt=crediting.day
    )
    found = Charge.objects.filter(
        tenant_id=actor.tenant_id,
        item_id__in=_one_of(owners),
        period_id__in=ending.order_by().values("id"),
    )
    charges = _charge_rows(actor, list(_in_order(found))) if owners else []
    documents = _documents_of(actor, [charge.id for charge in charges])
    billed = []
    for charge in charges:
        if charge.item_id is None:  # pragma: no cover - they were read by their items
            continue
        status, *parties, document, number = documents.get(charge.id, ("", None, None, None, None))
        is_issued = charge.status == Charge.Status.INVOICED
        if status and not is_issued and crediting.takes_drafts:
            charge.invoice_on = max(charge.invoice_on, crediting.day)
        billed.append(
            Billed(
                charge,
                owners[charge.item_id],
                (parties[0], parties[1]) if is_issued else None,
                (document, number or "") if is_issued else None,
            )
        )
    return billed


def _one_of(ids: Iterable[UUID]) -> RawSQL:
    """Return ids as one parameter: thousands of them are slow to write and parse."""
    return RawSQL("SELECT unnest(%s::uuid[])", ([str(key) for key in ids],))


def _documents_of(actor: Actor, charge_ids: Sequence[UUID]) -> dict[UUID, tuple[Any, ...]]:
    """Return status, parties, id and number of the document of each charge that has one."""
    if not charge_ids:
        return {}
    rows = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, charge_id__in=_one_of(charge_ids))
    found = rows.order_by().values_list(
        "charge_id",
        "invoice__status",
        "invoice__bill_to_id",
        "invoice__payer_id",
        "invoice_id",
        "invoice__number",
    )
    return {charge_id: tuple(values) for charge_id, *values in found}


def waiting_charges(families: Families, *, run_date: date) -> list[ChargeRow]:
    """Return the pending charges of earlier days that stand on no document. Three statements.

    Those that are held back wait for their day, or for somebody to release them, and so does what
    takes back of them; but for what is taken back as a whole: that waits for nothing any more.
    """
    actor = families.actor
    rows = _WAITING.rows(tenant=actor.tenant_id, accounts=[*families.in_scope], day=run_date)
    held = {row[0] for row in rows if row[-1]}
    charges = _charge_rows(actor, [row[:-1] for row in rows])
    return with_held(charges, held, run_date=run_date) if held else charges


_TAKEN_BACK = Charge.objects.filter(
    tenant_id=Given("tenant"),
    item_id=OuterRef("item_id"),
    credited_id=OuterRef("pk"),
    status=Charge.Status.PENDING,
    is_held=False,
    invoice_on__lte=Given("day", DateField()),
)
_WAITING = Prepared(
    lambda: (
        on_no_document(
            Charge.objects.filter(
                Q(is_held=False)
                | Q(held_until__lte=Given("day", DateField()))
                | Q(Exists(_TAKEN_BACK)),
                tenant_id=Given("tenant"),
                account_id__among=Given("accounts"),
                status=Charge.Status.PENDING,
                invoice_on__lte=Given("day", DateField()),
            )
        )
        .order_by("id")
        .values_list("id", "item_id", "period_id", "subscription_id", *_CHARGE, "is_held")
    )
)


def on_no_document(charges: QuerySet[Charge]) -> QuerySet[Charge]:
    """Return those of some charges that no line has; the ORM has no name for what refers to it."""
    return charges.extra(where=[ON_NO_DOCUMENT])  # noqa: S610 - constant text


def charges_of(actor: Actor, invoice_ids: Iterable[UUID]) -> list[ChargeRow]:
    """Return the charges that stand on some documents. Three statements."""
    wanted = list(invoice_ids)
    rows = _ON_DOCUMENTS.rows(tenant=actor.tenant_id, documents=wanted) if wanted else []
    return _charge_rows(actor, rows)


def corrections_of(
    actor: Actor, charges: Sequence[ChargeRow], *, run_date: date
) -> list[ChargeRow]:
    """Return what waits to make good charges of drafts, and may stand beside them by a day.

    None of it stands on a document, and none is held back. Three statements.
    """
    items = {one.item_id for one in charges if one.item_id is not None}
    if not items:
        return []
    rows = _CORRECTIONS.rows(
        tenant=actor.tenant_id,
        items=list(items),
        periods=list({one.period_id for one in charges if one.period_id is not None}),
        commitments=list({one.period_start for one in charges if is_beside(one)}),
        day=run_date,
    )
    return _charge_rows(actor, rows)


_CORRECTIONS = Prepared(
    lambda: _in_order(
        on_no_document(
            Charge.objects.filter(
                Q(period_id__among=Given("periods"))
                | Q(
                    period__isnull=True,
                    period_start__among=Given("commitments", DateField()),
                    calculation__has_key="commitment",
                ),
                tenant_id=Given("tenant"),
                item_id__among=Given("items"),
                status=Charge.Status.PENDING,
                is_held=False,
                invoice_on__lte=Given("day", DateField()),
            )
        )
    )
)


def owed_again(families: Families, *, run_date: date) -> list[ChargeRow]:
    """Return what waits to be charged again after it was taken back before it was invoiced.

    It comes on the draft on which it stood, though nothing of its period is left there. None of it
    stands on a document, and none is held back. One statement where there is none, else three.
    """
    accounts = [key for key, _parent in families.members]
    rows = _OWED_AGAIN.rows(tenant=families.actor.tenant_id, accounts=accounts, day=run_date)
    return _charge_rows(families.actor, rows) if rows else []


_OWED_AGAIN = Prepared(
    lambda: _in_order(
        on_no_document(
            Charge.objects.filter(
                Exists(
                    Charge.objects.filter(
                        tenant_id=Given("tenant"),
                        item_id=OuterRef("item_id"),
                        period_id=OuterRef("period_id"),
                        status=Charge.Status.OFFSET,
                    )
                ),
                tenant_id=Given("tenant"),
                account_id__among=Given("accounts"),
                status=Charge.Status.PENDING,
                revision__gt=0,
                is_held=False,
                invoice_on__lte=Given("day", DateField()),
            )
        )
    )
)


_ON_DOCUMENTS = Prepared(
    lambda: _in_order(
        Charge.objects.filter(
            tenant_id=Given("tenant"),
            pk__in=InvoiceLine.objects.filter(
                tenant_id=Given("tenant"), invoice_id__among=Given("documents")
            ).values("charge_id"),
        )
    )
)


def open_drafts(families: Families, run_date: date) -> list[Invoice]:
    """Return the drafts that a run takes along (R27). One statement."""
    drafts = (
        Invoice.objects.filter(
            tenant_id=families.actor.tenant_id,
            status__in=Invoice.UNISSUED,
            bill_to_id__in=families.in_scope,
            run__tenant_id=families.actor.tenant_id,
            run__date__lte=run_date,
        )
        .select_related("run")
        .order_by("id")
    )
    return [draft for draft in drafts if families.can_number(draft.seller_id, run_date)]
