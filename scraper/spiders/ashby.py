"""Ashby job boards: one answer with every posting, its description and its pay, tier by tier.

`GET api.ashbyhq.com/posting-api/job-board/{name}?includeCompensation=true` (developers.ashbyhq.com). The name is
case-sensitive. `isListed: false` and a compensation that the employer hides are honoured.
"""

from __future__ import annotations

from db.records import PublishedPay
from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.addresses import handle_in
from scraper.pages.rows import Row, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://api.ashbyhq.com"


class AshbySpider(BoardSpider):
    name = "ashby"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        path = f"/posting-api/job-board/{require_token(source)}?includeCompensation=true"
        return (Ask(url=api_of(source, API) + path),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_jobs(answer, seen)


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    def entry(row: Row) -> Parsed:
        return Parsed(left_out=1) if row.flag("isListed") is False else parse_job(row, seen)

    parts = read_each(listed_in(answer, "jobs"), entry, seen)
    return gathered(parts, total=len(parts) - sum(part.left_out for part in parts))


def parse_job(row: Row, seen: Seen) -> Parsed:
    row.ignore("applyUrl", "descriptionPlain" if row.peek("descriptionHtml") else "descriptionHtml")
    address = row.row("address").row("postalAddress")
    address.ignore("addressLocality", "addressRegion", "streetAddress", "postalCode")
    others = [_second_place(place) for place in row.rows("secondaryLocations")]
    is_remote = row.flag("isRemote")
    url = row.text("jobUrl")
    compensation = row.row("compensation")
    shown = row.flag("shouldDisplayCompensationOnJobPostings") is not False
    pay, extras = _pay(compensation)
    words = compensation.text("compensationTierSummary"), compensation.text("scrapeableCompensationSalarySummary")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=row.text("id"),
        url=url,
        company_text=seen.company or handle_in(url, "ashbyhq.com"),
        location_text=joined([row.text("location"), *others], "; "),
        country_text=address.text("addressCountry"),
        workplace_text=row.text("workplaceType") or ("Remote" if is_remote else None),
        employment_text=row.text("employmentType"),
        salary_text=(words[0] or words[1]) if shown else None,
        pay=pay if shown else (),
        department_text=joined([row.text("department"), row.text("team")], " / "),
        description_text=row.html("descriptionHtml", "descriptionPlain"),
        posted_on=row.day("publishedAt"),
        updated_on=row.day("updatedAt"),
        payload={"other_compensation": extras} if shown and extras else {},
    )


def _second_place(place: Row) -> str | None:
    place.ignore("address")
    return place.text("location")


def _pay(compensation: Row) -> tuple[tuple[PublishedPay, ...], list[str]]:
    """Every tier's salaries, each with what the tier is called; and the words of equity, bonus and commission."""
    tiers = compensation.rows("compensationTiers")
    summary = compensation.rows("summaryComponents")
    salaries: list[PublishedPay] = []
    extras: list[str] = []
    for tier in tiers:
        label = joined([tier.text("title"), tier.text("additionalInformation")], " – ")
        for component in tier.rows("components"):
            _sort_component(component, label, salaries, extras)
    if not salaries:
        for component in summary:
            _sort_component(component, None, salaries, extras)
    compensation.ignore("compensationTiers", "summaryComponents")
    return tuple(dict.fromkeys(salaries)), list(dict.fromkeys(extras))


def _sort_component(component: Row, label: str | None, salaries: list[PublishedPay], extras: list[str]) -> None:
    kind, interval = component.text("compensationType"), component.text("interval")
    low, high = component.amount("minValue"), component.amount("maxValue")
    currency = component.text("currencyCode")
    if kind == "Salary":
        salaries += published_pay(low, high, currency, None if interval == "NONE" else interval, label)
    else:
        words = component.text("summary") or joined([currency, joined([low, high], " - "), interval], " ")
        extras.append(joined([kind, words], ": ") or "")
