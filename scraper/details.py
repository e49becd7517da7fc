"""The page of one ad: from an answer and what the listing said, to the ad, or to why the page is not it.

Effects stay with the spider (`scraper/spiders/board.py`); the rule is `scraper/identity.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from scrapy.http import Response

from db.records import RawPostingRecord, RejectedRecord
from scraper.answers import AnswerError, Ask, Parsed, Seen, completed, rejection
from scraper.identity import Asked, Found, Says, Which, judge
from scraper.pages.adaddress import same_ad
from scraper.pages.declared import said_in_answer, with_text
from scraper.pages.jobposting import decoded_page
from scraper.pages.rows import joined

GONE, NOT_THIS_AD, NO_POSTING = "gone", "not_this_ad", "no_job_posting"
"""Reasons of what is rejected. A parser raises `AnswerError(GONE, …)` where an answer says that its ad is closed."""
LONGEST_ADDRESS = 300


def asked_for(ask: Ask, listed: RawPostingRecord, siblings: Set[str]) -> Asked:
    """The ad whose own page is asked for."""
    published = (listed.url,) if listed.url and listed.url != ask.url else ()
    ids = tuple(one for one in (listed.source_id, listed.requisition_text) if one)
    return Asked(addresses=(ask.url, *published), ids=ids, siblings=siblings)


def judged(response: Response, parsed: Parsed, asked: Asked, error: AnswerError | None) -> Found:
    """Which ad an answer is."""
    if error is not None and error.reason == GONE:
        return Found(Which.GONE, error.detail)
    says = parsed.says or Says(tuple(said_in_answer(record) for record in parsed.postings))
    says = with_text(says, decoded_page(response.body))
    return judge(asked, says, final=response.url, status=response.status)


def completed_detail(parsed: Parsed, found: Found, ask: Ask, listed: RawPostingRecord) -> RawPostingRecord:
    """The ad, with the gaps filled from its listing entry; places that the page declares one by one stand together."""
    mine = [parsed.postings[at] for at in found.postings]
    place = joined((record.location_text for record in mine), "; ")
    return completed(listed, replace(mine[0], location_text=place), ask.marker)


def others_on_page(parsed: Parsed, found: Found, asked: Asked, address: str) -> Iterator[RawPostingRecord]:
    """Other ads that a page declares with addresses of their own: met here, not read here.

    They fill gaps and override nothing, whether the page is the ad that was asked for or not.
    """
    said = parsed.says.postings if parsed.says else ()
    for at, (record, words) in enumerate(zip(parsed.postings, said, strict=False)):
        own = record.url if record.source_id == record.url and record.url in words.addresses else None
        if at not in found.postings and own is not None and not any(same_ad(one, own) for one in asked.addresses):
            yield replace(record, page_url=address, partial=True)


def why_not(
    found: Found, asked: Asked, answered: str, seen: Seen, parsed: Parsed, error: AnswerError | None
) -> RejectedRecord:
    """The record that says why the page is not the ad: the addresses asked for, answered and declared."""
    if found.which is Which.GONE:
        reason = GONE
    elif found.moved or parsed.postings:
        reason = NOT_THIS_AD
    elif error is not None:
        return replace(rejection(seen, error.reason, error.detail), excerpt=error.excerpt)
    else:
        reason = NO_POSTING
    declared = parsed.says.page if parsed.says else ()
    stated = [address for said in (parsed.says.postings if parsed.says else ()) for address in said.addresses]
    stated += [record.url or record.source_id or "" for record in parsed.postings if parsed.says is None]
    lines = [found.why, f"asked for {asked.addresses[0]}", f"answered {answered}"]
    if named := list(dict.fromkeys([*stated, *declared])):
        lines.append(f"declared {', '.join(address[:LONGEST_ADDRESS] for address in named[:3])}")
    return rejection(seen, reason, "; ".join(line[: 2 * LONGEST_ADDRESS] for line in lines))
