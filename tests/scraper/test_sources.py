"""Entries of a sources file: what is read, and how each mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.sources import Source, SourceError, captures_source, load_sources, spider_names

GOOD = """
[[source]]
name = "acme"
spider = "captures"
url = "https://careers.acme.example/jobs"
token = "acme"
schedule = "15 6 * * *"
country = "DE"
currency = "EUR"
language = "de"
min_items = 5
max_items = 400
terms = "public board"
enabled = false
complete = false
options = { details = true }
allow_hosts = ["localhost"]
"""


def load(tmp_path: Path, text: str) -> tuple[Source, ...]:
    file = tmp_path / "sources.toml"
    file.write_text(text, "utf-8")
    return load_sources(file)


def test_every_key_is_read(tmp_path: Path) -> None:
    (source,) = load(tmp_path, GOOD)
    assert source == Source(
        name="acme",
        spider="captures",
        url="https://careers.acme.example/jobs",
        token="acme",
        schedule="15 6 * * *",
        country="DE",
        currency="EUR",
        language="de",
        min_items=5,
        max_items=400,
        terms="public board",
        enabled=False,
        complete=False,
        options={"details": True},
        allow_hosts=("localhost",),
    )


def test_two_keys_are_enough(tmp_path: Path) -> None:
    (source,) = load(tmp_path, '[[source]]\nname = "a"\nspider = "captures"')
    assert source == Source(name="a", spider="captures")
    assert load(tmp_path, "") == ()


MISTAKES = {
    "unknown key": ('colour = "red"', "unknown key", "known are"),
    "misspelt key": ('shedule = "1 2 * * *"', "unknown key", "schedule"),
    "spider": ("spider = 3", "needs to be a text", "name of a spider"),
    "bound without end": ("max_items = 9999999999", "whole number from 0", ""),
    "date among options": ("options = { since = [2026-01-01] }", "holds a date", "lists and tables"),
    "address over two lines": ('url = "https://acme.example/\\nx"', "is no web address", ""),
    "cron": ('schedule = "every day"', "is no cron expression", "five fields"),
    "cron out of range": ('schedule = "99 6 * * *"', "is no cron expression", "five fields"),
    "country": ('country = "XX"', "ISO 3166-1 alpha-2 has no such country", "two capital letters"),
    "no country of its own": ('country = "EU"', "ISO 3166-1 alpha-2 has no such country", ""),
    "country in small letters": ('country = "de"', "ISO 3166-1", ""),
    "currency": ('currency = "EURO"', "ISO 4217 has no such currency", "three capital letters"),
    "language": ('language = "german"', "ISO 639-1 has no such language", ""),
    "negative bound": ("min_items = -1", "whole number", ""),
    "flag as number": ("min_items = true", "whole number", ""),
    "bounds exchanged": ("min_items = 9\nmax_items = 3", "is below min_items = 9", "exchange"),
    "url without scheme": ('url = "acme.example"', "is no web address", "http"),
    "file": ('url = "file:///etc/passwd"', "is no web address", ""),
    "password": ('url = "https://me:secret@acme.example/"', "is no web address", "without a password"),
    "port": ('url = "https://acme.example:99999/"', "is no web address", ""),
    "flag": ('enabled = "yes"', "true or false", ""),
    "options": ("options = 3", "table", ""),
    "hosts": ('allow_hosts = "localhost"', "list of host names", ""),
    "empty text": ('token = ""', "not empty", ""),
}


@pytest.mark.parametrize(("line", "reason", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_entry_key_and_remedy(line: str, reason: str, remedy: str, tmp_path: Path) -> None:
    spider = "" if line.startswith("spider") else 'spider = "captures"\n'
    with pytest.raises(SourceError) as caught:
        load(tmp_path, f'[[source]]\nname = "acme"\n{spider}{line}\n')
    message = str(caught.value)
    assert reason in message
    assert remedy in message
    for part in ("sources.toml", "'acme'", caught.value.key):
        assert part in message
    assert "\n" not in message


WHOLE_FILES = {
    "no TOML": ("[[source", "is no TOML"),
    "another table": ("[sources]\nx = 1", "unknown table"),
    "no list": ('source = "x"', "no list of entries"),
    "no name": ('[[source]]\nspider = "captures"', "name"),
    "no spider": ('[[source]]\nname = "x"', "spider"),
    "name twice": ('[[source]]\nname = "x"\nspider = "captures"\n' * 2, "stands twice"),
    "bad name": ('[[source]]\nname = "A b"\nspider = "captures"', "is no name"),
}


@pytest.mark.parametrize(("text", "reason"), WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_a_file_that_cannot_be_used(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=reason):
        load(tmp_path, text)


def test_a_message_about_a_book_is_no_book(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        load(tmp_path, f'[source.acme]\nspider = "captures"\nurl = "{"x" * 10_000}"\n')
    assert "no list of entries; write [[source]]" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        load_sources(tmp_path / "none.toml")


def test_the_spiders_of_this_folder_exist() -> None:
    assert {"captures", "articles"} <= spider_names()
    assert "board" not in spider_names()
    assert captures_source().spider == "captures"
