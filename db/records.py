"""What the scraper hands to the ledger: validated records, each field declared once.

A record holds what a site said (`..._text`, published dates, published pay) and where it was said. Nothing here is
interpreted: levels, money and places are read later, by the aggregator, from the stored rows. `published_fields` names
what counts as content, so that an unchanged posting is known by one hash comparison.

A record that lacks what it must have raises `RecordError`, which names the field and the value; the scraper then keeps
a `RejectedRecord` instead, so nothing vanishes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

from db.keys import content_hash, folded, key


class RecordError(ValueError):
    """A record cannot be kept: `field` holds `value`, which `reason` rejects."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field, self.value, self.reason = field, value, reason
        super().__init__(f"{field} = {str(value)[:80]!r}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPay:
    """One pay statement as a site published it in structured form; amounts unconverted, period as spelt there."""

    min: str | None = None
    max: str | None = None
    currency: str | None = None
    period: str | None = None
    label: str | None = None

    def as_json(self) -> dict[str, str]:
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """What a source served at one URL (a file's name for captures). `content_hash` is of the body's bytes."""

    source: str
    url: str
    content_hash: str
    seen_at: datetime
    kind: str = "page"
    """article, posting, listing, feed or page."""
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    body: bytes | None = None
    """Kept for a set time only, compressed by the store."""

    @property
    def id(self) -> str:
        return key("page", self.source, self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleSectionRecord:
    position: int
    heading: str | None
    subheading: str | None
    text: str
    """Paragraphs and list items, one a line; items start with "- "."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRecord:
    """A career article as published: no claim in it is read yet."""

    source: str
    url: str
    title: str
    seen_at: datetime
    subtitle: str | None = None
    read_minutes: int | None = None
    published_on: date | None = None
    has_own_url: bool = True
    """False for a text capture, whose file name says nothing about which article it is: its title does."""
    sections: tuple[ArticleSectionRecord, ...] = ()
    salary_insight_links: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise RecordError("title", self.title, "an article needs a title")

    @property
    def id(self) -> str:
        return key("article", self.source, self.url if self.has_own_url else folded(self.title))

    @property
    def content_hash(self) -> str:
        return content_hash({f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_CONTENT})


NOT_CONTENT = frozenset({"seen_at", "source", "source_id", "page_url", "partial"})
"""Where and when something was said is no part of what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPostingRecord:
    """One job ad as one source published it, seen on one page at one time."""

    source: str
    title_text: str
    page_url: str
    """The page of this sighting; a listing, an article or the ad itself."""
    seen_at: datetime
    source_id: str | None = None
    """The site's own identity of the ad; without one, title, company and place identify it."""
    url: str | None = None
    company_text: str | None = None
    location_text: str | None = None
    workplace_text: str | None = None
    """The site's own remote field: "Remote", "TELECOMMUTE", "hybrid"…"""
    country_text: str | None = None
    employment_text: str | None = None
    level_text: str | None = None
    salary_text: str | None = None
    pay: tuple[PublishedPay, ...] = ()
    pay_is_estimate: bool = False
    """The site itself calls the pay its own estimate."""
    department_text: str | None = None
    requisition_text: str | None = None
    language: str | None = None
    description_text: str | None = None
    posted_on: date | None = None
    updated_on: date | None = None
    valid_through: date | None = None
    country_hint: str | None = None
    """ISO 3166-1 alpha-2, declared by the source's entry, never guessed."""
    currency_hint: str | None = None
    """ISO 4217, declared by the source's entry, never guessed."""
    partial: bool = False
    """A card or list entry that shows only part of the ad: it fills gaps and never erases or overrides."""
    payload: Mapping[str, object] = field(default_factory=dict)
    """Published fields that no column takes: handled by being kept."""

    def __post_init__(self) -> None:
        if not self.title_text.strip():
            raise RecordError("title_text", self.title_text, "a posting needs a title")
        if self.source_id is not None and not self.source_id.strip():
            raise RecordError("source_id", self.source_id, "an identity may be absent but not empty")
        if self.seen_at.tzinfo is None:
            raise RecordError("seen_at", self.seen_at, "times need a zone")

    @property
    def identity(self) -> str:
        """The site's own id, or title, company and place where it gives none: a changed salary is then a change."""
        if self.source_id is not None:
            return self.source_id
        return "=" + "|".join(folded(part) for part in (self.title_text, self.company_text, self.location_text))

    @property
    def id(self) -> str:
        return key("posting", self.source, self.identity)

    @property
    def published_fields(self) -> dict[str, object]:
        out: dict[str, object] = {name: getattr(self, name) for name in PUBLISHED_NAMES}
        out["pay"] = [pay.as_json() for pay in self.pay]
        return out

    @property
    def content_hash(self) -> str:
        return content_hash(self.published_fields)


PUBLISHED_NAMES = tuple(f.name for f in fields(RawPostingRecord) if f.name not in NOT_CONTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """What could not be read, and why: kept, so that nothing vanishes."""

    source: str
    url: str
    reason: str
    """A short code: empty, binary, unreadable, not_an_article, missing_field, broken_json…"""
    detail: str
    seen_at: datetime
    excerpt: str = ""
    subject: str | None = None
    """The raw posting, posting or article that our rules failed on; without a `url` that of its page is kept."""
    rules_version: int | None = None
    """The version of the rules that failed."""

    @property
    def id(self) -> str:
        if self.subject is not None:
            return key("rejected", self.subject, self.reason)
        return key("rejected", self.source, self.url, self.reason, self.detail)


Record = PageRecord | ArticleRecord | RawPostingRecord | RejectedRecord


def storable(value: Any) -> Any:
    r"""A value that both stores take: no NUL and no half of a surrogate pair in text, plain JSON in lists and objects.

    Nothing else changes; a replaced character becomes U+FFFD, a number that JSON lacks becomes its name.

    >>> storable("a\x00b"), storable({"n": float("nan")}), storable("Zürich")
    ('a\ufffdb', {'n': 'nan'}, 'Zürich')
    """
    if isinstance(value, str):
        if "\x00" in value or not value.isascii():
            return _UNSTORABLE.sub("\ufffd", value)
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]
    return value


def storable_bytes(canonical: str) -> bytes | None:
    """The canonical JSON of fields in UTF-8; None when it looks as if a store might not take them as they are.

    >>> storable_bytes('{"a":"b"}'), storable_bytes('{"a":NaN}'), storable_bytes(chr(0xD83D))
    (b'{"a":"b"}', None, None)
    """
    if "\\u0000" in canonical or "NaN" in canonical or "Infinity" in canonical:
        return None
    try:
        return canonical.encode()
    except UnicodeEncodeError:
        return None  # half of a surrogate pair


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def published_amount(value: object) -> str | None:
    """An amount as published, as text without float noise; None when absent. Words pass through unread.

    >>> published_amount(120000.0), published_amount("85,000"), published_amount(None), published_amount(float("nan"))
    ('120000', '85,000', None, 'nan')
    """
    if value is None or value == "":
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value)


def utc_now() -> datetime:
    """The clock, read only at the ends of the road."""
    return datetime.now(UTC)
