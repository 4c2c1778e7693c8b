"""Identifiers: time-ordered UUIDs inside, opaque prefixed ids outside."""

import os
import struct
import time
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
    return _made(value | 0x2 << 62 | _bits() & 0x3FFF_FFFF_FFFF_FFFF)


# What the constructor of UUID does for a whole number; its checks take longer than all the rest.
# It sets these by name, which takes twice as long as to ask their slots.
_new = object.__new__
_set_number, _set_safety = (vars(UUID)[name].__set__ for name in ("int", "is_safe"))


def _made(number: int, *, _unknown: SafeUUID = SafeUUID.unknown) -> UUID:
    key = _new(UUID)
    _set_number(key, number)
    _set_safety(key, _unknown)
    return key


def uuid_of(text: str) -> UUID:
    """Return the UUID that a text says as the database writes it: 36 signs, whoever checked it."""
    return _made(int(text.replace("-", ""), 16))


# Random bits from the system, 512 times 64 at once: nobody gets those that another has taken.
# A process that was forked off must not give out those of its parent.
_random: list[int] = []
os.register_at_fork(after_in_child=_random.clear)


def _bits() -> int:
    try:
        return _random.pop()
    except IndexError:
        _random.extend(struct.unpack("512Q", os.urandom(8 * 512)))
        return _bits()


def uuid7s(count: int) -> list[UUID]:
    """Return many new ids as ``uuid7`` makes them, in order, in half the time.

    They are dated a quarter of a microsecond after each other, from now on.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    first = (milliseconds & ((1 << 48) - 1)) << 12 | (rest << 12) // 1_000_000
    fixed = 0x7 << 76 | 0x2 << 62
    return [
        _made(moment >> 12 << 80 | (moment & 0xFFF) << 64 | fixed | bits & 0x3FFF_FFFF_FFFF_FFFF)
        for moment, bits in zip(
            range(first, first + count),
            struct.unpack(f"{count}Q", os.urandom(8 * count)),
            strict=True,
        )
    ]


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
