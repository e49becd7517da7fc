"""The road is one way; siblings never meet.

`service -> scheduler | insights -> scraper | aggregator -> db | processes`
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

MAY_IMPORT = {
    "db": set(),
    "processes": set(),
    "scraper": {"db", "processes"},
    "aggregator": {"db", "processes"},
    "insights": {"db", "processes", "scraper", "aggregator"},
    "scheduler": {"db", "processes", "scraper", "aggregator"},
    "service": {"db", "processes", "scraper", "aggregator", "insights", "scheduler"},
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_package_imports_only_what_is_right_of_it(package: str) -> None:
    wrong = {
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in (REPOSITORY / package).rglob("*.py")
        for name in imported(path)
        if name in MAY_IMPORT and name != package and name not in MAY_IMPORT[package]
    }
    assert not wrong
