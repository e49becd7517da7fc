"""Keys that depend on what a thing is, never on when it arrived.

The same job read in another order, by another process or into another store gets the same key, so ledgers can be
compared and merged row for row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

SEPARATOR = "\x1f"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
"""Base 32 (RFC 4648) in lower case."""
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
_SHIFTS = range(70, -1, -10)


def key(*parts: str) -> str:
    """Sixteen lower-case letters and digits (80 bits) that stand for `parts`.

    80 bits keep the chance of one collision among ten million keys below one in ten billion.

    >>> key("captures", "data engineer")
    'oepmpmamy7lxczqz'
    >>> key("a", "bc") == key("ab", "c")
    False
    """
    digest = hashlib.blake2b(SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), digest_size=10).digest()
    number = int.from_bytes(digest, "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def folded(text: str | None) -> str:
    """Case and white space folded away, for identities made of words.

    >>> folded("  Data   ENGINEER ")
    'data engineer'
    """
    return " ".join((text or "").casefold().split())


def canonical(fields: Mapping[str, object]) -> str:
    """Fields as one text that is equal for equal fields."""
    return _CANONICAL(fields)


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":")).encode


def content_hash(fields: Mapping[str, object]) -> str:
    """A hash of published fields: equal hashes mean that nothing which a site published has changed."""
    return bytes_hash(canonical(fields).encode("utf-8", "surrogatepass"))


def bytes_hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
