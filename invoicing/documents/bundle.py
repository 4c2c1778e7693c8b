"""Many PDFs in one archive."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoicing.documents.making import DocumentBeingMade, DocumentFailed, get_pdf
from invoicing.documents.pdf import pending_documents
from invoicing.models import Invoice
from invoicing.queries.invoices import invoices
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.errors import Conflict, Invalid

MOST_FILES = 100
MOST_MADE = 10


class TooManyFiles(Invalid):
    """More documents than one archive holds."""

    code = "too_many_documents"
    message = gettext_lazy(
        "One ZIP file holds at most %(most)s documents; %(count)s are selected."
        " Select fewer, or narrow the list."
    )


class TooManyDrafts(Invalid):
    """Drafts are laid out anew each time."""

    code = "too_many_drafts"
    message = gettext_lazy(
        "Drafts are laid out anew for each download: at most %(most)s at once;"
        " %(count)s are selected."
    )


class DocumentsPending(Conflict):
    """Workers have not come so far yet."""

    code = "documents_pending"
    message = gettext_lazy(
        "%(count)s of these documents are still being made. Please try again in a minute."
    )


class NothingToBundle(Invalid):
    """None of it has a document of its own."""

    code = "no_documents"
    message = gettext_lazy(
        "There is no PDF among these: an extract is no invoice and has none of its own."
    )


@dataclass(frozen=True, slots=True)
class Bundle:
    """What went into an archive: how many files, and the documents without one."""

    files: int
    left_out: Sequence[Invoice]


def write_bundle(
    actor: Actor, invoice_ids: Collection[UUID], file: IO[bytes], *, now: datetime
) -> Bundle:
    """Write the PDFs of invoices into a ZIP archive, in the order of the list.

    Of a partial view there is no PDF (R23): a text file in the archive names what is left out. What
    is missing is made on the way, so no transaction may be open.

    Args:
        actor: who asks; what is out of sight is passed over.
        invoice_ids: which ones.
        file: where the archive goes.
        now: the time missing files are stored with.

    Raises:
        TooManyFiles, TooManyDrafts, DocumentsPending, NothingToBundle: see their texts.
    """
    if len(invoice_ids) > MOST_FILES:
        raise TooManyFiles(most=MOST_FILES, count=len(invoice_ids))
    with scope(actor.tenant_id):
        found: list[Any] = list(invoices(actor, today=actor.today).filter(pk__in=invoice_ids))
        whole = [one for one in found if one.whole]
        if not whole:
            raise NothingToBundle
        _require_made(actor, whole)
    failed, pending = [], 0
    names: Counter[str] = Counter()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for invoice in whole:
            try:
                made = get_pdf(actor, invoice.pk, now=now)
            except DocumentFailed:
                failed.append(invoice)
            except DocumentBeingMade:
                pending += 1
            else:
                archive.writestr(_unique(made.file_name, names), made.content)
        extracts = [one for one in found if not one.whole]
        if extracts or failed:
            archive.writestr(_("left-out.txt"), _note(extracts, failed))
    if pending:
        raise DocumentsPending(count=pending)
    return Bundle(len(whole) - len(failed), [*extracts, *failed])


def _note(extracts: Sequence[Invoice], failed: Sequence[Invoice]) -> str:
    """Return what the archive says of documents that are not in it."""
    lines: list[str] = []
    if extracts:
        lines += [_("No PDF, because only an extract of it is in sight:")]
        lines += [invoice.number or _("Draft") for invoice in extracts]
    if failed:
        lines += [_("No PDF, because it could not be made:")]
        lines += [invoice.number or _("Draft") for invoice in failed]
    return "\r\n".join(lines)


def _require_made(actor: Actor, found: Collection[Invoice]) -> None:
    drafts = sum(invoice.status in Invoice.UNISSUED for invoice in found)
    if drafts > MOST_MADE:
        raise TooManyDrafts(most=MOST_MADE, count=drafts)
    pending = pending_documents(actor).filter(pk__in=[invoice.pk for invoice in found]).count()
    if pending > MOST_MADE:
        raise DocumentsPending(count=pending)


def _unique(name: str, taken: Counter[str]) -> str:
    """Return a name that no other file has: drafts of one sum are named alike."""
    taken[name] += 1
    if taken[name] == 1:
        return name
    path = PurePath(name)
    return f"{path.stem}-{taken[name]}{path.suffix}"
