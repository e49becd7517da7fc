"""The Muse: jobs in pages of twenty, at most a hundred pages; no pay.

`GET www.themuse.com/api/public/jobs?page=N`, 500 calls an hour without a key. The option `query` narrows the list
(`category=Data+Science`); wrong values are silently ignored there. A list that reaches page 99 is capped.
"""

from __future__ import annotations

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each
from scraper.pages.rows import Row, decoded_json, joined, listed_in
from scraper.sources import Source
from scraper.spiders.board import EMPTY_PAGE, BoardSpider

API = "https://www.themuse.com"
LAST_PAGE = 99
REMOTE = "Flexible / Remote"


class TheMuseSpider(BoardSpider):
    name = "themuse"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (listing(source, 0),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        parsed = parse_jobs(answer, seen)
        pages, page = Row.of(answer).raw("page_count"), int(ask.state["page"])
        if not isinstance(pages, int) or page + 1 >= pages:
            return parsed
        if not listed_in(answer, "results"):
            return parsed + Parsed(incomplete=(EMPTY_PAGE,))
        if page >= LAST_PAGE:
            return parsed + Parsed(incomplete=("the listing is capped",))
        return parsed + Parsed(asks=(listing(self.source, page + 1),))


def listing(source: Source, page: int) -> Ask:
    query = source.options.get("query")
    narrowed = f"&{query}" if isinstance(query, str) else ""
    return Ask(url=f"{api_of(source, API)}/api/public/jobs?page={page}{narrowed}", state={"page": page})


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    total = Row.of(answer).raw("total")
    parts = read_each(listed_in(answer, "results"), lambda row: parse_job(row, seen), seen)
    return gathered(parts, total=total if isinstance(total, int) else None)


def parse_job(row: Row, seen: Seen) -> Parsed:
    row.ignore("short_name", "model_type")
    company, places = row.row("company"), row.labels("locations", "name")
    company.ignore("id", "short_name")
    levels, categories = row.labels("levels", "name"), row.labels("categories", "name")
    row.ignore("levels")
    kind = row.text("type")
    return posting(
        seen,
        row,
        title=row.text("name"),
        source_id=row.text("id"),
        url=row.row("refs").text("landing_page"),
        company_text=company.text("name"),
        location_text=joined(places, "; "),
        workplace_text=REMOTE if REMOTE in places else None,
        level_text=joined(levels),
        department_text=joined(categories, "; "),
        description_text=row.html("contents"),
        posted_on=row.day("publication_date"),
        payload={"type": kind} if kind else {},
    )
