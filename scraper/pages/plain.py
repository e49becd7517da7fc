"""Descriptions as plain text: paragraphs apart, one list item a line, nothing that a reader of the page cannot see."""

from __future__ import annotations

import html
import re

from db.text import repair

LONGEST = 2_000_000
"""Characters of markup that are read; no job ad is longer."""

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--|<!\[CDATA\[")
_ESCAPED_TAG = re.compile(r"&(?:amp;)?lt;/?[a-zA-Z][a-zA-Z0-9]{0,15}[\s/&>]")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_BULLET = re.compile(r"^[ \t]*[•·▪‣◦●∙*][ \t\u00a0]+", re.MULTILINE)
_LINE_END = re.compile(r"[ \t](?<![ \t][ \t])[ \t]*+\n")
_GAP = re.compile(r"\n{3,}")
_LEFT_SPACE = re.compile(r"^[ \t]+(?=\S)", re.MULTILINE)
_LIST = re.compile(r"<(/?)[uo]l(?=[\s/>])", re.IGNORECASE)
DEEPEST_LIST = 40
"""Lists inside lists; deeper ones are read as blocks, because the cost of a list grows with its depth."""
HIDDEN = ["[hidden]", '[style*="display:none"]', '[style*="display: none"]', "template"]
"""What no reader sees is no part of an ad; it is where instructions to machines hide."""


def plain_text(text: str | None) -> str | None:
    """The text of an HTML description, or of one whose tags are entity-escaped; None where nothing is left.

    >>> print(plain_text("&lt;p&gt;Build &amp;amp; run&lt;/p&gt;&lt;ul&gt;&lt;li&gt;Spark&lt;/li&gt;&lt;/ul&gt;"))
    Build & run
    <BLANKLINE>
    - Spark
    """
    if text is None or not text.strip():
        return None
    text = text[:LONGEST]
    if _ESCAPED_TAG.search(text) and not _TAG.search(text):
        text = _unescaped(text)
    if _TAG.search(text):
        text = _of_markup(text)
    elif "&" in text:
        text = html.unescape(text)
    # Most texts are ASCII but for their bullets, and ASCII is looked through a hundred times as fast.
    swapped = _BULLET.sub("- ", text)
    text = swapped if swapped.isascii() and repair(swapped) == swapped else _BULLET.sub("- ", repair(text))
    if " \n" in text or "\t\n" in text:
        text = _LINE_END.sub("\n", text)
    text = _LEFT_SPACE.sub("", text)
    return (_GAP.sub("\n\n", text) if "\n\n\n" in text else text).strip() or None


def _unescaped(text: str) -> str:
    """Entities read until tags appear: sites escape a description once, some of them twice."""
    for _ in range(2):
        text = html.unescape(text)
        if _TAG.search(text):
            break
    return text


def _of_markup(text: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    # A NUL ends a text for some parsers; CDATA marks are no markup inside HTML.
    text = _without_deep_lists(_CDATA.sub("", text.replace("\x00", "")))
    return str(extract_plain_text(text, preserve_formatting=True, list_bullets=True, skip_elements=HIDDEN))


def _without_deep_lists(text: str) -> str:
    if len(_LIST.findall(text)) <= DEEPEST_LIST:
        return text
    depth = 0

    def flattened(tag: re.Match[str]) -> str:
        nonlocal depth
        depth = max(0, depth - 1) if tag[1] else depth + 1
        return f"<{tag[1]}div" if depth + bool(tag[1]) > DEEPEST_LIST else tag[0]

    return _LIST.sub(flattened, text)
