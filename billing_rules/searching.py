"""How a search finds what people mean: the same folding for what is stored and what is typed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing_rules.ordering import plain_letters

LONGEST_KEY: Final = 20_000
_APOSTROPHES: Final = re.compile("['\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc`\u00b4\uff07]")
_DIGRAPHS: Final = re.compile("ae|oe|ue|aa")
_POINT_INSIDE: Final = re.compile(r"(?<=\w)\.(?=\w)")
_PLUS_ALONE: Final = re.compile(r"(?<!\S)\+(?!\S)")
_PLAIN: Final = re.compile("[0-9A-Za-z ]*")
_NO_WORD: Final = re.compile(r"[^\w&]|_")
_AND: Final = frozenset({"&", "+", "and", "et", "und"})
_BOTH: Final = ("und", "and")
_LEAST_JOINED: Final = 4
_AMOUNT: Final = re.compile(r"\d[\d., \u00a0\u202f’']{0,24}")


@dataclass(frozen=True, slots=True)
class SearchedWord:
    """One word of a search: found where one of ``spellings`` is part of a key.

    Where spaces are left out of the key it may be ``joined`` as well, if that is not None.
    """

    spellings: tuple[str, ...]
    joined: str | None


def search_key(texts: Iterable[str | None]) -> str:
    """Return what a search looks into: each text folded, on a line of its own.

    Args:
        texts: names, numbers and other words by which a thing is known; empty ones are left out.

    Returns:
        Lines between line feeds, each also with ae, oe, ue and aa as one letter where that is
        different; cut at ``LONGEST_KEY``.

    Source: docs/billing-rules.md, Search.
    """
    lines = dict.fromkeys(line for text in texts if text for line in spellings(text) if line)
    return "".join(f"\n{line}" for line in lines)[: LONGEST_KEY - 1] + "\n" if lines else ""


def spellings(text: str) -> tuple[str, ...]:
    """Return how a text is looked for: with its letters, and with each umlaut as one letter."""
    plain = " ".join(_with_both(_words(text)))
    one_letter = _one_letter(plain)
    return (plain,) if plain == one_letter else (plain, one_letter)


def searched_words(text: str) -> tuple[SearchedWord, ...]:
    """Return the words of which a key must have every one, whatever their order.

    Words for "and" are left out, unless there is nothing else. Of a text without any letter or
    digit there are none.

    Source: docs/billing-rules.md, Search.
    """
    typed = text.split()
    telling = [word for word in typed if plain_letters(word) not in _AND] or typed
    found = []
    for word in telling:
        spelt = spellings(word)
        joined = spelt[-1].replace(" ", "")
        if joined:
            found.append(SearchedWord(spelt, joined if len(joined) >= _LEAST_JOINED else None))
    return tuple(found)


def amount_in(text: str) -> Decimal | None:
    """Return the amount that a text is, None where it is none: 1.234,50 and 1,234.5 alike.

    The last point or comma begins the decimals, unless exactly three digits follow it.
    """
    plain = text.strip("€$£ ")
    if not _AMOUNT.fullmatch(plain):
        return None
    packed = re.sub(r"[ \u00a0\u202f’']", "", plain).rstrip(".,")
    whole, mark, decimals = packed, "", ""
    if found := re.fullmatch(r"(.*)([.,])(\d+)", packed):
        whole, mark, decimals = found.groups()
    if mark and len(decimals) == 3 and whole.count(mark) == len(re.findall(r"[.,]", whole)):
        whole, decimals = packed, ""
    digits = re.sub(r"[.,]", "", whole)
    return Decimal(f"{digits}.{decimals or 0}")


def _words(text: str) -> list[str]:
    """Return the words of a text, folded: hyphens part them, apostrophes and points don't."""
    if _PLAIN.fullmatch(text):
        return text.lower().split()
    together = plain_letters(_APOSTROPHES.sub("", text))
    together = _POINT_INSIDE.sub("", together).replace("&", " & ")
    parted = _PLUS_ALONE.sub("&", together)
    return _NO_WORD.sub(" ", parted).split()


def _with_both(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word in _AND:
            yield from _BOTH
        else:
            yield word


def _one_letter(text: str) -> str:
    return _DIGRAPHS.sub(lambda pair: pair[0][0], text)
