"""What a request may ask: the filters of `db.filters` as query parameters; an unknown one is an error."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from db.filters import Filters, parse_filters
from service.commands.options import require_role

MOST = 500
"""Postings on one page of an answer."""

LevelName = Literal["internship", "entry", "mid", "senior", "lead", "manager", "director", "executive"]
RemoteName = Literal["onsite", "hybrid", "remote"]
EmploymentName = Literal[
    "full_time", "part_time", "contract", "freelance", "internship", "temporary", "apprenticeship", "volunteer"
]
SortName = Literal[
    "first_seen", "-first_seen", "last_seen", "-last_seen", "posted_on", "-posted_on", "title", "-title", "company",
    "-company", "salary", "-salary", "id", "-id",
]  # fmt: skip


def _text(value: str) -> str:
    """A text that every store takes: without control characters and unpaired surrogates."""
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise ValueError("holds a character that is no text")
    return value


Text = Annotated[str, AfterValidator(_text)]
CountryCode = Annotated[str, Field(pattern="^[A-Za-z]{2}$")]
CurrencyCode = Annotated[str, Field(pattern="^[A-Za-z]{3}$")]
Words = Annotated[Text, Field(min_length=1, max_length=200)]


RoleName = Words


class FilterQuery(BaseModel):
    """The filters, the same as on the command line."""

    model_config = ConfigDict(extra="forbid")

    role: list[Words] = Field([], description="A canonical role: 'Data Engineer'.")
    family: list[Words] = Field([], description="A family of roles.")
    level: list[LevelName] = []
    title: Words | None = Field(None, description="A part of the title.")
    company: list[Words] = Field([], description="A part of the employer's name.")
    country: list[CountryCode] = Field([], description="ISO 3166-1 alpha-2.")
    city: list[Words] = []
    remote: list[RemoteName] = []
    employment: list[EmploymentName] = []
    currency: list[CurrencyCode] = Field([], description="ISO 4217 code of the pay.")
    min_salary: Decimal | None = Field(None, ge=0, le=10**12, description="Yearly, US dollars or `currency`.")
    max_salary: Decimal | None = Field(None, ge=0, le=10**12, description="Yearly, US dollars or `currency`.")
    source: list[Words] = []
    since: date | None = Field(None, description="Posted (else first seen) on or after.")
    until: date | None = Field(None, description="Posted (else first seen) on or before.")
    open: bool | None = None
    flagged: bool | None = None
    has_salary: bool | None = None
    include_unknown_pay: bool = False
    text: Words | None = Field(
        None,
        description='Words in title, employer, place, description; "a phrase", -without, begin*; the last may go on.',
    )

    def filters(self) -> Filters:
        """The same as `db.filters.Filters`; roles are held against the taxonomy."""
        given = {name: getattr(self, name) for name in FilterQuery.model_fields}
        found = parse_filters(
            {name: value for name, value in given.items() if value not in (None, [], False)} | self._no()
        )
        for role in found.role:
            require_role(role)
        return found

    def _no(self) -> dict[str, bool]:
        return {name: False for name in ("open", "flagged", "has_salary") if getattr(self, name) is False}


class PageQuery(FilterQuery):
    """Filters with sorting and paging."""

    sort: SortName = "-first_seen"
    limit: int = Field(50, ge=1, le=MOST)
    after: str | None = Field(None, max_length=2_000, description="`next` of the page before.")


Page = Annotated[PageQuery, Query()]
Which = Annotated[FilterQuery, Query()]
