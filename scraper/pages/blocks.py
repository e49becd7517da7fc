"""A page as a sequence of blocks: headings, paragraphs, list items. HTML and text captures become the same.

In HTML the elements say what a block is. A text capture has lost them, so its lines say it: a bullet or number begins
an item, a short line that is no sentence is a heading of unknown level, anything else is a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

from db.text import repair

Kind = Literal["heading", "paragraph", "item"]
UNKNOWN_LEVEL: Final = 0
LONGEST_HEADING = 120
"""Characters; what is longer is prose."""
SHORTEST_WRAPPED = 40
"""Characters; a line that was wrapped for its length is at least as long."""
DEEPEST = 200
"""Nested elements; deeper ones are read as if they were not nested, so that no page exhausts the stack."""


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph or list item."""

    kind: Kind
    level: int
    """Headings: 1 to 6 as in HTML, `UNKNOWN_LEVEL` where the page does not say. Items: depth of their list."""
    text: str
    """One line, repaired."""
    link: str | None = None
    """Where the first link in or around the block leads, as written there."""


_ITEM: Final = re.compile(
    r"""
    ^\s*
    (?: [•◦▪▫‣⁃●○■□►▸✓✔➢➤]\s*       # bullets need no space after them
      | [-–—*·+o]\s+                 # hyphens do: -5 % is no item
      | \d{1,3}[.)]\s+ (?=\D)        # "1. " but not "1. 5 %"
      | [a-z][)]\s+
    )
    (?P<text>\S.*)$
    """,
    re.VERBOSE,
)
_MARKED: Final = re.compile(r"(?P<signs>\#{1,6})\s+(?P<heading>[^#].*)|\*\*(?P<bold>[^*]{1,120}?):?\*\*:?")
"""Headings that a capture marks itself, in Markdown."""
_SENTENCE_END: Final = re.compile(r"[.!?;:,…。！？]['\"”’)\]]*$")


def text_blocks(text: str) -> tuple[Block, ...]:
    r"""The blocks of a text capture, a line a block; a hard-wrapped sentence is joined again.

    >>> [(b.kind, b.text) for b in text_blocks("Tasks\n• Write SQL\nBoth roles pay well across every industry\ntoday.")]
    [('heading', 'Tasks'), ('item', 'Write SQL'), ('paragraph', 'Both roles pay well across every industry today.')]
    """
    drafts: list[_Draft] = []
    wrapped = False
    for raw in repair(text).split("\n"):
        line = " ".join(raw.split())
        if not line:
            wrapped = False
            continue
        item = _ITEM.match(line)
        marked = _MARKED.fullmatch(line)
        if marked is not None:
            level = len(marked["signs"] or "") or UNKNOWN_LEVEL
            heading = (marked["heading"] or "").rstrip("#").rstrip()
            drafts.append(_Draft(Block("heading", level, heading or marked["bold"])))
        elif item is None and wrapped and _goes_on(drafts[-1].last_line, line):
            drafts[-1].more.append(line)
            continue
        elif item is not None:
            drafts.append(_Draft(Block("item", 1, item["text"])))
        else:
            drafts.append(_Draft(_line_block(line)))
        wrapped = len(line) >= SHORTEST_WRAPPED
    return tuple(draft.block() for draft in drafts)


@dataclass(slots=True)
class _Draft:
    """The block that a line begins, and the lines that go on with its sentence."""

    first: Block
    more: list[str] = field(default_factory=list)

    @property
    def last_line(self) -> str:
        return self.more[-1] if self.more else self.first.text

    def block(self) -> Block:
        if not self.more:
            return self.first
        text = " ".join((self.first.text, *self.more))
        return Block("item", 1, text) if self.first.kind == "item" else _line_block(text)


def _goes_on(before: str, line: str) -> bool:
    """Whether `line` continues the sentence `before`: it begins in lower case and the one before has not ended."""
    return line[0].islower() and len(line) > 1 and not line[1].isupper() and not _SENTENCE_END.search(before)


def _line_block(line: str) -> Block:
    return Block("heading", UNKNOWN_LEVEL, line) if looks_like_heading(line) else Block("paragraph", 0, line)


def looks_like_heading(line: str) -> bool:
    """Whether a line on its own is a heading: short, and no sentence.

    >>> looks_like_heading("Tools and Software Used"), looks_like_heading("Both roles pay well.")
    (True, False)
    """
    return len(line) <= LONGEST_HEADING and not _SENTENCE_END.search(line)


SKIPPED: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "nav", "footer", "head", "iframe", "object", "select", "button"}
)
"""Elements that hold no words of the page."""
# fmt: off
INLINE: Final = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr",
))
# fmt: on
"""Elements inside a line; every other one begins a block of its own."""
HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
BOLD: Final = frozenset({"b", "strong"})
_BADGE: Final = re.compile(r"\b(?:badge|label|tag|pill|chip|text-bg-\w+)\b")
_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def html_blocks(html: str) -> tuple[Block, ...]:
    """The blocks of an HTML page, in reading order, without menus, scripts and what is hidden.

    A paragraph that is bold as a whole and no sentence is a heading of unknown level.

    >>> [(b.kind, b.level, b.text) for b in html_blocks("<h2>Tasks</h2><ul><li>Write <b>SQL</b></ul><p>Daily.")]
    [('heading', 2, 'Tasks'), ('item', 1, 'Write SQL'), ('paragraph', 0, 'Daily.')]
    """
    return blocks_of(BeautifulSoup(html, "lxml"))


def blocks_of(root: Tag) -> tuple[Block, ...]:
    """The blocks of a parsed page or of a part of it."""
    return tuple(_Reader().read(root))


@dataclass(slots=True)
class _Context:
    """What the elements around a text say about it."""

    kind: Kind = "paragraph"
    level: int = 0
    link: str | None = None
    lists: int = 0
    bold: bool = False


class _Reader:
    """Walks a tree once and cuts it into blocks; a line is gathered until the next block begins."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.link: str | None = None
        self.all_bold = True
        self.context = _Context()
        self.has_text = False

    def read(self, root: Tag) -> Iterator[Block]:
        yield from self._children(root.children, _Context(), 0)
        yield from self._flush()

    def _children(self, children: Iterable[PageElement], context: _Context, depth: int) -> Iterator[Block]:
        for child in children:
            if isinstance(child, Tag):
                yield from self._element(child, context, depth)
            elif type(child) is NavigableString:  # comments, CDATA and declarations are subclasses
                self._text(str(child), context)

    def _element(self, tag: Tag, context: _Context, depth: int) -> Iterator[Block]:
        name = tag.name
        if name in SKIPPED or _is_hidden(tag):
            return
        if name in {"br", "hr"}:
            yield from self._flush()
            return
        inner = _inner(tag, context)
        inline = name in INLINE
        badge = inline and _is_badge(tag)
        if badge:
            self.parts.append(" ")
        if not inline:
            yield from self._flush()
        if depth < DEEPEST:
            yield from self._children(tag.children, inner, depth + 1)
        else:
            self._text(tag.get_text(" "), inner)
        if badge:
            self.parts.append(" ")
        if not inline:
            yield from self._flush()

    def _text(self, text: str, context: _Context) -> None:
        if text.strip():
            if not self.has_text:
                self.context, self.has_text = context, True
            self.link = self.link or context.link
            self.all_bold = self.all_bold and context.bold
        self.parts.append(text)

    def _flush(self) -> Iterator[Block]:
        text = " ".join(repair("".join(self.parts)).split())
        context, link, bold = self.context, self.link, self.all_bold
        self.parts, self.link, self.all_bold, self.context, self.has_text = [], None, True, _Context(), False
        if not text:
            return
        if context.kind == "paragraph" and bold and looks_like_heading(text):
            yield Block("heading", UNKNOWN_LEVEL, text, link)
        else:
            yield Block(context.kind, context.level, text, link)


def _inner(tag: Tag, context: _Context) -> _Context:
    """What holds inside of `tag`."""
    name = tag.name
    kind, level, lists = context.kind, context.level, context.lists
    if name in HEADINGS:
        kind, level = "heading", HEADINGS[name]
    elif name == "li":
        kind, level = "item", max(lists, 1)
    elif name in {"ul", "ol", "dl"}:
        lists += 1
    href = tag.get("href") if name == "a" else None
    link = str(href) if href is not None else context.link
    return _Context(kind, level, link, lists, context.bold or name in BOLD)


def _is_badge(tag: Tag) -> bool:
    """Whether an inline element stands apart from its neighbours like a word of its own."""
    return bool(_BADGE.search(" ".join(str(name) for name in tag.get_attribute_list("class"))))


def _is_hidden(tag: Tag) -> bool:
    if not tag.attrs:
        return False
    style = tag.get("style")
    return tag.has_attr("hidden") or (style is not None and bool(_HIDDEN.search(str(style))))
