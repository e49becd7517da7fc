"""Whether a page may hold a job or an article, told from its bytes: most pages hold neither, and parsing costs most.

The tests are necessary conditions of the parsers that would follow, so a page that fails them holds nothing that these
would find: `read_job_page` needs "job posting" in some spelling; `read_article` needs a company line (`@ Firm |
Place`), the words "featured job", or a title with a sign of an article. Pages that pass are parsed into blocks by lxml
alone (`quick_blocks`) before the exact and slow reader sees them.

A word that markup cuts in two (`<i>F</i>eatured`) is not seen here; one cut by soft hyphens or written in entities is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from scraper.backfill.quick_blocks import quick_blocks
from scraper.pages.article import read_article
from scraper.pages.blocks import LONGEST_HEADING
from scraper.pages.decoding import BOMS, UnreadableError, decode
from scraper.pages.words import find, found

_MENTIONED: Final = re.compile(rb"job\W{0,12}posting")
_BLANK: Final = rb"(?:[\s\x80-\xff]|&[#\w]{2,8};?)"
_GAP: Final = rb"(?:[\s\x80-\xff]|&[#\w]{2,8};?|<[^<>]{0,300}>)"
"""What may stand between two words in HTML."""
_TITLE_WORDS: Final = (b"salar", b"versus", b"vs", b"explained", b"interview")
_TITLE: Final = re.compile(
    rb"\bvs\.?(?=[\s\x80-\xff&<])|\bversus\b|\bexplained\b|\bsalar(?:y|ies)\b|\binterview" + _GAP + rb"+questions\b"
)
_HEADING: Final = re.compile(rb"<h([1-6])[\s>/]|<(b|strong)[\s>/]")
_MINUTES: Final = re.compile(rb"min(?:ute)?s?\.?(?:-|" + _GAP + rb")+read")
_CONTENTS: Final = re.compile(rb"contents" + _BLANK + rb"*(?::" + _BLANK + rb"*)?(?:<|\Z)")
_FEATURED: Final = re.compile(rb"featured" + _GAP + rb"+job")
_SPACE: Final = frozenset(b" \t\r\n\f\v")
_BEFORE: Final = frozenset(b">;") | frozenset(range(0x80, 0x100))
"""What stands before the first character of a line: a tag, an entity, another space than ASCII has."""
_AFTER: Final = _SPACE | frozenset(b"<&\x7f") | frozenset(range(0x80, 0x100))
"""What follows the "@" of `@ Firm`."""
_CODED: Final = re.compile(rb"&(?:#0*(?:6[4-9]|[789]\d|1[01]\d|12[0-4]);?|#x0*[4-7][0-9a-f];?|commat;|vert;|verbar;)")
"""Entities for @, | and letters of ASCII."""
_NAMED: Final = {b"&commat;": b"@", b"&vert;": b"|", b"&verbar;": b"|"}
_INVISIBLE: Final = re.compile(
    rb"&(?:shy|zwnj|zwj|lrm|rlm|#0*173|#x0*ad|#0*820[3-7]|#x0*200[b-f]);|\xc2\xad|\xe2\x80[\x8b-\x8f\xaa-\xae]"
    rb"|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf"
)
_INVISIBLE_NAMES: Final = (b"&shy;", b"&zw", b"&lrm;", b"&rlm;")
_INVISIBLE_SIGNS: Final = (*_INVISIBLE_NAMES, b"\xc2\xad", b"\xe2\x80", b"\xe2\x81", b"\xef\xbb\xbf")
_TAG: Final = re.compile(rb"<[^<>]{0,2000}>")
LONGEST_GAP: Final = 1_000
"""Bytes between "5 min" and "read", with the tags between them."""
LONGEST_LINE: Final = 3_000
"""Bytes after an "@", tags left out, in which a company line of 300 characters ends."""


def may_hold_job(lowered: bytes) -> bool:
    """Whether a page in lower case speaks of a JobPosting.

    >>> may_hold_job(b'{"@type": "jobposting"}'), may_hold_job(b"<p>a job, and a posting")
    (True, False)
    """
    return any(_MENTIONED.search(lowered, max(0, at - 15), at + 7) for at in _places(lowered, b"posting"))


def may_hold_article(body: bytes, lowered: bytes) -> bool:
    """Whether `read_article` might find an article or featured jobs in a page; `lowered` is the page in lower case.

    >>> may_hold_article(page := b"<h1>A vs. B</h1>", page), may_hold_article(page := b"<h1>A</h1><p>5 vs. 3", page)
    (True, False)
    """
    if body.startswith(BOMS[1][0]) or body.startswith(BOMS[2][0]):
        return True
    lowered = _plain(lowered)
    if _may_hold_featured(lowered):
        return True
    if any(_MINUTES.search(lowered, max(0, at - LONGEST_GAP), at + 4) for at in _places(lowered, b"read")):
        return True
    if any(_CONTENTS.match(lowered, at) for at in _places(lowered, b"contents")):
        return True
    return (
        any(found(lowered, word) for word in _TITLE_WORDS) and _TITLE.search(lowered) is not None and _titled(lowered)
    )


def is_dull(body: bytes) -> bool:
    """Whether a page surely holds neither a job nor an article."""
    lowered = body.lower()
    return not (may_hold_job(lowered) or may_hold_article(body, lowered))


def _plain(lowered: bytes) -> bytes:
    """The page with entities of letters read and invisible characters left out, where it has any."""
    numbered = found(lowered, b"&#")
    if numbered or found(lowered, b"&commat;") or found(lowered, b"&ver"):
        lowered = _CODED.sub(_character, lowered)
    signs = _INVISIBLE_NAMES if lowered.isascii() else _INVISIBLE_SIGNS
    if numbered or any(found(lowered, sign) for sign in signs):
        lowered = _INVISIBLE.sub(b"", lowered)
    return lowered


def _character(entity: re.Match[bytes]) -> bytes:
    text = entity.group()
    if text in _NAMED:
        return _NAMED[text]
    digits = text.strip(b"&#;")
    return bytes([int(digits[1:], 16) if digits.startswith(b"x") else int(digits)]).lower()


def _may_hold_featured(lowered: bytes) -> bool:
    if any(_FEATURED.match(lowered, at) for at in _places(lowered, b"featured")):
        return True
    at = lowered.find(b"@")
    if at < 0:
        return False
    last, bar = len(lowered) - 1, _Bar(lowered)
    while at >= 0:
        before = lowered[at - 1] if at else 0x3E
        if before in _SPACE and at > 1:
            before = lowered[at - 2]  # "}" before the space before "@media" ends the matter
        is_near = at == last or lowered[at + 1] in _AFTER or before in _BEFORE or before in _SPACE
        if is_near and _may_be_company(lowered, at, bar):
            return True
        at = lowered.find(b"@", at + 1)
    return False


class _Bar:
    """How far before the next "|" an "@" may stand. Each "|" is looked up once, however many "@" come before it."""

    def __init__(self, lowered: bytes) -> None:
        self._lowered = lowered
        self._at = self._first = -1

    def is_near(self, at: int) -> bool:
        """Whether at most `LONGEST_LINE` bytes that are no tags lie between `at` and the next bar."""
        if self._at < at:
            self._at = self._lowered.find(b"|", at)
            self._first = self._nearest(at) if self._at >= 0 else len(self._lowered)
        return self._at >= 0 and at >= self._first

    def _nearest(self, at: int) -> int:
        """The first place, from `at` on, that is near the bar."""
        start = max(at, self._at - 20 * LONGEST_LINE)
        end, left = self._at, LONGEST_LINE
        for tag in reversed([*_TAG.finditer(self._lowered, start, self._at)]):
            if end - tag.end() > left:
                break
            left -= end - tag.end()
            end = tag.start()
        return max(start, end - left)


def _may_be_company(lowered: bytes, at: int, bar: _Bar) -> bool:
    """Whether a company line may begin at an "@": `@ Firm`, `@Firm | Place` in front, `… @ Firm | Place` elsewhere."""
    is_spaced = at + 1 == len(lowered) or lowered[at + 1] in _AFTER
    before = lowered[max(0, at - 100) : at].rstrip()[-1:]
    is_first = not before or before[0] in _BEFORE
    if is_spaced and is_first:
        return True
    return (is_spaced or is_first) and bar.is_near(at)


def _places(lowered: bytes, word: bytes) -> Iterator[int]:
    """Where a word stands in a page. To look for it so and then look around is faster than a regular expression."""
    position = find(lowered, word)
    while position >= 0:
        yield position
        position = find(lowered, word, position + 1)


def _titled(lowered: bytes) -> bool:
    """Whether a heading, or a bold text that may be one, holds a word of a title."""
    for opening in _HEADING.finditer(lowered):
        level = opening[1]
        closing = lowered.find(b"</h" + level if level else b"</" + opening[2], opening.end())
        end = len(lowered) if closing < 0 else closing
        if not level:
            end = min(end, opening.end() + 20 * LONGEST_HEADING)
        if _TITLE.search(lowered, opening.end(), min(len(lowered), end + 1)):
            return True
    return False


def is_article_page(body: bytes) -> bool:
    """Whether a page is an article or shows featured jobs; most pages are told from their bytes to be neither."""
    return may_hold_article(body, body.lower()) and holds_article(body)


def holds_article(body: bytes) -> bool:
    """Whether the page is an article or shows featured jobs, by the same rules on a tree that is made much faster."""
    try:
        text = decode(body)
    except UnreadableError:
        return False
    return read_article(quick_blocks(text)) is not None
