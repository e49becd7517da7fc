"""The table of platforms: how an address betrays each, what it yields, what it asks of readers."""

from __future__ import annotations

from dataclasses import dataclass

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
