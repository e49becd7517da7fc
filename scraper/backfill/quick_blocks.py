"""The blocks of a page, by the rules of `scraper/pages/blocks.py`, on lxml's own tree: to decide, not to keep.

BeautifulSoup's tree of the same page takes ten times as long. What is kept is read from that one, as everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from scraper.pages import blocks
from scraper.pages.blocks import DEEPEST, INLINE, SKIPPED, Block


def quick_blocks(text: str) -> tuple[Block, ...]:
    """The blocks of an HTML page; none where lxml finds no element in it.

    >>> [(b.kind, b.level, b.text) for b in quick_blocks("<h2>Tasks</h2><ul><li>Write <b>SQL</b></ul><p>Daily.")]
    [('heading', 2, 'Tasks'), ('item', 1, 'Write SQL'), ('paragraph', 0, 'Daily.')]
    """
    parser = etree.HTMLParser(recover=True, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return ()
    return () if root is None else tuple(_Reader().read_tree(root))


class _Element:
    """As much of an lxml element as the rules ask of a BeautifulSoup tag."""

    __slots__ = ("attrs", "name")

    def __init__(self, element: Any) -> None:
        self.name = element.tag
        self.attrs = element.attrib

    def get(self, name: str) -> Any:
        return self.attrs.get(name)

    def has_attr(self, name: str) -> bool:
        return name in self.attrs

    def get_attribute_list(self, name: str) -> list[str]:
        return (self.attrs.get(name) or "").split()


class _Reader(blocks._Reader):
    """The same reader; only how it goes from one node to the next differs."""

    def read_tree(self, root: Any) -> Iterator[Block]:
        yield from self._node(root, blocks._Context(), 0)
        yield from self._flush()

    def _node(self, node: Any, context: blocks._Context, depth: int) -> Iterator[Block]:
        name = node.tag
        tag: Any = _Element(node)
        if name in SKIPPED or blocks._is_hidden(tag):
            return
        if name in {"br", "hr"}:
            yield from self._flush()
            return
        inner = blocks._inner(tag, context)
        inline = name in INLINE
        badge = inline and blocks._is_badge(tag)
        if badge:
            self.parts.append(" ")
        if not inline:
            yield from self._flush()
        if depth < DEEPEST:
            yield from self._inside(node, inner, depth + 1)
        else:
            self._text(" ".join(node.itertext(etree.Element)), inner)
        if badge:
            self.parts.append(" ")
        if not inline:
            yield from self._flush()

    def _inside(self, node: Any, inner: blocks._Context, depth: int) -> Iterator[Block]:
        if node.text:
            self._text(node.text, inner)
        for child in node:
            if isinstance(child.tag, str):  # comments and processing instructions have none
                yield from self._node(child, inner, depth)
            if child.tail:
                self._text(child.tail, inner)
