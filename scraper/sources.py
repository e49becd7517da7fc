"""Sources: one entry of `sources.toml` is one board, site, feed or archive that we read.

    [[source]]
    name = "acme"                # ours, unique; postings carry it
    spider = "greenhouse"        # one of ours, of an installed package, or of your own folder
    token = "acme"               # or url = "https://careers.acme.example/"
    schedule = "15 6 * * *"      # cron, UTC; without one it runs only when asked
    min_items = 5                # fewer or more than the healthy bounds makes a run suspect
    max_items = 400
    terms = "public job board API, no key"

An entry is checked before anything runs: an unknown key, a malformed cron expression or a code that ISO does not know
is a `SourceError`, never an ignored line. A spider that is absent or broken is not a fault of the file: it concerns its
own sources alone (`scraper.spider_files.spider_fault`), whose runs fail and say why.
"""

from __future__ import annotations

import pkgutil
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import cast
from urllib.parse import urlsplit

from db.codes import is_country, is_currency, is_language
from db.user_files import LARGEST_TOML, UserFileError, parse_user_toml, read_user_bytes

PACKAGED = Path(__file__).with_name("sources.toml")
SPIDERS_FOLDER = Path(__file__).with_name("spiders")
NO_SPIDERS = frozenset({"board"})
"""Files of `spiders/` that hold what several spiders share."""


MOST = 1_000_000_000
"""The largest count in an entry."""
_SHORT = reprlib.Repr()
"""Shows a value in a message: whole when it is a word or an address, with its middle left out when it is a book."""
_SHORT.maxstring = _SHORT.maxother = 120


class SourceError(ValueError):
    """An entry of a sources file cannot be used: says where, which key and value, why, and what would help."""

    def __init__(
        self, where: str, *, entry: str = "", key: str = "", value: object = None, reason: str, remedy: str = ""
    ) -> None:
        self.where, self.entry, self.key, self.value, self.reason, self.remedy = (
            where,
            entry,
            key,
            value,
            reason,
            remedy,
        )
        said = key and f"{key} = {_SHORT.repr(value)}"
        place = ": ".join(part for part in (where, entry and f"source {entry!r}", said) if part)
        super().__init__(f"{place}: {reason}" + (f"; {remedy}" if remedy else ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One board, site, feed or archive; the fields are the keys that an entry of `sources.toml` may have."""

    name: str
    spider: str
    url: str | None = None
    token: str | None = None
    """What a platform calls this board: `acme` in `boards-api.greenhouse.io/v1/boards/acme/jobs`."""
    schedule: str | None = None
    """Five cron fields, UTC; None = read only when asked."""
    country: str | None = None
    """ISO 3166-1 alpha-2: a declared fact about the whole source, handed on as a hint."""
    currency: str | None = None
    """ISO 4217, likewise."""
    language: str | None = None
    """ISO 639-1, likewise."""
    min_items: int | None = None
    """Fewer postings in one run than this, or more than `max_items`, and the run is suspect."""
    max_items: int | None = None
    terms: str | None = None
    """What the publisher says about reading it, in words."""
    enabled: bool = True
    complete: bool = True
    """Whether one run sees the whole source, so that absence may mean closed."""
    options: Mapping[str, object] = field(default_factory=dict)
    """What only this spider understands."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that may lie on a private or loopback address; every other one must be public."""
    own_spiders: str | None = None
    """The folder of the user's own spiders: no key of an entry, the configuration names it once."""


def captures_source() -> Source:
    """The source of captured pages read from files: it belongs to no sources file and has no runs."""
    return Source(name="captures", spider="captures", complete=False)


def spider_names() -> frozenset[str]:
    """The spiders that exist: the files of `scraper/spiders/`; a spider has the name of its file."""
    found = {module.name for module in pkgutil.iter_modules([str(SPIDERS_FOLDER)])}
    return frozenset(name for name in found - NO_SPIDERS if not name.startswith("_"))


def load_sources(path: Path | None = None, *, spiders: Path | None = None) -> tuple[Source, ...]:
    """The entries of a sources file, in its order; the packaged file when no path is given.

    `spiders` is the folder of the user's own spiders. Raises `SourceError` for a file or entry that cannot be used.
    """
    return decoded_sources(read_sources_file(path or PACKAGED), path or PACKAGED, spiders=spiders)


def read_sources_file(path: Path) -> bytes:
    """The bytes of a sources file. Raises `SourceError`."""
    try:
        return read_user_bytes(path, largest=LARGEST_TOML)
    except UserFileError as error:
        raise SourceError(str(path), reason=error.reason) from error


def decoded_sources(content: bytes, path: Path, *, spiders: Path | None = None) -> tuple[Source, ...]:
    """The entries in the bytes of the sources file `path`. Raises `SourceError`."""
    try:
        document = parse_user_toml(content, path)
    except UserFileError as error:
        where = str(path) if error.line is None else f"{path}, line {error.line}"
        raise SourceError(where, reason=error.reason) from error
    found = parse_sources(document, where=str(path))
    return tuple(replace(source, own_spiders=str(spiders)) for source in found) if spiders is not None else found


def parse_sources(document: Mapping[str, object], *, where: str) -> tuple[Source, ...]:
    """The sources of a decoded sources file; `where` names it in errors.

    >>> parse_sources({"source": [{"name": "acme", "spider": "captures"}]}, where="here")[0].enabled
    True
    """
    for key in document:
        if key != "source":
            remedy = "entries are called [[source]]"
            raise SourceError(where, key=key[:80], value="…", reason="unknown table", remedy=remedy)
    entries = document.get("source", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SourceError(where, key="source", value=entries, reason="is no list of entries", remedy="write [[source]]")
    sources: dict[str, Source] = {}
    for position, entry in enumerate(entries, 1):
        source = _source(cast(dict[str, object], entry), where=where, position=position)
        if source.name in sources:
            raise SourceError(
                where,
                entry=source.name,
                key="name",
                value=source.name,
                reason="stands twice",
                remedy="names are unique",
            )
        sources[source.name] = source
    return tuple(sources.values())


def _source(entry: Mapping[str, object], *, where: str, position: int) -> Source:
    given = entry.get("name")
    name = given[:80] if isinstance(given, str) and given else f"number {position}"
    for key in ("name", "spider"):
        if key not in entry:
            raise SourceError(
                where, entry=name, key=key, reason="is missing", remedy="each entry needs name and spider"
            )
    values: dict[str, object] = {}
    for key, value in entry.items():
        check = CHECKS.get(key)
        if check is None:
            known = ", ".join(CHECKS)
            raise SourceError(
                where, entry=name, key=key, value=value, reason="unknown key", remedy=f"known are: {known}"
            )
        reason = check(value)
        if reason is not None:
            remedy = REMEDIES.get(key, "")
            raise SourceError(where, entry=name, key=key, value=value, reason=reason, remedy=remedy)
        values[key] = _frozen(value)
    source = Source(**values)  # type: ignore[arg-type]  # each value was checked against its key above
    low, high = source.min_items, source.max_items
    if low is not None and high is not None and low > high:
        reason = f"is below min_items = {low}"
        raise SourceError(where, entry=name, key="max_items", value=high, reason=reason, remedy="exchange them")
    return source


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return MappingProxyType(value)
    return value


def _is_text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "needs to be a text that is not empty"


def _is_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "needs to be true or false"


def _is_count(value: object) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
    return None if good else f"needs to be a whole number from 0 to {MOST:,}"


def _is_name(value: object) -> str | None:
    good = isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", value)
    return None if good else "is no name"


def _is_url(value: object) -> str | None:
    if not isinstance(value, str):
        return "needs to be a text"
    try:
        parts = urlsplit(value)
        host, port_is_valid = parts.hostname, parts.port != 0
    except ValueError as error:
        return f"is no web address ({error})"
    is_whole = not any(sign <= " " or sign == "\x7f" for sign in value)
    good = parts.scheme in ("http", "https") and host and port_is_valid and not parts.username and is_whole
    return None if good else "is no web address"


def _is_cron(value: object) -> str | None:
    from scraper.schedules import CronError, trigger

    if not isinstance(value, str):
        return "needs to be a text"
    try:
        trigger(value)
    except CronError as error:
        return f"is no cron expression ({error})"
    return None


def _is_country(value: object) -> str | None:
    return None if isinstance(value, str) and is_country(value) else "ISO 3166-1 alpha-2 has no such country"


def _is_currency(value: object) -> str | None:
    return None if isinstance(value, str) and is_currency(value) else "ISO 4217 has no such currency"


def _is_language(value: object) -> str | None:
    return None if isinstance(value, str) and is_language(value) else "ISO 639-1 has no such language"


def _is_table(value: object) -> str | None:
    if not isinstance(value, dict):
        return "needs to be a table"
    left = list(value.values())
    while left:
        part = left.pop()
        if isinstance(part, dict | list):
            left += part.values() if isinstance(part, dict) else part
        elif not isinstance(part, str | bool | int | float):
            return f"holds a {type(part).__name__}"
    return None


def _is_hosts(value: object) -> str | None:
    good = isinstance(value, list) and all(isinstance(host, str) and host.strip() for host in value)
    return None if good else "needs to be a list of host names"


CHECKS: Mapping[str, Callable[[object], str | None]] = {
    "name": _is_name,
    "spider": _is_text,
    "url": _is_url,
    "token": _is_text,
    "schedule": _is_cron,
    "country": _is_country,
    "currency": _is_currency,
    "language": _is_language,
    "min_items": _is_count,
    "max_items": _is_count,
    "terms": _is_text,
    "enabled": _is_flag,
    "complete": _is_flag,
    "options": _is_table,
    "allow_hosts": _is_hosts,
}
"""Each key of an entry and the question it must pass: None, or what is wrong."""

REMEDIES: Mapping[str, str] = {
    "name": "use lower-case letters, digits, dots, hyphens and underscores, at most 80",
    "url": "write it with http:// or https:// and without a password",
    "schedule": 'five fields, minute hour day month weekday: "15 6 * * *"',
    "country": 'two capital letters: "DE"',
    "currency": 'three capital letters: "EUR"',
    "language": 'two small letters: "de"',
    "spider": "write the name of a spider",
    "options": "values are texts, numbers, true or false, lists and tables of them",
}

if {f.name for f in fields(Source)} - {"own_spiders"} != set(CHECKS):
    raise AssertionError("every field of Source has a check")
