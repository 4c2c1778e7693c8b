"""Values of settings in words."""

from uuid import UUID

import pytest

from web.setting_words import value_text


@pytest.mark.parametrize(
    ("name", "words"),
    [("bill_to", "another account"), ("payer", "another account"), ("seller", "another seller")],
)
def test_what_is_out_of_sight_is_called_what_it_is(name, words):
    assert value_text(name, UUID(int=7)) == words
    assert value_text(name, UUID(int=7), "Nordhafen") == "Nordhafen"
    assert value_text(name, None) == ""
