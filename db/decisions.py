"""What people decide about doubtful values; every decision is remembered and audited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, and_, exists, insert, select, update

from db.keys import key
from db.session import LedgerError, writing
from db.tables import AUDIT, CHANGE, FLAG, MERGE, POSTING

RULES = "rules"
"""Who decided a merge that no person did."""
STATES = ("open", "confirmed", "dismissed")


def decide_flag(engine: Engine, flag_id: str, state: str, *, who: str, why: str | None, now: datetime) -> None:
    """Sets a flag to confirmed, dismissed or open again; statistics follow at once. `flag_id` is "posting:code"."""
    posting_id, _, code = flag_id.partition(":")
    with writing(engine) as connection:
        mine = and_(FLAG.c.posting_id == posting_id, FLAG.c.code == code)
        row = connection.execute(select(FLAG).where(mine)).first()
        if row is None:
            raise LedgerError(f"no flag {flag_id!r}: `jobledger flags list` shows their ids")
        decided = state != "open"
        connection.execute(
            update(FLAG)
            .where(mine)
            .values(
                state=state,
                why=why,
                decided_by=who if decided else None,
                decided_at=now if decided else None,
            )
        )
        recount_excluded(connection, [posting_id])
        audit(connection, who=who, action=f"flag {state}", subject=flag_id, detail=why or "", now=now)
        connection.execute(
            insert(CHANGE).values(
                id=key("change", flag_id, row.state, state, now.isoformat()),
                posting_id=posting_id,
                field=f"flag {code}",
                old=row.state,
                new=state,
                cause="person",
                at=now,
            )
        )


def confirm_merge(engine: Engine, other_id: str, *, who: str, now: datetime) -> None:
    """A person agrees with a merge of our rules: later rules never take it back."""
    _own_merge(engine, other_id, who, who=who, action="merge confirmed", now=now)


def reopen_merge(engine: Engine, other_id: str, *, who: str, now: datetime) -> None:
    """Takes that back: the merge is the rules' own again."""
    _own_merge(engine, other_id, RULES, who=who, action="merge reopened", now=now)


def _own_merge(engine: Engine, other_id: str, decided_by: str, *, who: str, action: str, now: datetime) -> None:
    with writing(engine) as connection:
        mine = and_(MERGE.c.other_id == other_id, MERGE.c.state == "merged")
        done = connection.execute(update(MERGE).where(mine).values(decided_by=decided_by))
        if not done.rowcount:
            raise LedgerError(f"no merge of {other_id!r}: `jobledger postings merges` lists them")
        audit(connection, who=who, action=action, subject=other_id, detail="", now=now)


def recount_excluded(connection: Connection, posting_ids: Sequence[str]) -> None:
    """Sets `excluded` of these postings from their flags."""
    standing = exists().where(
        FLAG.c.posting_id == POSTING.c.id, FLAG.c.severity == "exclude", FLAG.c.state != "dismissed"
    )
    connection.execute(update(POSTING).where(POSTING.c.id.in_(posting_ids)).values(excluded=standing))


def audit(connection: Connection, *, who: str, action: str, subject: str, detail: str, now: datetime) -> None:
    connection.execute(insert(AUDIT).values(at=now, who=who, action=action, subject=subject, detail=detail))
