"""Ads whose addresses begin to lead elsewhere, over a real socket: nothing that was read of them is lost."""

# ruff: noqa: E501 - tables, a case a line

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from aggregator.pipeline import aggregate
from scraper.crawl import CrawlResult, crawl
from scraper.sources import Source
from tests.scraper.boards import scenes, server
from tests.scraper.boards.scenes import Answer, Call, as_html, as_json, declared, job_page, title
from tests.scraper.loopback import Answer as Page
from tests.scraper.loopback import Route, page, serving

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HERE = ("127.0.0.1", "localhost")
LAST_SEEN = "SELECT source_id, last_seen FROM raw_posting"
KEPT = "SELECT source_id, title_text, salary_text, pay, url, description_text, company_text FROM raw_posting"


def ads(store: Engine) -> dict[str, tuple[Any, ...]]:
    """What the ledger holds of each ad, by the end of its id."""
    with store.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(text(f"{KEPT} ORDER BY 1"))}


def column(store: Engine, query: str) -> list[Any]:
    with store.connect() as connection:
        return [row[0] if len(row) == 1 else tuple(row) for row in connection.execute(text(query))]


def sitemap(base: str, *numbers: int, day: str) -> Page:
    urls = "".join(f"<url><loc>{base}/jobs/{n}</loc><lastmod>{day}</lastmod></url>" for n in numbers)
    return Page(f"<urlset>{urls}</urlset>".encode(), headers={"Content-Type": "application/xml"})


def job(n: int, **fields: object) -> Page:
    values = {name: value for name, value in {**declared(n, ""), **fields}.items() if value}
    return page(f'<script type="application/ld+json">{json.dumps(values)}</script><h1>{values["title"]}</h1>')


def moved(to: str, status: int = 301) -> Page:
    return Page(b"", status, {"Location": to})


Change = Callable[[str], Mapping[str, Page]]


def twice(change: Change, url: str, *, jobs: Sequence[int] = range(6)) -> tuple[CrawlResult, CrawlResult, str]:
    """A site with a sitemap, crawled as it is and again, a month later, with what has changed; and its address."""
    routes: dict[str, Route] = {f"/jobs/{n}": job(n) for n in jobs}
    with serving(routes) as site:
        live = site.routes
        live["/sitemap.xml"] = sitemap(site.base, *jobs, day="2026-09-01")
        source = Source(name="acme", spider="jobpages", url=f"{site.base}/sitemap.xml", allow_hosts=HERE)
        first = crawl(source, database_url=url, timeout_seconds=60)
        live["/sitemap.xml"] = sitemap(site.base, *jobs, day="2026-10-01")
        live.update(change(site.base))
        return first, crawl(source, database_url=url, timeout_seconds=60), site.base


def test_two_dead_ads_that_lead_to_one_page_stay_two_ads(store: Engine, ledger_url: str) -> None:
    before: dict[str, Any] = {}

    def change(base: str) -> Mapping[str, Page]:
        before.update(ads(store))
        careers = job(77, title="Cook", baseSalary=None)
        return {"/jobs/0": moved("/careers"), "/jobs/1": moved("/careers", 302), "/careers": careers}

    first, second, base = twice(change, ledger_url)
    assert (first.verdict, first.raw_postings, len(before)) == ("healthy", 6, 6)
    assert ads(store) == before, "no ad is overwritten, and a job without an address becomes no new ad"
    assert "the addresses of 2 of 6 ads lead to another page" in "; ".join(second.reasons)
    assert (second.verdict, second.complete) == ("healthy", True)
    rejected = column(store, "SELECT reason, url, detail FROM rejected ORDER BY url")
    assert [(reason, url) for reason, url, _ in rejected] == [("not_this_ad", f"{base}/jobs/{n}") for n in (0, 1)]
    assert f"asked for {base}/jobs/0; answered {base}/careers" in rejected[0][2]
    seen_longest_ago = column(store, "SELECT source_id FROM raw_posting ORDER BY last_seen")[:2]
    assert set(seen_longest_ago) == {f"{base}/jobs/0", f"{base}/jobs/1"}
    assert column(store, "SELECT count(*) FROM raw_posting WHERE closed_at IS NOT NULL") == [0], (
        "one miss closes nothing"
    )
    aggregate(store, now=NOW)
    assert column(store, "SELECT count(*) FROM posting") == [6]


def test_a_job_met_behind_two_dead_addresses_is_one_new_ad(store: Engine, ledger_url: str) -> None:
    before: dict[str, Any] = {}

    def change(base: str) -> Mapping[str, Page]:
        before.update(ads(store))
        cook = job(77, title="Cook", url=f"{base}/jobs/cook-77001")
        return {"/jobs/0": moved("/careers"), "/jobs/1": moved("/careers"), "/careers": cook}

    _, second, base = twice(change, ledger_url)
    after = ads(store)
    assert after.pop(f"{base}/jobs/cook-77001")[0] == "Cook"
    assert after == before
    assert second.new == 1


def test_an_ad_that_leads_to_another_listed_one_costs_that_one_nothing(ledger: Engine, database_url: str) -> None:
    before: dict[str, Any] = {}

    def change(base: str) -> Mapping[str, Page]:
        before.update(ads(ledger))
        return {"/jobs/0": moved("/jobs/3"), "/jobs/1": moved("/jobs/3"), "/jobs/3": job(3, title="Lead Analyst")}

    _, second, base = twice(change, database_url)
    after = ads(ledger)
    assert after.pop(f"{base}/jobs/3")[0] == "Lead Analyst", (
        "its own page is read although other addresses led there first"
    )
    before.pop(f"{base}/jobs/3")
    assert after == before
    assert column(ledger, "SELECT count(*) FROM rejected WHERE reason = 'not_this_ad'") == [2]
    assert second.raw_postings == 4


@dataclass(frozen=True)
class Case:
    """What comes of an ad whose own page answers otherwise in the second run."""

    answer: Callable[[str, int], Mapping[str, Page]]
    reason: str | None
    """Why its page is rejected; None where it is believed."""
    is_seen: bool
    """Whether the ad counts as seen in that run."""
    moves_to: str | None = None
    """Its new address, where it is believed there and declares none."""


def here(answer: Page) -> Callable[[str, int], Mapping[str, Page]]:
    return lambda _base, n: {f"/jobs/{n}": answer}


def behind(path: str, answer: Page) -> Callable[[str, int], Mapping[str, Page]]:
    return lambda _base, n: {f"/jobs/{n}": moved(path.format(n=n)), path.format(n=n): answer}


def html(*parts: str | Page) -> Page:
    return page("".join(part if isinstance(part, str) else part.body.decode() for part in parts))


ANALYST = {"title": "Analyst"}
CASES: dict[str, Case] = {
    "404": Case(here(page("<h1>No such page</h1>", 404)), "gone", is_seen=False),
    "410": Case(here(page("", 410)), "gone", is_seen=False),
    "soft 404": Case(here(page("<h1>This job is no longer available</h1>")), "gone", is_seen=False),
    "soft 404 with a job": Case(here(html("<h1>Position has been filled</h1>", job(90))), "gone", is_seen=False),
    "home": Case(behind("/", page("<h1>Acme</h1>")), "not_this_ad", is_seen=False),
    "another ad's page": Case(lambda _base, n: {f"/jobs/{n}": moved("/jobs/20")}, "not_this_ad", is_seen=False),
    "another ad": Case(lambda base, n: {f"/jobs/{n}": job(21, url=f"{base}/jobs/21")}, "not_this_ad", is_seen=True),
    "another ad's identifier": Case(here(job(21, identifier={"value": 21})), "not_this_ad", is_seen=True),
    "another ad's canonical": Case(here(html('<link rel="canonical" href="/jobs/21">', job(21))), "not_this_ad", is_seen=True),
    "no posting": Case(here(page("<h1>Data Engineer</h1><p>Come and count.</p>")), "no_job_posting", is_seen=True),
    "login": Case(behind("/login?next=/jobs/{n}", job(90)), "not_this_ad", is_seen=True),
    "consent": Case(behind("/cookie-consent", page("<h1>Cookies</h1>")), "not_this_ad", is_seen=True),
    "locale": Case(behind("/en/jobs/{n}/?utm_source=x", job(90, **ANALYST)), None, is_seen=True),
    "slug": Case(behind("/jobs/{n}/analyst-berlin", html('<link rel="canonical" href="../{n}">', job(90, **ANALYST))), "not_this_ad", is_seen=False),
    "declares itself": Case(lambda base, n: {f"/jobs/{n}": moved("/o/a"), "/o/a": job(90, url=f"{base}/jobs/{n}", **ANALYST)}, None, is_seen=True),
    "relative canonical": Case(lambda _base, n: {f"/jobs/{n}": moved("/o/b"), "/o/b": html(f'<link rel="canonical" href="../jobs/{n}">', job(90, **ANALYST))}, None, is_seen=True),
    "identifier": Case(lambda base, n: {f"/jobs/{n}": moved("/o/c"), "/o/c": job(90, identifier=n, url=base, **ANALYST)}, None, is_seen=True, moves_to="/o/c"),
    "site-wide canonical": Case(here(html('<link rel="canonical" href="/">', job(90, url="/", **ANALYST))), None, is_seen=True),
    "beside another": Case(lambda base, n: {f"/jobs/{n}": html(job(21, url=f"{base}/jobs/21"), job(90, **ANALYST))}, None, is_seen=True),
    "once a place": Case(lambda base, n: {f"/jobs/{n}": html(job(90, url=f"{base}/jobs/{n}", **ANALYST), job(91, url=f"{base}/jobs/{n}", **ANALYST))}, None, is_seen=True),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    base: str
    before: Mapping[str, tuple[Any, ...]]
    after: Mapping[str, tuple[Any, ...]]
    reasons: Mapping[str, str]
    seen: frozenset[str]
    run: CrawlResult


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Outcome]:
    """One site on which every case happens to an ad of its own, beside twenty ads that stay as they are."""
    file = tmp_path_factory.mktemp("moved") / "ledger.db"
    shutil.copy(sqlite_template, file)
    engine = create_engine(f"sqlite:///{file}")
    before: dict[str, tuple[Any, ...]] = {}
    seen_before: dict[str, Any] = {}
    first_number = 100

    def change(base: str) -> Mapping[str, Page]:
        before.update(ads(engine))
        seen_before.update(column(engine, LAST_SEEN))
        pages: dict[str, Page] = {}
        for n, case in enumerate(CASES.values(), first_number):
            pages.update(case.answer(base, n))
        return pages

    numbers = (*range(first_number, first_number + len(CASES)), *range(20, 50))
    _, run, base = twice(change, f"sqlite:///{file}", jobs=numbers)
    newest = column(engine, LAST_SEEN)
    seen = frozenset(name for name, last in newest if last > seen_before[name])
    reasons = dict(column(engine, "SELECT url, reason FROM rejected"))
    yield Outcome(base, before, ads(engine), reasons, seen, run)
    engine.dispose()


@pytest.mark.parametrize("name", CASES)
def test_what_comes_of_an_ad_whose_page_answers_otherwise(name: str, outcome: Outcome) -> None:
    case, address = CASES[name], f"{outcome.base}/jobs/{100 + list(CASES).index(name)}"
    assert outcome.reasons.get(address) == case.reason
    assert (address in outcome.seen) == case.is_seen
    if case.reason is None:
        title_text, _, _, url, description, _ = outcome.after[address]
        assert (title_text, url) == ("Analyst", outcome.base + case.moves_to if case.moves_to else address)
        assert description
    else:
        assert outcome.after[address] == outcome.before[address], "nothing that was read of it is lost"


def test_all_other_ads_stay_as_they_are(outcome: Outcome) -> None:
    assert outcome.after.keys() == outcome.before.keys()
    others = [f"{outcome.base}/jobs/{n}" for n in range(20, 50)]
    assert [outcome.after[name] for name in others] == [outcome.before[name] for name in others]
    assert (outcome.run.verdict, outcome.run.complete) == ("suspect", False), "some pages could not be believed"
    assert "of 50 ads lead to another page" in " ".join(outcome.run.reasons)


def test_a_site_that_moved_is_no_dying_site(ledger: Engine, database_url: str) -> None:
    def change(base: str) -> Mapping[str, Page]:
        return {**{f"/jobs/{n}": moved("/careers") for n in range(5)}, "/careers": page("<h1>Work with us</h1>")}

    _, second, _ = twice(change, database_url)
    assert (second.verdict, second.complete) == ("suspect", False)
    assert "5 of 6 ads" in second.reasons[0]


def test_a_source_that_is_one_job_page_does_not_become_the_job_behind_its_redirect(
    ledger: Engine, database_url: str
) -> None:
    with serving({"/jobs/baker": job(1)}) as site:
        source = Source(name="acme", spider="jobpages", url=f"{site.base}/jobs/baker", allow_hosts=HERE)
        crawl(source, database_url=database_url, timeout_seconds=60)
        before = ads(ledger)
        assert list(before) == [f"{site.base}/jobs/baker"]
        site.routes.update({"/jobs/baker": moved("/careers"), "/careers": job(2, title="Cook")})
        crawl(source, database_url=database_url, timeout_seconds=60)
    after = ads(ledger)
    assert after.pop(f"{site.base}/jobs/baker") == before[f"{site.base}/jobs/baker"]
    assert [values[0] for values in after.values()] == ["Cook"], "a new ad, known by its words"
    assert column(ledger, "SELECT reason FROM rejected") == ["not_this_ad"]


# Platforms that ask for each posting.

JOBS = 14
PLATFORMS: dict[str, Source] = {
    "smartrecruiters": Source(name="acme", spider="smartrecruiters", token="acme"),
    "bamboohr": Source(name="acme", spider="bamboohr", token="acme"),
    "breezy": Source(name="acme", spider="breezy", token="acme"),
    "workday": Source(name="acme", spider="workday", url="https://acme.wd5.myworkdayjobs.com/Careers"),
    "greenhouse": Source(name="acme", spider="greenhouse", token="acme", options={"details": True}),
}
DETAILS: dict[str, Callable[[int], str]] = {
    "smartrecruiters": lambda n: f"/v1/companies/acme/postings/{744_000 + n}",
    "bamboohr": lambda n: f"/careers/{n}/detail",
    "breezy": lambda n: f"/p/job-{n}",
    "workday": lambda n: f"/wday/cxs/acme/Careers/job/{scenes.PLACES[n % 5]}/Job_JR{n}",
    "greenhouse": lambda n: f"/v1/boards/acme/jobs/{7_000_000 + n}",
}
IDS: dict[str, Callable[[int], str]] = {
    "smartrecruiters": lambda n: str(744_000 + n),
    "bamboohr": str,
    "breezy": lambda n: f"breezy-{n}",
    "workday": lambda n: f"JR{n}",
    "greenhouse": lambda n: str(7_000_000 + n),
}


def greenhouse(call: Call) -> Answer:
    if call.path == "/v1/boards/acme/jobs":
        return scenes.greenhouse(JOBS)(call)
    return as_json(scenes.greenhouse_job(int(call.path.rsplit("/", 1)[1]) - 7_000_000))


SOUND: dict[str, Callable[[Call], Answer]] = {
    "smartrecruiters": scenes.smartrecruiters(JOBS),
    "bamboohr": scenes.bamboohr(JOBS),
    "breezy": scenes.breezy(JOBS),
    "workday": scenes.workday(JOBS),
    "greenhouse": greenhouse,
}


def another(platform: str, call: Call) -> Answer:
    return SOUND[platform](replace(call, path=DETAILS[platform](9)))


def to_another(platform: str, call: Call) -> Answer:
    return Answer(b"", 301, {"Location": call.root + DETAILS[platform](9)})


def to_careers(_platform: str, call: Call) -> Answer:
    return Answer(b"", 302, {"Location": f"{call.root}/careers/"})


def not_found(platform: str, _call: Call) -> Answer:
    if platform == "breezy":
        return as_html("<h1>This position is no longer available</h1>")
    return as_json({"error": "The job you requested was not found."})


def closed(platform: str, call: Call) -> Answer:
    answer = json.loads(SOUND[platform](call).body) if platform != "breezy" else {}
    if platform == "smartrecruiters":
        return as_json({**answer, "active": False})
    if platform == "bamboohr":
        answer["result"]["jobOpening"]["jobOpeningStatus"] = "Filled"
    if platform == "workday":
        answer["jobPostingInfo"]["posted"] = False
    return as_json(answer) if platform in ("bamboohr", "workday") else scenes.MISSING


WRONG: Sequence[tuple[Callable[[str, Call], Answer], str]] = (
    (another, "not_this_ad"),
    (to_another, "not_this_ad"),
    (to_careers, "not_this_ad"),
    (not_found, "gone"),
    (closed, "gone"),
    (lambda _platform, _call: scenes.MISSING, "gone"),
)
"""What the pages of the first postings answer in the second run, and why they are rejected."""


class Boards:
    """Every platform, sound at first."""

    are_wrong = False

    def play(self, platform: str, call: Call) -> Answer:
        if call.path == "/careers/":
            return job_page(80, f"{call.root}/careers/nine")
        for n, (answer, _) in enumerate(WRONG):
            if self.are_wrong and call.path == DETAILS[platform](n):
                return answer(platform, call)
        found = SOUND[platform](call)
        is_detail = call.path in {DETAILS[platform](n) for n in range(JOBS)}
        if not self.are_wrong or is_detail:
            return found
        # Each entry changes by a blank, so that the posting's own page is asked for again.
        body = found.body
        for n in range(JOBS):
            body = body.replace(f'"{title(n)}"'.encode(), f'"{title(n)} "'.encode())
        return replace(found, body=body)


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Boards]]:
    """The address of a server that plays each platform, and what it plays."""
    played = Boards()
    for platform in PLATFORMS:
        monkeypatch.setitem(scenes.SCENES, f"{platform}-moving", partial(played.play, platform))  # type: ignore[arg-type]
    with server.serving() as (port, _):
        yield f"http://127.0.0.1:{port}", played


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_that_answers_with_something_else(
    platform: str, boards: tuple[str, Boards], ledger: Engine, database_url: str
) -> None:
    base, played = boards
    source = PLATFORMS[platform]
    options = {**source.options, "api": f"{base}/{platform}-moving"}
    source = replace(source, options=options, allow_hosts=HERE)
    first = crawl(source, database_url=database_url, timeout_seconds=60)
    before = ads(ledger)
    assert (first.verdict, len(before)) == ("healthy", JOBS)
    played.are_wrong = True
    second = crawl(source, database_url=database_url, timeout_seconds=60)
    after = ads(ledger)
    assert after.keys() == before.keys(), "no ad appears that the list does not name"
    for n in range(len(WRONG)):
        assert after[IDS[platform](n)] == before[IDS[platform](n)], n
    assert sorted(column(ledger, "SELECT reason FROM rejected")) == sorted(reason for _, reason in WRONG)
    assert second.raw_postings == JOBS, "the platform's own list names the ads, so they are open"
    assert f"of {JOBS} ads lead to another page or say that the ad is gone" in " ".join(second.reasons)
