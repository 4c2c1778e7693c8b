"""The payment code, line by line as EPC069-12 asks."""

import pytest

from invoicing.documents.payment_code import payment_code, payment_payload

IBAN = "DE02 1203 0000 0000 2020 51"


def test_writes_the_lines_of_a_transfer():
    payload = payment_payload(
        name="Fjordlicht Software GmbH", iban=IBAN, amount_minor=2610295, text="RE-2026-004802"
    )

    assert payload == (
        "BCD\n002\n1\nSCT\n\nFjordlicht Software GmbH\nDE02120300000000202051\n"
        "EUR26102.95\n\n\nRE-2026-004802"
    )


def test_keeps_to_the_lengths_and_to_one_line_each():
    payload = payment_payload(name="Ä\nB " * 40, iban=IBAN, amount_minor=1, text="x" * 200)

    assert payload is not None
    lines = payload.split("\n")
    assert [len(lines), len(lines[5]), lines[7], len(lines[10])] == [11, 70, "EUR0.01", 140]
    assert len(payload.encode()) <= 331


@pytest.mark.parametrize(
    ("iban", "amount_minor"), [("", 100), (IBAN, 0), (IBAN, -1), (IBAN, 100_000_000_000)]
)
def test_makes_none_where_nothing_can_be_paid(iban, amount_minor):
    assert payment_payload(name="A", iban=iban, amount_minor=amount_minor, text="T") is None


def test_draws_nothing_but_the_code():
    drawing = payment_code("BCD\n<script>")

    assert drawing.startswith("<svg")
    assert "script" not in drawing
