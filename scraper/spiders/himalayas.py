"""Himalayas: remote jobs in pages of twenty, with structured pay.

`GET himalayas.app/jobs/api?limit=20`, then the same with `cursor=` from `nextCursor`. The newest pages are read (option
`pages`, 50 unless said), so an entry needs `complete = false`. No restriction to places means worldwide. Link back to
the posting; not to be passed on to Jooble, Google Jobs or LinkedIn.
"""

from __future__ import annotations

from urllib.parse import quote

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each
from scraper.pages.rows import Row, decoded_json, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import EMPTY_PAGE, BoardSpider

API = "https://himalayas.app"
PAGE = 20


class HimalayasSpider(BoardSpider):
    name = "himalayas"
    usual_pages = 50

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (listing(source, 0, None),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        parsed = parse_jobs(answer, seen)
        entries = len(listed_in(answer, "jobs"))
        cursor, offset = Row.of(answer).text("nextCursor"), int(ask.state["offset"]) + entries
        if not cursor and (parsed.total or 0) <= offset:
            return parsed
        if not entries:
            return parsed + Parsed(incomplete=(EMPTY_PAGE,))
        return parsed + Parsed(asks=(listing(self.source, offset, cursor),))


def listing(source: Source, offset: int, cursor: str | None) -> Ask:
    where = f"&cursor={quote(cursor, safe='')}" if cursor else f"&offset={offset}" if offset else ""
    return Ask(url=f"{api_of(source, API)}/jobs/api?limit={PAGE}{where}", state={"offset": offset})


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    total = Row.of(answer).raw("totalCount")
    parts = read_each(listed_in(answer, "jobs"), lambda row: parse_job(row, seen), seen)
    return gathered(parts, total=total if isinstance(total, int) else None)


def parse_job(row: Row, seen: Seen) -> Parsed:
    row.ignore("excerpt", "companyLogo", "companySlug", "_first_seen", "_last_seen")
    url, guid = row.text("applicationLink"), row.text("guid")
    period = row.text("salaryPeriod")
    places = row.texts("locationRestrictions")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=guid or url,
        url=url or guid,
        company_text=row.text("companyName"),
        location_text=joined(places, "; ") or "Worldwide",
        workplace_text="Remote",
        employment_text=row.text("employmentType"),
        level_text=joined(row.texts("seniority")),
        pay=published_pay(row.amount("minSalary"), row.amount("maxSalary"), row.text("currency"), period),
        description_text=row.html("description"),
        posted_on=row.day("pubDate"),
        valid_through=row.day("expiryDate"),
    )
