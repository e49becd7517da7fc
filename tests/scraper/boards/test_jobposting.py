"""schema.org JobPosting: wherever it stands and however broken it is, it is read or reported."""
# ruff: noqa: E501 - tables, a case a line

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import PublishedPay, RawPostingRecord
from scraper.answers import Seen
from scraper.pages.basesalary import pay_of
from scraper.pages.declared import own_address
from scraper.pages.jobposting import find_job_postings, read_job_page
from scraper.pages.jsonld import read_loose_json, repaired

URL = "https://careers.acme.example/jobs/7"
SEEN = Seen(source="acme", url=URL, at=datetime(2026, 10, 5, 12, tzinfo=UTC))
BODY = '{"@context": "https://schema.org/", "@type": "JobPosting", "title": "Data Engineer", "skills": "SQL"}'


def script(text: str, kind: str = "application/ld+json") -> str:
    return f'<html><head><script type="{kind}">{text}</script></head><body>x</body></html>'


FOUND = {
    "plain": script(BODY),
    "at-graph": script('{"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, ' + BODY + "]}"),
    "array": script(f"[{BODY}]"),
    "list-of-types": script(BODY.replace('"JobPosting"', '["Thing", "JobPosting"]')),
    "type-with-address": script(BODY.replace('"JobPosting"', '"http://schema.org/JobPosting"')),
    "type-with-prefix": script(
        BODY.replace('"JobPosting"', '"schema:JobPosting"').replace('"title"', '"schema:title"')
    ),
    "upper-case-type": script(BODY.replace("JobPosting", "JOBPOSTING"), "APPLICATION/LD+JSON"),
    "type-with-charset": script(BODY, "application/ld+json; charset=utf-8"),
    "escaped-type-attribute": script(BODY, "application/ld&#43;json"),
    "unquoted-type-attribute": f"<script type=application/ld+json>{BODY}</script>",
    "type-attribute-last": f"<script id='x' data-n='1' type='application/ld+json'>{BODY}</script>",
    "pascal-case-keys": script('{"@type": "JobPosting", "Title": "Data Engineer", "Skills": "SQL"}'),
    "main-entity": script('{"@type": "WebPage", "mainEntity": ' + BODY + "}"),
    "item-list": script('{"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": ' + BODY + "}]}"),
    "trailing-commas": script('{"@type": "JobPosting", "title": "Data Engineer", "skills": "SQL",}'),
    "trailing-comma-in-list": script('{"@type": "JobPosting", "title": "Data Engineer", "industry": ["a", "b",]}'),
    "double-comma": script('{"@type": "JobPosting",, "title": "Data Engineer"}'),
    "missing-comma": script('{"@type": "JobPosting"\n"title": "Data Engineer"}'),
    "missing-comma-between-objects": script(BODY[:-1] + ', "jobLocation": [{"name": "a"} {"name": "b"}]}'),
    "html-comment-inside": script(f"<!-- {BODY} -->"),
    "html-comment-of-several-lines": script(f"<!--\n{BODY}\n//-->"),
    "cdata": script(f"<![CDATA[{BODY}]]>"),
    "cdata-behind-slashes": script(f"//<![CDATA[\n{BODY}\n//]]>"),
    "cdata-behind-stars": script(f"/*<![CDATA[*/ {BODY} /*]]>*/"),
    "whole-script-commented-out": f"<!-- {script(BODY)} -->",
    "line-comment": script('{"@type": "JobPosting", // the type\n "title": "Data Engineer"}'),
    "block-comment": script('{/* a "note" */ "@type": "JobPosting", "title": "Data Engineer"}'),
    "entity-escaped": script(BODY.replace('"', "&quot;")),
    "entity-escaped-by-number": script(BODY.replace('"', "&#34;")),
    "semicolon-behind": script(BODY + ";"),
    "byte-order-mark": script("\ufeff" + BODY),
    "no-break-spaces": script(BODY.replace(": ", ":\u00a0")),
    "raw-newline-in-text": script('{"@type": "JobPosting", "title": "Data Engineer", "description": "a\nb\tc"}'),
    "control-character": script('{"@type": "JobPosting", "title": "Data Engineer", "description": "a\x01b"}'),
    "bad-escape": script(r'{"@type": "JobPosting", "title": "Data Engineer", "description": "\$5 isn\'t much"}'),
    "single-quotes": script("{'@type': 'JobPosting', 'title': 'Data Engineer'}"),
    "bare-keys": script('{"@type": "JobPosting", title: "Data Engineer"}'),
    "quotes-inside-text": script(
        '{"@type": "JobPosting", "title": "Data Engineer", "description": "we say "hi" here"}'
    ),
    "two-objects-in-a-row": script('{"@type": "WebSite"}' + BODY),
    "not-a-number": script('{"@type": "JobPosting", "title": "Data Engineer", "baseSalary": NaN}'),
    "undefined": script('{"@type": "JobPosting", "title": "Data Engineer", "validThrough": undefined}'),
    "windows-1252": script('{"@type": "JobPosting", "title": "Data Engineer", "x": "caf\u00e9"}'),
    "second-script": script('{"@type": "Organization"}') + script(BODY),
    "unclosed-script": f'<script type="application/ld+json">{BODY}',
    "typed-value": script('{"@type": "JobPosting", "title": {"@value": "Data Engineer", "@language": "en"}}'),
    "next-js-stream": '<script>self.__next_f.push([1,"13:T9,"])</script><script>self.__next_f.push([1,'
    + json.dumps(BODY + "14:[]")
    + "])</script>",
    "microdata": """<div itemscope itemtype="https://schema.org/JobPosting"><h1 itemprop="title">Data Engineer</h1></div>""",
    "microdata-old-address": """<div itemscope itemtype="http://schema.org/JobPosting"><meta itemprop="title" content="Data Engineer"></div>""",
    "microdata-itemref": """<i id="t" itemprop="title">Data Engineer</i><div itemscope itemref="t" itemtype="http://schema.org/JobPosting"></div>""",
    "rdfa": """<div vocab="https://schema.org/" typeof="JobPosting"><h1 property="title">Data Engineer</h1></div>""",
}


@pytest.mark.parametrize("page", FOUND.values(), ids=FOUND)
def test_a_posting_is_found(page: str) -> None:
    encoding = "cp1252" if "caf\u00e9" in page else "utf-8"
    found, problems = find_job_postings(page.encode(encoding), URL)
    assert [job.fields["title"] for job in found] == ["Data Engineer"]
    assert problems == []


REPORTED = {
    "truncated": script(BODY[:60]),
    "no-json-at-all": script("JobPosting goes here"),
    "unclosed-text": script('{"@type": "JobPosting", "title": "Data Eng'),
}


@pytest.mark.parametrize("page", REPORTED.values(), ids=REPORTED)
def test_what_cannot_be_read_is_reported(page: str) -> None:
    parsed = read_job_page(page.encode(), SEEN)
    assert parsed.postings == ()
    assert [one.reason for one in parsed.rejected] == ["broken_json_ld"]
    assert parsed.rejected[0].url == URL


NOTHING = {
    "no-markup": "<p>We hire</p>",
    "another-type": script('{"@type": "NewsArticle"}'),
    "word-in-text": "<p>Read about the JobPosting type</p>",
    "empty": "",
}


@pytest.mark.parametrize("page", NOTHING.values(), ids=NOTHING)
def test_pages_without_postings_say_nothing(page: str) -> None:
    parsed = read_job_page(page.encode(), SEEN)
    assert (parsed.postings, parsed.rejected) == ((), ())


FULL = {
    "@type": "JobPosting",
    "title": "Data Engineer &amp; more",
    "identifier": {"@type": "PropertyValue", "name": "Acme", "value": "DE-7"},
    "datePosted": "2026-10-01",
    "validThrough": "2026-11-30T23:59",
    "employmentType": ["FULL_TIME", "CONTRACTOR"],
    "description": "&lt;p&gt;Build &amp;amp; run&lt;/p&gt;&lt;ul&gt;&lt;li&gt;pipes&lt;/li&gt;&lt;/ul&gt;",
    "hiringOrganization": {"@type": "Organization", "name": "Acme", "sameAs": "https://acme.example"},
    "jobLocationType": "TELECOMMUTE",
    "applicantLocationRequirements": [{"@type": "Country", "name": "DE"}, {"@type": "Country", "name": "AT"}],
    "jobLocation": {"@type": "Place", "address": {"addressLocality": "Berlin", "addressRegion": "BE", "addressCountry": {"@type": "Country", "name": "DE"}}},
    "baseSalary": {"@type": "MonetaryAmount", "currency": "EUR", "value": {"minValue": 70000, "maxValue": 90000, "unitText": "YEAR"}},
    "applicationContact": {"name": "Jane Doe", "email": "jane@acme.example"},
    "industry": "Software",
    "url": "/jobs/7?utm_campaign=x",
}  # fmt: skip
FULL_FIELDS = {
    "title_text": "Data Engineer & more",
    "source_id": URL,
    "url": URL,
    "company_text": "Acme",
    "location_text": "Berlin, BE, DE",
    "country_text": "DE",
    "workplace_text": "TELECOMMUTE",
    "employment_text": "FULL_TIME, CONTRACTOR",
    "requisition_text": "DE-7",
    "posted_on": date(2026, 10, 1),
    "valid_through": date(2026, 11, 30),
    "pay": (PublishedPay(min="70000", max="90000", currency="EUR", period="YEAR"),),
    "description_text": "Build & run\n\n- pipes",
}


def only(page: str) -> RawPostingRecord:
    (record,) = read_job_page(page.encode(), SEEN).postings
    return record


@pytest.mark.parametrize(("name", "value"), FULL_FIELDS.items(), ids=FULL_FIELDS)
def test_each_field_of_a_full_posting(name: str, value: object) -> None:
    assert getattr(only(script(json.dumps(FULL))), name) == value


def test_what_no_field_takes_is_kept_and_persons_are_not() -> None:
    payload = only(script(json.dumps(FULL))).payload
    assert payload == {
        "industry": "Software",
        "applicantLocationRequirements": [{"@type": "Country", "name": "DE"}, {"@type": "Country", "name": "AT"}],
    }


PLACES = {
    "list": ([{"address": {"addressLocality": "Bonn"}}, {"address": {"addressLocality": "Köln"}}], "Bonn; Köln"),
    "address-is-text": ({"address": "1 Main St, Austin, TX"}, "1 Main St, Austin, TX"),
    "place-is-text": ("Remote", "Remote"),
    "only-a-name": ({"@type": "Place", "name": "Head office"}, "Head office"),
    "list-of-addresses": ({"address": [{"addressLocality": "Bonn"}, {"addressLocality": "Ulm"}]}, "Bonn; Ulm"),
    "same-name-twice": ({"address": {"addressLocality": "Singapore", "addressCountry": "Singapore"}}, "Singapore"),
    "lower-case-keys": ({"address": {"addresslocality": "Bonn", "addresscountry": "DE"}}, "Bonn, DE"),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("place", "text"), PLACES.values(), ids=PLACES)
def test_places(place: object, text: str | None) -> None:
    assert only(script(json.dumps({"@type": "JobPosting", "title": "x", "jobLocation": place}))).location_text == text


def test_without_a_place_the_areas_of_applicants_are_the_place() -> None:
    fields = {
        "@type": "JobPosting",
        "title": "x",
        "applicantLocationRequirements": {"@type": "Country", "name": "Peru"},
    }
    record = only(script(json.dumps(fields)))
    assert (record.location_text, record.country_text) == ("Peru", "Peru")


def test_references_inside_the_page_are_followed() -> None:
    graph = [
        {"@type": "Organization", "@id": "#org", "name": "Acme"},
        {"@type": "JobPosting", "title": "x", "hiringOrganization": {"@id": "#org"}},
    ]
    assert only(script(json.dumps({"@graph": graph}))).company_text == "Acme"


def test_two_postings_keep_apart() -> None:
    pages = [
        {"@type": "JobPosting", "title": "a", "url": "/jobs/1"},
        {"@type": "JobPosting", "title": "b", "url": "/jobs/2"},
    ]
    parsed = read_job_page(script(json.dumps(pages)).encode(), SEEN)
    assert [one.source_id for one in parsed.postings] == [f"{URL[:-1]}1", f"{URL[:-1]}2"]


def test_postings_that_share_an_address_are_known_by_their_words() -> None:
    pages = [
        {"@type": "JobPosting", "title": "a", "url": "/jobs"},
        {"@type": "JobPosting", "title": "b", "url": "/jobs"},
    ]
    parsed = read_job_page(script(json.dumps(pages)).encode(), SEEN)
    assert [one.source_id for one in parsed.postings] == [None, None]
    assert len({one.id for one in parsed.postings}) == 2


def test_microdata_in_full() -> None:
    page = """
      <div itemscope itemtype="https://schema.org/JobPosting">
        <h1 itemprop="title">Welder</h1><a itemprop="url" href="/jobs/9">link</a>
        <span itemprop="hiringOrganization" itemscope itemtype="https://schema.org/Organization"><b itemprop="name">Forge</b></span>
        <div itemprop="jobLocation" itemscope itemtype="https://schema.org/Place"><p itemprop="address" itemscope>
          <i itemprop="addressLocality">Gent</i> <i itemprop="addressCountry">BE</i></p></div>
        <time itemprop="datePosted" datetime="2026-09-01">1 Sept</time><meta itemprop="employmentType" content="FULL_TIME">
        <div itemprop="description"><p>Weld.</p><ul><li>steel</li></ul></div>
        <span itemprop="baseSalary" itemscope itemtype="https://schema.org/MonetaryAmount"><meta itemprop="currency" content="EUR">
          <span itemprop="value" itemscope><span itemprop="minValue">19,50</span><meta itemprop="unitText" content="HOUR"></span></span>
      </div>"""
    record = only(page)
    assert record.title_text == "Welder"
    assert record.company_text == "Forge"
    assert record.location_text == "Gent, BE"
    assert record.posted_on == date(2026, 9, 1)
    assert record.employment_text == "FULL_TIME"
    assert record.description_text == "Weld.\n\n- steel"
    assert record.pay == (PublishedPay(min="19,50", currency="EUR", period="HOUR"),)
    assert record.url == "https://careers.acme.example/jobs/9"
    assert record.payload == {"syntax": "microdata"}


def pay(low: str | None, high: str | None, currency: str | None = None, period: str | None = None) -> PublishedPay:
    return PublishedPay(min=low, max=high, currency=currency, period=period)


SALARIES: dict[str, tuple[object, PublishedPay | None, str | None]] = {
    "range": ({"currency": "EUR", "value": {"minValue": 70000, "maxValue": 90000, "unitText": "YEAR"}}, pay("70000", "90000", "EUR", "YEAR"), None),
    "single-text": ({"currency": "GBP", "value": {"value": "21.50", "unitText": "HOUR"}}, pay("21.50", "21.50", "GBP", "HOUR"), None),
    "flat": ({"currency": "USD", "minValue": "100,000", "maxValue": "120,000", "unitText": "YEAR"}, pay("100,000", "120,000", "USD", "YEAR"), None),
    "scalar-with-outer-unit": ({"currency": "USD", "value": 95000, "unitText": "YEAR"}, pay("95000", "95000", "USD", "YEAR"), None),
    "inner-unit-wins": ({"currency": "USD", "unitText": "YEAR", "value": {"value": 40, "unitText": "HOUR"}}, pay("40", "40", "USD", "HOUR"), None),
    "inner-currency": ({"value": {"minValue": 1000, "currency": "PLN", "unitText": "MONTH"}}, pay("1000", None, "PLN", "MONTH"), None),
    "price": ({"@type": "PriceSpecification", "price": 95000, "priceCurrency": "USD"}, pay("95000", "95000", "USD"), None),
    "number": (85000, pay("85000", "85000", "SEK"), None),
    "number-as-text": ("85000", pay("85000", "85000", "SEK"), None),
    "words": ("€45.000 - €55.000 per year", None, "€45.000 - €55.000 per year"),
    "words-as-value": ({"currency": "EUR", "value": {"value": "45 to 55 thousand", "unitText": "YEAR"}}, None, "EUR 45 to 55 thousand YEAR"),
    "only-minimum": ({"currency": "EUR", "value": {"minValue": 50000}}, pay("50000", None, "EUR"), None),
    "zero-to-zero": ({"currency": "EUR", "value": {"minValue": 0, "maxValue": 0}}, None, None),
    "zero-minimum": ({"currency": "EUR", "value": {"minValue": 0, "maxValue": 10}}, pay("0", "10", "EUR"), None),
    "empty": ({"currency": "KRW", "value": {"value": "", "unitText": "YEAR"}}, None, None),
    "percentiles": ({"currency": "USD", "percentile10": 10, "percentile90": 90, "median": 50}, PublishedPay(min="10", max="90", currency="USD", label="percentile10 to percentile90"), None),
    "upper-case-keys": ({"Currency": "USD", "Value": {"MinValue": 5, "MaxValue": 6, "UnitText": "HOUR"}}, pay("5", "6", "USD", "HOUR"), None),
    "true": (True, None, None),
    "none": (None, None, None),
}  # fmt: skip


@pytest.mark.parametrize(("value", "tier", "text"), SALARIES.values(), ids=SALARIES)
def test_pay_in_all_shapes(value: object, tier: PublishedPay | None, text: str | None) -> None:
    found = pay_of(value, "SEK" if not isinstance(value, dict) else None)
    assert found.tiers == (() if tier is None else (tier,))
    assert found.text == text


def test_every_tier_of_a_list_is_kept() -> None:
    tiers = [{"currency": "USD", "value": {"minValue": n, "maxValue": n + 1}} for n in (1, 5)]
    assert [tier.min for tier in pay_of(tiers).tiers] == ["1", "5"]
    values = {"currency": "USD", "unitText": "HOUR", "value": [{"minValue": 1}, {"minValue": 2}]}
    assert [(tier.min, tier.currency, tier.period) for tier in pay_of(values).tiers] == [
        ("1", "USD", "HOUR"),
        ("2", "USD", "HOUR"),
    ]


def test_an_estimate_of_the_site_is_called_one() -> None:
    fields = {
        "@type": "JobPosting",
        "title": "x",
        "estimatedSalary": {"currency": "USD", "value": {"minValue": 5, "maxValue": 6}},
    }
    assert only(script(json.dumps(fields))).pay_is_estimate
    stated = only(script(json.dumps({**fields, "baseSalary": 7, "salaryCurrency": "USD"})))
    assert (stated.pay_is_estimate, stated.pay) == (False, (pay("7", "7", "USD"),))
    assert "estimatedSalary" in stated.payload


def test_a_captured_page_is_known_by_the_address_it_gives_itself() -> None:
    page = '<link rel="canonical" href="https://acme.example/jobs/1?utm_source=a">' + script(BODY)
    seen = Seen(source="captures", url="capture:0:page.html", at=SEEN.at)
    (record,) = read_job_page(page.encode(), seen).postings
    assert record.url == record.source_id == "https://acme.example/jobs/1"
    assert own_address('<meta property="og:url" content="https://a.example/x">') == "https://a.example/x"


def test_rallit_and_indeed_as_they_really_are(shared_data: Path) -> None:
    folder = shared_data / "data" / "captures" / "pages"
    rallit = read_job_page((folder / "broken-jsonld-rallit.html").read_bytes(), SEEN)
    assert [one.posted_on for one in rallit.postings] == [None]
    indeed = read_job_page((folder / "indeed_job.html").read_bytes(), SEEN)
    assert indeed.postings[0].pay == (pay("130000", "160000", "AUD", "YEAR"),)


LONG = {
    "pushes": "__next_f.push([1," * 20_000 + "JobPosting",
    "many-openings": "<script>" * 40_000,
    "many-json-ld-openings": '<script type="application/ld+json">JobPosting' * 10_000,
    "quotes": script('{"@type": "JobPosting", "t": ' + '"' * 200_001),
    "deep-lists": script('{"@type": "JobPosting", "x": ' + "[" * 100_000),
    "deep-elements": "<div itemscope itemtype='http://schema.org/JobPosting'>" * 5_000,
    "comments": "<!--" * 100_000 + "JobPosting",
    "backslashes": script('{"@type": "JobPosting", "t": "' + "\\" * 200_000),
}


@pytest.mark.parametrize("page", LONG.values(), ids=LONG)
def test_hostile_pages_end_soon(page: str) -> None:
    started = time.process_time()
    read_job_page(page.encode(), SEEN)
    assert time.process_time() - started < 5


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_repairing_sound_json_changes_nothing(value: object) -> None:
    assert json.loads(repaired(json.dumps(value))) == value


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    read_loose_json(text)
    read_job_page(script("JobPosting" + text).encode("utf-8", "surrogatepass"), SEEN)
    pay_of({"value": {"minValue": text, "unitText": text}, "currency": text})
