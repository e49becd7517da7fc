"""The start of a spider for a site that no built-in spider reads: the spider, saved pages, and a test that fails.

It is written where the user's own spiders are: the folder that the configuration names, or, in a checkout of jobledger
(`--project`), beside ours. Nothing that exists is overwritten.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scraper.pages.ad_links import AdLinks
from scraper.sources import SourceError, spider_names

PACKAGES = frozenset({"aggregator", "db", "insights", "scheduler", "scraper", "service", "tests"})
NO_LINKS = AdLinks("", 'a[href*="/jobs/"]', ())


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of a new spider go, and how its test imports it."""

    spider: Path
    pages: Path
    test: Path
    imported: str


def own_places(folder: Path, module: str) -> Places:
    """In the user's own folder."""
    return Places(folder / f"{module}.py", folder / "pages" / module, folder / f"test_{module}.py", module)


def checkout_places(project: Path, module: str) -> Places:
    """In a checkout of jobledger."""
    boards = project / "tests" / "scraper" / "boards"
    spider = project / "scraper" / "spiders" / f"{module}.py"
    return Places(spider, boards / "pages" / module, boards / f"test_{module}.py", f"scraper.spiders.{module}")


def module_name(name: str) -> str:
    """The file of a source's own spider: a name that no other module has.

    >>> module_name("3d-robotics.io"), module_name("queue"), module_name("acme")
    ('site_3d_robotics_io', 'site_queue', 'acme')
    """
    module = re.sub(r"\W", "_", name.lower())
    taken = module in sys.stdlib_module_names or module in PACKAGES or module in spider_names()
    is_free = module[:1].isalpha() and not keyword.iskeyword(module) and not taken and not module.startswith("test_")
    return module if is_free else f"site_{module}"


def write_stub(module: str, url: str, pages: Mapping[str, bytes], places: Places, links: AdLinks | None) -> list[Path]:
    """Writes the files; `pages` holds the bodies of the `list` and, where one was fetched, of an `ad`.

    Raises `SourceError` when one of them exists.
    """
    found = links or NO_LINKS
    texts = {places.spider: SPIDER, places.test: TEST}
    is_json = pages["list"].lstrip()[:1] in (b"{", b"[")
    saved = {places.pages / f"{name}.{'json' if is_json else 'html'}": body for name, body in pages.items()}
    for file in (*texts, *saved):
        if file.exists():
            raise SourceError(str(file), reason="exists already", remedy="finish it, or remove it first")
    marks = {
        "%MODULE%": module,
        "%CLASS%": "".join(part.capitalize() for part in module.split("_")) + "Spider",
        "%URL%": _plain(url),
        "%AD_URL%": _plain(found.addresses[0] if found.addresses else url),
        "%AD_LINKS%": found.selector.replace("\\", "\\\\").replace("'", "\\'"),
        "%COUNT%": str(len(found.addresses)),
        "%IMPORTED%": places.imported,
        "%TEST%": str(places.test),
        "%ANSWERS%": "" if is_json else "DETAIL, Ask, ",
        "%READERS%": "read_json" if is_json else "read_ad, read_list",
        "%TESTS%": OF_JSON if is_json else OF_HTML,
        "%PAGES%": f'Path(__file__).parent / "pages" / "{module}"',
    }
    for file, body in saved.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    for file, template in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        text = template
        for mark, value in marks.items():
            text = text.replace(mark, value)
        file.write_text(text, "utf-8")
    return [*texts, *saved]


def _plain(url: str) -> str:
    """The address without what could end a string or a docstring."""
    return re.sub(r"[\"'\\\s]", "", url)


SPIDER = '''"""%URL%

Say here where the postings are listed, what pay, dates and descriptions they have, and what the site's terms say.
"""

from __future__ import annotations

from scraper.answers import DETAIL, AnswerError, Ask, Parsed, Seen, gathered, posting
from scraper.pages.rows import Row, decoded_json, listed_in
from scraper.pages.selecting import Markup
from scraper.sources import Source
from scraper.spiders.board import BoardSpider
from scraper.spiders.jobpages import page_ask

# Where things stand on the pages, as CSS selectors: most sites need no other change. Try them in your browser's
# console: document.querySelectorAll('h1')
AD_LINKS = '%AD_LINKS%'  # on the list: the links to the ads
NEXT_PAGE = 'a[rel~="next"]'  # on the list: the link to the rest of the list
NO_ADS = ".no-jobs"  # on the list: what is there when there are no ads
TITLE = "h1"  # on an ad's page
COMPANY = ".company"
PLACE = ".location"
PAY = ".salary"
EMPLOYMENT = ".employment"
DESCRIPTION = "article, main, .description"


class %CLASS%(BoardSpider):
    name = "%MODULE%"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=source.url or "%URL%"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        if ask.kind == DETAIL:
            return read_ad(body, seen)
        if body.lstrip()[:1] in (b"{", b"["):
            return read_json(body, seen)
        return read_list(body, seen)


def read_list(body: bytes, seen: Seen) -> Parsed:
    """The ads that a list page links to, and the next page of the list."""
    page = Markup(body, seen.url)
    ads, more = page.links(AD_LINKS), page.links(NEXT_PAGE)
    if not ads and page.text(NO_ADS) is None:  # else a changed page would look like an employer without openings
        raise AnswerError("no_ads", f"no link matches {AD_LINKS}, and nothing matches {NO_ADS}")
    return Parsed(asks=(*(page_ask(url, None, seen) for url in ads), *(Ask(url=url) for url in more[:1])))


def read_ad(body: bytes, seen: Seen) -> Parsed:
    """One ad from its own page. Fields that end in _text hold what the page says, word for word."""
    page = Markup(body, seen.url)
    title = page.text(TITLE)
    if title is None:
        raise AnswerError("no_title", f"nothing matches {TITLE}")
    return posting(
        seen,
        Row({}),
        title=title,
        source_id=seen.url,  # what identifies the ad for good; the site's own number where it has one
        url=seen.url,
        company_text=page.text(COMPANY),
        location_text=page.text(PLACE),
        salary_text=page.text(PAY),
        employment_text=page.text(EMPLOYMENT),
        description_text=page.block(DESCRIPTION),
    )


def read_json(body: bytes, seen: Seen) -> Parsed:
    """The same for a list that comes as JSON, an object an ad: {"jobs": [{"id": 7, "title": "Nurse", …}]}."""
    rows = listed_in(decoded_json(body), "jobs")
    return gathered(
        posting(
            seen,
            row,  # what is read here is handled; the rest of the object is kept as it is
            title=row.text("title"),
            source_id=row.text("id"),
            url=row.text("url"),
            location_text=row.text("location"),
            salary_text=row.text("salary"),
            description_text=row.html("description"),
        )
        for row in rows
    )
'''

TEST = '''"""%URL%: what the spider reads in saved pages. Fails until AD says what the page says.

Run it: python %TEST%   (pytest finds it too)
"""

from __future__ import annotations

import unittest
from datetime import UTC, datetime
from pathlib import Path

from %IMPORTED% import %READERS%

from scraper.answers import %ANSWERS%Seen

PAGES = %PAGES%
LIST_URL = "%URL%"
AD_URL = "%AD_URL%"
ADS = %COUNT%  # so many ads are on the saved list: count them on the page
AD = {
    "title_text": "write here what the saved ad says",
    "company_text": None,
    "location_text": None,
    "salary_text": None,
}


def seen(url: str) -> Seen:
    return Seen(source="%MODULE%", url=url, at=datetime(2026, 1, 1, tzinfo=UTC))


class SavedPages(unittest.TestCase):
    maxDiff = None
%TESTS%

if __name__ == "__main__":
    unittest.main()
'''

OF_HTML = """
    def test_the_list_names_its_ads(self) -> None:
        parsed = read_list((PAGES / "list.html").read_bytes(), seen(LIST_URL))
        self.assertEqual(len([ask for ask in parsed.asks if ask.kind == DETAIL]), ADS)

    def test_an_ad_is_read_as_it_stands(self) -> None:
        page = PAGES / "ad.html"
        self.assertTrue(page.exists(), f"save the page of an ad as {page}")
        (ad,) = read_ad(page.read_bytes(), seen(AD_URL)).postings
        self.assertEqual({name: getattr(ad, name) for name in AD}, AD)
"""

OF_JSON = """
    def test_the_first_ad_is_read_as_it_stands(self) -> None:
        parsed = read_json((PAGES / "list.json").read_bytes(), seen(LIST_URL))
        self.assertEqual(len(parsed.postings), ADS)
        self.assertEqual({name: getattr(parsed.postings[0], name) for name in AD}, AD)
"""
