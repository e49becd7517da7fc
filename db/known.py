"""What the ledger already knows of a source, so that an unchanged posting's own page need not be fetched again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select

from db.models import RawPosting
from db.session import reading


@dataclass(frozen=True, slots=True)
class Known:
    """A raw posting in the ledger."""

    marker: str | None
    """Hash of its listing entry; None when its own page was never read."""
    title_text: str


def known_postings(engine: Engine, source: str, *, marker: str) -> Mapping[str, Known]:
    """The raw postings of a source by their id there; empty for a source never read. One query.

    `marker` is the key under which their payload holds the hash of the listing entry that they were last read from.
    """
    table = RawPosting.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    query = select(table.c.source_id, table.c.payload[marker].as_string(), table.c.title_text)
    with reading(engine) as connection:
        rows = connection.execute(query.where(table.c.source == source))
        return {identity: Known(hash_, title) for identity, hash_, title in rows}
