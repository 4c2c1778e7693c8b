"""What each check of the books is called and means, for those who do not read SQL."""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CheckWords(NamedTuple):
    """What a check is called, and what must hold."""

    title: Promise
    meaning: Promise


WORDS: Final = {
    "I1": CheckWords(_("Charged once"), _("An item is charged only once for the same days.")),
    "I2": CheckWords(
        _("Periods without gaps"),
        _("The periods of an item follow each other without gap and without overlap."),
    ),
    "I3": CheckWords(
        _("Amounts of charges"),
        _("A charge is its price times the days charged over the full days, rounded once."),
    ),
    "I4": CheckWords(
        _("Sections add up"),
        _("The lines of a section come to the section, the sections to the document."),
    ),
    "I5": CheckWords(
        _("Tax and totals"),
        _("Tax is base times rate in each tax group, and net and tax come to the total."),
    ),
    "I6": CheckWords(
        _("Gapless numbers"),
        _("Numbers of a series have no gap and no double, and rise with the issue date."),
    ),
    "I7": CheckWords(
        _("Invoiced means issued"),
        _("A charge counts as invoiced exactly if it stands on an issued document."),
    ),
    "I8": CheckWords(
        _("Stored files"),
        _(
            "The stored files of issued documents are, byte for byte, the ones that were stored."
            " Some are read each night, all of them within four weeks."
        ),
    ),
    "I9": CheckWords(
        _("Balanced ledger"),
        _("Each entry of the ledger balances, and each issued document is booked."),
    ),
    "I10": CheckWords(
        _("Receivables"),
        _(
            "What the ledger has as receivables and credits is what is open of the documents and"
            " what credit notes took back."
        ),
    ),
    "I17": CheckWords(
        _("Account trees"),
        _("The stored order of each tree agrees with who lies below whom."),
    ),
    "I20": CheckWords(
        _("Recipients kept"),
        _("An issued document keeps its seller, its recipient and its payer as they were."),
    ),
    "I21": CheckWords(
        _("Not paid twice"),
        _("No more is paid and credited than a document asks for."),
    ),
    "I22": CheckWords(
        _("Corrections within bounds"),
        _("Credit notes take back no more than a line, a section, a tax group and a document had."),
    ),
    "I23": CheckWords(
        _("Lines and charges"),
        _("A line agrees with its charge in amount, days and currency."),
    ),
    "I24": CheckWords(
        _("Audit trail"),
        _("Each issued document has its entry in the audit trail."),
    ),
    "files": CheckWords(
        _("A file for each document"),
        _("Every issued document has its file, or waits in the queue for it."),
    ),
    "charged": CheckWords(_("Nothing forgotten"), _("Every period that fell due was charged.")),
    "days": CheckWords(
        _("Each day once"),
        _("Each day of a period is charged once, credits counted off."),
    ),
    "credited": CheckWords(
        _("Credits of changes"),
        _("Changes take back no more of a charge than was charged."),
    ),
    "offset": CheckWords(
        _("Taken back before invoicing"),
        _("What was taken back before it was invoiced comes to nothing and stands on no document."),
    ),
    "transferred": CheckWords(
        _("Handed over"),
        _("What one account is charged instead of another is what the other is credited."),
    ),
    "used": CheckWords(
        _("Usage by day"),
        _("What each day's usage comes to is what its events say."),
    ),
    "metered": CheckWords(
        _("Charged by meter"),
        _("What is charged by a meter is what it measured, or waits to be made good."),
    ),
    "committed": CheckWords(
        _("Minimum commitments"),
        _("What is charged up to a minimum is what was missing, or waits to be made good."),
    ),
    "pooled": CheckWords(
        _("Shares of pools"),
        _("The shares of a pool come to what it costs all together, each charged once."),
    ),
    "history": CheckWords(
        _("Settings and places"),
        _("Values of a setting and places in the tree do not overlap in time."),
    ),
}
"""By the name of the check; a test compares them with the checks that there are."""
