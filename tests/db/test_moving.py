"""Backing up, copying, checking, erasing: what an operator does with a whole ledger."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from aggregator.normalise.company import parse_company
from aggregator.pipeline import aggregate
from db.backup import backup_ledger
from db.checks import CHECKS, check_ledger
from db.copying import copy_ledger
from db.decisions import decide_flag
from db.erasure import Erased, forget_bodies, forget_company, forget_url
from db.keys import key
from db.models import Audit, Page, Posting, PostingChange, RawPosting, Rejected, Run, Sighting
from db.records import ArticleRecord, ArticleSectionRecord, PageRecord, RejectedRecord
from db.runs import claim_run
from db.session import LedgerError, bare_cursor, make_engine, open_ledger, writing
from db.store import keep
from tests.db.records import DAY, NOON, ad, rows
from tests.postgres import client_programs


def fill(store: Engine) -> None:
    section = ArticleSectionRecord(position=0, heading="Pay", subheading=None, text="Analysts earn $80,000 a year.")
    article = ArticleRecord(source="captures", url="a.txt", title="A vs. B", seen_at=NOON, sections=(section,))
    page = PageRecord(
        source="acme-board", url="https://board.example/jobs", content_hash="x", seen_at=NOON, body=b"Acme"
    )
    rejected = RejectedRecord(source="s", url="u", reason="empty", detail="d", excerpt="text", seen_at=NOON)
    ads = [ad(n, url=f"https://board.example/{n}") for n in range(210)]
    other = ad(500, company_text="Umbrella Ltd", salary_text="USD 1111111K", url="https://board.example/500")
    keep(store, [article, page, rejected, *ads, other])
    aggregate(store, now=NOON)
    keep(store, [ad(1, salary_text="€1", url="https://board.example/1", seen_at=NOON + DAY)])
    aggregate(store, now=NOON + DAY)
    with writing(store) as connection:
        flag = connection.execute(text("SELECT posting_id, code FROM posting_flag ORDER BY 1, 2")).first()
    assert flag is not None
    decide_flag(store, f"{flag[0]}:{flag[1]}", "dismissed", who="eva", why="fine", now=NOON)
    claim_run(store, "acme-board", NOON, "manual", "me", NOON)


def everything(store: Engine) -> dict[str, list[dict[str, Any]]]:
    return {table.name: rows(store, type("T", (), {"__table__": table})) for table in SQLModel.metadata.sorted_tables}


class TestCopy:
    @pytest.mark.parametrize("target", ["sqlite", "postgresql"])
    def test_every_row_arrives_and_numbers_go_on(
        self, store: Engine, target: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        fill(store)
        url = f"sqlite:///{tmp_path / 'copy.db'}" if target == "sqlite" else request.getfixturevalue("postgres_url")
        copy = open_ledger(url)
        copied = copy_ledger(store, copy)
        assert copied["raw_posting"] == 211
        assert everything(copy) == everything(store)
        assert not check_ledger(copy)
        assert claim_run(copy, "acme-board", NOON + DAY, "manual", "me", NOON) == 2
        copy.dispose()

    def test_a_ledger_with_rows_is_no_target(self, store: Engine, tmp_path: Path) -> None:
        fill(store)
        other = open_ledger(f"sqlite:///{tmp_path / 'other.db'}")
        keep(other, [ad(1)])
        with pytest.raises(LedgerError, match="holds rows already"):
            copy_ledger(store, other)
        assert len(rows(other, RawPosting)) == 1
        other.dispose()


class TestBackup:
    def test_the_copy_is_whole_and_opens(self, ledger: Engine, tmp_path: Path) -> None:
        fill(ledger)
        backup_ledger(ledger, tmp_path / "backup.db")
        copy = open_ledger(f"sqlite:///{tmp_path / 'backup.db'}", create=False)
        assert everything(copy) == everything(ledger)
        copy.dispose()

    def test_a_dump_restores(
        self, postgres_ledger_url: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", f"{client_programs(postgres_url)}:{os.environ['PATH']}")
        store = make_engine(postgres_ledger_url)
        fill(store)
        backup_ledger(store, tmp_path / "backup.dump")
        url = postgres_url.replace("+psycopg", "")
        subprocess.run(
            [str(which("pg_restore")), "--no-owner", "-d", url, str(tmp_path / "backup.dump")],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        copy = open_ledger(postgres_url)
        assert everything(copy) == everything(store)
        copy.dispose()
        store.dispose()

    def test_nothing_is_overwritten(self, ledger: Engine, tmp_path: Path) -> None:
        (tmp_path / "backup.db").write_text("mine")
        with pytest.raises(LedgerError, match="exists"):
            backup_ledger(ledger, tmp_path / "backup.db")
        assert (tmp_path / "backup.db").read_text() == "mine"


class TestCheck:
    def test_a_sound_ledger(self, store: Engine) -> None:
        fill(store)
        assert check_ledger(store) == []

    @pytest.mark.parametrize(
        ("damage", "found"),
        [
            ("DELETE FROM sighting", "never seen on a page"),
            ("UPDATE raw_posting SET posting_id = NULL", "belongs to no posting"),
            ("UPDATE raw_posting SET posting_id = NULL", "without any raw posting"),
            ("UPDATE posting SET last_seen = '2020-01-01 00:00:00'", "last seen before"),
            ("UPDATE posting SET salary_min = 9, salary_max = 1", "lower end of pay above"),
            ("UPDATE posting SET excluded = NOT excluded", "flag excludes it"),
            ("UPDATE posting SET excluded = NOT excluded", "no flag excludes"),
            ("UPDATE posting SET closed_at = last_seen", "closed although"),
            ("UPDATE raw_posting SET closed_at = last_seen", "open although"),
        ],
    )
    def test_damage_is_found_and_named(self, store: Engine, damage: str, found: str) -> None:
        fill(store)
        keep(store, [ad(900, salary_text="USD 1111111K - 1111111K", company_text="Bad Inc")])
        aggregate(store, now=NOON)
        with writing(store) as connection:
            connection.execute(text(damage))
        assert any(found in problem for problem in check_ledger(store))

    def test_every_check_runs(self, store: Engine) -> None:
        assert len({wrong for wrong, _ in CHECKS}) == len(CHECKS)
        assert check_ledger(store) == []


class TestErasure:
    def test_a_company_goes_with_all_its_traces(self, store: Engine) -> None:
        fill(store)
        company = parse_company("UMBRELLA")
        assert company is not None
        erased = forget_company(store, "UMBRELLA", key("company", company.key), who="eva", now=NOON)
        assert (erased.raw_postings, erased.postings) == (1, 1)
        assert len(rows(store, Posting)) == 210
        assert "umbrella" not in str(everything(store)).casefold()
        assert [page["body"] for page in rows(store, Page)] == [None]
        assert rows(store, Audit)[-1]["action"] == "forget company"
        assert not check_ledger(store)

    def test_an_address_goes_and_the_rest_of_its_page_stays(self, store: Engine) -> None:
        fill(store)
        assert forget_url(store, "https://board.example/1/", who="eva", now=NOON).raw_postings == 1
        assert len(rows(store, RawPosting)) == 210
        assert not [c for c in rows(store, PostingChange) if c["new"] == "€1"]
        assert not check_ledger(store)

    def test_a_posting_of_two_sources_loses_only_the_one(self, store: Engine) -> None:
        words = " ".join(f"w{n}" for n in range(200))
        said = {"title_text": "Data Engineer", "description_text": words}
        keep(store, [ad(1, url="https://a.example/1", **said)])
        keep(store, [ad(1, source="feed", url="https://b.example/1", level_text="Lead", **said)])
        aggregate(store, now=NOON)
        assert forget_url(store, "https://b.example/1", who="eva", now=NOON) == Erased(raw_postings=1, pages=1)
        aggregate(store, now=NOON)
        (posting,) = rows(store, Posting)
        assert (posting["sources"], posting["level_text"]) == (["acme-board"], None)
        assert not check_ledger(store)

    def test_an_article_goes_with_its_sections_and_claims(self, store: Engine) -> None:
        fill(store)
        assert forget_url(store, "a.txt", who="eva", now=NOON).articles == 1
        assert not any(everything(store)[name] for name in ("article", "article_section", "article_claim"))

    def test_nothing_known_is_nothing_erased(self, store: Engine) -> None:
        fill(store)
        assert forget_url(store, "https://nowhere.example", who="eva", now=NOON) == Erased()
        assert forget_company(store, "Nobody", None, who="eva", now=NOON) == Erased()
        assert len(rows(store, RawPosting)) == 211

    def test_the_file_holds_nothing_of_it(self, ledger: Engine, tmp_path: Path) -> None:
        keep(ledger, [ad(n, company_text="Umbrella Ltd", description_text="secretword " * 50) for n in range(50)])
        aggregate(ledger, now=NOON)
        forget_company(ledger, "umbrella ltd", None, who="eva", now=NOON)
        with bare_cursor(ledger) as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.dispose()
        assert b"secretword" not in Path(str(ledger.url.database)).read_bytes()

    def test_bodies_go_after_their_time(self, store: Engine) -> None:
        fill(store)
        assert forget_bodies(store, NOON) == 0
        assert forget_bodies(store, NOON + 2 * DAY) == 2
        assert [page["body"] for page in rows(store, Page)] == [None]
        assert [row["excerpt"] for row in rows(store, Rejected)] == [""]
        assert len(rows(store, Sighting)) == 211
        assert len(rows(store, Run)) == 1
