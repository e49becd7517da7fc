"""The REST API, `/api/v1`: what `db.queries` knows, as JSON. Reading is free; writing needs a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from db.articles import list_articles
from db.looking import find_article, find_posting, list_companies, list_roles
from db.queries import as_json, count_postings, each_posting, find_postings, list_flags, list_runs, list_sources
from db.records import utc_now
from insights import render
from insights.report import build_report
from insights.rows import DIMENSIONS
from service.web import exports
from service.web.guard import require_writer
from service.web.params import FilterQuery, Page, Which
from service.web.problems import Problem
from service.web.shapes import PostingsShape, ProblemShape, RowsShape

router = APIRouter(prefix="/api/v1", responses={400: {"model": ProblemShape}, 503: {"model": ProblemShape}})

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


def answer(body: Mapping[str, Any]) -> Response:
    """JSON of rows as the queries give them; amounts as numbers, times in ISO 8601."""
    text = json.dumps(as_json(body), ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), media_type="application/json")


@router.get("/postings", response_model=PostingsShape, summary="Postings that the filters select, a page at a time")
def postings(request: Request, query: Page) -> Response:
    rows, following = find_postings(
        request.app.state.engine, query.filters(), sort=query.sort, limit=query.limit, after=query.after
    )
    return answer({"postings": rows, "next": following})


@router.get(
    "/postings.{ending}",
    summary="Every posting that the filters select: csv, jsonl, jsonld (schema.org), parquet, atom or rss",
    responses=NOT_FOUND,
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
        newest = each_posting(engine, filters, limit=exports.FEED_MOST)
        lines = feed(newest, link=str(request.url), title="jobledger: postings", now=utc_now())
        return StreamingResponse(lines, media_type=kind)
    rows = each_posting(engine, filters, sort="id")
    if ending == "parquet":
        return exports.as_parquet(rows, headers=name)
    kind, stream = exports.STREAMS[ending]
    return StreamingResponse(stream(rows), media_type=kind, headers=name)


@router.get("/postings/count", response_model=RowsShape, summary="How many postings the filters select")
def postings_count(request: Request, query: Which) -> Response:
    return answer({"count": count_postings(request.app.state.engine, query.filters())})


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
    return answer(found)


@router.get("/articles", response_model=RowsShape, summary="Career articles with the figures that they claim")
def articles(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer({"articles": list_articles(request.app.state.engine, claims=True)})


@router.get(
    "/articles/{article_id}", response_model=RowsShape, responses=NOT_FOUND, summary="One article with its sections"
)
def article(request: Request, article_id: Id, _query: Annotated[NoQuery, Query()]) -> Response:
    found = find_article(request.app.state.engine, article_id)
    if found is None:
        raise Problem(404, f"no article {article_id!r}")
    return answer(found)


class SalaryQuery(FilterQuery):
    by: list[Literal[DIMENSIONS]] = Field(["role", "level"], max_length=4)  # type: ignore[valid-type]  # made from the table
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
    return Response(render.json(made), media_type="application/json")


@router.get("/claims", response_model=RowsShape, summary="Pay and growth figures that articles state")
def claims(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    found = list_articles(request.app.state.engine, claims=True)
    return answer(
        {
            kind: [{"article": a["id"], "title": a["title"], **claim} for a in found for claim in a[kind]]
            for kind in ("salary_claims", "growth_claims")
        }
    )


class CompanyQuery(ListQuery):
    starting: str = Field("", max_length=100)


@router.get("/companies", response_model=RowsShape, summary="Employers by number of postings")
def companies(request: Request, query: Annotated[CompanyQuery, Query()]) -> Response:
    return answer({"companies": list_companies(request.app.state.engine, starting=query.starting, limit=query.limit)})


@router.get("/roles", response_model=RowsShape, summary="Roles that postings have")
def roles(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer({"roles": list_roles(request.app.state.engine)})


@router.get("/sources", response_model=RowsShape, summary="Sources and how they fare")
def sources(request: Request, _query: Annotated[NoQuery, Query()]) -> Response:
    return answer({"sources": list_sources(request.app.state.engine)})


class RunQuery(ListQuery):
    source: str | None = Field(None, max_length=200)


@router.get("/runs", response_model=RowsShape, summary="Past and present runs, newest first")
def runs(request: Request, query: Annotated[RunQuery, Query()]) -> Response:
    return answer({"runs": list_runs(request.app.state.engine, source=query.source, limit=query.limit)})


class FlagQuery(ListQuery):
    state: Literal["open", "confirmed", "dismissed"] | None = None
    code: str | None = Field(None, max_length=60, pattern="^[a-z_]+$")


@router.get("/flags", response_model=RowsShape, summary="Doubtful values and what was decided")
def flags(request: Request, query: Annotated[FlagQuery, Query()]) -> Response:
    found = list_flags(request.app.state.engine, state=query.state, code=query.code, limit=query.limit)
    return answer({"flags": found})


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "confirmed", "dismissed"]
    why: str | None = Field(None, max_length=1_000)


@router.post("/flags/{flag_id}", status_code=204, responses=WRITES, summary="Decide about a doubtful value")
def decide(
    request: Request,
    flag_id: Annotated[str, Path(max_length=120, pattern="^[a-z2-7]+:[a-z_]+$")],
    decision: Annotated[Decision, Body()],
) -> Response:
    from db.decisions import decide_flag
    from db.session import LedgerError

    who = require_writer(request)
    if decision.state == "dismissed" and not decision.why:
        raise Problem(400, "a dismissed flag needs a reason: `why`")
    try:
        decide_flag(request.app.state.engine, flag_id, decision.state, who=who, why=decision.why, now=utc_now())
    except LedgerError as error:
        raise Problem(404, str(error)) from error
    return Response(status_code=204)
