"""The parts of an invoice as far as somebody may see them: sections, lines, tax groups."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import access
from accounts.access import Action
from invoicing.models import Invoice, InvoiceLine, InvoiceSection, InvoiceTax
from invoicing.queries._explaining import (
    Explanation,
    deciders,
    explain,
    explain_correction,
)
from invoicing.queries.visibility import (
    known_references,
    sections_in_reach,
    seen_whole,
    sees_drafts,
    sees_whole,
    visible_to,
)
from invoicing.words.charges import Named, name_of
from tenancy.actor import Actor
from tenancy.errors import NotFound


def sections_of(actor: Actor, invoice: Invoice) -> list[InvoiceSection]:
    """Return the sections in tree order with their accounts; of an extract those in reach.

    One statement, two more for those who don't see the whole tenant. A section of an extract
    names no account above the reach and no purchase order, and counts among its own (R31).
    """
    found = list(
        _parts(actor, invoice, InvoiceSection.objects.all(), "account")
        .select_related("account")
        .order_by("position", "id")
    )
    if not sees_whole(actor, invoice):
        _withhold(actor, found)
    return found


def _withhold(actor: Actor, sections: list[InvoiceSection]) -> None:
    """Leave out of the sections of an extract what stands above the reach, and orders (R31)."""
    named = {step["id"] for section in sections for step in section.lineage}
    known = known_references(actor, named)
    for place, section in enumerate(sections, start=1):
        # Older sections know no accounts: of those the last name alone is surely in reach.
        start = max(0, len(section.path) - 1)
        for step in reversed(section.lineage[:-1]):
            if step["id"] not in known:
                break
            start -= 1
        section.path, section.lineage = section.path[start:], section.lineage[start:]
        section.position, section.po_number = place, ""


def lines_of(actor: Actor, invoice: Invoice) -> list[InvoiceLine]:
    """Return the lines in order; of an extract those of the sections in reach.

    One statement, one more for those who don't see the whole tenant.
    """
    return list(
        _parts(actor, invoice, InvoiceLine.objects.all(), "section__account").order_by(
            "position", "id"
        )
    )


def few_lines_of(actor: Actor, invoice: Any, *, most: int) -> list[InvoiceLine] | None:
    """Return the lines in sight in order, None where they are more than ``most``.

    One statement; none for an invoice that is seen whole and has too many.

    Args:
        actor: who asks.
        invoice: as ``get_invoice`` returned it to the same actor.
        most: how many are few.
    """
    if invoice.whole and invoice.line_count > most:
        return None
    found = list(_lines_in_sight(actor, invoice)[: most + 1])
    return None if len(found) > most else found


def lines_of_section(
    actor: Actor, invoice: Any, section: InvoiceSection, *, start: int, count: int
) -> list[InvoiceLine]:
    """Return ``count`` lines of a section in order, from the one at ``start``. One statement.

    Args:
        actor: who asks.
        invoice: as ``get_invoice`` returned it to the same actor.
        section: one of its sections.
        start: how many lines are passed over.
        count: how many are returned at most.
    """
    lines = _lines_in_sight(actor, invoice).filter(section=section)
    return list(lines[start : start + count])


def taxes_of(actor: Actor, invoice: Invoice) -> list[InvoiceTax]:
    """Return the tax groups; none for an extract, because tax is the whole document's.

    One statement, one more for those who don't see the whole tenant.
    """
    if not sees_whole(actor, invoice):
        return []
    return list(
        InvoiceTax.objects.filter(tenant_id=actor.tenant_id, invoice=invoice).order_by(
            "category", "rate", "id"
        )
    )


def get_line(actor: Actor, line_id: UUID) -> InvoiceLine:
    """Return one line with invoice, section, account, charge, subscription and what it corrects.

    One statement.

    Raises:
        NotFound: it does not exist, is out of sight or another tenant's.
    """
    line = (
        InvoiceLine.objects.filter(
            Q(invoice__in=Invoice.objects.filter(visible_to(actor), seen_whole(actor)).values("pk"))
            | Q(
                invoice__in=Invoice.objects.filter(visible_to(actor)).values("pk"),
                section__in=sections_in_reach(actor).values("pk"),
            ),
            tenant_id=actor.tenant_id,
            pk=line_id,
        )
        .select_related(
            "invoice", "section__account", "charge", "subscription", "corrects__invoice"
        )
        .order_by("pk")
        .first()
    )
    if line is None:
        raise NotFound
    return line


def explanation(
    actor: Actor, line_id: UUID, *, written: Callable[[Named], str] = name_of
) -> Explanation:
    """Return how a line came about and, in the reader's language, why it stands here.

    One statement, two more for those who don't see the whole tenant. Of accounts that decided
    something, those out of reach are not named (R31).

    Args:
        actor: who asks.
        line_id: which line.
        written: how an account is named in the sentence.

    Raises:
        NotFound: the line does not exist, is out of sight or another tenant's.
    """
    line = get_line(actor, line_id)
    if line.charge is None:
        return explain_correction(line, whole=sees_whole(actor, line.invoice))
    known = known_references(actor, deciders(line.charge))
    whole = sees_whole(actor, line.invoice)
    return explain(line.charge, whole=whole, known=known, written=written)


def _lines_in_sight(actor: Actor, invoice: Any) -> QuerySet[InvoiceLine]:
    """Return the lines of an invoice that was found for ``actor``, who may see only some."""
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice=invoice)
    if not invoice.whole:
        seen = sections_in_reach(actor).filter(invoice=invoice)
        lines = lines.filter(section__in=seen.values("pk"))
    return lines.order_by("position", "id")


def _parts(actor: Actor, invoice: Invoice, parts: QuerySet[Any], account: str) -> QuerySet[Any]:
    parts = parts.filter(tenant_id=actor.tenant_id, invoice=invoice)
    if sees_whole(actor, invoice):
        return parts
    if not sees_drafts(actor) and invoice.status in Invoice.UNISSUED:
        return parts.none()
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by().values("pk")
    return parts.filter(**{f"{account}__in": reached})
