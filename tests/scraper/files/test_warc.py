"""The reader of WARC files: sound records are read once, damages are named once with their place, memory is bounded."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc

import pytest

from db.files import LARGEST
from scraper.files import warc
from scraper.files.records import Archived, Broken, Entry
from scraper.files.warc import read_warc
from tests.scraper.files.damaged import CASES, A, B, C, ad, gz, lied


def read(data: bytes) -> list[Entry]:
    return list(read_warc(lambda offset: io.BytesIO(data[offset:])))


def titles(entries: list[Entry]) -> list[str]:
    return [entry.url.rsplit("/", 1)[1] for entry in entries if isinstance(entry, Archived)]


@pytest.mark.parametrize("name", CASES)
def test_sound_records_are_read_once_and_a_damage_is_named_once(name: str) -> None:
    case = CASES[name]
    entries = read(case.data)
    expected = [title if title != "R" else "typed" for title in case.titles]
    assert titles(entries) == expected
    named = [entry for entry in entries if isinstance(entry, Broken)]
    assert [broken.reason for broken in named] == [reason for reason in case.reasons if reason != "cut_off"]
    assert sum(entry.truncated for entry in entries if isinstance(entry, Archived)) == case.reasons.count("cut_off")
    assert all("\n" not in broken.detail and broken.detail for broken in named)
    assert all(0 <= entry.offset <= len(case.data) for entry in entries)
    assert [entry.number for entry in entries] == sorted({entry.number for entry in entries})


def test_a_record_has_the_offset_of_its_member_or_of_itself() -> None:
    assert [entry.offset for entry in read(A + B + C)] == [0, len(A), len(A + B)]
    assert [entry.offset for entry in read(gz(A, B, C))] == [0, len(gz(A)), len(gz(A, B))]
    assert [entry.offset for entry in read(gz(A + B, C))] == [0, 0, len(gz(A + B))]


def test_a_cut_file_names_the_byte_where_it_ends() -> None:
    for data in ((A + B)[:-90], gz(A, B)[:-90]):
        *_, last = read(data)
        assert isinstance(last, Broken)
        assert f"at byte {len(data)}" in last.detail
        assert last.url == "https://old.example/B"


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_cut_anywhere_gives_the_whole_records_before_and_says_so(packed: bool) -> None:
    parts = [gz(one) if packed else one for one in (A, B, C)]
    ends = [sum(map(len, parts[: number + 1])) for number in range(3)]
    data = b"".join(parts)
    chance = random.Random(7)
    for cut in sorted(chance.sample(range(1, len(data)), 150)):
        entries = read(data[:cut])
        whole = titles(entries)
        surely = sum(end <= cut for end in ends)
        assert whole[:surely] == ["A", "B", "C"][:surely]
        is_said = any(isinstance(entry, Broken) and entry.reason == "truncated" for entry in entries)
        assert is_said or cut in ends or len(whole) > surely, f"cut at {cut}"
        assert len(whole) <= surely + 1, "only the line ends behind a record may be missing"


def test_any_flipped_byte_costs_at_most_its_own_record() -> None:
    chance = random.Random(11)
    data = bytearray(gz(A, B, C))
    start, end = len(gz(A)), len(gz(A, B))
    for _ in range(200):
        place = chance.randrange(start, end)
        flipped = bytearray(data)
        flipped[place] ^= 1 << chance.randrange(8)
        entries = read(bytes(flipped))
        assert [title for title in titles(entries) if title in ("A", "C")] == ["A", "C"]
        harmless = titles(entries) == ["A", "B", "C"]  # a time or a system in the member's head
        assert harmless or any(isinstance(entry, Broken) for entry in entries)


@pytest.mark.parametrize("size", [100, 150, 1_000])
def test_a_damaged_block_costs_the_records_in_it(size: int) -> None:
    records = [ad(f"R{number}") for number in range(8)]
    data = b"".join(records)
    blocks = [gz(data[start : start + size]) for start in range(0, len(data), size)]
    for number, block in enumerate(blocks):
        damaged = bytearray(block)
        damaged[len(damaged) // 2] ^= 0x55
        entries = read(b"".join([*blocks[:number], bytes(damaged), *blocks[number + 1 :]]))
        lost, first = set(), 0
        for place, record in enumerate(records):
            if first < (number + 1) * size and first + len(record) > number * size:
                lost.add(f"R{place}")
            first += len(record)
        assert {f"R{place}" for place in range(8)} - set(titles(entries)) <= lost
        assert 1 <= sum(isinstance(entry, Broken) for entry in entries) <= len(lost) + 1


def test_noise_of_any_kind_ends_without_an_exception() -> None:
    chance = random.Random(3)
    for size in (1, 2, 3, 10, 1_000, 70_000):
        for lead in (b"", b"WARC/1.0\r\n", b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", A, gz(A)):
            read(lead + chance.randbytes(size))


@pytest.mark.parametrize("body", ["bomb", "page", "head", "spaces"])
def test_memory_is_bounded_whatever_a_record_unpacks_to(body: str) -> None:
    size = 4 * LARGEST
    data = {
        "page": lambda: gz(ad("B", body=bytes(size))),
        "bomb": lambda: gz(ad("B", "Content-Encoding: gzip", body=gzip.compress(bytes(size)))),
        "head": lambda: gz(b"WARC/1.0\r\nX: " + b"a" * size),
        "spaces": lambda: gz(b"\r\n" * (size // 2)),
    }[body]() + gz(C)
    tracemalloc.start()
    try:
        entries = list(read_warc(lambda offset: io.BytesIO(data[offset:])))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert titles(entries) == ["C"]
    assert peak < 2.5 * LARGEST


class _Counting(io.BytesIO):
    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        _Counting.read_bytes += len(data)
        return data


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as far is near, so that small files show what large ones do."""
    monkeypatch.setattr(warc, "FAR", 10_000)


@pytest.mark.usefixtures("near")
def test_a_file_of_false_lengths_is_not_read_again_for_each_record() -> None:
    def bytes_read(count: int) -> int:
        _Counting.read_bytes = 0
        data = b"".join(lied(one, 10**9) for one in [A] * count)
        entries = list(read_warc(lambda offset: _Counting(data[offset:])))
        assert len(entries) == count
        return _Counting.read_bytes // count

    assert bytes_read(2_000) < 4 * bytes_read(500), "the cost of a record does not grow with the file"
