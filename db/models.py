"""The tables. Read top to bottom they follow the road: source, run, page, what was published, what we made of it.

A suffix tells the state of a value: `salary_text` is what the site said, `salary_min` is ours. Amounts are exact
(`db.types.Money`, hundredths of the unit), times are UTC, keys are made of what a thing is (`db.keys`), so two ledgers
that saw the same pages hold the same rows.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.types import Money, UtcTime

Json = JSON().with_variant(JSONB(), "postgresql")


def _json() -> Any:
    """A JSON column that is never null: an empty list or object says "none"."""
    return Column(Json, nullable=False)


class Source(SQLModel, table=True):
    """One entry of `sources.toml`, as the scheduler last saw it, and how it fares."""

    name: str = Field(primary_key=True)
    spider: str
    url: str | None = None
    enabled: bool = True
    schedule: str | None = None
    scheduled_since: datetime | None = Field(default=None, sa_type=UtcTime)
    """When the scheduler began to follow `schedule`: no slot before it was ever missed."""
    terms: str | None = Field(default=None, sa_type=Text)
    failures: int = 0
    """Failed runs in a row."""
    circuit: str = "closed"
    """closed (reads normally), open (rests until `probe_after`), half_open (one probe under way)."""
    probe_after: datetime | None = Field(default=None, sa_type=UtcTime)
    ailment: str | None = None
    """gone, moved, blocked, unreachable, parser_broke, crashed, misconfigured, empty, drifting, stuck or stale.

    Null when the source is well.
    """
    ailment_since: datetime | None = Field(default=None, sa_type=UtcTime)
    alerted_at: datetime | None = Field(default=None, sa_type=UtcTime)
    alerted_circuit: str | None = None
    """The circuit of which somebody was told: closed or open."""
    last_healthy_at: datetime | None = Field(default=None, sa_type=UtcTime)


class Run(SQLModel, table=True):
    """One crawl of one source, claimed here before it starts: the truth about what ran."""

    __table_args__ = (
        UniqueConstraint("source", "scheduled_for"),
        Index("ix_run_source_finished", "source", "finished_at"),
        Index("ix_run_state", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    scheduled_for: datetime = Field(sa_type=UtcTime)
    trigger: str = "manual"
    """manual, schedule, catch_up or probe."""
    state: str = "claimed"
    """claimed, running, finished or missed."""
    holder: str | None = None
    """Who runs it: host, process and start, so that a dead holder is recognised."""
    started_at: datetime | None = Field(default=None, sa_type=UtcTime)
    heartbeat_at: datetime | None = Field(default=None, sa_type=UtcTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcTime)
    verdict: str | None = None
    """healthy, suspect or failed."""
    reasons: list[str] = Field(default_factory=list, sa_column=_json())
    complete: bool = False
    """Whether the crawl saw the whole source and is believed."""
    pages: int = 0
    sightings: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    flagged: int = 0
    rejected: int = 0
    seconds: float | None = None
    stats: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    log_tail: str | None = Field(default=None, sa_type=Text)


class Page(SQLModel, table=True):
    """What a source served at one URL, as last read."""

    id: str = Field(primary_key=True)
    source: str = Field(index=True)
    url: str = Field(sa_type=Text)
    kind: str
    status: int | None = None
    content_hash: str
    etag: str | None = Field(default=None, sa_type=Text)
    last_modified: str | None = Field(default=None, sa_type=Text)
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime, index=True)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """zlib-compressed; erased after the retention time."""


class RawPosting(SQLModel, table=True):
    """One job ad as one source published it; nothing in it is interpreted."""

    __tablename__ = "raw_posting"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        Index("ix_raw_posting_pending", "rules_version"),
        Index("ix_raw_posting_source_seen", "source", "last_seen"),
    )

    id: str = Field(primary_key=True)
    source: str
    source_id: str = Field(sa_type=Text)
    posting_id: str | None = Field(default=None, foreign_key="posting.id", index=True)
    url: str | None = Field(default=None, sa_type=Text)
    title_text: str = Field(sa_type=Text)
    company_text: str | None = Field(default=None, sa_type=Text)
    location_text: str | None = Field(default=None, sa_type=Text)
    workplace_text: str | None = Field(default=None, sa_type=Text)
    country_text: str | None = Field(default=None, sa_type=Text)
    employment_text: str | None = Field(default=None, sa_type=Text)
    level_text: str | None = Field(default=None, sa_type=Text)
    salary_text: str | None = Field(default=None, sa_type=Text)
    pay: list[dict[str, Any]] = Field(default_factory=list, sa_column=_json())
    pay_is_estimate: bool = False
    department_text: str | None = Field(default=None, sa_type=Text)
    requisition_text: str | None = Field(default=None, sa_type=Text)
    language: str | None = None
    description_text: str | None = Field(default=None, sa_type=Text)
    posted_on: date | None = None
    updated_on: date | None = None
    valid_through: date | None = None
    country_hint: str | None = None
    currency_hint: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    listed: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """What list entries state, which show only part of an ad: it fills the gaps that the ad itself leaves."""
    content_hash: str
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    missed: int = 0
    """Spaced runs in a row that read the whole source and did not see it, as last counted: shown, never decided on."""
    missed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When the first of them did not see it."""
    rules_version: int = 0
    """The version of our rules that last read this row; 0 = never read, or changed since."""


class Sighting(SQLModel, table=True):
    """A raw posting seen on a page."""

    raw_posting_id: str = Field(primary_key=True, foreign_key="raw_posting.id")
    page_id: str = Field(primary_key=True, foreign_key="page.id", index=True)
    content_hash: str | None = None
    """What the page said of it as its own ad: a page that repeats itself is no news."""
    listed_hash: str | None = None
    """What the page said of it as one entry of a list."""
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime)


class Article(SQLModel, table=True):
    """A career article."""

    id: str = Field(primary_key=True)
    source: str
    url: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    subtitle: str | None = Field(default=None, sa_type=Text)
    read_minutes: int | None = None
    published_on: date | None = None
    """The date of the article, never of the jobs featured in it."""
    roles: list[str] = Field(default_factory=list, sa_column=_json())
    """What the article compares, read from its title."""
    salary_insight_links: list[str] = Field(default_factory=list, sa_column=_json())
    content_hash: str
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime)
    rules_version: int = Field(default=0, index=True)


class ArticleSection(SQLModel, table=True):
    __tablename__ = "article_section"

    article_id: str = Field(primary_key=True, foreign_key="article.id")
    position: int = Field(primary_key=True)
    heading: str | None = Field(default=None, sa_type=Text)
    subheading: str | None = Field(default=None, sa_type=Text)
    text: str = Field(sa_type=Text)


class ArticleClaim(SQLModel, table=True):
    """A figure that an article states, with the sentence that states it."""

    __tablename__ = "article_claim"

    id: str = Field(primary_key=True)
    article_id: str = Field(foreign_key="article.id", index=True)
    kind: str
    """salary or growth."""
    role: str | None = None
    about: str | None = None
    """Whom the figure is about when it is no role of the article: "data scientists"."""
    amount: Decimal | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    period: str | None = None
    percent: float | None = None
    since: int | None = None
    until: int | None = None
    country: str | None = None
    source: str | None = None
    """Whom the article cites: "Glassdoor"."""
    text: str = Field(sa_type=Text)


class Company(SQLModel, table=True):
    """An employer; `id` is made of the name without case and legal suffix."""

    id: str = Field(primary_key=True)
    name: str = Field(sa_type=Text)


FACET_COLUMNS = (
    "role", "level", "country", "countries", "remote", "employment_types", "currency", "sources",
    "closed_at", "excluded", "salary_is_estimate", "salary_min", "salary_max", "annual_min_usd", "annual_max_usd",
)  # fmt: skip


class Posting(SQLModel, table=True):
    """One job, after normalising and merging the raw postings that describe it."""

    __table_args__ = (
        Index("ix_posting_company", "company_id"),
        Index("ix_posting_country", "country"),
        Index("ix_posting_usd", "annual_max_usd"),
        Index("ix_posting_block", "block"),
        Index("ix_posting_match", "match_version", "block"),
        # Postings newest first, all and of a role: the pages that people ask for most are read without sorting.
        Index("ix_posting_first_seen", "first_seen", "id", sqlite_where=text("0")),
        Index("ix_posting_role", "role", "first_seen", "id", sqlite_where=text("0")),
        # The same with what filters and facets read: they never touch the rows, which hold whole descriptions.
        # SQLite only (empty elsewhere): PostgreSQL scans in parallel, and refuses entries as long as lists can be.
        Index("ix_posting_facets", "first_seen", "id", *FACET_COLUMNS, postgresql_where=text("false")),
        Index(
            "ix_posting_role_facets",
            "role",
            "first_seen",
            "id",
            "level",
            "country",
            "countries",
            postgresql_where=text("false"),
        ),
    )

    id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    title_text: str = Field(sa_type=Text)
    role: str | None = None
    family: str | None = None
    soc: str | None = None
    """SOC 2018 code of the role."""
    role_confidence: float = 0.0
    level: str | None = None
    """The board's own level where it gives one that we know, else the title's."""
    level_text: str | None = Field(default=None, sa_type=Text)
    title_level: str | None = None
    employment_types: list[str] = Field(default_factory=list, sa_column=_json())
    company_id: str | None = Field(default=None, foreign_key="company.id")
    company: str | None = Field(default=None, sa_type=Text)
    location_text: str | None = Field(default=None, sa_type=Text)
    city: str | None = None
    region: str | None = None
    country: str | None = None
    countries: list[str] = Field(default_factory=list, sa_column=_json())
    remote: str | None = None
    remote_scope: list[str] = Field(default_factory=list, sa_column=_json())
    salary_text: str | None = Field(default=None, sa_type=Text)
    salary_min: Decimal | None = Field(default=None, sa_type=Money)
    salary_max: Decimal | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    period: str | None = None
    salary_open: str | None = None
    """from or upto when only one end is stated."""
    salary_is_estimate: bool = False
    pay_tiers: list[dict[str, Any]] = Field(default_factory=list, sa_column=_json())
    annual_min: Decimal | None = Field(default=None, sa_type=Money)
    annual_max: Decimal | None = Field(default=None, sa_type=Money)
    annual_min_usd: Decimal | None = Field(default=None, sa_type=Money)
    annual_max_usd: Decimal | None = Field(default=None, sa_type=Money)
    fx_rate: float | None = None
    """US dollars for one unit of `currency`."""
    fx_date: date | None = None
    excluded: bool = False
    """An undismissed flag of severity `exclude` stands: in no statistic."""
    url: str | None = Field(default=None, sa_type=Text)
    description_text: str | None = Field(default=None, sa_type=Text)
    requisition_text: str | None = Field(default=None, sa_type=Text)
    sources: list[str] = Field(default_factory=list, sa_column=_json())
    posted_on: date | None = None
    valid_through: date | None = None
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reopened: int = 0
    reposted: int = 0
    """How often a source published the same job again as a new ad."""
    reposted_days: int = 0
    """From the first to the last of these ads."""
    block: str = ""
    """Employer and family of the role: only postings of one block are compared as possible duplicates."""
    match_version: int = 0
    """The version of the rules that last looked for duplicates of it; 0 = never, or changed since."""
    content_hash: str
    rules_version: int


class PostingFlag(SQLModel, table=True):
    """A coded reason to doubt a value; what a person decided about it survives every re-reading."""

    __tablename__ = "posting_flag"

    posting_id: str = Field(primary_key=True, foreign_key="posting.id")
    code: str = Field(primary_key=True, index=True)
    severity: str
    """exclude (kept out of statistics) or warn."""
    state: str = "open"
    """open, confirmed or dismissed."""
    detail: str = Field(sa_type=Text)
    suggestion: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """A correction that the rules suggest; never applied by itself."""
    rules_version: int
    raised_at: datetime = Field(sa_type=UtcTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)
    decided_by: str | None = None
    why: str | None = Field(default=None, sa_type=Text)
    seen_hash: str = ""
    """Hash of the values that were judged: a decision holds for these values, not for later ones."""


class PostingChange(SQLModel, table=True):
    """A published or normalised field that changed."""

    __tablename__ = "posting_change"
    __table_args__ = (Index("ix_posting_change_posting", "posting_id", "at"),)

    id: str = Field(primary_key=True)
    posting_id: str
    """Not a reference: a change may be seen before the posting is first normalised."""
    field: str
    old: str | None = Field(default=None, sa_type=Text)
    new: str | None = Field(default=None, sa_type=Text)
    cause: str
    """site (it published something else), rules (we read it otherwise), lifecycle or person."""
    at: datetime = Field(sa_type=UtcTime)


class PostingMerge(SQLModel, table=True):
    """Two postings are, or are not, one job: by our rules or by a person. Undone by changing `state`."""

    __tablename__ = "posting_merge"
    __table_args__ = (UniqueConstraint("posting_id", "other_id"),)

    id: str = Field(primary_key=True)
    posting_id: str = Field(index=True)
    """The posting that stays."""
    other_id: str = Field(index=True)
    """The posting whose raw postings moved to it."""
    state: str = "merged"
    """merged, split (kept apart by a person) or proposed (waiting for a person)."""
    score: float | None = None
    why: str | None = Field(default=None, sa_type=Text)
    rules_version: int = 0
    """The version of the matching rules that said so."""
    decisions: list[dict[str, Any]] = Field(default_factory=list, sa_column=_json())
    """What people had decided about flags of the posting that went; a split brings it back."""
    decided_by: str = "rules"
    at: datetime = Field(sa_type=UtcTime)


class Rejected(SQLModel, table=True):
    """What could not be read, with the reason."""

    __table_args__ = (Index("ix_rejected_page", "source", "url"),)

    id: str = Field(primary_key=True)
    source: str
    url: str = Field(sa_type=Text)
    reason: str
    detail: str = Field(sa_type=Text)
    excerpt: str = Field(default="", sa_type=Text)
    subject: str | None = Field(default=None, index=True)
    """The raw posting, posting or article that our rules failed on; null for what was never read from its page."""
    rules_version: int | None = None
    """The version of the rules that failed; null for what a site, a parser or the network failed on."""
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When a later reading succeeded; null while the rejection stands."""


class FxRate(SQLModel, table=True):
    """US dollars for one unit of a currency on one day, and where that was read."""

    __tablename__ = "fx_rate"

    currency: str = Field(primary_key=True)
    on: date = Field(primary_key=True)
    usd: float
    origin: str


class Lease(SQLModel, table=True):
    """Who leads: one holder at a time, as long as it renews."""

    name: str = Field(primary_key=True)
    holder: str
    acquired_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)


class SavedSearch(SQLModel, table=True):
    """A filter with a schedule and a channel; tells only what is new since it last told."""

    __tablename__ = "saved_search"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    filters: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    schedule: str
    channel: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcTime)
    last_told_at: datetime | None = Field(default=None, sa_type=UtcTime)


class Told(SQLModel, table=True):
    """A posting that a saved search has told of: nothing is told twice."""

    saved_search_id: int = Field(primary_key=True, foreign_key="saved_search.id")
    posting_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    delivered: bool = False


class Audit(SQLModel, table=True):
    """Who changed what by hand."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    who: str
    action: str
    subject: str
    detail: str = Field(default="", sa_type=Text)
