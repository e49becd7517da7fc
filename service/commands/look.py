"""postings, articles, flags, report, export, roles: looking at the ledger."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from service.commands import merging
from service.commands.ledger import Needs, existing_ledger, uses
from service.commands.options import CLUSTER, settings_of, with_filters
from service.settings import UsageError

POSTING_TABLE = (
    ("title", "Title"),
    ("company", "Company"),
    ("location_text", "Place"),
    ("level", "Level"),
    ("salary_text", "Pay as stated"),
    ("annual_min_usd", "USD a year from"),
    ("annual_max_usd", "to"),
    ("flags", "Flags"),
)

Format = typer.Option("table", "--format", metavar="FORMAT", help="table, json, jsonl, csv or parquet.")
Output = typer.Option(None, "--output", metavar="FILE", help="Write to a file instead of stdout.")


def register(app: typer.Typer) -> None:
    # The bare command queries; `merge`, `split` and `merges` stand below it.
    group = typer.Typer(rich_markup_mode=None)
    group.callback(
        invoke_without_command=True,
        epilog="Example: jobledger postings --role 'Data Engineer' --country DE --has-salary",
    )(postings)
    merging.register(group)
    app.add_typer(group, name="postings")
    app.command(epilog="Example: jobledger articles --claims --format json")(articles)
    app.command(epilog="Example: jobledger report --country US --by role --by level --format html --output pay.html")(
        report
    )
    app.command(epilog="Example: jobledger export postings.parquet --open")(export)
    app.command(epilog="Example: jobledger roles")(roles)
    app.add_typer(flags, name="flags")


def _open(context: typer.Context) -> Any:

    return existing_ledger(context)


@uses(Needs.READS)
@with_filters
def postings(
    context: typer.Context,
    filters: Any,
    sort: str = typer.Option("-first_seen", "--sort", metavar="FIELD", help="Leading - for descending."),
    limit: int | None = typer.Option(None, "--limit", min=1, metavar="N"),
    after: str | None = typer.Option(None, "--after", metavar="CURSOR", help="Go on where a page ended."),
    format: str = Format,
    output: Path | None = Output,
    raw_csv: bool = typer.Option(False, "--raw-csv", help="Leave CSV cells that start like formulas as they are."),
) -> None:
    """Queries the normalised postings; below it: which of them are one job."""
    if context.invoked_subcommand is not None:
        return
    from db.queries import POSTING_KEYS, count_postings, each_posting, find_postings
    from db.session import reading
    from service.output import print_table, require_format, write_rows

    kind = require_format(format)
    engine = _open(context)
    if kind == "table" and output is not None:
        raise UsageError("--output needs --format json, jsonl, csv or parquet")
    with reading(engine) as view:
        _say_unread(view)
        if kind != "table":
            rows = each_posting(view, filters, sort=sort, limit=limit, after=after)
            write_rows(rows, kind, columns=POSTING_KEYS, output=output, raw_csv=raw_csv)
            return
        wanted = limit or (50 if sys.stdout.isatty() else 1_000_000_000)
        found, cursor = find_postings(view, filters, sort=sort, limit=wanted, after=after)
        more = f"; the next page: --after {cursor}" if cursor else ""
        footer = f"{len(found):,} of {count_postings(view, filters):,} postings{more}"
    print_table("Postings", POSTING_TABLE, found, footer=footer)


def _say_unread(view: Any) -> None:
    """How many ads no answer knows yet, to whoever reads the answer."""
    from aggregator.rules import RULES_VERSION
    from db.pending import unread_query
    from insights.method import unread_words
    from service.output import to_stderr

    unread = unread_words(view.execute(unread_query(RULES_VERSION)).scalar_one())
    if unread is not None:
        to_stderr(unread)


@uses(Needs.READS)
def articles(
    context: typer.Context,
    claims: bool = typer.Option(False, "--claims", help="With the salary and growth figures that they state."),
    format: str = Format,
    output: Path | None = Output,
) -> None:
    """The collected articles; with --claims what they say about pay and growth."""
    from db.articles import list_articles
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    found = list_articles(_open(context), claims=claims)
    if kind != "table":
        write_rows(found, kind, columns=list(found[0]) if found else ["id", "title"], output=output)
        return
    columns = [("title", "Title"), ("published_on", "Published"), ("roles", "Compares")]
    if claims:
        columns.append(("stated", "States"))
        found = [
            row | {"stated": [_claim_words(c) for c in row["salary_claims"] + row["growth_claims"]]} for row in found
        ]
    print_table("Articles", columns, found, footer=f"{len(found):,} articles")


def _claim_words(claim: dict[str, Any]) -> str:
    from service.output import shown

    who = claim.get("role") or claim.get("about") or "somebody"
    source = f" ({claim['source']})" if claim.get("source") else ""
    if "percent" in claim:
        until = f" until {claim['until']}" if claim.get("until") else ""
        return f"{who}: {claim['percent']:+g} %{until}{source}"
    return f"{who}: {claim['currency']} {shown(claim['amount'])} a {claim['period']}{source}"


flags = typer.Typer(
    no_args_is_help=True, help="The doubtful values and what was decided about them.", rich_markup_mode=None
)


@flags.command("list", epilog="Example: jobledger flags list --code placeholder --state open")
@uses(Needs.READS)
def list_all(
    context: typer.Context,
    code: str | None = typer.Option(None, "--code", metavar="CODE", help="Only this code."),
    state: str | None = typer.Option(None, "--state", metavar="STATE", help="open, confirmed or dismissed."),
    limit: int | None = typer.Option(None, "--limit", min=1, metavar="N"),
    format: str = Format,
    output: Path | None = Output,
) -> None:
    """Doubtful values: what was seen, against what, and what was decided."""
    from aggregator.quality import FLAGS
    from db.decisions import STATES
    from db.queries import list_flags
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    codes = [row[0] if isinstance(row, tuple) else row.code for row in FLAGS]
    if code is not None and code not in codes:
        raise UsageError(f"--code {code!r} does not exist; choose from: {', '.join(codes)}")
    if state is not None and state not in STATES:
        raise UsageError(f"--state {state!r} does not exist; choose from: {', '.join(STATES)}")
    found = list_flags(_open(context), state=state, code=code, limit=limit)
    if kind != "table":
        write_rows(found, kind, columns=list(found[0]) if found else ["id", "code"], output=output)
        return
    columns = [
        ("id", "Id"),
        ("severity", "Severity"),
        ("state", "State"),
        ("title", "Title"),
        ("salary_text", "Pay"),
        ("detail", "Why"),
    ]
    print_table("Flags", columns, found, footer=f"{len(found):,} flags")


@flags.command(epilog="Example: jobledger flags confirm abcd1234abcd1234:placeholder")
@uses(Needs.CHANGES)
def confirm(context: typer.Context, id: str, why: str | None = typer.Option(None, "--why")) -> None:
    """The value is bad: it stays out of every statistic, whatever later rules say."""
    _decide(context, id, "confirmed", why)


@flags.command(epilog="Example: jobledger flags dismiss abcd1234abcd1234:too_wide --why 'stated so on the page'")
@uses(Needs.CHANGES)
def dismiss(context: typer.Context, id: str, why: str = typer.Option(..., "--why", metavar="TEXT")) -> None:
    """The value is fine: the posting counts again."""
    _decide(context, id, "dismissed", why)


@flags.command(epilog="Example: jobledger flags reopen abcd1234abcd1234:too_wide")
@uses(Needs.CHANGES)
def reopen(context: typer.Context, id: str) -> None:
    """Takes a decision back."""
    _decide(context, id, "open", None)


def _decide(context: typer.Context, flag_id: str, state: str, why: str | None) -> None:
    import getpass

    from db.decisions import decide_flag
    from db.records import utc_now

    decide_flag(_open(context), flag_id, state, who=getpass.getuser(), why=why, now=utc_now())
    typer.echo(f"{flag_id} is {state}")


@uses(Needs.READS)
@with_filters
def report(
    context: typer.Context,
    filters: Any,
    by: list[str] = typer.Option(["role", "level"], "--by", metavar="FIELD", help="Group by; may be repeated."),
    usd: bool = typer.Option(False, "--usd", help="All pay in US dollars, at the rate of each posting's own date."),
    estimates: bool = typer.Option(False, "--estimates", help="Count the sites' own estimates too."),
    reference: Path | None = typer.Option(
        None, "--reference", metavar="FILE", help="aijobs.net's salary table (CSV), beside ours and never in n."
    ),
    oews: Path | None = typer.Option(
        None, "--oews", metavar="FILE", help="A copy of the BLS wages (oews-….sqlite.gz), beside the roles."
    ),
    ppp: Path | None = typer.Option(
        None, "--ppp", metavar="FILE", help="Pay by what it buys: CSV of country, currency, factor, year."
    ),
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, html, json, csv, md, png or svg."),
    output: list[Path] = typer.Option(
        None, "--output", metavar="FILE", help="Write to a file; repeated: one report in the formats of several files."
    ),
    cluster: str | None = CLUSTER,
) -> None:
    """The salary report: n, disclosed share, p10 p25 median p75 p90 and the interval of the median, by group."""
    from db.records import utc_now
    from insights.report import build_report
    from service.output import to_stderr, write_text

    kinds = _report_formats(format, output or [])
    ledger = _open(context)
    if usd and ppp is not None:
        raise UsageError("--usd and --ppp are two ways to make pay comparable: give one")
    database, names = settings_of(context).database_url, tuple(part for given in by for part in given.split(","))
    asked: dict[str, Any] = {
        "filters": filters,
        "by": names,
        "currency": "USD" if usd else None,
        "references": _beside(database, names, reference, oews, usd=usd),
        "purchasing_power": _factors(ppp),
        "include_estimates": estimates,
        "overview": "html" in kinds.values(),
        "now": utc_now(),
    }
    if cluster is not None:
        from service.remote import report_by

        made = report_by(cluster, ledger, asked)
    else:
        ledger.dispose()
        made = build_report(database, **asked, alone=True)
    from insights import render
    from insights.method import unread_words

    for file, kind in kinds.items():
        if kind == "table":
            from service.report_table import print_report

            print_report(made)
        else:
            write_text(getattr(render, kind)(made), file)
    unread = unread_words(made.method["unread_ads"])
    if unread is not None and not set(kinds.values()) & {"table", "html", "json", "md"}:  # those say it themselves
        to_stderr(unread)


def _report_formats(format: str, files: list[Path]) -> dict[Path | None, str]:
    """The format of each file, or of what goes to stdout; several files have the formats of their endings."""
    from service.output import format_of, require_format

    allowed = ("table", "html", "json", "csv", "md", "png", "svg")
    if not files:
        return {None: require_format(format, allowed)}
    if format == "table":
        return {file: format_of(file, allowed) for file in files}
    if len(files) > 1:
        raise UsageError("with several --output each file's ending says its format: leave --format out")
    return {files[0]: require_format(format, allowed)}


def _beside(database: str, by: tuple[str, ...], reference: Path | None, oews: Path | None, *, usd: bool) -> list[Any]:
    """Other people's figures by the same dimensions."""
    from insights.oews import occupations_in, oews_reference
    from insights.reference import aijobs_reference

    found = []
    if oews is not None:
        if "role" not in by:
            raise UsageError("--oews holds the wages of roles: add --by role")
        if not oews.is_file():
            raise UsageError(f"--oews {str(oews)!r} is no file")
        found.append(oews_reference(occupations_in(database), oews))
    if reference is not None:
        found.append(aijobs_reference(reference, by, in_usd=usd))
    return found


def _factors(file: Path | None) -> Any:
    from insights.purchasing_power import read_factors

    return read_factors(file) if file is not None else None


@uses(Needs.READS)
@with_filters
def export(
    context: typer.Context,
    filters: Any,
    file: Path = typer.Argument(..., metavar="FILE", help="Its name ends in .csv, .jsonl, .json or .parquet."),
    raw_csv: bool = typer.Option(False, "--raw-csv", help="Leave CSV cells that start like formulas as they are."),
) -> None:
    """Writes everything, or what the filters select, to a file."""
    from db.queries import POSTING_KEYS, each_posting
    from db.session import reading
    from service.output import format_of, to_stderr, write_rows

    kind = format_of(file, ("csv", "jsonl", "json", "parquet"))
    with reading(_open(context)) as view:
        _say_unread(view)
        rows = each_posting(view, filters, sort="id")
        number = write_rows(rows, kind, columns=POSTING_KEYS, output=file, raw_csv=raw_csv)
    to_stderr(f"{number:,} postings written to {file}")


@uses(Needs.NOTHING)
def roles() -> None:
    """The roles that titles are read as: the values of --role."""
    from aggregator.normalise.title_vocabulary import taxonomy

    for name in taxonomy():
        typer.echo(name)
