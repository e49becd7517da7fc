"""The options that several commands share, declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from service.settings import Settings, UsageError

Several = list[str] | None
FILTERS: Mapping[str, Any] = {
    "role": Annotated[
        Several, typer.Option("--role", metavar="ROLE", help="A canonical role: 'Data Engineer'. May be repeated.")
    ],
    "level": Annotated[
        Several, typer.Option("--level", metavar="LEVEL", help="internship, entry, mid, senior, lead, manager…")
    ],
    "title": Annotated[str | None, typer.Option("--title", metavar="TEXT", help="A part of the title.")],
    "company": Annotated[Several, typer.Option("--company", metavar="TEXT", help="A part of the employer's name.")],
    "country": Annotated[Several, typer.Option("--country", metavar="CODE", help="ISO 3166-1 code: DE, US, GB…")],
    "city": Annotated[Several, typer.Option("--city", metavar="CITY", help="A city, whole name.")],
    "remote": Annotated[Several, typer.Option("--remote", metavar="WAY", help="onsite, hybrid or remote.")],
    "employment": Annotated[
        Several, typer.Option("--employment", metavar="TYPE", help="full_time, part_time, contract…")
    ],
    "currency": Annotated[
        Several, typer.Option("--currency", metavar="CODE", help="ISO 4217 code of the pay: EUR, USD…")
    ],
    "min_salary": Annotated[
        str | None, typer.Option("--min-salary", metavar="N", help="Yearly, US dollars or --currency.")
    ],
    "max_salary": Annotated[
        str | None, typer.Option("--max-salary", metavar="N", help="Yearly, US dollars or --currency.")
    ],
    "source": Annotated[Several, typer.Option("--source", metavar="NAME", help="A source by name.")],
    "since": Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Posted (else first seen) on or after.")
    ],
    "until": Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Posted (else first seen) on or before.")
    ],
    "open": Annotated[bool | None, typer.Option("--open/--closed", help="Only open, or only closed postings.")],
    "flagged": Annotated[bool | None, typer.Option("--flagged/--clean", help="Only doubtful, or only clean ones.")],
    "has_salary": Annotated[
        bool | None, typer.Option("--has-salary/--no-salary", help="Only with, or only without pay.")
    ],
    "include_unknown_pay": Annotated[
        bool | None, typer.Option("--include-unknown-pay", help="Keep postings without pay in a pay filter.")
    ],
    "text": Annotated[
        str | None,
        typer.Option(
            "--text", metavar="QUERY", help='Words in title, employer, place, text; "a phrase", -without, begin*.'
        ),
    ],
}
"""Every filter of `db.filters.Filters` as an option."""


CLUSTER: Any = typer.Option(
    None, "--cluster", metavar="ADDRESS", help="Let the workers of a Dask cluster do it: tcp://HOST:8786, or its file."
)


def settings_of(context: typer.Context) -> Settings:
    found = context.find_root().obj
    assert isinstance(found, Settings)
    return found


def with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command every filter as an option; the command takes them as one keyword, `filters`."""
    own = [p for name, p in inspect.signature(command, eval_str=True).parameters.items() if name != "filters"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in FILTERS.items()
    ]

    @functools.wraps(command)
    def filtered(**given: Any) -> None:
        filters = parsed_filters({name: given.pop(name) for name in FILTERS})
        command(filters=filters, **given)

    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    signature = inspect.Signature(keywords + options)
    filtered.__signature__ = signature  # type: ignore[attr-defined]  # typer reads the options from it
    filtered.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    return filtered


def parsed_filters(given: Mapping[str, Any]) -> Any:
    """`db.filters.Filters` from words; roles are held against the taxonomy."""
    from db.filters import parse_filters

    filters = parse_filters(given)
    for role in filters.role:
        require_role(role)
    return filters


def require_role(role: str) -> str:
    """The role, if the taxonomy has it; an error that names the nearest ones else."""
    from aggregator.normalise.title_vocabulary import taxonomy

    known = taxonomy()
    if role not in known:
        from difflib import get_close_matches

        folded = {name.casefold(): name for name in known}
        near = [folded[name] for name in get_close_matches(role.casefold(), list(folded), n=5, cutoff=0.5)]
        hint = f"did you mean: {', '.join(near)}?" if near else "`jobledger roles` lists them"
        raise UsageError(f"--role {role!r} is not in the taxonomy; {hint}")
    return role
