"""What is wanted of a correction, and why it may be refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.corrections import LONGEST_REASON
from tenancy.errors import Conflict, FieldError, Invalid

_LONGEST_SCOPE: Final = 10_000


class InvoiceNotIssued(Conflict):
    """A draft is taken back, or drafted again; there is nothing to correct yet."""

    code = "invoice_not_issued"
    message = gettext_lazy("This is a draft. Take it back instead: it has no number yet.")


class NotAnInvoice(Conflict):
    """A credit note is final."""

    code = "not_an_invoice"
    message = gettext_lazy("A credit note can’t be corrected itself.")


class NothingToCorrect(Conflict):
    """What is to be taken back was taken back before, or was for nothing."""

    code = "nothing_left_to_correct"
    message = gettext_lazy("Nothing of this is left that could be taken back.")


class MoreThanLeft(Conflict):
    """Credit notes never take back more than there was (I22)."""

    code = "more_than_is_left"
    message = gettext_lazy(
        "More would be taken back than is left of a line, a section, a tax rate or the invoice."
    )


class AlreadyCorrected(Conflict):
    """The same form was sent twice."""

    code = "already_corrected"
    message = gettext_lazy("This credit note was issued already. Nothing was taken back twice.")


class InvalidCorrection(Invalid):
    """A correction that can't be as it is wanted; ``errors`` names each member."""

    code = "invalid_correction"
    message = gettext_lazy("This correction is not valid.")


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """What is to be taken back, and why.

    ``line_ids`` or the sections of ``account_id`` alone, else the whole invoice. ``amount_minor``
    is the net amount to take back of that, None for all that is left of it. ``key`` is what the
    credit note is to be called, so that one form makes one.
    """

    reason: str
    account_id: UUID | None = None
    line_ids: tuple[UUID, ...] = ()
    amount_minor: int | None = None
    key: UUID | None = None

    def faults(self) -> Iterator[FieldError]:
        """Yield what is wrong with it itself, whichever invoice it is of."""
        reason = self.reason.strip()
        if not reason:
            detail = _("Please say why: it stands on the document.")
            yield FieldError("required", detail, "/reason")
        elif len(reason) > LONGEST_REASON or not reason.isprintable():
            detail = _("At most %(most)s printable characters are possible.") % {
                "most": LONGEST_REASON
            }
            yield FieldError("invalid", detail, "/reason")
        if self.amount_minor is not None and self.amount_minor <= 0:
            detail = _("An amount above 0 is expected.")
            yield FieldError("out_of_range", detail, "/amount_minor")
        if self.line_ids and self.account_id is not None:
            detail = _("Lines or a section are possible, not both.")
            yield FieldError("invalid", detail, "/section")
        if len(self.line_ids) > _LONGEST_SCOPE:
            detail = _("At most %(most)s lines are possible.") % {"most": _LONGEST_SCOPE}
            yield FieldError("too_many", detail, "/lines")
