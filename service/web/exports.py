"""Everything that a search selects, streamed: CSV, JSON Lines, schema.org JSON-LD, Atom and RSS."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from db.queries import POSTING_KEYS, as_json
from service.output import csv_cell

Row = Mapping[str, Any]
FEED_MOST = 100
"""Entries of a feed: readers poll, they do not page."""


def as_csv(rows: Iterable[Row], *, raw: bool = False) -> Iterator[str]:
    yield _csv_line(POSTING_KEYS)
    for row in rows:
        yield _csv_line([csv_cell(row.get(name), raw=raw) for name in POSTING_KEYS])


def _csv_line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def as_lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(as_json(row), ensure_ascii=False) + "\n"


def as_job_postings(rows: Iterable[Row]) -> Iterator[str]:
    """One schema.org JobPosting a line."""
    for row in rows:
        yield json.dumps(job_posting(row), ensure_ascii=False) + "\n"


UNIT = {"hour": "HOUR", "day": "DAY", "week": "WEEK", "month": "MONTH", "year": "YEAR"}
EMPLOYMENT = {
    "full_time": "FULL_TIME",
    "part_time": "PART_TIME",
    "contract": "CONTRACTOR",
    "freelance": "CONTRACTOR",
    "internship": "INTERN",
    "temporary": "TEMPORARY",
    "volunteer": "VOLUNTEER",
    "apprenticeship": "OTHER",
}


def job_posting(row: Row) -> dict[str, Any]:
    """A posting in the words of schema.org; pay that a flag excludes is left out."""
    made: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "identifier": {"@type": "PropertyValue", "name": "jobledger", "value": row["id"]},
        "title": row["title"],
        "datePosted": as_json(row["posted_on"]),
        "validThrough": as_json(row["valid_through"]),
        "employmentType": sorted({EMPLOYMENT[name] for name in row["employment_types"]}) or None,
        "hiringOrganization": {"@type": "Organization", "name": row["company"]} if row["company"] else None,
        "jobLocation": _place(row),
        "jobLocationType": "TELECOMMUTE" if row["remote"] == "remote" else None,
        "occupationalCategory": row["soc"],
        "url": safe_link(row["url"]),
    }
    excluded = any(flag["severity"] == "exclude" and flag["state"] != "dismissed" for flag in row["flags"])
    if not excluded and row["currency"] and row["period"] and (row["salary_min"] or row["salary_max"]):
        value = {"minValue": as_json(row["salary_min"]), "maxValue": as_json(row["salary_max"])}
        stated = {name: amount for name, amount in value.items() if amount is not None}
        made["baseSalary"] = {
            "@type": "MonetaryAmount",
            "currency": row["currency"],
            "value": {"@type": "QuantitativeValue", **stated, "unitText": UNIT[row["period"]]},
        }
    return {name: value for name, value in made.items() if value is not None}


def _place(row: Row) -> dict[str, Any] | None:
    parts = {"addressLocality": row["city"], "addressRegion": row["region"], "addressCountry": row["country"]}
    known = {name: value for name, value in parts.items() if value}
    return {"@type": "Place", "address": {"@type": "PostalAddress", **known}} if known else None


def safe_link(url: str | None) -> str | None:
    """A link that a browser may follow: http and https only; `javascript:` and its kin are no links.

    >>> safe_link("https://example.org/job/1"), safe_link(" JavaScript:alert(1)")
    ('https://example.org/job/1', None)
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in {"http", "https"} and parts.netloc else None


def as_atom(rows: Iterable[Row], *, link: str, title: str, now: datetime) -> Iterator[str]:
    """RFC 4287."""
    yield '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    yield f"<title>{_xml(title)}</title><id>{_xml(link)}</id>"
    yield f"<link rel={quoteattr('self')} href={quoteattr(_clean(link))}/>"
    yield f"<updated>{now.isoformat()}</updated>\n"
    for row in rows:
        target = safe_link(row["url"])
        yield f"<entry><id>urn:jobledger:posting:{row['id']}</id><title>{_xml(_headline(row))}</title>"
        yield f"<updated>{row['last_seen'].isoformat()}</updated><published>{row['first_seen'].isoformat()}</published>"
        yield f"<author><name>{_xml(row['company'] or 'not stated')}</name></author>"
        yield f"<link href={quoteattr(_clean(target))}/>" if target else ""
        yield f"<summary>{_xml(_summary(row))}</summary></entry>\n"
    yield "</feed>\n"


def as_rss(rows: Iterable[Row], *, link: str, title: str, now: datetime) -> Iterator[str]:
    """RSS 2.0."""
    from email.utils import format_datetime

    yield f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>{_xml(title)}</title>'
    yield f"<link>{_xml(link)}</link><description>{_xml(title)}</description>"
    yield f"<lastBuildDate>{format_datetime(now)}</lastBuildDate>\n"
    for row in rows:
        target = safe_link(row["url"])
        yield f"<item><title>{_xml(_headline(row))}</title>" + (f"<link>{_xml(target)}</link>" if target else "")
        yield f'<guid isPermaLink="false">urn:jobledger:posting:{row["id"]}</guid>'
        yield f"<pubDate>{format_datetime(row['first_seen'])}</pubDate>"
        yield f"<description>{_xml(_summary(row))}</description></item>\n"
    yield "</channel></rss>\n"


def feed_title(stated: Mapping[str, Any]) -> str:
    """The name of a feed, from its filters.

    >>> feed_title({"role": ["Data Engineer"], "has_salary": True})
    'jobledger: role Data Engineer, has salary'
    """
    parts = []
    for name, value in stated.items():
        said = " or ".join(map(str, value)) if isinstance(value, list) else str(value)
        parts.append(name.replace("_", " ") + ("" if value is True else f" {said}"))
    return f"jobledger: {', '.join(parts) or 'all postings'}"


def _headline(row: Row) -> str:
    return " · ".join(part for part in (row["title"], row["company"], row["salary_text"]) if part)


def _summary(row: Row) -> str:
    parts = (row["role"], row["level"], row["location_text"], row["salary_text"], ", ".join(row["employment_types"]))
    return " | ".join(part for part in parts if part)


def _xml(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c not in "\ufffe\uffff")
    )


STREAMS: Mapping[str, tuple[str, Callable[[Iterable[Row]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/x-ndjson", as_lines),
    "jsonld": ("application/ld+json-seq; charset=utf-8", as_job_postings),
}
FEEDS: Mapping[str, tuple[str, Callable[..., Iterator[str]]]] = {
    "atom": ("application/atom+xml; charset=utf-8", as_atom),
    "rss": ("application/rss+xml; charset=utf-8", as_rss),
}

PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = (PARQUET, *(kind.partition(";")[0] for kind, _ in (*STREAMS.values(), *FEEDS.values())))
"""Of every export."""
