"""Whether a ledger is sound: each check a question that must have no answer."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from db.session import reading

REJECTED = (
    "EXISTS (SELECT 1 FROM rejected x WHERE x.subject = r.id AND x.reason = 'rule_failed' AND x.resolved_at IS NULL)"
)
"""Whether the raw posting `r` is one that our rules could not read: it says nothing of its posting."""

CHECKS: tuple[tuple[str, str], ...] = (
    (
        "a posting without any raw posting",
        "SELECT p.id FROM posting p WHERE NOT EXISTS (SELECT 1 FROM raw_posting r WHERE r.posting_id = p.id)",
    ),
    (
        "a raw posting that was read but belongs to no posting",
        f"SELECT id FROM raw_posting r WHERE rules_version <> 0 AND posting_id IS NULL AND NOT {REJECTED}",  # noqa: S608 - our own words
    ),
    (
        "a raw posting that was never seen on a page",
        "SELECT id FROM raw_posting r WHERE NOT EXISTS (SELECT 1 FROM sighting s WHERE s.raw_posting_id = r.id)",
    ),
    (
        "a sighting of nothing",
        "SELECT raw_posting_id FROM sighting s"
        " WHERE NOT EXISTS (SELECT 1 FROM raw_posting r WHERE r.id = s.raw_posting_id)",
    ),
    (
        "a flag of nothing",
        "SELECT posting_id FROM posting_flag f WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.id = f.posting_id)",
    ),
    (
        "a posting that the search in words does not know",
        "SELECT id FROM posting p WHERE NOT EXISTS (SELECT 1 FROM posting_words w WHERE w.posting_id = p.id)",
    ),
    ("a posting last seen before it was first seen", "SELECT id FROM posting WHERE last_seen < first_seen"),
    (
        "a posting that is closed although one of its ads is open",
        "SELECT p.id FROM posting p WHERE p.closed_at IS NOT NULL AND EXISTS (SELECT 1 FROM raw_posting r"  # noqa: S608
        f" WHERE r.posting_id = p.id AND r.closed_at IS NULL AND r.rules_version <> 0 AND NOT {REJECTED})",
    ),
    (
        "a posting that is open although all its ads are closed",
        "SELECT p.id FROM posting p WHERE p.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM raw_posting r"
        " WHERE r.posting_id = p.id AND (r.closed_at IS NULL OR r.rules_version = 0))"
        " AND EXISTS (SELECT 1 FROM raw_posting r WHERE r.posting_id = p.id)",
    ),
    (
        "a posting that was merged into another one and is still there",
        "SELECT p.id FROM posting p JOIN posting_merge m ON m.other_id = p.id AND m.state = 'merged'",
    ),
    (
        "a merge into a posting that is not there",
        "SELECT m.other_id FROM posting_merge m WHERE m.state = 'merged' AND NOT EXISTS"
        " (SELECT 1 FROM posting p WHERE p.id = m.posting_id) AND NOT EXISTS"
        " (SELECT 1 FROM posting_merge n WHERE n.other_id = m.posting_id AND n.state = 'merged')",
    ),
    (
        "a lower end of pay above the upper one that no flag names",
        "SELECT id FROM posting p WHERE salary_min > salary_max AND NOT EXISTS"
        " (SELECT 1 FROM posting_flag f WHERE f.posting_id = p.id AND f.severity = 'exclude')",
    ),
    (
        "a posting in the statistics although a flag excludes it",
        "SELECT id FROM posting p WHERE NOT excluded AND EXISTS (SELECT 1 FROM posting_flag f"
        " WHERE f.posting_id = p.id AND f.severity = 'exclude' AND f.state <> 'dismissed')",
    ),
    (
        "a posting out of the statistics that no flag excludes",
        "SELECT id FROM posting p WHERE excluded AND NOT EXISTS (SELECT 1 FROM posting_flag f"
        " WHERE f.posting_id = p.id AND f.severity = 'exclude' AND f.state <> 'dismissed')",
    ),
)
"""(what would be wrong, a query for the keys of rows that are)"""

SHOWN = 3


def check_ledger(engine: Engine) -> list[str]:
    """What is wrong with the ledger, in words; empty when it is sound."""
    with reading(engine) as connection:
        problems = _integrity(connection) if engine.dialect.name == "sqlite" else []
        for wrong, query in CHECKS:
            found = [str(row[0]) for row in connection.execute(text(query))]
            if found:
                more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
                problems.append(f"{wrong}: {', '.join(found[:SHOWN])}{more}")
    return problems


def _integrity(connection: Connection) -> list[str]:
    said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    broken = [f"the file is damaged: {line}" for line in said if line != "ok"]
    references = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return broken + [f"a broken reference in table {row[0]} to {row[2]}" for row in references[:SHOWN]]
