"""Texts for every rule: those of the world, where the folder of shared data is, and joins of our own words.

`benchmarks.fuzz` reads them for minutes, `tests/test_world.py` for seconds.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import pkgutil
import random
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import service

VOCABULARY = Path(__file__).parent.parent / "aggregator" / "vocabulary"
LONGEST_FIELD = 400
"""Characters of a title, a place or a pay text; longer cells are descriptions, read to `LONGEST_TEXT`."""
LONGEST_TEXT = 3_000
JOINERS = (
    " ", " ", " and ", " & ", " / ", "/", ", ", " - ", " | ", " (", ") ", " of ", " or ", " in ", " und ", " – ", ": ",
    " with ",
)  # fmt: skip
KINDS = (
    ("title", ("title", "label")),
    ("location", ("location", "place", "city", "region", "country")),
    ("salary", ("salary", "pay")),
    ("employment", ("employment",)),
)
"""What a column holds, by a part of its name or of its file's: who normalises it, and nobody else must fail on it."""


def readers() -> dict[str, Callable[[Mapping[str, object]], Mapping[str, Any]]]:
    """What `jobledger normalise …` calls, by name: every function `normalise_…` of a module of that kind."""
    found = {}
    for module in pkgutil.iter_modules(service.__path__):
        if module.name.startswith("normalise_"):
            members = vars(importlib.import_module(f"service.{module.name}"))
            found |= {name: read for name, read in members.items() if name.startswith("normalise_") and callable(read)}
    return found


def texts_of(data: Path) -> Iterator[tuple[str, str]]:
    """(kind, text) of every cell and prose text of the public and the labelled rows, each once, in the same order."""
    known: set[int] = set()
    for file in sorted([*data.glob("public/*.csv*"), *data.glob("labelled*/*.csv"), *data.glob("*titles*.csv")]):
        header, *rows = _rows(file)
        kinds = [_kind(name, file) for name in header]
        for row in rows:
            for kind, cell in zip(kinds, row, strict=False):
                if cell and (mark := hash(cell)) not in known:
                    known.add(mark)
                    yield kind, cell[:LONGEST_TEXT]
    for file in sorted([*data.glob("labelled*/pay_in_prose/*"), *data.glob("public/skillspan-pay/*.txt")]):
        yield "salary", file.read_text(encoding="utf-8", errors="replace")[:LONGEST_TEXT]


def _kind(column: str, file: Path) -> str:
    for kind, parts in KINDS:
        if any(part in column for part in parts) or (column == "text" and kind in file.name):
            return kind
    return "salary" if column == "text" else "other"


def _rows(file: Path) -> Iterator[list[str]]:
    opener: Any = gzip.open if file.suffix == ".gz" else Path.open
    csv.field_size_limit(10**9)
    with opener(file, "rt", encoding="utf-8", errors="replace", newline="") as lines:
        yield from csv.reader(lines)


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every word and phrase of our vocabularies."""
    found: set[str] = set()
    for file in sorted(VOCABULARY.rglob("*")):
        if file.suffix == ".csv":
            found.update(cell for row in _rows(file) for cell in row if cell and not cell.replace(".", "").isdigit())
        elif file.suffix == ".txt":
            found.update(line.strip() for line in file.read_text("utf-8").splitlines())
        elif file.suffix == ".toml":
            found.update(_words(tomllib.loads(file.read_text("utf-8"))))
    return tuple(sorted(word for word in found if word and not word.startswith("#")))


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.replace(",", "\n").splitlines())
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name)
            yield from _words(part)
    elif isinstance(value, list):
        for part in value:
            yield from _words(part)


def join(source: random.Random) -> str:
    """Some words of our vocabularies, joined as titles and places are."""
    words = vocabulary()
    made = source.choice(words)
    for _ in range(source.randrange(1, 6)):
        made += source.choice(JOINERS) + source.choice(words)
    return made
