"""What may happen to invoices, billing runs and charges, and to the clock of a sandbox."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from tenancy.events import Declared, Kind, Maybe, declare

_OF_CHARGE: Mapping[str, Kind | Maybe] = {
    "description": Kind.TEXT,
    "net_minor": Kind.AMOUNT,
    "currency": Kind.CURRENCY,
    "invoice_on": Kind.DAY,
    "external_id": Maybe(Kind.TEXT),
}

declare(
    Declared(
        "charge.added",
        "charge",
        _("An account is charged for something once; it stands on no invoice yet."),
        _OF_CHARGE,
        short=_("Charge added"),
    ),
    Declared(
        "charge.cancelled",
        "charge",
        _("What was to be charged once was taken back before it was invoiced."),
        _OF_CHARGE,
        short=_("Charge cancelled"),
    ),
    Declared(
        "charges.released",
        "account",
        _("Charges that were held back with their drafts are free for the next run."),
        {"charges": Kind.WHOLE},
        short=_("Held charges released"),
    ),
    Declared(
        "invoice.drafted",
        "invoice",
        _("A billing run made a draft that waits for approval."),
        is_told=False,
        short=_("Draft made"),
    ),
    Declared(
        "invoice.redrafted",
        "invoice",
        _("A later run replaced a draft by another, or took it away."),
        {
            "run": Kind.ID,
            "run_date": Kind.DAY,
            "old_gross_minor": Kind.AMOUNT,
            "gross_minor": Maybe(Kind.AMOUNT),
            "currency": Kind.CURRENCY,
        },
        short=_("Draft made anew"),
    ),
    Declared(
        "invoice.discarded",
        "invoice",
        _("A draft was discarded; its charges come into the next run."),
        {"reason": Kind.TEXT, "gross_minor": Kind.AMOUNT, "currency": Kind.CURRENCY},
        short=_("Draft discarded"),
    ),
    Declared(
        "invoice.held_back",
        "invoice",
        _("A draft was taken back and its charges wait, until a day or until they are released."),
        {
            "reason": Kind.TEXT,
            "until": Maybe(Kind.DAY),
            "gross_minor": Kind.AMOUNT,
            "currency": Kind.CURRENCY,
        },
        short=_("Draft taken back, charges held"),
    ),
    Declared(
        "invoice.issued",
        "invoice",
        _("An invoice got its number and stands in the books."),
        {
            "number": Kind.TEXT,
            "gross_minor": Kind.AMOUNT,
            "currency": Kind.CURRENCY,
            "status": Kind.TEXT,
            "run": Kind.ID,
            "run_date": Kind.DAY,
        },
        short=_("Issued, number assigned"),
    ),
    Declared(
        "invoice.pdf_failed",
        "invoice",
        _("The files of an invoice could not be made and were given up."),
        {"number": Kind.TEXT, "reason": Kind.TEXT, "attempts": Kind.WHOLE},
        short=_("PDF could not be made"),
    ),
    Declared(
        "invoice.pdf_retried",
        "invoice",
        _("Somebody had the files of an invoice tried again."),
        {"number": Kind.TEXT},
        short=_("PDF tried again"),
    ),
    Declared(
        "run.requested",
        "run",
        _("A billing run was asked for."),
        {"date": Kind.DAY, "issue": Kind.YES_NO, "within": Maybe(Kind.ID)},
        short=_("Run asked for"),
    ),
    Declared(
        "run.joined",
        "run",
        _("Somebody asked for a billing run that was under way already."),
        is_told=False,
        short=_("Joined the run"),
    ),
    Declared(
        "run.closed",
        "run",
        _("A billing run is through: done, waiting for approval, or with problems."),
        {"status": Kind.TEXT, "date": Kind.DAY},
        short=_("Run worked through"),
    ),
    Declared(
        "run.approved",
        "run",
        _("All drafts of a billing run were approved."),
        {"drafts": Kind.WHOLE},
        short=_("All drafts approved"),
    ),
    Declared(
        "run.drafts_approved",
        "run",
        _("Some drafts of a billing run were approved and issued."),
        {"issued": Kind.WHOLE, "waiting": Kind.WHOLE},
        short=_("Drafts approved"),
    ),
    Declared(
        "run.rejected",
        "run",
        _("A billing run was rejected: all its drafts were discarded."),
        {"drafts": Kind.WHOLE, "reason": Kind.TEXT},
        short=_("Run rejected"),
    ),
    Declared(
        "tenant.clock_moved",
        "tenant",
        _("The clock of a sandbox was moved on."),
        {"today": Kind.DAY},
    ),
)
declare(
    Declared(
        "plan.created",
        "plan",
        _("A change was planned; it does nothing yet."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Draft saved"),
    ),
    Declared(
        "plan.approval_asked",
        "plan",
        _("Somebody asked for a planned change to be approved."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Approval asked for"),
    ),
    Declared(
        "plan.approved",
        "plan",
        _("Somebody approved a planned change."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Approved"),
    ),
    Declared(
        "plan.acceptance_asked",
        "plan",
        _("A planned change waits for whoever comes to be invoiced or to pay."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Waits for the agreement"),
    ),
    Declared(
        "plan.accepted",
        "plan",
        _("Whoever comes to be invoiced or to pay has agreed, or the vendor in their place."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY, "forced": Kind.YES_NO},
        short=_("Accepted"),
    ),
    Declared(
        "plan.declined",
        "plan",
        _("Whoever would come to be invoiced or to pay has declined; the plan is withdrawn."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY, "forced": Kind.YES_NO},
        short=_("Declined"),
    ),
    Declared(
        "plan.scheduled",
        "plan",
        _("A planned change will be carried out on its day."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Scheduled"),
    ),
    Declared(
        "plan.withdrawn",
        "plan",
        _("A planned change was taken back."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Withdrawn"),
    ),
    Declared(
        "plan.applied",
        "plan",
        _("A planned change was carried out."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Carried out"),
    ),
    Declared(
        "plan.failed",
        "plan",
        _("A planned change could not be carried out; nothing of it was done."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY, "code": Kind.TEXT},
        short=_("Could not be carried out"),
    ),
    Declared(
        "plan.commented",
        "plan",
        _("Somebody said something about a planned change."),
        {"kind": Kind.TEXT, "effective_date": Kind.DAY},
        short=_("Comment added"),
    ),
)
