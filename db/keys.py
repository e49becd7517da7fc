"""Keys that depend on what a thing is, never on when it arrived.

The same job read in another order, by another process or into another store gets the same key, so ledgers can be
compared and merged row for row.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

SEPARATOR = "\x1f"


def key(*parts: str) -> str:
    """Sixteen lower-case letters and digits (80 bits) that stand for `parts`.

    80 bits keep the chance of one collision among ten million keys below one in ten billion.

    >>> key("captures", "data engineer")
    'oepmpmamy7lxczqz'
    >>> key("a", "bc") == key("ab", "c")
    False
    """
    digest = hashlib.blake2b(SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), digest_size=10).digest()
    return base64.b32encode(digest).decode("ascii").lower()


def folded(text: str | None) -> str:
    """Case and white space folded away, for identities made of words.

    >>> folded("  Data   ENGINEER ")
    'data engineer'
    """
    return " ".join((text or "").casefold().split())


def content_hash(fields: Mapping[str, object]) -> str:
    """A hash of published fields: equal hashes mean that nothing which a site published has changed."""
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
