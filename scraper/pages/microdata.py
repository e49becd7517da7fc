"""Microdata and RDFa Lite as the object that JSON-LD would have given for the same page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

MOST_ITEMS = 500
DEEPEST = 12


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

    >>> microdata_items('<p itemscope itemtype="https://schema.org/Thing"><b itemprop="name">x</b></p>', "Thing")
    [{'@type': 'Thing', 'name': 'x'}]
    """
    try:
        root = document_fromstring(page.replace("\x00", ""), parser=HTMLParser(huge_tree=False, recover=True))
    except (etree.LxmlError, ValueError):
        return []
    for syntax in (MICRODATA, RDFA):
        found = [
            _item(element, syntax, root, DEEPEST)
            for element in root.iter(etree.Element)
            if _type_of(element, syntax).lower() == type_name.lower() and not _is_nested(element, syntax, type_name)
        ]
        if found:
            return found[:MOST_ITEMS]
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


def _item(element: HtmlElement, syntax: _Syntax, root: HtmlElement, depth: int) -> dict[str, object]:
    item: dict[str, object] = {"@type": _type_of(element, syntax)}
    starts = [element]
    for identity in (element.get("itemref") or "").split()[:20]:
        starts.extend(root.xpath("//*[@id=$identity]", identity=identity)[:1])
    for start in starts:
        for child in _properties(start, syntax, own=start is element):
            value = _value(child, syntax, root, depth)
            for name in (child.get(syntax.prop) or "").split():
                _add(item, name.replace("#", "/").replace(":", "/").rsplit("/", 1)[-1], value)
    return item


def _properties(element: HtmlElement, syntax: _Syntax, *, own: bool) -> Iterator[HtmlElement]:
    """The elements that state a property of this item; those inside a further item belong to that one."""
    stack = [element] if not own else list(reversed(element))
    while stack:
        node = stack.pop()
        if not isinstance(node.tag, str):
            continue
        if node.get(syntax.prop):
            yield node
        if node.get(syntax.scope) is None:
            stack.extend(reversed(node))


def _value(element: HtmlElement, syntax: _Syntax, root: HtmlElement, depth: int) -> object:
    if element.get(syntax.scope) is not None and depth:
        return _item(element, syntax, root, depth - 1)
    for attribute in ("content", "datetime", ADDRESSES.get(element.tag, "content")):
        stated = element.get(attribute)
        if stated is not None:
            return stated
    if RICH.intersection((element.get(syntax.prop) or "").split()):
        return etree.tostring(element, encoding="unicode", method="html", with_tail=False)
    return " ".join("".join(element.itertext()).split())


def _add(item: dict[str, object], name: str, value: object) -> None:
    """A property stated twice holds a list."""
    if name not in item:
        item[name] = value
        return
    stated = item[name]
    item[name] = [*stated, value] if isinstance(stated, list) else [stated, value]
