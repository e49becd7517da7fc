"""Workday career sites: a searched list in pages of twenty, and one call a posting for the rest.

`POST {tenant}.wd{N}.myworkdayjobs.com/wday/cxs/{tenant}/{site}/jobs` with `limit` at most 20, then
`GET /wday/cxs/{tenant}/{site}{externalPath}`. Undocumented, in use on every Workday career page. `total` holds on the
first page only; where it reaches the cap of 2,000 the list is split by a facet, else the run is incomplete. Pay stands
in the text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from scraper.answers import (
    DETAIL,
    AnswerError,
    Ask,
    Parsed,
    Seen,
    api_of,
    completed_by,
    detail_ask,
    gathered,
    marker_of,
    posting,
    read_each,
)
from scraper.pages.dates import days_ago
from scraper.pages.rows import Row, decoded_json, joined, listed_in
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, site_of

PAGE = 20
CAP = 2_000
"""Postings beyond which some tenants repeat or end their list."""
LOCALE = re.compile(r"[a-z]{2}-[A-Z]{2}\Z")
COUNT_OF_PLACES = re.compile(r"\d{1,3}\s+\w+\Z")
"""`2 Locations`, `3 Standorte`: a count, not a place."""
REQUISITION = re.compile(r"_([A-Za-z]{0,6}[-_]?\d[\w-]*)\Z")


class WorkdaySpider(BoardSpider):
    name = "workday"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (listing(cxs_of(source), 0, {}),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        if ask.kind == DETAIL:
            return completed_by(parse_detail(answer, seen), ask)
        return read_page(answer, ask, seen, cxs_of(self.source), public_of(self.source))


def cxs_of(source: Source) -> str:
    """The address under which a site answers. Raises `AnswerError` for an entry whose `url` names no site."""
    parts = urlsplit(source.url or "")
    names = [name for name in parts.path.split("/") if name and not LOCALE.match(name) and name != "recruiting"]
    if parts.hostname and "myworkdaysite" in parts.hostname and len(names) > 1:
        return f"{api_of(source, site_of(source) or '')}/wday/cxs/{names[0]}/{names[1]}"
    if not parts.hostname or not names:
        raise AnswerError("no_token", f"source {source.name!r} needs the url of its career site: https://…/site")
    tenant = (source.token or parts.hostname).split("/")[0].split(".")[0]
    return f"{api_of(source, site_of(source) or '')}/wday/cxs/{tenant}/{names[0]}"


def public_of(source: Source) -> str:
    """Where people read the postings: an `externalPath` follows it."""
    return (source.url or "").rstrip("/")


def listing(cxs: str, offset: int, facets: Mapping[str, Any], **state: Any) -> Ask:
    body = {"appliedFacets": dict(facets), "limit": PAGE, "offset": offset, "searchText": ""}
    return Ask(url=f"{cxs}/jobs", body=body, state={"offset": offset, "facets": dict(facets), **state})


def read_page(answer: object, ask: Ask, seen: Seen, cxs: str, public: str) -> Parsed:
    """A page of the list, and what to ask after it."""
    row, offset, facets = Row.of(answer), int(ask.state["offset"]), ask.state["facets"]
    if offset == 0:
        stated = row.raw("total")
        total = stated if isinstance(stated, int) else None
        if total is not None and total >= CAP and not facets:
            return split_by_facet(row, total, cxs)
    else:
        total = ask.state.get("total")
    parsed = parse_listing(answer, seen, details_from=cxs, public=public)
    entries, after = len(listed_in(answer, "jobPostings")), offset + PAGE
    reasons: list[str] = []
    asks: list[Ask] = []
    if total is not None and after < total and entries:
        asks.append(listing(cxs, after, facets, total=total))
    elif total is not None and after < total:
        reasons.append(f"an empty page at {offset} of {total}")
    elif total is None and entries >= PAGE:
        asks.append(listing(cxs, after, facets))
    if facets and total is not None and total >= CAP:
        reasons.append("the listing is capped")
    whole = total if not facets else None
    return parsed + Parsed(asks=tuple(asks), incomplete=tuple(reasons), total=whole)


def split_by_facet(row: Row, total: int, cxs: str) -> Parsed:
    """One list a value of a facet whose values together hold everything; without such a facet the list is capped."""
    for parameter, counts in _facets(row.raw("facets")):
        if sum(counts.values()) >= total and max(counts.values()) < CAP:
            asks = tuple(listing(cxs, 0, {parameter: [value]}) for value in counts)
            return Parsed(asks=asks, total=total)
    return Parsed(asks=(listing(cxs, 0, {"": []}),), total=total, incomplete=("the listing is capped",))


def _facets(facets: object, depth: int = 4) -> Iterator[tuple[str, dict[str, int]]]:
    """Each facet with the counts of its values; facets may stand inside facets."""
    for facet in facets if isinstance(facets, list) and depth else []:
        row = Row.of(facet)
        values = [value for value in row.rows("values") if value]
        counts = {
            identity: count
            for value in values
            if (identity := value.text("id")) and isinstance(count := value.raw("count"), int)
        }
        parameter = row.text("facetParameter")
        if parameter and counts and len(counts) == len(values):
            yield parameter, counts
        yield from _facets(row.raw("values"), depth - 1)


def parse_listing(answer: object, seen: Seen, *, details_from: str | None = None, public: str = "") -> Parsed:
    """The entries of a page; with `details_from` each is still to be completed by its own call there."""

    def entry(row: Row) -> Parsed:
        path = row.peek("externalPath")
        marker = marker_of(
            {name: row.peek(name) for name in ("title", "externalPath", "locationsText", "bulletFields")}
        )
        part = parse_entry(row, seen, public)
        return detail_ask(f"{details_from}{path}", part, marker) if details_from and path else part

    return gathered(read_each(listed_in(answer, "jobPostings"), entry, seen))


def parse_entry(row: Row, seen: Seen, public: str) -> Parsed:
    path, place = row.text("externalPath"), row.text("locationsText")
    bullets = row.texts("bulletFields")
    found = REQUISITION.search(path or "")
    requisition = next((bullet for bullet in bullets if bullet in (path or "")), None) or (found[1] if found else None)
    is_count = bool(COUNT_OF_PLACES.match(place or ""))
    payload: dict[str, object] = {"locationsText": place} if is_count else {}
    others = [bullet for bullet in bullets if bullet != requisition]
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=(found[1] if found else None) or path or requisition,
        url=f"{public}{path}" if public and path else None,
        location_text=_place_in(path) if is_count else place,
        workplace_text=row.text("remoteType"),
        employment_text=row.text("timeType"),
        requisition_text=requisition,
        posted_on=days_ago(row.text("postedOn"), seen.served),
        payload=payload | ({"bulletFields": others} if others else {}),
    )


def _place_in(path: str | None) -> str | None:
    """The first place of a posting as its address spells it: `/job/Illinois---Chicago/…` is `Illinois - Chicago`."""
    names = (path or "").strip("/").split("/")
    if len(names) < 3 or names[0] != "job":
        return None
    return " ".join(names[1].replace("---", " – ").replace("-", " ").replace("–", "-").split()) or None


def parse_detail(answer: object, seen: Seen) -> Parsed:
    """A posting's own call. Raises `AnswerError` when the answer holds none."""
    outer = Row.of(answer)
    row = outer.row("jobPostingInfo")
    if not row:
        raise AnswerError("unknown_shape", "the answer has no jobPostingInfo", str(answer)[:200])
    row.ignore(
        "id", "jobPostingId", "jobPostingSiteId", "canApply", "posted", "includeResumeParsing", "questionnaireId"
    )
    row.ignore("jobRequisitionLocation", "similarJobs", "logoImage", "supportedMediaTypes")
    posted, relative = row.day("startDate"), row.text("postedOn")
    organisation = outer.row("hiringOrganization")
    organisation.ignore("url", "id")
    requisition, country = row.text("jobReqId"), row.row("country")
    country.ignore("id", "alpha2Code")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=requisition,
        url=row.text("externalUrl"),
        company_text=seen.company or organisation.text("name"),
        location_text=joined([row.text("location"), *row.texts("additionalLocations")], "; "),
        country_text=country.text("descriptor"),
        workplace_text=row.text("remoteType"),
        employment_text=row.text("timeType"),
        requisition_text=requisition,
        description_text=row.html("jobDescription"),
        posted_on=posted or days_ago(relative, seen.served),
        valid_through=row.day("endDate"),
    )
