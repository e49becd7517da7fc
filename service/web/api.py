"""The REST API, `/api/v1`: what `db.queries` knows, as JSON. Reading is free; writing needs a token."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path as File
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from db.articles import list_articles
from db.decisions import decide_flag
from db.looking import find_article, find_posting, list_companies, list_roles
from db.merges import list_merges
from db.queries import POSTING_KEYS, count_postings, each_posting, find_postings, list_flags, list_runs, list_sources
from db.records import utc_now
from db.session import LedgerError, reading
from insights import render
from insights.compare import compare_roles
from insights.report import build_report
from insights.rows import DIMENSIONS
from insights.trends import wage_tracker
from service.commands.options import require_role
from service.output import write_rows
from service.web import exports
from service.web.answers import answer, chunked, conditional, streamed
from service.web.guard import require_writer
from service.web.params import FilterQuery, Page, RoleName, Text, Which
from service.web.problems import Problem
from service.web.shapes import PostingsShape, ProblemShape, RowsShape

router = APIRouter(prefix="/api/v1", responses={status: {"model": ProblemShape} for status in (400, 429, 503)})

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": ProblemShape}}
WRITES: dict[int | str, dict[str, Any]] = {401: {"model": ProblemShape}, 403: {"model": ProblemShape}, **NOT_FOUND}
Id = Annotated[str, Path(min_length=1, max_length=64, pattern="^[a-z2-7]+$")]


class NoQuery(BaseModel):
    """A request without parameters: any is an error."""

    model_config = ConfigDict(extra="forbid")


class ExportQuery(FilterQuery):
    """Filters alone: an export is everything that they select."""


class ListQuery(NoQuery):
    limit: int = Field(50, ge=1, le=500)


@router.get("/postings", response_model=PostingsShape, summary="Postings that the filters select, a page at a time")
def postings(request: Request, query: Page) -> Response:
    rows, following = find_postings(
        request.app.state.engine, query.filters(), sort=query.sort, limit=query.limit, after=query.after
    )
    return answer(request, {"postings": rows, "next": following})


@router.get(
    "/postings.{ending}",
    summary="Every posting that the filters select: csv, jsonl, jsonld (schema.org), parquet, atom or rss",
    response_class=Response,
    responses={200: {"description": "The postings", "content": {kind: {} for kind in exports.MEDIA_TYPES}}},
)
def export(
    request: Request,
    ending: Literal["csv", "jsonl", "jsonld", "parquet", "atom", "rss"],
    query: Annotated[ExportQuery, Query()],
) -> Response:
    engine, filters = request.app.state.engine, query.filters()
    name = {"Content-Disposition": f'attachment; filename="postings.{ending}"'}
    if ending in exports.FEEDS:
        kind, feed = exports.FEEDS[ending]
        newest = list(each_posting(engine, filters, limit=exports.FEED_MOST))
        changed = max((row["last_seen"] for row in newest), default=None)
        lines = feed(
            newest, link=str(request.url), title=exports.feed_title(filters.stated()), now=changed or utc_now()
        )
        return conditional(request, b"".join(chunked(lines)), kind, changed=changed)
    if ending == "parquet":
        with reading(engine) as view:
            return _parquet(each_posting(view, filters, sort="id"), name)
    kind, stream = exports.STREAMS[ending]
    return streamed(chunked(stream(each_posting(engine, filters, sort="id"))), kind, headers=name)


def _parquet(rows: Iterable[exports.Row], headers: dict[str, str]) -> Response:
    """Parquet is written from its end: a file first, sent and removed then."""
    with tempfile.NamedTemporaryFile(suffix=".parquet", delete=False) as file:
        path = File(file.name)
    try:
        write_rows(rows, "parquet", columns=POSTING_KEYS, output=path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    done = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=exports.PARQUET, headers=headers, background=done)


@router.get("/postings/count", response_model=RowsShape, summary="How many postings the filters select")
def postings_count(request: Request, query: Which) -> Response:
    return answer(request, {"count": count_postings(request.app.state.engine, query.filters())})


@router.get(
    "/postings/{posting_id}",
    response_model=RowsShape,
    responses=NOT_FOUND,
    summary="One posting with what each source published, every sighting, its history and its flags",
)
def posting(request: Request, posting_id: Id, _query: Annotated[NoQuery, Query()]) -> Response:
    found = find_posting(request.app.state.engine, posting_id)
    if found is None:
        raise Problem(404, f"no posting {posting_id!r}")
    return answer(request, found, changed=_changed(found))


def _changed(found: Mapping[str, Any]) -> datetime:
    """The last moment at which anything of this posting changed or was seen."""
    moments: list[datetime] = [found["last_seen"], *(change["at"] for change in found["changes"])]
    return max(moments)


@router.get("/articles", response_model=RowsShape, summary="Career articles with the figures that they claim")
def articles(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer(request, {"articles": list_articles(request.app.state.engine, claims=True)})


@router.get(
    "/articles/{article_id}", response_model=RowsShape, responses=NOT_FOUND, summary="One article with its sections"
)
def article(request: Request, article_id: Id, _query: Annotated[NoQuery, Query()]) -> Response:
    found = find_article(request.app.state.engine, article_id)
    if found is None:
        raise Problem(404, f"no article {article_id!r}")
    return answer(request, found)


class SalaryQuery(FilterQuery):
    by: list[Literal[tuple(DIMENSIONS)]] = Field(["role", "level"], max_length=4)  # type: ignore[valid-type]  # made from the table
    usd: bool = Field(False, description="All pay in US dollars, each posting at the rate of its own date.")
    estimates: bool = Field(False, description="Count the sites' own estimates too.")


@router.get("/salaries", response_model=RowsShape, summary="Salary figures by group, with sample and uncertainty")
def salaries(request: Request, query: Annotated[SalaryQuery, Query()]) -> Response:
    made = build_report(
        request.app.state.settings.database_url,
        filters=query.filters(),
        by=tuple(query.by),
        currency="USD" if query.usd else None,
        include_estimates=query.estimates,
        now=utc_now(),
    )
    return answer(request, render.report_record(made))


class TrendQuery(FilterQuery):
    step: Literal["year", "month"] = Field("year", description="What each month is compared with.")


@router.get("/trends", response_model=RowsShape, summary="How advertised pay moves, like for like, month by month")
def trends(request: Request, query: Annotated[TrendQuery, Query()]) -> Response:
    made = wage_tracker(request.app.state.settings.database_url, filters=query.filters(), step=query.step)
    return answer(request, {"trends": [asdict(change) for change in made]})


class CompareQuery(FilterQuery):
    a: RoleName = Field(description="The first role.")
    b: RoleName = Field(description="The second role.")


@router.get("/compare", response_model=RowsShape, summary="Two roles side by side")
def compare(request: Request, query: Annotated[CompareQuery, Query()]) -> Response:
    roles = [require_role(query.a), require_role(query.b)]
    made = compare_roles(request.app.state.settings.database_url, roles, filters=query.filters())
    return answer(request, asdict(made))


@router.get(
    "/facets", response_model=RowsShape, summary="What the selected postings are, by value, and how pay spreads"
)
def facets(request: Request, query: Which) -> Response:
    found = request.app.state.counts.facets(query.filters())
    values = {name: [asdict(value) for value in values] for name, values in found.values.items()}
    return answer(
        request,
        {
            "count": found.count,
            "with_pay": found.with_pay,
            "facets": values,
            "pay_usd": [asdict(bar) for bar in found.pay],
            "counted_at": found.counted_at.replace(microsecond=0),
        },
    )


@router.get("/claims", response_model=RowsShape, summary="Pay and growth figures that articles state")
def claims(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    found = list_articles(request.app.state.engine, claims=True)
    return answer(
        request,
        {
            kind: [{"article": a["id"], "title": a["title"], **claim} for a in found for claim in a[kind]]
            for kind in ("salary_claims", "growth_claims")
        },
    )


class CompanyQuery(ListQuery):
    starting: Text = Field("", max_length=100)


@router.get("/companies", response_model=RowsShape, summary="Employers by number of postings")
def companies(request: Request, query: Annotated[CompanyQuery, Query()]) -> Response:
    return answer(
        request, {"companies": list_companies(request.app.state.engine, starting=query.starting, limit=query.limit)}
    )


@router.get("/roles", response_model=RowsShape, summary="Roles that postings have")
def roles(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer(request, {"roles": list_roles(request.app.state.engine)})


@router.get("/sources", response_model=RowsShape, summary="Sources and how they fare")
def sources(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer(request, {"sources": list_sources(request.app.state.engine)})


class RunQuery(ListQuery):
    source: Text | None = Field(None, max_length=200)


@router.get("/runs", response_model=RowsShape, summary="Past and present runs, newest first")
def runs(request: Request, query: Annotated[RunQuery, Query()]) -> Response:
    return answer(request, {"runs": list_runs(request.app.state.engine, source=query.source, limit=query.limit)})


class FlagQuery(ListQuery):
    state: Literal["open", "confirmed", "dismissed"] | None = None
    code: str | None = Field(None, max_length=60, pattern="^[a-z_]+$")


@router.get("/flags", response_model=RowsShape, summary="Doubtful values and what was decided")
def flags(request: Request, query: Annotated[FlagQuery, Query()]) -> Response:
    found = list_flags(request.app.state.engine, state=query.state, code=query.code, limit=query.limit)
    return answer(request, {"flags": found})


@router.get("/merges", response_model=RowsShape, summary="Postings that are, or are not, one job, and who says so")
def merges(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer(request, {"merges": list_merges(request.app.state.engine)})


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "confirmed", "dismissed"]
    why: Text | None = Field(None, max_length=1_000)


@router.post("/flags/{flag_id}", status_code=204, responses=WRITES, summary="Decide about a doubtful value")
def decide(
    request: Request,
    flag_id: Annotated[str, Path(max_length=120, pattern="^[a-z2-7]+:[a-z_]+$")],
    decision: Annotated[Decision, Body()],
) -> Response:
    who = require_writer(request)
    if decision.state == "dismissed" and not (decision.why or "").strip():
        raise Problem(400, "a dismissed flag needs a reason: `why`")
    state = request.app.state
    try:
        decide_flag(state.engine, flag_id, decision.state, who=who, why=decision.why, now=utc_now())
    except LedgerError as error:
        raise Problem(404, str(error)) from error
    state.cache.clear()
    state.counts.forget()
    return Response(status_code=204)
