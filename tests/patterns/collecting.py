"""Every regular expression that the program builds, and how it is used.

`collect()` runs in a process of its own: it watches `re` while all modules are imported and while the examples of
`examples.py` run, which reach the patterns that are built on first use. The source says how each pattern is used, and
which places build one, so that a pattern that no example reaches is known, too.

    python -m tests.patterns.collecting      # prints them as JSON
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent.parent
PACKAGES: Final = ("db", "scraper", "aggregator", "scheduler", "insights", "service")
LEFT_OUT: Final = ("db.migrations.", "aggregator.vocabulary.build_")
"""Modules that never read scraped text: migrations, and the scripts that build vocabularies."""
METHODS: Final = {
    "search": "search", "finditer": "search", "findall": "search", "sub": "search", "subn": "search", "split": "search",
    "match": "match", "fullmatch": "fullmatch",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A call of `re` in the source."""

    file: str
    line: int
    last_line: int
    name: str
    """What the compiled pattern is called there; empty where it is used at once."""
    ways: tuple[str, ...]
    """How it is used: search, match, fullmatch."""
    literal: str | bytes | None
    """The pattern, where the source states it whole."""
    flags: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f" {self.name}" if self.name else "")


@dataclass(frozen=True)
class Found:
    """A pattern, and the place that builds it."""

    where: str
    pattern: str
    """In latin-1 where it is one of bytes."""
    is_bytes: bool
    flags: int
    ways: tuple[str, ...]

    @property
    def source(self) -> str | bytes:
        return self.pattern.encode("latin-1") if self.is_bytes else self.pattern


def collect() -> tuple[list[Found], list[str]]:
    """All patterns, and the places whose pattern no example reached. Starts a process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.patterns.collecting"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the patterns cannot be collected:\n{done.stderr[-3000:]}")
    said = json.loads(done.stdout)
    return [Found(**{**one, "ways": tuple(one["ways"])}) for one in said["found"]], said["unreached"]


def modules() -> list[str]:
    """The names of all modules of the program."""
    names = []
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        names += [package, *(info.name for info in pkgutil.walk_packages(folder, f"{package}."))]
    return [name for name in names if not name.startswith(LEFT_OUT) and not name.endswith("__main__")]


def places() -> list[Place]:
    """All calls of `re` in the source of the program."""
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for package in PACKAGES for file in _files(package)}
    used = _uses(trees)
    found = []
    for file, tree in trees.items():
        names = _assigned(tree)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
                continue
            if node.func.attr == "compile":
                ways = used.get((file, names.get(node, "")), {"search"})
            elif node.func.attr in METHODS:
                ways = {METHODS[node.func.attr]}
            else:
                continue
            name = names.get(node, "")
            where = str(file.relative_to(ROOT))
            last = node.end_lineno or node.lineno
            found.append(Place(where, node.lineno, last, name, tuple(sorted(ways)), _literal(node), _flags(node)))
    return found


def _literal(call: ast.Call) -> str | bytes | None:
    first = call.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes) else None


def _flags(call: ast.Call) -> int:
    """All names of flags anywhere in a call: `re.IGNORECASE | re.DOTALL`."""
    names = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute) and node.attr.isupper()}
    return sum(int(re.RegexFlag[name]) for name in names if name in re.RegexFlag.__members__)


def _files(package: str) -> list[Path]:
    left_out = tuple(str(ROOT / name.replace(".", "/")) for name in LEFT_OUT)
    return [file for file in sorted((ROOT / package).rglob("*.py")) if not str(file).startswith(left_out)]


def _assigned(tree: ast.AST) -> dict[ast.AST, str]:
    """Calls whose value a name holds."""
    names: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.value] = node.targets[0].id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            names[node.value] = node.target.id
    return names


def _uses(trees: dict[Path, ast.Module]) -> dict[tuple[Path, str], set[str]]:
    """(file, name) -> how the pattern that the file calls so is used, there and in files that only borrow the name.

    One that is handed on may be searched for.
    """
    owned = {file: set(_assigned(tree).values()) for file, tree in trees.items()}
    used: dict[tuple[Path, str], set[str]] = defaultdict(set)
    for file, tree in trees.items():
        for name, way in _ways(tree):
            owners = [file] if name in owned[file] else [one for one, names in owned.items() if name in names]
            for owner in owners:
                used[owner, name].add(way)
    return used


def _ways(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that are read, and what is done with each."""
    methods = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            method = methods.get(id(node))
            if method is None or method in METHODS:
                yield name, METHODS[method] if method else "search"


def _watched() -> tuple[list[Found], list[str]]:
    at_place: dict[str, list[Place]] = defaultdict(list)
    for place in places():
        at_place[place.file].append(place)
    seen: dict[tuple[str, Any, int], Place] = {}
    original = re._compile  # type: ignore[attr-defined]

    def watching(pattern: Any, flags: Any) -> Any:
        compiled = original(pattern, flags)
        frame = sys._getframe(2)
        file = frame.f_code.co_filename
        if file.startswith(str(ROOT)):
            for place in at_place.get(str(Path(file).relative_to(ROOT)), ()):
                if place.line <= frame.f_lineno <= place.last_line:
                    seen.setdefault((f"{place.file}:{place.line}", compiled.pattern, compiled.flags), place)
        return compiled

    re._compile = watching  # type: ignore[attr-defined]
    for name in modules():
        importlib.import_module(name)
    importlib.import_module("tests.patterns.examples").run()
    re._compile = original  # type: ignore[attr-defined]
    reached = set(seen.values())
    for kept in at_place.values():
        for place in kept:
            if place not in reached and place.literal is not None:
                seen[(str(place), place.literal, place.flags)] = place
    found = [
        Found(
            str(place),
            pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern,
            isinstance(pattern, bytes),
            flags & ~(0 if isinstance(pattern, bytes) else re.UNICODE),
            place.ways,
        )
        for (_, pattern, flags), place in seen.items()
    ]
    reached = set(seen.values())
    reached = set(seen.values())
    return found, [str(place) for kept in at_place.values() for place in kept if place not in reached]


if __name__ == "__main__":
    patterns, unreached = _watched()
    sys.stdout.write(json.dumps({"found": [asdict(one) for one in patterns], "unreached": unreached}))
