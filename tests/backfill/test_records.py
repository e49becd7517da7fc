"""Damaged files: what is sound is read, what is not is named with its offset, and nothing stops the rest."""

from __future__ import annotations

import gzip
import random
import zlib
from pathlib import Path

import pytest
from fastwarc.warc import WarcRecordType

from benchmarks.warc_pages import record
from scraper.backfill.inputs import LocalFile
from scraper.backfill.records import RESPONSE, Answer, Broken, Entry, each_record
from scraper.pages.warc import LONGEST
from tests.backfill.warcs import AT, member

A, C = member("http://a.example/", b"<p>a" * 50), member("http://c.example/", b"<p>c" * 50)
PLAIN_A, PLAIN_C = (gzip.decompress(one) for one in (A, C))


def _head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", "Content-Type: text/html", *lines, "", "")).encode()


def _b(body: bytes, *lines: str) -> bytes:
    return record("http://b.example/", AT, body, http=_head(*lines))


def _longer(data: bytes, by: int) -> bytes:
    """The record with a Content-Length that is off by so much."""
    before, _, rest = data.partition(b"Content-Length: ")
    number, _, after = rest.partition(b"\r\n")
    return before + b"Content-Length: %d\r\n" % (int(number) + by) + after


NOISE = random.Random(1).randbytes(9_000)
SQUARES = member("http://b.example/", b" ".join(b"%d" % n**2 for n in range(3_000)))
NO_HTTP = record("http://b.example/", AT, b"x", http=b"\0\xff\r\n\r\n")
BROKEN_GZIP = b"\x1f\x8b\x08" + b"x" * 50
DAMAGED = {
    "cut member": (A + member("http://b.example/", NOISE)[:4_000] + C, None),
    "damaged member": (A + SQUARES[:2_000] + b"x" * 30 + SQUARES[2_030:] + C, "broken_record"),
    "head of a member only": (A + member("http://b.example/", NOISE)[:60] + C, "broken_record"),
    "no gzip between": (A + b"garbage" * 40 + C, "broken_record"),
    "no record in a member": (A + gzip.compress(b"hello\r\n\r\n") + C, "broken_record"),
    "endless head": (A + gzip.compress(b"WARC/1.0\r\nX: " + b"a" * 5_000_000) + C, "broken_record"),
    "length too large": (A + gzip.compress(_longer(_b(b"x" * 99), 4_000)) + C, "wrong_length"),
    "length too small": (A + gzip.compress(_longer(_b(b"x" * 99), -60)) + C, "broken_record"),
    "length too large, unpacked": (PLAIN_A + _longer(_b(b"x" * 99), 200) + PLAIN_C, "wrong_length"),
    "length too small, unpacked": (PLAIN_A + _longer(_b(b"x" * 99), -60) + PLAIN_C, "broken_record"),
    "garbage, unpacked": (PLAIN_A + b"garbage\r\n\r\n" + PLAIN_C, "broken_record"),
    "no answer of a server": (A + gzip.compress(NO_HTTP) + C, "broken_http"),
    "no time": (A + gzip.compress(_b(b"x").replace(b"2024-05-06T07:08:09Z", b"yesterday")) + C, "broken_record"),
    "unknown encoding": (A + gzip.compress(_b(b"x", "Content-Encoding: rot13")) + C, "broken_body"),
    "broken brotli": (A + gzip.compress(_b(b"x" * 50, "Content-Encoding: br")) + C, "broken_body"),
    "broken gzip inside": (A + gzip.compress(_b(BROKEN_GZIP, "Content-Encoding: gzip")) + C, "broken_body"),
    "broken first": (A[:80] + A + C, "broken_record"),
}  # fmt: skip


def _read(data: bytes, tmp_path: Path) -> list[Entry]:
    file = tmp_path / "x.warc"
    file.write_bytes(data)
    return list(each_record(LocalFile(file)))


@pytest.mark.parametrize(("data", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_the_records_around_a_damage_are_read_once_and_it_is_named(
    data: bytes, reason: str | None, tmp_path: Path
) -> None:
    entries = _read(data, tmp_path)
    whole = [entry.url for entry in entries if isinstance(entry, Answer) and entry.url != "http://b.example/"]
    assert whole == ["http://a.example/", "http://c.example/"]
    named = [entry for entry in entries if isinstance(entry, Broken)]
    assert len(named) <= 1, "a damage is named once"
    assert named or any(isinstance(entry, Answer) and entry.truncated for entry in entries)
    if reason is not None:
        assert [broken.reason for broken in named] == [reason]
        assert "\n" not in named[0].detail
    assert all(data[entry.offset :][:2] == data[:2] for entry in entries if isinstance(entry, Answer))


def test_a_cut_end_is_a_cut_page(tmp_path: Path) -> None:
    *_, last = _read(A + member("http://b.example/", NOISE)[:6_000], tmp_path)
    assert isinstance(last, Broken) or (isinstance(last, Answer) and last.truncated)


@pytest.mark.parametrize("lead", [b"", PLAIN_A, A])
def test_noise_ends(lead: bytes, tmp_path: Path) -> None:
    entries = _read(lead + NOISE * 20, tmp_path)
    assert [entry.reason for entry in entries if isinstance(entry, Broken)] == ["broken_record"]


BODY = b"<html>" + b"hello " * 500 + b"</html>"
ENCODED = {
    "gzip": (gzip.compress(BODY), ("Content-Encoding: gzip",)),
    "deflate": (zlib.compress(BODY), ("Content-Encoding: deflate",)),
    "bare deflate": (zlib.compress(BODY)[2:-4], ("Content-Encoding: deflate",)),
    "chunked": (b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), ("Transfer-Encoding: chunked",)),
    "gzip, header left over": (BODY, ("Content-Encoding: gzip",)),
    "chunked, header left over": (BODY, ("Transfer-Encoding: chunked",)),
    "identity": (BODY, ("Content-Encoding: identity",)),
}


@pytest.mark.parametrize(("body", "lines"), ENCODED.values(), ids=ENCODED)
def test_encodings_are_undone(body: bytes, lines: tuple[str, ...], tmp_path: Path) -> None:
    (entry,) = _read(gzip.compress(_b(body, *lines)), tmp_path)
    assert isinstance(entry, Answer)
    assert (entry.body, entry.truncated) == (BODY, False)


def test_the_number_of_the_record_type_is_fastwarcs() -> None:
    assert WarcRecordType.response == RESPONSE


def test_bombs_are_cut(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    inside = gzip.compress(_b(bomb, "Content-Encoding: gzip"))
    whole = gzip.compress(_b(bytes(100 << 20)), 1)
    entries = _read(inside + whole + C, tmp_path)
    assert [(len(e.body), e.truncated) for e in entries if isinstance(e, Answer)][:2] == [(LONGEST, True)] * 2
    assert entries[-1].offset == len(inside) + len(whole)
