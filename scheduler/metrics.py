"""What the scheduler counts, in Prometheus' words. Names are stable: dashboards and alerts are built on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from db.source_state import Condition
from scheduler.backlog import Backlog
from scheduler.conductor import Report
from scheduler.jobs import RunResult

SECONDS = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200)
KINDS = ("new", "updated", "unchanged", "rejected", "flagged")


class Metrics:
    """One process's metrics in a registry of their own, so that several may live in one process (tests)."""

    def __init__(self) -> None:
        self.registry = made = CollectorRegistry()
        self.runs = Counter("jobledger_runs", "Finished runs", ["source", "verdict"], registry=made)
        self.run_seconds = Histogram(
            "jobledger_run_seconds", "Duration of runs", ["source"], buckets=SECONDS, registry=made
        )
        self.items = Counter("jobledger_items", "Raw postings of runs", ["source", "kind"], registry=made)
        self.pages = Counter("jobledger_pages", "Pages fetched", ["source"], registry=made)
        self.missed = Counter("jobledger_missed_slots", "Slots written down as missed", registry=made)
        self.abandoned = Counter("jobledger_abandoned_runs", "Runs given up for dead", registry=made)
        self.unwritten = Counter("jobledger_unwritten_runs", "Runs whose end could not be written", registry=made)
        self.ledger_errors = Counter("jobledger_ledger_errors", "Rounds in which the ledger was away", registry=made)
        self.alerts = Counter("jobledger_alerts", "Sources told of, or not delivered", ["result"], registry=made)
        self.running = Gauge("jobledger_running", "Runs under way in this process", registry=made)
        self.waiting = Gauge("jobledger_waiting", "Due jobs that wait for a worker", registry=made)
        self.leader = Gauge("jobledger_leader", "1 while this process leads", registry=made)
        self.ledger_up = Gauge("jobledger_ledger_up", "1 while the ledger answers", registry=made)
        self.sources_ok = Gauge("jobledger_sources_file_ok", "1 while the sources file can be used", registry=made)
        self.last_round = Gauge("jobledger_last_round_timestamp_seconds", "When the last round ended", registry=made)
        self.healthy_at = Gauge(
            "jobledger_source_last_healthy_timestamp_seconds", "Last healthy run", ["source"], registry=made
        )
        self.failures = Gauge("jobledger_source_failures", "Failed runs in a row", ["source"], registry=made)
        self.circuit_open = Gauge("jobledger_source_circuit_open", "1 while it rests", ["source"], registry=made)
        self.ailment = Gauge("jobledger_source_ailment", "1 for what ails it", ["source", "ailment"], registry=made)
        self.pending = Gauge("jobledger_pending_rows", "Collected and not read yet", ["kind"], registry=made)
        self.pending_age = Gauge("jobledger_pending_oldest_seconds", "Age of the oldest of them", registry=made)
        self.open_flags = Gauge("jobledger_open_flags", "Open flags in the ledger", ["code"], registry=made)

    def after_run(self, result: RunResult) -> None:
        self.runs.labels(result.source, result.verdict).inc()
        if not result.kept:
            self.unwritten.inc()
        outcome = result.outcome
        self.run_seconds.labels(result.source).observe(outcome.seconds or 0.0)
        self.pages.labels(result.source).inc(outcome.pages)
        for kind in KINDS:
            self.items.labels(result.source, kind).inc(getattr(outcome, kind))

    def after_tick(self, report: Report, now: datetime) -> None:
        self.missed.inc(report.missed)
        self.abandoned.inc(report.abandoned)
        self.waiting.set(report.waiting)
        self.last_round.set(now.timestamp())

    def show_conditions(self, conditions: Mapping[str, Condition]) -> None:
        """Takes over how every source fares; what no longer ails a source disappears."""
        self.ailment.clear()
        for name, condition in conditions.items():
            self.failures.labels(name).set(condition.failures)
            self.circuit_open.labels(name).set(condition.circuit != "closed")
            if condition.last_healthy_at is not None:
                self.healthy_at.labels(name).set(condition.last_healthy_at.timestamp())
            if condition.ailment is not None:
                self.ailment.labels(name, condition.ailment).set(1)

    def show_backlog(self, backlog: Backlog) -> None:
        self.pending.labels("posting").set(backlog.waiting.ads)
        self.pending.labels("article").set(backlog.waiting.articles)
        self.pending_age.set(backlog.age.total_seconds())

    def show_flags(self, counts: Mapping[str, int]) -> None:
        self.open_flags.clear()
        for code, count in counts.items():
            self.open_flags.labels(code).set(count)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)
