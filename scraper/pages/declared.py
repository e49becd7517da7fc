"""What a page declares about which ad it is: its canonical address, the words of its postings, its headings."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from db.records import RawPostingRecord
from db.text import one_line
from scraper.identity import Said, Says, ids_in
from scraper.pages.adaddress import names_an_ad
from scraper.pages.addresses import canonical
from scraper.pages.plain import plain_text
from scraper.pages.rows import is_scalar

_LINK = re.compile(r"<(?:link|meta)\b[^<>]{0,1000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![\w:-])([\w:-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
_UNSEEN = re.compile(r"\bhidden\b|\bd-none\b|\bhide\b|display:\s*none|\bsr-only\b|\bvisually-hidden\b", re.IGNORECASE)
"""In attributes of an element that no reader sees: many pages carry the words of every case and show one."""
HEADINGS = ("title", "h1", "h2", "h3")
UNREAD = frozenset({"script", "style", "template", "noscript"})
LONGEST_HEAD = 300_000
"""Characters of a page in which its head is looked for."""
LONGEST_TEXT = 2_000
"""Characters of visible text: a page that says that its ad is gone says it at once."""
MOST_HEADINGS, MOST_PARENTS = 40, 30
LONGEST_HEADING = 300


def page_addresses(page: str, base: str | None = None) -> tuple[str, ...]:
    """The addresses that a page gives as its own: `<link rel="canonical">`, then `og:url`.

    >>> page_addresses('<link rel="canonical" href="/jobs/1">', "https://acme.com/x")
    ('https://acme.com/jobs/1',)
    """
    found: dict[str, str] = {}
    for tag in _LINK.finditer(page[:LONGEST_HEAD]):
        attributes = {
            m[1].lower(): entities.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(tag.group())
        }
        for name in (attributes.get("rel", ""), attributes.get("property", "")):
            if name.lower() in ("canonical", "og:url"):
                address = canonical(attributes.get("href") or attributes.get("content"), base)
                if address:
                    found.setdefault(name.lower(), address)
    return tuple(dict.fromkeys(found[name] for name in ("canonical", "og:url") if name in found))


def own_address(page: str) -> str | None:
    """The address of the ad that a saved page shows, by its own word; None where it names a list or the home page.

    >>> own_address('<link rel="canonical" href="https://acme.com/"><meta property="og:url" content="https://acme.com/o/1">')
    'https://acme.com/o/1'
    """
    return next((address for address in page_addresses(page) if names_an_ad(address)), None)


def said_of(fields: Mapping[str, object], base: str | None, record: RawPostingRecord) -> Said:
    """What a schema.org posting says about which ad it is; `base` is the address that answered."""
    stated = [text for name in ("url", "@id", "mainEntityOfPage") for text in _texts(fields.get(name), "@id", "url")]
    addresses = (canonical(text, base) for text in stated if not text.startswith("#"))
    return Said(
        addresses=tuple(dict.fromkeys(address for address in addresses if address)),
        identifiers=tuple(dict.fromkeys(_texts(fields.get("identifier"), "value", "propertyID", "@id", "name"))),
        title=record.title_text,
        is_bare=record.description_text is None,
    )


def said_in_answer(record: RawPostingRecord) -> Said:
    """The same for a platform's own answer: its id, or the one in its address where the answer repeats none."""
    own = record.source_id or next(iter(ids_in([record.url] if record.url else [])), None)
    return Said(
        addresses=(record.url,) if record.url else (),
        identifiers=(record.requisition_text,) if record.requisition_text else (),
        own_id=own,
        title=record.title_text,
        is_bare=record.description_text is None,
    )


def with_text(says: Says, page: str) -> Says:
    """What an answer says, with what a reader sees of it: headings of a web page, else the start of the answer."""
    if not page.lstrip("\ufeff \t\r\n").startswith("<"):
        return Says(says.postings, says.page, "", page[:LONGEST_TEXT])
    start = page[:LONGEST_HEAD]
    text = "" if says.postings else (plain_text(start) or "")[:LONGEST_TEXT]
    return Says(says.postings, says.page, "\n".join(_headings(start)), text)


def _headings(page: str) -> list[str]:
    """Title and headings that a reader sees."""
    try:
        parser = HTMLParser(encoding="utf-8", huge_tree=False, recover=True)
        root = document_fromstring(page.replace("\x00", "").encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return []
    elements = islice((one for one in root.iter(*HEADINGS) if _is_seen(one)), MOST_HEADINGS)
    texts = (one_line("".join(element.itertext())[: 4 * LONGEST_HEADING]) for element in elements)
    return [text[:LONGEST_HEADING] for text in texts if text]


def _is_seen(element: HtmlElement) -> bool:
    for one in (element, *islice(element.iterancestors(), MOST_PARENTS)):
        attributes = " ".join(f"{name} {one.get(name)}" for name in ("class", "style", "hidden") if name in one.attrib)
        if one.tag in UNREAD or _UNSEEN.search(attributes[:LONGEST_HEADING]):
            return False
    return True


def _texts(value: object, *names: str) -> Iterator[str]:
    """The words of a published value: a text, a number, an object that holds one under a name, or a list of these."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            for name in names:
                yield from _texts(item.get(name), *names)
        elif is_scalar(item) and (text := one_line(str(item))):
            yield text
