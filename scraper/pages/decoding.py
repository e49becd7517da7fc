"""Bytes of a captured page to text, or the reason why they are none."""

from __future__ import annotations

import codecs
import re

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
LONGEST_CHARACTER = 4
"""Bytes of the longest UTF-8 character: so many at the end may be the rest of a cut one."""
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CONTROLS_ALLOWED = 0.01
"""Share of control characters up to which a text is still one; a page has next to none, a picture has many."""


class UnreadableError(ValueError):
    """The bytes are no text: `reason` is a code for `RejectedRecord`, the message says it in words."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


def decode(data: bytes) -> str:
    r"""The text of a captured page: by its byte order mark, as UTF-8, else as windows-1252 like a browser would.

    A character cut in two at the very end is left off. Raises `UnreadableError` (empty, binary, unreadable).

    >>> decode("5 min read · Dec. 6".encode())
    '5 min read · Dec. 6'
    >>> decode(b"Z\xfcrich"), decode("Zürich ·".encode()[:-1])
    ('Zürich', 'Zürich ')
    """
    if not data.strip():
        raise UnreadableError("empty", "the file holds nothing" if not data else "the file holds only white space")
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(encoding, "replace"))
    try:
        return _checked(data.decode())
    except UnicodeDecodeError as error:
        if error.start >= len(data) - LONGEST_CHARACTER + 1 and error.reason == "unexpected end of data":
            return _checked(data[: error.start].decode())
    return _checked(data.decode("cp1252", "replace"))


def _checked(text: str) -> str:
    controls = len(_CONTROL.findall(text, 0, 65_536))
    broken = text.count("\ufffd", 0, 65_536)
    length = min(len(text), 65_536)
    if controls > length * _CONTROLS_ALLOWED:
        raise UnreadableError("binary", f"the file is no text: {controls} control characters in {length}")
    if broken > length * _CONTROLS_ALLOWED:
        raise UnreadableError("unreadable", f"{broken} of {length} characters belong to no known encoding")
    if not text.strip():
        raise UnreadableError("empty", "the file holds only white space")
    return text
