"""The whole road on the five real captures: what a person read in them by hand is what the ledger holds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import held

JOBLEDGER = str(Path(sys.executable).parent / "jobledger")


def jobledger(database_url: str, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [JOBLEDGER, "--db", database_url, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def tables(url: str) -> dict[str, list[Any]]:
    return held(url, moments=False)


@pytest.fixture(scope="module")
def seeds(shared_data: Path) -> Path:
    return shared_data / "seeds"


@pytest.fixture(scope="module")
def expected(seeds: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((seeds / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def filled(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('captures') / 'ledger.db'}"
    counts = json.loads(jobledger(url, "ingest", str(seeds), "--json"))
    assert counts == {
        "pages": 5, "articles": 5, "sightings": 27, "raw_postings": 16, "postings": 16,
        "new": 16, "updated": 0, "unchanged": 0, "flagged": 1, "rejected": 0,
    }  # fmt: skip
    return url


def test_reading_again_changes_nothing(filled: str, seeds: Path) -> None:
    before = tables(filled)
    counts = json.loads(jobledger(filled, "ingest", str(seeds), "--json"))
    assert (counts["new"], counts["updated"], counts["unchanged"]) == (0, 0, 16)
    assert tables(filled) == before


def by_job(postings: Sequence[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(p["title"], p["company"]): p for p in postings}


LEVELS = {"Senior-level / Expert": "senior", "Mid-level / Intermediate": "mid", "Entry-level / Junior": "entry"}
EXACT = (
    "location_text",
    "employment_types",
    "level_text",
    "salary_text",
    "salary_min",
    "salary_max",
    "currency",
    "period",
)


def test_postings_agree_with_what_was_read_by_hand(filled: str, expected: dict[str, Any]) -> None:
    found = by_job(json.loads(jobledger(filled, "postings", "--format", "json")))
    wanted = by_job([posting for article in expected["articles"] for posting in article["postings"]])
    assert found.keys() == wanted.keys()
    for job, posting in wanted.items():
        assert {name: found[job][name] for name in EXACT} == {name: posting[name] for name in EXACT}
        assert found[job]["level"] == LEVELS[posting["level_text"]]
        assert found[job]["posted_on"] is None, "no posting is dated by an article"
    assert sum(p["sightings"] for p in found.values()) == expected["totals"]["sightings"]


def test_places_are_not_guessed(filled: str) -> None:
    found = by_job(json.loads(jobledger(filled, "postings", "--format", "json")))
    assert found["Lead GNSS Data Scientist", "Lurra Systems"]["country"] is None
    assert found["Lead GNSS Data Scientist", "Lurra Systems"]["title_level"] == "lead"
    berlin = found["AI Research Scientist", "Vara"]
    assert (berlin["city"], berlin["country"], berlin["remote"]) == ("Berlin", "DE", "remote")


def test_the_absurd_pay_is_kept_flagged_and_in_no_statistic(filled: str) -> None:
    found = by_job(json.loads(jobledger(filled, "postings", "--format", "json")))
    absurd = found["Artificial Intelligence – Bioinformatic Expert", "University of Texas Medical Branch"]
    assert {f["code"] for f in absurd["flags"] if f["severity"] == "exclude"} == {"placeholder", "above_plausible"}
    report = json.loads(jobledger(filled, "report", "--by", "company", "--format", "json"))
    by_company = {g["key"]["company"]: g for g in report["groups"]}
    assert by_company.get("University of Texas Medical Branch", {}).get("n", 0) == 0
    assert sum(g["n"] for g in report["groups"]) == 15
    assert "placeholder" in json.dumps(report["method"])


def test_articles_agree_with_what_was_read_by_hand(filled: str, expected: dict[str, Any]) -> None:
    found = {a["title"]: a for a in json.loads(jobledger(filled, "articles", "--claims", "--format", "json"))}
    assert len(found) == len(expected["articles"])
    for wanted in expected["articles"]:
        article = found[wanted["title"]]
        for name in ("subtitle", "read_minutes", "published_on", "roles", "salary_insight_links"):
            assert article[name] == wanted[name], name
        for kind in ("salary_claims", "growth_claims"):
            stated = [
                {name: claim.get(name) for name in want}
                for claim, want in zip(article[kind], wanted[kind], strict=True)
            ]
            assert sorted(stated, key=repr) == sorted(wanted[kind], key=repr)


def test_the_order_of_files_does_not_matter(filled: str, seeds: Path, tmp_path: Path) -> None:
    files = sorted(seeds.glob("*.txt"))
    random.Random(7).shuffle(files)
    one_by_one = f"sqlite:///{tmp_path / 'single.db'}"
    for file in files:
        jobledger(one_by_one, "ingest", str(file))
    reversed_ = f"sqlite:///{tmp_path / 'reversed.db'}"
    jobledger(reversed_, "ingest", *map(str, reversed(files)))
    wanted = tables(filled)
    assert tables(one_by_one) == wanted
    assert tables(reversed_) == wanted


@pytest.mark.parametrize("after", [0.7, 1.0, 1.3, 1.6, 2.0])
def test_killed_in_the_middle_and_started_again(filled: str, seeds: Path, tmp_path: Path, after: float) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    process = subprocess.Popen(
        [JOBLEDGER, "--db", url, "ingest", str(seeds)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    jobledger(url, "ingest", str(seeds))
    assert tables(url) == tables(filled)
    assert jobledger(url, "db", "check") == "the ledger is sound\n"
