"""Taking back of an issued document: what is left of it, and the amounts of a credit note.

Amounts here are what is taken back: above 0 where the document asked for money, below 0 where it
gave some back itself. A credit note stores them with the other sign.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final, NamedTuple

from billing_rules.allocation import largest_remainder_over
from billing_rules.money import half_up
from billing_rules.tax import TaxGroup, TaxGroupKey, group_order, tax_document

LONGEST_REASON: Final = 500


class NothingLeft(ValueError):
    """What is to be taken back comes to nothing: it was taken back before, or was for nothing."""


class MoreThanIsLeft(ValueError):
    """More would be taken back than is left of a line, a section, a tax group or the document."""


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """A line of an issued document, and what was taken back of it so far, in minor units.

    ``section`` is the place of its section. ``taken_tax_minor`` are the shares in the tax that
    earlier credit notes gave it.
    """

    section: int
    tax: TaxGroupKey
    net_minor: int
    taken_net_minor: int = 0
    taken_tax_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What is left of it."""
        return self.net_minor - self.taken_net_minor


class _Cell(NamedTuple):
    """The lines of one section and tax group: tax is told of them together, not line by line."""

    section: int
    tax: TaxGroupKey


@dataclass(frozen=True, slots=True)
class TakenLine:
    """What is taken back of a line: ``place`` is its place among the lines of the document."""

    place: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The amounts of a credit note, in minor units; lines, sections and groups add up exactly.

    ``sections`` are net and tax by the place of the section in the document.
    """

    lines: tuple[TakenLine, ...]
    sections: Mapping[int, tuple[int, int]]
    groups: tuple[TaxGroup, ...]

    @property
    def net_minor(self) -> int:
        """The net amount."""
        return sum(group.base_minor for group in self.groups)

    @property
    def tax_minor(self) -> int:
        """The tax."""
        return sum(group.tax_minor for group in self.groups)

    @property
    def gross_minor(self) -> int:
        """The total."""
        return self.net_minor + self.tax_minor


def shared_over(
    lines: Sequence[IssuedLine], chosen: Sequence[int], amount_minor: int | None = None
) -> dict[int, int]:
    """Return by line the net amount to take back of it.

    Args:
        lines: all lines of the document, in its order.
        chosen: the places of the lines that are concerned.
        amount_minor: the net amount to take back of them together, shared over what is left of
            each by largest remainder; None for all that is left.

    Returns:
        Amounts by the place of the line, without those of which nothing is taken.

    Raises:
        NothingLeft: nothing is left of them.
        MoreThanIsLeft: the amount is more than what is left of them together.

    Source: docs/billing-rules.md, R17.
    """
    left = [lines[place].left_minor for place in chosen]
    total = sum(left)
    if amount_minor is not None and amount_minor != total:
        if total <= 0:
            raise NothingLeft
        if amount_minor > total:
            raise MoreThanIsLeft
        left = [*largest_remainder_over([amount_minor * one for one in left], total, amount_minor)]
    found = {place: net for place, net in zip(chosen, left, strict=True) if net}
    if not found:
        raise NothingLeft
    return found


def take_back(lines: Sequence[IssuedLine], nets: Mapping[int, int]) -> Taken:
    """Return the amounts of a credit note that takes net amounts back of an issued document.

    Tax is told of the lines of one section and one tax group together: so much of what is left of
    their tax as is taken of their net. The tax of a group is base times rate where that fits: of
    lines that are taken back to the end it is the tax that the document had. So what is taken of a
    section, in any number of steps and in any order, ends exactly where the document began.

    Args:
        lines: all lines of the document, in its order.
        nets: by the place of the line what to take back of it, as ``shared_over`` returns.

    Raises:
        NothingLeft: it comes to nothing, or would ask for money.
        MoreThanIsLeft: more than is left of a line, of a section, of a tax group, or of all.

    Source: docs/billing-rules.md, R15, R17.
    """
    left_tax = _left_taxes(lines)
    cells: dict[_Cell, list[int]] = defaultdict(list)
    for place in sorted(nets):
        cells[_cell(lines[place])].append(place)
    _require_left(lines, nets)
    taxes = _cell_taxes(lines, nets, cells, left_tax)
    taken = _told(nets, cells, taxes)
    if taken.gross_minor <= 0:
        raise NothingLeft
    _require_tax_left(taken, left_tax)
    return taken


def _cell(line: IssuedLine) -> _Cell:
    return _Cell(line.section, line.tax)


def _left_taxes(lines: Sequence[IssuedLine]) -> dict[_Cell, int]:
    """Return what is left of the tax of each section and group: it was shared out by R15."""
    bases: dict[int, dict[TaxGroupKey, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        bases[line.section][line.tax] += line.net_minor
    sections = sorted(bases)
    shares = tax_document([bases[section] for section in sections]).section_groups
    left = {
        _Cell(section, group.key): group.tax_minor
        for section, groups in zip(sections, shares, strict=True)
        for group in groups
    }
    for line in lines:
        left[_cell(line)] -= line.taken_tax_minor
    return left


def _require_left(lines: Sequence[IssuedLine], nets: Mapping[int, int]) -> None:
    """Refuse where more would be taken than is left, of whatever is told by itself."""
    for of_what in (lambda place: place, lambda place: _cell(lines[place]),
                    lambda place: lines[place].section, lambda place: lines[place].tax,
                    lambda _place: None):  # fmt: skip
        taken: dict[object, int] = defaultdict(int)
        for place, net in nets.items():
            taken[of_what(place)] += net
        left: dict[object, int] = defaultdict(int)
        for place, line in enumerate(lines):
            if of_what(place) in taken:
                left[of_what(place)] += line.left_minor
        for key, net in taken.items():
            if not min(left[key], 0) <= net <= max(left[key], 0):
                raise MoreThanIsLeft


def _cell_taxes(
    lines: Sequence[IssuedLine],
    nets: Mapping[int, int],
    cells: Mapping[_Cell, Sequence[int]],
    left_tax: Mapping[_Cell, int],
) -> dict[_Cell, int]:
    """Return the tax to take back of each section and group."""
    left: dict[_Cell, int] = defaultdict(int)
    for line in lines:
        left[_cell(line)] += line.left_minor
    by_group: dict[TaxGroupKey, dict[_Cell, Fraction]] = defaultdict(dict)
    bases: dict[TaxGroupKey, int] = defaultdict(int)
    for cell, places in cells.items():
        net = sum(nets[place] for place in places)
        bases[cell.tax] += net
        exact = Fraction(net * left_tax[cell], left[cell]) if left[cell] else Fraction(0)
        by_group[cell.tax][cell] = exact
    taxes: dict[_Cell, int] = {}
    for tax, exact_taxes in by_group.items():
        floors = {cell: floor(exact) for cell, exact in exact_taxes.items()}
        least, most = sum(floors.values()), sum(map(ceil, exact_taxes.values()))
        wanted = half_up(Fraction(bases[tax] * Fraction(tax.rate), 100))
        over = min(max(wanted, least), most) - least
        fractions = {cell: exact - floors[cell] for cell, exact in exact_taxes.items()}
        # Sorting keeps the order of what is equal: the earlier section goes first.
        for cell in sorted(fractions, key=lambda one: -fractions[one])[:over]:
            floors[cell] += 1
        taxes |= floors
    return taxes


def _told(
    nets: Mapping[int, int], cells: Mapping[_Cell, Sequence[int]], taxes: Mapping[_Cell, int]
) -> Taken:
    """Return lines, sections and groups of what is taken; a cell's tax is shared over its lines."""
    lines: list[TakenLine] = []
    sections: dict[int, tuple[int, int]] = {}
    groups: dict[TaxGroupKey, tuple[int, int]] = {}
    for cell, places in cells.items():
        tax, amounts = taxes[cell], [nets[place] for place in places]
        net = sum(amounts)
        shares = (
            largest_remainder_over(
                [tax * amount * (1 if net > 0 else -1) for amount in amounts], abs(net), tax
            )
            if net
            else [0] * len(amounts)
        )
        lines += map(TakenLine, places, amounts, shares)
        had = sections.get(cell.section, (0, 0))
        sections[cell.section] = had[0] + net, had[1] + tax
        had = groups.get(cell.tax, (0, 0))
        groups[cell.tax] = had[0] + net, had[1] + tax
    return Taken(
        tuple(sorted(lines, key=lambda line: line.place)),
        dict(sorted(sections.items())),
        tuple(TaxGroup(key, *groups[key]) for key in sorted(groups, key=group_order)),
    )


def _require_tax_left(taken: Taken, left_tax: Mapping[_Cell, int]) -> None:
    """Refuse where parts of both signs would leave tax of the other sign to a group."""
    left: dict[TaxGroupKey, int] = defaultdict(int)
    for cell, tax in left_tax.items():
        left[cell.tax] += tax
    for group in taken.groups:
        if not min(left[group.key], 0) <= group.tax_minor <= max(left[group.key], 0):
            raise MoreThanIsLeft
