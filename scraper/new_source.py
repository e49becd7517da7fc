"""A new source from an address: an entry where a built-in spider can read it, else the start of a spider for it.

A page is read by a built-in spider when its address or content belongs to a platform that we know, when it declares
schema.org JobPostings itself, or when the pages that it links to do. Nothing that exists is overwritten.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from scraper.answers import Seen
from scraper.pages.ad_links import AdLinks, ad_links, has_more_pages
from scraper.pages.jobposting import read_job_page
from scraper.platforms import Recognised, platform_of, recognise
from scraper.sources import Source, SourceError, load_sources
from scraper.spider_stub import Places, module_name, write_stub

SCHEDULES = "{minute} {hour} * * *"
PROBES = 2
"""So many ads of a list are fetched to see whether they declare themselves."""
Fetch = Callable[[str], bytes | None]
"""The body of a page, None where it could not be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found out about a careers page."""

    recognised: Recognised | None
    whole: bool = True
    """Whether the page is the whole list, as far as it says."""
    links: AdLinks | None = None
    pages: dict[str, bytes] = field(default_factory=dict)
    """The bodies that were fetched: `list`, `ad`."""


@dataclass(frozen=True, slots=True)
class NewSource:
    """What was written for a new source."""

    name: str
    recognised: Recognised | None
    entry: str
    """The entry of `sources.toml`, as text."""
    files: tuple[Path, ...]


def survey(url: str, html: bytes | None, fetch: Fetch | None = None) -> Survey:
    """Who can read the page at `url`. `fetch` gets one or two of the pages that it links to; without it none is."""
    found = recognise(url, html)
    if html is None:
        return Survey(recognised=found)
    pages = {"list": html}
    if found is not None and not (found.platform.spider == "jobpages" and not _declares_jobs(html, url)):
        return Survey(recognised=found, pages=pages)
    links = ad_links(html, url)
    if links is None or fetch is None:
        return Survey(recognised=None, links=links, pages=pages)
    for address in links.addresses[:PROBES]:
        body = fetch(address)
        if body is None:
            continue
        pages.setdefault("ad", body)
        if _declares_jobs(body, address):
            options = {"pattern": links.pattern}
            listed = Recognised(platform_of("jobpages"), url=url, options=options, found_in="linked pages")
            return Survey(recognised=listed, whole=not has_more_pages(html), links=links, pages=pages)
    return Survey(recognised=None, links=links, pages=pages)


def _declares_jobs(html: bytes, url: str) -> bool:
    return bool(read_job_page(html, Seen(source="new", url=url, at=datetime.now(UTC))).postings)


def new_source(
    url: str,
    found: Survey,
    *,
    sources_file: Path,
    places: Callable[[str], Places],
    allow_hosts: Sequence[str] = (),
    name: str | None = None,
) -> NewSource:
    """Appends the entry for `url` to `sources_file`; for an unknown site also writes the start of a spider.

    `places` says where the files of a spider's module go. Raises `SourceError` when the board stands in the file
    already, or when an unknown site comes without its page.
    """
    if not sources_file.parent.is_dir():
        raise SourceError(str(sources_file), reason="its folder does not exist", remedy="make it first")
    existing = load_sources(sources_file) if sources_file.exists() else ()
    known = found.recognised
    _require_new(url, known, existing, sources_file)
    wanted = name or (known.token if known and known.token else host_name(url))
    name = free_name(wanted, {source.name for source in existing})
    files: list[Path] = []
    if known is None:
        if "list" not in found.pages:
            reason, remedy = "no platform that we know", "give its page too, so that a spider can be begun"
            raise SourceError(str(sources_file), key="url", value=url, reason=reason, remedy=remedy)
        module = module_name(name)
        files = write_stub(module, url, found.pages, places(module), found.links)
    entry = entry_text(name, url, known, whole=found.whole, allow_hosts=allow_hosts)
    before = sources_file.read_bytes() if sources_file.exists() else b""
    with sources_file.open("ab") as out:
        gap = "" if not before else "\n" if before.endswith(b"\n") else "\n\n"
        out.write((gap + entry).encode())
    return NewSource(name, known, entry, (sources_file, *files))


def _require_new(url: str, known: Recognised | None, existing: Sequence[Source], sources_file: Path) -> None:
    for source in existing:
        if known is None:
            is_same, key, value = source.url == url, "url", url
        else:
            same_url = known.url is None or known.url == source.url
            is_same = source.spider == known.platform.spider and source.token == known.token and same_url
            key, value = ("token", known.token) if known.token else ("url", known.url or url)
        if is_same:
            where = str(sources_file)
            raise SourceError(where, entry=source.name, key=key, value=value, reason="is there already")


def entry_text(
    name: str, url: str, found: Recognised | None, *, whole: bool = True, allow_hosts: Sequence[str] = ()
) -> str:
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
    hosts = [f"allow_hosts = [{', '.join(map(_quoted, allow_hosts))}]"] if allow_hosts else []
    if found is None:
        lines += [f"spider = {_quoted(module_name(name))}", f"url = {_quoted(url)}"]
        lines += ["enabled = false  # until the spider reads it", f"schedule = {_quoted(schedule_of(name))}", *hosts]
        lines += ['# options = { company = "the employer, where the pages do not name it" }']
        return "\n".join([*lines, 'terms = "not looked at yet"']) + "\n"
    lines.append(f"spider = {_quoted(found.platform.spider)}")
    if found.token is not None:
        lines.append(f"token = {_quoted(found.token)}")
    if found.url is not None:
        lines.append(f"url = {_quoted(found.url)}")
    lines += [f"schedule = {_quoted(schedule_of(name))}", "min_items = 1"]
    if not found.platform.whole or not whole:
        lines.append("complete = false" + ("" if whole else "  # the list goes on: one run does not see all of it"))
    lines += [*hosts, f"terms = {_quoted(found.platform.terms)}"]
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
    if re.fullmatch(r"[\d.]+|.*:.*", host):
        return host  # an address in numbers has no words to leave out
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


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
