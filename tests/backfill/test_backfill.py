"""Files to partitions: what is found, once, the same by any number of workers, and by the road that `ingest` takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from benchmarks.warc_pages import write_warc
from db.models import RawPosting
from db.session import open_ledger, reading
from scheduler.backfill import BackfillSummary, backfill, find_warcs
from scheduler.backfill_file import backfill_file
from scheduler.backfill_rows import TABLES
from tests.backfill.warcs import ARTICLE, AT, NOTHING, job, member, partitions, rows


@pytest.fixture
def warc(tmp_path: Path) -> Path:
    file = tmp_path / "small.warc.gz"
    pages = [
        member("https://acme.example/jobs/1", job()),
        member("https://acme.example/soup", NOTHING.encode()),
        member("https://insights.example/a", ARTICLE.encode()),
    ]
    file.write_bytes(b"".join(pages))
    return file


def test_a_file_gives_rows_with_what_was_said_and_where(warc: Path, tmp_path: Path) -> None:
    result = backfill_file(str(warc), str(tmp_path / "out"))
    assert (result.error, result.records, result.pages, result.pages_with_jobs) == (None, 3, 3, 2)
    assert (result.postings, result.articles, result.rejected) == (2, 1, 0)
    found = rows(
        tmp_path / "out",
        "postings",
        "title_text, role, level, company, city, country, salary_min, currency, annual_max, file, record_offset",
    )
    assert found[0] == (
        "Data Engineer", "Data Engineer", None, "Acme", "Berlin", "DE", 70000, "EUR", 90000, "small.warc.gz", 0,
    )  # fmt: skip
    assert found[1][:2] == ("Senior Data Engineer", "Data Engineer")
    assert found[1][2] == "senior"
    (article,) = rows(tmp_path / "out", "articles", "title, read_minutes, captured_at, len(sections)")
    assert article[:2] == ("Data Analyst vs. Data Engineer", 5)
    assert article[2] == AT


def test_no_personal_data_gets_into_a_partition(warc: Path, tmp_path: Path) -> None:
    backfill_file(str(warc), str(tmp_path / "out"))
    described = rows(tmp_path / "out", "postings", "description_text")
    assert described[0] == ("Write to [e-mail removed]",)


def test_a_finished_file_is_not_read_again(warc: Path, tmp_path: Path) -> None:
    first = backfill_file(str(warc), str(tmp_path / "out"))
    before = partitions(tmp_path / "out")
    again = backfill_file(str(warc), str(tmp_path / "out"))
    assert again.skipped
    assert (again.postings, again.pages) == (first.postings, first.pages)
    assert partitions(tmp_path / "out") == before
    moved = warc.rename(tmp_path / "elsewhere.warc.gz")
    assert backfill_file(str(moved), str(tmp_path / "out")).skipped, "it is known by its bytes, not by its path"


def test_a_file_read_under_older_rules_is_read_again(warc: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    backfill([str(warc)], str(out))
    (manifest,) = (out / "_done").glob("*.json")
    told = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps(told | {"rules_version": -1}), "utf-8")
    before = partitions(out)
    assert backfill([str(warc)], str(out)).skipped == 0
    assert partitions(out) == before
    assert backfill([str(warc)], str(out)).skipped == 1


def test_partitions_that_an_attempt_left_behind_are_replaced(warc: Path, tmp_path: Path) -> None:
    backfill_file(str(warc), str(tmp_path / "clean"))
    out = tmp_path / "out"
    backfill_file(str(warc), str(out), rows_a_partition=1)
    assert len(partitions(out)) == 3
    for manifest in (out / "_done").glob("*.json"):
        manifest.unlink()
    backfill_file(str(warc), str(out))
    assert partitions(out) == partitions(tmp_path / "clean")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("generated")
    files = [folder / f"{number}.warc.gz" for number in range(3)]
    for number, file in enumerate(files):
        write_warc(file, 40, jobs=0.2, articles=0.05, seed=number)
    return [str(file) for file in files]


def _same(one: BackfillSummary, other: BackfillSummary) -> bool:
    return one.totals == other.totals and [r.file for r in one.results] == [r.file for r in other.results]


def test_any_number_of_workers_gives_the_same_bytes(generated: list[str], tmp_path: Path) -> None:
    alone = backfill(generated, str(tmp_path / "one"), rows_a_partition=5)
    together = backfill(list(reversed(generated)), str(tmp_path / "two"), workers=2, rows_a_partition=5)
    assert alone.totals == together.totals
    assert alone.totals["postings"] > 15
    assert partitions(tmp_path / "one") == partitions(tmp_path / "two")
    assert len(rows(tmp_path / "one", "postings", "id")) == alone.totals["postings"]


def test_every_table_has_the_declared_columns(generated: list[str], tmp_path: Path) -> None:
    backfill(generated[:1], str(tmp_path / "out"))
    import duckdb

    with duckdb.connect() as connection:
        for table in ("postings", "articles"):
            (file,) = (tmp_path / "out" / table).glob("*.parquet")
            assert connection.read_parquet(str(file)).columns == list(TABLES[table])


def test_the_ledger_gets_what_ingest_would_give_it_once(generated: list[str], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    first = backfill(generated[:1], str(tmp_path / "out"), database_url=url)
    engine = open_ledger(url)
    kept = _kept(engine)
    assert 0 < len(kept) <= first.totals["postings"]
    assert backfill(generated[:1], str(tmp_path / "out"), database_url=url).skipped == 1
    backfill(generated[:1], str(tmp_path / "other"), database_url=url)
    assert _kept(engine) == kept
    in_partitions = {(title, place) for title, place in rows(tmp_path / "out", "postings", "title_text, location_text")}
    assert {(title, place) for title, place, _ in kept} == in_partitions
    engine.dispose()


def _kept(engine: Engine) -> list[tuple[str, str | None, str]]:
    table = RawPosting.__table__
    with reading(engine) as connection:
        found = connection.execute(
            select(table.c.title_text, table.c.location_text, table.c.id).order_by(table.c.id)
        ).all()
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == len(found)
    return [(row.title_text, row.location_text, row.id) for row in found]


def test_a_file_read_without_a_ledger_is_read_again_for_one(warc: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    backfill([str(warc)], str(tmp_path / "out"))
    before = partitions(tmp_path / "out")
    assert backfill([str(warc)], str(tmp_path / "out"), database_url=url).skipped == 0
    assert backfill([str(warc)], str(tmp_path / "out"), database_url=url).skipped == 1
    assert backfill([str(warc)], str(tmp_path / "out")).skipped == 1
    assert partitions(tmp_path / "out") == before


def test_the_same_file_given_twice_is_read_once(warc: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.warc.gz"
    twin.write_bytes(warc.read_bytes())
    summary = backfill([str(warc), str(twin)], str(tmp_path / "out"), workers=2)
    assert not summary.failed
    assert summary.skipped == 1
    assert len(rows(tmp_path / "out", "postings", "id")) == 2


def test_files_are_found_in_folders_once(tmp_path: Path) -> None:
    for name in ("b/2.warc.gz", "a/1.warc", "a/notes.txt", "a/1.warc.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_warcs([str(tmp_path), str(tmp_path / "a/1.warc"), "https://data.example/x"])
    assert [Path(name).name for name in found] == ["1.warc", "1.warc.gz", "2.warc.gz", "x"]
    with pytest.raises(FileNotFoundError, match="no such file"):
        find_warcs([str(tmp_path / "none")])


def test_files_that_cannot_be_read_are_named_and_the_others_go_on(warc: Path, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.warc.gz", tmp_path / "text.warc"
    empty.write_bytes(b"")
    text.write_text("no archive at all\n" * 50)
    summary = backfill([str(empty), str(warc), str(text)], str(tmp_path / "out"))
    assert [result.error is None for result in summary.results] == [False, True, True]
    assert summary.failed[0].error == "holds no answer of a server: is it a WARC file?"
    assert [reason for (reason,) in rows(tmp_path / "out", "rejected", "reason")] == ["broken_record"]
