"""XML from the network, read without its dangers: no entities, no DTD, no network, bounded depth and size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from db.files import LARGEST
from scraper.pages.rows import AnswerError

_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_STARTS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml|<[A-Za-z_][\w:.-]*[\s>/])")
_HTML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE)
BOUNDS = re.compile(r"excessive depth|too deep|huge|limit", re.IGNORECASE)
"""Parser messages after which content is missing; about most others only a character is wrong."""
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Document:
    root: Any
    broken: str | None
    """Why the document may lack something, in words: it was read as far as it goes."""


def safe_xml(body: bytes) -> Document:
    """An XML answer; broken markup is read as far as it goes, and says so.

    Raises `AnswerError`: `empty`, `html_instead_of_xml`, `not_xml`, `entities_refused`, `too_large`, `broken_xml`.
    """
    excerpt = body[:200].decode("utf-8", "replace")
    if not body.strip():
        raise AnswerError("empty", "the answer has no content")
    if len(body) > LARGEST:
        raise AnswerError("too_large", f"{len(body)} bytes are more than any feed needs")
    if _HTML.match(body):
        raise AnswerError("html_instead_of_xml", "a web page came where a feed was asked for", excerpt)
    if body[:2] in _WIDE:
        # A wide encoding hides a DTD from a search for its bytes: the text is read first, then written anew.
        body = re.sub(r"\A\s*<\?xml[^>]*\?>", "", body.decode("utf-16", "replace")).encode()
    if _STARTS.match(body) is None and b"<?xml" not in body[:1_000] and not _DOCTYPE.search(body[:1_000]):
        raise AnswerError("not_xml", "the answer does not begin as XML", excerpt)
    if _DOCTYPE.search(body):
        raise AnswerError("entities_refused", "the answer declares a document type or entities", excerpt)
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True, remove_comments=True
    )
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise AnswerError("broken_xml", f"cannot be read as XML ({error})"[:200], excerpt) from error
    if root is None:
        raise AnswerError("broken_xml", "cannot be read as XML", excerpt)
    cut = not _is_closed(body, root) or any(BOUNDS.search(entry.message) for entry in parser.error_log)
    return Document(root, "the feed breaks off" if cut else None)


def _is_closed(body: bytes, root: Any) -> bool:
    """Whether the document ends with the end of its root: a download that was cut does not."""
    name = etree.QName(root).localname.encode()
    end = _without_last_comments(body[-4_000:].rstrip(b"\x00 \t\r\n"))
    closing = re.search(rb"<(/?)\s*(?:[\w.-]+:)?" + re.escape(name) + rb"\b[^<>]*(/?)>\s*\Z", end)
    return closing is not None and bool(closing[1] or closing[2] or end.endswith(b"/>"))


def _without_last_comments(end: bytes) -> bytes:
    """The end of a document without the comments that close it."""
    while end.endswith(b"-->"):
        before = end.rfind(b"-->", 0, len(end) - 3)
        start = end.find(b"<!--", before + 3 if before >= 0 else 0)
        if start < 0:
            break
        end = end[:start].rstrip()
    return end


def local(element: Any) -> str:
    """The name of an element without its namespace.

    >>> local(etree.fromstring('<a:b xmlns:a="x"/>'))
    'b'
    """
    tag = element.tag
    return str(tag).rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def children(element: Any, name: str) -> Iterator[Any]:
    """The direct children of one name, in whatever namespace, whatever case."""
    return (child for child in element if local(child).lower() == name.lower())


def fields_of(element: Any) -> dict[str, object]:
    """The children of an element by name: their text, or their own fields; a repeated name holds a list.

    >>> fields_of(etree.fromstring("<job><city>Bonn</city><tag>a</tag><tag>b</tag></job>"))
    {'city': 'Bonn', 'tag': ['a', 'b']}
    """
    fields: dict[str, object] = {}
    for child in element:
        name = local(child)
        if not name:
            continue
        value: object = fields_of(child) if len(child) else (child.text or "")
        if name not in fields:
            fields[name] = value
        elif isinstance(stated := fields[name], list):
            stated.append(value)
        else:
            fields[name] = [stated, value]
    return fields
