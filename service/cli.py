"""The command line: `jobledger`. One module a subject in `service/commands`; heavy imports happen inside the commands.

Exit codes: 0 done, 1 the work failed, 2 used wrongly. An expected failure is one line on stderr; `--debug` shows where.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from service.commands import (
    ask,
    backfill,
    collect,
    demo,
    look,
    normalise,
    rates,
    rejections,
    run_sources,
    schedules,
    searches,
    serve,
    store,
)
from service.interrupts import handled
from service.settings import Settings, UsageError, WorkFailed, load_settings

app = typer.Typer(
    name="jobledger",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Collects job postings and career articles, normalises titles, levels and pay, and reports salaries "
        "with the evidence beside each figure."
    ),
    epilog="Example: jobledger ingest captures/ && jobledger report",
)

for commands in (
    collect,
    backfill,
    run_sources,
    schedules,
    look,
    ask,
    normalise,
    store,
    demo,
    serve,
    searches,
    rates,
    rejections,
):
    commands.register(app)

WITH_VALUE = ("--db", "--config")
SWITCHES = ("--verbose", "--debug")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"jobledger {version('jobledger')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    db: str | None = typer.Option(
        None, "--db", metavar="URL", help="The ledger: sqlite:///FILE or postgresql://… [JOBLEDGER_DATABASE_URL]"
    ),
    config: Path | None = typer.Option(None, "--config", metavar="FILE", help="A TOML file of settings."),
    verbose: bool = typer.Option(False, "--verbose", help="Say more on stderr."),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of a failure."),
    version: bool = typer.Option(  # noqa: ARG001 - its callback answers
        False, "--version", is_eager=True, callback=_print_version, help="Say which version this is."
    ),
) -> None:
    context.obj = load_settings(database_url=db, config=config, verbose=verbose, debug=debug)


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The arguments with the global options in front, so that they may stand anywhere.

    >>> hoisted(["report", "--db", "sqlite:///x.db", "--by", "role", "--debug"])
    ['--db', 'sqlite:///x.db', '--debug', 'report', '--by', 'role']
    """
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        if argument == "--":
            rest += arguments[position:]
            break
        if argument in SWITCHES or argument.startswith(tuple(f"{name}=" for name in WITH_VALUE)):
            front.append(argument)
        elif argument in WITH_VALUE:
            front += arguments[position : position + 2]
            position += 1
        else:
            rest.append(argument)
        position += 1
    return front + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command line. Never returns: exits with the code."""
    with handled():
        _run(arguments)


def _run(arguments: Sequence[str] | None) -> None:
    given = hoisted(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app(args=given, prog_name="jobledger", standalone_mode=True)
    except UsageError as error:
        _fail(error, 2, debug)
    except WorkFailed as error:
        _fail(error, 1, debug)
    except BrokenPipeError:
        # The reader of our output went away; whatever is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        code = expected_exit_code(error)
        if code is None:
            raise
        _fail(error, code, debug)


def expected_exit_code(error: Exception) -> int | None:
    """The exit code of a failure that we foresee, None for a fault of ours. Looked up by name: nothing is imported."""
    codes = {
        "NoLedger": 2,
        "LedgerError": 1,
        "FilterError": 2,
        "SourceError": 2,
        "RecordError": 1,
        "OperationalError": 1,
        "ClusterError": 1,
        "MonitorError": 1,
        "AlertError": 2,
        "InsightError": 2,
    }
    return next((codes[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in codes), None)


def _fail(error: Exception, code: int, debug: bool) -> None:
    if debug:
        raise error
    from service.output import to_stderr

    to_stderr(f"jobledger: {_one_line(error)}")
    sys.exit(code)


def _one_line(error: Exception) -> str:
    ours = any(kind.__name__ == "LedgerError" for kind in type(error).__mro__)
    original = None if ours else getattr(error, "orig", None)
    return " ".join(str(original if original is not None else error).split())


__all__ = ["Settings", "app", "main"]

if __name__ == "__main__":
    main()
