"""Whether two postings are one job. Precision first: what is merged wrongly hides a job, what is missed shows it twice.

Only postings of one employer and one family of roles are compared (`block`). The same publisher never shows one job
twice at the same time: two ads of it that stand side by side are two openings. One after the other they are a repost.

    title      the same words but for order, spelling of one word, and places that the other ad names as its place
    never      across levels, cities, countries, requisition numbers, hours, ways of working, kinds of employment,
               currencies, or ranges of pay that do not touch
    and then   one piece of evidence of `EVIDENCE` that is strong enough

An ad that could be several jobs which are not each other is nobody's duplicate: it stays by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import combinations, permutations
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from aggregator.normalise.company import parse_company
from aggregator.normalise.title_noise import NUMBERED
from aggregator.normalise.title_tokens import fold, tokens_of

MATCH_VERSION = 1
"""Raised with every rule here that changes what is the same job."""
SAME_TEXT = 0.6
"""Share of the shorter description in the longer one; the texts of two jobs of one employer share up to half."""
OTHER_TEXT = 0.15
"""Below this two descriptions of some length are of two jobs."""
LONG_TEXT = 25
"""Words from which on a description tells anything."""
OPENING = 120
"""Up to so many words a text may be but the employer's own words about itself: then all of it must agree."""
SAME_OPENING = 0.9
READ_WORDS = 600
SHINGLE = 4
REPOST_WITHIN = timedelta(days=120)
"""A later ad of the same publisher is the same job again when it follows within this time."""
APART = timedelta(days=180)
"""Two publishers that showed an ad further apart than this showed two vacancies."""
SPELLING = 0.84
LEFT_OUT = frozenset(
    {"a", "an", "and", "at", "for", "in", "of", "on", "or", "the", "to", "with", "&", "/"}
    | {"remote", "hybrid", "onsite", "job", "role", "position", "vacancy", "opening", "new", "urgent", "hiring"}
)
"""Words of a title that do not tell jobs apart."""
NO_PLACE = frozenset(
    {"remote", "remotely", "hybrid", "onsite", "anywhere", "worldwide", "global", "globally", "work", "from", "home"}
    | {"office", "based", "fully", "100", "only", "wfh", "distributed", "in", "or", "flexible", "various", "multiple"}
    | {"location", "locations"}
)
HOURS = frozenset({"day", "night", "evening", "morning", "weekend", "overnight", "1st", "2nd", "3rd"})
"""When one works; the clean title says it no more."""
CODED_REGIONS = frozenset({"US", "CA", "AU"})
"""Countries whose regions are read as codes; elsewhere one region has several spellings."""
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}


class Publisher(NamedTuple):
    """Who shows an ad: a source, and the site it links to, since one folder of captures holds pages of many sites."""

    source: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ad:
    """What the rules compare of one posting. `title_text` is the title as published, `employer` the company's name."""

    id: str
    title: str
    title_text: str = ""
    company: str | None
    employer: str | None = None
    level: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    countries: tuple[str, ...] = ()
    location_text: str | None = None
    remote: str | None = None
    employment_types: tuple[str, ...] = ()
    currency: str | None = None
    annual_min: Decimal | None = None
    annual_max: Decimal | None = None
    requisition: str | None = None
    urls: frozenset[str] = frozenset()
    description: str | None = None
    publishers: frozenset[Publisher] = frozenset()
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two ads are one job; `why` names the evidence, or what speaks against it."""

    same: bool
    score: float
    why: str


class _Read:
    """An ad with what is worked out once and needed in many comparisons."""

    def __init__(self, ad: Ad) -> None:
        self.ad = ad
        self.words = title_words(ad.title)
        self.requisition = fold(ad.requisition or "").strip()

    @cached_property
    def employer(self) -> frozenset[str]:
        company = parse_company(self.ad.employer)
        return frozenset(title_words(company.key)) if company else frozenset()

    @cached_property
    def hours(self) -> frozenset[str]:
        return HOURS.intersection(word.rstrip("s") for word in tokens_of(self.ad.title_text))

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(re.sub(r"\D", "", found[0]) for found in NUMBERED.finditer(self.ad.title_text))

    @cached_property
    def shingles(self) -> frozenset[int]:
        words = fold(self.ad.description or "").split()[:READ_WORDS]
        words = [plain for word in words if (plain := "".join(c for c in word if c.isalnum()))]
        if len(words) < LONG_TEXT:
            return frozenset()
        return frozenset(hash(tuple(words[n : n + SHINGLE])) for n in range(len(words) - SHINGLE + 1))


@lru_cache(maxsize=100_000)
def title_words(title: str) -> tuple[str, ...]:
    """The words of a title that tell jobs apart, in order of the alphabet.

    >>> title_words("Sr. Engineer, Data (Remote)") == title_words("Senior Data Engineer")
    True
    """
    return tuple(sorted({ROMAN.get(word, word) for word in tokens_of(title) if word not in LEFT_OUT}))


def same_job(a: Ad, b: Ad) -> Verdict:
    """Whether two postings are one job."""
    return _judge(_Read(a), _Read(b))


def _judge(a: _Read, b: _Read) -> Verdict:
    for question, test in AGAINST:
        if test(a, b):
            return Verdict(False, 0.0, question)
    again = bool(a.ad.publishers & b.ad.publishers)
    likeness = _likeness(a, b)
    if likeness is not None and likeness < OTHER_TEXT:
        return Verdict(False, 0.0, f"the descriptions share {likeness:.0%}")
    for name, strength, test in EVIDENCE:
        if test(a, b) and not (again and name not in FOR_REPOSTS):
            return Verdict(True, strength, name)
    return Verdict(False, 0.0, "nothing beyond the title says so")


def _other_title(a: _Read, b: _Read) -> bool:
    if a.words == b.words:
        return not a.words
    mine, theirs = _apart_words(a, b)
    if not mine and not theirs:
        return False
    return not (_joined(mine, theirs) or _joined(theirs, mine) or _misspelt(mine, theirs))


def _same_title(a: _Read, b: _Read) -> bool:
    """The same words but for the place and the employer."""
    return a.words == b.words or _apart_words(a, b) == (set(), set())


def _apart_words(a: _Read, b: _Read) -> tuple[set[str], set[str]]:
    """The words of each title that the other lacks, without those that say nothing of the job."""
    mine, theirs = set(a.words) - set(b.words), set(b.words) - set(a.words)
    mine -= _place_words(b.ad)
    theirs -= _place_words(a.ad)
    # "Data Engineer | Acme": the name of the employer, all of it, says nothing of the job.
    mine -= a.employer if a.employer <= mine else frozenset()
    theirs -= b.employer if b.employer <= theirs else frozenset()
    return mine, theirs


def _joined(one: set[str], two: set[str]) -> bool:
    """ "back office" and "backoffice" are one word."""
    return len(one) == 1 and len(two) == 2 and bool(one & {"".join(order) for order in permutations(two)})


def _misspelt(mine: set[str], theirs: set[str]) -> bool:
    if len(mine) != 1 or len(theirs) != 1:
        return False
    (one,), (other,) = mine, theirs
    long_enough = min(len(one), len(other)) >= 6 and one.isalpha() and other.isalpha()
    return long_enough and Levenshtein.normalized_similarity(one, other) >= SPELLING


def _place_words(ad: Ad) -> set[str]:
    return set(
        fold(" ".join(part for part in (ad.city, ad.region, ad.location_text) if part)).replace(",", " ").split()
    )


def _other_publisher_or_later(a: _Read, b: _Read) -> bool:
    """Side by side at one publisher, or too far apart in time; by days, for one crawl sees its pages one by one."""
    gap = max(a.ad.first_seen, b.ad.first_seen).date() - min(a.ad.last_seen, b.ad.last_seen).date()
    if a.ad.publishers & b.ad.publishers:
        return gap <= timedelta(0) or gap > REPOST_WITHIN
    return gap > APART


def _other_company(a: _Read, b: _Read) -> bool:
    return not a.ad.company or a.ad.company != b.ad.company


def _other_level(a: _Read, b: _Read) -> bool:
    return a.ad.level is not None and b.ad.level is not None and a.ad.level != b.ad.level


def _other_requisition(a: _Read, b: _Read) -> bool:
    return bool(a.requisition and b.requisition and a.requisition != b.requisition)


def _other_number(a: _Read, b: _Read) -> bool:
    """Titles that carry numbers of jobs, none of them the same."""
    return bool(a.numbers and b.numbers) and a.numbers.isdisjoint(b.numbers)


def _other_hours(a: _Read, b: _Read) -> bool:
    """The one for days and the other for nights."""
    return bool(a.hours and b.hours) and a.hours.isdisjoint(b.hours)


def _other_place(a: _Read, b: _Read) -> bool:
    """Another city, region or country; several countries must all be the same. A place that is not said is no other.

    A city is not its country: only the whole description can say that the one means the other. A place that we cannot
    read ("South America") is itself and nothing else.
    """
    one, other = a.ad, b.ad
    if one.city and other.city and fold(one.city) != fold(other.city):
        return True
    mine, theirs = _countries(one), _countries(other)
    if mine and theirs and mine != theirs:
        return True
    if mine == theirs and len(mine) == 1 and mine <= CODED_REGIONS and one.region and other.region:
        return one.region != other.region
    here, there = (_said_place(x) for x in (one, other))
    if not here or not there or here == there:
        return False
    if not (mine or one.city) or not (theirs or other.city):
        return True
    return bool(one.city) != bool(other.city) and not _same_whole_text(a, b)


def _said_place(ad: Ad) -> frozenset[str]:
    """The words of the place but those that say how one works; none for "Remote"."""
    words = "".join(c if c.isalnum() else " " for c in fold(ad.location_text or "")).split()
    return frozenset(words) - NO_PLACE


def _countries(ad: Ad) -> set[str]:
    return set(ad.countries) | ({ad.country} if ad.country else set())


def _other_way_of_working(a: _Read, b: _Read) -> bool:
    return {a.ad.remote, b.ad.remote} == {"onsite", "remote"}


def _other_employment(a: _Read, b: _Read) -> bool:
    mine, theirs = set(a.ad.employment_types), set(b.ad.employment_types)
    return bool(mine and theirs and not mine & theirs)


def _other_pay(a: _Read, b: _Read) -> bool:
    mine, theirs = _pay(a.ad), _pay(b.ad)
    if mine is None or theirs is None:
        return False
    if mine[0] != theirs[0]:
        return bool(a.ad.currency and b.ad.currency)
    return mine[2] < theirs[1] or theirs[2] < mine[1]


def _pay(ad: Ad) -> tuple[str | None, Decimal, Decimal] | None:
    ends = [end for end in (ad.annual_min, ad.annual_max) if end is not None]
    return (ad.currency, min(ends), max(ends)) if ends else None


def _likeness(a: _Read, b: _Read) -> float | None:
    """The share of the shorter text that stands in the longer one; None when one is too short to tell."""
    if not a.shingles or not b.shingles:
        return None
    return len(a.shingles & b.shingles) / min(len(a.shingles), len(b.shingles))


def _same_link(a: _Read, b: _Read) -> bool:
    return bool(a.ad.urls & b.ad.urls)


def _same_requisition(a: _Read, b: _Read) -> bool:
    return bool(a.requisition) and a.requisition == b.requisition


def _same_text(a: _Read, b: _Read) -> bool:
    likeness = _likeness(a, b)
    if likeness is None:
        return False
    if min(len(a.shingles), len(b.shingles)) < OPENING:
        return likeness >= SAME_OPENING and _same_title(a, b)
    return likeness >= SAME_TEXT


def _same_whole_text(a: _Read, b: _Read) -> bool:
    return min(len(a.shingles), len(b.shingles)) >= OPENING and _same_text(a, b)


def _same_city(a: _Read, b: _Read) -> bool:
    return bool(a.ad.city and b.ad.city and (a.ad.country is None) == (b.ad.country is None)) and _same_title(a, b)


def _same_country(a: _Read, b: _Read) -> bool:
    mine = _countries(a.ad)
    place = bool(mine) and mine == _countries(b.ad) and not (a.ad.city or b.ad.city)
    return place and a.ad.remote == b.ad.remote and a.words == b.words and len(a.words) >= 3


def _same_pay(a: _Read, b: _Read) -> bool:
    mine = _pay(a.ad)
    return mine is not None and mine[1] != mine[2] and mine == _pay(b.ad) and _same_title(a, b)


def _same_words_of_place(a: _Read, b: _Read) -> bool:
    here, there = (fold(x.ad.location_text or "").strip() for x in (a, b))
    return bool(here) and here == there and a.words == b.words and _same_text(a, b)


Test = Callable[[_Read, _Read], bool]

AGAINST: tuple[tuple[str, Test], ...] = (
    ("another employer", _other_company),
    ("side by side at one publisher, or too far apart in time", _other_publisher_or_later),
    ("another level", _other_level),
    ("another requisition number", _other_requisition),
    ("another number in the title", _other_number),
    ("another place", _other_place),
    ("another title", _other_title),
    ("other hours", _other_hours),
    ("another way of working", _other_way_of_working),
    ("another kind of employment", _other_employment),
    ("another pay", _other_pay),
)
"""(what speaks against one job, test); any of them is enough."""

EVIDENCE: tuple[tuple[str, float, Test], ...] = (
    ("the same link", 1.0, _same_link),
    ("the same requisition number", 1.0, _same_requisition),
    ("the same words of title, place and description", 0.99, _same_words_of_place),
    ("the same description", 0.97, _same_text),
    ("the same pay", 0.95, _same_pay),
    ("the same city", 0.93, _same_city),
    ("the same country and a title of three words or more", 0.9, _same_country),
)
"""(what speaks for it, how strongly, test); one is enough, the first that holds is named."""

FOR_REPOSTS = frozenset({"the same requisition number", "the same words of title, place and description"})
"""A publisher that shows a new ad has mostly a new vacancy: only these say that it is the old one."""


def groups_of(ads: Sequence[Ad], apart: Collection[frozenset[str]] = ()) -> list[list[tuple[Ad, Verdict | None]]]:
    """The jobs of one block that several ads describe: each ad with the verdict that brought it in.

    The first ad of a group has none: it is the one first seen, and its posting stays. Groups grow from the surest pair
    on and only as long as every two ads in them are one job, and no two of them are kept `apart` by a person.
    """
    by_id = {ad.id: ad for ad in ads}
    pairs = pairs_of(ads)
    together = {frozenset(pair[:2]) for pair in pairs} - set(apart)
    groups: dict[str, dict[str, Verdict]] = {}
    for one, other, verdict in sorted(pairs, key=lambda pair: (-pair[2].score, pair[0], pair[1])):
        mine, theirs = groups.get(one, {one: verdict}), groups.get(other, {other: verdict})
        if mine is not theirs and all(frozenset((a, b)) in together for a in mine for b in theirs):
            joined = mine | theirs
            groups.update(dict.fromkeys(joined, joined))
    made = []
    for group in {id(group): group for group in groups.values()}.values():
        first, *rest = sorted((by_id[id_] for id_ in group), key=lambda ad: (ad.first_seen.date(), ad.id))
        made.append([(first, None), *((ad, group[ad.id]) for ad in rest)])
    return made


def listed_twice(ads: Sequence[Ad]) -> dict[str, str]:
    """Ads that one publisher shows side by side in the same words: the later one -> the one first seen.

    They stay two postings, for they may be two openings; but whoever counts jobs should know.
    """
    found: dict[str, str] = {}
    alike: dict[tuple[object, ...], list[_Read]] = {}
    for ad in sorted((_Read(ad) for ad in ads), key=lambda read: (read.ad.first_seen.date(), read.ad.id)):
        for publisher in sorted(ad.ad.publishers):
            alike.setdefault((publisher, ad.words, ad.ad.level, _said_place(ad.ad), _pay(ad.ad)), []).append(ad)
    for group in alike.values():
        for earlier, later in combinations(group, 2):
            side_by_side = later.ad.first_seen.date() <= earlier.ad.last_seen.date() and not _other_requisition(
                earlier, later
            )
            if side_by_side and later.ad.id not in found and _same_text(earlier, later):
                found[later.ad.id] = earlier.ad.id
    return found


def pairs_of(ads: Sequence[Ad]) -> list[tuple[str, str, Verdict]]:
    """The pairs among the ads of one block that are one job: (id, id, verdict).

    An ad joins another one only when it could not as well be a third one that is a different job.
    """
    found: dict[str, dict[str, Verdict]] = {}
    for a, b in _candidates([_Read(ad) for ad in ads]):
        verdict = _judge(a, b)
        if verdict.same:
            found.setdefault(a.ad.id, {})[b.ad.id] = verdict
            found.setdefault(b.ad.id, {})[a.ad.id] = verdict
    pairs = []
    for one, other in sorted((min(pair), max(pair)) for pair in {frozenset((a, b)) for a in found for b in found[a]}):
        verdict = found[one][other]
        claims = {
            third: max(found[id_][third].score for id_ in (one, other) if third in found[id_])
            for third in (found[one].keys() | found[other].keys()) - {one, other}
        }
        rivals = [third for third, score in claims.items() if score >= verdict.score]
        if all(third in found[one] and third in found[other] for third in rivals):
            pairs.append((one, other, verdict))
    return pairs


def _candidates(ads: Sequence[_Read]) -> Iterator[tuple[_Read, _Read]]:
    """Pairs whose titles are worth a look: the same words, or all but a few."""
    by_words: dict[tuple[str, ...], list[_Read]] = {}
    for ad in ads:
        by_words.setdefault(ad.words, []).append(ad)
    for group in by_words.values():
        yield from combinations(group, 2)
    for one, other in combinations(sorted(by_words), 2):
        if _near(one, other):
            yield from ((a, b) for a in by_words[one] for b in by_words[other])


def _near(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = len(set(one) & set(other))
    return shared >= 1 and len(one) + len(other) - 2 * shared <= 4
