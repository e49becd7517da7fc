"""Personio: an XML feed of every open position, if the employer switched it on.

`GET {slug}.jobs.personio.de/xml?language=en` (or `.com`). No pay, no remote flag. `employmentType` says the kind of
contract and `schedule` the hours: together they are the employment.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from lxml import etree

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.rows import AnswerError, Row, joined
from scraper.pages.xml import Document, children, fields_of, local, safe_xml
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, site_of

ROOT = "workzag-jobs"


class PersonioSpider(BoardSpider):
    name = "personio"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        site = api_of(source, site_of(source) or f"https://{require_token(source)}.jobs.personio.de")
        return (Ask(url=f"{site}/xml?language={source.language or 'en'}"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:  # noqa: ARG002 - one kind of answer
        return parse_feed(safe_xml(body), seen)


def parse_feed(document: Document, seen: Seen) -> Parsed:
    """The feed. Raises `AnswerError` when the document is another one."""
    root = document.root
    if local(root) != ROOT:
        raise AnswerError("unknown_shape", f"the root is <{local(root)}>, not <{ROOT}>")
    by_id: dict[str, etree._Element] = {}
    for position, element in enumerate(children(root, "position")):
        by_id.setdefault((element.findtext("id") or "").strip() or f"row {position}", element)
    broken = (document.broken,) if document.broken else ()
    parts = read_each(by_id.values(), lambda element: parse_position(Row(fields_of(element)), seen), seen)
    return gathered(parts, total=len(by_id), incomplete=broken)


def parse_position(row: Row, seen: Seen) -> Parsed:
    identity = row.text("id")
    others = row.row("additionalOffices").texts("office")
    site = urlsplit(seen.url)
    host = site.netloc or (f"{seen.board}.jobs.personio.de" if seen.board else None)
    return posting(
        seen,
        row,
        title=row.text("name"),
        source_id=identity,
        url=f"https://{host}/job/{identity}" if host and identity else None,
        company_text=row.text("subcompany"),
        location_text=joined([row.text("office"), *others], "; "),
        employment_text=joined([row.text("employmentType"), row.text("schedule")]),
        level_text=row.text("seniority"),
        department_text=joined([row.text("department"), row.text("recruitingCategory")], " / "),
        description_text=_description(row),
        posted_on=row.day("createdAt"),
    )


def _description(row: Row) -> str | None:
    parts = []
    for part in row.row("jobDescriptions").rows("jobDescription"):
        name, text = part.text("name"), part.html("value")
        parts.append(joined([name, text], "\n") if text else None)
    return joined(parts, "\n\n")
