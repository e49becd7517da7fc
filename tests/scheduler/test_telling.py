"""Alerts, logs, the monitor and the metrics: what others see of the scheduler."""

from __future__ import annotations

import io
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from db.runs import Outcome
from db.source_state import Condition, SourceEntry, conditions, keep_sources, set_condition
from scheduler import alerts, logs
from scheduler.alerts import AlertError, body, make_teller, tell_all, tell_log
from scheduler.conductor import Report
from scheduler.jobs import RunResult
from scheduler.metrics import Metrics
from scheduler.monitor import HANGS_AFTER_SECONDS, Pulse, served

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ILL = Condition(name="x", failures=3, circuit="open", ailment="unreachable", ailment_since=NOON)


class Ear:
    """A teller that listens."""

    def __init__(self, delivers: bool = True) -> None:
        self.heard, self.delivers = list[tuple[str, str]](), delivers

    def __call__(self, title: str, body: str) -> bool:
        self.heard.append((title, body))
        return self.delivers


@pytest.fixture
def sources(ledger: Engine) -> Engine:
    keep_sources(ledger, [SourceEntry(name=name, spider="x") for name in ("acme", "globex", "initech")], NOON)
    return ledger


def make(engine: Engine, name: str, condition: Condition) -> None:
    set_condition(engine, name, lambda _old: replace(condition, name=name))


class TestAlerts:
    def test_one_message_for_all_that_broke_and_one_for_all_that_healed(self, sources: Engine) -> None:
        make(sources, "acme", ILL)
        make(sources, "globex", replace(ILL, ailment="blocked"))
        make(sources, "initech", Condition(name="x", alerted_at=NOON))
        ear = Ear()
        assert tell_all(sources, ear, NOON) == 3
        (broke, why), (healed, well) = ear.heard
        assert broke == "jobledger: trouble with acme, globex"
        assert healed == "jobledger: well again: initech"
        assert "acme: unreachable since 2026-03-01 12:00 UTC, 3 failed runs in a row" in why
        assert "robots.txt" in why
        assert well == "initech: healthy again"

    def test_nobody_is_told_twice(self, sources: Engine) -> None:
        make(sources, "acme", ILL)
        ear = Ear()
        assert [tell_all(sources, ear, NOON) for _ in range(3)] == [1, 0, 0]
        assert conditions(sources)["acme"].alerted_at == NOON

    def test_what_was_not_delivered_is_told_again(self, sources: Engine) -> None:
        make(sources, "acme", ILL)
        assert tell_all(sources, Ear(delivers=False), NOON) == 0
        assert tell_all(sources, Ear(), NOON) == 1

    def test_a_network_that_is_down_is_one_short_message(self) -> None:
        many = [replace(ILL, name=f"s{i:03}") for i in range(500)]
        lines = body(many, "broke").splitlines()
        assert len(lines) == alerts.LISTED + 1
        assert lines[-1].startswith("… and 480 more")

    def test_without_addresses_the_log_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        assert make_teller(()) is tell_log
        tell_log("trouble", "a\nb")
        assert "trouble: a | b" in caplog.text

    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a library that Apprise brings
    def test_an_address_that_nobody_knows_is_an_error_that_hides_its_token(self) -> None:
        pytest.importorskip("apprise")
        with pytest.raises(AlertError, match="number 1") as caught:
            make_teller(["nonsense://s3cret-token/x"])
        assert "s3cret" not in str(caught.value)

    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
    def test_apprise_delivers(self) -> None:
        apprise = pytest.importorskip("apprise")
        heard = []

        @apprise.decorators.notify(on="testing")
        def listen(body: str, title: str, notify_type: str, *args: object, **kwargs: object) -> None:
            heard.append((title, body))

        assert make_teller(["testing://"])("title", "body")
        assert heard == [("title", "body")]


class TestLogs:
    @pytest.fixture(autouse=True)
    def restored(self) -> Iterator[None]:
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        yield
        root.handlers[:] = before
        root.setLevel(level)

    def lines(self, log_format: str, message: str, **extra: object) -> list[str]:
        stream = io.StringIO()
        logs.configure(log_format, stream=stream)
        logging.getLogger("jobledger.test").warning(message, extra=extra)
        return stream.getvalue().splitlines()

    def test_json_is_one_object_a_line_with_what_was_added(self) -> None:
        (line,) = self.lines("json", "two\nlines", source="acme", run=7)
        entry = json.loads(line)
        assert (entry["message"], entry["level"], entry["source"], entry["run"]) == ("two\nlines", "warning", "acme", 7)
        assert datetime.fromisoformat(entry["time"]).tzinfo is not None

    def test_text_cannot_be_forged_by_a_line_feed(self) -> None:
        (line,) = self.lines("text", "bad\n2026-03-01 12:00:00 info all is well")
        assert r"bad\n2026" in line

    def test_errors_bring_their_traceback(self) -> None:
        stream = io.StringIO()
        logs.configure("json", stream=stream)
        try:
            raise KeyError("x")
        except KeyError:
            logging.getLogger("t").exception("broke")
        assert "KeyError" in json.loads(stream.getvalue())["traceback"]

    def test_another_format_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="one of text, json"):
            logs.configure("xml")


def ask(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


class TestMonitor:
    def test_a_hung_loop_is_unhealthy(self) -> None:
        pulse = Pulse(last_round=time.monotonic() - HANGS_AFTER_SECONDS - 1)
        with served("127.0.0.1", 0, pulse, lambda: b"") as port:
            assert ask(port, "/healthz")[0] == 503
            pulse.last_round = time.monotonic()
            assert ask(port, "/healthz?x=1")[0] == 200

    def test_ready_needs_a_ledger_and_no_lead(self) -> None:
        pulse = Pulse(last_round=time.monotonic(), ledger_error="refused")
        with served("127.0.0.1", 0, pulse, lambda: b"") as port:
            assert ask(port, "/readyz") == (
                503,
                {"ok": False, "leads": False, "ledger": "refused", "sources": "ok", "stopping": False},
            )
            pulse.ledger_up = True
            assert ask(port, "/readyz")[0] == 200
            pulse.stopping = True
            assert ask(port, "/readyz")[0] == 503


def test_metrics_speak_prometheus() -> None:
    metrics = Metrics()
    outcome = Outcome(verdict="suspect", pages=3, new=2, unchanged=5, seconds=12.5)
    metrics.after_run(
        RunResult(source="acme", run_id=1, scheduled_for=NOON, trigger="schedule", outcome=outcome, kept=False)
    )
    metrics.after_tick(Report(missed=4, abandoned=1, waiting=2), NOON)
    metrics.show_conditions({"acme": replace(ILL, name="acme", last_healthy_at=NOON)})
    metrics.show_flags({"placeholder": 3})
    text = metrics.text().decode()
    for line in (
        'jobledger_runs_total{source="acme",verdict="suspect"} 1.0',
        'jobledger_items_total{kind="new",source="acme"} 2.0',
        'jobledger_pages_total{source="acme"} 3.0',
        'jobledger_run_seconds_sum{source="acme"} 12.5',
        "jobledger_missed_slots_total 4.0",
        "jobledger_abandoned_runs_total 1.0",
        "jobledger_unwritten_runs_total 1.0",
        "jobledger_waiting 2.0",
        'jobledger_source_circuit_open{source="acme"} 1.0',
        'jobledger_source_ailment{ailment="unreachable",source="acme"} 1.0',
        'jobledger_open_flags{code="placeholder"} 3.0',
    ):
        assert line in text
    assert 'jobledger_source_last_healthy_timestamp_seconds{source="acme"}' in text
    metrics.show_conditions({"acme": Condition(name="acme")})
    assert "unreachable" not in metrics.text().decode()
