"""WARC files of made-up pages, for tests and benchmarks: the same seed gives the same bytes.

    python -m benchmarks.warc_pages FILE [--pages N] [--jobs SHARE] [--articles SHARE] [--seed N]

A page without a job has the size and the parts of an ordinary page: menus, styles, scripts, JSON-LD about the site,
30 to 80 KB. Some say "salary", "vs." or "minutes to read" in passing, have e-mail addresses, or "@" in their styles, as
pages do. A page with a job carries it as JSON-LD. Records are packed one a gzip member, as archives do, unless the
name ends in `.warc`.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "ro", "su", "ta", "ve", "zi", "ka", "re", "to", "an", "en")
PASSING = (
    ("salary", 0.015), ("Bolton vs. Leeds", 0.05), ("explained", 0.04), ("versus", 0.01), ("contents", 0.04),
    ("minutes to read", 0.02), ("posting", 0.04), ("info@shop.example", 0.25), ("featured products", 0.1),
    ("mail&#64;shop.example", 0.05),
)  # fmt: skip
"""Words of pages without a job that a careless test takes for one, and the share of pages that say them."""
TITLES = ("Data Engineer", "Senior Data Scientist", "Machine Learning Engineer", "Nurse", "Product Manager", "Chef")
PLACES = (("Berlin", "DE", "EUR"), ("London", "GB", "GBP"), ("Austin", "US", "USD"), ("Paris", "FR", "EUR"))
STYLE = "@media (max-width:%dpx){.c%d a:hover,.c%d>li{margin:0 auto;padding:%dpx 12px;display:flex;color:#33%d}}\n"
SCRIPT = "window.q=window.q||[];function f%d(a,b){return a.min||b?a:{id:%d,url:'/x/%d.min.js',on:a&&b}}\n"


def vocabulary(chance: random.Random) -> list[str]:
    """Two thousand words, the first ones said most often."""
    return ["".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(2_000)]


class Pages:
    """Makes pages; every answer depends on the seed and the calls before alone."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        words = vocabulary(self.chance)
        weights = [1 / (rank + 5) for rank in range(len(words))]
        said = [self.chance.choices(words, weights, k=self.chance.randrange(30, 90)) for _ in range(400)]
        self.paragraphs = ["<p>" + " ".join(line).capitalize() + ".</p>\n" for line in said]
        self.items = [f'<li class="c{n}"><a href="/{line[0]}/{n}">{" ".join(line[:3])}</a></li>\n' for n, line in
                      enumerate(said)]  # fmt: skip
        self.styles = [STYLE % (600 + n, n, n, n % 40, n % 10) for n in range(60)]
        self.scripts = [SCRIPT % (n, n * 7, n) for n in range(60)]

    def frame(self, number: int, title: str, body: str, *, head: str = "", size: int = 0) -> bytes:
        """A whole page of about `size` bytes around a body."""
        chance = self.chance
        site = {"@context": "https://schema.org", "@type": "WebPage", "name": f"{title} | Site {number % 900}"}
        top = [f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} | Site</title>\n', head]
        top += [
            f'<script type="application/ld+json">{json.dumps(site)}</script><style>',
            *chance.sample(self.styles, 40),
        ]
        top += ["</style><script>", *chance.sample(self.scripts, 40), "</script></head><body><nav><ul>"]
        top += [*chance.sample(self.items, 60), "</ul></nav>"]
        page = "".join(top) + f"<main>{body}"
        while len(page) < size - 9_000:
            page += "".join(chance.sample(self.paragraphs, 8)) + "<div class='row'><ul>"
            page += "".join(chance.sample(self.items, 12)) + "</ul></div>"
        below = "".join(chance.sample(self.items, 80))
        return f"{page}</main><footer><ul>{below}</ul><p>since 1999</p></footer></body></html>".encode()

    def plain(self, number: int) -> bytes:
        """A page without a job or an article."""
        chance = self.chance
        passing = "".join(f"<p>It is {words} here.</p>" for words, share in PASSING if chance.random() < share)
        title = " ".join(chance.choice(self.paragraphs)[3:].split()[:5]).strip(".")
        body = f"<h1>{title}</h1>{passing}"
        return self.frame(number, title, body, size=chance.randrange(30_000, 80_000))

    def job(self, number: int) -> bytes:
        """A page with one job in JSON-LD, with a description of about 4 KB, that it shows too."""
        chance = self.chance
        title, (city, country, currency) = chance.choice(TITLES), chance.choice(PLACES)
        low = chance.randrange(40, 150) * 1_000
        text = "".join(chance.sample(self.paragraphs, 7)) + "<ul>" + "".join(chance.sample(self.items, 10)) + "</ul>"
        declared = {
            "@context": "https://schema.org/", "@type": "JobPosting", "title": title, "description": text,
            "identifier": {"@type": "PropertyValue", "name": f"Firm {number % 500}", "value": f"R-{number}"},
            "datePosted": f"2024-02-{1 + number % 28:02d}", "employmentType": "FULL_TIME",
            "hiringOrganization": {"@type": "Organization", "name": f"Firm {number % 500}"},
            "jobLocation": {"@type": "Place", "address": {
                "@type": "PostalAddress", "addressLocality": city, "addressCountry": country}},
            "baseSalary": {"@type": "MonetaryAmount", "currency": currency, "value": {
                "@type": "QuantitativeValue", "minValue": low, "maxValue": low + 20_000, "unitText": "YEAR"}},
        }  # fmt: skip
        script = f'<script type="application/ld+json">{json.dumps(declared)}</script>'
        size = chance.randrange(30_000, 80_000)
        return self.frame(number, title, f"<h1>{title}</h1>{text}", head=script, size=size)

    def article(self, number: int) -> bytes:
        """A career article with a featured job."""
        one, other = self.chance.sample(TITLES, 2)
        body = (
            f"<h1>{one} vs. {other}</h1><p>{1 + number % 9} min read · Dec. 6, 2023</p><h2>Salaries</h2>"
            + "".join(self.chance.sample(self.paragraphs, 6))
            + f"<h3>Featured Job 👀</h3><p><a href='/job/{number}-x/'>{one}</a></p><p>@ Firm {number} | Berlin</p>"
            + "<p>Full Time Senior-level / Expert EUR 70K - 90K</p>"
        )
        return self.frame(number, f"{one} vs. {other}", body, size=self.chance.randrange(30_000, 60_000))


def record(url: str, at: datetime, body: bytes, *, kind: str = "text/html", http: bytes | None = None) -> bytes:
    """One WARC record of an answer, unpacked; `http` in place of the usual head of the answer."""
    if http is None:
        http = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: {at:%Y-%m-%dT%H:%M:%SZ}\r\n"
        f"WARC-Record-ID: <urn:uuid:{abs(hash_of(url)):032x}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http) + len(body)}\r\n\r\n"
    )
    return head.encode() + http + body + b"\r\n\r\n"


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode())


def packed(data: bytes) -> bytes:
    """One gzip member, as fast as gzip goes, without a time in it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def each_page(count: int, *, jobs: float, articles: float, seed: int) -> Iterator[tuple[str, bytes]]:
    """(address, page) of each page, spread evenly at random."""
    pages = Pages(seed)
    for number in range(count):
        drawn = pages.chance.random()
        name, make = "page", pages.plain
        if drawn < jobs:
            name, make = "job", pages.job
        elif drawn < jobs + articles:
            name, make = "article", pages.article
        yield f"https://site{number % 900}.example/{name}/{number}", make(number)


def write_warc(
    file: Path, count: int, *, jobs: float = 0.01, articles: float = 0.0, seed: int = 1, size: int | None = None
) -> int:
    """Writes a WARC file of `count` pages, or until it holds `size` bytes unpacked; returns how many pages it has."""
    total, number = 0, 0
    pack = packed if file.suffix == ".gz" else bytes
    with file.open("wb") as out:
        info = (
            b"WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Date: 2024-03-01T00:00:00Z\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
        )
        out.write(pack(info))
        for number, (url, body) in enumerate(each_page(count, jobs=jobs, articles=articles, seed=seed), 1):
            made = record(url, FIRST + timedelta(seconds=number), body)
            out.write(pack(made))
            total += len(made)
            if size is not None and total >= size:
                break
    return number


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("file", type=Path)
    asked.add_argument("--pages", type=int, default=1_000)
    asked.add_argument("--jobs", type=float, default=0.01)
    asked.add_argument("--articles", type=float, default=0.0)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    pages = write_warc(given.file, given.pages, jobs=given.jobs, articles=given.articles, seed=given.seed)
    print(f"{pages} pages, {given.file.stat().st_size / 1e6:.1f} MB in {given.file}")


if __name__ == "__main__":
    main()
