"""The code that a banking app scans to fill in a transfer."""

from io import BytesIO

import segno

from billing_rules.money import to_major

_NAME_LENGTH = 70
_TEXT_LENGTH = 140
_LARGEST_MINOR = 99_999_999_999
_QUIET_ZONE = 4


def payment_payload(*, name: str, iban: str, amount_minor: int, text: str) -> str | None:
    """Return the lines of a transfer in euro, None where the standard has no room for it.

    Args:
        name: whom the money goes to; cut to 70 characters.
        iban: with or without blanks.
        amount_minor: in cents.
        text: what the transfer quotes; cut to 140 characters.

    Source: EPC069-12, version 002; within the EEA it needs no BIC.
    """
    if not iban or not 0 < amount_minor <= _LARGEST_MINOR:
        return None
    lines = (
        "BCD",
        "002",
        "1",
        "SCT",
        "",
        _one_line(name)[:_NAME_LENGTH],
        "".join(iban.split()).upper(),
        f"EUR{to_major(amount_minor, 'EUR')}",
        "",
        "",
        _one_line(text)[:_TEXT_LENGTH],
    )
    return "\n".join(lines)


def payment_code(payload: str) -> str:
    """Return the code as an SVG element that grows with its box, quiet zone included.

    Error level M is what the standard asks for; a higher one that would cost no room is not
    taken, so that the code looks the same in every program.
    """
    code = segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8")
    out = BytesIO()
    code.save(out, kind="svg", border=_QUIET_ZONE, xmldecl=False, svgns=True, omitsize=True)
    return out.getvalue().decode()


def _one_line(text: str) -> str:
    return " ".join(text.split())
