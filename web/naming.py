"""Names inside sentences lead to what they name, for those who may open it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from tenancy.ids import key_of
from web.accounts import account_url


def linked(text: str, addresses: Mapping[str, str]) -> SafeString:
    """Return a sentence in which every name that has an address is a link.

    Args:
        text: the sentence, plain.
        addresses: where each name leads. Names are whole words; the longest is looked for first.
    """
    names = sorted(filter(None, addresses), key=len, reverse=True)
    if not names:
        return escape(text)
    found = re.split(rf"(?<!\w)({'|'.join(map(re.escape, names))})(?!\w)", text)
    pieces = (
        format_html('<a href="{}">{}</a>', addresses[piece], piece) if odd % 2 else escape(piece)
        for odd, piece in enumerate(found)
    )
    return SafeString("".join(pieces))


def accounts_in(steps: Iterable[Any]) -> dict[str, str]:
    """Return the addresses of the accounts that the steps of an explanation refer to, by name."""
    return {
        name: account_url(key_of("acc", public_id))
        for step in steps
        for name, public_id in _references([step.inputs, step.result])
    }


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        public_id, name = value.get("id"), value.get("name")
        if isinstance(public_id, str) and public_id.startswith("acc_") and isinstance(name, str):
            yield name, public_id
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
