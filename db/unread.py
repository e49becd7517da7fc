"""Postings none of whose ads today's rules can read: each stays as an earlier reading left it, and says so.

Its values are those of that reading, so a flag keeps it out of statistics until a reading succeeds or a person decides
otherwise. When it was seen and closed follows from its ads and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from db.bulk import rows_by_id, update_rows, upsert
from db.decisions import recount_excluded
from db.tables import FLAG, POSTING

CODE = "unreadable"
"""The flag of such a posting."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A job none of whose raw postings could be read."""

    id: str
    why: str
    seen: Mapping[str, Any]
    """`first_seen`, `last_seen` and `closed_at`, as its raw postings say."""
    read_from: Mapping[str, str]
    """Its raw postings: id -> content hash at the time of reading."""


def seen_of(ads: Sequence[Any]) -> dict[str, Any]:
    """When a job was seen and closed, from its raw postings or their readings."""
    still_open = any(ad.closed_at is None for ad in ads)
    return {
        "first_seen": min(ad.first_seen for ad in ads),
        "last_seen": max(ad.last_seen for ad in ads),
        "closed_at": None if still_open else max(ad.closed_at for ad in ads if ad.closed_at),
    }


def keep_unread(
    connection: Connection, unread: Sequence[Unread], old: Mapping[str, Row[Any]], *, rules_version: int, now: datetime
) -> None:
    """Flags those of these postings that the ledger holds, and keeps when they were seen. `old` are their rows."""
    held = [(job, old[job.id]) for job in unread if job.id in old]
    if not held:
        return
    columns = ("first_seen", "last_seen", "closed_at")
    statement = update(POSTING).where(POSTING.c.id == bindparam("job"))
    values = {name: bindparam(f"new_{name}", type_=POSTING.c[name].type) for name in (*columns, "reopened")}
    rows = [
        {
            "job": job.id,
            **{f"new_{name}": job.seen[name] for name in columns},
            "new_reopened": row.reopened + int(row.closed_at is not None and job.seen["closed_at"] is None),
        }
        for job, row in held
    ]
    update_rows(connection, statement.values(values), rows)
    _keep_flags(connection, held, rules_version, now)
    recount_excluded(connection, [job.id for job, _ in held])


def _keep_flags(
    connection: Connection, held: Sequence[tuple[Unread, Row[Any]]], rules_version: int, now: datetime
) -> None:
    """A decision about the flag holds as long as the posting's values are the same."""
    stored = rows_by_id(
        connection, select(FLAG).where(FLAG.c.code == CODE), FLAG.c.posting_id, [job.id for job, _ in held]
    )
    known = {flag.posting_id: flag for flag in stored}
    rows = []
    for job, row in held:
        flag = known.get(job.id)
        if flag is not None and flag.state != "open" and flag.seen_hash == row.content_hash:
            continue
        rows.append(
            {
                "posting_id": job.id,
                "code": CODE,
                "severity": "exclude",
                "state": "open",
                "detail": f"{job.why} (rules {rules_version}); the values are those of an earlier reading",
                "suggestion": {},
                "rules_version": rules_version,
                "raised_at": flag.raised_at if flag is not None else now,
                "decided_at": None,
                "decided_by": None,
                "why": None,
                "seen_hash": row.content_hash,
            }
        )
    upsert(connection, FLAG, rows, ["posting_id", "code"])
