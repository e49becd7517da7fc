"""A parser that fails on one entry costs that entry: whatever the parser and the platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from db.models import Rejected
from db.records import ArticleRecord, PageRecord, RawPostingRecord, Record, RejectedRecord
from db.rejected import list_rejected
from db.revisits import validators
from db.session import open_ledger
from db.store import keep
from scraper.captured_answers import recognise_answer
from scraper.captures import open_capture, read_capture
from scraper.health import judge
from scraper.sources import Source
from tests import injected
from tests.db.records import DAY, NOON, ad, rows
from tests.injected import failing, functions_of

PAGES = Path(__file__).parent / "boards" / "pages"
PARSERS = functions_of(*injected.PARSERS)
AT = datetime(2026, 9, 1, tzinfo=UTC)
IDS = ("id", "guid", "shortcode", "slug", "objectID", "uuid", "jobId", "url", "absolute_url", "hostedUrl", "jobUrl")


def named(entry: Any, word: str, number: int) -> Any:
    """A copy of an entry as another one: a word in all its words, another id and address."""
    if isinstance(entry, dict):
        return {
            key: _other(value, number)
            if key in IDS and not isinstance(value, dict | list)
            else named(value, word, number)
            for key, value in entry.items()
            if key != "status"
        }
    if isinstance(entry, list):
        return [named(part, word, number) for part in entry]
    if isinstance(entry, str) and len(entry) > 3 and (entry.replace(" ", "").isalpha() or " | " in entry):
        return f"{entry} {word}"
    return entry


def _other(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return f"{value}{number}"
    return value + number if isinstance(value, int) else value


def answers() -> Iterator[tuple[str, str, bytes, bytes]]:
    """(name, ending, an answer with two plain entries, the same with a marked one between them)."""
    for file in sorted(PAGES.glob("*/*.json")):
        if file.name.endswith(".expected.json") or file.stem in ("single", "detail"):
            continue
        answer = json.loads(file.read_bytes())
        for path in _lists(answer):
            entries = _at(answer, path)
            first = next(entry for entry in entries if isinstance(entry, dict) and "legal" not in entry)
            plain = [named(first, "Plainly", 11), named(first, "Plainly", 22)]
            both = [plain[0], named(first, "Quxel", 33), plain[1]]
            made = [_with(answer, path, some) for some in (plain, both)]
            if all(recognise_answer(one) == recognise_answer(answer) is not None for one in made):
                name = f"{file.parent.name}-{file.stem}"
                yield name, ".json", *(json.dumps(one).encode() for one in made)
                break
    yield from PAGES_OF_TWO


def _lists(answer: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(answer, list) and any(isinstance(entry, dict) for entry in answer):
        yield ()
    elif isinstance(answer, dict):
        for key, value in answer.items():
            if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
                yield (key,)


def _at(answer: Any, path: tuple[str, ...]) -> Any:
    return answer[path[0]] if path else answer


def _with(answer: Any, path: tuple[str, ...], entries: list[Any]) -> Any:
    if not path:
        kept = [entry for entry in answer if isinstance(entry, dict) and "legal" in entry]
        return kept + entries
    changed = deepcopy(answer)
    changed[path[0]] = entries
    return changed


def of_three(page: str, entry: str) -> tuple[bytes, bytes]:
    plain = [
        entry.replace("WORD", f"Plainly {letter}").replace("NUMBER", str(n)) for n, letter in ((11, "A"), (22, "B"))
    ]
    bad = entry.replace("WORD", "Quxel").replace("NUMBER", "33")
    return page.replace("ENTRIES", "".join(plain)).encode(), page.replace("ENTRIES", plain[0] + bad + plain[1]).encode()


PAGES_OF_TWO = [
    ("rss", ".xml", *of_three(
        "<rss><channel><title>Jobs</title>ENTRIES</channel></rss>",
        "<item><title>Nurse WORD</title><link>https://x.example/NUMBER</link><guid>NUMBER</guid>"
        "<company>Acme WORD</company><pubDate>Fri, 18 Sep 2026 23:30:04 -0700</pubDate></item>",
    )),
    ("personio", ".xml", *of_three(
        "<workzag-jobs>ENTRIES</workzag-jobs>",
        "<position><id>NUMBER</id><name>Nurse WORD</name><office>Bonn WORD</office><jobDescriptions><jobDescription>"
        "<name>Tasks WORD</name><value>Care WORD</value></jobDescription></jobDescriptions></position>",
    )),
    ("jsonl", ".jsonl", *of_three(
        "ENTRIES", '{"title":"Nurse WORD","url":"https://x.example/NUMBER","company":"Acme WORD"}\n'
    )),
    ("json-ld", ".html", *of_three(
        "<html>ENTRIES</html>",
        '<script type="application/ld+json">{"@type":"JobPosting","title":"Nurse WORD","url":"https://x.example/NUMBER",'
        '"hiringOrganization":{"name":"Acme WORD"},"description":"Care WORD"}</script>',
    )),
    ("microdata", ".html", *of_three(
        "<html>ENTRIES</html>",
        '<div itemscope itemtype="https://schema.org/JobPosting"><b itemprop="title">Nurse WORD</b>'
        '<a itemprop="url" href="https://x.example/NUMBER">WORD</a></div>',
    )),
    ("cards", ".html", *of_three(
        "<html><body><ul>ENTRIES</ul></body></html>",
        '<li><a href="/job/NUMBER-nurse/"><h2>Nurse WORD</h2></a><span class="badge">Full Time WORD</span></li>',
    )),
    ("article", ".txt", *of_three(
        "Nurse vs. Doctor\n\nNurse vs. Doctor: A Comparison\n\n4 min read · Jan. 5, 2025\nNurse vs. Doctor\n"
        "Table of contents\n\nDefinitions\n\nTwo roles.\n\nENTRIESSalary Insights\n",
        "Featured Job 👀\nNurse WORD\n\n@ Acme WORD Ltd | Oslo, Norway\n\n"
        "Full Time Mid-level / Intermediate USD 90K - 95K\n",
    )),
]  # fmt: skip

ANSWERS = list(answers())
MECHANISM = tuple(
    f"scraper.{name}"
    for name in (
        "answers.read_each", "answers.understood", "answers.unread", "answers._values", "captures.card_record",
        "captured_answers._records",
    )
)  # fmt: skip
"""What contains the others, or hands on what they made."""
LOOKING = ("scraper.pages.rows.Row.peek", "scraper.pages.rows.Row.values")
"""They hand out a value and read nothing; a list is sorted by them before its entries are read."""
PAGE_BY_PAGE = (
    "scraper.pages.article", "scraper.pages.blocks", "scraper.pages.featured", "scraper.pages.decoding",
    "scraper.pages.microdata", "scraper.pages.jsonld", "scraper.pages.xml",
)  # fmt: skip
"""Parsers that read a page as one thing, line by line: the page is what they cost."""


def read(folder: Path, name: str, data: bytes) -> list[Record]:
    file = folder / name
    file.write_bytes(data)
    capture = open_capture(file, seen_at=AT)
    assert not isinstance(capture, RejectedRecord)
    with capture.file:
        return [_without_page(record) for record in read_capture(capture)]


def _without_page(record: Record) -> Record:
    """The record without the name that its page has for its bytes, which differ."""
    from dataclasses import replace

    if isinstance(record, RawPostingRecord):
        return replace(record, page_url="capture")
    if isinstance(record, PageRecord):
        return replace(record, url="capture", content_hash="")
    return record


@pytest.mark.parametrize(("name", "ending", "plain", "both"), ANSWERS, ids=[name for name, *_ in ANSWERS])
def test_a_parser_that_fails_on_an_entry_rejects_that_entry_alone(
    name: str, ending: str, plain: bytes, both: bytes, tmp_path: Path
) -> None:
    expected = read(tmp_path, f"page{ending}", plain)
    assert sum(isinstance(record, RawPostingRecord) for record in expected) == 2
    assert sum(isinstance(record, RawPostingRecord) for record in read(tmp_path, f"page{ending}", both)) == 3
    alone = 0
    for parser, function in PARSERS.items():
        if parser in (*MECHANISM, *LOOKING):
            continue
        with failing(function) as trap:
            found = read(tmp_path, f"page{ending}", both)
        failed = [record for record in found if isinstance(record, RejectedRecord) and record.reason == "parser_failed"]
        if trap.met and not trap.whole and not parser.startswith(PAGE_BY_PAGE):
            alone += 1
            assert [r for r in found if r not in failed and not isinstance(r, ArticleRecord)] == [
                r for r in expected if not isinstance(r, ArticleRecord)
            ], parser
            assert failed, parser
        elif trap.met:
            assert failed, f"{parser} failed on the page and nobody says so"
    assert alone, "parsers of single entries are met"


def test_two_entries_that_fail_alike_are_two_rejections(tmp_path: Path) -> None:
    row = '{"title":"Quxel %d","url":"https://x.example/%d","company":"Acme"}\n'
    lines = "".join(row % (n, n) for n in (1, 2)).encode()
    with failing(PARSERS["scraper.pages.feeds.parse_fields"]):
        found = read(tmp_path, "rows.jsonl", lines)
    assert len({record.id for record in found if isinstance(record, RejectedRecord)}) == 2


class TestInTheLedger:
    PAGE: ClassVar[dict[str, Any]] = {"source": "acme-board", "url": "https://board.example/jobs", "content_hash": "x"}

    def page(self, seen_at: datetime) -> PageRecord:
        return PageRecord(**self.PAGE, seen_at=seen_at, kind="listing", etag='"1"')

    def failed(self, seen_at: datetime, reason: str = "parser_failed") -> RejectedRecord:
        url = self.PAGE["url"]
        return RejectedRecord(source="acme-board", url=url, reason=reason, detail="entry 7", seen_at=seen_at)

    def test_a_page_is_fetched_again_until_all_of_it_can_be_read(self, store: Any) -> None:
        keep(store, [self.page(NOON), self.failed(NOON)])
        assert validators(store, "acme-board") == {}
        keep(store, [self.page(NOON + DAY)])
        assert validators(store, "acme-board") == {self.PAGE["url"]: ('"1"', None)}

    @pytest.mark.parametrize("reason", ["parser_failed", "http_503", "missing_field"])
    def test_a_rejection_is_resolved_when_its_page_is_read_without_it(self, store: Any, reason: str) -> None:
        keep(store, [self.failed(NOON, reason)])
        keep(store, [self.page(NOON + DAY), ad(1, seen_at=NOON + DAY)])
        assert list_rejected(store) == []
        (resolved,) = rows(store, Rejected)
        assert resolved["resolved_at"] == NOON + DAY

    def test_one_that_comes_again_stands_since_it_first_came(self, store: Any) -> None:
        keep(store, [self.page(NOON), self.failed(NOON)])
        keep(store, [self.page(NOON + DAY)])
        keep(store, [self.failed(NOON + DAY)])
        (standing,) = list_rejected(store)
        assert (standing["first_seen"], standing["last_seen"]) == (NOON, NOON + DAY)

    def test_a_page_of_another_source_resolves_nothing(self, store: Any) -> None:
        keep(store, [self.failed(NOON)])
        keep(store, [PageRecord(**(self.PAGE | {"source": "feed"}), seen_at=NOON + DAY, kind="listing")])
        assert len(list_rejected(store)) == 1

    def test_an_ad_of_which_no_row_can_be_made_is_rejected(self, store: Any) -> None:
        endless: dict[str, Any] = {}
        endless["self"] = endless
        kept = keep(store, [ad(1), ad(2, payload=endless), ad(3)])
        assert (kept.raw_postings, kept.rejected) == (2, 1)
        (rejected,) = list_rejected(store)
        assert rejected["reason"] == "parser_failed"


def test_a_run_with_a_broken_entry_is_healthy_but_closes_nothing() -> None:
    stats = {
        "finish_reason": "finished",
        "jobledger/pages": 1,
        "jobledger/raw_postings": 30,
        "jobledger/postings_read": 30,
        "jobledger/parser_failures": 1,
    }
    verdict = judge(stats, Source(name="acme", spider="lever"))
    assert (verdict.verdict, verdict.complete) == ("healthy", False)
    assert verdict.reasons == ("our parser broke on 1 entry",)
    broken = judge(stats | {"jobledger/parser_failures": 31}, Source(name="acme", spider="lever"))
    assert broken.verdict == "failed"


def test_the_ledger_of_an_older_program_opens(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = open_ledger(url)
    keep(engine, [RejectedRecord(source="s", url="u", reason="empty", detail="d", seen_at=NOON)])
    engine.dispose()
    from db.schema import downgrade, upgrade

    engine = open_ledger(url)
    downgrade(engine, "0002")
    upgrade(engine)
    (row,) = list_rejected(engine)
    assert (row["reason"], row["rules_version"], row["resolved_at"]) == ("empty", None, None)
    engine.dispose()
