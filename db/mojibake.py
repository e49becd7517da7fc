"""UTF-8 that somebody read in another code page, read aright again.

ftfy knows the western and Cyrillic pages; it does not know the Thai one (cp874) and hardly the Greek one (cp1253), and
those break the pages that this project reads. A Thai or Greek letter in front of a sign that only exists at that place
of the code page is no word: "๐Ÿ‘€" is the four bytes of one emoji. So each run of characters of one page is turned
back into bytes and read as UTF-8, strictly. What does not decode, or might be a word of that language, stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

# (code page, the letters that its language writes, letters that can begin no word of it)
_PAGES: Final = (
    ("cp874", "\u0e00-\u0e7f", "\u0e30-\u0e3a\u0e45-\u0e4e"),
    ("cp1253", "\u0370-\u03ff", "\u0390\u03b0"),
    ("cp1251", "\u0400-\u04ff", ""),
    ("cp1256", "\u0600-\u06ff\u200c\u200d", ""),  # Persian words hold joiners
    ("cp1255", "\u0590-\u05ff", "\u0591-\u05c7"),
    ("koi8-r", "\u0400-\u04ff", ""),
)
# Pages of Latin letters that ftfy knows in part or not at all. Here a letter and a sign prove nothing by themselves.
_LATIN_PAGES: Final = ("cp1252", "cp1250", "iso8859-2", "cp1257", "cp1258", "mac-roman", "cp437", "cp850", "cp1256")
_HOME: Final = re.compile(r"[\u0370-\u06ff\u0e00-\u0e7f][^\x00-\x7f]")
# What may be a first byte of UTF-8 in some 8-bit page and another character beyond ASCII; or the remains of "à".
_SUSPECT: Final = re.compile(
    r"[\u0080-\u06ff\u2010-\u203a\u221a\u2248\u2206\u2500-\u25ca\ufb01\ufb02][^\x00-\x7f]|[ÂÃ][ ]"
)
_WIDE: Final = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class _Page:
    """One code page: its characters as bytes, runs of them, and the letters of its own language."""

    byte_of: dict[int, int]
    run: re.Pattern[str]
    home: re.Pattern[str]
    all_home: re.Pattern[str]
    no_start: re.Pattern[str] | None


@cache
def _pages() -> tuple[_Page, ...]:
    return tuple(_page(*row) for row in _PAGES)


def _page(codec: str, home: str, no_start: str) -> _Page:
    byte_of = _bytes_of(codec)
    members = "".join(re.escape(chr(code)) for code in sorted(byte_of))
    return _Page(
        byte_of=byte_of,
        run=re.compile(f"[{members}]{{2,}}"),
        home=re.compile(f"[{home}]"),
        all_home=re.compile(f"[{home}]+"),
        no_start=re.compile(f"[{no_start}]") if no_start else None,
    )


def _bytes_of(codec: str) -> dict[int, int]:
    """Character -> byte of a code page. A hole is filled from cp1252, then latin-1, as browsers and editors do."""
    byte_of = {ord(character): byte for byte in range(0x80, 0x100) if (character := _character(byte, codec))}
    holes = set(range(0x80, 0x100)) - set(byte_of.values())
    for filler in ("cp1252", "latin-1"):
        for byte in sorted(holes | set(range(0x80, 0xA0))):
            if character := _character(byte, filler):
                byte_of.setdefault(ord(character), byte)
    return byte_of


def _character(byte: int, codec: str) -> str:
    """The character that a code page has for a byte; empty for a hole."""
    return bytes([byte]).decode(codec, "ignore")


def repair_encoding(text: str) -> str:
    """The text with each line's mojibake undone; other lines and genuine foreign text untouched.

    >>> repair_encoding("Featured Job ๐Ÿ‘€")
    'Featured Job 👀'
    >>> repair_encoding("ขับรถ โลก"), repair_encoding("ΤΑΞΗ Β» Γ’ Λυκείου")
    ('ขับรถ โลก', 'ΤΑΞΗ Β» Γ’ Λυκείου')
    """
    if _SUSPECT.search(text) is None and _HOME.search(text) is None:
        return text
    return "\n".join(line if line.isascii() else _repair_line(line) for line in text.split("\n"))


def _repair_line(line: str) -> str:
    if _HOME.search(line):
        for page in _pages():
            if page.home.search(line):
                line = _repair_page(line, page)
    if _SUSPECT.search(line) is None:
        return line
    import ftfy  # costs 30 ms, and most texts never need it

    fixed = str(ftfy.fix_encoding(line))
    if _SUSPECT.search(fixed) is None:
        return fixed
    return next((whole for table in _latin_pages() if (whole := _repair_whole(line, table)) is not None), fixed)


_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
# What western and central European text holds: what a single repaired character must be to be believed.
_EUROPEAN: Final = re.compile(r"[\u00a1-\u017f\u2010-\u2026\u20ac\u2122]+")


def _repair_whole(line: str, byte_of: dict[int, int]) -> str | None:
    """The line where all beyond ASCII is UTF-8 read in this page, and some of it can be no word; else None."""
    runs = _BEYOND_ASCII.findall(line)
    try:
        texts = [bytes(byte_of[ord(character)] for character in run).decode() for run in runs]
    except (KeyError, UnicodeDecodeError):
        return None
    if all(run.isalpha() for run in runs):
        return None
    if any(len(text) == 1 and not _EUROPEAN.fullmatch(text) for text in texts):
        return None
    if any(unicodedata.category(character) in ("Cc", "Cn", "Co") for text in texts for character in text):
        return None
    repaired = iter(texts)
    return _BEYOND_ASCII.sub(lambda _: next(repaired), line)


@cache
def _latin_pages() -> tuple[dict[int, int], ...]:
    return tuple(_bytes_of(codec) for codec in _LATIN_PAGES)


def _repair_page(line: str, page: _Page) -> str:
    runs = [
        (found, _decoded(found.group(), page)) for found in page.run.finditer(line) if page.home.search(found.group())
    ]
    # A run that is no UTF-8 is a word of the language: then the whole line is, and only certain cases are touched.
    # Without one, a line that surely holds mojibake holds nothing else, and its doubtful runs are believed as well.
    genuine = any(text is None for _, text in runs)
    worded = _ASCII_WORD.search(line) is not None
    sure = [
        text is not None and _is_mojibake(found, text, page, genuine=genuine, worded=worded) for found, text in runs
    ]
    if not any(sure):
        return line
    parts, end = [], 0
    for (found, text), certain in zip(runs, sure, strict=True):
        if text is not None and (certain or not genuine):
            parts += [line[end : found.start()], text]
            end = found.end()
    return "".join([*parts, line[end:]])


def _decoded(run: str, page: _Page) -> str | None:
    """The run as UTF-8; None where it is none, or where it would hold unassigned or private characters."""
    try:
        text = bytes(page.byte_of[ord(character)] for character in run).decode()
    except UnicodeDecodeError:
        return None
    return None if any(unicodedata.category(character) in ("Cc", "Cn", "Co") for character in text) else text


def _is_mojibake(found: re.Match[str], text: str, page: _Page, *, genuine: bool, worded: bool) -> bool:
    """Whether a run that decodes to `text` cannot rather be a word of the page's own language.

    The Thai word for car, read back, is one "ö"; a Greek class name ends in "Β»". One character alone is therefore
    believed only as a sign, or as a letter inside a Latin word. `genuine`: the line has words of that language;
    `worded`: it has words or numbers in ASCII.
    """
    run = found.group()
    mixed = page.all_home.fullmatch(run) is None
    impossible = mixed if page.no_start is None else mixed or page.no_start.match(run) is not None
    if genuine:
        return mixed and (len(text) > 1 or len(run) > 2)
    letters = any(character.isalpha() for character in text)
    inside_latin = _touches_latin(found)
    if len(text) == 1:
        if not letters:
            return (mixed and len(run) > 2) or inside_latin or worded
        return inside_latin or (impossible and (len(run) > 2 or (page.no_start is not None and not mixed)))
    return impossible or (inside_latin and letters) or (len(text) > 2 and all(map(_WIDE.match, text)))


def _touches_latin(found: re.Match[str]) -> bool:
    """Whether an ASCII letter stands directly before or after the run."""
    line, start, end = found.string, found.start(), found.end()
    around = line[start - 1 : start] + line[end : end + 1]
    return any(character.isascii() and character.isalpha() for character in around)
