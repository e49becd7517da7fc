"""salary, compare, claims, reference, trends: the questions that people ask of the figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from service.commands.ledger import Needs, uses
from service.commands.options import require_role, settings_of, with_filters
from service.settings import UsageError


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: jobledger salary 'Senior Data Engineer' --country DE --offer 85000")(salary)
    app.command(epilog="Example: jobledger compare 'Data Engineer' 'Data Scientist'")(compare)
    app.command(epilog="Example: jobledger claims --country US")(claims)
    app.command(epilog="Example: jobledger reference salaries.csv --format md")(reference)
    app.command(epilog="Example: jobledger trends --country US --step year --format json")(trends)


@uses(Needs.READS)
def salary(
    context: typer.Context,
    title: str = typer.Argument(..., metavar="TITLE", help="As an ad would say it: 'Senior Data Engineer'."),
    offer: str = typer.Option(..., "--offer", metavar="N", help="What is offered; a number, or a text like '85K EUR'."),
    country: str | None = typer.Option(None, "--country", metavar="CODE", help="ISO 3166-1 code."),
    currency: str | None = typer.Option(
        None, "--currency", metavar="CODE", help="ISO 4217 code; the country's own without."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Where an offer stands: the share of comparable postings that advertise less, with its interval."""
    from aggregator.normalise.level import parse_level
    from aggregator.normalise.role import parse_role
    from db.filters import parse_filters
    from db.queries import as_json as jsonable
    from insights.offer import place_offer
    from service.output import print_table

    role = parse_role(title)
    if role.role is None:
        raise UsageError(f"{title!r} names no role that the taxonomy knows; `jobledger roles` lists them")
    amount, unit = _offer(offer, country, currency)
    place = place_offer(
        settings_of(context).database_url,
        filters=parse_filters({}),
        offer=amount,
        currency=unit,
        role=role.role,
        family=role.family,
        level=parse_level(title, role=role.role).level,
        country=country.upper() if country else None,
        alone=True,
    )
    if as_json:
        typer.echo(json.dumps(jsonable(asdict(place)), ensure_ascii=False))
        return
    rows = [
        {
            "like": stage.words,
            "n": stage.figures.n,
            "companies": stage.figures.companies,
            "median": round(stage.figures.median) if stage.figures.median is not None else stage.figures.reason,
            "percentile": f"{stage.percentile:.0%}" if stage.percentile is not None else None,
            "weight": f"{stage.weight:.0%}",
        }
        for stage in place.stages
    ]
    names = ("like", "n", "companies", "median", "percentile", "weight")
    headings = ("Compared with", "n", "Employers", "Median", "Advertise less", "Weight")
    print_table(place.statement, list(zip(names, headings, strict=True)), rows)


def _offer(text: str, country: str | None, currency: str | None) -> tuple[Any, str]:
    """The offer by the year and its currency, by the same rules that read postings."""
    from aggregator.normalise.money import annualise
    from aggregator.normalise.salary import parse_salary

    read = parse_salary(text, country=country.upper() if country else None, currency=currency)
    amount = read.max if read.max is not None else read.min
    if not read.ok or amount is None:
        raise UsageError(f"--offer {text!r} states no pay: write 85000, or '85K EUR', '45 GBP per hour'")
    if read.currency is None:
        raise UsageError("in which currency is the offer? give --currency, or --country, or write it: '85000 EUR'")
    return annualise(amount, read.period or "year"), read.currency


@uses(Needs.READS)
@with_filters
def compare(
    context: typer.Context,
    filters: Any,
    first: str = typer.Argument(..., metavar="ROLE"),
    second: str = typer.Argument(..., metavar="ROLE"),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Two roles side by side: pay, levels, places, and what the articles claim."""
    from db.queries import as_json as jsonable
    from insights.compare import compare_roles
    from service.output import print_table

    database = settings_of(context).database_url
    made = compare_roles(database, [require_role(first), require_role(second)], filters=filters, alone=True)
    if as_json:
        typer.echo(json.dumps(jsonable(asdict(made)), ensure_ascii=False))
        return
    rows = [
        {"role": side.role, "part": part, **_figures(group)}
        for side in made.sides
        for part, groups in (
            ("all", side.totals),
            ("level", side.by_level),
            ("country", side.by_country),
            ("remote", side.by_remote),
        )
        for group in groups
    ]
    names = ("role", "part", "value", "currency", "n", "companies", "p25", "median", "p75")
    footer = "\n".join(_claim_line(check) for side in made.sides for check in side.claims)
    print_table(made.statement, [(name, name) for name in names], rows, footer=footer)


def _claim_line(check: Any) -> str:
    from service.output import shown

    claim = check.claim
    against = f"{check.difference:+.0%} against what is advertised" if check.difference is not None else check.reason
    return f"{claim.role}: an article claims {claim.currency} {shown(claim.amount)} a {claim.period}, {against}"


def _figures(group: Any) -> dict[str, Any]:
    pay = {name: getattr(group, name) for name in ("p25", "median", "p75")}
    row: dict[str, Any] = {name: round(amount) if amount is not None else None for name, amount in pay.items()}
    if group.suppressed:
        row["median"] = group.reason
    value = ", ".join(str(part) for part in group.key.values()) or None
    return row | {"value": value, "currency": group.currency, "n": group.n, "companies": group.companies}


@uses(Needs.READS)
@with_filters
def claims(
    context: typer.Context,
    filters: Any,
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object a line."),
) -> None:
    """What articles claim against what postings offer."""
    from db.queries import as_json as jsonable
    from insights.claims import check_claims
    from service.output import print_table

    found = check_claims(settings_of(context).database_url, filters=filters, alone=True)
    if as_json:
        for check in found:
            typer.echo(json.dumps(jsonable(asdict(check)), ensure_ascii=False))
        return
    rows = [
        {
            "role": check.claim.role,
            "claimed": check.claim.annual,
            "currency": check.claim.currency,
            "source": check.claim.source,
            "median": round(check.advertised.median) if check.advertised and check.advertised.median else None,
            "difference": f"{check.difference:+.0%}" if check.difference is not None else check.reason,
        }
        for check in found
    ]
    headings = (("role", "Role"), ("claimed", "Claimed a year"), ("currency", "Currency"), ("source", "Cites"),
                ("median", "Advertised median"), ("difference", "Difference"))  # fmt: skip
    print_table("What articles claim against what postings offer", headings, rows, footer=f"{len(rows):,} claims")


@uses(Needs.NOTHING)
def reference(
    file: Path = typer.Argument(
        ..., metavar="FILE", exists=True, dir_okay=False, help="aijobs.net's salary table (CSV)."
    ),
    by: list[str] = typer.Option(["level"], "--by", metavar="FIELD", help="Group by; may be repeated."),
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, html, json, csv, md, png or svg."),
    output: Path | None = typer.Option(None, "--output", metavar="FILE", help="Write to a file instead of stdout."),
) -> None:
    """A published salary table with each range made one again, beside what it gives as published."""
    from db.records import utc_now
    from insights import render
    from insights.reference import aijobs_report
    from service.output import require_format, write_text
    from service.report_table import print_report

    kind = require_format(format, ("table", "html", "json", "csv", "md", "png", "svg"))
    made = aijobs_report(file, by=tuple(by), now=utc_now())
    if kind == "table":
        print_report(made)
        return
    write_text(getattr(render, kind)(made), output)


@uses(Needs.READS)
@with_filters
def trends(
    context: typer.Context,
    filters: Any,
    step: str = typer.Option("year", "--step", help="Compare each month with the one a year, or a month, before."),
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table or json."),
    output: Path | None = typer.Option(None, "--output", metavar="FILE", help="Write to a file instead of stdout."),
) -> None:
    """How pay, the share that states it, and the time that jobs stay open move; the mix of jobs taken out."""
    from insights.trends import market_trends
    from service.output import require_format, write_text

    kind = require_format(format, ("table", "json"))
    if output is not None and kind == "table":
        raise UsageError("--output needs --format json")
    database = settings_of(context).database_url
    made = market_trends(database, filters=filters, step=step, alone=True)
    if kind == "json":
        write_text(json.dumps(asdict(made), ensure_ascii=False, indent=1) + "\n", output)
        return
    _print_trends(made)


def _print_trends(made: Any) -> None:
    from insights.wording import change_words, share
    from service.output import print_table

    moved = [
        {"month": c.month, "change": change_words(c.change), "smoothed": change_words(c.smoothed), "cells": c.cells,
         "postings": c.postings}
        for c in made.changes
    ]  # fmt: skip
    print_table(
        f"Pay of the same jobs against a {made.step} before",
        (("month", "Month"), ("change", "Change"), ("smoothed", "Three months"), ("cells", "Cells"),
         ("postings", "Postings")),
        moved,
        footer="The median change over cells of one role, level, country, pay period and currency; at least 5 cells.",
    )  # fmt: skip
    for name, found in (("month", made.disclosed_by_month), ("country", made.disclosed_by_country)):
        rows = [{"name": d.name, "share": share(d.share), "smoothed": share(d.smoothed), "postings": d.postings}
                for d in found]  # fmt: skip
        columns = [("name", name.capitalize()), ("share", "State pay"), ("postings", "Postings")]
        if name == "month":
            columns.insert(2, ("smoothed", "Three months"))
        print_table(f"Postings that state pay, by {name}", columns, rows)
    print_table(
        "How long jobs stay open",
        (("level", "Level"), ("postings", "Postings"), ("closed", "Closed"), ("days", "Half closed by day"),
         ("again", "Published again"), ("evergreen", "Evergreen")),
        [_lifetime_row(life) for life in made.lifetimes],
    )  # fmt: skip


def _lifetime_row(life: Any) -> dict[str, Any]:
    from insights.wording import share

    return {
        "level": (life.key["level"] or "not stated") if life.key else "All",
        "postings": life.postings,
        "closed": life.closed,
        "days": round(life.median_days) if life.median_days is not None else None,
        "again": share(life.reposted_share),
        "evergreen": share(life.evergreen_share),
    }
