"""Work for a process that the tests kill: the same rows whenever and however often it is started again.

python -m tests.reliability.work URL [WRITER]
"""

from __future__ import annotations

import sys

from aggregator.pipeline import aggregate
from db.records import PageRecord, RejectedRecord
from db.session import open_ledger
from db.store import keep
from tests.db.records import DAY, HOUR, NOON, ad

ADS = 600
BATCH = 40
TEXT = " ".join(f"word{n}" for n in range(150))


def records(seed: str = "") -> list[object]:
    """Ads of two sources, some of them one job, some changed on the second page, with pages and a rejected one."""
    made: list[object] = [
        PageRecord(
            source="acme-board", url=f"https://board.example/{seed}/{n}", content_hash="x", seen_at=NOON, body=b"x"
        )
        for n in range(5)
    ]
    made.append(RejectedRecord(source="acme-board", url=f"u{seed}", reason="empty", detail="nothing", seen_at=NOON))
    for n in range(ADS):
        page = f"https://board.example/{seed}/{n % 5}"
        text = {"title_text": f"Engineer {n}", "company_text": f"Company {n} {seed}", "description_text": TEXT}
        first = {"source_id": f"{seed}-{n}", "page_url": page, "url": f"https://board.example/{seed}/ad/{n}", **text}
        made.append(ad(n, **first))
        if n % 3 == 0:
            made.append(ad(n, **first | {"salary_text": "€1,000 - €1,111,111", "seen_at": NOON + DAY}))
        if n % 4 == 0:
            other = {"source": "feed", "url": f"https://feed.example/{seed}/{n}", "seen_at": NOON + HOUR}
            made.append(ad(n, **first | other))
    return made


def main(url: str, seed: str = "") -> None:
    engine = open_ledger(url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    said = records(seed)
    for start in range(0, len(said), BATCH):
        keep(engine, said[start : start + BATCH])  # type: ignore[arg-type]  # records of several kinds
    aggregate(engine, now=NOON + 2 * DAY)
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
