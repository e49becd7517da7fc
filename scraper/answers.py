"""What passes between a spider and the pure functions that read a platform's answers.

    Seen     where and when an answer was read, and what the source's entry declares
    Ask      what to fetch next
    Parsed   what an answer said: postings, what could not be read, what to ask next, why it may not be the whole

A platform's parser takes an answer and a `Seen`, and returns a `Parsed`: no network, clock or session.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from db.contained import Failure, contained
from db.records import RawPostingRecord, RecordError, RejectedRecord
from db.rejected import PARSER_FAILED
from db.text import one_line, repair
from scraper.pages.addresses import canonical
from scraper.pages.rows import AnswerError, Row, is_scalar
from scraper.sources import Source

Item = TypeVar("Item")
Given = ParamSpec("Given")

__all__ = [
    "DETAIL",
    "LISTING",
    "MARKER",
    "AnswerError",
    "Ask",
    "Parsed",
    "Seen",
    "api_of",
    "completed_by",
    "detail_ask",
    "gathered",
    "marker_of",
    "posting",
    "read_each",
    "rejection",
    "require_token",
    "understood",
]

LISTING, DETAIL = "listing", "posting"
"""Kinds of answers: one that lists postings, and one that holds a single posting."""

MARKER = "listing_marker"
"""Key in a posting's payload: a hash of its listing entry; while the entry is the same, its page is not fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where and when an answer was read, and what is declared about its source."""

    source: str
    url: str
    at: datetime
    board: str | None = None
    """What the platform calls this board: the entry's token, or what the address of the answer says."""
    company: str | None = None
    """The employer as the entry declares it; what an answer says itself goes first."""
    country: str | None = None
    currency: str | None = None
    language: str | None = None
    served: datetime | None = None
    """When the site served the answer; None for a saved file of unknown age, where "3 days ago" says nothing."""
    id_prefix: str = ""
    """Before each id when answers of several platforms share one source: `greenhouse:`."""

    @classmethod
    def of(cls, source: Source, *, url: str, at: datetime) -> Seen:
        company = source.options.get("company")
        return cls(
            source=source.name,
            url=url,
            at=at,
            served=at,
            board=source.token,
            company=company if isinstance(company, str) else None,
            country=source.country,
            currency=source.currency,
            language=source.language,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to make: GET, or POST of a JSON body."""

    url: str
    kind: str = LISTING
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    may_be_missing: bool = False
    """An answer 404 says that there is nothing, not that something is wrong."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What a parser tells its next call: page numbers, totals."""
    listed: RawPostingRecord | None = None
    """For the page of one posting: what the listing said of it."""
    marker: str | None = None
    """The listing entry's hash, to tell whether the page has to be fetched at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What an answer said."""

    postings: tuple[RawPostingRecord, ...] = ()
    rejected: tuple[RejectedRecord, ...] = ()
    asks: tuple[Ask, ...] = ()
    total: int | None = None
    """How many postings the site says it has."""
    incomplete: tuple[str, ...] = ()
    """Reasons why what is absent here may still be open: a capped listing, a skipped part."""
    left_out: int = 0
    """Entries that the site itself marks as not public."""

    def __add__(self, other: Parsed) -> Parsed:
        return Parsed(
            postings=self.postings + other.postings,
            rejected=self.rejected + other.rejected,
            asks=self.asks + other.asks,
            total=self.total if other.total is None else other.total,
            incomplete=self.incomplete + other.incomplete,
            left_out=self.left_out + other.left_out,
        )


def posting(seen: Seen, row: Row, *, title: str | None, source_id: str | None, **values: Any) -> Parsed:
    """One posting of a row whose fields were read; what was not read becomes its payload.

    A row that lacks a title is rejected with its start, never dropped. `url` is made canonical against the page.
    """
    values["url"] = canonical(values.get("url"), seen.url if seen.url.startswith("http") else None)
    values.setdefault("company_text", None)
    values["company_text"] = values["company_text"] or seen.company or _name_of(seen.board)
    values["language"] = _language(values.get("language")) or seen.language
    payload = {**row.rest(), **values.pop("payload", {})}
    try:
        record = RawPostingRecord(
            source=seen.source,
            title_text=title or "",
            source_id=f"{seen.id_prefix}{source_id}" if source_id else None,
            page_url=seen.url,
            seen_at=seen.at,
            country_hint=seen.country,
            currency_hint=seen.currency,
            payload=payload,
            **values,
        )
    except RecordError as error:
        return Parsed(rejected=(rejection(seen, "missing_field", f"{error} (id {source_id})", row),))
    return Parsed(postings=(record,))


def rejection(seen: Seen, reason: str, detail: str, row: Row | None = None) -> RejectedRecord:
    """What could not be read, with the start of it."""
    excerpt = json.dumps(row.rest(), ensure_ascii=False, default=str)[:300] if row is not None else ""
    return RejectedRecord(
        source=seen.source, url=seen.url, reason=reason, detail=repair(detail), seen_at=seen.at, excerpt=excerpt
    )


def gathered(parts: Iterable[Parsed], **whole: Any) -> Parsed:
    """The parts of an answer as one, in order; `whole` sets what concerns the answer itself."""
    postings: list[RawPostingRecord] = []
    rejected: list[RejectedRecord] = []
    asks: list[Ask] = []
    incomplete: list[str] = []
    left_out = 0
    for part in parts:
        postings += part.postings
        rejected += part.rejected
        asks += part.asks
        incomplete += part.incomplete
        left_out += part.left_out
    asks += whole.pop("asks", ())
    incomplete += whole.pop("incomplete", ())
    return Parsed(
        postings=tuple(postings),
        rejected=tuple(rejected),
        asks=tuple(asks),
        incomplete=tuple(incomplete),
        left_out=left_out + whole.pop("left_out", 0),
        **whole,
    )


def read_each(items: Iterable[Item], read: Callable[[Item], Parsed], seen: Seen) -> list[Parsed]:
    """The entries of an answer, each read by itself: one that cannot be read is rejected, and the others are kept.

    >>> seen = Seen(source="s", url="https://x.example/", at=datetime(2026, 1, 1))
    >>> [part.rejected[0].reason for part in read_each([{"id": 7}], lambda row: Parsed(total=1 // 0), seen)]
    ['parser_failed']
    """
    parts = []
    for number, item in enumerate(items, 1):
        part = understood(read, item)
        parts.append(part if isinstance(part, Parsed) else unread(seen, part, item, number))
    return parts


def understood(read: Callable[Given, Parsed], /, *args: Given.args, **kwargs: Given.kwargs) -> Parsed | AnswerError:
    """What `read` makes of an answer or an entry, or why it cannot be read: as the parser says, or as it failed."""

    def answered() -> Parsed | AnswerError:
        try:
            return read(*args, **kwargs)
        except AnswerError as error:
            return error

    made = contained(answered)
    return AnswerError(PARSER_FAILED, str(made)) if isinstance(made, Failure) else made


def unread(seen: Seen, error: AnswerError, item: object, number: int) -> Parsed:
    """An entry that could not be read, named by its id where it has one, else by its place in the answer."""
    values = _values(item)
    name = next((str(values[key]) for key in NAMES if is_scalar(values.get(key))), f"number {number}")
    excerpt = contained(lambda: json.dumps(Row(values).rest(), ensure_ascii=False, default=str)[:300])
    record = RejectedRecord(
        source=seen.source,
        url=seen.url,
        reason=error.reason,
        detail=f"{error.detail}; entry {name[:100]}",
        seen_at=seen.at,
        excerpt=error.excerpt or ("" if isinstance(excerpt, Failure) else excerpt),
    )
    return Parsed(rejected=(record,))


NAMES = ("id", "guid", "objectID", "shortcode", "jobId", "referencenumber", "url", "link")
"""Fields that name an entry, whatever its platform."""


def _values(item: object) -> Mapping[str, object]:
    """The fields of an entry; of several rows that are one posting those of the first."""
    if isinstance(item, list | tuple) and item:
        return _values(item[0])
    if isinstance(item, Row):
        return item.values
    fields = getattr(item, "fields", item)
    return fields if isinstance(fields, Mapping) else {}


def marker_of(values: Mapping[str, object], *, volatile: Sequence[str] = ()) -> str:
    """A hash of a listing entry without its `volatile` fields (relative dates, counters).

    >>> marker_of({"id": 1, "postedOn": "Today"}, volatile=["postedOn"]) == marker_of({"id": 1})
    True
    """
    stable = {name: values[name] for name in sorted(values) if name not in volatile}
    text = json.dumps(stable, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def detail_ask(url: str, parsed: Parsed, marker: str) -> Parsed:
    """What a listing entry said, to be completed by the posting's own page."""
    if not parsed.postings:
        return parsed
    (record,) = parsed.postings
    return replace(parsed, postings=(), asks=(Ask(url=url, kind=DETAIL, listed=record, marker=marker),))


def completed(listed: RawPostingRecord, detail: RawPostingRecord, marker: str | None) -> RawPostingRecord:
    """A posting from its own page, with the gaps filled from its listing entry, under the entry's identity."""
    values: dict[str, Any] = {}
    for name in ("company_text", "location_text", "workplace_text", "country_text", "employment_text", "level_text"):
        values[name] = getattr(detail, name) or getattr(listed, name)
    for name in ("salary_text", "pay", "department_text", "requisition_text", "language", "description_text"):
        values[name] = getattr(detail, name) or getattr(listed, name)
    for name in ("url", "posted_on", "updated_on", "valid_through", "country_hint", "currency_hint"):
        values[name] = getattr(detail, name) or getattr(listed, name)
    payload = {**listed.payload, **detail.payload}
    if marker is not None:
        payload[MARKER] = marker
    return replace(detail, source_id=listed.source_id, payload=payload, **values)


def completed_by(detail: Parsed, ask: Ask) -> Parsed:
    """The page of one posting together with the listing entry that led to it."""
    if ask.listed is None or not detail.postings:
        return detail
    return replace(detail, postings=(completed(ask.listed, detail.postings[0], ask.marker),))


def _name_of(board: str | None) -> str | None:
    """The handle of a board is the only name that some platforms publish for the employer."""
    return one_line((board or "").split("/")[0]) if board else None


def _language(text: object) -> str | None:
    return one_line(text) if isinstance(text, str) else None


def api_of(source: Source, usual: str) -> str:
    """Where a platform answers: the usual address, or what the entry's option `api` says (another region, a test)."""
    api = source.options.get("api")
    return (api if isinstance(api, str) else usual).rstrip("/")


def require_token(source: Source) -> str:
    """The entry's token. Raises `AnswerError` when it has none: a platform with many boards needs to know which."""
    if source.token is None:
        raise AnswerError("no_token", f"source {source.name!r} on {source.spider} needs a token")
    return source.token
