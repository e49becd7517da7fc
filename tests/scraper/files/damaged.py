"""WARC files with damages, made by code, and what is right for each: the ads that are read, the reasons reported."""

from __future__ import annotations

import bz2
import gzip
import random
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import brotli

from benchmarks.warc_pages import record
from db.files import LARGEST
from scraper.files.members import zstd
from tests.backfill.warcs import AT, job

NOISE = random.Random(1).randbytes(9_000)
"""Bytes that no packer makes shorter."""


class Case(NamedTuple):
    data: bytes
    titles: list[str]
    """The ads that are read, in the order of the file."""
    reasons: list[str]
    """What is reported, in the order of the file."""


def ad(title: str, *lines: str, body: bytes | None = None, url: str | None = None) -> bytes:
    """An unpacked record of a page with one ad."""
    http = "\r\n".join(("HTTP/1.1 200 OK", "Content-Type: text/html", *lines, "", "")).encode()
    return record(url or f"https://old.example/{title}", AT, job(title) if body is None else body, http=http)


def lied(data: bytes, by: int) -> bytes:
    """The record with a length that is wrong by so many bytes."""
    before, name, rest = data.partition(b"\r\nContent-Length: ")
    number, _, after = rest.partition(b"\r\n")
    return before + name + b"%d\r\n" % (int(number) + by) + after


def field(data: bytes, old: bytes, new: bytes) -> bytes:
    """The record with something else in its head."""
    assert old in data
    return data.replace(old, new, 1)


def gz(*parts: bytes) -> bytes:
    """Each part as a gzip member."""
    return b"".join(gzip.compress(part, 1, mtime=0) for part in parts)


def zst(*parts: bytes) -> bytes:
    return b"".join(zstd.compress(part) for part in parts)


def in_blocks(data: bytes, size: int) -> bytes:
    """Packed in members of equal size, whatever they hold, as block packers do."""
    return gz(*(data[start : start + size] for start in range(0, len(data), size)))


def typed(kind: str, media_type: str, block: bytes, url: str = "https://old.example/typed") -> bytes:
    head = f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <{url}>\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n"
    return f"{head}Content-Type: {media_type}\r\nContent-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


A, B, C = ad("A"), ad("B"), ad("C")
BAD_CRC = bytearray(gz(B))
BAD_CRC[-6] ^= 0xFF
FLIPPED = bytearray(gz(ad("B", body=b" ".join(b"%d" % n**2 for n in range(3_000)))))
FLIPPED[2_000:2_030] = b"x" * 30
BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMB_BYTES = b"".join(BOMB.compress(bytes(1 << 20)) for _ in range(70)) + BOMB.flush()
HUGE = bytes(LARGEST + 1)
GARBAGE = b"garbage between records " * 40
PLAIN = job("B")
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PLAIN), PLAIN)
MANY = [ad(f"Z{number}") for number in range(60)]
MANY_TITLES = [f"Z{number}" for number in range(60)]

INNER = record("https://x.example/", AT, b"a record inside")
BAD_TIME = field(B, b"2024-05-06T07:08:09Z", b"yesterday")
EMPTY = field(B, b"Content-Length: ", b"Content-Length: 0\r\nX: ")
ENDLESS = b"WARC/1.0\r\nX: " + b"a" * 5_000_000
LONG = gz(A + b"".join(MANY) + ad("B", body=NOISE))
SHORT = ad("B", "Content-Length: 90000")

SOUND: Mapping[str, Case] = {
    "plain": Case(A + B + C, ["A", "B", "C"], []),
    "a member each": Case(gz(A, B, C), ["A", "B", "C"], []),
    "one member": Case(gz(A + B + C), ["A", "B", "C"], []),
    "members of several records": Case(gz(A + B, C), ["A", "B", "C"], []),
    "blocks of equal size": Case(in_blocks(A + B + C, 100), ["A", "B", "C"], []),
    "blocks that end as records do": Case(in_blocks(A + B + C, len(A)), ["A", "B", "C"], []),
    "zstd": Case(zst(A, B, C), ["A", "B", "C"], []),
    "zstd in one frame": Case(zst(A + B + C), ["A", "B", "C"], []),
    "zeros between members": Case(gz(A) + bytes(512) + gz(B) + bytes(70_000), ["A", "B"], []),
    "an empty member": Case(gz(A, b"", B), ["A", "B"], []),
    "line ends left out": Case(A.rstrip() + b"\r\n" + B.rstrip() + b"\n\n" + C.rstrip(), ["A", "B", "C"], []),
    "line ends of Unix in the head": Case(A.replace(b"\r\n", b"\n", 8) + C, ["A", "C"], []),
    "many lines between": Case(A + b"\r\n" * 5_000 + C, ["A", "C"], []),
    "versions 0.18 and 1.1": Case(field(A, b"WARC/1.0", b"WARC/0.18") + field(C, b"1.0", b"1.1"), ["A", "C"], []),
    "a folded field": Case(field(A, b"WARC-Type: ", b"WARC-Type:\r\n  ") + C, ["A", "C"], []),
    "names in capitals": Case(field(A, b"Content-Length", b"CONTENT-LENGTH") + C, ["A", "C"], []),
    "a resource": Case(gz(A, typed("resource", "text/html", job("R"))), ["A", "R"], []),
    "a resource without a web address": Case(gz(A, typed("resource", "text/html", job("R"), "urn:x")), ["A"], []),
    "types that hold no page": Case(
        gz(*(typed(kind, "text/html", job("N")) for kind in
             ("request", "metadata", "warcinfo", "conversion", "continuation", "revisit")), C), ["C"], []
    ),
    "a record of a name server": Case(typed("response", "text/dns", b"20240506", "dns:old.example") + C, ["C"], []),
    "a page about WARC files": Case(A + ad("B", body=job("B") + b"\r\n\r\n" + INNER) + C, ["A", "B", "C"], []),
}  # fmt: skip

ENCODED: Mapping[str, Case] = {
    name: Case(A + ad("B", *lines, body=body) + C, ["A", "B", "C"], [])
    for name, (body, lines) in {
        "gzip": (gzip.compress(PLAIN), ["Content-Encoding: gzip"]),
        "gzip in two members": (gz(PLAIN[:99], PLAIN[99:]), ["Content-Encoding: gzip"]),
        "deflate": (zlib.compress(PLAIN), ["Content-Encoding: deflate"]),
        "bare deflate": (zlib.compress(PLAIN)[2:-4], ["Content-Encoding: deflate"]),
        "br": (brotli.compress(PLAIN), ["Content-Encoding: br"]),
        "zstd": (zstd.compress(PLAIN), ["Content-Encoding: zstd"]),
        "chunked": (CHUNKED, ["Transfer-Encoding: chunked"]),
        "gzip in chunks": (b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in
                                    (gzip.compress(PLAIN)[:50], gzip.compress(PLAIN)[50:])) + b"0\r\n\r\n",
                           ["Content-Encoding: gzip", "Transfer-Encoding: chunked"]),
        "identity": (PLAIN, ["Content-Encoding: identity"]),
        "plain, said to be gzip": (PLAIN, ["Content-Encoding: gzip"]),
        "plain, said to be deflate": (PLAIN, ["Content-Encoding: deflate"]),
        "plain, said to be br": (PLAIN, ["Content-Encoding: br"]),
        "plain, said to be zstd": (PLAIN, ["Content-Encoding: zstd"]),
        "plain, said to be chunked": (PLAIN, ["Transfer-Encoding: chunked"]),
        "plain, said to be chunked gzip": (PLAIN, ["Content-Encoding: gzip", "Transfer-Encoding: chunked"]),
        "plain with a number first, said to be chunked": (b"24\r\n" + PLAIN, ["Transfer-Encoding: chunked"]),
    }.items()
}  # fmt: skip

DAMAGED: Mapping[str, Case] = {
    "a cut member": Case(gz(A) + gz(ad("B", body=NOISE))[:4_000] + gz(C), ["A", "C"], ["broken_record"]),
    "the head of a member only": Case(gz(A) + gz(B)[:9] + gz(C), ["A", "C"], ["broken_record"]),
    "damaged data": Case(gz(A) + bytes(FLIPPED) + gz(C), ["A", "C"], ["broken_record"]),
    "a wrong checksum": Case(gz(A) + bytes(BAD_CRC) + gz(C), ["A", "C"], ["broken_record"]),
    "a wrong checksum first": Case(bytes(BAD_CRC) + gz(A, C), ["A", "C"], ["broken_record"]),
    "a cut member first": Case(gz(A)[:80] + gz(A, C), ["A", "C"], ["broken_record"]),
    "a damaged zstd frame": Case(zst(A) + zst(B)[:60] + zst(C), ["A", "C"], ["broken_record"]),
    "a damaged block": Case(
        in_blocks(A + B, len(A)) + gz(B)[:80] + in_blocks(A + C, 100), ["A", "B", "A", "C"], ["broken_record"]
    ),
    "no gzip between": Case(gz(A) + GARBAGE + gz(C), ["A", "C"], ["broken_record"]),
    "no gzip behind": Case(gz(A, C) + b"junk", ["A", "C"], ["broken_record"]),
    "no record in a member": Case(gz(A, b"hello\r\n\r\n", C), ["A", "C"], ["broken_record"]),
    "an endless head": Case(gz(A, ENDLESS, C), ["A", "C"], ["broken_record"]),
    "an endless head, plain": Case(A + ENDLESS + b"\r\n" + C, ["A", "C"], ["broken_record"]),
    "garbage, plain": Case(A + GARBAGE + b"\r\n\r\n" + C, ["A", "C"], ["broken_record"]),
    "garbage first": Case(GARBAGE + b"\r\n" + A + C, ["A", "C"], ["broken_record"]),
    "garbage in a member": Case(gz(A + GARBAGE + b"\r\n" + B, C), ["A", "B", "C"], ["broken_record"]),
    "zeros, plain": Case(A + bytes(100_000) + b"\n" + C, ["A", "C"], ["broken_record"]),
    "length too small": Case(gz(A, lied(B, -60), C), ["A", "C"], ["wrong_length"]),
    "length too small, plain": Case(A + lied(B, -60) + C, ["A", "C"], ["wrong_length"]),
    "length of nothing": Case(A + EMPTY + C, ["A", "C"], ["wrong_length"]),
    "length too large": Case(gz(A, lied(B, 4_000), C), ["A", "C"], ["wrong_length"]),
    "length too large, plain": Case(A + lied(B, 200) + C, ["A", "C"], ["wrong_length"]),
    "length behind the end": Case(A + lied(B, 10**9) + C, ["A", "C"], ["wrong_length"]),
    "length behind the end, in one member": Case(gz(A + lied(B, 10**9) + C), ["A", "C"], ["wrong_length"]),
    "length too large by a record": Case(A + lied(B, len(C) + 9) + C + ad("D"), ["A", "C", "D"], ["wrong_length"]),
    "lengths too large, one after the other": Case(
        b"".join(lied(one, 10**9) for one in MANY) + C, ["C"], ["wrong_length"] * 60
    ),
    "no length": Case(A + field(B, b"\r\nContent-Length: ", b"\r\nX: ") + C, ["A", "C"], ["broken_record"]),
    "length is no number": Case(A + field(B, b"\r\nContent-Length: ", b"\r\nContent-Length: x") + C, ["A", "C"],
                                ["broken_record"]),
    "length of 5,000 digits": Case(A + field(B, b"\r\nContent-Length: ", b"\r\nContent-Length: " + b"9" * 5_000) + C,
                                   ["A", "C"], ["broken_record"]),
    "no type": Case(A + field(B, b"WARC-Type", b"X-Type") + C, ["A", "C"], ["broken_record"]),
    "no address": Case(A + field(B, b"WARC-Target-URI", b"X-URI") + C, ["A", "C"], ["broken_record"]),
    "no time": Case(A + field(B, b"WARC-Date", b"X-Date") + C, ["A", "C"], ["broken_record"]),
    "a time that is none": Case(gz(A, BAD_TIME, C), ["A", "C"], ["broken_record"]),
    "an unknown version": Case(A + field(B, b"WARC/1.0", b"WARC/9.9") + C, ["A", "C"], ["broken_record"]),
    "no answer of a server": Case(gz(A, ad("B", body=b"x").replace(b"HTTP/1.1", b"\0TTP/1.1"), C), ["A", "C"],
                                  ["broken_http"]),
    "an unknown encoding": Case(A + ad("B", "Content-Encoding: rot13") + C, ["A", "C"], ["broken_body"]),
    "broken br": Case(A + ad("B", "Content-Encoding: br", body=NOISE) + C, ["A", "C"], ["broken_body"]),
    "broken gzip inside": Case(A + ad("B", "Content-Encoding: gzip", body=b"\x1f\x8b\x08" + NOISE) + C, ["A", "C"],
                               ["broken_body"]),
    "a bomb inside": Case(gz(A, ad("B", "Content-Encoding: gzip", body=BOMB_BYTES), C), ["A", "C"], ["too_large"]),
    "a page of 64 MB": Case(gz(A, ad("B", body=HUGE), C), ["A", "C"], ["too_large"]),
    "a page of 64 MB, plain": Case(A + ad("B", body=HUGE) + C, ["A", "C"], ["too_large"]),
    "a picture of 64 MB": Case(gz(A, ad("B", body=HUGE).replace(b"text/html", b"image/png"), C), ["A", "C"], []),
    "the archive kept a part": Case(A + field(B, b"WARC-Type", b"WARC-Truncated: length\r\nWARC-Type") + C,
                                    ["A", "B", "C"], ["cut_off"]),
    "fewer bytes than the server declared": Case(A + SHORT + C, ["A", "B", "C"], ["cut_off"]),
    "cut inside a body": Case(A + C + B[:-90], ["A", "C"], ["truncated"]),
    "cut inside a head": Case(A + C + B[:60], ["A", "C"], ["truncated"]),
    "cut inside the head of an answer": Case(A + C + B[: B.index(b"HTTP/1.1") + 12], ["A", "C"], ["truncated"]),
    "cut inside the first word": Case(A + C + b"WAR", ["A", "C"], ["truncated"]),
    "cut in a member": Case(gz(A, C) + gz(B)[:-90], ["A", "C"], ["truncated"]),
    "cut in the checksum of a member": Case(gz(A, C) + gz(B)[:-3], ["A", "C"], ["truncated"]),
    "cut in the first byte of a member": Case(gz(A, C) + b"\x1f", ["A", "C"], ["truncated"]),
    "cut in the only member": Case(LONG[:-5_000], ["A", *MANY_TITLES], ["truncated"]),
    "cut in a record of whole members": Case(gz(A, C, B[:-90]), ["A", "C"], ["truncated"]),
    "cut in a zstd frame": Case(zst(A, C) + zst(B)[:-30], ["A", "C"], ["truncated"]),
    "noise": Case(NOISE * 20, [], ["broken_record"]),
    "noise behind a record": Case(A + NOISE * 20, ["A"], ["broken_record"]),
    "noise behind a member": Case(gz(A) + NOISE * 20, ["A"], ["broken_record"]),
    "packed with bzip2": Case(bz2.compress(A + C), [], ["broken_record"]),
}  # fmt: skip

CASES: Mapping[str, Case] = {**SOUND, **{f"{name} body": case for name, case in ENCODED.items()}, **DAMAGED}
