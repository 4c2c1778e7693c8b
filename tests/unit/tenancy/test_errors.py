"""Refusals speak the reader's language, their days too."""

from datetime import date

import pytest
from django.utils import translation

from invoicing.operations.clock import ClockBackwards
from invoicing.operations.runs import RunDateBeforeLastIssue


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "An invoice was issued on 1 Dec 2026 already; a run cannot be for 3 Nov 2026."),
        (
            "de",
            "Am 01.12.2026 wurde schon eine Rechnung festgeschrieben; ein Rechnungslauf für den "
            "03.11.2026 ist nicht möglich.",
        ),
    ],
)
def test_writes_days_as_the_language_does(language, sentence):
    refusal = RunDateBeforeLastIssue(last=date(2026, 12, 1), date=date(2026, 11, 3))
    with translation.override(language):
        assert refusal.detail == sentence


def test_writes_them_anew_for_each_reader():
    refusal = ClockBackwards(now=date(2027, 1, 2))
    with translation.override("de"):
        german = str(refusal)

    assert german == "Die Uhr steht auf 02.01.2027; sie geht nur vorwärts."
    assert str(refusal) == "The clock stands at 2 Jan 2027; it only moves forward."
