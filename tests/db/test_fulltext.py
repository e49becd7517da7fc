"""The search in words: SQLite and PostgreSQL find what a plain reading of the words finds, whatever is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, text

from aggregator.pipeline import aggregate
from db.backup import backup_ledger
from db.copying import copy_ledger
from db.erasure import forget_company
from db.filters import FilterError, Filters
from db.fulltext import _PLAIN_WORD, MOST_CHARACTERS, QueryError, matches, parse_query, searchable, words_of
from db.merges import merge_postings
from db.queries import find_postings
from db.schema import downgrade, upgrade
from db.session import make_engine, open_ledger, reading, writing
from db.store import keep
from db.tables import POSTING
from db.words import TEXTS, fill_words, keep_words
from insights.report import build_report
from tests.db.records import DAY, NOON, ad
from tests.postgres import database


def found(store: Engine, query: str) -> set[str]:
    rows, _ = find_postings(store, Filters(text=query), limit=10_000)
    return {row["title"] for row in rows}


class TestWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("C++ C# F# .NET", "c++ c# f# .net"),
            ("C++17, C#8", "c++ 17 c# 8"),
            ("ASP.NET and network", "asp .net and network"),
            ("node.js R&D e-commerce", "node js r d e commerce"),
            ("issue#12 50%", "issue 12 50"),
            ("Café MÜNCHEN Straße Łódź œuvre", "cafe munchen strasse lodz oeuvre"),
            ("cafe\u0301 ＦＵＬＬ ﬁne x²", "cafe full fine x2"),
            ("C\u266f developer", "c# developer"),
            ("Ελλάς Привет İstanbul", "ελλασ привет istanbul"),
            ("हिन्दी 한국어 עברית", "हिन्दी 한국어 עברית"),
            ("東京data", "東 京 data"),
            ("snake_case \x00 \ud800 --- \"'", "snake case"),
            ("", ""),
        ],
    )
    def test_what_is_a_word(self, text: str, words: str) -> None:
        assert " ".join(words_of(text)) == words

    @given(st.text(st.sampled_from("abc1+#. -_&\n\x01\x02") | st.sampled_from(["n", "e", "t"]), max_size=12))
    def test_plain_texts_are_cut_like_all_others(self, text: str) -> None:
        assert words_of(text) == _PLAIN_WORD.findall(text)

    def test_texts_are_bounded(self) -> None:
        made = searchable(["a" * 1_000, "wörd " * 100_000])
        assert len(made) <= MOST_CHARACTERS
        assert made.split()[0] == "a" * 64
        assert set(made.split()[2:]) == {"word"}

    @pytest.mark.parametrize("query", ["", "  ", "-", '"', "&&& ***", "…"])
    def test_nothing_to_search_for_is_an_error(self, query: str) -> None:
        with pytest.raises(QueryError, match="nothing to search for"):
            parse_query(query)
        with pytest.raises(FilterError, match="--text"):
            Filters(text=query)

    def test_a_search_has_bounds(self) -> None:
        with pytest.raises(QueryError, match="40 words"):
            parse_query(" ".join(f"w{n}" for n in range(41)))


ADS: Sequence[tuple[str, str]] = (
    ("Senior C++ Developer", "Templates, C and Qt."),
    ("C# Developer", "ASP.NET, Azure; R&D."),
    ("Node.js Developer", "JavaScript in Café Münster, full-time."),
    ("Data Engineer", "Python, SQL; not a JavaScript role. Data engineering for R programmers."),
    ("Engineer, Data Quality", "Engineer of data. Net salary 50,000."),
    ("データエンジニア", "東京で分析"),
)
ASKED: Sequence[tuple[str, Sequence[int]]] = (
    ("c++", [0]),
    ("c#", [1]),
    ("C", [0]),
    (".net", [1]),
    ("net", [4]),
    ("node.js", [2]),
    ("r&d", [1]),
    ("R", [1, 3]),
    ("developer", [0, 1, 2]),
    ("dev", [0, 1, 2]),
    ("dev azure", []),
    ("dev* azure", [1]),
    ('"dev"', []),
    ('"data engineer"', [3]),
    ("“data engineer”", [3]),
    ("data engineer", [3, 4]),
    ('"engineer data"', [4]),
    ('"data engineer', [3]),
    ('data -"data engineer"', [4]),
    ("-developer -data", [5]),
    ("developer -java*", [0, 1]),
    ("developer -java", [0, 1, 2]),
    ("cafe munster", [2]),
    ("CAFÉ", [2]),
    ("full-time", [2]),
    ("エンジニア", [5]),
    ("分析 東京", [5]),
    ("京東", []),
    ("50,000", [4]),
    ("nothing", []),
)


class TestStores:
    @pytest.fixture
    def filled(self, store: Engine) -> Engine:
        texts = [ad(n, title_text=title, description_text=said) for n, (title, said) in enumerate(ADS)]
        keep(store, texts)
        aggregate(store, now=NOON)
        return store

    def test_what_people_ask(self, filled: Engine) -> None:
        wrong = [
            (query, titles)
            for query, numbers in ASKED
            if (titles := found(filled, query)) != {ADS[number][0] for number in numbers}
        ]
        assert wrong == []

    def test_employer_and_place_are_searched_too(self, filled: Engine) -> None:
        keep(filled, [ad(50, title_text="Cook", company_text="Zwölf AG", location_text="Zürich, Switzerland")])
        aggregate(filled, now=NOON)
        assert found(filled, "zwolf") == found(filled, "zurich cook") == {"Cook"}
        assert found(filled, '"cook zwolf"') == set(), "a phrase does not reach from one text into the next"

    def test_the_index_follows_what_is_written(self, filled: Engine) -> None:
        keep(filled, [ad(0, title_text="Rust Developer", description_text="Templates.", seen_at=NOON + DAY)])
        aggregate(filled, now=NOON + DAY)
        assert (found(filled, "c++"), found(filled, "rust")) == (set(), {"Rust Developer"})
        ids = {row["title"]: row["id"] for row in find_postings(filled, Filters(), limit=50)[0]}
        merge_postings(filled, ids["C# Developer"], ids["Rust Developer"], who="eva", why="same", now=NOON)
        assert found(filled, "rust") == set()
        with writing(filled) as connection:
            left = connection.execute(text("SELECT count(*) FROM posting_words")).scalar_one()
        assert left == len(ADS) - 1
        forget_company(filled, "Acme GmbH", None, who="eva", now=NOON)
        with writing(filled) as connection:
            words = connection.execute(text("SELECT count(*) FROM posting_words")).scalar_one()
            postings = connection.execute(text("SELECT count(*) FROM posting")).scalar_one()
        assert words == postings

    @pytest.mark.parametrize("target", ["sqlite", "postgresql"])
    def test_a_copy_can_be_searched(
        self, filled: Engine, target: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        url = f"sqlite:///{tmp_path / 'copy.db'}" if target == "sqlite" else request.getfixturevalue("postgres_url")
        copy = open_ledger(url)
        copy_ledger(filled, copy)
        assert [found(copy, query) for query, _ in ASKED] == [found(filled, query) for query, _ in ASKED]
        copy.dispose()

    def test_a_ledger_of_before_is_indexed_when_it_is_opened(self, filled: Engine, ledger_url: str) -> None:
        expected = [found(filled, query) for query, _ in ASKED]
        downgrade(filled, "0001")
        filled.dispose()
        engine = open_ledger(ledger_url)
        assert [found(engine, query) for query, _ in ASKED] == expected
        downgrade(engine, "0001")
        upgrade(engine)
        with writing(engine) as connection:
            assert fill_words(connection) == 0
        engine.dispose()

    def test_reports_take_the_same_words(self, filled: Engine, ledger_url: str) -> None:
        for query, numbers in ASKED[::9]:
            report = build_report(ledger_url, filters=Filters(text=query), by=("role",), intervals=False, now=NOON)
            assert report.method["counts"]["selected"] == len(numbers), query


def test_a_vacuum_and_a_backup_keep_the_index(ledger: Engine, tmp_path: Path) -> None:
    keep(ledger, [ad(n, title_text=f"Engineer w{n}", company_text=f"Employer {n}") for n in range(30)])
    aggregate(ledger, now=NOON)
    for number in range(0, 30, 2):
        forget_company(ledger, f"Employer {number}", None, who="eva", now=NOON)
    backup_ledger(ledger, tmp_path / "backup.db")
    copy = open_ledger(f"sqlite:///{tmp_path / 'backup.db'}")
    for number in range(30):
        expected = {f"Engineer w{number}"} if number % 2 else set()
        assert found(ledger, f'"w{number}"') == found(copy, f'"w{number}"') == expected
    copy.dispose()


@pytest.fixture(scope="module")
def both(sqlite_template: Path, postgres_server: str, postgres_template: str, tmp_path_factory: Any) -> Iterator[Any]:
    """A ledger of each store, used for one example after another: making one takes longer than the example."""
    path = tmp_path_factory.mktemp("fulltext") / "ledger.db"
    shutil.copy(sqlite_template, path)
    with database(postgres_server, postgres_template) as url:
        engines = [make_engine(f"sqlite:///{path}"), make_engine(url)]
        yield engines
        for engine in engines:
            engine.dispose()


WORDS = st.sampled_from(
    ["data", "Data", "dáta", "engineer", "eng", "C++", "c", "C#", ".NET", "net", "node.js", "js", "R&D", "r", "d",
     "東京", "京", "タ", "ß", "ss", "x1", "¶", "हिन्दी", "'", "\\", "%", "*", ":", "&", "|", "!", "(", "-"]
)  # fmt: skip
TEXT = st.lists(WORDS | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6), max_size=8).map(
    lambda parts: " ".join(parts)
)
QUERY = st.lists(
    st.tuples(st.sampled_from(["", "-", '"', '-"']), TEXT, st.sampled_from(["", "*", '"', '"*'])).map("".join),
    min_size=1,
    max_size=4,
).map(" ".join)


def put(engine: Engine, texts: Sequence[Sequence[str]]) -> None:
    """These postings and no others, written as the aggregator writes them."""
    rows = [dict(zip(TEXTS, said, strict=True)) for said in texts]
    with writing(engine) as connection:
        connection.execute(delete(POSTING))
        if not rows:
            return
        lists = ("employment_types", "countries", "remote_scope", "pay_tiers", "sources")
        blank = {"title_text": "", "role_confidence": 0.0, "first_seen": NOON, "last_seen": NOON, "content_hash": "",
                 "rules_version": 1, "salary_is_estimate": False, "excluded": False, "reopened": 0, "reposted": 0,
                 "reposted_days": 0, "block": "", "match_version": 0} | {name: [] for name in lists}  # fmt: skip
        connection.execute(insert(POSTING), [blank | {"id": f"p{n}"} | row for n, row in enumerate(rows)])
        keep_words(connection, [(f"p{n}", row) for n, row in enumerate(rows)])


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), max_size=6), queries=st.lists(QUERY, min_size=1, max_size=6))
@example([("a b", "c", "", "a  b")], ["b c", '"a b"', '-"b c"', "a*"])
def test_both_stores_find_what_plain_reading_finds(
    both: Sequence[Engine], texts: list[tuple[str, ...]], queries: list[str]
) -> None:
    asked = []
    for query in queries:
        try:
            asked.append((query, parse_query(query)))
        except QueryError:
            continue
    for engine in both:
        put(engine, texts)
        with reading(engine) as connection:
            for query, terms in asked:
                expected = {f"p{n}" for n, said in enumerate(texts) if matches(terms, searchable(said))}
                condition = Filters(text=query).conditions()
                ids = set(
                    connection.execute(POSTING.select().with_only_columns(POSTING.c.id).where(*condition)).scalars()
                )
                assert ids == expected, (engine.dialect.name, query, terms)
