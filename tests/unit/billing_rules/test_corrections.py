"""Taking back of documents: never more than there was, and in the end exactly that."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.corrections import (
    IssuedLine,
    MoreThanIsLeft,
    NothingLeft,
    shared_over,
    take_back,
)
from billing_rules.money import half_up
from billing_rules.tax import Category, TaxGroupKey, tax_document

quick = settings(max_examples=60, deadline=None, database=None)

S19 = TaxGroupKey(Category.S, Decimal(19))
S7 = TaxGroupKey(Category.S, Decimal(7))
Z = TaxGroupKey(Category.Z, Decimal(0))


def lines_of(*rows):
    return [IssuedLine(*row) for row in rows]


def original(lines):
    """Return net and tax as the document was issued: by line, section and group."""
    bases = defaultdict(lambda: defaultdict(int))
    for line in lines:
        bases[line.section][line.tax] += line.net_minor
    order = sorted(bases)
    taxed = tax_document([bases[section] for section in order])
    sections = {
        section: (sum(bases[section].values()), tax)
        for section, tax in zip(order, taxed.section_tax_minor, strict=True)
    }
    groups = {group.key: (group.base_minor, group.tax_minor) for group in taxed.groups}
    return sections, groups


def after(lines, taken):
    """Return the lines once a credit note was issued."""
    left = list(lines)
    for one in taken.lines:
        line = left[one.place]
        left[one.place] = replace(
            line,
            taken_net_minor=line.taken_net_minor + one.net_minor,
            taken_tax_minor=line.taken_tax_minor + one.tax_minor,
        )
    return left


class Sums:
    """What credit notes took back together."""

    def __init__(self):
        self.lines = defaultdict(int)
        self.sections = defaultdict(lambda: (0, 0))
        self.groups = defaultdict(lambda: (0, 0))

    def add(self, taken):
        for one in taken.lines:
            self.lines[one.place] += one.net_minor
        for section, (net, tax) in taken.sections.items():
            had = self.sections[section]
            self.sections[section] = had[0] + net, had[1] + tax
        for group in taken.groups:
            had = self.groups[group.key]
            self.groups[group.key] = had[0] + group.base_minor, had[1] + group.tax_minor


def within(part, whole):
    return min(whole, 0) <= part <= max(whole, 0)


DOCUMENTS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([S19, S7, Z]), st.integers(1, 40_000)),
    min_size=1,
    max_size=20,
)


@given(DOCUMENTS, st.data())
@quick
def test_ends_exactly_where_the_document_began_whatever_was_taken_before(rows, data):
    lines = lines_of(*rows)
    sections, groups = original(lines)
    left, sums, before = lines, Sums(), 0
    for _step in range(data.draw(st.integers(0, 9))):
        chosen = data.draw(
            st.lists(st.sampled_from(range(len(lines))), min_size=1, unique=True).map(sorted)
        )
        total = sum(left[place].left_minor for place in chosen)
        if total <= 0:
            continue
        amount = data.draw(st.one_of(st.none(), st.integers(1, total)))
        taken = take_back(left, shared_over(left, chosen, amount))
        assert taken.net_minor == (total if amount is None else amount)
        assert sum(one.net_minor for one in taken.lines) == taken.net_minor
        assert sum(one.tax_minor for one in taken.lines) == taken.tax_minor
        assert sum(net for net, _tax in taken.sections.values()) == taken.net_minor
        assert sum(tax for _net, tax in taken.sections.values()) == taken.tax_minor
        for group in taken.groups:
            exact = Fraction(group.base_minor) * Fraction(group.key.rate) / 100
            # A section's share is rounded, and so was what each note before has left of its tax.
            assert abs(group.tax_minor - exact) <= len(taken.sections) * (2 + before)
        left, before = after(left, taken), before + 1
        sums.add(taken)
        assert all(within(net, lines[place].net_minor) for place, net in sums.lines.items())
        for key, (net, tax) in sums.sections.items():
            assert within(net, sections[key][0])
            assert within(tax, sections[key][1])
        for key, (net, tax) in sums.groups.items():
            assert within(net, groups[key][0])
            assert within(tax, groups[key][1])
    if any(line.left_minor for line in left):
        sums.add(take_back(left, shared_over(left, range(len(left)))))

    assert sums.sections == sections
    assert sums.groups == groups
    assert [sums.lines[place] for place in range(len(lines))] == [one.net_minor for one in lines]


@given(DOCUMENTS)
@quick
def test_a_document_is_taken_back_as_it_was(rows):
    lines = lines_of(*rows)
    sections, groups = original(lines)

    taken = take_back(lines, shared_over(lines, range(len(lines))))

    assert taken.sections == sections
    assert {one.key: (one.base_minor, one.tax_minor) for one in taken.groups} == groups


def test_what_notes_before_have_rounded_up_is_missing_in_the_last():
    # The document's tax is 13.02, told as 13. Base × rate is 6.51, 3.50 and 3.01.
    lines = lines_of((0, S7, 93), (0, S7, 93))

    first = take_back(lines, shared_over(lines, [0]))
    second = take_back(left := after(lines, first), shared_over(left, [1], 50))
    third = take_back(left := after(left, second), shared_over(left, [1]))

    assert [(one.net_minor, one.tax_minor) for one in (first, second, third)] == [
        (93, 7),
        (50, 4),
        (43, 2),
    ]


def test_reverses_exactly_what_each_section_was_told():
    # Tax of 19.00 on 100.00 over three is 6.34, 6.33 and 6.33.
    lines = lines_of((0, S19, 3334), (1, S19, 3333), (2, S19, 3333))

    taken = [take_back(lines, shared_over(lines, [place])) for place in range(3)]

    assert [(one.net_minor, one.tax_minor) for one in taken] == [
        (3334, 634),
        (3333, 633),
        (3333, 633),
    ]


def test_an_amount_is_shared_over_what_is_left_and_taxed_at_its_rate():
    lines = lines_of((0, S19, 10_000), (0, S19, 5_000), (1, S19, 5_000))

    taken = take_back(lines, shared_over(lines, [0, 1, 2], 1_001))

    assert [one.net_minor for one in taken.lines] == [501, 250, 250]
    assert taken.tax_minor == half_up(Fraction(1_001 * 19, 100)) == 190
    assert taken.gross_minor == 1_191


def test_each_piece_has_the_tax_of_its_rate_and_the_last_what_is_left():
    # 19 % of 1.00 is 0.19; of 0.33 it is 0.0627, of 0.34 0.0646.
    left, taxes = lines_of((0, S19, 100)), []
    for amount in (33, 33, 34):
        taken = take_back(left, shared_over(left, [0], amount))
        taxes.append(taken.tax_minor)
        left = after(left, taken)

    assert taxes == [6, 6, 7]


def test_takes_a_line_and_its_credit_together():
    # A change inside a period: 217.70 back, 522.54 anew.
    lines = lines_of((0, S19, -21_770), (0, S19, 52_254))

    assert take_back(lines, shared_over(lines, [0, 1])).net_minor == 30_484
    assert take_back(lines, shared_over(lines, [1], 30_484)).net_minor == 30_484
    with pytest.raises(MoreThanIsLeft):
        take_back(lines, shared_over(lines, [1]))
    with pytest.raises(NothingLeft):
        shared_over(lines, [0], 1)
    with pytest.raises(MoreThanIsLeft):
        take_back(lines, shared_over(lines, [0]))


def test_refuses_more_than_is_left_and_nothing():
    lines = lines_of((0, S19, 1_000), (1, S7, 500), (1, S7, 0))
    half = after(lines, take_back(lines, shared_over(lines, [0], 600)))

    with pytest.raises(MoreThanIsLeft):
        shared_over(half, [0], 401)
    with pytest.raises(MoreThanIsLeft):
        take_back(half, {0: 401})
    with pytest.raises(NothingLeft):
        shared_over(half, [2])
    with pytest.raises(NothingLeft):
        shared_over(half, [2], 1)
    with pytest.raises(NothingLeft):
        take_back(lines_of((0, Z, 100), (1, Z, -100)), {0: 0})
    done = after(half, take_back(half, shared_over(half, [0], 400)))
    with pytest.raises(NothingLeft):
        shared_over(done, [0])


def test_refuses_what_another_section_gave_back_already():
    # The document asks for 60 in all: one section is charged 100, another is given 40.
    lines = lines_of((0, S19, 10_000), (1, S19, -4_000))

    with pytest.raises(MoreThanIsLeft):
        take_back(lines, shared_over(lines, [0]))
    assert take_back(lines, shared_over(lines, [0], 6_000)).gross_minor == 7_140


def test_is_quick_with_ten_thousand_lines():
    lines = lines_of(*((place // 4, S19, 999 + place) for place in range(10_000)))

    taken = take_back(lines, shared_over(lines, range(10_000), 1_234_567))

    assert (taken.net_minor, taken.tax_minor) == (1_234_567, 234_568)
