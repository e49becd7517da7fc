"""The platforms that we read: how an address betrays them, what they yield, what they ask of readers.

`recognise` names the platform and board behind any careers address, or behind a page that embeds a board. The table
`PLATFORMS` is also the source of `docs/sources.md`, which `python -m scraper.platforms docs` prints.
"""

from __future__ import annotations

import html as entities
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_NO_TENANT = """
    www app api apps help support blog status docs developers developer static assets cdn go info resources marketing
    login auth account accounts secure my embed widget images img media hire partners community learn get
"""
NO_TENANT = frozenset(_NO_TENANT.split())
"""Subdomains that belong to the platform itself, not to an employer."""
NO_BOARD = frozenset({"api", "embed", "j", "static", "assets", "_next", "favicon.ico", "robots.txt", "sitemap.xml"})
"""The same for the first part of a path."""

T = r"(?P<token>[\w.%+-]+)"
SUB = r"(?P<token>[\w-]+)"
EMBED = r"/embed/(?:job_board(?:/js)?|job_app)\?(?:[^\"'\s]*?&)?for="


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A job platform, feed or archive."""

    spider: str
    title: str
    patterns: tuple[str, ...]
    """Regular expressions over host, path and query, the board's name in the group `token`."""
    pay: str
    dates: str
    description: str
    remote: str
    whole: bool
    """Whether one run sees every open posting, so that absence may mean closed."""
    terms: str
    token: str = ""
    """An example of a token, empty where the entry needs a url or nothing."""


PLATFORMS: tuple[Platform, ...] = (
    Platform(
        spider="greenhouse",
        title="Greenhouse",
        patterns=(
            rf"(?:job-)?boards(?:\.eu)?\.greenhouse\.io{EMBED}{T}",
            rf"(?:job-)?boards(?:\.eu)?\.greenhouse\.io/(?!embed\b){T}",
            rf"(?:boards-)?api\.greenhouse\.io/v1/boards/{T}",
        ),
        pay="ranges on the single-job call (option `details`), else text",
        dates="published, updated, deadline",
        description="full",
        remote="in the place or a custom field",
        whole=True,
        terms="public job board API, documented, no key",
        token="acme",  # noqa: S106 - the name of a board
    ),
    Platform(
        spider="lever",
        title="Lever",
        patterns=(rf"jobs\.(?P<eu>eu\.)?lever\.co/{T}", rf"api\.(?P<eu>eu\.)?lever\.co/v0/postings/{T}"),
        pay="structured range and text",
        dates="published",
        description="full",
        remote="field",
        whole=True,
        terms="public postings API, documented, no key",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="ashby",
        title="Ashby",
        patterns=(rf"jobs\.ashbyhq\.com/{T}", rf"api\.ashbyhq\.com/posting-api/job-board/{T}"),
        pay="structured, all tiers, and text",
        dates="published",
        description="full",
        remote="field",
        whole=True,
        terms="public job posting API, documented, no key",
        token="Acme",  # noqa: S106
    ),
    Platform(
        spider="smartrecruiters",
        title="SmartRecruiters",
        patterns=(
            rf"(?:careers|jobs)\.smartrecruiters\.com/(?:oneclick-ui/company/)?{T}",
            rf"api\.smartrecruiters\.com/v1/companies/{T}",
        ),
        pay="structured, rarely",
        dates="published",
        description="full, one call a posting",
        remote="field",
        whole=True,
        terms="public posting API, no key; 10 requests a second at most",
        token="AcmeInc",  # noqa: S106
    ),
    Platform(
        spider="workable",
        title="Workable",
        patterns=(
            rf"apply\.workable\.com/api/v\d/(?:widget/)?accounts/{T}",
            rf"(?:www\.)?workable\.com/api/accounts/{T}",
            rf"apply\.workable\.com/(?!api/|j/){T}",
            rf"(?!apply\.|jobs\.){SUB}\.workable\.com\b",
        ),
        pay="text only",
        dates="published",
        description="full",
        remote="field",
        whole=True,
        terms="widget of the careers page, undocumented, no key; strict limits of rate",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="recruitee",
        title="Recruitee",
        patterns=(rf"{SUB}\.recruitee\.com\b",),
        pay="structured",
        dates="published, updated, closing",
        description="full",
        remote="field",
        whole=True,
        terms="public careers site API, no key",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="personio",
        title="Personio",
        patterns=(rf"{SUB}\.jobs\.personio\.(?P<tld>de|com)\b",),
        pay="text only",
        dates="published",
        description="full",
        remote="none",
        whole=True,
        terms="XML feed that the employer switches on; few requests at a time",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="teamtailor",
        title="Teamtailor",
        patterns=(rf"{SUB}\.(?:na\.|eu\.)?teamtailor\.com\b",),
        pay="structured, where the employer states it",
        dates="published, valid through",
        description="full",
        remote="field",
        whole=True,
        terms="JSON feed of the career site, undocumented, no key",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="workday",
        title="Workday",
        patterns=(
            r"(?P<token>[\w-]+)\.wd\d+\.myworkdayjobs(?:-impl)?\.com/(?:wday/cxs/[\w-]+/)?(?:[a-z]{2}-[A-Z]{2}/)?(?P<site>[\w-]+)",
            r"wd\d+\.myworkdaysite\.com/(?:[a-z]{2}-[A-Z]{2}/)?recruiting/(?P<token>[\w-]+)/(?P<site>[\w-]+)",
        ),
        pay="text only",
        dates="published",
        description="full, one call a posting",
        remote="field",
        whole=True,
        terms="the careers page's own calls, undocumented, no key",
    ),
    Platform(
        spider="bamboohr",
        title="BambooHR",
        patterns=(rf"{SUB}\.bamboohr\.com\b",),
        pay="text",
        dates="published",
        description="full, one call a posting",
        remote="field",
        whole=True,
        terms="the careers page's own calls, undocumented, no key",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="breezy",
        title="Breezy HR",
        patterns=(rf"{SUB}\.breezy\.hr\b",),
        pay="text; structured on the posting's page",
        dates="published",
        description="full, one page a posting",
        remote="field",
        whole=True,
        terms="public JSON of the careers site, no key; bursts are refused",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="pinpoint",
        title="Pinpoint",
        patterns=(rf"{SUB}\.pinpointhq\.com\b",),
        pay="structured and text, where shown",
        dates="published, deadline",
        description="full",
        remote="field",
        whole=True,
        terms="public JSON of the careers site, no key",
        token="acme",  # noqa: S106
    ),
    Platform(
        spider="himalayas",
        title="Himalayas",
        patterns=(r"(?:www\.)?himalayas\.app\b",),
        pay="structured",
        dates="published, expiry",
        description="full",
        remote="all remote; countries named",
        whole=False,
        terms="open API; link back; not to be passed on to Jooble, Google Jobs, LinkedIn",
    ),
    Platform(
        spider="remotive",
        title="Remotive",
        patterns=(r"(?:www\.)?remotive\.(?:com|io)\b",),
        pay="text",
        dates="published",
        description="full",
        remote="all remote; area named",
        whole=False,
        terms="open API, four calls a day; link back and name Remotive; not to be passed on to other aggregators",
    ),
    Platform(
        spider="remoteok",
        title="Remote OK",
        patterns=(r"(?:www\.)?remoteok\.(?:com|io)\b",),
        pay="structured, US dollars a year",
        dates="published",
        description="full",
        remote="all remote",
        whole=False,
        terms="open API; followed link back and the name Remote OK",
    ),
    Platform(
        spider="arbeitnow",
        title="Arbeitnow",
        patterns=(r"(?:www\.)?arbeitnow\.(?:com|co\.uk|fr|ch|nl)\b",),
        pay="text only",
        dates="published",
        description="full",
        remote="field, unreliable",
        whole=False,
        terms="open job board API, no key",
    ),
    Platform(
        spider="jobicy",
        title="Jobicy",
        patterns=(r"(?:www\.)?jobicy\.com\b",),
        pay="structured",
        dates="published",
        description="full",
        remote="all remote; area named",
        whole=False,
        terms="open API, one call an hour; credit with link; not to be passed on to competing aggregators",
    ),
    Platform(
        spider="weworkremotely",
        title="We Work Remotely",
        patterns=(r"(?:www\.)?weworkremotely\.com\b",),
        pay="text only",
        dates="published, expiry",
        description="full",
        remote="all remote; region named",
        whole=False,
        terms="public RSS feed",
    ),
    Platform(
        spider="themuse",
        title="The Muse",
        patterns=(r"(?:www\.)?themuse\.com\b",),
        pay="text only",
        dates="published",
        description="full",
        remote="as a place",
        whole=False,
        terms="public API, 500 calls an hour without a key",
    ),
    Platform(
        spider="hackernews",
        title='Hacker News "Who is hiring?"',
        patterns=(r"news\.ycombinator\.com\b", r"hn\.algolia\.com\b"),
        pay="text of the headline",
        dates="published",
        description="full",
        remote="text of the headline",
        whole=False,
        terms="open Algolia API, 10,000 calls an hour",
    ),
    Platform(
        spider="jobpages",
        title="Pages with schema.org JobPosting, sitemaps",
        patterns=(),
        pay="structured, all tiers, or text",
        dates="published, changed, valid through",
        description="full",
        remote="field",
        whole=True,
        terms="as robots.txt and the site say",
    ),
    Platform(
        spider="feed",
        title="Indeed-style XML, RSS, Atom",
        patterns=(),
        pay="text or structured, as the feed has it",
        dates="published, changed, expiry",
        description="full",
        remote="field",
        whole=False,
        terms="as the publisher says",
    ),
    Platform(
        spider="archives",
        title="Wayback Machine, Common Crawl",
        patterns=(r"web\.archive\.org\b", r"(?:index|data)\.commoncrawl\.org\b"),
        pay="as the archived page has it",
        dates="times of capture",
        description="as archived",
        remote="as archived",
        whole=False,
        terms="public archives; patience is asked for: one request at a time",
    ),
)
"""Every platform, in the order in which they are recognised."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A platform and the board on it."""

    platform: Platform
    token: str | None = None
    url: str | None = None
    """The address that an entry needs beside or instead of the token."""
    options: Mapping[str, object] = field(default_factory=dict)
    found_in: str = "address"
    """address, or page when a page embeds or links the board."""


def platform_of(spider: str) -> Platform:
    """The platform of a spider. Raises `KeyError` for a spider that reads none."""
    return {platform.spider: platform for platform in PLATFORMS}[spider]


def recognise(url: str, html: bytes | str | None = None) -> Recognised | None:
    """The platform behind a careers address, else behind the page found there; None when we know neither.

    >>> found = recognise("https://jobs.lever.co/acme/0f3a2b1c")
    >>> found.platform.title, found.token
    ('Lever', 'acme')
    >>> recognise("https://acme.example/jobs", '<script src="https://boards.greenhouse.io/embed/job_board/js?for=acme">').token
    'acme'
    """
    if (found := _of_address(url)) is not None:
        return found
    if html is None:
        return None
    page = html if isinstance(html, str) else html.decode("utf-8", "replace")
    return _of_page(url, page)


def _of_address(url: str) -> Recognised | None:
    try:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        host = parts.hostname or ""
    except ValueError:
        return None
    text = f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    for platform in PLATFORMS:
        for pattern in platform.patterns:
            match = re.match(pattern, text)
            if match is not None and (found := _recognised(platform, match, url)) is not None:
                return found
    return None


def _recognised(platform: Platform, match: re.Match[str], url: str) -> Recognised | None:
    groups = match.groupdict()
    token = unquote(groups["token"]) if groups.get("token") else None
    if token is not None and not re.search(r"\w", token):
        return None
    if token is not None and token.lower() in (NO_TENANT if match.start("token") == 0 else NO_BOARD):
        return None
    if platform.spider == "workday":
        host = match.group().split("/")[0]
        path = f"recruiting/{token}/{groups['site']}" if "myworkdaysite" in host else groups["site"]
        return Recognised(platform, token, f"https://{host}/{path}")
    if platform.spider == "personio" and groups.get("tld") == "com":
        return Recognised(platform, token, f"https://{token}.jobs.personio.com")
    if platform.spider == "lever" and groups.get("eu"):
        return Recognised(platform, token, options={"api": "https://api.eu.lever.co"})
    if platform.spider in ("weworkremotely", "archives"):
        return Recognised(platform, url=url if platform.spider == "archives" or url.endswith(".rss") else None)
    return Recognised(platform, token)


_ADDRESS = re.compile(r"""(?:https?:)?//([\w.-]+(?:/[^\s"'<>\\)]*)?)""", re.IGNORECASE)
_FEED = re.compile(r"<link\b[^>]{0,400}application/(?:rss|atom)\+xml[^>]{0,400}>", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_JOB_POSTING = re.compile(r"job\W{0,12}posting\b", re.IGNORECASE)


def _of_page(url: str, page: str) -> Recognised | None:
    """The board that a page speaks of most often; else its own schema.org postings or its feed."""
    page = entities.unescape(page[:3_000_000]).replace("\\/", "/").replace("\\u002F", "/")
    found: dict[tuple[str, str], Recognised] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for address in _ADDRESS.findall(page):
        board = _of_address("https://" + address.rstrip(".,;:!)"))
        if board is not None and board.token is not None:
            key = (board.platform.spider, board.token.lower())
            found.setdefault(key, board)
            counts[key] += 1
    if counts:
        board = found[max(counts, key=lambda key: counts[key])]
        return Recognised(board.platform, board.token, board.url, board.options, "page")
    if _JOB_POSTING.search(page):
        return Recognised(platform_of("jobpages"), url=url, found_in="page")
    if (feed := _FEED.search(page)) and (link := _HREF.search(feed.group())):
        from urllib.parse import urljoin

        return Recognised(platform_of("feed"), url=urljoin(url, link[1]), found_in="page")
    return None


def documentation() -> str:
    """`docs/sources.md`: each platform with what it yields."""
    lines = [
        "# Sources",
        "",
        "Generated by `python -m scraper.platforms docs`. What a platform does not publish is not there: nothing is "
        "guessed. *Whole* says whether one run sees every open posting, so that a missing one may be closed.",
        "",
        "| platform | spider | pay | dates | description | remote | whole | terms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in PLATFORMS:
        cells = (one.title, f"`{one.spider}`", one.pay, one.dates, one.description, one.remote)
        lines.append("| " + " | ".join((*cells, "yes" if one.whole else "no", one.terms)) + " |")
    lines += [
        "",
        "The articles site (`articles`) and saved files (`captures`) are read too: see `add-a-source.md`.",
        "",
        "An entry of `sources.toml` for a board on one of these platforms:",
        "",
        "```toml",
        "[[source]]",
        'name = "acme"',
        'spider = "greenhouse"',
        'token = "acme"',
        'schedule = "15 6 * * *"',
        "min_items = 1",
        'terms = "public job board API, documented, no key"',
        "```",
        "",
        "`jobledger sources new https://boards.greenhouse.io/acme` writes it.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["docs"]:
        sys.exit("usage: python -m scraper.platforms docs")
    sys.stdout.write(documentation())
