"""The numbers of a document."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.drafting import ChargeIn, Disposition, disposition, draft_document
from billing_rules.tax import Category, TaxGroupKey

quick = settings(max_examples=50, deadline=None, database=None)

S19 = TaxGroupKey(Category.S, Decimal(19))
S7 = TaxGroupKey(Category.S, Decimal(7))
TREE = {"group": 0, "north": 1, "south": 2}


def test_sections_follow_the_tree_and_lines_their_sort_key():
    draft = draft_document(
        [
            ChargeIn(5, "south", 3333, S19),
            ChargeIn(4, "north", 1000, S19, ("desk", 2)),
            ChargeIn(3, "north", 1000, S19, ("desk", 1)),
            ChargeIn(2, "north", 1333, S19, ("backup", 9)),
            ChargeIn(1, "group", 3334, S19),
        ],
        TREE,
    )

    assert [(s.account_id, s.charges) for s in draft.sections] == [
        ("group", (1,)),
        ("north", (2, 3, 4)),
        ("south", (5,)),
    ]
    assert [(s.net_minor, s.tax_minor, s.gross_minor) for s in draft.sections] == [
        (3334, 634, 3968),
        (3333, 633, 3966),
        (3333, 633, 3966),
    ]
    assert (draft.net_minor, draft.tax_minor, draft.gross_minor) == (10000, 1900, 11900)


def test_equal_sort_keys_are_ordered_by_id():
    charges = [ChargeIn(id, "group", 1, S19, ("desk",)) for id in (3, 1, 2)]

    assert draft_document(charges, TREE).sections[0].charges == (1, 2, 3)


def test_a_section_shows_its_share_of_every_tax_group():
    draft = draft_document([ChargeIn(1, "north", 100, S7), ChargeIn(2, "north", 100, S19)], TREE)

    assert draft.groups == ((S19, 100, 19), (S7, 100, 7))
    assert draft.sections[0].groups == draft.groups


def test_accounts_at_the_same_place_keep_sections_of_their_own():
    charges = [ChargeIn(id, account, 1, S19) for id, account in enumerate("abab")]

    draft = draft_document(charges, {"a": 0, "b": 0})

    assert [(s.account_id, s.charges) for s in draft.sections] == [("a", (0, 2)), ("b", (1, 3))]


def test_a_document_without_charges_is_empty():
    draft = draft_document([], TREE)

    assert (draft.sections, draft.groups, draft.gross_minor) == ((), (), 0)


def test_refuses_an_account_that_has_no_place():
    with pytest.raises(ValueError, match="'east' has no place in the tree"):
        draft_document([ChargeIn(1, "east", 1, S19)], TREE)


@pytest.mark.parametrize(
    ("gross_minor", "has_ended", "expected"),
    [
        (1, False, "issue"),
        (0, False, "issue"),
        (0, True, "issue"),
        (-1, False, "carry"),
        (-1, True, "credit"),
    ],
)
def test_a_negative_total_is_carried_until_nothing_can_follow(gross_minor, has_ended, expected):
    assert disposition(gross_minor, has_ended=has_ended) == expected
    assert disposition(gross_minor, has_ended=has_ended) is Disposition(expected)


charges = st.lists(
    st.builds(
        ChargeIn,
        st.uuids(),
        st.sampled_from(sorted(TREE)),
        st.integers(-(10**8), 10**8),
        st.sampled_from([S19, S7]),
        st.tuples(st.integers(0, 3)),
    ),
    max_size=20,
    unique_by=lambda charge: charge.id,
)


@quick
@given(charges, st.randoms(use_true_random=False))
def test_sums_are_exact_and_the_order_of_charges_does_not_matter(given_charges, random):
    draft = draft_document(given_charges, TREE)

    assert draft.net_minor == sum(charge.net_minor for charge in given_charges)
    assert draft.net_minor == sum(group.base_minor for group in draft.groups)
    assert draft.tax_minor == sum(group.tax_minor for group in draft.groups)
    assert draft.gross_minor == draft.net_minor + draft.tax_minor
    assert draft.net_minor == sum(section.net_minor for section in draft.sections)
    assert draft.tax_minor == sum(section.tax_minor for section in draft.sections)
    assert draft.gross_minor == sum(section.gross_minor for section in draft.sections)
    placed = [id for section in draft.sections for id in section.charges]
    assert sorted(placed) == sorted(charge.id for charge in given_charges)

    random.shuffle(given_charges)
    assert draft_document(given_charges, TREE) == draft
