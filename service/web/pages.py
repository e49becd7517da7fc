"""The pages for readers: search, a posting, salaries of a role, two roles beside each other, articles, sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from aggregator.normalise.title_vocabulary import taxonomy
from db.articles import list_articles
from db.facets import Facets
from db.filters import Filters
from db.looking import companies_query, find_article, find_posting, list_roles, roles_query
from db.queries import find_postings, list_runs, list_sources
from db.records import utc_now
from db.rejected import list_rejected
from db.session import reading
from insights import charts
from insights.compare import Comparison, compare_roles
from insights.method import unread_words
from insights.model import Bar, Report
from insights.page import facts, sections
from insights.render import LEGEND, method_lines, summary
from insights.report import build_report
from service.commands.options import require_role
from service.web.api import Id
from service.web.cache import Cache
from service.web.params import FilterQuery, PageQuery, RoleName
from service.web.problems import Problem
from service.web.view import page

router = APIRouter(include_in_schema=False)

PAGE_LIMIT = 25
SAMPLE = 8
EMPLOYERS = 12
FRESH = timedelta(seconds=5)
"""Counts older than this say how old they are."""
FACETS_SHOWN = 10
REJECTED_SHOWN = 25
Query = TypeVar("Query", bound=BaseModel)

SORT_WORDS: Mapping[str, str] = {
    "-first_seen": "newest first",
    "-posted_on": "posted last",
    "-salary": "highest pay",
    "salary": "lowest pay",
    "title": "title",
    "company": "employer",
}
FACET_WORDS: Mapping[str, str] = {
    "role": "Role",
    "level": "Level",
    "country": "Country",
    "remote": "Workplace",
    "employment": "Employment",
    "currency": "Currency of pay",
    "source": "Source",
}


class SearchQuery(PageQuery):
    limit: int = Field(PAGE_LIMIT, ge=1, le=100)


class Nothing(BaseModel):
    """A page without parameters."""

    model_config = ConfigDict(extra="forbid")


def asked(request: Request, model: type[Query]) -> Query:
    """The parameters of a page. A form sends its empty fields too: those count as not given."""
    many = {name for name, field in model.model_fields.items() if str(field.annotation).startswith("list")}
    given: dict[str, Any] = {}
    for name in request.query_params:
        values = [value for value in request.query_params.getlist(name) if value.strip()]
        if values:
            given[name] = list(dict.fromkeys(values)) if name in many else values[-1]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0]) if wrong["loc"] else "the address"
        if wrong["type"] == "extra_forbidden":
            allowed = ", ".join(model.model_fields) or "none"
            raise Problem(400, f"{name!r} is no parameter of this page; allowed: {allowed}") from error
        raise Problem(400, f"{name}: {wrong['msg']}") from error


@router.get("/")
def search(request: Request) -> Response:
    given = asked(request, SearchQuery)
    filters = given.filters()
    rows, following = find_postings(
        request.app.state.engine, filters, sort=given.sort, limit=given.limit, after=given.after
    )
    found: Facets = request.app.state.counts.facets(filters)
    stated = filters.stated()
    kept = stated | ({"sort": given.sort} if given.sort != "-first_seen" else {})
    return page(
        request,
        "search.html",
        rows=rows,
        following=following,
        first=given.after is None,
        found=found,
        chosen=stated,
        kept=kept,
        filters=filters,
        sort=given.sort,
        sorts=SORT_WORDS,
        facet_words=FACET_WORDS,
        shown=FACETS_SHOWN,
        histogram=_histogram(found),
        counted_at=found.counted_at if utc_now() - found.counted_at > FRESH else None,
    )


def _histogram(found: Facets) -> str | None:
    if len(found.pay) < 2:
        return None
    bars = [Bar(bar.low, bar.high, bar.postings) for bar in found.pay]
    return charts.histogram(bars, "USD", name="pay", title="Pay of these postings", width=charts.NARROW).svg()


@router.get("/postings/{posting_id}")
def posting(request: Request, posting_id: Id) -> Response:
    asked(request, Nothing)
    from db.merges import survivor_of

    with reading(request.app.state.engine) as view:
        found = find_posting(view, posting_id)
        if found is None:
            stays = survivor_of(view, posting_id)
            found = find_posting(view, stays) if stays != posting_id else None
    if found is None:
        raise Problem(404, f"no posting {posting_id!r}")
    return page(request, "posting.html", row=found, slug=slug(found["role"]) if found["role"] else None)


def slug(role: str) -> str:
    """The address of a role.

    >>> slug("Machine Learning Engineer"), slug("C++ / C# Developer")
    ('machine-learning-engineer', 'c-plus-plus-c-sharp-developer')
    """
    said = role.casefold().replace("+", " plus ").replace("#", " sharp ").replace("&", " and ")
    return re.sub(r"[^\w]+", "-", said).strip("-")


def role_of(address: str) -> str:
    """The role that an address means; 404 for none."""
    role = next((name for name in taxonomy() if slug(name) == address), None)
    if role is None:
        raise Problem(404, f"no role {address!r} in the taxonomy; /salaries lists the roles that postings have")
    return role


class RoleQuery(FilterQuery):
    usd: bool = False
    """All pay in US dollars."""


@router.get("/salaries")
def salaries(request: Request) -> Response:
    asked(request, Nothing)
    state = request.app.state

    def made() -> Report:
        return build_report(
            state.settings.database_url,
            filters=Filters(),
            by=("role",),
            currency="USD",
            intervals=False,
            overview=False,
            beside={"roles": roles_query()},
            now=utc_now(),
        )

    report = state.cache.get("report by role", made)
    figures = {group.key["role"]: group for group in report.groups}
    families: dict[str, list[dict[str, Any]]] = {}
    roles = report.beside["roles"]
    for row in roles:
        group = figures.get(row["role"])
        families.setdefault(row["family"] or "Other", []).append({**row, "group": group, "slug": slug(row["role"])})
    unread = unread_words(report.method["unread_ads"])
    return page(request, "salaries.html", families=sorted(families.items()), roles=roles, unread=unread)


@router.get("/salaries/{address}")
def role_page(request: Request, address: Annotated[str, Path(max_length=120)]) -> Response:
    role = role_of(address)
    given = asked(request, RoleQuery)
    state = request.app.state
    filters = replace(given.filters(), role=(role,))
    cache: Cache = state.cache

    def made() -> Report:
        return build_report(
            state.settings.database_url,
            filters=filters,
            by=("level",),
            currency="USD" if given.usd else None,
            beside={"employers": companies_query(replace(filters, has_salary=None), limit=EMPLOYERS)},
            now=utc_now(),
        )

    report = cache.get(("report", filters, given.usd), made)
    sample, _ = find_postings(state.engine, replace(filters, has_salary=True, flagged=False), limit=SAMPLE)
    articles = [a for a in list_articles(state.engine) if role in a["roles"]][:SAMPLE]
    others = [row["role"] for row in cache.get("roles", lambda: list_roles(state.engine)) if row["role"] != role]
    return page(
        request,
        "role.html",
        role=role,
        report=report,
        facts=facts(report),
        summary=summary(report),
        sections=sections(report),
        method=method_lines(report),
        sample=sample,
        employers=report.beside["employers"],
        articles=articles,
        others=others,
        given={name: value for name, value in report.filters.items() if name != "role"}
        | ({"usd": True} if given.usd else {}),
        usd=given.usd,
        slug=slug(role),
    )


class CompareQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: RoleName | None = None
    b: RoleName | None = None
    usd: bool = False


@router.get("/compare")
def compare(request: Request) -> Response:
    given = asked(request, CompareQuery)
    state = request.app.state
    roles = [row["role"] for row in state.cache.get("roles", lambda: list_roles(state.engine))]
    made, drawings = None, []
    if given.a and given.b:
        pair = [require_role(given.a), require_role(given.b)]
        made = state.cache.get(
            ("compare", *pair, given.usd),
            lambda: compare_roles(
                state.settings.database_url, pair, filters=Filters(), currency="USD" if given.usd else None
            ),
        )
        drawings = _compared(made)
    return page(
        request, "compare.html", roles=roles, made=made, drawings=drawings, given=given, slug=slug, legend=LEGEND
    )


def _compared(made: Comparison) -> list[tuple[str, str]]:
    """The two roles in one chart for each currency in which both have figures: wide and narrow."""
    totals = [group for side in made.sides for group in side.totals]
    drawn = []
    for number, gap in enumerate(made.gaps[:3]):
        groups = [group for group in totals if group.currency == gap.currency and group.median is not None]
        title = f"Pay of both, in {gap.currency}"
        wide, narrow = (
            charts.range_bars(groups, name=f"compare-{number}-{width}", title=title, width=width)
            for width in (charts.WIDE, charts.NARROW)
        )
        drawn.append((wide.svg(extra_class="wide"), narrow.svg(extra_class="narrow")))
    return drawn


@router.get("/articles")
def articles(request: Request) -> Response:
    asked(request, Nothing)
    return page(request, "articles.html", articles=list_articles(request.app.state.engine, claims=True), slug=slug)


@router.get("/articles/{article_id}")
def article(request: Request, article_id: Id) -> Response:
    asked(request, Nothing)
    with reading(request.app.state.engine) as view:
        found = find_article(view, article_id)
        if found is None:
            raise Problem(404, f"no article {article_id!r}")
        stated = next((a for a in list_articles(view, claims=True) if a["id"] == article_id), found)
    return page(request, "article.html", article=found, stated=stated, slug=slug)


@router.get("/sources")
def sources(request: Request) -> Response:
    asked(request, Nothing)
    state = request.app.state

    def made() -> tuple[list[dict[str, Any]], ...]:
        with reading(state.engine) as view:
            return list_sources(view), list_runs(view, limit=50), list_rejected(view, limit=REJECTED_SHOWN)

    found, runs, rejected = state.cache.get("sources", made)
    return page(request, "sources.html", sources=found, runs=runs, rejected=rejected)
