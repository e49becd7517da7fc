"""Recruitee career sites: one answer with every published offer, description and pay.

`GET {slug}.recruitee.com/api/offers/`, the same on the employer's own domain (then the entry's `url`). Pay comes as
text in `salary.min` and `.max`; the period is sometimes wrong there and is kept as published.
"""

from __future__ import annotations

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.rows import Row, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, site_of

_IGNORED = """
    translations open_questions mailbox_email mailbox sharing_image sharing_title sharing_description cover_image
    locations locations_question locations_question_type locations_question_required location_question_visible
    dynamic_fields options_cv options_cover_letter options_photo options_salutation options_phone options_title
    careers_apply_url position guid slug highlight min_hours_per_week max_hours_per_week postal_code street city
    country state_name state_code country_code created_at offer_admin language_id
"""
IGNORED = tuple(_IGNORED.split())


class RecruiteeSpider(BoardSpider):
    name = "recruitee"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{base(source)}/api/offers/"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_offers(answer, seen)


def base(source: Source) -> str:
    return api_of(source, site_of(source) or f"https://{require_token(source)}.recruitee.com")


def parse_offers(answer: object, seen: Seen) -> Parsed:
    def entry(row: Row) -> Parsed:
        return parse_offer(row, seen) if row.text("status") in (None, "published") else Parsed(left_out=1)

    parts = read_each(listed_in(answer, "offers"), entry, seen)
    return gathered(parts, total=len(parts) - sum(part.left_out for part in parts))


def parse_offer(row: Row, seen: Seen) -> Parsed:
    country, stated = row.text("country_code", "country"), joined([row.text("city"), row.text("country")])
    places = [_place(place) for place in row.rows("locations")]
    row.ignore(*IGNORED)
    kinds = (("remote", "Remote"), ("hybrid", "Hybrid"), ("on_site", "On-site"))
    salary = row.row("salary")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=row.text("id"),
        url=row.text("careers_url"),
        company_text=row.text("company_name"),
        location_text=joined(places, "; ") or row.text("location") or stated,
        country_text=country,
        workplace_text=joined(words for name, words in kinds if row.flag(name)),
        employment_text=row.text("employment_type_code"),
        level_text=row.text("experience_code"),
        pay=published_pay(salary.amount("min"), salary.amount("max"), salary.text("currency"), salary.text("period")),
        department_text=row.text("department"),
        language=row.text("lang", "language"),
        description_text=joined([row.html("description"), row.html("requirements")], "\n\n"),
        posted_on=row.day("published_at"),
        updated_on=row.day("updated_at"),
        valid_through=row.day("close_at"),
        payload={"location": row.peek("location")} if row.peek("location") and any(places) else {},
    )


def _place(place: Row) -> str | None:
    city, name = place.text("city"), place.text("name")
    return joined([city or name, place.text("state"), place.text("country")])
