"""Names inside sentences lead to what they name, for those who may open it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from tenancy.ids import key_of
from web.accounts import account_url

# Signs of nobody's language.
_OPEN: Final = "\uf8f0"
_CLOSE: Final = "\uf8f1"


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


class Marks:
    """Names of accounts in sentences become links by their ids, not by their words.

    Two accounts may be called alike, and a name may be a word of the sentence. So a sentence is
    written with a mark in place of each name; ``linked`` puts the name and its link there.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._links: list[SafeString] = []

    def of(self, named: Mapping[str, Any]) -> str:
        """Return what stands for an account, given as reasons refer to it; empty for none."""
        name, account = named.get("name"), named.get("id")
        if not isinstance(name, str) or not name:
            return ""
        if not isinstance(account, str) or not account.startswith("acc_"):
            return name
        url = account_url(key_of("acc", account))
        self._links.append(format_html('<a href="{}">{}</a>', url, name))
        return f"{_OPEN}{len(self._links) - 1}{_CLOSE}"

    def linked(self, text: str) -> SafeString:
        """Return a sentence with its links."""
        pieces = re.split(f"{_OPEN}([0-9]+){_CLOSE}", text)
        return SafeString(
            "".join(
                self._link(int(piece)) if odd % 2 else escape(piece)
                for odd, piece in enumerate(pieces)
            )
        )

    def _link(self, place: int) -> SafeString:
        return self._links[place] if place < len(self._links) else SafeString("")
