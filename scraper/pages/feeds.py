"""Job feeds: Indeed-style XML, RSS and Atom, whatever their publisher calls the fields.

A feed is XML from the network: no entities, bounded (`scraper.pages.xml`). Names of fields are matched without case,
hyphens and underscores, in any namespace; `VOCABULARY` says which of them mean what. What is not in it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree

from db.records import PublishedPay
from scraper.answers import Parsed, Seen, gathered, posting, read_each
from scraper.pages.addresses import canonical
from scraper.pages.rows import AnswerError, Row, joined, published_pay
from scraper.pages.xml import Document, fields_of, local

VOCABULARY: dict[str, tuple[str, ...]] = {
    "title": ("title", "jobtitle", "positiontitle", "position", "name"),
    "id": ("referencenumber", "partnerjobid", "jobid", "reference", "guid", "id"),
    "url": ("url", "link", "joburl", "applyurl", "origlink"),
    "company": ("company", "companyname", "employer", "employername", "hiringorganization", "sourcename"),
    "place": ("location", "joblocation", "locations", "region"),
    "country": ("country", "countrycode"),
    "salary": ("salary", "salarytext", "compensation", "salaryrange", "wage", "pay"),
    "low": ("minimumsalary", "salarymin", "minsalary", "salaryminimum"),
    "high": ("maximumsalary", "salarymax", "maxsalary", "salarymaximum"),
    "currency": ("salarycurrency", "currency"),
    "period": ("salaryinterval", "salaryperiod", "salaryunit", "payperiod", "salaryfrequency"),
    "employment": ("jobtype", "employmenttype", "contracttype", "type", "jobtypes"),
    "workplace": ("remotetype", "remotestatus", "workplacetype", "remote", "telecommute"),
    "level": ("experiencelevel", "seniority", "joblevel", "careerlevel"),
    "department": ("department", "jobfunction", "category"),
    "requisition": ("requisitionid", "reqid", "requisitionnumber"),
    "language": ("language", "lang"),
    "posted": (
        "pubdate",
        "dateposted",
        "date",
        "published",
        "publishedat",
        "posteddate",
        "postedat",
        "postdate",
        "advertisefromdateutc",
        "createdat",
    ),
    "updated": ("updated", "lastmodified", "lastactivitydate", "modified"),
    "expires": ("expirationdate", "expiresat", "expires", "validthrough", "closingdate", "advertisetodatetimeutc"),
    "description": ("encoded", "description", "content", "jobdescription", "body", "summary"),
}
"""Our names of fields, each with the names under which feeds publish it; the first that is there counts."""

IGNORED = ("comments", "commentrss", "source", "thumbnail", "image", "logo", "streetaddress", "postalcode", "applyurl")
ENTRIES = ("job", "item", "entry", "jobposting", "vacancy")
NO_PLACE = frozenset({"none", "false", "no", "0"})
"""What a remote field says when the job is not remote."""

Change = Callable[[dict[str, Any], Row], None]
"""A site's own reading of an entry, applied to its values before they become a posting."""


def is_feed(document: Document) -> bool:
    """Whether the document is a feed of entries that we read."""
    return local(document.root).lower() in ("rss", "feed", "source", "rdf", "jobs", "channel") and bool(
        next(_entries(document.root), None) is not None or local(document.root).lower() in ("rss", "feed", "source")
    )


def parse_feed(document: Document, seen: Seen, *, change: Change | None = None) -> Parsed:
    """The postings of a feed. Raises `AnswerError` when the document is none."""
    if not is_feed(document):
        raise AnswerError("unknown_shape", f"<{local(document.root)}> is no job feed")
    entries = list(_entries(document.root))
    parts = read_each(entries, lambda element: parse_fields(_fields(element), seen, change), seen)
    return gathered(parts, total=len(parts), incomplete=(document.broken,) if document.broken else ())


def parse_fields(fields: Mapping[str, object], seen: Seen, change: Change | None = None) -> Parsed:
    """One entry of a feed, by its folded names: lower-case letters and digits."""
    row = Row(fields)
    row.ignore(*IGNORED)
    url = _first(row, "url")
    identity = _first(row, "id") or canonical(url)
    parts = [row.text("city"), row.text("state", "province"), _first(row, "country")]
    place = _first(row, "place") or _nested_places(row)
    workplace = _first(row, "workplace")
    values: dict[str, Any] = {
        "title": _first(row, "title"),
        "source_id": identity,
        "url": url,
        "company_text": _first(row, "company"),
        "location_text": joined(parts) if row.peek("city") else joined([place, *parts], ", "),
        "country_text": parts[2],
        "workplace_text": None if (workplace or "").lower() in NO_PLACE else workplace,
        "employment_text": _first(row, "employment"),
        "level_text": _first(row, "level"),
        "salary_text": _first(row, "salary"),
        "pay": _pay(row),
        "department_text": _first(row, "department"),
        "requisition_text": _first(row, "requisition"),
        "language": _first(row, "language"),
        "description_text": _description(row),
        "posted_on": _day(row, "posted"),
        "updated_on": _day(row, "updated"),
        "valid_through": _day(row, "expires"),
    }
    if change is not None:
        change(values, row)
    return posting(seen, row, **values)


def _entries(root: Any) -> Iterator[Any]:
    """The entries: direct children of the root or of its channel."""
    for child in root:
        name = local(child).lower()
        if name in ENTRIES:
            yield child
        elif name in ("channel", "jobs"):
            yield from (inner for inner in child if local(inner).lower() in ENTRIES)


def _fields(element: Any) -> dict[str, object]:
    """The fields of an entry by folded name; a field without namespace goes before one of the same name with one."""
    fields: dict[str, object] = {}
    plain: set[str] = set()
    for child in element:
        name = re.sub(r"[^a-z0-9]", "", local(child).lower())
        if not name:
            continue
        value = _value(child)
        namespace = etree.QName(child).namespace
        own = namespace is None or namespace == etree.QName(element).namespace
        if name not in fields or (own and name not in plain):
            fields[name] = value
        elif own or name not in plain:
            fields[name] = _both(name, fields[name], value, child)
        if own:
            plain.add(name)
    return fields


def _both(name: str, stated: object, value: object, child: Any) -> object:
    """A field that stands twice: of links the page itself counts, of anything else both."""
    if name == "link":
        return value if child.get("rel") == "alternate" else stated
    items = stated if isinstance(stated, list) else [stated]
    return [*items, value] if value not in items else stated


def _value(child: Any) -> object:
    if local(child) == "link" and child.get("href"):
        return str(child.get("href"))
    if local(child) == "category" and child.get("term"):
        return str(child.get("label") or child.get("term"))
    if len(child):
        if child.get("type") == "xhtml":
            return etree.tostring(child[0], encoding="unicode", method="html", with_tail=False)
        return fields_of(child)
    return child.text or ""


def _first(row: Row, ours: str) -> str | None:
    """The first field of the vocabulary that says something; the others of its line stay, so they are kept."""
    for name in VOCABULARY[ours]:
        if (found := joined(row.texts(name))) is not None:
            return found
    return None


def _day(row: Row, ours: str) -> Any:
    return next((found for name in VOCABULARY[ours] if (found := row.day(name)) is not None), None)


def _description(row: Row) -> str | None:
    """The longest form: feeds give a summary beside the whole text."""
    texts = [text for name in VOCABULARY["description"] if (text := row.html(name)) is not None]
    return max(texts, key=len, default=None)


def _pay(row: Row) -> tuple[PublishedPay, ...]:
    low, high = (_positive(_first(row, ours)) for ours in ("low", "high"))
    return published_pay(low, high, _first(row, "currency"), _first(row, "period"))


def _positive(amount: str | None) -> str | None:
    """Zero in a feed is a field left empty."""
    return amount if amount and amount.strip("0., ") else None


def _nested_places(row: Row) -> str | None:
    """`<locations><location><city>…`: each as city and country, or its name."""
    places = []
    for place in row.row("locations").rows("location"):
        place.ignore("address", "zip", "name")
        stated = joined([place.text("city"), place.text("country")])
        name = place.peek("name")
        places.append(stated or (name if isinstance(name, str) else None))
    return joined(places, "; ")
