"""How a document names accounts: two of one name are told apart by their customer numbers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.utils.translation import pgettext

from invoicing.documents import parties
from invoicing.documents.calculation import CONTEXT
from invoicing.documents.directions import isolated
from invoicing.documents.formats import Formats
from invoicing.models import Invoice, InvoiceSection

PATH = " › "
"""Between the names of a path."""


@dataclass(frozen=True, slots=True)
class Named:
    """An account as the document calls it: ``above`` are the accounts over it, from the top."""

    name: str
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """The sum of a branch that several accounts lie in, said behind the last of them."""

    label: str
    net: str


@dataclass
class Names:
    """The names of all accounts of one document.

    A name is repeated where two accounts have it, wherever they stand: whoever reads “Müller GmbH”
    must know which. Sections that were stored without the ids of their accounts keep their names
    alone, and no branch of theirs is summed up: nobody could tell whose sum it was.
    """

    invoice: Invoice
    sections: Sequence[InvoiceSection]
    _accounts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """Find out which names are repeated: one look at each account of each path."""
        bill_to = self.invoice.snapshot["bill_to"]
        self._accounts[_folded(bill_to["name"])].add(str(bill_to.get("id")))
        for section in self.sections:
            if _knows_accounts(section):
                for name, account in zip(section.path, section.lineage, strict=True):
                    self._accounts[_folded(name)].add(account["id"])

    def of(self, section: InvoiceSection, position: int) -> Named:
        """Return how a section's account is called; ``position`` tells those without number."""
        if not section.path:
            return Named(parties.legal_name(self.invoice.snapshot["bill_to"]))
        names = [self._level(section, level) for level in range(len(section.path))]
        if self._lacks_number(section, -1):
            names[-1] = pgettext(CONTEXT, "%(name)s (no. %(position)s)") % {
                "name": names[-1],
                "position": position,
            }
        return Named(names[-1], tuple(names[:-1]))

    def closings(self, formats: Formats) -> dict[int, Closing]:
        """Return what is summed up behind which section, by its place from 0.

        A branch is the first level below the bill-to. One account alone needs no sum, and neither
        does a branch that all accounts lie in: its sum is the document's.
        """
        found: dict[int, Closing] = {}
        place = 0
        for branch, grouped in groupby(self.sections, key=_branch):
            group = list(grouped)
            place += len(group)
            if branch and 1 < len(group) < len(self.sections):
                net = formats.amount(sum(one.net_minor for one in group))
                first = place - len(group) + 1
                found[place - 1] = Closing(self._closing(group[0], first, place), net)
        return found

    def _closing(self, section: InvoiceSection, first: int, last: int) -> str:
        name = self._level(section, 0)
        if self._lacks_number(section, 0):
            return pgettext(CONTEXT, "%(name)s with sub-accounts (no. %(first)s–%(last)s)") % {
                "name": name,
                "first": first,
                "last": last,
            }
        return pgettext(CONTEXT, "%(name)s with sub-accounts") % {"name": name}

    def _level(self, section: InvoiceSection, level: int) -> str:
        """Return a name of a path, with the customer number where it is repeated."""
        name: str = section.path[level]
        if self._is_repeated(name) and _knows_accounts(section):
            number = section.lineage[level]["number"]
            return f"{isolated(name)} ({number})" if number else isolated(name)
        return isolated(name)

    def _lacks_number(self, section: InvoiceSection, level: int) -> bool:
        """Return whether a repeated name has no customer number to tell it by."""
        if not self._is_repeated(section.path[level]) or not _knows_accounts(section):
            return False
        return not section.lineage[level]["number"]

    def _is_repeated(self, name: str) -> bool:
        return len(self._accounts.get(_folded(name), ())) > 1


def is_of_bill_to(invoice: Invoice, section: InvoiceSection) -> bool:
    """Return whether a section is the bill-to's own."""
    bill_to = invoice.snapshot["bill_to"]
    if section.lineage:
        return bool(section.lineage[-1]["id"] == bill_to.get("id"))
    return section.path in ([], [bill_to["name"]])


def _knows_accounts(section: InvoiceSection) -> bool:
    return len(section.lineage) == len(section.path)


def _branch(section: InvoiceSection) -> str:
    return str(section.lineage[0]["id"]) if section.path and _knows_accounts(section) else ""


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
