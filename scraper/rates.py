"""Exchange rates, refreshed: the European Central Bank's files fetched, checked, and written into the ledger.

The file is fetched by the same child process as every crawl, under the same rules, and kept as a page of the source
`@rates`. Rates are read from the kept page, not from the answer: a process killed between fetching and writing loses
nothing, for the next one reads the page again even when the bank answers "unchanged".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine

from db.looking import find_page_body
from db.rates import StoredRate, keep_rates, newest_day, stored_between
from db.records import RejectedRecord
from db.store import keep
from scraper.crawl import crawl
from scraper.pages.rates import Quote, Refused, parse_rates
from scraper.pages.rows import AnswerError
from scraper.sources import Source

ECB: Final = "https://www.ecb.europa.eu/stats/eurofxref/"
DAILY: Final = "eurofxref-daily.xml"
RECENT: Final = "eurofxref-hist-90d.xml"
ORIGIN: Final = "European Central Bank reference rate"
SOURCE: Final = "@rates"
"""What the ledger calls this source; no source of ours can have such a name."""
GAP: Final = timedelta(days=3)
"""From Friday to Monday. When the newest stored day is older, days may be missing between: the longer file is asked."""
STALE: Final = timedelta(days=7)
"""Longer than the bank's longest holidays: rates older than this are no news but a fault."""
JUMP: Final = 0.30
COMPARED: Final = timedelta(days=31)
"""A rate is held against the last one of so many days; a rate that the bank stands by for longer is believed."""
TIMEOUT_SECONDS: Final = 300.0
LARGEST: Final = 4 * 1024 * 1024
"""Bytes; ninety days of rates are a twentieth of it."""


class RatesError(Exception):
    """Rates could not be refreshed: says which, why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh came to."""

    url: str
    newest: date
    """The newest day that the file quotes."""
    new: int
    revised: int
    unchanged: int
    suspect: tuple[str, ...] = ()
    """Rates that were not written because they jump, each in words."""
    refused: tuple[str, ...] = field(default=())
    """What stood in the file and is no rate."""


def refresh_rates(
    engine: Engine, *, now: datetime, base: str = ECB, believe: Collection[str] = (), timeout: float = TIMEOUT_SECONDS
) -> Refreshed:
    """Fetches the bank's newest rates and writes those that can be believed, all of them in one transaction.

    `base` is the folder of the two files; a host that is named here may lie on a private address. A rate more than
    30 % away from the one before is not written unless its currency is in `believe`. Raises `RatesError`.
    """
    before = newest_day(engine, ORIGIN)
    is_recent = before is not None and now.date() - before <= GAP
    url = base.rstrip("/") + "/" + (DAILY if is_recent else RECENT)
    body = _fetched(engine, url, base, timeout)
    try:
        quoted = parse_rates(body, now.date())
    except AnswerError as error:
        keep(engine, [_rejected(url, error.reason, error.detail, now, error.excerpt)])
        raise RatesError(f"{url} cannot be read: {error}") from error
    if not quoted.quotes:
        keep(engine, [_rejected(url, refused.reason, refused.detail, now) for refused in quoted.refused])
        raise RatesError(f"{url} holds no usable rate: {quoted.refused[0].detail}")
    newest = quoted.quotes[-1].on
    believed, suspect = judge_jumps(quoted.quotes, _known_before(engine, quoted.quotes), believe)
    doubts = (*quoted.refused, *suspect)
    keep(engine, [_rejected(url, doubt.reason, doubt.detail, now) for doubt in doubts])
    counts = keep_rates(engine, (StoredRate(quote.currency, quote.on, quote.usd, ORIGIN) for quote in believed))
    if now.date() - newest > STALE:
        raise RatesError(f"the newest rates at {url} are of {newest}: the file is no longer kept up; look for another")
    return Refreshed(
        url=url,
        newest=newest,
        new=counts.new,
        revised=counts.revised,
        unchanged=counts.unchanged,
        suspect=tuple(doubt.detail for doubt in suspect),
        refused=tuple(doubt.detail for doubt in quoted.refused),
    )


def judge_jumps(
    quotes: Iterable[Quote], known: Iterable[StoredRate], believe: Collection[str] = ()
) -> tuple[list[Quote], list[Refused]]:
    """The quotes to be believed, and those that lie more than 30 % from the last believed one of their currency.

    >>> day = date(2026, 3, 2)
    >>> known = [StoredRate("CHF", day, 1.1, "x")]
    >>> judge_jumps([Quote(day + timedelta(days=1), "CHF", 11.0)], known)[0]
    []
    """
    last = {rate.currency: (rate.on, rate.usd) for rate in sorted(known, key=lambda rate: rate.on)}
    believed: list[Quote] = []
    suspect: list[Refused] = []
    for quote in sorted(quotes):
        day, usd = last.get(quote.currency, (quote.on, quote.usd))
        change = max(quote.usd / usd, usd / quote.usd) - 1
        if change > JUMP and quote.on - day <= COMPARED and quote.currency not in believe:
            detail = f"{quote.currency}: {quote.usd:.6g} dollars on {quote.on} after {usd:.6g} on {day}"
            suspect.append(Refused("rate_jumps", detail))
            continue
        believed.append(quote)
        last[quote.currency] = (quote.on, quote.usd)
    return believed, suspect


def _known_before(engine: Engine, quotes: tuple[Quote, ...]) -> list[StoredRate]:
    first = quotes[0].on
    return stored_between(engine, first - COMPARED, first - timedelta(days=1))


def _fetched(engine: Engine, url: str, base: str, timeout: float) -> bytes:
    """The file as the bank last served it: fetched now, or kept from before and unchanged since."""
    host = urlsplit(url).hostname
    if urlsplit(url).scheme not in {"http", "https"} or host is None:
        raise RatesError(f"{base!r} is no web address: write https://…")
    named = () if base == ECB else (host,)  # who gives another address knows where it lies
    options = {"stay": True, "largest": LARGEST}
    source = Source(name=SOURCE, spider="onepage", url=url, allow_hosts=named, options=options)
    database_url = engine.url.render_as_string(hide_password=False)
    result = crawl(source, database_url=database_url, timeout_seconds=timeout)
    if result.verdict == "failed":
        raise RatesError(f"{url} could not be fetched: {'; '.join(result.reasons)}")
    body = find_page_body(engine, SOURCE, url=url)
    if body is None:  # its body was erased while the bank still calls the file unchanged
        raise RatesError(f"{url} is unchanged, but its text was erased from the ledger: wait for the next day's rates")
    return body


def _rejected(url: str, reason: str, detail: str, now: datetime, excerpt: str = "") -> RejectedRecord:
    return RejectedRecord(source=SOURCE, url=url, reason=reason, detail=detail, seen_at=now, excerpt=excerpt)
