"""Kinds of employment: the boards' many spellings read as the eight codes that the ledger keeps."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from db.text import one_line

_VOCABULARY: Final = Path(__file__).parent.parent / "vocabulary" / "employment_types.toml"
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATOR: Final = re.compile(r"[\s_\-‐‑–—/.,;:|+&()\[\]{}\"'’*·•]+")
_LONGEST: Final = 500  # characters; a field of kinds is short, and prose is no such field


def parse_employment(text: str | None) -> tuple[str, ...]:
    """The kinds of employment that a board states, in order of appearance; () where it states none of them.

    Codes: full_time part_time contract freelance internship temporary apprenticeship volunteer. "Permanent" alone says
    nothing about the hours and is no code; neither is OTHER.

    >>> parse_employment("Full Time Freelance Contract")
    ('full_time', 'freelance', 'contract')
    >>> parse_employment("FULL_TIME"), parse_employment("Praktikum"), parse_employment("OTHER")
    (('full_time',), ('internship',), ())
    """
    line = one_line(text)
    return _read(line[:_LONGEST]) if line else ()


@lru_cache(maxsize=4_096)
def _read(line: str) -> tuple[str, ...]:
    words = f" {_SEPARATOR.sub(' ', _CAMEL.sub(' ', line)).casefold()} "
    pattern, codes = _vocabulary()
    found: list[str] = []
    for match in pattern.finditer(words):
        found += [code for code in codes[match.group().strip()] if code not in found]
    return tuple(found)


@cache
def _vocabulary() -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    """A pattern of all spellings, longest first, and the codes of each. "none" spellings shadow what they contain."""
    codes: dict[str, tuple[str, ...]] = {}
    for code, spellings in tomllib.loads(_VOCABULARY.read_text(encoding="utf-8")).items():
        for spelling in spellings:
            folded = " ".join(_SEPARATOR.sub(" ", spelling).casefold().split())
            codes[folded] = (*codes.get(folded, ()), *(() if code == "none" else (code,)))
    ordered = sorted(codes, key=len, reverse=True)
    spaced = "|".join(re.escape(spelling) for spelling in ordered if spelling[0] < "\u2e80")
    # Chinese, Japanese and Korean are written without spaces between the words.
    solid = "|".join(re.escape(spelling) for spelling in ordered if spelling[0] >= "\u2e80")
    return re.compile(f"(?<= )(?:{spaced})(?= )|(?:{solid})"), codes
