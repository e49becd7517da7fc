"""What a web address says about the ad it leads to: the ad's number or name, or that it is a list, a login or an end.

Two addresses of one ad may differ: a site moves to https, drops `www.`, adds a locale, renames a slug but keeps the
number, or moves its board to another host of the same platform. `same_ad` knows these differences, and `says_other`
answers only where two addresses can be compared at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise
from urllib.parse import parse_qsl, unquote, urlsplit

from scraper.pages.addresses import canonical


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


class Leads(StrEnum):
    """Where a redirect from an ad's address ends."""

    SAME = "the same ad"
    AD = "another page of the site"
    LIST = "a list of ads"
    END = "a page that says that the ad is gone"
    DOOR = "a login or consent page"
    STRANGE = "another site"


LISTS = _each("""
    job jobs career careers opening openings position positions vacancy vacancies opportunity opportunities search
    results all list listing listings index home overview board boards posting postings requisitions roles offers
    job-search job-board job-openings job-list job-listings open-positions open-roles current-openings
    current-vacancies search-jobs all-jobs our-jobs work-with-us work-at join join-us join-our-team jobs-at about
    about-us company team karriere stellen stelle stellenangebote stellenmarkt offene-stellen jobboerse emploi emplois
    offre offres offres-emploi recrutement empleo empleos oferta ofertas trabajo vaga vagas carreiras vacature
    vacatures werken-bij lavora lavora-con-noi posizioni-aperte oferty praca kariera jobb lediga-jobb o p j
""")
"""Last parts of addresses that lead to a list of ads, or to the page of the employer."""
ENDS = _each("""
    404 410 error not-found not_found notfound page-not-found job-not-found expired job-expired closed job-closed gone
    removed unavailable no-longer-available job-unavailable filled inactive
""")
"""Parts of addresses to which a site sends visitors of an ad that is gone."""
DOORS = _each("""
    login log-in signin sign-in sign_in sso saml auth oauth oauth2 authorize authenticate consent cookie-consent
    cookies cookiewall privacy-gate captcha challenge verify age-gate session sessions
""")
"""Parts of addresses where a visitor has to log in or agree to something before the page is shown."""
DOOR_HOSTS = _each("login signin sso auth accounts account consent idp")
NOT_ADS = _each("""
    company companies employer employers organization location locations category categories department departments
    team teams author user users tag tags page blog news article articles event events
""")
"""Parts of addresses after which a number does not belong to an ad."""
ID_FIELDS = _each("""
    gh_jid ashby_jid lever_jid jid jk id jobid job_id job-id job token req reqid req_id requisition requisitionid
    requisition_id position positionid position_id vacancy vacancyid vacancy_id posting postingid posting_id
    opportunityid opportunity_id offer offerid oid pid ad adid ad_id career_job_req_id currentjobid
""")
"""Query fields that hold the number of an ad."""
LANGUAGE_FIELDS = _each("lang language locale hl")
APPLYING = _each("apply apply-now application applications amp detail details")
SECOND_LEVEL = _each("ac co com edu gov net org")
LANGUAGES = _each("""
    ar bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka kk ko lt lv mk ms mt nb nl
    nn no pl pt ro ru sk sl sq sr sv th tr uk ur uz vi zh
""")
"""ISO 639-1 codes that sites use as the first part of an address."""

_LOCALE = re.compile(r"([a-z]{2})[-_](?:[a-z]{2}|hans|hant|latn|cyrl|\d{3})")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_REQUISITION = re.compile(
    r"(?:_(?=[a-z]{1,6}[-_]?\d)|^(?!job)(?=[a-z]{1,3}[-_]?\d))([a-z]{1,6}[-_]?\d{3,15})(?:-\d{1,2})?\Z"
)
"""`Nurse_JR123-1`: Workday adds a counter to the number when a posting is published again."""
_FAILED = re.compile(r"(?:^|&)(?:error|not_found|notfound|expired|closed|gone|job_closed)=(?!0|false|no(?:&|$))")
STRONG_DIGITS = 5
"""Digits from which a number is taken for the same ad's even where all else of the address differs."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of an address that tell which ad it leads to, in lower case."""

    host: str
    """Without `www.`; with a port that is not the usual one."""
    site: str
    """The registered domain: `greenhouse.io` of `boards.greenhouse.io`."""
    path: tuple[str, ...]
    """Without locale, `/apply` and `index.html`."""
    query: frozenset[tuple[str, str]]
    ids: tuple[str, ...]
    """Numbers and codes in the address; the last is the ad's own."""
    words: str
    """The last part without its numbers."""
    failed: bool
    """The query says that what was asked for is not there."""

    @property
    def own(self) -> str | None:
        return self.ids[-1] if self.ids else None


@lru_cache(maxsize=4_096)
def anatomy(address: str) -> Anatomy | None:
    """The parts of an address; None for anything but a web address.

    >>> anatomy("https://www.Acme.com/en/jobs/4711-nurse/apply?utm_source=x").path
    ('jobs', '4711-nurse')
    >>> anatomy("https://acme.com/jobs?gh_jid=123").own, anatomy("https://acme.com/jobs/nurse").own
    ('123', None)
    """
    own = canonical(address)
    if own is None:
        return None
    parts = urlsplit(own)
    host = parts.netloc.lower().removeprefix("www.").removeprefix("m.")
    whole = [unquote(part).casefold().strip() for part in parts.path.split("/") if part]
    path = _path(whole)
    query = frozenset(
        (name.casefold(), value.casefold())
        for name, value in parse_qsl(parts.query)
        if name.casefold() not in LANGUAGE_FIELDS
    )
    in_path = [found for at, part in enumerate(path) for found in _ids(part, path[:at])]
    in_query = [_plain_id(value) for name, value in sorted(query) if name in ID_FIELDS and value]
    return Anatomy(
        host=host,
        site=_site(host),
        path=path,
        query=query,
        ids=tuple(dict.fromkeys([*in_path, *in_query])),
        words=_words(path[-1]) if path else "",
        failed=_FAILED.search(parts.query.casefold()) is not None,
    )


def _path(parts: list[str]) -> tuple[str, ...]:
    if len(parts) > 1 and _is_locale(parts[1]) and len(parts) > 2:
        parts = [parts[0], *parts[2:]]
    if parts and (parts[0] in LANGUAGES or _is_locale(parts[0])):
        parts = parts[1:]
    if parts:
        parts[-1] = re.sub(r"\.(?:html?|php|aspx?)\Z", "", parts[-1])
    if parts[-1:] in (["index"], ["default"]):
        parts = parts[:-1]
    if parts[-2:] == ["applications", "new"]:
        parts = parts[:-1]
    while len(parts) > 1 and parts[-1] in APPLYING:
        parts = parts[:-1]
    return tuple(parts)


def _is_locale(part: str) -> bool:
    found = _LOCALE.fullmatch(part)
    return found is not None and found[1] in LANGUAGES


def _site(host: str) -> str:
    """The registered domain of a host; an IP address and a single name stand for themselves, with their port.

    >>> _site("boards.greenhouse.io"), _site("jobs.acme.co.uk"), _site("127.0.0.1:8080")
    ('greenhouse.io', 'acme.co.uk', '127.0.0.1:8080')
    """
    name = host.partition(":")[0]
    labels = name.split(".")
    if len(labels) < 3 or host.startswith("["):
        return host
    try:
        ip_address(name)
    except ValueError:
        is_second = labels[-2] in SECOND_LEVEL and len(labels[-1]) == 2
        return ".".join(labels[-3 if is_second else -2 :])
    return host


def _ids(part: str, before: tuple[str, ...]) -> list[str]:
    """The numbers and codes in one part of a path, behind the parts `before`."""
    if before and before[-1] in NOT_ADS:
        return []
    if found := _UUID.findall(part):
        return list(found)
    if part.isdigit():
        is_date = _YEAR.fullmatch(part) or (before and _YEAR.fullmatch(before[-1])) or len(part) > 40
        return [] if is_date else [part]
    if requisition := _REQUISITION.search(part):
        return [_plain_id(requisition[1])]
    ends = re.split(r"[-_=]", part.strip("=-_"))
    return [end for end in dict.fromkeys((ends[0], ends[-1])) if _is_number(end) or is_code(end)]


def _is_number(text: str) -> bool:
    return text.isdigit() and 4 <= len(text) <= 40 and not _YEAR.fullmatch(text)


def is_code(text: str) -> bool:
    """Whether a text is made of digits and letters that alternate as no word's do.

    >>> is_code("a1b2c3d4e5"), is_code("office365"), is_code("sap4hana")
    (True, False, False)
    """
    return len(text) >= 8 and text.isalnum() and sum(a.isdigit() != b.isdigit() for a, b in pairwise(text)) >= 3


def _plain_id(text: str) -> str:
    """An id as it is compared: Workday's counter behind a requisition goes.

    >>> _plain_id("JR123-1"), _plain_id("744001")
    ('jr123', '744001')
    """
    folded = text.casefold().strip()
    found = re.fullmatch(r"([a-z]{1,6}[-_]?\d{3,15})-\d{1,2}", folded)
    return found[1] if found else folded


def _words(part: str) -> str:
    """The last part of an address without the numbers at its ends."""
    if _UUID.search(part):
        part = _UUID.sub("", part)
    words = [word for word in re.split(r"[-_]", part) if word]
    while words and (_is_number(words[0]) or is_code(words[0])):
        words = words[1:]
    while words and (_is_number(words[-1]) or is_code(words[-1])):
        words = words[:-1]
    return "" if len(words) == 1 and words[0].isdigit() else "-".join(words)


def same_id(one: str, other: str) -> bool:
    """Whether two ids are one.

    >>> same_id("JR123", "jr123-1"), same_id("744001", "744002")
    (True, False)
    """
    return _plain_id(one) == _plain_id(other)


def kind_of_id(text: str) -> str:
    """Ids of one kind can be compared: `number`, `uuid`, `code`, `requisition`, or `name` for anything else.

    >>> kind_of_id("744001"), kind_of_id("JR123"), kind_of_id("/job/x")
    ('number', 'requisition', 'name')
    """
    plain = _plain_id(text)
    if plain.isdigit():
        return "number"
    if _UUID.fullmatch(plain):
        return "uuid"
    if re.fullmatch(r"[a-z]{1,6}[-_]?\d{1,15}", plain):
        return "requisition"
    return "code" if is_code(plain) else "name"


def _is_strong(own: str) -> bool:
    return len(own) >= STRONG_DIGITS and kind_of_id(own) != "name"


def same_ad(one: str, other: str) -> bool:
    """Whether two addresses lead to one ad.

    >>> same_ad("http://www.acme.com/jobs/nurse", "https://acme.com/en/jobs/nurse/?utm_source=x")
    True
    >>> same_ad("https://boards.greenhouse.io/acme/jobs/4711001", "https://acme.com/careers?gh_jid=4711001")
    True
    >>> same_ad("https://acme.com/jobs/nurse", "https://acme.com/jobs/cook")
    False
    """
    a, b = anatomy(one), anatomy(other)
    return a is not None and b is not None and _same(a, b)


def _same(a: Anatomy, b: Anatomy) -> bool:
    if a.path == b.path and _is_one_host(a, b):
        return _same_query(a, b)
    if a.own is None or b.own is None:
        return False
    if _is_strong(a.own) and (a.own == b.own or (a.site == b.site and a.own in b.ids)):
        return True
    is_near = a.path[:-1] == b.path[:-1] or all(place.path[-2:-1] and place.path[-2] in LISTS for place in (a, b))
    return a.own == b.own and a.site == b.site and is_near


def _is_one_host(a: Anatomy, b: Anatomy) -> bool:
    return a.host == b.host or a.host.endswith(f".{b.host}") or b.host.endswith(f".{a.host}")


def _same_query(a: Anatomy, b: Anatomy) -> bool:
    """Whether two queries behind one path ask for one ad: no field has another value, and no number is lost."""
    if a.query == b.query or (a.own is not None and a.own == b.own):
        return True
    mine, theirs = dict(a.query), dict(b.query)
    if any(name in theirs and theirs[name] != value for name, value in mine.items()):
        return False
    lost = {name for name in mine if name not in theirs}
    return not (lost & ID_FIELDS) and names_page(a) if lost else True


def names_page(place: Anatomy) -> bool:
    """Whether the path alone may lead to one ad."""
    if not place.path:
        return False
    return bool(_ids(place.path[-1], place.path[:-1])) or place.path[-1] not in LISTS


def names_an_ad(address: str | None) -> bool:
    """Whether an address may be that of one ad: a home page or a list of ads is the address of none.

    >>> names_an_ad("https://acme.com/kiln"), names_an_ad("https://acme.com/en/careers/"), names_an_ad("https://acme.com")
    (True, False, False)
    """
    place = anatomy(address) if address else None
    return place is not None and not place.failed and (place.own is not None or names_page(place))


def says_other(asked: str, declared: str) -> bool:
    """Whether `declared` is the address of another ad than `asked`; false where the two cannot be compared.

    A list, a home page, or an address of another site (where people apply) says nothing about the ad asked for.

    >>> says_other("https://acme.com/jobs/nurse", "https://acme.com/jobs/cook")
    True
    >>> says_other("https://acme.com/jobs/nurse", "https://acme.com/jobs")
    False
    >>> says_other("https://acme.com/jobs/4711", "https://boards.greenhouse.io/acme/jobs/5001001")
    False
    """
    a, b = anatomy(asked), anatomy(declared)
    if a is None or b is None or a.site != b.site or _same(a, b) or not names_an_ad(declared):
        return False
    if a.own is not None and b.own is not None:
        return kind_of_id(a.own) == kind_of_id(b.own)
    are_siblings = _is_one_host(a, b) and len(a.path) == len(b.path) and a.path[:-1] == b.path[:-1]
    if not are_siblings or not a.words or not b.words:
        return False
    if (a.own is None) != (b.own is None):  # a slug with its number, and the same slug without
        return not (a.words.startswith(b.words) or b.words.startswith(a.words))
    return a.words != b.words


def leads_to(asked: str, final: str) -> Leads:
    """Where a request for the ad at `asked` ended.

    >>> leads_to("https://acme.com/jobs/4711", "https://acme.com/careers").name
    'LIST'
    >>> leads_to("https://acme.com/jobs/4711", "https://acme.com/users/sign_in?next=/jobs/4711").name
    'DOOR'
    """
    a, b = anatomy(asked), anatomy(final)
    if a is None or b is None:
        return Leads.SAME if asked == final else Leads.STRANGE
    host = b.host.partition(".")[0]
    if (DOORS.intersection(b.path) - set(a.path)) or (host in DOOR_HOSTS and a.host != b.host):
        return Leads.DOOR
    if b.failed and not a.failed:
        return Leads.LIST
    if _same(a, b):
        return Leads.SAME
    if ENDS.intersection(b.path):
        return Leads.END
    is_above = b.path == a.path[: len(b.path)] and a.site == b.site
    if is_above or not names_an_ad(final):
        return Leads.LIST
    return Leads.AD if a.site == b.site else Leads.STRANGE
