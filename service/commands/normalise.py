"""normalise: one text a line in, one JSON object a line out; the rules without a ledger."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import typer

from service.commands.ledger import Needs, uses
from service.settings import UsageError


def register(app: typer.Typer) -> None:
    app.add_typer(normalise, name="normalise")


normalise = typer.Typer(
    no_args_is_help=True,
    help="Reads one text a line on stdin and writes what it means, one JSON object a line.",
    epilog="Example: echo 'USD 120K - 180K' | jobledger normalise salary",
    rich_markup_mode=None,
)

Lines = typer.Option(False, "--jsonl", help="Each line is an object with `text` and what else is known.")


@normalise.command(epilog="Example: echo '45.000 € brutto/Jahr' | jobledger normalise salary")
@uses(Needs.NOTHING)
def salary(jsonl: bool = Lines) -> None:
    """Pay: amounts as stated, currency, period, open ends, yearly amounts, flags."""
    from service.normalise_salary import normalise_salary

    _each_line(normalise_salary, jsonl)


@normalise.command(epilog="Example: echo 'Sr. Data Engineer (m/w/d)' | jobledger normalise title")
@uses(Needs.NOTHING)
def title(jsonl: bool = Lines) -> None:
    """Title: the clean title, role, family, SOC code and level."""
    from service.normalise_title import normalise_title

    _each_line(normalise_title, jsonl)


@normalise.command(epilog="Example: echo 'Berlin, Germany and Remote' | jobledger normalise location")
@uses(Needs.NOTHING)
def location(jsonl: bool = Lines) -> None:
    """Place: city, region, country, remote and its scope."""
    from service.normalise_place import normalise_location

    _each_line(normalise_location, jsonl)


@normalise.command(epilog="Example: echo 'Full Time Freelance Contract' | jobledger normalise employment")
@uses(Needs.NOTHING)
def employment(jsonl: bool = Lines) -> None:
    """Employment types."""
    from service.normalise_place import normalise_employment

    _each_line(normalise_employment, jsonl)


def _each_line(read: Callable[[Mapping[str, object]], Mapping[str, Any]], jsonl: bool) -> None:
    """Streams: one line in, one line out. Bytes that are no UTF-8 become replacement characters, never an error."""
    lines = sys.stdin.buffer
    out = sys.stdout
    for number, line in enumerate(lines, 1):
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        if jsonl and not text.strip():
            continue
        given = _object(text, number) if jsonl else {"text": text}
        out.write(json.dumps(read(given), ensure_ascii=False) + "\n")


def _object(text: str, number: int) -> Mapping[str, object]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number} is no JSON ({error}); with --jsonl each line is an object") from error
    if not isinstance(given, dict):
        raise UsageError(f'line {number} is no object: with --jsonl write {{"text": …}}')
    return given
