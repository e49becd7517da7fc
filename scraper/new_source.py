"""A new source from an address: an entry where the platform is known, else the start of a spider for it.

On an unknown site three files are written: a spider that reads nothing yet, the page as it was fetched, and a test that
fails until the spider reads it. Nothing that exists is overwritten.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scraper.platforms import Recognised, recognise
from scraper.sources import SourceError, load_sources

SCHEDULES = "{minute} {hour} * * *"


@dataclass(frozen=True, slots=True)
class NewSource:
    """What was written for a new source."""

    name: str
    recognised: Recognised | None
    entry: str
    """The entry of `sources.toml`, as text."""
    files: tuple[Path, ...]


def new_source(url: str, html: bytes | None, *, sources_file: Path, project: Path) -> NewSource:
    """Appends the entry for `url` to `sources_file`; for an unknown site also writes spider, page and test.

    `html` is the page at `url`, if it was fetched; `project` is the folder that holds `scraper/` and `tests/`. Raises
    `SourceError` when the board stands in the file already, or when an unknown site comes without its page.
    """
    existing = load_sources(sources_file) if sources_file.exists() else ()
    found = recognise(url, html)
    if found is not None:
        for source in existing:
            same_url = found.url is None or found.url == source.url
            if source.spider == found.platform.spider and source.token == found.token and same_url:
                where = str(sources_file)
                raise SourceError(where, entry=source.name, key="token", value=found.token, reason="is there already")
    name = free_name(found.token if found and found.token else host_name(url), {source.name for source in existing})
    files: list[Path] = []
    if found is None:
        if html is None:
            reason, remedy = "no platform that we know", "give its page too, so that a spider can be begun"
            raise SourceError(str(sources_file), key="url", value=url, reason=reason, remedy=remedy)
        files = write_skeleton(name, url, html, project)
    entry = entry_text(name, url, found)
    before = sources_file.read_text("utf-8") if sources_file.exists() else ""
    sources_file.write_text(before + ("\n" if before and not before.endswith("\n\n") else "") + entry, "utf-8")
    return NewSource(name, found, entry, (sources_file, *files))


def entry_text(name: str, url: str, found: Recognised | None) -> str:
    """The entry of a source. A new one is read once a day, at a minute that its name decides; windows are not whole.

    >>> from scraper.platforms import recognise
    >>> print(entry_text("acme", "https://jobs.lever.co/acme", recognise("https://jobs.lever.co/acme")), end="")
    [[source]]
    name = "acme"
    spider = "lever"
    token = "acme"
    schedule = "14 12 * * *"
    min_items = 1
    terms = "public postings API, documented, no key"
    """
    lines = ["[[source]]", f"name = {_quoted(name)}"]
    if found is None:
        lines += [f"spider = {_quoted(module_name(name))}", f"url = {_quoted(url)}", "enabled = false"]
        return "\n".join([*lines, 'terms = "not looked at yet"']) + "\n"
    lines.append(f"spider = {_quoted(found.platform.spider)}")
    if found.token is not None:
        lines.append(f"token = {_quoted(found.token)}")
    if found.url is not None:
        lines.append(f"url = {_quoted(found.url)}")
    lines += [f"schedule = {_quoted(schedule_of(name))}", "min_items = 1"]
    if not found.platform.whole:
        lines.append("complete = false")
    lines.append(f"terms = {_quoted(found.platform.terms)}")
    if found.options:
        options = ", ".join(f"{key} = {_quoted(str(value))}" for key, value in found.options.items())
        lines.append(f"options = {{ {options} }}")
    return "\n".join(lines) + "\n"


def schedule_of(name: str) -> str:
    """A daily minute that spreads sources over the day, the same for the same name everywhere."""
    minute = zlib.crc32(name.encode()) % (24 * 60)
    return SCHEDULES.format(minute=minute % 60, hour=minute // 60)


def host_name(url: str) -> str:
    """A name for a site: its host without `www.` and the words that every careers site has.

    >>> host_name("https://careers.acme-robotics.example/jobs")
    'acme-robotics'
    """
    host = (urlsplit(url).hostname or "site").removeprefix("www.")
    labels = [
        label for label in host.split(".") if label not in ("careers", "jobs", "career", "job", "com", "co", "org")
    ]
    return labels[0] if labels else host


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted` as a name that an entry may have, with a number where it is taken."""
    base = re.sub(r"[^a-z0-9._-]+", "-", wanted.lower()).strip("-._")[:70] or "source"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def module_name(name: str) -> str:
    """The file of a source's own spider.

    >>> module_name("3d-robotics.io")
    'site_3d_robotics_io'
    """
    module = re.sub(r"\W", "_", name.lower())
    return module if module[:1].isalpha() else f"site_{module}"


def write_skeleton(name: str, url: str, html: bytes, project: Path) -> list[Path]:
    """Spider, saved page and failing test for an unknown site. Raises `SourceError` when one of them exists."""
    module = module_name(name)
    page = project / "tests" / "scraper" / "boards" / "pages" / module / "page.html"
    spider = project / "scraper" / "spiders" / f"{module}.py"
    test = project / "tests" / "scraper" / "boards" / f"test_{module}.py"
    for file in (page, spider, test):
        if file.exists():
            raise SourceError(str(file), reason="exists already", remedy="finish it, or remove it first")
    class_name = "".join(part.capitalize() for part in module.split("_")) + "Spider"
    texts = {spider: SPIDER, test: TEST}
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_bytes(html)
    for file, template in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        text = template.replace("%MODULE%", module).replace("%CLASS%", class_name).replace("%URL%", _plain(url))
        file.write_text(text, "utf-8")
    return [spider, page, test]


def _plain(url: str) -> str:
    """The address without what could end a string or a docstring."""
    return re.sub(r"[\"'\\\s]", "", url)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)


SPIDER = '''"""%URL%: not read yet.

Say here where the postings are listed, what pay, dates and descriptions they have, and what the site's terms say.
"""

from __future__ import annotations

from scraper.answers import AnswerError, Ask, Parsed, Seen
from scraper.sources import Source
from scraper.spiders.board import BoardSpider


class %CLASS%(BoardSpider):
    name = "%MODULE%"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=source.url or "%URL%"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        return parse_page(body, seen)


def parse_page(body: bytes, seen: Seen) -> Parsed:
    """The postings of the page: build each with `scraper.answers.posting`."""
    raise AnswerError("not_written", f"nobody has written yet how to read {seen.url} ({len(body)} bytes)")
'''

TEST = '''"""%URL%: fails until the spider reads the saved page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from scraper.answers import Seen
from scraper.spiders.%MODULE% import parse_page

PAGE = Path(__file__).parent / "pages" / "%MODULE%" / "page.html"


def test_reads_the_postings_of_the_saved_page() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    parsed = parse_page(PAGE.read_bytes(), Seen(source="%MODULE%", url="%URL%", at=now))
    assert [record.title_text for record in parsed.postings] == ["write here what the page lists"]
'''
