"""The shapes of answers, for the OpenAPI document; they say what `db.queries` gives, field for field."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FlagShape(Shape):
    id: str
    code: str
    severity: str
    state: str
    detail: str
    suggestion: dict[str, Any] | None = None
    why: str | None


class PostingShape(Shape):
    """One job. Pay as stated, by the year, and in US dollars at the rate of the day first seen; null where unknown."""

    id: str
    title: str
    title_text: str
    role: str | None
    family: str | None
    soc: str | None
    level: str | None
    level_text: str | None
    title_level: str | None
    employment_types: list[str]
    company: str | None
    location_text: str | None
    city: str | None
    region: str | None
    country: str | None
    countries: list[str]
    remote: str | None
    remote_scope: list[str]
    salary_text: str | None
    salary_min: float | None
    salary_max: float | None
    currency: str | None
    period: str | None
    salary_open: str | None
    salary_is_estimate: bool
    annual_min: float | None
    annual_max: float | None
    annual_min_usd: float | None
    annual_max_usd: float | None
    fx_rate: float | None
    fx_date: date | None
    url: str | None
    sources: list[str]
    first_seen: datetime
    last_seen: datetime
    posted_on: date | None
    valid_through: date | None
    closed_at: datetime | None
    reopened: int
    reposted: int
    reposted_days: int
    evergreen: bool
    sightings: int
    flags: list[FlagShape]


class PostingsShape(Shape):
    postings: list[PostingShape]
    next: str | None
    """The cursor of the next page: `after`."""


class ProblemShape(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str


class RowsShape(BaseModel):
    """A list of plain rows under the name of the resource."""

    model_config = ConfigDict(extra="allow")
