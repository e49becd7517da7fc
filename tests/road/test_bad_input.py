"""Bad input, one clear line each; nothing is lost and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.filters import Filters
from db.queries import each_posting
from db.rejected import list_rejected
from db.session import open_ledger
from tests.road.test_captures import jobledger

ARTICLE = """Data Analyst vs. Data Scientist

Data Analyst vs Data Scientist: A Comparison

4 min read · Jan. 5, 2025
Data Analyst vs. Data Scientist
Table of contents

Definitions

Two roles.
"""
FEATURED = """
Featured Job 👀
Data Welder

@ Somebody Ltd | Oslo, Norway

Full Time Mid-level / Intermediate{pay}
"""

REJECTED = {
    "empty.txt": (b"", "empty"),
    "white.txt": (b" \n\t\n", "empty"),
    "binary.txt": (bytes(range(256)) * 20, "binary"),
    "binary.html": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "binary"),
    "truncated.html": (b"<html><body><div><p>Data Analyst vs. Data Engi", "not_an_article"),
    "prose.txt": (b"eggs, milk, bread\n", "not_an_article"),
    "broken.json": (b'{"jobs": [', "broken_json"),
    "unknown.json": (b'{"weather": "fine"}', "unknown_shape"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_cannot_be_read_is_kept_with_its_reason_and_the_rest_goes_on(tmp_path: Path, name: str) -> None:
    content, reason = REJECTED[name]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / "good.txt").write_text(ARTICLE + FEATURED.format(pay=" NOK 700K - 900K"), encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    counts = json.loads(jobledger(url, "ingest", str(tmp_path / "in"), "--json"))
    assert (counts["articles"], counts["postings"], counts["rejected"]) == (1, 1, 1)
    (rejected,) = list_rejected(open_ledger(url))
    assert rejected["reason"] == reason
    assert name in rejected["detail"]
    again = json.loads(jobledger(url, "ingest", str(tmp_path / "in"), "--json"))
    assert (again["new"], again["unchanged"], again["rejected"]) == (0, 1, 1)
    assert len(list_rejected(open_ledger(url))) == 1


def test_nothing_readable_at_all_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    jobledger(f"sqlite:///{tmp_path / 'ledger.db'}", "ingest", str(tmp_path / "empty.txt"), code=1)


def test_an_article_without_jobs_is_an_article(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ARTICLE, encoding="utf-8")
    counts = json.loads(jobledger(f"sqlite:///{tmp_path / 'ledger.db'}", "ingest", str(tmp_path / "a.txt"), "--json"))
    assert (counts["articles"], counts["sightings"], counts["rejected"]) == (1, 0, 0)


PAY = {
    "no pay": ("", None, set()),
    "pay that is no pay": (" NOK banana - 9O0K", "NOK banana - 9O0K", {"not_pay"}),
    "an absurd pay": (" USD 1111111K - 1111111K", "USD 1111111K - 1111111K", {"placeholder", "above_plausible"}),
}


@pytest.mark.parametrize("case", PAY)
def test_a_job_without_usable_pay_is_kept_with_what_the_site_said(tmp_path: Path, case: str) -> None:
    pay, text, codes = PAY[case]
    (tmp_path / "a.txt").write_text(ARTICLE + FEATURED.format(pay=pay), encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    jobledger(url, "ingest", str(tmp_path / "a.txt"))
    (posting,) = each_posting(open_ledger(url), Filters())
    assert posting["title"] == "Data Welder"
    assert posting["salary_text"] == text
    assert {f["code"] for f in posting["flags"] if f["severity"] == "exclude"} == codes
    if not codes or "not_pay" in codes:
        assert (posting["salary_min"], posting["salary_max"]) == (None, None)
