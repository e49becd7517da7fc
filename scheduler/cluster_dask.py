"""The workers of a Dask cluster as an executor (https://distributed.dask.org).

Dask gives a task whose worker died to another one, three times. Before a worker does its first task for us it shows
that it is fit: the same program, the same rules, and the very ledger that we have. The ledger's address travels with
the tasks, but in no name or representation of them, so that no log or dashboard shows a password.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker
from distributed.comm import registry
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from aggregator.rules import RULES_VERSION
from db.holder import boot_id
from db.lease import acquire, find_lease, forget_expired, release
from db.session import LedgerError
from db.workers import address_of, engine_at
from scheduler.cluster import ClusterError, TaskLost

CONNECT_SECONDS = 10
WORKER_SECONDS = 30
"""How long we wait for a first worker to join."""
CLOSE_SECONDS = 5
MARK = "cluster/"
MARK_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Passport:
    """What a worker has to have in common with us."""

    program: str
    rules: int
    machine: str
    ledger: URL | None = None
    mark: str | None = None
    """The name of a lease that we put into the ledger: who finds it has the same ledger."""


class Unfit(Exception):
    """A worker cannot do our work: says why."""


@contextmanager
def joined(address: str, ledger: Engine | None) -> Iterator[Executor]:
    """An executor of the cluster whose scheduler is at `address`, or described by that file.

    Raises `ClusterError` when it does not answer, has no worker, or one that is not fit.
    """
    with _connected(address) as client, _marked(ledger) as passport:
        _require_fit(client, address, passport)
        yield _Workers(client, address, passport)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    if "address" in where and not _may_be_scheduler(address):
        raise ClusterError(f"--cluster {address} is no address of a Dask scheduler: give tcp://HOST:PORT, or its file")
    # It writes to stderr what we say in a line of our own.
    for name in ("distributed.client", "distributed.core", "distributed.comm", "distributed.batched"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client = Client(**where, timeout=CONNECT_SECONDS, set_as_default=False, name="jobledger")
    except (TimeoutError, OSError, ValueError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise ClusterError(f"--cluster {address}: no Dask scheduler answers there ({said})") from error
    try:
        yield client
    finally:
        client.close(CLOSE_SECONDS)


def _may_be_scheduler(address: str) -> bool:
    """Whether an address has a protocol that Dask speaks and a port; of another one Dask tries for twenty seconds."""
    scheme, _, place = address.rpartition("://")
    if scheme and scheme not in registry.backends:
        return False
    return scheme == "inproc" or place.rpartition(":")[2].rstrip("/").isdecimal()


@contextmanager
def _marked(ledger: Engine | None) -> Iterator[Passport]:
    passport = partial(Passport, version("jobledger"), RULES_VERSION, this_machine())
    if ledger is None:
        yield passport()
        return
    name = MARK + uuid.uuid4().hex
    forget_expired(ledger, MARK)
    acquire(ledger, name, "jobledger", MARK_SECONDS)
    try:
        yield passport(address_of(ledger), name)
    finally:
        release(ledger, name, "jobledger")


def this_machine() -> str:
    """The machine by the start of its kernel, where it says: containers have names of their own, but share that."""
    try:
        return boot_id()
    except OSError:
        import socket

        return socket.gethostname()


def _require_fit(client: Client, address: str, passport: Passport) -> None:
    """Asks every worker. Raises `ClusterError` with the first one's reason."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise ClusterError(f"--cluster {address}: no worker has joined it within {WORKER_SECONDS} s") from error
    found = client.run(show, passport, on_error="return")
    for worker, said in sorted(found.items()):
        if isinstance(said, Exception):
            raise ClusterError(f"--cluster {address}: worker {worker} cannot do this: {_why(said)}") from said


def _why(error: BaseException) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, ImportError) or said.startswith(("ImportError", "ModuleNotFoundError")):  # Dask may wrap it
        return f"jobledger is not installed there as it is here ({said})"
    return said


@lru_cache(maxsize=64)
def show(passport: Passport) -> None:
    """On a worker: whether this process is fit; asked once. Raises `Unfit`."""
    here = (version("jobledger"), RULES_VERSION)
    if here != (passport.program, passport.rules):
        raise Unfit(f"it has jobledger {here[0]} with rules {here[1]}, not {passport.program} with {passport.rules}")
    if passport.ledger is None or passport.mark is None:
        return
    shown = passport.ledger.render_as_string(hide_password=True)
    if passport.ledger.get_backend_name() == "sqlite":
        if passport.machine != this_machine():
            raise Unfit(f"{shown} is a file of another machine: a ledger that machines share is on PostgreSQL")
        if not Path(str(passport.ledger.database)).is_file():
            raise Unfit(f"it does not see the file of {shown}")
    try:
        found = find_lease(engine_at(passport.ledger), passport.mark)
    except LedgerError as error:
        raise Unfit(str(error)) from error
    if found is None:
        raise Unfit(f"{shown} leads it to another ledger")


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """A function and its arguments, which no log shows: an address in them may hold a password."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.function.__name__}(…)"


def checked(passport: Passport, call: Call) -> Any:
    """The task of a worker: the work, if the worker is fit. Workers may join while we work."""
    show(passport)
    return call.function(*call.args, **call.kwargs)


class _Workers(Executor):
    """Hands tasks to the cluster; a future here for each of its own, with our errors."""

    def __init__(self, client: Client, address: str, passport: Passport) -> None:
        self._client, self._address, self._passport = client, address, passport

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        told: Future[Any] = Future()
        if self._client.status != "running":
            raise self._gone()
        call, key = Call(fn, args, kwargs), f"{fn.__name__}-{uuid.uuid4().hex}"
        theirs = self._client.submit(checked, self._passport, call, pure=False, key=key)
        told.add_done_callback(lambda done: theirs.cancel() if done.cancelled() else None)
        theirs.add_done_callback(partial(self._ended, told))
        return told

    def _ended(self, told: Future[Any], theirs: Any) -> None:
        if not told.set_running_or_notify_cancel():
            return
        error: BaseException | None = self._gone()
        try:
            if not theirs.cancelled():
                error = theirs.exception()
            if error is None:
                told.set_result(theirs.result())
        except (OSError, CancelledError):  # lost between the end of the task and its result
            error = self._gone()
        finally:
            if not told.done():
                told.set_exception(self._ours(error) if error is not None else self._gone())

    def _ours(self, error: BaseException) -> BaseException:
        if isinstance(error, KilledWorker):
            return TaskLost(f"{error.task}: the workers that had it died, one after another")
        if isinstance(error, Unfit):
            return ClusterError(f"--cluster {self._address}: a worker cannot do this: {_why(error)}")
        return error

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"--cluster {self._address}: its scheduler is gone; what was done is kept, run again to do the rest"
        )
