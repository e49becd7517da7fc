"""One server that plays every platform, sound and sick: what it answers, as a pure function of what it is asked.

The first part of a path is the scene (`/lever-repeats/v0/postings/acme`), the rest is what the platform would be asked.
Boards are made up from numbers, so 5,000 jobs cost nothing to describe and are the same in every run.
"""

# ruff: noqa: E501 - made-up answers, a job a line

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROLES = ("Data Engineer", "Data Scientist", "ML Engineer", "Analytics Engineer", "Data Analyst")
PLACES = ("Berlin", "Lyon", "Porto", "Gent", "Turku")
BIG = 5_000


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: the path below the scene, the query, a posted body, and how often the same was asked before."""

    base: str
    scene: str
    path: str
    query: Mapping[str, str]
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    count: int = 0

    @property
    def root(self) -> str:
        return f"{self.base}/{self.scene}"


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """How long the server thinks before it answers."""


def as_json(value: object, **arguments: Any) -> Answer:
    return Answer(json.dumps(value).encode(), headers={"Content-Type": "application/json"}, **arguments)


def as_xml(text: str) -> Answer:
    return Answer(text.encode(), headers={"Content-Type": "application/xml"})


def as_html(text: str, **arguments: Any) -> Answer:
    return Answer(text.encode(), headers={"Content-Type": "text/html; charset=utf-8"}, **arguments)


MISSING = as_html("<h1>Not found</h1>", status=404)


def call_of(
    base: str, target: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, count: int = 0
) -> Call:
    parts = urlsplit(target)
    scene, _, path = parts.path.lstrip("/").partition("/")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Call(base, scene, "/" + path, query, json.loads(body) if body else None, headers or {}, count)


def answer(call: Call) -> Answer:
    play = SCENES.get(call.scene)
    return play(call) if play is not None else MISSING


def title(n: int) -> str:
    return f"{ROLES[n % 5]} {n}"


def day(n: int) -> str:
    return f"2026-09-{n % 28 + 1:02d}"


def text(n: int) -> str:
    return f"<p>We count.</p><ul><li>thing {n}</li><li>thing {n + 1}</li></ul>"


def declared(n: int, url: str) -> dict[str, object]:
    return {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": title(n),
        "url": url,
        "description": text(n),
        "datePosted": day(n),
        "hiringOrganization": {"@type": "Organization", "name": "Acme"},
        "jobLocation": {"address": {"addressLocality": PLACES[n % 5], "addressCountry": "DE"}},
        "baseSalary": {
            "currency": "EUR",
            "value": {"minValue": 50_000 + n, "maxValue": 60_000 + n, "unitText": "YEAR"},
        },
    }


def job_page(n: int, url: str) -> Answer:
    return as_html(f'<script type="application/ld+json">{json.dumps(declared(n, url))}</script><h1>{title(n)}</h1>')


def greenhouse_job(n: int) -> dict[str, object]:
    return {
        "id": 7_000_000 + n,
        "internal_job_id": n,
        "title": title(n),
        "absolute_url": f"https://boards.greenhouse.io/acme/jobs/{7_000_000 + n}",
        "location": {"name": PLACES[n % 5]},
        "updated_at": f"{day(n)}T10:00:00-04:00",
        "first_published": f"{day(n)}T09:00:00-04:00",
        "company_name": "Acme",
        "content": text(n).replace("<", "&lt;").replace(">", "&gt;"),
    }


def greenhouse(jobs: int) -> Callable[[Call], Answer]:
    def play(call: Call) -> Answer:
        if call.path != "/v1/boards/acme/jobs":
            return MISSING
        return as_json({"jobs": [greenhouse_job(n) for n in range(jobs)], "meta": {"total": jobs}})

    return play


def lever_job(n: int) -> dict[str, object]:
    return {
        "id": f"lever-{n}",
        "text": title(n),
        "createdAt": 1_790_000_000_000 + n,
        "country": "DE",
        "categories": {"location": PLACES[n % 5], "commitment": "Full-time"},
        "workplaceType": "remote",
        "description": text(n),
        "hostedUrl": f"https://jobs.lever.co/acme/lever-{n}",
        "salaryRange": {"currency": "EUR", "interval": "per-year-salary", "min": 50_000 + n, "max": 60_000 + n},
    }


def lever(jobs: int) -> Callable[[Call], Answer]:
    def play(call: Call) -> Answer:
        skip, limit = int(call.query["skip"]), int(call.query["limit"])
        return as_json([lever_job(n) for n in range(skip, min(skip + limit, jobs))])

    return play


def lever_fails_later(call: Call) -> Answer:
    return lever(250)(call) if call.query["skip"] == "0" else as_html("<h1>Oops</h1>", status=500)


def lever_repeats(call: Call) -> Answer:
    return as_json([lever_job(n) for n in range(100)])


def ashby(call: Call) -> Answer:
    pay = {
        "compensationType": "Salary",
        "interval": "1 YEAR",
        "currencyCode": "EUR",
        "minValue": 50_000,
        "maxValue": 60_000,
    }
    jobs = [
        {
            "id": f"ashby-{n}",
            "title": title(n),
            "location": PLACES[n % 5],
            "isListed": True,
            "employmentType": "FullTime",
            "publishedAt": f"{day(n)}T10:00:00.000+00:00",
            "jobUrl": f"https://jobs.ashbyhq.com/acme/ashby-{n}",
            "descriptionHtml": text(n),
            "compensation": {"compensationTiers": [{"title": None, "components": [pay]}]},
        }
        for n in range(15)
    ]
    return as_json({"apiVersion": "1", "jobs": jobs})


def smartrecruiters_entry(n: int) -> dict[str, object]:
    return {
        "id": f"{744_000 + n}",
        "name": title(n),
        "refNumber": f"REF{n}",
        "releasedDate": f"{day(n)}T08:00:00.000Z",
        "company": {"identifier": "Acme", "name": "Acme"},
        "location": {"city": PLACES[n % 5], "country": "de", "remote": False},
        "typeOfEmployment": {"id": "permanent", "label": "Full-time"},
    }


def smartrecruiters(jobs: int) -> Callable[[Call], Answer]:
    def play(call: Call) -> Answer:
        identity = call.path.rsplit("/", 1)[1]
        if identity != "postings":
            n = int(identity) - 744_000
            sections = {"jobDescription": {"title": "The job", "text": text(n)}}
            return as_json({**smartrecruiters_entry(n), "jobAd": {"sections": sections}})
        offset = int(call.query["offset"])
        content = [smartrecruiters_entry(n) for n in range(offset, min(offset + 100, jobs))]
        return as_json({"offset": offset, "limit": 100, "totalFound": jobs, "content": content})

    return play


def smartrecruiters_busy(call: Call) -> Answer:
    """Each page of a posting asks once for a second of patience."""
    if not call.path.endswith("/postings") and call.count == 0:
        return Answer(b"slow down", 429, {"Retry-After": "1"})
    return smartrecruiters(3)(call)


def smartrecruiters_sick(call: Call) -> Answer:
    if call.path.endswith("/744001"):
        return Answer(b"oops", 500)
    return smartrecruiters(3)(call)


def smartrecruiters_short(call: Call) -> Answer:
    """Counts 140 postings and lists 100."""
    offset = int(call.query.get("offset", 0))
    content = [smartrecruiters_entry(n) for n in range(100)] if offset == 0 else []
    if not call.path.endswith("/postings"):
        return smartrecruiters(100)(call)
    return as_json({"offset": offset, "limit": 100, "totalFound": 140, "content": content})


def workable(call: Call) -> Answer:
    jobs = [
        {
            "title": title(n),
            "shortcode": f"W{n}",
            "url": f"https://apply.workable.com/j/W{n}",
            "published_on": day(n),
            "employment_type": "Full-time",
            "country": "Germany",
            "city": place,
            "description": text(n),
        }
        for n in range(8)
        for place in ("Berlin", "Ulm")
    ]
    return as_json({"name": "Acme", "description": "", "jobs": jobs})


def recruitee(call: Call) -> Answer:
    offers = [
        {
            "id": 900 + n,
            "title": title(n),
            "status": "published",
            "location": PLACES[n % 5],
            "company_name": "Acme",
            "careers_url": f"https://acme.recruitee.com/o/{n}",
            "published_at": f"{day(n)} 21:44:46 UTC",
            "description": text(n),
            "salary": {"min": "18.50", "max": "22.00", "period": "hour", "currency": "EUR"},
        }
        for n in range(7)
    ]
    return as_json({"offers": offers})


def personio(call: Call) -> Answer:
    positions = "".join(
        f"<position><id>{n}</id><office>{PLACES[n % 5]}</office><name>{title(n)}</name><schedule>full-time</schedule>"
        f"<employmentType>permanent</employmentType><createdAt>{day(n)}T10:00:00+02:00</createdAt><jobDescriptions>"
        f"<jobDescription><name>Tasks</name><value><![CDATA[{text(n)}]]></value></jobDescription></jobDescriptions></position>"
        for n in range(6)
    )
    return as_xml(f'<?xml version="1.0" encoding="UTF-8"?><workzag-jobs>{positions}</workzag-jobs>')


def personio_cut(call: Call) -> Answer:
    whole = personio(call)
    return Answer(whole.body[: len(whole.body) * 2 // 3], headers=whole.headers)


def teamtailor(call: Call) -> Answer:
    page = int(call.query.get("page", 1))
    items = [
        {"id": f"uuid-{n}", "title": title(n), "url": (url := f"https://acme.teamtailor.com/jobs/{800 + n}-x"), "_jobposting": declared(n, url)}
        for n in range((page - 1) * 5, page * 5)
    ]  # fmt: skip
    following = {"next_url": f"{call.root}/jobs.json?page={page + 1}"} if page < 3 else {}
    return as_json({"version": "https://jsonfeed.org/version/1.1", "title": "Acme", "items": items, **following})


def workday(jobs: int, *, facets: bool = False, cap: int | None = None) -> Callable[[Call], Answer]:
    def play(call: Call) -> Answer:
        if not call.path.endswith("/jobs"):
            n = int(call.path.rsplit("_JR", 1)[1])
            info = {
                "title": title(n),
                "jobDescription": text(n),
                "location": PLACES[n % 5],
                "startDate": day(n),
                "jobReqId": f"JR{n}",
            }
            return as_json({"jobPostingInfo": info, "hiringOrganization": {"name": "Acme"}})
        offset, chosen = call.body["offset"], call.body["appliedFacets"].get("place")
        numbers = [n for n in range(jobs) if not chosen or PLACES[n % 5] in chosen]
        listed = numbers[: cap or len(numbers)][offset : offset + 20]
        entries = [
            {"title": title(n), "externalPath": f"/job/{PLACES[n % 5]}/Job_JR{n}", "locationsText": PLACES[n % 5], "bulletFields": [f"JR{n}"]}
            for n in listed
        ]  # fmt: skip
        values = [{"id": place, "count": sum(PLACES[n % 5] == place for n in range(jobs))} for place in PLACES]
        offered = [{"facetParameter": "place", "values": values}] if facets else []
        return as_json({"total": min(len(numbers), cap or len(numbers)), "jobPostings": entries, "facets": offered})

    return play


def bamboohr(jobs: int) -> Callable[[Call], Answer]:
    def play(call: Call) -> Answer:
        if call.path != "/careers/list":
            n = int(call.path.split("/")[2])
            opening = {
                "jobOpeningShareUrl": f"https://acme.bamboohr.com/careers/{n}",
                "jobOpeningName": title(n),
                "description": text(n),
                "compensation": "€60,000 a year",
                "datePosted": day(n),
            }
            return as_json({"result": {"jobOpening": opening}})
        listed = [
            {"id": n, "jobOpeningName": title(n), "locationType": "1", "atsLocation": {"city": PLACES[n % 5]}}
            for n in range(jobs)
        ]
        return as_json({"meta": {"totalCount": jobs}, "result": listed})

    return play


def moved_away(call: Call) -> Answer:
    """A board that is gone: its platform's marketing page, on another host."""
    elsewhere = call.base.replace("127.0.0.1", "localhost")
    return Answer(b"", 302, {"Location": f"{elsewhere}/marketing/"})


def marketing(call: Call) -> Answer:
    return as_html("<h1>Hire better</h1>")


def breezy(jobs: int) -> Callable[[Call], Answer]:
    def play(call: Call) -> Answer:
        if call.path.startswith("/p/"):
            n = int(call.path.rsplit("-", 1)[1])
            return job_page(n, f"{call.root}/p/job-{n}")
        return as_json(
            [
                {
                    "id": f"breezy-{n}",
                    "friendly_id": f"job-{n}",
                    "name": title(n),
                    "url": f"{call.root}/p/job-{n}",
                    "published_date": f"{day(n)}T10:00:00.000Z",
                    "salary": "$30 - $40 / hr",
                    "location": {"name": PLACES[n % 5]},
                }
                for n in range(jobs)
            ]
        )

    return play


def pinpoint(call: Call) -> Answer:
    data = [
        {
            "id": f"p{n}",
            "title": title(n),
            "url": f"https://acme.pinpointhq.com/postings/{n}",
            "location": {"name": PLACES[n % 5]},
            "description": text(n),
            "compensation_minimum": 50_000,
            "compensation_maximum": 60_000,
            "compensation_currency": "GBP",
            "compensation_frequency": "year",
            "compensation_visible": True,
            "first_published_at": f"{day(n)}T08:00:00Z",
        }
        for n in range(6)
    ]
    return as_json({"data": data})


def himalayas(call: Call) -> Answer:
    start = int(call.query.get("cursor", 0))
    jobs = [
        {"title": title(n), "companyName": "Acme", "companySlug": "acme", "guid": f"h{n}", "locationRestrictions": [], "description": text(n),
         "minSalary": 50_000, "maxSalary": 60_000, "currency": "USD", "salaryPeriod": "annual", "pubDate": 1_790_000_000 + n}
        for n in range(start, start + 20)
    ]  # fmt: skip
    return as_json({"totalCount": 100_000, "limit": 20, "nextCursor": str(start + 20), "jobs": jobs})


def remotive(call: Call) -> Answer:
    jobs = [
        {"id": n, "title": title(n), "company_name": "Acme", "url": f"https://remotive.com/remote-jobs/{n}", "candidate_required_location": "Europe",
         "salary": "€45k - €60k", "publication_date": f"{day(n)}T10:00:00", "description": text(n)}
        for n in range(6)
    ]  # fmt: skip
    return as_json({"0-legal-notice": "Link back", "job-count": 6, "jobs": jobs})


def remoteok(call: Call) -> Answer:
    jobs = [
        {"id": str(n), "epoch": 1_790_000_000 + n, "position": title(n), "company": "Acme", "location": "Europe", "salary_min": 50_000, "salary_max": 60_000,
         "url": f"https://remoteok.com/remote-jobs/{n}", "description": text(n) + f"Please mention the word **WORD{call.count}** when applying to show that you see they're human."}
        for n in range(6)
    ]  # fmt: skip
    return as_json([{"legal": "Link back"}, *jobs])


def arbeitnow(call: Call) -> Answer:
    page = int(call.query["page"])
    jobs = [
        {"slug": f"a{n}", "title": title(n), "company_name": "Acme", "location": PLACES[n % 5], "remote": False, "job_types": [], "tags": [],
         "url": f"https://www.arbeitnow.com/jobs/{n}", "created_at": 1_790_000_000 + n, "description": text(n)}
        for n in range((page - 1) * 5, page * 5)
    ]  # fmt: skip
    following = f"{call.root}/api/job-board-api?page={page + 1}" if page < 3 else None
    return as_json({"data": jobs, "links": {"next": following}, "meta": {}})


def jobicy(call: Call) -> Answer:
    jobs = [
        {"id": n, "jobTitle": title(n), "companyName": "Acme", "jobGeo": "Europe", "url": f"https://jobicy.com/jobs/{n}", "jobDescription": text(n),
         "pubDate": f"{day(n)} 10:00:00", "salaryMin": 50_000, "salaryMax": 60_000, "salaryCurrency": "EUR", "salaryPeriod": "yearly"}
        for n in range(6)
    ]  # fmt: skip
    return as_json({"jobCount": 6, "jobs": jobs})


def feed(call: Call) -> Answer:
    items = "".join(
        f"<item><title>Acme: {title(n)}</title><guid>g{n}</guid><link>https://example.org/jobs/{n}</link><region>Europe</region>"
        f"<pubDate>Fri, 18 Sep 2026 09:30:04 +0200</pubDate><description><![CDATA[{text(n)}]]></description></item>"
        for n in range(6)
    )
    return as_xml(f'<?xml version="1.0"?><rss version="2.0"><channel><title>Jobs</title>{items}</channel></rss>')


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    "<rss><channel><item><title>&c;</title><description>&f;</description></item></channel></rss>"
)


def bomb(call: Call) -> Answer:
    return as_xml(BOMB)


def retired_feed(call: Call) -> Answer:
    return as_html("<!doctype html><html><body>Our feed is gone</body></html>")


def themuse(call: Call) -> Answer:
    page = int(call.query["page"])
    jobs = [
        {"id": n, "name": title(n), "company": {"name": "Acme"}, "locations": [{"name": PLACES[n % 5]}], "levels": [], "categories": [], "contents": text(n),
         "publication_date": f"{day(n)}T10:00:00Z", "refs": {"landing_page": f"https://www.themuse.com/jobs/acme/{n}"}}
        for n in range(page * 5, page * 5 + 5)
    ]  # fmt: skip
    return as_json({"page": page, "page_count": 2, "total": 10, "results": jobs})


def hackernews(call: Call) -> Answer:
    if call.path.endswith("search_by_date"):
        titles = ("Ask HN: Who wants to be hired? (September 2026)", "Ask HN: Who is hiring? (September 2026)")
        return as_json({"hits": [{"objectID": str(41 + n), "title": one} for n, one in enumerate(titles)]})
    comments = [
        {"id": 100 + n, "parent_id": 42, "created_at": f"{day(n)}T10:00:00Z", "text": f"Acme | {title(n)} | {PLACES[n % 5]} | Remote | $120k-$150k<p>Count."}
        for n in range(5)
    ]  # fmt: skip
    return as_json({"id": 42, "title": "Ask HN: Who is hiring? (September 2026)", "children": comments})


def jobpages(call: Call) -> Answer:
    root = call.root
    if call.path == "/sitemap.xml":
        maps = f"<sitemap><loc>{root}/jobs-1.xml.gz</loc></sitemap><sitemap><loc>https://elsewhere.example/x.xml</loc></sitemap>"
        return as_xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{maps}</sitemapindex>')
    if call.path == "/jobs-1.xml.gz":
        locs = "".join(f"<url><loc>{root}/jobs/{n}</loc><lastmod>{day(n)}</lastmod></url>" for n in range(4))
        pages = f"<urlset>{locs}<url><loc>{root}/about</loc></url></urlset>"
        return Answer(gzip.compress(pages.encode(), mtime=0), headers={"Content-Type": "application/gzip"})
    if call.path.startswith("/jobs/"):
        return job_page(int(call.path.rsplit("/", 1)[1]), f"{root}{call.path}")
    return MISSING


def warc_record(n: int) -> bytes:
    body = job_page(n, f"https://old.example/job/{n}").body
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2023-02-05T10:11:12Z\r\n"
        f"WARC-Target-URI: https://old.example/job/{n}\r\nWARC-Record-ID: <urn:uuid:{n:08d}-0000-4000-8000-000000000000>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + http + b"\r\n\r\n", mtime=0)


RECORDS = [warc_record(n) for n in range(3)]
ARCHIVE = b"".join(RECORDS)


def commoncrawl(call: Call) -> Answer:
    if call.path == "/collinfo.json":
        return as_json([{"id": "CC-MAIN-2023-06"}, {"id": "CC-MAIN-2022-49"}])
    if call.path == "/CC-MAIN-2022-49-index":
        return as_json({"message": "No Captures found"}, status=404)
    if call.path == "/CC-MAIN-2023-06-index":
        lines = []
        for n, record in enumerate(RECORDS):
            start = sum(len(one) for one in RECORDS[:n])
            entry = {"urlkey": f"example,old)/job/{n}", "timestamp": "20230205101112", "url": f"https://old.example/job/{n}", "mime": "text/html", "status": "200",
                     "length": str(len(record)), "offset": str(start), "filename": "crawl-data/one.warc.gz"}  # fmt: skip
            lines.append(json.dumps(entry))
        return Answer("\n".join(lines).encode())
    wanted = call.headers.get("Range", "").removeprefix("bytes=")
    if call.path != "/crawl-data/one.warc.gz" or not wanted:
        return MISSING
    start, end = map(int, wanted.split("-"))
    return Answer(ARCHIVE[start : end + 1], 206, {"Content-Type": "application/octet-stream"})


def wayback(call: Call) -> Answer:
    if call.path == "/cdx/search/cdx":
        header = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
        rows = [
            ["example,old)/job/1", "20230101000000", "https://old.example/job/1", "text/html", "200", "A", "1"],
            ["example,old)/job/1", "20230601000000", "https://old.example/job/1", "text/html", "200", "B", "1"],
        ]
        if "resumeKey" in call.query:
            rows = [["example,old)/job/2", "20230301000000", "https://old.example/job/2", "text/html", "200", "C", "1"]]
            return as_json([header, *rows])
        return as_json([header, *rows, [], ["example,old)/job/2 2023"]])
    n = int(call.path.rsplit("/", 1)[1])
    return job_page(n, f"https://old.example/job/{n}")


SCENES: Mapping[str, Callable[[Call], Answer]] = {
    "greenhouse": greenhouse(12),
    "greenhouse-big": greenhouse(BIG),
    "greenhouse-empty": greenhouse(0),
    "greenhouse-gone": lambda call: MISSING,
    "greenhouse-html": lambda call: as_html("<html><body>Please wait</body></html>"),
    "greenhouse-cut": lambda call: Answer(greenhouse(12)(call).body[:2_000]),
    "lever": lever(250),
    "lever-fails-later": lever_fails_later,
    "lever-repeats": lever_repeats,
    "ashby": ashby,
    "ashby-slow": lambda call: Answer(ashby(call).body, seconds=1.5),
    "smartrecruiters": smartrecruiters(3),
    "smartrecruiters-busy": smartrecruiters_busy,
    "smartrecruiters-sick": smartrecruiters_sick,
    "smartrecruiters-short": smartrecruiters_short,
    "workable": workable,
    "recruitee": recruitee,
    "personio": personio,
    "personio-cut": personio_cut,
    "teamtailor": teamtailor,
    "workday": workday(3),
    "workday-pages": workday(45),
    "workday-capped": workday(130, cap=100),
    "workday-split": workday(130, facets=True, cap=100),
    "bamboohr": bamboohr(4),
    "bamboohr-gone": moved_away,
    "marketing": marketing,
    "breezy": breezy(3),
    "pinpoint": pinpoint,
    "himalayas": himalayas,
    "remotive": remotive,
    "remoteok": remoteok,
    "arbeitnow": arbeitnow,
    "jobicy": jobicy,
    "weworkremotely": feed,
    "themuse": themuse,
    "hackernews": hackernews,
    "jobpages": jobpages,
    "feed": feed,
    "feed-bomb": bomb,
    "feed-retired": retired_feed,
    "wayback": wayback,
    "commoncrawl": commoncrawl,
}
