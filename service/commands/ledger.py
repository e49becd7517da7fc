"""What each command needs of the ledger that `--db` names, said beside the command: `@uses(Needs.…)`.

Only a command that says so creates a ledger: a forgotten or mistyped `--db` must not answer from an empty one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from service.commands.options import settings_of

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Needs(Enum):
    """Each value says in words what becomes of a command where there is no ledger."""

    NOTHING = "does not use the ledger of --db"
    CREATES = "creates it"
    MAY_READ = "says that there is none, and shows what it can without"
    READS = "says that there is none and ends with exit code 2; changes nothing"
    CHANGES = "says that there is none and ends with exit code 2; an existing one it changes"


Command = TypeVar("Command", bound=Callable[..., None])


def uses(needs: Needs) -> Callable[[Command], Command]:
    """Declares what a command needs; where a ledger must exist, the command begins by making sure of it."""

    def declared(command: Command) -> Command:
        if needs not in {Needs.READS, Needs.CHANGES}:
            command.needs = needs  # type: ignore[attr-defined]  # read by `needs_of`
            return command

        @functools.wraps(command)
        def checked(*, context: typer.Context, **given: Any) -> None:
            from db.session import require_ledger

            require_ledger(settings_of(context).database_url)
            command(context=context, **given)

        checked.needs = needs  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]  # it has the command's own signature

    return declared


def needs_of(command: Callable[..., Any]) -> Needs | None:
    """What a command declares; None for one that was forgotten, which a test names."""
    return getattr(command, "needs", None)


def existing_ledger(context: typer.Context) -> Engine:
    """The ledger of a command that does not create one; closed when the command ends."""
    from db.session import open_ledger

    engine = open_ledger(settings_of(context).database_url, create=False)
    context.call_on_close(engine.dispose)
    return engine


def ledger_or_none(context: typer.Context) -> Engine:
    """The ledger, or an empty one in memory where there is none, which is said."""
    from db.errors import NoLedger
    from db.session import open_ledger
    from service.output import to_stderr

    try:
        return existing_ledger(context)
    except NoLedger as error:
        to_stderr(f"without past runs: {error}")
    engine = open_ledger("sqlite://")
    context.call_on_close(engine.dispose)
    return engine
