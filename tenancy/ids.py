"""Identifiers: time-ordered UUIDs inside, opaque prefixed ids outside."""

import os
import struct
import time
from collections.abc import Iterator
from functools import lru_cache
from uuid import UUID, SafeUUID

from tenancy.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


def uuid7() -> UUID:
    """Return a new UUID of version 7, so that rows made together lie together in an index.

    Those that a process makes one after the other are in that order: twelve bits tell parts of a
    millisecond apart, a quarter of a microsecond each, and making one takes longer.

    Source: RFC 9562, section 5.7 and section 6.2, method 3.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (rest << 12) // 1_000_000 << 64
    key = _new(UUID)
    _set(key, "int", value | 0x2 << 62 | _random.bits())
    _set(key, "is_safe", SafeUUID.unknown)
    return key


# What the constructor of UUID does for a whole number; its checks take longer than all the rest.
_new, _set = object.__new__, object.__setattr__


def uuid_of(text: str) -> UUID:
    """Return the UUID that a text says as the database writes it: 36 signs, whoever checked it."""
    key = _new(UUID)
    _set(key, "int", int(text.replace("-", ""), 16))
    _set(key, "is_safe", SafeUUID.unknown)
    return key


class _Random:
    """Random bits from the system, 512 times 62 at once."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Have none left: a process that was forked off must not give out those of its parent."""
        self._left: Iterator[int] = iter(())

    def bits(self) -> int:
        """Return 62 bits that nobody had before; threads share them."""
        for found in self._left:
            return found & 0x3FFF_FFFF_FFFF_FFFF
        self._left = iter(struct.unpack("512Q", os.urandom(8 * 512)))
        return self.bits()


_random = _Random()
os.register_at_fork(after_in_child=_random.forget)


def uuid7s(count: int) -> list[UUID]:
    """Return many new ids as ``uuid7`` makes them, in order, in a third of the time.

    They are dated a quarter of a microsecond after each other, from now on.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    first = (milliseconds & ((1 << 48) - 1)) << 12 | (rest << 12) // 1_000_000
    random = os.urandom(8 * count)
    made = []
    for place in range(count):
        moment = first + place
        low = int.from_bytes(random[8 * place : 8 * place + 8], "big") & ((1 << 62) - 1) | 1 << 63
        head = moment >> 12 << 80 | 0x7 << 76 | (moment & 0xFFF) << 64
        made.append(UUID(int=head | low))
    return made


def public_id(prefix: str, key: UUID) -> str:
    """Return ``key`` as integrators see it: ``acc_01k…``, 26 letters and digits."""
    return f"{prefix}_{_letters(key.int)}"


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


# A page says the same few ids hundreds of times.
@lru_cache(maxsize=10_000)
def _letters(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1_023] for shift in range(120, -1, -10)])


def parse_public_id(prefix: str, text: str) -> UUID | None:
    """Return the key behind a public id, None when ``text`` is not one of this prefix."""
    head, _, letters = text.partition("_")
    if head != prefix or len(letters) != _LENGTH:
        return None
    number = 0
    for letter in letters:
        if letter not in _VALUES:
            return None
        number = number * 32 + _VALUES[letter]
    return UUID(int=number) if number < 1 << 128 else None


def key_of(prefix: str, text: str) -> UUID:
    """Return the key that an address names.

    Raises:
        NotFound: ``text`` is no id of this prefix.
    """
    key = parse_public_id(prefix, text)
    if key is None:
        raise NotFound
    return key
