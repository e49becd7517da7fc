"""Exchange rates: what the bank's file says, what is believed of it, and the whole road from a server to the table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from aggregator.normalise.money import Rates
from db.looking import find_page_body
from db.models import Rejected
from db.postings import stored_rates
from db.rates import StoredRate, keep_rates, newest_day, newest_rates, stored_between
from db.session import reading, writing
from insights.offer import newest_rate
from scraper.pages.rates import Quote, parse_rates
from scraper.pages.rows import AnswerError
from scraper.rates import DAILY, ORIGIN, RECENT, SOURCE, RatesError, judge_jumps, refresh_rates
from tests.scraper.loopback import Answer, Request, serving

NOON = datetime(2026, 3, 4, 17, tzinfo=UTC)
"""A Wednesday."""
TODAY = NOON.date()
ONE_DAY = timedelta(days=1)
MADE_UP = {"USD": "1.25", "GBP": "0.8", "JPY": "125", "CHF": "1.0"}
"""For one euro; round, so that the dollars are plain to see."""
DOLLARS = {"EUR": 1.25, "GBP": 1.5625, "JPY": 0.01, "CHF": 1.25}


def file(days: Mapping[date | str, Mapping[str, str]]) -> bytes:
    """A file of rates in the bank's form."""
    listed = "".join(
        f"<Cube time='{day}'>{''.join(f'<Cube currency={c!r} rate={r!r}/>' for c, r in rates.items())}</Cube>"
        for day, rates in days.items()
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><gesmes:Envelope xmlns:gesmes='http://g.example/g' xmlns='http://e.example/e'>"
        f"<gesmes:subject>Reference rates</gesmes:subject><Cube>{listed}</Cube></gesmes:Envelope>"
    ).encode()


class TestReading:
    def test_rates_are_dollars_for_a_unit(self) -> None:
        found = parse_rates(file({TODAY: MADE_UP}), TODAY)
        assert {quote.currency: quote.usd for quote in found.quotes} == DOLLARS
        assert {quote.on for quote in found.quotes} == {TODAY}
        assert found.refused == ()

    @pytest.mark.parametrize(
        ("day", "rates", "reason", "left"),
        [
            pytest.param(TODAY + ONE_DAY, MADE_UP, "future", 0, id="a day to come"),
            pytest.param("04.03.2026", MADE_UP, "no_date", 0, id="no date"),
            pytest.param("1998-03-04", MADE_UP, "no_date", 0, id="before the euro"),
            pytest.param(TODAY, {"GBP": "0.8"}, "no_dollar", 0, id="without the dollar nothing is in dollars"),
            pytest.param(TODAY, {"USD": "1.25", "XQQ": "2"}, "unknown_currency", 1, id="no currency"),
            pytest.param(TODAY, {"USD": "1.25", "ＧＢＰ": "2"}, "unknown_currency", 1, id="full-width letters"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "0"}, "implausible", 1, id="nothing"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "-0.8"}, "implausible", 1, id="below nothing"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "NaN"}, "implausible", 1, id="not a number"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "Infinity"}, "implausible", 1, id="without end"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "1e300"}, "implausible", 1, id="too much"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "1e-300"}, "implausible", 1, id="too little"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": "0,8"}, "no_number", 1, id="a comma"),
            pytest.param(TODAY, {"USD": "1.25", "GBP": ""}, "no_number", 1, id="no rate"),
        ],
    )
    def test_what_is_no_rate_is_refused_with_its_reason(
        self, day: date | str, rates: Mapping[str, str], reason: str, left: int
    ) -> None:
        found = parse_rates(file({day: rates}), TODAY)
        assert [refused.reason for refused in found.refused] == [reason]
        assert len(found.quotes) == left

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "empty"),
            (b"<html><body>Not found</body></html>", "html_instead_of_xml"),
            (b"currency,rate\nUSD,1.25\n", "not_xml"),
            (b"<?xml version='1.0'?><Envelope/>", "no_rates"),
            (file({TODAY: MADE_UP})[:-30], "broken_xml"),
            (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + file({TODAY: MADE_UP}), "entities_refused"),
        ],
        ids=["empty", "a web page", "CSV", "no day", "cut off", "entities"],
    )
    def test_what_is_no_file_of_rates_is_an_error(self, body: bytes, reason: str) -> None:
        with pytest.raises(AnswerError) as caught:
            parse_rates(body, TODAY)
        assert caught.value.reason == reason

    def test_two_rates_of_one_currency_are_one_and_a_doubt(self) -> None:
        twice = file({TODAY: MADE_UP}).replace(b"</Cube></Cube>", b"<Cube currency='GBP' rate='0.5'/></Cube></Cube>")
        found = parse_rates(twice, TODAY)
        assert [refused.reason for refused in found.refused] == ["repeated"]
        assert {quote.currency: quote.usd for quote in found.quotes} == DOLLARS

    @given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: file({TODAY: {text: text}})))
    def test_any_bytes_are_read_or_refused(self, body: bytes) -> None:
        try:
            found = parse_rates(body, TODAY)
        except AnswerError:
            return
        assert all(quote.usd > 0 and quote.on <= TODAY for quote in found.quotes)


class TestJumps:
    def known(self, usd: float, days_ago: int = 1) -> list[StoredRate]:
        return [StoredRate("CHF", TODAY - timedelta(days=days_ago), usd, ORIGIN)]

    @pytest.mark.parametrize(
        ("before", "days_ago", "usd", "is_believed"),
        [
            pytest.param(1.0, 1, 1.29, True, id="up by 29 %"),
            pytest.param(1.0, 1, 1.31, False, id="up by 31 %"),
            pytest.param(1.31, 1, 1.0, False, id="and down again"),
            pytest.param(1.0, 5, 100.0, False, id="after a holiday"),
            pytest.param(1.0, 32, 100.0, True, id="the bank stands by it for a month"),
        ],
    )
    def test_a_jump_is_doubted(self, before: float, days_ago: int, usd: float, is_believed: bool) -> None:
        believed, suspect = judge_jumps([Quote(TODAY, "CHF", usd)], self.known(before, days_ago))
        assert (len(believed), len(suspect)) == ((1, 0) if is_believed else (0, 1))

    def test_a_jump_within_the_file_is_doubted_and_what_follows_it_too(self) -> None:
        quotes = [Quote(TODAY - timedelta(days=n), "CHF", usd) for n, usd in ((3, 1.0), (2, 50.0), (1, 51.0), (0, 1.1))]
        believed, suspect = judge_jumps(quotes, [])
        assert [quote.usd for quote in believed] == [1.0, 1.1]
        assert [doubt.reason for doubt in suspect] == ["rate_jumps"] * 2
        assert "CHF: 50 dollars on 2026-03-02 after 1 on 2026-03-01" in suspect[0].detail

    def test_a_person_may_believe_it(self) -> None:
        believed, suspect = judge_jumps([Quote(TODAY, "CHF", 9.0)], self.known(1.0), believe={"CHF"})
        assert (len(believed), suspect) == (1, [])


class TestKeeping:
    def test_twice_is_once_and_a_correction_is_counted(self, store: Engine) -> None:
        rates = [StoredRate(c, TODAY, usd, ORIGIN) for c, usd in DOLLARS.items()]
        first, second = keep_rates(store, rates), keep_rates(store, reversed(rates))
        assert (first.new, first.revised, first.unchanged) == (4, 0, 0)
        assert (second.new, second.revised, second.unchanged) == (0, 0, 4)
        corrected = keep_rates(store, [StoredRate("GBP", TODAY, 1.5, ORIGIN)])
        assert (corrected.new, corrected.revised) == (0, 1)
        now = {rate.currency: rate.usd for rate in stored_between(store, TODAY, TODAY)}
        assert now == DOLLARS | {"GBP": 1.5}

    def test_the_newest_of_each(self, store: Engine) -> None:
        assert (newest_rates(store), newest_day(store, ORIGIN)) == ([], None)
        keep_rates(store, [StoredRate("GBP", TODAY - n * ONE_DAY, 1.5 + n, ORIGIN) for n in range(3)])
        keep_rates(store, [StoredRate("ARS", TODAY + ONE_DAY, 0.001, "by hand")])
        assert [(rate.currency, rate.usd) for rate in newest_rates(store)] == [("ARS", 0.001), ("GBP", 1.5)]
        assert newest_day(store, ORIGIN) == TODAY

    def test_written_rates_are_used(self, ledger: Engine, database_url: str) -> None:
        """By the aggregator on the day and after it, and by who asks where an offer stands."""
        later = date(2040, 3, 7)  # the history that comes with the program ends before
        keep_rates(ledger, [StoredRate("GBP", later, 2.0, ORIGIN), StoredRate("GBP", later - ONE_DAY, 1.9, ORIGIN)])
        with reading(ledger) as connection:
            rates = Rates(stored_rates(connection))
        for on, wanted in ((later, 2.0), (later + 3 * ONE_DAY, 2.0), (later - ONE_DAY, 1.9)):
            found = rates.usd(Decimal(100), "GBP", on)
            assert found is not None
            assert (found.rate, found.origin) == (wanted, ORIGIN)
        assert newest_rate(database_url, "GBP") == 2.0


def history(days: int, last: date = TODAY) -> bytes:
    return file({last - timedelta(days=n): MADE_UP for n in range(days)})


def not_found(_request: Request) -> Answer:
    return Answer(b"no", 404)


def conditional(body: bytes) -> object:
    """Answers 304 to who has this body already."""
    tag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'

    def answer(request: Request) -> Answer:
        if request.headers.get("If-None-Match") == tag:
            return Answer(b"", 304, {"ETag": tag})
        return Answer(body, 200, {"Content-Type": "text/xml", "ETag": tag})

    return answer


class TestTheRoad:
    """A server, the crawl's child process, the ledger."""

    def test_first_the_long_file_then_the_daily_one_then_nothing_new(self, ledger: Engine) -> None:
        tomorrow = file({TODAY + ONE_DAY: {**MADE_UP, "GBP": "0.75"}})
        routes = {f"/{RECENT}": conditional(history(60)), f"/{DAILY}": conditional(tomorrow)}
        with serving(routes) as site:
            first = refresh_rates(ledger, now=NOON, base=site.base)
            assert (first.new, first.newest) == (240, TODAY)
            second = refresh_rates(ledger, now=NOON + ONE_DAY, base=site.base)
            assert (second.new, second.unchanged, second.newest) == (4, 0, TODAY + ONE_DAY)
            third = refresh_rates(ledger, now=NOON + ONE_DAY, base=site.base)
            assert (third.new, third.revised, third.unchanged) == (0, 0, 4)
            wanted = [p for p in site.paths() if p != "/robots.txt"]
            assert wanted == [f"/{RECENT}", f"/{DAILY}", f"/{DAILY}"]
            assert "If-None-Match" in site.asked[-1].headers
            assert site.asked[-1].headers["User-Agent"].startswith("jobledger/")
        assert find_page_body(ledger, SOURCE, url=f"{site.base}/{DAILY}") == tomorrow

    def test_killed_between_fetching_and_writing_loses_nothing(
        self, ledger: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_given: object) -> None:
            raise KeyboardInterrupt

        with serving({f"/{RECENT}": conditional(history(5))}) as site:
            with monkeypatch.context() as patch:
                patch.setattr("scraper.rates.keep_rates", dies)
                with pytest.raises(KeyboardInterrupt):
                    refresh_rates(ledger, now=NOON, base=site.base)
            assert newest_rates(ledger) == []
            assert refresh_rates(ledger, now=NOON, base=site.base).new == 20
            assert site.asked[-1].headers.get("If-None-Match")

    def test_a_jump_is_not_written_and_is_said(self, ledger: Engine) -> None:
        keep_rates(ledger, [StoredRate(c, TODAY - ONE_DAY, usd, ORIGIN) for c, usd in DOLLARS.items()])
        body = file({TODAY: {**MADE_UP, "GBP": "0.08", "ABC": "1"}})
        with serving({f"/{DAILY}": Answer(body)}) as site:
            made = refresh_rates(ledger, now=NOON, base=site.base)
            assert (made.new, len(made.suspect), len(made.refused)) == (3, 1, 1)
            assert {rate.currency: rate.on for rate in newest_rates(ledger)}["GBP"] == TODAY - ONE_DAY
            with reading(ledger) as connection:
                reasons = set(connection.execute(select(Rejected.reason)).scalars())
            assert reasons == {"rate_jumps", "unknown_currency"}
            believed = refresh_rates(ledger, now=NOON, base=site.base, believe={"GBP"})
            assert (believed.new, believed.suspect) == (1, ())

    @pytest.mark.parametrize(
        ("route", "words"),
        [
            pytest.param(not_found, "has no such page", id="gone"),
            pytest.param(Answer(b"<html>maintenance</html>"), "html_instead_of_xml", id="a web page"),
            pytest.param(Answer(history(3, last=TODAY - timedelta(days=30))), "no longer kept up", id="left alone"),
            pytest.param(Answer(file({TODAY + ONE_DAY: MADE_UP})), "still to come", id="of tomorrow"),
            pytest.param(Answer(b" " * (5 << 20)), "could not be fetched", id="endless"),
            pytest.param(
                Answer(b"", 302, {"Location": "http://127.0.0.2:9/eurofxref-daily.xml"}), "could not be", id="elsewhere"
            ),
        ],
    )
    def test_a_file_that_cannot_be_used_is_one_clear_error(self, ledger: Engine, route: object, words: str) -> None:
        with serving({f"/{RECENT}": route}) as site, pytest.raises(RatesError, match=words):
            refresh_rates(ledger, now=NOON, base=site.base)
        if words != "no longer kept up":  # old rates are rates of their day
            assert newest_rates(ledger) == []

    def test_only_web_addresses_are_asked(self, ledger: Engine) -> None:
        for base in ("file:///etc", "ftp://x.example", "nonsense"):
            with pytest.raises(RatesError, match="no web address"):
                refresh_rates(ledger, now=NOON, base=base)

    def test_an_old_page_never_revises_a_ledger_of_hand_written_rates(self, ledger: Engine) -> None:
        """Rates of another origin do not make the bank's own look fresh."""
        keep_rates(ledger, [StoredRate("ARS", TODAY, 0.001, "by hand")])
        with serving({f"/{RECENT}": Answer(history(2))}) as site:
            assert refresh_rates(ledger, now=NOON, base=site.base).new == 8
        with writing(ledger) as connection:
            assert connection.execute(select(func.count()).select_from(Rejected)).scalar() == 0
