"""Documents: well-formed, self-contained, and harmless whatever was scraped."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from db.filters import Filters
from insights import render
from insights.model import Group, InsightError, Reference, Report
from insights.page import matched
from insights.report import build_report
from insights.svg import Drawing, scale_for, short_amount, shortened
from tests.insights.market import NOW, fill, flag, posting

HOSTILE = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x.example")',
    "a|b `c` [d](javascript:e)\nf",
    "\x00\x1b[31mred\x7f</svg>",
    "Büro & Söhne – “Ops”",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Roles with hostile names over several months, countries and currencies, and one flagged posting."""
    url = f"sqlite:///{tmp_path_factory.mktemp('render') / 'ledger.db'}"
    roles = [name.replace("\x00", "") for name in HOSTILE]
    postings = [
        posting(
            i,
            role=roles[i % 5],
            country=["DE", "FR", "GB"][i % 3],
            currency=["EUR", "EUR", "GBP"][i % 3],
            posted_on=NOW.date().replace(month=1 + i % 4),
            salary_min=Decimal(40_000 + 211 * i),
            salary_max=Decimal(60_000 + 307 * i),
        )
        for i in range(150)
    ]
    bad = posting(900, excluded=True)
    fill(url, [*postings, bad], [flag(bad, "placeholder")])
    return build_report(url, filters=Filters(title="Data"), alone=True, now=NOW)


class Page(HTMLParser):
    """What a page holds: its elements, their order, its words."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "line", "rect", "path", "circle", "br", "link"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_self_contained_and_runs_nothing(report: Report) -> None:
    text = render.html(report)
    page = Page(text)
    assert not page.open
    assert not {"script", "link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_says_what_was_scraped_as_words(report: Report) -> None:
    words = "".join(Page(render.html(report)).words)
    assert "<script>alert(1)</script>" in words
    assert "=HYPERLINK" in words
    assert "Büro & Söhne – “Ops”" in words
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", words)


def test_every_chart_has_words_and_a_table(report: Report) -> None:
    page = Page(render.html(report))
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    sections = sum(1 for tag, _ in page.tags if tag == "section")
    tables = sum(1 for tag, _ in page.tags if tag == "table")
    assert sections == tables == 8
    assert len(charts) == 2 * (sections - 1)  # how long jobs stay open is a table alone
    for chart in charts:
        assert chart["role"] == "img"
        assert set((chart["aria-labelledby"] or "").split()) <= ids
    assert len(ids) == len([1 for _, attributes in page.tags if "id" in attributes])
    assert {"lang": "en"} in [attributes for tag, attributes in page.tags if tag == "html"]
    headers = [attributes.get("scope") for tag, attributes in page.tags if tag == "th"]
    assert set(headers) == {"col", "row"}


def test_the_page_tells_the_finding_first_and_the_method_last(report: Report) -> None:
    text = "".join(Page(render.html(report)).words)
    order = [report.title.replace("\n", " ")[:30], "150 postings with clean pay", "Left out of every figure", "Method"]
    places = [text.rindex(words) if words == "Method" else text.index(words) for words in order]
    assert places == sorted(places)
    assert "placeholder: 1" in text


def test_svg_is_well_formed_and_alone(report: Report) -> None:
    root = ElementTree.fromstring(render.svg(report))
    assert root.tag.endswith("svg")
    assert {"width", "height", "viewBox"} <= set(root.attrib)
    assert not [e for e in root.iter() if e.tag.endswith("script")]


def test_png_is_a_picture_of_twice_the_size(report: Report) -> None:
    pytest.importorskip("vl_convert")
    picture = render.png(report)
    width = int(ElementTree.fromstring(render.svg(report)).attrib["width"])
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == 2 * width


def test_png_without_its_extra_says_what_to_install(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(InsightError, match=r"jobledger\[charts\]"):
        render.png(report)


def test_csv_runs_no_formula_and_holds_every_group(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(render.csv(report))))
    assert len(rows) == len(report.groups)
    assert {row["role"] for row in rows} >= {'\'=HYPERLINK("http://x.example")', "<script>alert(1)</script>"}
    for row, group in zip(rows, report.groups, strict=True):
        assert int(row["n"]) == group.n
        assert (row["median"] == "") is group.suppressed


def test_markdown_stays_a_table(report: Report) -> None:
    lines = render.md(report).splitlines()
    table = [line for line in lines if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert len(table) == len(report.groups) + 2
    assert len(bars) == 1
    assert "<script" not in render.md(report).replace("\\<", "")


def test_json_holds_numbers_without_noise(report: Report) -> None:
    made = json.loads(render.json(report))
    assert made["groups"][0]["p10"] == pytest.approx(report.groups[0].p10, abs=1e-6)
    assert "0000000" not in render.json(report)


def test_suppressed_cells_show_their_reason_in_every_document(tmp_path: object, report: Report) -> None:
    hidden = replace(report.groups[0], suppressed=True, reason="2 of the 5 postings with pay that a figure needs",
                     p10=None, p25=None, median=None, p75=None, p90=None, median_ci=None)  # fmt: skip
    thin = replace(report, groups=(hidden,), totals=(hidden,), distribution=(), months=(), countries=())
    for kind in ("html", "md", "csv", "json"):
        assert "2 of the 5 postings" in getattr(render, kind)(thin)


def group(**changes: object) -> Group:
    said: dict[str, object] = {"key": {"role": "Cook", "level": "mid"}, "currency": "USD", "n": 9, "companies": 4,
        "postings": 9, "disclosed_share": 1.0, "suppressed": False, "median": 50.0}  # fmt: skip
    return Group(**(said | changes))  # type: ignore[arg-type]  # a test's shorthand


def test_references_stand_beside_their_own_cells_only() -> None:
    beside = Reference("Bureau", "", (group(key={"role": "Cook", "country": "US"}, median=41.0),))
    rows = [
        group(),
        group(key={"role": "Baker", "level": "mid"}),
        group(currency="EUR"),
        group(key={"role": "Cook", "country": "DE"}),
        group(key={"role": "Cook", "country": "US"}),
        group(key={"level": "mid"}),
    ]
    assert matched(rows, [beside]) == {0: ("Bureau", 41.0), 4: ("Bureau", 41.0)}


def test_references_are_drawn_and_never_counted(report: Report) -> None:
    shown = next(g for g in report.groups if g.median is not None and g.currency == "EUR")
    beside = Reference("Bureau <b>", "People who work there.", (replace(shown, n=7, median=55_555.0),))
    more = replace(report, references=(beside,))
    assert render.svg(more).count('class="other"') == 1
    assert "Bureau &lt;b&gt;" in render.html(more)
    assert json.loads(render.json(more))["groups"] == json.loads(render.json(report))["groups"]


@pytest.mark.parametrize(
    "amounts", [[0.0], [1.0, 1.0], [0.001, 0.002], [-5.0, 3.0], [1e12, 2e12], [99_999.0, 100_001.0]], ids=str
)
def test_scales_hold_their_amounts(amounts: list[float]) -> None:
    scale = scale_for(amounts, 10, 110)
    assert all(10 <= scale(amount) <= 110 for amount in amounts)
    assert 2 <= len(scale.ticks()) <= 14
    assert all(short_amount(tick) for tick in scale.ticks())


def test_long_words_are_cut_and_kept_in_the_hint() -> None:
    drawing = Drawing("x", "t", "d", 100, 50)
    drawing.begin("W" * 300)
    drawing.text(0, 10, shortened("W" * 300, 80))
    drawing.end()
    assert "…" in drawing.svg()
    assert "W" * 300 in drawing.svg()
