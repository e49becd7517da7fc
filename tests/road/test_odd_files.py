"""Files among captures that block, never end, lie or hide: each is refused or cut in one line, and the others go on."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import socket
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from db.files import LARGEST, LARGEST_PAGE, FileRefused, open_file, read_bytes
from db.records import RawPostingRecord, RejectedRecord
from db.rejected import list_rejected
from db.session import open_ledger
from scheduler.backfill import backfill, find_warcs
from scraper.captures import find_files, open_capture, read_capture
from scraper.files.spooling import spooled
from tests.backfill.warcs import job, member
from tests.road.test_captures import JOBLEDGER, jobledger
from tests.scraper.files.damaged import A, C, gz
from tests.scraper.goldens import SEEN_AT, records

LINE = json.dumps({"@type": "JobPosting", "title": "Cook", "url": "https://x.example/2"}).encode()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def socket_at(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # an address of a socket may have a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def content(data: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


def zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.html", data)
    return held.getvalue()


def bomb(levels: int) -> bytes:
    data = bytes(LARGEST)
    for _ in range(levels):
        data = gzip.compress(data, 9)
    return data


REFUSED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "pipe.json": (pipe, "not_a_file", "is a named pipe"),
    "pipe.warc.gz": (pipe, "not_a_file", "is a named pipe"),
    "socket.html": (socket_at, "not_a_file", "is a socket"),
    "zero.json": (link_to("/dev/zero"), "not_a_file", "is a device"),
    "zero.warc": (link_to("/dev/zero"), "not_a_file", "is a device"),
    "random.jsonl": (link_to("/dev/urandom"), "not_a_file", "is a device"),
    "terminal.txt": (link_to("/dev/tty"), "not_a_file", "is a device"),
    "nowhere.html": (link_to("none.html"), "unreadable", "No such file"),
    "circle.html": (link_to("circle.html"), "unreadable", "symbolic links"),
    "process.txt": (link_to("/proc/self/status"), "empty", "holds nothing"),
    "sparse.json": (sparse(1_200_000_000), "sparse", "a hole of 1,200 MB"),
    "sparse.html": (sparse(900_000_000), "too_large", "900 MB"),
    "sparse.jsonl": (sparse(1_200_000_000), "sparse", "a hole of 1,200 MB"),
    "sparse.warc": (sparse(1 << 40), "sparse", "a hole"),
    "huge.txt": (sparse(5_000_000_000), "sparse", "a hole"),
    "page.txt": (content(b"A vs. B\n" * (LARGEST_PAGE // 8 + 1)), "too_large", "4,000,"),
    "page.html": (content(b"<h1>A vs. B</h1>" + b"<p>x</p>" * (LARGEST_PAGE // 8)), "too_large", "only what it"),
    "empty.json": (content(b""), "empty", "holds nothing"),
    "line\nbreak.html": (content(b""), "empty", r"line\nbreak.html"),
    "steer\x1b[2J.html": (content(b""), "empty", r"steer\x1b[2J.html"),
    "no-text-\udcff.html": (content(b""), "empty", r"no-text-\xff.html"),
    "n" * 240 + ".html": (content(b""), "empty", "n" * 240),
    "zip.html": (content(zipped(b"<p>")), "packed", "ZIP"),
    "zip.json": (content(zipped(b"[]")), "packed", "ZIP"),
    "zip.json.gz": (content(gzip.compress(zipped(b"[]"))), "packed", "ZIP"),
    "twice.json.gz": (content(gzip.compress(gzip.compress(b"[]"))), "packed", "packed twice"),
    "bomb.json": (content(bomb(1) + bomb(1)), "too_large", "unpacks to more than 64 MB"),
    "bomb-in-a-bomb.html.gz": (content(bomb(2)), "packed", "packed twice"),
    "cut.json.gz": (content(gzip.compress(LINE)[:-9]), "broken_gzip", "the file ends inside"),
    "cut.jsonl.gz": (content(gzip.compress(LINE)[:-9]), "truncated", "the file ends inside"),
    "crc.html.gz": (content(gzip.compress(job())[:-8] + bytes(8)), "broken_gzip", "damaged"),
    "wide.jsonl": (content(b'["' + b"x" * LARGEST + b'"]\n'), "too_large", "line 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: ascii(name[:40]))
def test_an_odd_file_is_one_clear_line(name: str, tmp_path: Path) -> None:
    make, reason, words = REFUSED[name]
    make(tmp_path / name)
    (path,) = find_files([str(tmp_path)])
    assert isinstance(path, Path)
    found = [one for one in records(path) if isinstance(one, RejectedRecord | RawPostingRecord)]
    assert [one.reason for one in found if isinstance(one, RejectedRecord)] == [reason]
    assert len(found) == 1
    assert isinstance(found[0], RejectedRecord)
    assert words in found[0].detail
    assert found[0].detail.isprintable()
    assert found[0].url.isprintable()


def test_the_command_names_each_odd_file_and_reads_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = [name for name in REFUSED if not name.startswith(("bomb", "wide", "page", "zero.warc"))]
    for name in names:
        REFUSED[name][0](folder / name)
    (folder / "good.html").write_bytes(job("Nurse"))
    (folder / "folder.json").mkdir()
    (folder / "folder.json" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "folder.json" / "good.html.gz").write_bytes(gzip.compress(job("Cook")))
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    counts = json.loads(jobledger(url, "ingest", str(folder), "--json"))
    assert (counts["postings"], counts["rejected"]) == (2, len(names))
    kept = [row["reason"] for row in list_rejected(open_ledger(url))]
    assert sorted(kept) == sorted(REFUSED[name][1] for name in names)


def test_a_path_that_leads_nowhere_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "gone.html").symlink_to("nowhere")
    (tmp_path / "good.html").write_bytes(job("Nurse"))
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    named = [str(tmp_path / name) for name in ("gone.html", "good.html")]
    counts = json.loads(jobledger(url, "ingest", *named, "--json"))
    assert (counts["postings"], counts["rejected"]) == (1, 1)


PACKED = {
    "page.html": gzip.compress(job("Nurse")),
    "page.html.gz": gzip.compress(job("Nurse")),
    "lines.jsonl": gzip.compress(LINE[:20]) + gzip.compress(LINE[20:]),
    "lines.jsonl.gz": LINE,
    "answer.json": gzip.compress(LINE),
    "answer.json.gz": LINE,
    "old.warc": gz(A),
    "old.warc.gz": A,
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_content_is_known_by_itself_and_not_by_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PACKED[name])
    assert sum(isinstance(one, RawPostingRecord) for one in records(tmp_path / name)) == 1


def test_a_long_line_costs_itself(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(LINE + b"\n[" + b" " * (2 * LARGEST) + b"]\n" + LINE)
    found = records(tmp_path / "x.jsonl")
    assert [one.reason for one in found if isinstance(one, RejectedRecord)] == ["too_large"]
    assert sum(isinstance(one, RawPostingRecord) for one in found) == 2


@pytest.mark.parametrize(("name", "data"), {"x.jsonl": LINE + b"\n", "x.warc": A, "x.html": job()}.items())
def test_a_file_that_grows_is_read_as_it_was_and_said(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    capture = open_capture(tmp_path / name, seen_at=SEEN_AT)
    assert not isinstance(capture, RejectedRecord)
    with capture.file, (tmp_path / name).open("ab") as file:
        found = []
        for record in read_capture(capture):
            file.write(data)
            file.flush()
            found.append(record)
    assert sum(isinstance(one, RawPostingRecord) for one in found) == 1
    assert [one.reason for one in found if isinstance(one, RejectedRecord)] == ["changed"]


def test_a_deep_folder_is_walked(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(600):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "a.html").write_bytes(job())
    assert [path.name for path in find_files([str(tmp_path)]) if isinstance(path, Path)] == ["a.html"]


def test_links_in_a_circle_and_names_too_long_are_handed_on() -> None:
    assert [path for path in find_files(["n" * 5_000]) if isinstance(path, Path)] == [Path("n" * 5_000)]


def test_a_file_that_takes_the_place_of_another_is_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is opened is what was checked: a pipe that replaces a file between the two is refused."""
    path = tmp_path / "a.json"
    path.write_bytes(b"[]")
    stat, calls = Path.stat, []

    class Swapped(type(path)):  # type: ignore[misc]
        def stat(self, **options: bool) -> os.stat_result:
            found = stat(self, **options)
            if not calls:
                calls.append(path.unlink())
                os.mkfifo(path)
            return found

    monkeypatch.setattr("db.files.Path", Swapped)
    with pytest.raises(FileRefused, match="named pipe"):
        open_file(path)


def test_bounded_reading_does_not_trust_the_size_that_a_file_tells(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert len(read_bytes(tmp_path / "a", 100)) == 100
    with pytest.raises(FileRefused, match="at most 99 bytes"):
        read_bytes(tmp_path / "a", 99)
    assert b"Name:" in read_bytes("/proc/self/status"), "a file of /proc tells a size of 0"


def test_backfill_names_odd_files_and_reads_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    odd = {name: make for name, (make, _, _) in REFUSED.items() if name.endswith((".warc", ".warc.gz"))}
    for name, make in odd.items():
        make(folder / name)
    (folder / "gone.warc").symlink_to("nowhere")
    (folder / "up.warc").symlink_to(folder, target_is_directory=True)
    (folder / "good.warc.gz").write_bytes(member("https://a.example/", job("Nurse")))
    summary = backfill(find_warcs([str(folder), str(folder / "pipe.warc.gz")]), str(tmp_path / "out"))
    assert (summary.totals["postings"], len(summary.failed)) == (1, len(odd) + 1)
    told = {Path(failed.file).name: str(failed.error) for failed in summary.failed}
    assert "is a named pipe" in told["pipe.warc.gz"]
    assert "is a device" in told["zero.warc"]
    assert "a hole of" in told["sparse.warc"]
    assert "No such file" in told["gone.warc"]


class Endless(io.RawIOBase):
    """Standard input that never ends."""

    def __init__(self, beginning: bytes) -> None:
        self.left, self.given = beginning, 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "what never ends is not read to its end"
        data = (self.left + b"a" * size)[:size]
        self.left = b""
        self.given += len(data)
        return data


def test_an_endless_page_of_standard_input_is_cut_and_rejected(tmp_path: Path) -> None:
    endless = Endless(b'{"jobs": [')
    with spooled(["-"], endless) as (file,):  # type: ignore[arg-type]
        found = records(Path(file))
    assert [one.reason for one in found if isinstance(one, RejectedRecord)] == ["too_large"]
    assert endless.given <= LARGEST + 2


STREAMS = {"lines": b'{"a": 1}\n{"a": 2}\n', "records": b"WARC/1.0\r\n", "packed records": gz(b"WARC/1.0")}


@pytest.mark.parametrize("beginning", STREAMS.values(), ids=STREAMS)
def test_an_endless_stream_of_standard_input_is_refused(beginning: bytes) -> None:
    endless = Endless(beginning)
    with pytest.raises(FileRefused, match="more than 10 MB"), spooled(["-"], endless, most=10_000_000):  # type: ignore[arg-type]
        pass
    assert endless.given <= 10_000_001


def standard_input(data: bytes, url: str) -> subprocess.CompletedProcess[bytes]:
    command = [JOBLEDGER, "--db", url, "ingest", "-", "--json"]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)


def test_standard_input_may_be_packed(tmp_path: Path) -> None:
    done = standard_input(gz(A, C), f"sqlite:///{tmp_path / 'ledger.db'}")
    assert json.loads(done.stdout)["postings"] == 2, done.stderr


def test_any_bytes_under_any_ending_give_records_or_a_reason(tmp_path: Path) -> None:
    chance = random.Random(5)
    starts = (b"", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"{", b"<", b"WARC/1.0\r\n", b"\xff\xfe", b"\x28\xb5\x2f\xfd")
    for ending in (".txt", ".html", ".json", ".jsonl", ".xml", ".warc", ".json.gz", ".jsonl.gz", ".warc.zst"):
        for start in starts:
            file = tmp_path / f"x{ending}"
            file.write_bytes(start + chance.randbytes(chance.randrange(300)))
            assert records(file), f"{start!r} as {ending}"
