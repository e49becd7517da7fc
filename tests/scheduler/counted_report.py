"""The program as the weekly report calls it, with each call noted beside the ledger."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url

from service.cli import main as program


def main(words: list[str]) -> object:
    calls_file = Path(f"{make_url(words[words.index('--db') + 1]).database}.calls")
    with calls_file.open("a", encoding="utf-8") as calls:
        calls.write("called\n")
    return program(words)
