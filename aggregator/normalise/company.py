"""Companies: the name to show and the key under which its spellings meet."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from db.text import one_line

_VOCABULARY: Final = Path(__file__).parent.parent / "vocabulary" / "legal_suffixes.txt"
_LONGEST: Final = 300
_PLAIN_LETTERS: Final = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ß": "ss",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
        "&": " and ",
        "+": " plus ",
    }
    | dict.fromkeys(".'’‘ʼ`´", "")
)
# "Zoom (US)", "Meta (formerly Facebook)": what stands in brackets does not tell companies apart.
_IN_BRACKETS: Final = re.compile(r"\s\([^()]*\)\s*$")
_PUNCTUATION: Final = re.compile(r"[^\w]+|_")
_ADDRESS: Final = re.compile(
    r"(?:https?://)?(?:www\.)|https?://|(?<=[\w-]{2})\.(?:com|net|org)(?![\w.])/?", re.IGNORECASE
)
_NOBODY: Final = frozenset(
    {"", "confidential", "na", "n a", "none", "null", "unknown", "undisclosed", "company confidential"}
)
_MARKS: Final = re.compile(r"[®™©℠]|\((?:r|tm|c)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Company:
    """`name` is what the ad said, tidied; `key` is equal for the spellings of one company and is for matching only."""

    name: str
    key: str


def parse_company(text: str | None) -> Company | None:
    """The company, or None where the field is empty or says that the name is withheld.

    >>> parse_company("ACME Robotics, Inc.").key == parse_company("Acme Robotics GmbH & Co. KG").key == "acme robotics"
    True
    >>> parse_company("Confidential") is None
    True
    """
    name, line = "", one_line(text)
    while line is not None and line != name:
        name = line
        line = one_line(_MARKS.sub("", name[:_LONGEST]).strip(' \t,;|-–—"“”„«»'))
    key = _key(line) if line else ""
    return None if line is None or key in _NOBODY else Company(line, key)


def _key(name: str) -> str:
    """Folded: no case, accents, punctuation, leading "the" or legal form; never empty for a name that is not."""
    folded = unicodedata.normalize("NFKD", _ADDRESS.sub("", name).casefold().translate(_PLAIN_LETTERS))
    folded = "".join(character for character in folded if not unicodedata.combining(character))
    words = _PUNCTUATION.sub(" ", _IN_BRACKETS.sub(" ", folded).strip() or folded).split()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    front, back = _legal_forms()
    while shorter := next((size for size in (5, 4, 3, 2, 1) if size < len(words) and tuple(words[-size:]) in back), 0):
        words = words[:-shorter]
    if words and len(words) > 1 and words[-1] == "and":
        words = words[:-1]
    while shorter := next((size for size in (2, 1) if size < len(words) and tuple(words[:size]) in front), 0):
        words = words[shorter:]
    joined = unicodedata.normalize("NFC", " ".join(words))
    return _solid_legal_form(joined)


def _solid_legal_form(key: str) -> str:
    """Without the East Asian legal forms, which stand before or behind the name without a space."""
    for form in _SOLID:
        if len(key) > len(form):
            key = key.removeprefix(form).removesuffix(form).strip()
    return key


_SOLID: Final = ("株式会社", "有限会社", "合同会社", "有限责任公司", "股份有限公司", "有限公司", "주식회사")


@cache
def _legal_forms() -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """Legal forms in front of a name and behind it, as words."""
    lines = [line for line in _VOCABULARY.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    front = frozenset(tuple(line.removeprefix("^").split()) for line in lines if line.startswith("^"))
    return front, frozenset(tuple(line.split()) for line in lines if not line.startswith("^"))
