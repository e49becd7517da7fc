"""Microdata and RDFa Lite as the object that JSON-LD would have given for the same page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from scraper.limits import TooCostlyError

MOST_ITEMS = 500
DEEPEST = 12
MOST_STEPS = 300_000
"""Elements that are looked at for the items of one page. Items refer to each other, so a small page can ask for more
than any machine can do."""
MOST_TEXT = 8_000_000
"""Characters that the properties of one page may state together: nested ones repeat each other's text."""


@dataclass(frozen=True, slots=True)
class _Syntax:
    """The attributes that say: here an item begins, of this type, and this is its property."""

    scope: str
    type: str
    prop: str


MICRODATA = _Syntax("itemscope", "itemtype", "itemprop")
RDFA = _Syntax("typeof", "typeof", "property")

RICH = frozenset(
    {"description", "responsibilities", "qualifications", "skills", "jobBenefits", "experienceRequirements"}
)
"""Properties whose markup is kept: paragraphs and list items are part of what they say."""

ADDRESSES = {"a": "href", "link": "href", "area": "href", "img": "src", "object": "data", "iframe": "src"}


def microdata_items(page: str, type_name: str) -> list[dict[str, object]]:
    """The items of one schema.org type in a page's microdata, or in its RDFa when it has no microdata.

    More than `MOST_ITEMS` say that the page has even more.

    Raises `TooCostlyError` for a page whose items repeat each other without end.

    >>> microdata_items('<p itemscope itemtype="https://schema.org/Thing"><b itemprop="name">x</b></p>', "Thing")
    [{'@type': 'Thing', 'name': 'x'}]
    """
    try:
        root = document_fromstring(page.replace("\x00", ""), parser=HTMLParser(huge_tree=False, recover=True))
    except (etree.LxmlError, ValueError):
        return []
    for syntax in (MICRODATA, RDFA):
        elements = (
            element
            for element in root.iter(etree.Element)
            if _type_of(element, syntax).lower() == type_name.lower() and not _is_nested(element, syntax, type_name)
        )
        page_items = _Items(root, syntax)
        found = [page_items.item(element, DEEPEST) for element in islice(elements, MOST_ITEMS + 1)]
        if found:
            return found
    return []


def _type_of(element: HtmlElement, syntax: _Syntax) -> str:
    """`JobPosting` of `https://schema.org/JobPosting`; empty when no item begins here."""
    if element.get(syntax.scope) is None:
        return ""
    names = (element.get(syntax.type) or "").split()
    return names[0].rstrip("/").replace("#", "/").replace(":", "/").rsplit("/", 1)[-1] if names else ""


def _is_nested(element: HtmlElement, syntax: _Syntax, type_name: str) -> bool:
    """Whether the element lies inside another item of its type."""
    return any(_type_of(parent, syntax).lower() == type_name.lower() for parent in element.iterancestors())


class _Items:
    """Reads the items of one page, and counts what that costs."""

    def __init__(self, root: HtmlElement, syntax: _Syntax) -> None:
        self._root = root
        self._syntax = syntax
        self._steps, self._text = MOST_STEPS, MOST_TEXT

    @cached_property
    def _by_id(self) -> dict[str, HtmlElement]:
        found: dict[str, HtmlElement] = {}
        for element in self._root.xpath("//*[@id]"):
            found.setdefault(element.get("id"), element)
        return found

    def item(self, element: HtmlElement, depth: int) -> dict[str, object]:
        """The item that begins at an element, with those inside it down to a depth."""
        item: dict[str, object] = {"@type": _type_of(element, self._syntax)}
        starts = [element]
        for identity in (element.get("itemref") or "").split()[:20]:
            if (referred := self._by_id.get(identity)) is not None:
                starts.append(referred)
        for start in starts:
            for child in self._properties(start, own=start is element):
                value = self._value(child, depth)
                for name in (child.get(self._syntax.prop) or "").split():
                    _add(item, name.replace("#", "/").replace(":", "/").rsplit("/", 1)[-1], value)
        return item

    def _properties(self, element: HtmlElement, *, own: bool) -> Iterator[HtmlElement]:
        """The elements that state a property of this item; those inside a further item belong to that one."""
        stack = [element] if not own else list(reversed(element))
        while stack:
            node = stack.pop()
            self._steps -= 1
            if self._steps < 0:
                raise TooCostlyError(f"its items ask for more than {MOST_STEPS} elements")
            if not isinstance(node.tag, str):
                continue
            if node.get(self._syntax.prop):
                yield node
            if node.get(self._syntax.scope) is None:
                stack.extend(reversed(node))

    def _value(self, element: HtmlElement, depth: int) -> object:
        if element.get(self._syntax.scope) is not None and depth:
            return self.item(element, depth - 1)
        for attribute in ("content", "datetime", ADDRESSES.get(element.tag, "content")):
            stated = element.get(attribute)
            if stated is not None:
                return stated
        if RICH.intersection((element.get(self._syntax.prop) or "").split()):
            text = etree.tostring(element, encoding="unicode", method="html", with_tail=False)
        else:
            text = " ".join("".join(element.itertext()).split())
        self._text -= len(text)
        if self._text < 0:
            raise TooCostlyError(f"its properties state more than {MOST_TEXT} characters")
        return text


def _add(item: dict[str, object], name: str, value: object) -> None:
    """A property stated twice holds a list."""
    if name not in item:
        item[name] = value
    elif isinstance(stated := item[name], list):
        stated.append(value)
    else:
        item[name] = [stated, value]
