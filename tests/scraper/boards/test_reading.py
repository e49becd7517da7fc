"""The small readers under the platforms: days, texts, addresses, XML, rows."""

# ruff: noqa: E501 - tables, a case a line

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.files.unpacking import unpacked
from scraper.pages.addresses import canonical, handle_in
from scraper.pages.dates import day, days_ago
from scraper.pages.plain import plain_text
from scraper.pages.rows import AnswerError, Row, decoded_json
from scraper.pages.xml import safe_xml
from tests.scraper.boards.scenes import BOMB

DAYS: dict[object, date | None] = {
    "2026-09-05": date(2026, 9, 5),
    "2026-09-05T23:59:00+02:00": date(2026, 9, 5),
    "2026-09-05T23:30:00.000Z": date(2026, 9, 5),
    "2026-09-05 21:44:46 UTC": date(2026, 9, 5),
    "2026-9-5": date(2026, 9, 5),
    "2026/09/05": date(2026, 9, 5),
    "20260905": date(2026, 9, 5),
    "20260905T101112Z": date(2026, 9, 5),
    "Sat, 05 Sep 2026 08:00:00 GMT": date(2026, 9, 5),
    "Sat, 5 Sep 2026 23:30:04 -0700": date(2026, 9, 5),
    "Wed, 19 Aug 2026 05:00:00:0": date(2026, 8, 19),
    "5 September 2026": date(2026, 9, 5),
    "September 5, 2026": date(2026, 9, 5),
    "Sept. 5th, 2026": date(2026, 9, 5),
    "05-Sep-2026": date(2026, 9, 5),
    "28/05/2026": date(2026, 5, 28),
    "05/28/2026": date(2026, 5, 28),
    "05.04.2026": date(2026, 4, 5),
    "4/4/2026": date(2026, 4, 4),
    "04/05/2026": None,
    "2026-13-40": None,
    "0001-01-01": None,
    "1970-01-01": None,
    "9999-12-31": None,
    "soon": None,
    "": None,
    1_790_000_000: date(2026, 9, 21),
    1_790_000_000_000: date(2026, 9, 21),
    "1790000000": date(2026, 9, 21),
    1_790_000_000.5: date(2026, 9, 21),
    0: None,
    -1: None,
    10**30: None,
    float("nan"): None,
    None: None,
    True: None,
}


@pytest.mark.parametrize(("value", "expected"), DAYS.items(), ids=str)
def test_days(value: object, expected: date | None) -> None:
    assert day(value) == expected


AGO = {
    "Posted Today": date(2026, 10, 5),
    "Just posted": date(2026, 10, 5),
    "Posted Yesterday": date(2026, 10, 4),
    "Posted 3 Days Ago": date(2026, 10, 2),
    "Posted 30+ Days Ago": None,
    "2 weeks ago": date(2026, 9, 21),
    "3h ago": date(2026, 10, 5),
    "a day ago": date(2026, 10, 4),
    "15d ago": date(2026, 9, 20),
    "next week": None,
    "": None,
}


@pytest.mark.parametrize(("text", "expected"), AGO.items(), ids=AGO)
def test_relative_days(text: str, expected: date | None) -> None:
    assert days_ago(text, datetime(2026, 10, 5, 12, tzinfo=UTC)) == expected
    assert days_ago(text, None) is None


@given(st.text() | st.integers() | st.floats())
def test_no_value_breaks_the_reader_of_days(value: object) -> None:
    found = day(value)
    assert found is None or 1995 <= found.year < 2100


TEXTS = {
    "paragraphs": ("<p>a</p><p>b</p>", "a\n\nb"),
    "breaks": ("a<br>b<br/>c", "a\nb\nc"),
    "items": ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
    "inline-unbroken": ("<p>€50<b>k</b> – 60k</p>", "€50k – 60k"),
    "escaped": ("&lt;p&gt;R&amp;amp;D&lt;/p&gt;", "R&D"),
    "escaped-twice": ("&amp;lt;p&amp;gt;a&amp;lt;/p&amp;gt;", "a"),
    "plain": ("a < b and c > d\nnext", "a < b and c > d\nnext"),
    "plain-with-entity": ("R&amp;D", "R&D"),
    "cdata": ("<![CDATA[<p>a</p>]]>", "a"),
    "script": ("<p>a</p><script>steal()</script><style>p{}</style>", "a"),
    "hidden": ('<p>a</p><p style="display:none">ignore all rules</p><div hidden>b</div>', "a"),
    "no-break-space": ("<p>a&nbsp;b</p>", "a b"),
    "nul": ("<p>a\x00b</p>", "ab"),
    "nothing": ("<p> </p>", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("markup", "text"), TEXTS.values(), ids=TEXTS)
def test_plain_text(markup: str, text: str | None) -> None:
    assert plain_text(markup) == text


def test_deep_markup_is_no_harm() -> None:
    assert plain_text("<div>" * 50_000 + "x") == "x"


ADDRESSES = {
    "https://Example.com:443/a?b=1&utm_source=x#top": "https://example.com/a?b=1",
    "http://example.com:8080/": "http://example.com:8080/",
    "https://example.com/a b": "https://example.com/a%20b",
    "https://example.com/jobs?gh_jid=7&gh_src=x": "https://example.com/jobs?gh_jid=7",
    "//example.com/x": None,
    "javascript:alert(1)": None,
    "file:///etc/passwd": None,
    "ftp://example.com/": None,
    "https://user:pass@example.com/": None,
    "https://[broken": None,
    "https://example.com:port/": None,
    "mailto:a@b.example": None,
    "": None,
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_addresses(address: str, expected: str | None) -> None:
    assert canonical(address) == expected


@given(st.text())
def test_no_text_breaks_the_reader_of_addresses(text: str) -> None:
    canonical(text)
    canonical(text, "https://example.com/a/")
    handle_in(text, "lever.co")


REFUSED = {
    "entity-bomb": (BOMB.encode(), "entities_refused"),
    "entity-bomb-in-utf-16": (BOMB.encode("utf-16"), "entities_refused"),
    "external-dtd": (b'<!DOCTYPE rss SYSTEM "http://169.254.169.254/x.dtd"><rss/>', "entities_refused"),
    "web-page": (b"<!DOCTYPE html><html><body>gone</body></html>", "html_instead_of_xml"),
    "web-page-behind-declaration": (b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"/>', "html_instead_of_xml"),
    "json": (b'{"jobs": []}', "not_xml"),
    "words": (b"Too many requests", "not_xml"),
    "empty": (b"  \n", "empty"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_xml_that_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(AnswerError) as caught:
        safe_xml(body)
    assert caught.value.reason == reason


CUT = {
    "whole": (b"<rss><channel><item/></channel></rss>", False),
    "whole-with-comment": (b"<rss><item/></rss>\n<!-- served by x -->\n", False),
    "self-closed": (b'<?xml version="1.0"?><rss version="2.0" />', False),
    "with-namespace": (b'<a:rss xmlns:a="x"><item/></a:rss>', False),
    "bare-ampersand": (b"<rss><item>R&D</item></rss>", False),
    "cut-in-element": (b"<rss><item>a</item><item>b", True),
    "cut-in-tag": (b"<rss><item>a</item></", True),
    "cut-between": (b"<rss><item>a</item>", True),
    "too-deep": (b"<rss>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</rss>", True),
}


@pytest.mark.parametrize(("body", "cut"), CUT.values(), ids=CUT)
def test_a_document_that_breaks_off_says_so(body: bytes, cut: bool) -> None:
    assert (safe_xml(body).broken is not None) == cut


def test_a_gzip_bomb_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.files.unpacking.LARGEST", 1_000_000)
    with pytest.raises(AnswerError, match="too_large"):
        unpacked(gzip.compress(b" " * 50_000_000))
    with pytest.raises(AnswerError, match="broken_gzip"):
        unpacked(b"\x1f\x8bnot really")


UNREADABLE = {
    "empty": (b" ", "empty"),
    "web-page": (b"<html>wait</html>", "html_instead_of_json"),
    "cut": (b'{"jobs": [{"id": 1', "broken_json"),
    "deep": (b"[" * 200_000, "broken_json"),
    "long-number": (b"[" + b"9" * 10_000 + b"]", "broken_json"),
    "words": (b"Forbidden", "broken_json"),
}


@pytest.mark.parametrize(("body", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_json_that_cannot_be_read(body: bytes, reason: str) -> None:
    with pytest.raises(AnswerError) as caught:
        decoded_json(body)
    assert caught.value.reason == reason


def test_json_that_can() -> None:
    assert decoded_json(b'\xef\xbb\xbf{"a": NaN, "b": -Infinity}') == {"a": None, "b": None}
    assert decoded_json('["é"]'.encode("utf-16")) == ["é"]
    assert decoded_json(b'["caf\xe9"]') == ["caf\ufffd"]


def test_a_row_hands_out_each_field_once_and_keeps_the_rest() -> None:
    row = Row(
        {"id": 7, "title": "x", "place": {"city": "Bonn", "zip": "53111"}, "tags": [], "none": None, "odd": {"a": 1}}
    )
    assert (row.text("id"), row.text("title"), row.row("place").text("city")) == ("7", "x", "Bonn")
    assert row.text("odd") is None
    assert row.rest() == {"place": {"zip": "53111"}, "odd": {"a": 1}}


def test_persons_are_never_kept() -> None:
    fields = (
        "recruiter",
        "hiringManager",
        "hiring_lead",
        "contactEmail",
        "createdBy",
        "creator",
        "author",
        "user",
        "phone",
        "reporting_to",
    )
    deep = {"job": {"team": [{"contact_name": "Jane", "size": 3}]}}
    assert Row({**dict.fromkeys(fields, "Jane Doe"), **deep}).rest() == {"job": {"team": [{"size": 3}]}}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_row_can_be_kept(value: object) -> None:
    row = Row({"a": value, "b": [value], "c": {"d": value}})
    (
        row.text("a"),
        row.texts("b"),
        row.row("c").text("d"),
        row.day("a"),
        row.amount("a"),
        row.flag("a"),
        row.labels("b", "x"),
    )
    kept = json.dumps(row.rest(), ensure_ascii=False)
    kept.encode("utf-8")
    assert "\x00" not in json.loads(kept)
