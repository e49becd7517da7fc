"""The tables as statements name them; SQLModel does not declare to type checkers that a model has one."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel

from db.models import (
    Article,
    ArticleClaim,
    ArticleSection,
    Audit,
    Company,
    FxRate,
    Lease,
    Page,
    Posting,
    PostingChange,
    PostingFlag,
    PostingMerge,
    RawPosting,
    Rejected,
    Run,
    SavedSearch,
    Sighting,
    Source,
    Told,
)


def _table(model: type[SQLModel]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]  # SQLModel makes it, and does not say so


ARTICLE = _table(Article)
AUDIT = _table(Audit)
CHANGE = _table(PostingChange)
CLAIM = _table(ArticleClaim)
COMPANY = _table(Company)
FLAG = _table(PostingFlag)
LEASE = _table(Lease)
MERGE = _table(PostingMerge)
PAGE = _table(Page)
POSTING = _table(Posting)
RATE = _table(FxRate)
RAW = _table(RawPosting)
REJECTED = _table(Rejected)
RUN = _table(Run)
SEARCH = _table(SavedSearch)
SECTION = _table(ArticleSection)
SIGHTING = _table(Sighting)
SOURCE = _table(Source)
TOLD = _table(Told)
