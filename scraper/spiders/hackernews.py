"""Hacker News "Who is hiring?": every first-level comment of the monthly thread is an advert.

Threads: `GET hn.algolia.com/api/v1/search_by_date?tags=story,author_whoishiring`, comments: `/api/v1/items/{id}`. By
custom the first line reads `Company | Role | Location | REMOTE | Full-time | $120k-$150k | URL`, in any order after the
company. Each part is known by what it says; a part that nothing tells stays in the payload. A comment without such a
line is rejected with its start, not guessed at. Commenters' names are not kept.
"""

from __future__ import annotations

import re
from dataclasses import replace

from db.text import without_personal_data
from scraper.answers import AnswerError, Ask, Parsed, Seen, api_of, gathered, posting, read_each, rejection
from scraper.pages.plain import plain_text
from scraper.pages.rows import Row, decoded_json, joined, listed_in
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://hn.algolia.com"
HIRING = re.compile(r"who\s+is\s+hiring", re.IGNORECASE)
SEPARATOR = re.compile(r"\s*[|｜]\s*")

ADDRESS = re.compile(
    r"""https?://\S+ | \bwww\.\S+
    | \b[\w-]+\.(?:com|io|ai|co|org|dev|net|app|xyz|tech|eu|de|uk)\b/?\S*""",
    re.VERBOSE | re.IGNORECASE,
)
MONEY = re.compile(
    r"""[$€£¥₹]\s?\d | \d\s?[kK]\b | \d[\d.,]*\s?(?:[$€£₹]|USD|EUR|GBP|CHF)
    | \b(?:USD|EUR|GBP|CHF|CAD|AUD|SEK|INR|salary|compensation)\b .* \d""",
    re.VERBOSE | re.IGNORECASE,
)
EMPLOYMENT = re.compile(
    r"""\b(?: (?:full|part)[-\s]?time | FTE? | contract(?:or|s)? | intern(?:s|ship|ships)? | freelance
    | permanent )\b""",
    re.VERBOSE | re.IGNORECASE,
)
WORKPLACE = re.compile(
    r"\bremote\b|\bon-?\s?site\b|\bhybrid\b|\bin[-\s](?:office|person)\b|\bWFH\b|\bwork from home\b", re.IGNORECASE
)
ROLE = re.compile(
    r"""\b(?: engineer(?:s|ing)? | develop(?:er|ers|ment) | designers? | managers? | scientists? | research(?:er|ers)?
    | lead | head\s+of | directors? | architects? | analysts? | sre | devops | devrel | advocate | cto | vp | founding
    | product | programmers? | administrators? | specialists? | consultants? | technicians? | full[-\s]?stack
    | front[-\s]?end | back[-\s]?end | swe | ml | data | marketing | sales | support | writer | recruiter | roles?
    | positions? | openings? | multiple | various | several | staff | principal | senior | junior | security | mobile
    | ios | android )\b""",
    re.VERBOSE | re.IGNORECASE,
)
ASIDE = re.compile(
    r"\bvisa\b|\bequity\b|\brelocation\b|\bbenefits\b|\bfunded\b|\bseries\s+[a-f]\b|\byc\b|\bcitizen", re.I
)


class HackerNewsSpider(BoardSpider):
    name = "hackernews"

    def first(self, source: Source) -> tuple[Ask, ...]:
        url = f"{api_of(source, API)}/api/v1/search_by_date?tags=story,author_whoishiring&hitsPerPage=12"
        return (Ask(url=url, state={"threads": True}),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        if ask.state.get("threads"):
            return parse_threads(answer, self.source)
        return parse_comments(answer, seen)


def parse_threads(answer: object, source: Source) -> Parsed:
    """The newest hiring threads (option `threads`, one unless said). Raises `AnswerError` when there is none."""
    hits = listed_in(answer, "hits")
    ids = [row.text("objectID") for row in hits if HIRING.search(row.text("title") or "")]
    wanted = source.options.get("threads")
    chosen = [one for one in ids if one][: wanted if isinstance(wanted, int) else 1]
    if not chosen:
        raise AnswerError("no_thread", "no thread asks who is hiring")
    return Parsed(asks=tuple(Ask(url=f"{api_of(source, API)}/api/v1/items/{one}") for one in chosen))


def parse_comments(answer: object, seen: Seen) -> Parsed:
    """The adverts of a thread (`children`) or of a search for its comments (`hits`)."""
    outer = Row.of(answer)
    title = outer.text("title") or outer.text("story_title")
    if title is not None and not HIRING.search(title):
        raise AnswerError("not_hiring", f"the thread is another one: {title}"[:200])
    thread = outer.text("id") or outer.text("story_id")
    rows = listed_in(answer, "hits" if isinstance(outer.peek("hits"), list) else "children")

    def entry(row: Row) -> Parsed:
        return parse_comment(row, seen) if _is_advert(row, thread) else Parsed()

    return gathered(read_each(rows, entry, seen))


def _is_advert(row: Row, thread: str | None) -> bool:
    parent, story = row.text("parent_id"), row.text("story_id")
    return parent in (None, thread or story) and bool(row.peek("text") or row.peek("comment_text"))


def parse_comment(row: Row, seen: Seen) -> Parsed:
    row.ignore("children", "type", "title", "url", "points", "options", "story_title", "story_url", "created_at_i")
    row.ignore("_tags", "_highlightResult", "updated_at", "num_comments", "text", "comment_text")
    identity = row.text("id", "objectID")
    markup = str(row.peek("text") or row.peek("comment_text"))
    text = plain_text(markup) or ""
    parts = [part for part in SEPARATOR.split(text.split("\n", 1)[0].strip()) if part]
    if len(parts) < 3 or len(parts[0]) > 120:
        excerpt = without_personal_data(text[:300])
        rejected = rejection(seen, "no_header", f"comment {identity} has no line of company, role and place")
        return Parsed(rejected=(replace(rejected, excerpt=excerpt),))
    said = sorted_parts(parts[1:])
    roles = said["role"] or said["other"][:1]
    places = [part for part in said["other"] if part not in roles]
    remote = [part for part in said["workplace"] if "(" in part or len(part.split()) > 1]
    return posting(
        seen,
        row,
        title=roles[0] if roles else None,
        source_id=identity,
        url=f"https://news.ycombinator.com/item?id={identity}",
        company_text=ADDRESS.sub("", parts[0]).strip(" ()-–,") or parts[0],
        location_text=joined([*places, *remote], "; "),
        workplace_text=joined(said["workplace"], "; "),
        employment_text=joined(said["employment"], "; "),
        salary_text=joined(said["money"], "; "),
        description_text=text,
        posted_on=row.day("created_at"),
        payload={"header": " | ".join(parts)} | ({"other_roles": roles[1:]} if roles[1:] else {}),
    )


KINDS = (
    ("money", MONEY),
    ("address", ADDRESS),
    ("workplace", WORKPLACE),
    ("employment", EMPLOYMENT),
    ("aside", ASIDE),
    ("role", ROLE),
)
"""What a part of the line may be; the first pattern that it meets decides."""


def sorted_parts(parts: list[str]) -> dict[str, list[str]]:
    """The parts of an advert's first line by kind.

    >>> said = sorted_parts(["ML Engineer", "Berlin", "REMOTE (EU)", "Full-time", "€70k-90k"])
    >>> said["role"], said["other"], said["workplace"], said["money"]
    (['ML Engineer'], ['Berlin'], ['REMOTE (EU)'], ['€70k-90k'])
    """
    said: dict[str, list[str]] = {name: [] for name in (*dict(KINDS), "other")}
    for part in parts:
        kind = next((name for name, pattern in KINDS if pattern.search(part)), "other")
        if kind == "workplace" and ROLE.search(part) and not said["role"] and len(part.split()) > 3:
            kind = "role"
        said[kind].append(part)
        if kind in ("workplace", "money") and EMPLOYMENT.search(part):
            said["employment"].append(EMPLOYMENT.search(part).group())  # type: ignore[union-attr]  # searched above
    return said
