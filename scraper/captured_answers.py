"""Answers of job platforms out of saved files: which platform's they are is told by their shape, not by their name.

`recognise_answer` names the platform of a decoded answer, `parse_answer` reads it. The readers at the end are what
`scraper.captures` calls for `.json`, `.jsonl`, `.xml` and `.warc` files. Postings of several platforms share one source
here, so each id carries its platform (`greenhouse:5012345`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from db.files import LARGEST, in_words
from db.keys import folded
from db.records import PageRecord, RawPostingRecord, Record, RejectedRecord
from scraper.answers import Parsed, Seen, gathered, read_each, understood
from scraper.files.members import Damage
from scraper.files.unpacking import lines
from scraper.files.warc import read_warc
from scraper.pages.feeds import parse_feed, parse_fields
from scraper.pages.jobposting import JobPosting, cleaned, is_posting, nodes_of, posting_of
from scraper.pages.rows import AnswerError, Row, decoded_json
from scraper.pages.xml import Document, local, safe_xml

if TYPE_CHECKING:
    from scraper.captures import Capture

MOST_REJECTED = 20
"""Unreadable lines of one file that are reported one by one; the rest is counted."""

Keys = frozenset[str]


def _keys(*names: str) -> Keys:
    return frozenset(names)


LISTS: tuple[tuple[str, str, Keys, Keys, str], ...] = (
    # platform, field that lists, fields of an entry (one suffices), fields beside the list (all), parser
    ("greenhouse", "jobs", _keys("absolute_url", "internal_job_id"), _keys("meta"), "parse_jobs"),
    ("ashby", "jobs", _keys("jobUrl", "isListed"), _keys("apiVersion"), "parse_jobs"),
    ("workable", "jobs", _keys("shortcode"), _keys("name", "description"), "parse_account"),
    ("remotive", "jobs", _keys("candidate_required_location"), _keys("job-count"), "parse_jobs"),
    ("himalayas", "jobs", _keys("companySlug", "locationRestrictions"), _keys("totalCount", "limit"), "parse_jobs"),
    ("jobicy", "jobs", _keys("jobTitle", "jobGeo"), _keys("jobCount"), "parse_jobs"),
    ("smartrecruiters", "content", _keys("refNumber", "releasedDate"), _keys("totalFound"), "parse_listing"),
    ("recruitee", "offers", _keys("careers_url", "employment_type_code"), _keys(), "parse_offers"),
    ("teamtailor", "items", _keys("_jobposting"), _keys(), "parse_feed"),
    ("workday", "jobPostings", _keys("externalPath"), _keys("total"), "parse_listing"),
    ("bamboohr", "result", _keys("jobOpeningName"), _keys("meta"), "parse_listing"),
    ("arbeitnow", "data", _keys("company_name"), _keys("links"), "parse_jobs"),
    ("pinpoint", "data", _keys("compensation_visible", "key_responsibilities"), _keys(), "parse_postings"),
    ("themuse", "results", _keys("refs"), _keys("page_count"), "parse_jobs"),
    ("workable", "results", _keys("shortcode"), _keys("total", "nextPage"), "parse_results"),
    ("hackernews", "hits", _keys("comment_text"), _keys("story_title"), "parse_comments"),
    ("hackernews", "children", _keys("text", "parent_id"), _keys("author"), "parse_comments"),
)  # fmt: skip
"""Answers that are an object with a list in it."""

BARE_LISTS: tuple[tuple[str, Keys, str], ...] = (
    ("remoteok", _keys("legal", "epoch"), "parse_jobs"),
    ("lever", _keys("hostedUrl", "categories"), "parse_postings"),
    ("breezy", _keys("friendly_id"), "parse_positions"),
)
"""Answers that are a list."""

SINGLES: tuple[tuple[str, Keys, str], ...] = (
    ("greenhouse", _keys("absolute_url", "internal_job_id"), "parse_job"),
    ("lever", _keys("hostedUrl", "categories"), "parse_posting"),
    ("ashby", _keys("jobUrl", "publishedAt"), "parse_job"),
    ("smartrecruiters", _keys("jobAd", "typeOfEmployment"), "parse_posting"),
    ("himalayas", _keys("companySlug", "locationRestrictions"), "parse_job"),
    ("arbeitnow", _keys("company_name", "job_types", "slug"), "parse_job"),
    ("jobicy", _keys("jobTitle", "jobGeo"), "parse_job"),
    ("remotive", _keys("candidate_required_location", "company_name"), "parse_job"),
    ("remoteok", _keys("position", "epoch"), "parse_job"),
    ("breezy", _keys("friendly_id", "published_date"), "parse_position"),
    ("themuse", _keys("refs", "levels"), "parse_job"),
    ("workday", _keys("jobPostingInfo"), "parse_detail"),
    ("workable", _keys("shortcode", "workplace"), "parse_single"),
)
"""Answers, or lines of a `.jsonl` file, that are one posting; they have all of these fields."""

ROW_PARSERS = frozenset({"parse_job", "parse_posting", "parse_position"})
"""Parsers that take a `Row`; the others take the decoded answer."""

BY_TENANT = frozenset({"bamboohr", "workday", "breezy"})
"""Platforms whose ids are unique only within one employer, which a saved answer may not name."""

JSON_LD, FLAT = "schema.org", "rows"
"""A JobPosting as a file of its own; a plain row of title, company and address, as aggregators export them."""


def recognise_answer(answer: object) -> str | None:
    """The platform whose answer this is; None for an unknown shape.

    >>> recognise_answer({"offers": [{"careers_url": "https://acme.example/o/nurse"}]})
    'recruitee'
    """
    found = _reader_of(answer)
    return found[0] if found else None


def parse_answer(platform: str, answer: object, seen: Seen) -> Parsed:
    """The postings of a platform's answer. Raises `AnswerError` when it is no answer of that platform."""
    found = _reader_of(answer)
    if found is None or found[0] != platform:
        raise AnswerError("unknown_shape", f"no answer of {platform}", str(answer)[:200])
    prefix = "" if platform == JSON_LD else f"{platform}:"  # an address tells postings apart by itself
    parsed = found[1](answer, replace(seen, id_prefix=prefix))
    if platform in BY_TENANT and not seen.url.startswith("http"):
        own = gathered(read_each(parsed.postings, lambda record: Parsed(postings=(_with_own_id(record),)), seen))
        parsed = replace(parsed, postings=own.postings, rejected=parsed.rejected + own.rejected)
    return replace(parsed, asks=())


def _with_own_id(record: RawPostingRecord) -> RawPostingRecord:
    """Two employers may both number a job 86: the title tells them apart, and stays the same when captured again."""
    if record.source_id is None or record.url is not None:
        return record
    return replace(record, source_id=f"{record.source_id}:{folded(record.title_text)}")


Reading = Callable[[object, Seen], Parsed]


def _reader_of(answer: object) -> tuple[str, Reading] | None:
    if isinstance(answer, dict):
        return _reader_of_object(answer)
    if isinstance(answer, list):
        rows = [item for item in answer if isinstance(item, dict)]
        for platform, keys, parser in BARE_LISTS:
            if any(keys & set(row) for row in rows[:2]):
                return platform, _function(platform, parser)
        if rows and (inner := _reader_of_object(rows[0])) is not None and inner[0] in (JSON_LD, FLAT):
            return inner[0], lambda items, seen: gathered(
                read_each(_objects(items), lambda item: inner[1](item, seen), seen)
            )
    return None


def _reader_of_object(answer: Mapping[str, object]) -> tuple[str, Reading] | None:
    for platform, name, entry, beside, parser in LISTS:
        items = answer.get(name)
        if isinstance(items, list):
            rows = [item for item in items if isinstance(item, dict)]
            if any(entry & set(row) for row in rows[:3]) or (not items and beside and beside <= set(answer)):
                return platform, _function(platform, parser)
    result = answer.get("result")
    if isinstance(result, dict) and "jobOpening" in result:
        return "bamboohr", _function("bamboohr", "parse_detail")
    for platform, keys, parser in SINGLES:
        if keys <= set(answer):
            return platform, _function(platform, parser)
    if any(is_posting(node) for node in nodes_of([answer])):
        return JSON_LD, _declared
    if "title" in answer and {"url", "apply_url", "link"} & set(answer) and {"company", "company_name"} & set(answer):
        return FLAT, lambda row, seen: parse_fields(_folded(row), seen)
    return None


def _function(platform: str, name: str) -> Reading:
    read: Any = getattr(import_module(f"scraper.spiders.{platform}"), name)
    if name in ROW_PARSERS:
        return lambda answer, seen: read(Row.of(answer), seen)
    return lambda answer, seen: read(answer, seen)


def _declared(answer: object, seen: Seen) -> Parsed:
    found = [node for node in nodes_of([answer]) if is_posting(node)]
    jobs = [JobPosting(cleaned(node), "json-ld") for node in found]
    return gathered(read_each(jobs, lambda job: posting_of(job, seen, url=Row(job.fields).text("url")), seen))


def _objects(items: object) -> list[object]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _folded(row: object) -> dict[str, object]:
    """A row with its names written as feeds are read: without case, hyphens and underscores."""
    values = row if isinstance(row, dict) else {}
    fields = {name.lower().replace("_", "").replace("-", ""): value for name, value in values.items()}
    for name, value in list(fields.items()):
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            fields[name] = value["name"]
    return fields


def parse_document(document: Document, seen: Seen) -> tuple[str, Parsed]:
    """The platform and the postings of an XML answer. Raises `AnswerError` when it holds none."""
    root = local(document.root).lower()
    if root == "workzag-jobs":
        from scraper.spiders.personio import parse_feed as parse_positions

        return "personio", parse_positions(document, replace(seen, id_prefix="personio:"))
    if root in ("urlset", "sitemapindex"):
        raise AnswerError("no_postings", "a sitemap names pages, it holds no postings")
    home = document.root.find("./channel/link")
    if home is not None and "weworkremotely.com" in (home.text or ""):
        from scraper.spiders.weworkremotely import parse_rss

        return "weworkremotely", parse_rss(document, replace(seen, id_prefix="weworkremotely:"))
    return "feed", parse_feed(document, replace(seen, id_prefix="feed:"))


def parse_body(body: bytes, seen: Seen) -> Parsed:
    """The postings of an answer of any platform. Raises `AnswerError` when it is none that we know."""
    answer = decoded_json(body)
    platform = recognise_answer(answer)
    if platform is None:
        excerpt = body[:200].decode("utf-8", "replace")
        raise AnswerError("unknown_shape", "no known platform answers like this", excerpt)
    return parse_answer(platform, answer, seen)


def read_json(capture: Capture) -> Iterator[Record]:
    """The postings of a saved JSON answer."""
    parsed = understood(parse_body, capture.data(), _seen(capture))
    if isinstance(parsed, AnswerError):
        yield capture.rejected(parsed.reason, parsed.detail, parsed.excerpt)
        return
    yield capture.page("listing")
    yield from _records(parsed)


def read_jsonl(capture: Capture) -> Iterator[Record]:
    """The postings of a file with one JSON object a line; a line that cannot be read costs only itself."""
    seen = _seen(capture)
    yield capture.page("listing")
    unread = 0
    number = 0
    for number, line in enumerate(_lines(capture), 1):
        if isinstance(line, RejectedRecord):
            yield line
            continue
        if line is not None and not line.strip():
            continue
        parsed = understood(_parse_line, line, seen)
        if isinstance(parsed, Parsed):
            yield from _records(parsed)
            continue
        unread += 1
        if unread <= MOST_REJECTED:
            yield capture.rejected(parsed.reason, f"line {number}: {parsed.detail}", parsed.excerpt)
    if unread > MOST_REJECTED:
        yield capture.rejected("unreadable_lines", f"{unread} of {number} lines could not be read")


def _parse_line(line: bytes | None, seen: Seen) -> Parsed:
    if line is None:
        raise AnswerError("too_large", f"a line of more than {in_words(LARGEST)} is not read")
    return parse_body(line, seen)


def _lines(capture: Capture) -> Iterator[bytes | RejectedRecord | None]:
    """The lines of a file, and what stops reading them."""
    number = 0
    try:
        for line in lines(capture.open_at):
            number += 1
            yield line
    except Damage as damage:
        reason = "broken_gzip" if damage.ends_at is None else "truncated"
        yield capture.rejected(reason, f"{damage}; {number} lines before it were read")


def read_xml(capture: Capture) -> Iterator[Record]:
    """The postings of a saved XML feed."""
    document = capture.data()
    parsed = understood(lambda: parse_document(safe_xml(document), _seen(capture))[1])
    if isinstance(parsed, AnswerError):
        yield capture.rejected(parsed.reason, parsed.detail, parsed.excerpt)
        return
    yield capture.page("feed")
    yield from _records(parsed)
    for reason in parsed.incomplete:
        yield capture.rejected("cut_off", reason)


def read_archive(capture: Capture) -> Iterator[Record]:
    """The postings and articles of the pages in a WARC file, each seen when it was archived."""
    from scraper.spiders.archives import entry_records

    is_empty = True
    for entry in read_warc(capture.open_at):
        is_empty = False
        yield from entry_records(entry, capture.source, capture.name, capture.seen_at)
    if is_empty:
        yield capture.rejected("no_answers", "the archive holds no answer of a server")


def _seen(capture: Capture) -> Seen:
    return Seen(source=capture.source, url=capture.url, at=capture.seen_at)


def _records(parsed: Parsed) -> Iterator[RawPostingRecord | RejectedRecord | PageRecord]:
    yield from parsed.postings
    yield from parsed.rejected
