"""Retry-After in its two forms, and pages that look like challenges but are none."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import HtmlResponse, Response
from scrapy.signalmanager import SignalManager

from scraper.middlewares import (
    CONDITIONAL,
    ChallengeError,
    Challenges,
    ConditionalRequests,
    PageUnchanged,
    wait_seconds,
)

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)
WAITS = {
    "120": 120.0,
    " 0 ": 0.0,
    "Wed, 21 Oct 2026 07:28:30 GMT": 30.0,
    "Wed, 21 Oct 2026 09:28:30 +0200": 30.0,
    "Wednesday, 21-Oct-26 07:28:30 GMT": 30.0,
    "Wed Oct 21 07:28:30 2026": 30.0,
    "Wed, 21 Oct 2020 07:28:00 GMT": 0.0,
    "999999999999999999999": 999999999.0,
    "-5": None,
    "1.5": None,
    "soon": None,
    "": None,
    "Wed, 99 Foo 2026 07:28:30 GMT": None,
    "٣": None,
}


@pytest.mark.parametrize(("header", "seconds"), WAITS.items(), ids=WAITS)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert wait_seconds(header, NOW) == seconds


@given(st.text(max_size=60))
def test_any_header_is_a_wait_or_none(header: str) -> None:
    seconds = wait_seconds(header, NOW)
    assert seconds is None or seconds >= 0


def response(body: str, status: int = 200, kind: str = "text/html", **headers: str) -> Response:
    named = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return HtmlResponse("https://x.example/", status=status, body=body.encode(), headers=named)


class Spider:
    validators: ClassVar = {
        "https://x.example/": ('"abc"', "Wed, 21 Oct 2026 07:28:00 GMT"),
        "https://x.example/none": (None, None),
    }


def crawler() -> Any:
    """What the middlewares ask of a crawler, without a reactor."""
    return SimpleNamespace(stats=None, signals=SignalManager(), spider=Spider())


REQUEST = Request("https://x.example/", meta={CONDITIONAL: True})
CHALLENGES = {
    "title": response("<html><head><title>Just a moment...</title>", 403),
    "header": response("<p>hm", 403, cf_mitigated="challenge"),
    "script": response(
        '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script><script>cf_chl_opt'
    ),
    "incapsula": response('<script src="/_Incapsula_Resource?SWJIYLWA=71"></script>'),
    "datadome": response('<script src="https://geo.captcha-delivery.com/captcha/"></script>'),
    "denied": response("<TITLE>Access Denied</TITLE>", 403),
}
ORDINARY = {
    "a job about it": response(
        "<title>Security Engineer</title><p>You fight captchas. Just a moment of your time.</p>"
    ),
    "a form with a captcha": response(
        '<title>Apply</title><script src="https://www.google.com/recaptcha/api.js"></script>'
    ),
    "JSON": response('{"title": "<title>Just a moment...</title>"}', kind="application/json"),
    "a long page": response("<title>Access denied</title>" + "x" * 70_000),
}


@pytest.mark.parametrize("answer", CHALLENGES.values(), ids=CHALLENGES)
def test_challenges(answer: Response) -> None:
    with pytest.raises(ChallengeError):
        Challenges(crawler()).process_response(REQUEST, answer)


@pytest.mark.parametrize("answer", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_pages(answer: Response) -> None:
    assert Challenges(crawler()).process_response(REQUEST, answer) is answer


def conditional(request: Request) -> Request:
    ConditionalRequests(crawler()).process_request(request)
    return request


def test_a_known_page_is_asked_for_with_its_validators() -> None:
    request = conditional(Request("https://x.example/", meta={CONDITIONAL: True}))
    assert request.headers["If-None-Match"] == b'"abc"'
    assert request.headers["If-Modified-Since"] == b"Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize("url", ["https://x.example/new", "https://x.example/none"])
def test_other_pages_are_asked_for_plainly(url: str) -> None:
    assert not conditional(Request(url, meta={CONDITIONAL: True})).headers


def test_a_page_from_which_more_follows_is_always_read() -> None:
    assert not conditional(Request("https://x.example/")).headers


def test_behind_a_redirect_nothing_is_conditional() -> None:
    known = {"If-None-Match": '"old"', "If-Modified-Since": "Wed, 21 Oct 2026 07:28:00 GMT"}
    meta = {CONDITIONAL: True, "redirect_urls": ["https://x.example/ad"]}
    request = conditional(Request("https://x.example/", headers=known, meta=meta))
    assert not request.headers, "what is known of one address says nothing about another"
    answer = Response("https://x.example/", status=304)
    assert ConditionalRequests(crawler()).process_response(request, answer) is answer


def test_a_304_is_no_page() -> None:
    with pytest.raises(PageUnchanged):
        ConditionalRequests(crawler()).process_response(REQUEST, Response("https://x.example/", status=304))
