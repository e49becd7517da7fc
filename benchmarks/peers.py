"""The peers' parsers, from PyPI, in an environment of their own: asked on the same rows as ours, in the same run.

This file is two things: the library that builds the environment and asks (`ask`), and, run inside that environment, the
program that answers. A peer sees the bare text, as its own callers give it, and nothing is corrected on its behalf.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PACKAGES = ("python-jobspy==1.4.1", "ats-scrapers==0.3.0", "jobwatch==0.6.0", "price-parser==0.5.1")
FOLDER = Path(__file__).parent.parent / ".benchmarks" / "peers"

Answer = dict[str, Any]
"""min, max, currency, period; all None where the peer says nothing."""


def python() -> Path:
    """The interpreter of the peers' environment, built on first use."""
    program = FOLDER / "bin" / "python"
    wanted = FOLDER / ("installed-" + re.sub(r"\W+", "-", " ".join(PACKAGES)))
    if not wanted.exists():
        venv.create(FOLDER, with_pip=True, clear=True, symlinks=True)
        subprocess.run([str(program), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        wanted.touch()
    return program


def ask(texts: Sequence[str], what: str = "salary") -> dict[str, tuple[list[Answer], float]]:
    """Each peer's answers to `texts`, in order, and the seconds it took."""
    done = subprocess.run(
        [str(python()), __file__, what], input=json.dumps(list(texts)), capture_output=True, text=True, check=True
    )
    return {name: (answers, seconds) for name, (answers, seconds) in json.loads(done.stdout.splitlines()[-1]).items()}


def _answer(low: Any = None, high: Any = None, currency: Any = None, period: Any = None) -> Answer:
    return {"min": low, "max": high, "currency": currency, "period": period}


def _salary_peers() -> dict[str, Callable[[str], Answer]]:
    from ats_scrapers.enrichment.derived import parse_salary_range
    from jobspy.linkedin import LinkedIn
    from jobwatch.text import parse_salary
    from price_parser import Price

    units = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}

    def jobspy(text: str) -> Answer:
        found = LinkedIn._guess_salary(text)
        period = units.get(found.interval.value) if found.interval else None
        return _answer(found.min_amount, found.max_amount, found.currency if period else None, period)

    def jobwatch(text: str) -> Answer:
        found = parse_salary(text)
        return _answer(*found, "USD", "year") if found else _answer()

    def price(text: str) -> Answer:
        found = Price.fromstring(text)
        amount = found.amount_float
        code = {"$": "USD", "€": "EUR", "£": "GBP", "₹": "INR"}.get(found.currency or "", found.currency)
        return _answer(amount, amount, code if amount is not None else None)

    return {
        "python-jobspy 1.4.1": jobspy,
        "jobwatch 0.6.0": jobwatch,
        "ats-scrapers 0.3.0": lambda text: _answer(*parse_salary_range(text)),
        "price-parser 0.5.1": price,
    }


def _level_peers() -> dict[str, Callable[[str], Answer]]:
    from jobwatch.levels import seniority

    words = {
        "Junior": "entry",
        "Senior": "senior",
        "Staff/Lead": "lead",
        "Principal": "lead",
        "Distinguished": "lead",
        "Manager": "manager",
        "Senior Manager": "manager",
        "Director": "director",
    }

    def jobwatch(title: str) -> Answer:
        found = seniority(title)
        return {"level": words.get(found[1]) if found else None}

    return {"jobwatch 0.6.0": jobwatch}


def main() -> None:
    texts = json.load(sys.stdin)
    peers = _salary_peers() if sys.argv[1] == "salary" else _level_peers()
    answered = {}
    for name, parse in peers.items():
        started = time.perf_counter()
        answers = [parse(text) for text in texts]
        answered[name] = (answers, time.perf_counter() - started)
    print(json.dumps(answered))


if __name__ == "__main__":
    main()
