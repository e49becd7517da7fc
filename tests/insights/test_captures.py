"""The report over the real captures: what it counts, what it leaves out, and that thin cells stay hidden."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from db.filters import Filters
from insights import render
from insights.report import build_report
from tests.insights.market import NOW


def test_the_report_names_fifteen_clean_ranges_and_one_placeholder(shared_data: Path, database_url: str) -> None:
    command = [
        str(Path(sys.executable).parent / "jobledger"),
        "--db",
        database_url,
        "ingest",
        str(shared_data / "seeds"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    report = build_report(database_url, filters=Filters(), alone=True, now=NOW)
    made = json.loads(render.json(report))
    assert made["method"]["counts"]["with_pay"] == 15
    assert made["method"]["counts"]["excluded"] == 1
    assert made["method"]["exclusions_by_reason"]["placeholder"] == 1
    assert sum(group["n"] for group in made["groups"]) == 15
    assert all(group["suppressed"] and group["median"] is None for group in made["groups"])
    for document in (render.md(report), render.html(report)):
        assert "15 postings with clean pay" in document
        assert "1 excluded by flags" in document
        assert "placeholder" in document
