"""Where a crawl may go, and what it survives: refused at connect time on every hop, cut when it never ends."""

from __future__ import annotations

import resource
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from scraper.crawl import CrawlResult, crawl
from scraper.safety import refusal
from scraper.sources import Source
from tests.scraper.loopback import Answer, Loopback, Request, page, serving

REFUSED = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "::127.0.0.1": "loopback",
    "64:ff9b::7f00:1": "loopback",
    "2002:7f00:1::": "loopback",
    "169.254.169.254": "link-local",
    "::ffff:169.254.169.254": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fd00:ec2::254": "private",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.0.1": "private",
    "192.0.2.1": "private",
    "198.18.0.1": "private",
    "100.64.0.1": "not public",
    "100.100.100.200": "not public",
    "100.127.255.255": "not public",
    "0.0.0.0": "unspecified",
    "::": "unspecified",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "255.255.255.255": "private",
    "240.0.0.1": "private",
    "fec0::1": "site-local",
    "nonsense": "no address",
}
PUBLIC = (
    "93.184.216.34",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
)


@pytest.mark.parametrize(("address", "why"), REFUSED.items(), ids=REFUSED)
def test_addresses_that_are_not_public(address: str, why: str) -> None:
    assert refusal(address) is not None
    if why in {"loopback", "link-local", "no address", "multicast", "unspecified"}:
        assert refusal(address) == why


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert refusal(address) is None


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_alike(address: object) -> None:
    assert (refusal(str(address)) is None) == (refusal(f"::ffff:{address}") is None)


def endless(pause: float, piece: bytes) -> Callable[[Callable[[bytes], None]], None]:
    def stream(write: Callable[[bytes], None]) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            write(piece)
            time.sleep(pause)

    return stream


def once_busy(request: Request) -> Answer:
    return page("busy", 429, Retry_After="1") if request.count == 0 else page("fine")


def busy_until(request: Request) -> Answer:
    """Asks for patience until a moment, as a date."""
    return (
        page("busy", 503, Retry_After=formatdate(time.time() + 2, usegmt=True)) if request.count == 0 else page("fine")
    )


def gigabytes(number: int) -> bytes:
    """A gzip file of a thousandth of its size, all zeros when unpacked."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(bytes(1)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(100_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    return head + again * 10 * number


@dataclass(frozen=True)
class Visit:
    result: CrawlResult
    site: Loopback
    read: set[str]
    rejected: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """One crawl of everything that is dangerous, on loopback; only `127.0.0.1` is allowed, by that name."""
    routes = {
        "/robots.txt": Answer(b"User-agent: *\nDisallow: /private\n", headers={"Content-Type": "text/plain"}),
        "/fine": page("fine"),
        "/private": page("private"),
        "/to-name": lambda r: page("", 302, Location=f"http://localhost:{port}/secret"),
        "/to-metadata": page("", 302, Location="http://169.254.169.254/latest/meta-data/"),
        "/to-file": page("", 302, Location="file:///etc/passwd"),
        "/to-ftp": page("", 301, Location="ftp://127.0.0.1/x"),
        "/around": page("", 302, Location="/around"),
        "/bomb": Answer(gigabytes(10), headers={"Content-Encoding": "gzip", "Content-Type": "text/html"}),
        "/small-bomb": Answer(gigabytes(5), headers={"Content-Encoding": "gzip", "Content-Type": "text/html"}),
        "/drip": Answer(stream=endless(0.2, b"x")),
        "/flood": Answer(stream=endless(0.0, b"x" * 65_536)),
        "/busy": once_busy,
        "/busy-until": busy_until,
        "/too-busy": page("busy", 429, Retry_After="86400"),
        "/challenge": page("<title>Just a moment...</title>", 403),
        "/soft-challenge": page("<title>Just a moment...</title>", 200),
        "/secret": page("secret"),
    }
    folder = tmp_path_factory.mktemp("visit")
    with serving(routes) as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        patch.setenv("http_proxy", "http://127.0.0.1:1")
        port = int(site.base.rsplit(":", 1)[1])
        hosts = ("localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:127.0.0.1]")
        urls = [site.base + path for path in routes if path not in {"/robots.txt", "/secret"}]
        urls += [f"http://{host}:{port}/secret" for host in hosts]
        urls += [
            "http://169.254.169.254/latest/meta-data/",
            "http://10.0.0.1/",
            "http://100.64.0.1/",
            "file:///etc/passwd",
        ]
        source = Source(name="visit", spider="fetches", options={"urls": urls}, allow_hosts=("127.0.0.1",))
        url = f"sqlite:///{folder / 'ledger.db'}"
        result = crawl(source, database_url=url, spider_modules=("tests.scraper.faulty",), timeout_seconds=60)
        engine = create_engine(url)
        with engine.connect() as connection:
            read = {row[0].removeprefix(site.base) for row in connection.execute(text("SELECT url FROM page"))}
            rows = connection.execute(text("SELECT url, reason, detail FROM rejected")).all()
        engine.dispose()
        yield Visit(result, site, read, {row[0].removeprefix(site.base): (row[1], row[2]) for row in rows})


def test_only_what_is_harmless_was_read(visit: Visit) -> None:
    assert visit.read == {"/fine", "/busy", "/busy-until"}


def test_no_private_page_was_asked_for(visit: Visit) -> None:
    assert "/secret" not in visit.site.paths()
    assert "/private" not in visit.site.paths()


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:127.0.0.1]"])
def test_every_spelling_of_a_private_address_is_refused_by_name(visit: Visit, host: str) -> None:
    port = visit.site.base.rsplit(":", 1)[1]
    assert visit.rejected[f"http://{host}:{port}/secret"][0] == "RefusedAddressError"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://100.64.0.1/"])
def test_private_addresses_are_refused(visit: Visit, url: str) -> None:
    reason, detail = visit.rejected[url]
    assert reason == "RefusedAddressError"
    assert url in detail


@pytest.mark.parametrize("path", ["/to-name", "/to-metadata", "/to-file", "/to-ftp", "/around"])
def test_redirects_are_judged_again(visit: Visit, path: str) -> None:
    rejected = {url for url in visit.rejected if path in url or "localhost" in url or "169.254" in url}
    assert path not in visit.read
    assert rejected


def test_a_file_is_no_page(visit: Visit) -> None:
    assert "file:///etc/passwd" in visit.rejected


@pytest.mark.parametrize("path", ["/bomb", "/small-bomb", "/drip", "/flood"])
def test_what_is_too_much_is_cut(visit: Visit, path: str) -> None:
    assert path in visit.rejected
    # A child's high-water mark begins at that of the process that started it.
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert visit.result.stats["memusage/max"] < max(500_000_000, inherited + 100_000_000)


def test_robots_are_obeyed(visit: Visit) -> None:
    assert visit.site.paths().count("/robots.txt") == 1
    assert "robots" in visit.rejected["/private"][1].lower()


def test_we_say_who_we_are(visit: Visit) -> None:
    agents = {request.headers["User-Agent"] for request in visit.site.asked}
    assert len(agents) == 1
    assert agents.pop().startswith("jobledger/")
    assert all("Cookie" not in r.headers and "Referer" not in r.headers for r in visit.site.asked)


@pytest.mark.parametrize("path", ["/busy", "/busy-until"])
def test_a_wait_that_is_asked_for_is_waited(visit: Visit, path: str) -> None:
    assert visit.site.paths().count(path) == 2
    assert visit.result.stats["jobledger/retry_after"] == 3  # that of /too-busy was heard too


def test_the_bombs_are_bombs() -> None:
    unpacker, size = zlib.decompressobj(wbits=31), 0
    data = gigabytes(5)
    assert len(data) < 8_000_000
    for _ in range(3):
        size += len(unpacker.decompress(data, 100_000_000))
        data = unpacker.unconsumed_tail
    assert size == 300_000_000


def test_a_wait_beyond_the_cap_is_left_to_the_next_run(visit: Visit) -> None:
    assert visit.site.paths().count("/too-busy") == 1
    assert visit.result.stats["jobledger/retry_after_beyond_cap"] == 1


@pytest.mark.parametrize("path", ["/challenge", "/soft-challenge"])
def test_a_challenge_is_neither_a_page_nor_evaded(visit: Visit, path: str) -> None:
    assert visit.rejected[path][0] == "ChallengeError"
    assert visit.site.paths().count(path) == 1


def test_such_a_run_is_not_believed(visit: Visit) -> None:
    assert visit.result.verdict == "failed"
    assert not visit.result.complete
    assert any("whether we are human" in reason for reason in visit.result.reasons)
