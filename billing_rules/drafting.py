"""The numbers of one document: sections, tax and totals from its charges."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from billing_rules.tax import TaxGroup, TaxGroupKey, tax_document


# Not frozen: a run makes one for each charge, and making a frozen one takes three times as long.
@dataclass(slots=True)
class ChargeIn:
    """A charge to be placed on a document; nobody changes it.

    ``account_id`` is the account whose section it belongs to; ``net_minor`` is in minor units,
    negative for a credit; ``sort`` places the line in its section, ``id`` breaks its ties.
    """

    id: UUID
    account_id: UUID
    net_minor: int
    tax: TaxGroupKey
    sort: tuple[Any, ...] = ()


_LINE: Final[Callable[[ChargeIn], Any]] = attrgetter("sort", "id")


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """The part of a document that belongs to one account, in minor units.

    ``charges`` are the ids of its charges in line order; ``groups`` its share of the tax groups.
    """

    account_id: UUID
    net_minor: int
    tax_minor: int
    gross_minor: int
    charges: tuple[UUID, ...]
    groups: tuple[TaxGroup, ...]


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """The numbers of a document, in minor units; sections, groups and totals agree exactly."""

    sections: tuple[SectionDraft, ...]
    groups: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int


class Disposition(StrEnum):
    """What becomes of a drafted document."""

    ISSUE = "issue"
    CARRY = "carry"
    CREDIT = "credit"


def draft_document(charges: Iterable[ChargeIn], account_order: Mapping[UUID, int]) -> DocumentDraft:
    """Return the numbers of the document that holds ``charges``.

    Args:
        charges: the pending charges of one consolidation key, in any order, one currency.
        account_order: the place of every section's account in the tree.

    Returns:
        Sections in tree order, lines in the order of ``sort``, then ``id``. The net of a document
        is the sum of its charges; its tax is computed per group and shared out to the sections,
        so that both add up.

    Raises:
        ValueError: a charge's account has no place in the tree.

    Source: docs/billing-rules.md, R15; EN 16931, BR-CO-10 to BR-CO-17.
    """
    sections = _by_account(charges, account_order)
    taxed = tax_document([_bases(lines) for lines in sections.values()])
    drafts = tuple(
        _section(account_id, lines, groups)
        for (account_id, lines), groups in zip(sections.items(), taxed.section_groups, strict=True)
    )
    net_minor = sum(section.net_minor for section in drafts)
    return DocumentDraft(
        sections=drafts,
        groups=taxed.groups,
        net_minor=net_minor,
        tax_minor=taxed.tax_minor,
        gross_minor=net_minor + taxed.tax_minor,
    )


def disposition(gross_minor: int, *, has_ended: bool = False) -> Disposition:
    """Return what becomes of a document with at least one line and the total ``gross_minor``.

    Args:
        gross_minor: the total including tax, in minor units.
        has_ended: whether the last subscription behind its key has ended.

    Returns:
        A total of zero or more is issued. A negative one stays pending and is carried into the
        next document of its key; if none can follow, it becomes a credit note.

    Source: docs/billing-rules.md, R16.
    """
    if gross_minor >= 0:
        return Disposition.ISSUE
    return Disposition.CREDIT if has_ended else Disposition.CARRY


def _by_account(
    charges: Iterable[ChargeIn], account_order: Mapping[UUID, int]
) -> dict[UUID, list[ChargeIn]]:
    sections: dict[UUID, list[ChargeIn]] = {}
    for charge in charges:
        sections.setdefault(charge.account_id, []).append(charge)
    try:
        ordered = sorted(sections, key=account_order.__getitem__)
    except KeyError as error:
        raise ValueError(f"account {error} has no place in the tree") from None
    return {account_id: sorted(sections[account_id], key=_LINE) for account_id in ordered}


def _bases(lines: Iterable[ChargeIn]) -> dict[TaxGroupKey, int]:
    bases: dict[TaxGroupKey, int] = {}
    for line in lines:
        bases[line.tax] = bases.get(line.tax, 0) + line.net_minor
    return bases


def _section(
    account_id: UUID, lines: Iterable[ChargeIn], groups: tuple[TaxGroup, ...]
) -> SectionDraft:
    net_minor = sum(group.base_minor for group in groups)
    tax_minor = sum(group.tax_minor for group in groups)
    return SectionDraft(
        account_id=account_id,
        net_minor=net_minor,
        tax_minor=tax_minor,
        gross_minor=net_minor + tax_minor,
        charges=tuple(line.id for line in lines),
        groups=groups,
    )
