"""A scheduler process for tests to kill: python -m tests.scheduler.service_process SETTINGS_JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from processes.child import run_child
from scheduler import runner
from scheduler.settings import SchedulerSettings
from scraper.sources import Source


def fake_crawl(source: Source, **_given: Any) -> Any:
    """Sleeps as long as the source's options say, in a child if they say so; healthy unless it was killed."""
    seconds = float(str(source.options.get("seconds", 0)))
    verdict, reasons = "healthy", ()
    if source.options.get("child"):
        ended = run_child("tests.processes.behaviour:sleep", seconds, seconds=3600)
        verdict, reasons = ("healthy", ()) if ended.failure is None else ("failed", (ended.failure,))
    else:
        time.sleep(seconds)
    return SimpleNamespace(
        verdict=verdict, reasons=reasons, complete=True, pages=1, stats={"finish_reason": "finished"}
    )


def main(given: dict[str, Any]) -> int:
    runner.ROUND_SECONDS = given.pop("round_seconds", 0.1)
    path = Path(given.pop("sources"))
    return runner.run(SchedulerSettings(sources_path=path, jobs=(), crawl=fake_crawl, **given))


if __name__ == "__main__":
    raise SystemExit(main(json.loads(sys.argv[1])))
