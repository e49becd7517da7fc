"""The scheduler as a process: APScheduler wakes it, a lease lets one process lead, the conductor does what is due.

APScheduler knows when the next slot is; what is due is decided from the run table alone. A wake that comes late, twice
or not at all therefore loses nothing: the loop also goes round by itself every few seconds.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db import flags, lease, source_state
from db.errors import LedgerError
from db.holder import is_dead, this_holder
from processes.child import end_children
from scheduler import logs, monitor
from scheduler.alerts import tell_all
from scheduler.backlog import find_backlog
from scheduler.channels import make_teller
from scheduler.conductor import LEASE, Conductor
from scheduler.cron import trigger
from scheduler.decide import Start
from scheduler.jobs import Claimed, RunResult, work
from scheduler.ledger import LedgerAway, WatchedLedger
from scheduler.metrics import Metrics
from scheduler.once import run_due_once
from scheduler.settings import SchedulerSettings
from scheduler.timetable import Job, wanted_jobs
from scheduler.watch import WatchedSources
from scraper.hosts import host_key

__all__ = ["SchedulerSettings", "Service", "run", "run_due_once"]

logger = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
"""The loop goes round at least so often: retries, delays, the lease and the sources file are looked at then."""
TELL_EVERY_SECONDS = 60.0
TELL_SOON_SECONDS = 10.0
"""After a run that was not healthy: what breaks together is then told together."""


def run(settings: SchedulerSettings) -> int:
    """Runs the scheduler in the foreground until SIGTERM or SIGINT; returns the exit code.

    Raises `SourceError`, `LedgerError`, `AlertError` and `MonitorError` before anything starts.
    """
    logs.configure(settings.log_format, level=settings.log_level)
    service = Service(settings)
    with _signals(service):
        service.serve()
    return 0


class Service:
    """One scheduler process. Its main loop is the only writer of its state; workers only finish their runs."""

    def __init__(self, settings: SchedulerSettings) -> None:
        self.settings = settings
        self.holder = settings.holder or this_holder()
        self.watched = WatchedSources(settings.sources_path, settings.spiders)
        self._reload_asked = False
        self.teller = make_teller(settings.alerts)
        self.ledger = WatchedLedger(settings.database_url, settings.busy_seconds)
        self.engine: Engine = self.ledger.engine
        self.metrics = Metrics()
        self.pulse = monitor.Pulse(last_round=time.monotonic())
        self.stopping, self.hurried, self.wake = threading.Event(), threading.Event(), threading.Event()
        self.pools = {
            True: ThreadPoolExecutor(settings.workers, "crawl"),
            False: ThreadPoolExecutor(settings.chore_workers, "chore"),
        }
        self.in_hand: dict[Future[RunResult], Job] = {}
        self.conductor = Conductor(
            self.engine,
            holder=self.holder,
            launch=self._launch,
            has_room=self._has_room,
            jobs=wanted_jobs(settings.chores, settings.jobs),
        )
        self._told_at = self._looked_at = -math.inf
        self._tell_soon = False
        self._telling: Future[int] | None = None
        self._teller_pool = ThreadPoolExecutor(1, "alerts")

    def serve(self) -> None:
        """Goes round until `stop`; then ends what runs, within bounds."""
        waker = self._waker()
        with self._monitored():
            waker.start()
            logger.info("scheduler %s began, %d sources", self.holder, len(self.watched.sources))
            if not any(source.enabled and source.schedule for source in self.watched.sources):
                logger.warning("no source is enabled and has a schedule: only the scheduler's own jobs will run")
            try:
                while not self.stopping.is_set():
                    self.wake.wait(self._round())
                    self.wake.clear()
            finally:
                self.pulse.stopping = True
                waker.shutdown(wait=False)
                self._end()
        self.engine.dispose()

    def stop(self) -> None:
        """Asks the loop to end; a second time: at once."""
        if self.stopping.is_set():
            self.hurried.set()
        self.stopping.set()
        self.wake.set()

    def reload(self) -> None:
        """Asks for the sources file to be read now."""
        self._reload_asked = True
        self.wake.set()

    def _round(self) -> float:
        """One round; returns how many seconds to wait for the next one."""
        try:
            self.ledger.require()
            if self.pulse.ledger_error is not None:
                self.conductor.reached_again(self.settings.clock())
            self._lead_and_tick()
            self._look_at_backlog()
        except (LedgerAway, LedgerError) as error:
            self._say_away(str(error))
            return self.settings.away_seconds
        except DBAPIError as error:
            self._say_away(str(error.orig or error).splitlines()[0])
            return self.settings.away_seconds
        finally:
            self.pulse.last_round = time.monotonic()
        if not self.pulse.ledger_up:
            logger.info("the ledger answers")
        self.pulse.ledger_up, self.pulse.ledger_error = True, None
        self.metrics.ledger_up.set(1)
        return ROUND_SECONDS

    def _lead_and_tick(self) -> None:
        now = self.settings.clock()
        at_once, self._reload_asked = self._reload_asked, False
        changed = self.watched.refresh(at_once=at_once)
        self.pulse.sources_error = self.watched.error
        self.metrics.sources_ok.set(self.watched.error is None)
        # Where a server keeps the time it is asked for it: schedulers on several machines must agree on it.
        ours = None if self.engine.dialect.name == "postgresql" else now
        self._bury_the_leader()
        leads = lease.acquire(self.engine, LEASE, self.holder, self.settings.lease_seconds, now=ours)
        if leads and not self.pulse.leads:
            logger.info("%s leads", self.holder)
            self.conductor.lead(now)
            changed = True
        elif self.pulse.leads and not leads:
            logger.warning("%s no longer leads: another scheduler took over", self.holder)
        self.pulse.leads = leads
        self.metrics.leader.set(leads)
        if not leads:
            return
        if changed:
            self.conductor.follow(self.watched.sources, now)
            self._wake_at_slots()
        self.metrics.after_tick(self.conductor.tick(now), now)
        self.metrics.running.set(len(self.in_hand))
        self._tell(now)

    def _bury_the_leader(self) -> None:
        """Frees the lease of a leader that died on this machine: a restart after a crash need not wait for its end."""
        if self.pulse.leads:
            return
        held = lease.find_lease(self.engine, LEASE)
        if held is not None and is_dead(held.holder) and lease.release(self.engine, LEASE, held.holder):
            logger.warning("the leader %s is dead: its lease is free", held.holder)

    def _look_at_backlog(self) -> None:
        """Whether ads wait too long to be read, now and then; a scheduler that does not lead says so too."""
        if time.monotonic() - self._looked_at < TELL_EVERY_SECONDS:
            return
        self._looked_at = time.monotonic()
        backlog = find_backlog(self.engine, self.settings.clock())
        self.metrics.show_backlog(backlog)
        stuck = str(backlog) if backlog.is_stuck else None
        if (stuck is None) != (self.pulse.stuck is None):
            logger.log(logging.WARNING if stuck else logging.INFO, "%s", stuck or "what was collected is read again")
        self.pulse.stuck = stuck

    def _say_away(self, why: str) -> None:
        if self.pulse.ledger_up or self.pulse.ledger_error != why:
            logger.error("the ledger is away, waiting for it: %s", why)
        self.pulse.ledger_up, self.pulse.ledger_error = False, why
        self.metrics.ledger_up.set(0)
        self.metrics.ledger_errors.inc()

    def _tell(self, now: datetime) -> None:
        """Alerts and the conditions shown as metrics, now and then; sending happens aside, it may take its time."""
        if self._telling is not None and self._telling.done():
            error = self._telling.exception()
            if error is not None:
                logger.error("alerts could not be sent: %s", error)
            self.metrics.alerts.labels("told" if error is None else "failed").inc(
                self._telling.result() if error is None else 1
            )
            self._telling = None
        pause = TELL_SOON_SECONDS if self._tell_soon else TELL_EVERY_SECONDS
        if self._telling is None and time.monotonic() - self._told_at >= pause:
            self._told_at, self._tell_soon = time.monotonic(), False
            self.metrics.show_conditions(source_state.conditions(self.engine))
            self.metrics.show_flags(flags.open_flags(self.engine))
            telling = partial(tell_all, self.engine, self.teller, now, base_url=self.settings.base_url)
            self._telling = self._teller_pool.submit(telling)

    def _waker(self) -> BackgroundScheduler:
        self.waker = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        mask = EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR
        self.waker.add_listener(self._woke_badly, mask)
        return self.waker

    def _wake_at_slots(self) -> None:
        """Sets an alarm at every job's slots, in place of those of the timetable before."""
        self.waker.remove_all_jobs()
        for job in self.conductor.timetable:
            self.waker.add_job(self.wake.set, trigger(job.cron), id=job.name, name=job.what)

    def _woke_badly(self, event: JobExecutionEvent) -> None:
        logger.debug("alarm of %s came amiss (event %s)", event.job_id, event.code)
        self.wake.set()

    def _has_room(self, job: Job) -> bool:
        running = list(self.in_hand.values())
        if job.source is None:
            has_room = self.settings.chore_workers > sum(other.source is None for other in running)
        else:
            # A crawl of a host that is being read would only wait for its turn, in the place of one that need not.
            hosts = [host_key(other.source) for other in running if other.source is not None]
            has_room = self.settings.workers > len(hosts) and host_key(job.source) not in hosts
        return has_room and not self.stopping.is_set()

    def _launch(self, start: Start, run: Claimed) -> None:
        job = start.job
        logger.info(
            "%s: run %d for %s (%s)",
            job.name,
            run.id,
            run.scheduled_for.isoformat(),
            run.trigger,
            extra={"run": run.id},
        )
        doing = partial(
            work,
            job,
            run,
            engine=self.engine,
            database_url=self.settings.database_url,
            now=self.settings.clock,
            crawl=self.settings.crawl,
            chores=self.settings.chores,
            is_stopping=self.stopping.is_set,
        )
        future = self.pools[job.source is not None].submit(doing)
        self.in_hand[future] = job
        future.add_done_callback(partial(self._ended, run=run))

    def _ended(self, future: Future[RunResult], run: Claimed) -> None:
        self.in_hand.pop(future, None)
        self.conductor.is_over(run.id)
        self.wake.set()
        if (error := future.exception()) is not None:  # of what follows a run: the run itself ends whatever happens
            logger.error("%s: run %d is over, what follows it broke: %r", run.name, run.id, error, exc_info=error)
            return
        result = future.result()
        self._tell_soon = self._tell_soon or result.verdict != "healthy"
        self.metrics.after_run(result)
        level = logging.INFO if result.verdict == "healthy" else logging.WARNING
        reasons = "; ".join(result.outcome.reasons)
        facts = {"source": run.name, "run": run.id, "verdict": result.verdict, "seconds": result.outcome.seconds}
        said = f"{result.verdict}: {reasons}" if reasons else result.verdict
        logger.log(level, "%s: run %d %s", run.name, run.id, said, extra=facts)

    def _end(self) -> None:
        """Gives up the lead, waits for what runs, cuts short what takes too long, in bounded time."""
        try:
            lease.release(self.engine, LEASE, self.holder)
        except DBAPIError as error:
            logger.warning("the lease could not be given up, it will expire: %s", error.orig or error)
        running = list(self.in_hand)
        if running:
            logger.info("stopping: %d runs have %.0f s to finish", len(running), self.settings.stop_seconds)
        deadline = time.monotonic() + self.settings.stop_seconds
        while running and time.monotonic() < deadline and not self.hurried.is_set():
            running = list(wait(running, timeout=0.2).not_done)
        if running:
            logger.warning("cutting %d runs short", len(running))
            end_children()
            running = list(wait(running, timeout=30).not_done)
        for pool in (*self.pools.values(), self._teller_pool):
            pool.shutdown(wait=not running, cancel_futures=True)
        logger.info("scheduler %s ended", self.holder)

    @contextmanager
    def _monitored(self) -> Iterator[None]:
        if self.settings.http_port is None:
            yield
            return
        with monitor.served(self.settings.http_host, self.settings.http_port, self.pulse, self.metrics.text) as port:
            logger.info("watch me at http://%s:%d/healthz", self.settings.http_host, port, extra={"port": port})
            yield


@contextmanager
def _signals(service: Service) -> Iterator[None]:
    """SIGTERM and SIGINT stop, SIGHUP reads the sources again; what was set before is put back."""

    # An Event is not safe to set inside a handler, which may run while this very thread holds the Event's lock.
    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=service.stop).start()

    def reload(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=service.reload).start()

    wanted = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
