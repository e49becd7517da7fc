"""The sources file under a running scheduler: any content keeps the old timetable, and is told once."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from scheduler.watch import WatchedSources
from scraper.sources import SourceError
from tests.db.test_user_files import REFUSED


def entries(*names: str, spider: str = "captures") -> str:
    return "".join(f'[[source]]\nname = "{name}"\nspider = "{spider}"\n' for name in names)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sources.toml"
    path.write_text(entries("acme"), "utf-8")
    return path


def settle(watched: WatchedSources, looks: int = 5) -> list[bool]:
    return [watched.refresh() for _ in range(looks)]


def names(watched: WatchedSources) -> list[str]:
    return [source.name for source in watched.sources]


WRONG = {
    **{name: content for name, (content, _) in REFUSED.items()},
    "unknown key": b'[[source]]\nname = "acme"\nspider = "captures"\ncolour = 1\n',
    "wrong type": b'[[source]]\nname = 5\nspider = ["captures"]\n',
    "a list for a table": b"source = [1, 2]\n",
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_any_content_keeps_the_old_timetable_and_is_told_once(
    content: bytes, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = WatchedSources(file)
    file.write_bytes(content)
    assert settle(watched) == [False] * 5
    assert names(watched) == ["acme"]
    assert str(file) in str(watched.error)
    (told,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "the old timetable stays" in told.getMessage()
    file.write_text(entries("acme", "globex"), "utf-8")
    assert True in settle(watched)
    assert (names(watched), watched.error) == (["acme", "globex"], None)


def test_a_pipe_a_folder_or_nothing_in_place_of_the_file_keeps_the_old_timetable(file: Path) -> None:
    watched = WatchedSources(file)
    for replace in (lambda: None, file.mkdir, lambda: os.mkfifo(file), lambda: file.symlink_to(file)):
        if file.is_dir():
            file.rmdir()
        else:
            file.unlink(missing_ok=True)
        replace()
        settle(watched)
        assert names(watched) == ["acme"]
        assert str(file) in str(watched.error)


def test_a_file_that_is_being_written_is_no_new_timetable(file: Path) -> None:
    """A prefix of a file may be a sound file with fewer sources."""
    watched = WatchedSources(file)
    whole = entries("acme", "globex", "initech")
    for end in range(0, len(whole), 40):
        file.write_text(whole[:end], "utf-8")
        assert not watched.refresh()
        assert (names(watched), watched.error) == (["acme"], None)
    file.write_text(whole, "utf-8")
    assert settle(watched, 3) == [False, True, False]
    assert names(watched) == ["acme", "globex", "initech"]


def test_who_asks_for_it_is_followed_at_once(file: Path) -> None:
    watched = WatchedSources(file)
    file.write_text(entries("globex"), "utf-8")
    assert watched.refresh(at_once=True)
    assert names(watched) == ["globex"]


def test_a_spider_that_is_absent_concerns_its_own_source_alone(file: Path) -> None:
    watched = WatchedSources(file)
    file.write_text(entries("acme", "globex", spider="no_such") + entries("initech"), "utf-8")
    assert True in settle(watched)
    found = {source.name: source.spider for source in watched.sources}
    assert found == {"acme": "captures", "globex": "no_such", "initech": "captures"}, "acme keeps its old version"
    assert "acme" in str(watched.error)
    assert "no_such" in str(watched.error)


def test_an_absent_spider_of_a_disabled_source_is_nobody_s_business(file: Path) -> None:
    watched = WatchedSources(file)
    file.write_text(entries("acme") + entries("globex", spider="no_such") + "enabled = false\n", "utf-8")
    assert True in settle(watched)
    assert (names(watched), watched.error) == (["acme", "globex"], None)


def test_a_mended_spider_file_is_seen_without_a_change_of_the_sources(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "odd.py").write_text("def broken(:\n", "utf-8")
    file.write_text(entries("acme") + entries("odd", spider="odd"), "utf-8")
    watched = WatchedSources(file, folder)
    assert "odd.py, line 1" in str(watched.error)
    (folder / "odd.py").write_text("WHOLE = True\n", "utf-8")
    settle(watched)
    assert watched.error is None


def test_a_broken_file_at_the_start_is_an_error(file: Path) -> None:
    file.write_bytes(b"x = " + b"[" * 100_000)
    with pytest.raises(SourceError, match="nested too deeply"):
        WatchedSources(file)
