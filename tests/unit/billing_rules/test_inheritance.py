"""Settings, bill-to and payer along the tree."""

import pytest

from billing_rules.inheritance import bill_tos, payers, resolve

#   group ── north ── team
#        └── south
ORDER = [("group", None), ("north", "group"), ("team", "north"), ("south", "group")]
DEFAULTS = {"language": "de", "billing_day": 15}


def test_the_nearest_value_holds_and_names_its_account():
    resolved = resolve(
        ORDER,
        {"group": {"language": "en"}, "north": {"billing_day": 1}, "team": {"language": "fr"}},
        DEFAULTS,
    )

    found = {
        node: (r.value("language"), r.origin("language"), r.value("billing_day"))
        for node, r in resolved.items()
    }
    assert found == {
        "group": ("en", "group", 15),
        "north": ("en", "group", 1),
        "team": ("fr", "team", 1),
        "south": ("en", "group", 15),
    }
    assert resolved["south"].origin("billing_day") is None


def test_a_value_that_is_set_to_none_is_set():
    resolved = resolve(ORDER, {"north": {"billing_day": None}}, DEFAULTS)

    assert resolved["team"].value("billing_day") is None
    assert resolved["team"].origin("billing_day") == "north"


def test_accounts_without_own_values_share_their_parents_object():
    resolved = resolve(ORDER, {"north": {"language": "en"}, "team": {}}, DEFAULTS)

    assert resolved["team"] is resolved["north"]
    assert resolved["south"] is resolved["group"]
    assert resolved["north"] is not resolved["group"]


def test_an_unknown_setting_is_an_error():
    resolved = resolve(ORDER, {}, DEFAULTS)

    assert resolved["group"].origin("colour") is None
    with pytest.raises(KeyError, match="colour"):
        resolved["group"].value("colour")


@pytest.mark.parametrize(
    ("function", "arguments"), [(resolve, ({}, {})), (bill_tos, ({},)), (payers, ({},))]
)
def test_refuses_a_child_before_its_parent(function, arguments):
    with pytest.raises(ValueError, match="team comes before its parent north"):
        function([("team", "north"), ("north", None)], *arguments)


def test_an_unset_bill_to_follows_the_parent_and_a_root_is_its_own():
    assert bill_tos(ORDER, {}) == {node: ("group", None) for node, _ in ORDER}


def test_own_invoice_holds_for_everything_below():
    assert bill_tos(ORDER, {"north": "north"}) == {
        "group": ("group", None),
        "north": ("north", "north"),
        "team": ("north", "north"),
        "south": ("group", None),
    }


def test_a_bill_to_is_final_wherever_its_target_sends_its_own_charges():
    found = bill_tos(ORDER, {"north": "group", "team": "north"})

    assert found["north"] == ("group", "north")
    assert found["team"] == ("north", "team")


def test_a_bill_to_without_a_payer_pays_itself():
    assert payers(ORDER, {}) == {node: (node, None) for node, _ in ORDER}


def test_the_nearest_payer_is_taken_literally():
    found = payers(ORDER, {"group": "bank", "team": "south"})

    assert found == {
        "group": ("bank", "group"),
        "north": ("bank", "group"),
        "team": ("south", "team"),
        "south": ("bank", "group"),
    }


def test_a_payer_set_below_does_not_reach_up_or_sideways():
    found = payers(ORDER, {"north": "group"})

    assert found["group"] == ("group", None)
    assert found["south"] == ("south", None)
    assert found["team"] == ("group", "north")
