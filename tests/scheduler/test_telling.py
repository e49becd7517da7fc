"""Alerts, logs, the monitor and the metrics: what others see of the scheduler."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine

from db.runs import Outcome, claim_run, finish_run
from db.source_state import Condition, SourceEntry, conditions, keep_sources, set_condition
from scheduler import logs, webhook
from scheduler.alerts import tell_all, waiting
from scheduler.channels import AlertError, Facts, make_teller, tell_log
from scheduler.conditions import after_run
from scheduler.conductor import Report
from scheduler.jobs import RunResult
from scheduler.messages import LISTED, Known, body_of
from scheduler.metrics import Metrics
from scheduler.monitor import HANGS_AFTER_SECONDS, Pulse, served

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ILL = Condition(name="x", failures=3, circuit="open", ailment="unreachable", ailment_since=NOON)


class Ear:
    """A teller that listens."""

    def __init__(self, delivers: bool = True) -> None:
        self.heard, self.delivers = list[tuple[str, str]](), delivers
        self.kinds, self.facts = list[str](), list[Facts]()

    def __call__(self, title: str, body: str, kind: str = "info", facts: Facts = ()) -> bool:
        self.heard.append((title, body))
        self.kinds.append(kind)
        self.facts.append(facts)
        return self.delivers


@pytest.fixture
def sources(ledger: Engine) -> Engine:
    entries = [SourceEntry(name=name, spider="x", url=f"https://{name}.example/jobs") for name in NAMES]
    keep_sources(ledger, entries, NOON)
    return ledger


NAMES = ("acme", "globex", "initech")


def make(engine: Engine, name: str, condition: Condition) -> None:
    set_condition(engine, name, lambda _old: replace(condition, name=name))


def ran(engine: Engine, name: str, at: datetime, outcome: Outcome) -> None:
    """A finished run of a source, and what it does to its condition."""
    run_id = claim_run(engine, name, at, "schedule", "here", at)
    assert run_id is not None
    change = partial(after_run, outcome=outcome, interval=HOUR, now=at)
    assert finish_run(engine, run_id, outcome, at, after=change)


HOUR = timedelta(hours=1)
FINE = Outcome(verdict="healthy", pages=3, sightings=42, stats={"jobledger/raw_postings": 42})
REFUSED = Outcome(
    verdict="failed",
    reasons=("the site refused us: 1 x 403 of 1 answers", "first failed: https://acme.example/jobs: answered 403"),
    stats={"downloader/response_status_count/403": 1, "jobledger/first_address": "https://acme.example/start"},
)
FEWER = Outcome(verdict="suspect", reasons=("3 postings where the last healthy runs had 42",), pages=3, sightings=3)


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
        assert "initech: healthy again" in well
        assert ear.kinds == ["failure", "success"]

    def test_nobody_is_told_twice(self, sources: Engine) -> None:
        make(sources, "acme", ILL)
        ear = Ear()
        assert [tell_all(sources, ear, NOON) for _ in range(3)] == [1, 0, 0]
        assert conditions(sources)["acme"].alerted_at == NOON

    def test_what_was_not_delivered_is_told_again(self, sources: Engine) -> None:
        make(sources, "acme", ILL)
        assert tell_all(sources, Ear(delivers=False), NOON) == 0
        assert waiting(sources) == 1
        assert tell_all(sources, Ear(), NOON) == 1
        assert waiting(sources) == 0

    def test_a_network_that_is_down_is_one_short_message(self) -> None:
        many = [Known(condition=replace(ILL, name=f"s{i:03}")) for i in range(500)]
        paragraphs = body_of(many).split("\n\n")
        assert len(paragraphs) == LISTED + 1
        assert paragraphs[-1].startswith("… and 480 more")

    def test_an_opened_circuit_is_told_at_once_with_reasons_figures_and_links(self, sources: Engine) -> None:
        for hours in range(3):
            ran(sources, "acme", NOON + hours * HOUR, FINE)
        ran(sources, "acme", NOON + 3 * HOUR, REFUSED)
        ear = Ear()
        assert tell_all(sources, ear, NOON + 3 * HOUR, base_url="https://jobs.example.org") == 1
        ((title, text),) = ear.heard
        assert (title, ear.kinds) == ("jobledger: trouble with acme", ["failure"])
        for said in (
            "acme: blocked since 2026-03-01 15:00 UTC, 1 failed run in a row, now left alone until the next try",
            "the site refused us: 1 x 403 of 1 answers",
            "https://acme.example/jobs: answered 403",
            "0 postings (42 are usual)",
            "last healthy run: 2026-03-01 14:00 UTC",
            "next try: 2026-03-01 21:00 UTC",
            "source: https://acme.example/jobs",
            "details: https://jobs.example.org/sources#source-acme",
            "what to do: read its terms and robots.txt",
        ):
            assert said in text
        (facts,) = ear.facts[0]
        assert facts["usual_postings"] == 42
        assert facts["reasons"] == list(REFUSED.reasons)
        assert facts["next_try"] == "2026-03-01T21:00:00+00:00"

    def test_fewer_postings_are_a_warning_and_a_later_refusal_is_told_too(self, sources: Engine) -> None:
        ear = Ear()
        for hours, outcome in enumerate((FINE, FEWER, FEWER, REFUSED, REFUSED, FINE, FINE)):
            ran(sources, "acme", NOON + hours * HOUR, outcome)
            tell_all(sources, ear, NOON + hours * HOUR)
        assert ear.kinds == ["warning", "failure", "success"]
        assert "3 postings where the last healthy runs had 42" in ear.heard[0][1]
        assert ear.heard[-1][0] == "jobledger: well again: acme"

    def test_a_source_without_an_address_links_to_what_was_asked(self, ledger: Engine) -> None:
        keep_sources(ledger, [SourceEntry(name="acme", spider="greenhouse")], NOON)
        ran(ledger, "acme", NOON, REFUSED)
        ear = Ear()
        tell_all(ledger, ear, NOON)
        assert "source: https://acme.example/start" in ear.heard[0][1]

    def test_scraped_words_cannot_forge_a_line(self, sources: Engine) -> None:
        hostile = replace(REFUSED, reasons=("first failed: https://x/\n\nglobex: healthy again",))
        ran(sources, "acme", NOON, hostile)
        ear = Ear()
        tell_all(sources, ear, NOON)
        assert not any(line.startswith("globex") for line in ear.heard[0][1].splitlines())


class Post(NamedTuple):
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@contextmanager
def hook(*statuses: int, **headers: str) -> Iterator[tuple[str, list[Post]]]:
    """A server that takes posts and answers with these status codes, the last one for good."""
    posts = list[Post]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(statuses[min(len(posts), len(statuses) - 1)])
            posts.append(Post(self.path, dict(self.headers), json.loads(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?key=s3cret", posts
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PAUSES", (0.0, 0.0))


@pytest.fixture
def _without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)


class TestChannels:
    def test_without_addresses_the_log_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        assert make_teller(()) is tell_log
        tell_log("trouble", "a\nb")
        assert "trouble: a | b" in caplog.text

    @pytest.mark.usefixtures("_without_apprise")
    def test_a_file_gets_a_json_line_a_message_without_an_extra(self, sources: Engine, tmp_path: Path) -> None:
        file = tmp_path / "alerts.jsonl"
        make(sources, "acme", ILL)
        assert tell_all(sources, make_teller([f"file:{file}"]), NOON) == 1
        make(sources, "acme", Condition(name="acme", alerted_at=NOON))
        assert tell_all(sources, make_teller([f"file:{file}"]), NOON) == 1
        broke, healed = (json.loads(line) for line in file.read_text("utf-8").splitlines())
        assert (broke["type"], broke["facts"][0]["source"]) == ("failure", "acme")
        assert "3 failed runs in a row" in broke["body"]
        assert (healed["type"], healed["title"]) == ("success", "jobledger: well again: acme")

    @pytest.mark.usefixtures("_without_apprise", "_without_pauses")
    def test_a_webhook_is_posted_and_tried_again_without_an_extra(self, sources: Engine) -> None:
        make(sources, "acme", ILL)
        with hook(503, 500, 204) as (url, posts):
            assert tell_all(sources, make_teller([f"webhook:{url}"]), NOON) == 1
        assert len(posts) == 3
        assert posts[-1].path == "/hook?key=s3cret"
        assert posts[-1].headers["Content-Type"] == "application/json"
        assert posts[-1].body["type"] == "failure"
        assert posts[-1].body["facts"][0]["ailment"] == "unreachable"
        assert "trouble with acme" in posts[-1].body["text"]

    @pytest.mark.parametrize(("status", "tries"), [(404, 1), (302, 1), (500, 3)])
    @pytest.mark.usefixtures("_without_pauses")
    def test_a_webhook_that_refuses_is_not_asked_for_ever_nor_named_with_its_secret(
        self, status: int, tries: int, sources: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        make(sources, "acme", ILL)
        with hook(status, Location="http://127.0.0.1:1/other") as (url, posts):
            assert tell_all(sources, make_teller([f"webhook:{url}"]), NOON) == 0
        assert len(posts) == tries
        assert f"answered {status}" in caplog.text
        assert "s3cret" not in caplog.text
        assert waiting(sources) == 1

    @pytest.mark.usefixtures("_without_pauses")
    def test_one_channel_that_is_down_neither_silences_nor_repeats_the_others(
        self, sources: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        make(sources, "acme", ILL)
        file = tmp_path / "alerts.jsonl"
        tellers = make_teller(["webhook:http://127.0.0.1:9/x", f"file:{file}"])
        assert [tell_all(sources, tellers, NOON) for _ in range(3)] == [1, 0, 0]
        assert len(file.read_text("utf-8").splitlines()) == 1
        assert "did not reach alert address number 1" in caplog.text

    def test_no_message_goes_to_the_metadata_service_of_a_cloud(self) -> None:
        with pytest.raises(webhook.WebhookError, match="link-local"):
            webhook.post_json("http://169.254.169.254/latest", {})

    @pytest.mark.parametrize(
        "channel",
        [
            "nonsense",
            "",
            "webhook:",
            "webhook:ftp://a.example/",
            "webhook:https://",
            "webhook:https://me:pw@a.example/",
            "webhook:http://a.example:99999/",
            "webhook:http://a.example/\nX: y",
            "webhook:http://[/",
            "file:",
            "file:/no/such/folder/alerts.jsonl",
            "file:/dev/null",
            "file:/tmp",
            "file:~nobody-has-this-name/x",
        ],
    )
    def test_a_channel_that_could_never_be_told_is_an_error(self, channel: str) -> None:
        with pytest.raises(AlertError) as caught:
            make_teller([channel])
        assert "\n" not in str(caught.value)

    def test_a_pipe_is_no_file(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(AlertError, match="no ordinary file"):
            make_teller([f"file:{tmp_path / 'pipe'}"])

    @pytest.mark.usefixtures("_without_apprise")
    def test_without_the_extra_an_apprise_address_says_what_to_install(self) -> None:
        with pytest.raises(AlertError, match=r"jobledger\[alerts\]"):
            make_teller(["mailto://me:s3cret@a.example"])

    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a library that Apprise brings
    def test_an_address_that_nobody_knows_is_an_error_that_hides_its_token(self) -> None:
        pytest.importorskip("apprise")
        with pytest.raises(AlertError, match="number 1") as caught:
            make_teller(["nonsense://s3cret-token/x"])
        assert "s3cret" not in str(caught.value)

    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
    @pytest.mark.parametrize("kind", ["info", "success", "warning", "failure"])
    def test_apprise_delivers_with_its_type(self, kind: str) -> None:
        apprise = pytest.importorskip("apprise")
        heard = []

        @apprise.decorators.notify(on=f"testing{kind}")
        def listen(body: str, title: str, notify_type: Any, *args: object, **kwargs: object) -> None:
            heard.append((title, body, getattr(notify_type, "value", notify_type)))

        assert make_teller([f"testing{kind}://"])("title", "body", kind)
        assert heard == [("title", "body", kind)]


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
