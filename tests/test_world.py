"""No text of the world and no join of our own words makes a rule fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from aggregator.normalise.company import parse_company
from aggregator.normalise.level import parse_board_level
from aggregator.normalise.salary import parse_salary
from aggregator.quality import Candidate, judge
from benchmarks.world import LONGEST_FIELD, join, readers, texts_of, vocabulary
from db.contained import Failure, contained
from db.text import one_line, repair, without_personal_data

READERS = readers()
RULES: dict[str, Callable[[str], object]] = {
    **{name.removeprefix("normalise_"): lambda text, read=read: read({"text": text}) for name, read in READERS.items()},
    "company": parse_company,
    "board level": parse_board_level,
    "flags": lambda text: judge(Candidate(parse_salary(text), title=text, pay_text=text)),
    "repair": repair,
    "one line": one_line,
    "personal data": without_personal_data,
}
SAMPLE = 7
"""One text in so many is read by the rules that are not for its kind: all by all would take a minute."""
JOINS, MOST_PROSE = 4_000, 500


def failed(texts: Iterable[tuple[str, str]], sample: int) -> list[str]:
    found = []
    for number, (kind, text) in enumerate(texts):
        for name, rule in RULES.items():
            if name != kind and number % sample:
                continue
            made = contained(rule, text)
            if isinstance(made, Failure):
                found.append(f"{name}: {made}: {text[:100]!r}")
    return found


def test_every_command_that_normalises_is_among_the_rules() -> None:
    assert {"title", "salary", "location", "employment"} <= set(RULES)


def test_the_texts_of_the_world_are_read(shared_data: Path) -> None:
    data = shared_data / "data"
    if not (data / "public").is_dir():
        pytest.skip(f"no public rows at {data / 'public'}: put them there to run this test")
    texts = list(texts_of(data))
    prose = [(kind, text) for kind, text in texts if len(text) > LONGEST_FIELD]
    chosen = [(kind, text) for kind, text in texts if len(text) <= LONGEST_FIELD]
    chosen += random.Random(7).sample(prose, min(MOST_PROSE, len(prose)))
    for kind in ("title", "location", "salary"):
        assert any(kind == one for one, _ in chosen), f"texts of the kind {kind}"
    assert failed(chosen, SAMPLE) == []


def test_joins_of_our_own_words_are_read() -> None:
    assert len(vocabulary()) > 10_000
    source = random.Random(20_260_301)
    assert failed((("title", join(source)) for _ in range(JOINS)), 1) == []
